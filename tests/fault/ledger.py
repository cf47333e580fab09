"""What independent clients wrote down, and whether the system's own account agrees with it.

Nothing here believes the system: attempts and answers come from the clients, receipts from the
subscribers, messages from the sink.  check() compares them with PostgreSQL and returns findings,
each a kind and what was found; no finding means that every account agrees."""
import collections
import json
import os
import threading
import time

import board
import call_taker
import cimer_clerk
import web_citizen

# What a finding can be.
KINDS = ("lost", "phantom", "gap", "reorder", "applied twice", "told twice", "message lost",
         "message phantom", "delivery lost", "wrong department", "personal data", "board", "month")


class Ledger:
    """Thread-safe.  A key is (client, id): an Idempotency-Key or an event's id."""

    def __init__(self):
        self._lock = threading.Lock()
        self.attempts = set()
        self.open = {}                                  # key -> when it was first tried
        self.answers = {}                               # key -> ticket number
        self.answered_by = collections.Counter()        # client -> answers
        self.spans = []                                 # (first tried, answered) of each answer
        self.calls = set()                              # forms of call-takers
        self.photos = {}                                # key -> how many came with it
        self.changed_answers = []                       # a repeat that was answered otherwise
        self.done = {}                                  # command id -> (ticket, version)
        self.receipts = collections.defaultdict(list)   # subscriber -> records as they came
        self.started = {}                               # subscriber -> (from seq, departments)
        self.newest = collections.Counter()             # subscriber -> the highest seq it has

    def attempt(self, key, now):
        with self._lock:
            self.attempts.add(key)
            self.open.setdefault(key, now)

    def send_photos(self, key, count):
        with self._lock:
            self.photos[key] = count

    def answer(self, key, ticket):
        with self._lock:
            began = self.open.pop(key, None)
            if key not in self.answers:
                self.answered_by[key[0]] += 1
            if began is not None:
                self.spans.append((began, time.monotonic()))
            if self.answers.setdefault(key, ticket) != ticket:
                self.changed_answers.append((key, self.answers[key], ticket))

    def given_up(self, client, prefix):
        """Whoever had those in hand is dead, and may never have begun with them."""
        with self._lock:
            for key in [k for k in self.open if k[0] == client and k[1].startswith(prefix)]:
                del self.open[key]

    def command(self, command_id, ticket, version):
        with self._lock:
            self.done[command_id] = (ticket, version)

    def receive(self, subscriber, record):
        view, event = record.view, record.event
        with self._lock:
            self.newest[subscriber] = max(self.newest[subscriber], record.seq)
            self.receipts[subscriber].append(Receipt(
                record.seq, event.type, event.subject,
                event.step.department or event.alarm.department or event.viewed.department,
                event.step.previous_department, view.department if view.description else "",
                view.HasField("citizen") and not view.citizen.masked))

    def in_flight(self, client=None):
        with self._lock:
            return sum(1 for key in self.open if client in (None, key[0]))

    def answered(self):
        with self._lock:
            return len(self.answers)


# told: the department of the ticket when its description came along, else empty.
Receipt = collections.namedtuple("Receipt", "seq type ticket department previous told personal")


def ticket_id(number):
    """26-0012345-4 -> 260012345"""
    year, serial, _ = number.split("-")
    return int(year + serial)


def sink_messages(path):
    """Every message the sink took, from its file, older part first."""
    found = []
    for name in (path + ".old", path):
        if os.path.exists(name):
            with open(name, encoding="utf-8") as lines:
                found += [json.loads(line) for line in lines if line.endswith("\n")]
    return found


def check(stack, ledger, messages):
    findings = []
    for look in (_tickets, _steps, _log, _months, _deliveries, _privacy, _derived_privacy,
                 web_citizen.check_photos, call_taker.check_calls, cimer_clerk.check_applications):
        findings += look(stack, ledger)
    findings += _messages(stack, messages)
    findings += _recipients(stack, messages)
    findings += _board(stack)
    return findings


def count(findings):
    return {kind: sum(1 for found, _ in findings if found == kind) for kind in KINDS}


def _tickets(stack, ledger):
    """Answered = present; present = attempted; one identity, one ticket."""
    present = {row[0] for row in stack.sql("select ticket_id from turunc.ticket")}
    aliases = dict(stack.sql("select alias_id, ticket_id from turunc.ticket_alias"))
    identities = {(client, item): ticket for client, item, ticket in
                  stack.sql("select client, id, ticket_id from turunc.inbound_item"
                            " where source not in ('call-ended', 'call-answered', 'survey')")}
    for key, number in ledger.answers.items():
        known = identities.get(key)
        wanted = ticket_id(number) if number else known
        if key not in identities or (number and aliases.get(wanted, wanted) not in present):
            yield "lost", f"{key} was answered with {number or 'yes'} and is not in the record"
        elif number and known != aliases.get(wanted, wanted):
            yield "applied twice", f"{key} was answered with {number}; the record says {known}"
    for key, first, second in ledger.changed_answers:
        yield "applied twice", f"{key} was answered with {first}, then with {second}"
    ours = {client for client, _ in ledger.attempts}
    for key, ticket in identities.items():
        if key[0] in ours and key not in ledger.attempts:
            yield "phantom", f"{key} (ticket {ticket}) was never attempted"
    for ticket, in stack.sql("select ticket_id from turunc.ticket except select ticket_id from turunc.ticket_state"):
        if ticket in identities.values():
            yield "lost", f"ticket {ticket} reached nobody"
    owned = collections.Counter(ticket for ticket in identities.values() if ticket)
    for ticket in present - set(owned):
        yield "phantom", f"ticket {ticket} belongs to no attempt"
    for ticket, times in owned.items():
        if times > 1:
            yield "applied twice", f"ticket {ticket} belongs to {times} attempts"


def _steps(stack, ledger):
    """Each ticket's versions rise by one a record; each command that was answered is one of them."""
    results = {str(row[0]): row[1:] for row in stack.sql(
        "select command_id, ticket_id, version from turunc.command_result where refusal = 0")}
    for command, (number, version) in ledger.done.items():
        if results.get(command) != (ticket_id(number), version):
            yield "lost", f"command {command} on {number} was done; the record says {results.get(command)}"
    rows = stack.sql("""
        select s.ticket_id, s.version, count(e.seq) filter (where e.type <> 'ticket.opened'),
               count(e.seq) filter (where e.type = 'ticket.opened')
        from turunc.ticket_state s join turunc.event_log e using (ticket_id)
        where e.type like 'ticket.%' and e.type not in ('ticket.due_soon', 'ticket.overdue', 'ticket.viewed')
        group by 1, 2""")
    for ticket, version, steps, opened in rows:
        if steps > version - 1 or opened > 1:
            yield "applied twice", f"ticket {ticket}: version {version}, {steps} steps, {opened} openings"
        elif steps < version - 1 or opened < 1:
            yield "lost", f"ticket {ticket}: version {version}, {steps} steps, {opened} openings"
    for ticket, in stack.sql("select ticket_id from turunc.ticket_hop h join turunc.ticket_state s"
                             " using (ticket_id) group by 1 having count(*) filter"
                             " (where h.from_department = '') > 1"):
        yield "applied twice", f"ticket {ticket} was routed first more than once"


def _log(stack, _ledger):
    """1, 2, 3 ... and hashes that fit."""
    rows, lowest, head = stack.sql("select count(*), coalesce(min(seq), 1), coalesce(max(seq), 0)"
                                   " from turunc.event_log")[0]
    if rows != head or lowest != 1:
        yield "gap", f"the log has {rows} records from {lowest} to {head}"
    verified = stack.masa("log", "verify", "--json", check=False)
    if verified.returncode != 0:
        yield "gap", f"masa log verify: {verified.stdout.strip()} {verified.stderr.strip()}"


def _months(stack, _ledger):
    """What metrics keeps of the months is what the log gives, up to its end."""
    try:
        stack.wait(lambda: stack.one("select seq from turunc.month_state")
                   == stack.one("select max(last_seq) from turunc.log_batch"), 30)
    except AssertionError:
        yield "month", "the months do not count the whole log"
    verified = stack.masa("report", "verify", "--json", check=False)
    if verified.returncode != 0:
        yield "month", f"masa report verify: {verified.stdout.strip()} {verified.stderr.strip()}"


def _deliveries(stack, ledger):
    """A subscriber has every record its filter covers, first times in order, and nothing else's."""
    log = stack.sql("select seq, type, department, previous_department from turunc.event_log order by seq")
    for name, (start, departments) in ledger.started.items():
        receipts = ledger.receipts[name]
        seen, highest = set(), start
        for receipt in receipts:
            if receipt.seq not in seen and receipt.seq < highest:
                yield "reorder", f"{name} received {receipt.seq} for the first time after {highest}"
            seen.add(receipt.seq)
            highest = max(highest, receipt.seq)
            if departments and (not {receipt.department, receipt.previous} & set(departments)
                                or receipt.told and receipt.told not in departments):
                yield "wrong department", f"{name} received {receipt}"
        wanted = {seq for seq, _, department, previous in log
                  if seq > start and (not departments or {department, previous} & set(departments))}
        for seq in sorted(wanted - seen):
            yield "delivery lost", f"{name} never received {seq}"
        for seq in sorted(seen - wanted):
            yield "phantom", f"{name} received {seq}, which its filter does not cover"


def _privacy(stack, ledger):
    """No name, phone or address of anybody in the log; none to those who may not see it."""
    for seq, in stack.sql("select seq from turunc.event_log where position('Defter'::bytea in event) > 0"
                          " or position('+9053'::bytea in event) > 0 or position('@defter'::bytea in event) > 0"):
        yield "personal data", f"record {seq} of the log"
    for name, receipts in ledger.receipts.items():
        for receipt in receipts:
            if receipt.personal and name.endswith("-masked"):
                yield "personal data", f"{name} received a full name with {receipt.seq}"


PERSONAL = ("Defter Tutan", "+9053", "@defter.example", "Defter Sokak", "Defter için")
# Each key with all it holds, a line of JSON each, in one call: a program for each key takes longer than all other looks.
ALL_OF_REDIS = """local found = {}
    for _, key in ipairs(redis.call('keys', '*')) do
      local kind = redis.call('type', key)['ok']
      local read = {hash = {'hgetall', key}, set = {'smembers', key}, string = {'get', key},
                    zset = {'zrange', key, 0, -1}, list = {'lrange', key, 0, -1}}
      found[#found + 1] = cjson.encode({key, redis.call(unpack(read[kind]))})
    end
    return found"""


def _derived_privacy(stack, _ledger):
    """Nor in Redis, nor in what the services say to whoever runs them."""
    for line in stack.redis.command("eval", ALL_OF_REDIS, 0).splitlines():
        key, values = json.loads(line)
        for word in PERSONAL:
            if any(word in text for text in [key, *([values] if isinstance(values, str) else values)]):
                yield "personal data", f"{word!r} in Redis under {key}"
    for name in ("intake", "router", "notifier", "metrics"):
        texts = {"log": stack.log(name), "/metrics": stack.http(name, "GET", "/metrics").text}
        for where, text in texts.items():
            for word in PERSONAL:
                if word in text:
                    yield "personal data", f"{word!r} in {where} of {name}"


def _recipients(stack, messages):
    """A message goes to whom its ticket's contact named, and to nobody else."""
    addresses = {str(row[0]): row[1:] for row in stack.sql(
        "select n.notification_id, c.email, c.phone from turunc.notification n"
        " join turunc.contact c on c.ticket_id = n.ticket_id and c.kind = 'report'")}
    for message in messages:
        email, phone = addresses.get(message_id(message), (None, None))
        mail = message["kind"] == "mail"
        wanted, went = (email, message["to"]) if mail else (phone, [message["fields"].get("to")])
        if wanted is not None and went != [wanted]:
            yield "personal data", f"{message_id(message)} is for {wanted} and went to {went}"


def _messages(stack, messages):
    """Whoever gave an address is told each change, once; what the record says was sent is in the
    sink, and the sink holds nothing else."""
    rows = stack.sql("select notification_id, state, about_seq from turunc.notification")
    sent = {str(notification): state for notification, state, _ in rows}
    had = collections.Counter(message_id(message) for message in messages)
    for digest, state in stack.sql("select reminder_id, state from turunc.reminder"):
        times = had.pop(str(digest), 0)
        if state == 3 and times == 0:
            yield "message lost", f"digest {digest} is recorded as sent and never arrived"
        elif times > 1:
            yield "told twice", f"digest {digest} arrived {times} times"
    for notification, state in sent.items():
        if state in (3, 6) and had[notification] == 0:
            yield "message lost", f"{notification} is recorded as sent and never arrived"
    for notification, times in had.items():
        if notification not in sent:
            yield "message phantom", f"{notification} arrived and is not in the record"
        elif times > 1:
            yield "told twice", f"{notification} arrived {times} times"
    told = collections.Counter(about for _, _, about in rows)
    wanted = {seq for seq, in stack.sql(
        "select e.seq from turunc.event_log e join turunc.contact c on c.ticket_id = e.ticket_id"
        " and c.kind = 'report' where e.type in ('ticket.opened', 'ticket.routed', 'ticket.resolved')"
        " and (c.email <> '' or c.phone <> '')")}
    for seq in sorted(wanted - set(told)):
        yield "message lost", f"nobody was told of {seq}"
    for seq, times in sorted(told.items()):
        if times > 1:
            yield "told twice", f"{seq} was told by {times} messages"


def message_id(message):
    """The notification's UUID as it travels: an SMS's id, the left side of a mail's Message-ID."""
    if message["kind"] == "sms":
        return message["fields"].get("id", "")
    return message["message_id"].strip("<>").split("@")[0]


def _board(stack, limit_s=30):
    """The board shows what the record says, as soon as it has caught up."""
    end = time.monotonic() + limit_s
    while True:
        different = board.differences(stack)
        if different == {}:
            return
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    if different is None:
        yield "board", "it does not catch up with the log"
    else:
        for name, (shown, counted) in different.items():
            yield "board", f"{name} is {shown}, the record says {counted}"
