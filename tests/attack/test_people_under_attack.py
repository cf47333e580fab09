"""What strangers and departments could do to people: headers and recipients slipped into messages,
contact data of somebody else changed, tickets read by who has them no longer."""
import itertools
import re
import time

import pytest
from attack_world import (POSTS, Door, citizen, honest_clients, pair_of, post,
                          ticket_request, under_attack)
from municipality import never_quiet
from process import wait_until
from stack import Stack
from turunc.v1 import bus_pb2 as bus
from web import request

PHONE, MAIL, NAME = "+905321234567", "ayse@yurttas.example", "Ayşe Yılmaz"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    config = never_quiet(str(tmp_path_factory.mktemp("people") / "config"))
    with Stack(services=("sink", "intake", "router", "notifier"), config=config) as made:
        made.start()
        made.client("front-desk")
        made.client("cleaning", departments=("temizlik",))
        made.client("narrowed", departments=("temizlik", "zabita"))
        made.masa("client", "add", "cleaning-reads", "--http", "--verbs", "snapshot",
                  "--departments", "temizlik", "--personal", "full")
        honest_clients(made)
        made.desk = Stream(made, "front-desk")
        yield made
        made.desk.__exit__()


class Stream(Door):
    """A department's session, and what it was delivered."""

    def __init__(self, stack, name):
        pair = pair_of(stack.path(f"client-{name}"))
        super().__init__(stack, "stream", pair)
        def greeted():
            return self.session(limit_s=1) == "welcome"
        wait_until(greeted, 15, f"router greets {name}")
        self.records, self.epoch, self.error = [], 0, None

    def subscribe(self, start=bus.FROM_LATEST, departments=(), **more):
        kind, told = self.ask(subscribe=bus.Subscribe(
            **{"name": "all", "from": start, "departments": departments}, **more))
        if kind == "subscribed":
            self.epoch = told.epoch
            self.send(credit=bus.Credit(epoch=self.epoch, records=4000))
        return kind, told

    def pull(self, for_s=0.05):
        """Takes in what comes; True when anything did."""
        frame = self.next(for_s)
        if frame is None:
            return False
        if frame.WhichOneof("body") == "deliver":
            self.records.extend(frame.deliver.records)
        elif frame.WhichOneof("body") == "error":
            self.error = frame.error
        return True

    def until(self, condition, limit_s=10, what=None):
        wait_until(lambda: condition() or (self.pull() and False), limit_s, what, every_s=0)

    def command(self, number, version, verb, **fields):
        return self.ask(command=bus.Command(
            id=f"{next(COMMANDS):08x}-0000-4000-8000-000000000000", ticket=number,
            expected_version=version, verb=verb, **fields))

    def snapshot(self, departments=()):
        number, found = self.send(snapshot=bus.Snapshot(departments=departments)), []
        while (frame := self.next(30)) is not None:
            if frame.request != number:
                continue
            if frame.WhichOneof("body") != "snapshot_page":
                return frame.error
            found.extend(frame.snapshot_page.tickets)
            if frame.snapshot_page.last:
                return found
        raise AssertionError("no snapshot came")


COMMANDS = itertools.count(1)


def reported(stack, **fields):
    """A report that was routed; its number."""
    answer = post(stack, stack.honest_key, **fields)
    assert answer.status == 201, answer
    number = answer.json()[0]["service_request_id"]
    wait_until(lambda: version_of(stack, number) >= 2, 10, f"{number} is routed")
    return number


def ticket_id(number):
    return int(number.rsplit("-", 1)[0].replace("-", ""))


def version_of(stack, number):
    return stack.one("select version from turunc.ticket_state where ticket_id = %s",
                     ticket_id(number)) or 0


# --- headers and recipients ------------------------------------------------------------------------

EVIL = "evil@attacker.example"
BREAKS = ["\r\n", "\n", "\r", "\r\n\r\n", "\u0085", "\u2028", "\x0b", "%0d%0a", "\\r\\n", "=0D=0A",
          "=?utf-8?q?=0D=0A?="]
HEADERS = [f"Bcc: {EVIL}", f"To: {EVIL}", "X-Injected: 1", "Content-Type: text/html"]
RECIPIENTS = [f"a@b.example, {EVIL}", f"a@b.example>{EVIL}", f"<{EVIL}", f"a@b.example;{EVIL}",
              f'"a\\" {EVIL}"@b.example', f"a@b.example {EVIL}", f"a@b.example>\r\nRCPT TO:<{EVIL}",
              f"a@[{EVIL}]", "a@b.example\0.x", f"{EVIL}%b@c.example", "a@b.example\tx", "@b.example:a"]
PHONES = ["+905321234567&to=+905550000000", "+905321234567\r\nX: 1", "0532 123 45 67, 0555 000 00 00",
          "+905321234567;to=1", "+90532123456७", "sip:0532@evil", "+905321234567\0", "' or 1=1--"]


def payloads():
    """Form fields, one evil thing each."""
    for line, header in itertools.product(BREAKS, HEADERS):
        yield {"first_name": f"Ayşe{line}{header}", "email": MAIL}
        yield {"email": f"{MAIL}{line}{header}"}
        yield {"description": f"Çöp{line}{header}{line}{line}<b>x", "email": MAIL}
    for value in RECIPIENTS:
        yield {"email": value}
    for value in PHONES:
        yield {"phone": value}
    for value in ("{description}", "{{name}}", "{email}", "%s%n", "${x}"):
        yield {"first_name": value, "last_name": "{number}", "email": MAIL, "description": value}


def wait_told(stack):
    def quiet():
        return stack.one("select coalesce(min(c.seq), 0) >= (select coalesce(max(last_seq), 0)"
                         " from turunc.log_batch) from turunc.consumer_cursor c"
                         " where client = '' and name = 'notifier'") and stack.one(
                             "select count(*) = 0 from turunc.notification where state in (1, 2)")
    wait_until(quiet, 30, "everything is told")


KNOWN_HEADERS = {"date", "from", "to", "subject", "message-id", "mime-version", "content-type",
                 "content-transfer-encoding", "auto-submitted", "x-turunc-ticket", "reply-to",
                 "content-language", "precedence", "x-auto-response-suppress", "list-id", "references"}


def slipped_in(message):
    """What is wrong with a message that was sent, or None."""
    if message["kind"] == "sms":
        fields = message["fields"]
        return None if fields["to"] == PHONE and set(fields) <= {"to", "from", "text", "id"} else fields
    if message["to"] != [MAIL] or EVIL in str(message["headers"].get("To", "")):
        return message["to"]
    strange = {name.lower() for name in message["headers"]} - KNOWN_HEADERS
    if strange or "html" in message["headers"]["Content-Type"] or "\n" in message["subject"]:
        return sorted(strange), message["headers"]["Content-Type"]
    return None


def test_headers_and_recipients_slipped_into_messages(stack):
    """By a citizen's form, by a publisher, and by a department's answer: whatever is taken reaches
    the one recipient the contact named, under our headers alone."""
    before = len(stack.messages())
    with under_attack(stack, "headers slipped into messages", by=[citizen(stack)],
                      services=("intake", "router", "notifier")) as said:
        taken = 0
        for fields in payloads():
            said["attempts"] += 1
            taken += post(stack, stack.honest_key, **fields).status == 201
        with Door(stack, "publish", stack.honest_pair) as door:
            assert door.session() == "welcome"
            for fields in payloads():
                said["attempts"] += 1
                event = ticket_request("honest", fields.get("description", "Çukur").replace("\0", "\x01"))
                for name, to in (("first_name", "name"), ("email", "email"), ("phone", "phone")):
                    setattr(event.ticket_request, to, fields.get(name, "").replace("\0", "\x01"))
                _, told = door.ask(publish=bus.Publish(events=[event]))
                taken += told.results[0].status == bus.PUBLISH_ACCEPTED
        number = reported(stack, email=MAIL, phone=PHONE)
        for line in BREAKS + ["\x1b[2J", "\x07", "\x00"]:
            said["attempts"] += 1
            kind, told = stack.desk.command(number, version_of(stack, number), "answer",
                                            text=f"Bitti.{line}Bcc: {EVIL}{line}.{line}QUIT")
            taken += kind == "done"
            refused = any(c in line for c in "\x0b\x1b\x07\x00")
            assert (kind != "done") == refused, (line, kind, told)
        said["taken_as_text"] = taken
        wait_told(stack)
        messages = stack.messages(before)
        wrong = [w for w in map(slipped_in, messages) if w]
        said["messages"] = len(messages)
        said["accepted"] = len(wrong)
        assert not wrong, wrong[:3]
    assert said["messages"] > 20
    bad = stack.one("select count(*) from turunc.contact where name ~ '[\\x01-\\x1f]' or "
                    "email ~ '[\\x01-\\x1f]' or phone !~ '^[+][0-9]{8,15}$'")
    assert bad == 0


# --- contact data ----------------------------------------------------------------------------------

def test_a_strangers_form_changes_nobodys_contact(stack):
    """Whoever knows a phone number may report under it; what its owner gave stays as it was, and
    messages about the owner's ticket go where the owner said."""
    own = reported(stack, phone=PHONE, email=MAIL, first_name="Ayşe", last_name="Yılmaz")
    contacts = "select count(*), min(name), min(email), min(address) from turunc.contact where ticket_id = %s"
    first = stack.sql(contacts, ticket_id(own))
    seen = len(stack.messages())
    with under_attack(stack, "contact data overwritten by others", by=[citizen(stack)]) as said:
        for i in range(40):
            said["attempts"] += 1
            answer = post(stack, stack.honest_key, phone="0532 123 45 67", email=EVIL,
                          first_name="Kötü", last_name="Niyet", address_string="Başka Sokak 1",
                          headers={"Idempotency-Key": own if i == 0 else f"contact-{i}"})
            assert answer.status == 201, answer
        with Door(stack, "publish", stack.honest_pair) as door:
            assert door.session() == "welcome"
            for _ in range(40):
                said["attempts"] += 1
                event = ticket_request("honest", "x")
                event.ticket_request.phone, event.ticket_request.email = PHONE, EVIL
                event.ticket_request.name = "Kötü Niyet"
                door.ask(publish=bus.Publish(events=[event]))
        with Stream(stack, "front-desk") as desk:  # the first session's peer has been silent for long
            assert desk.command(own, version_of(stack, own), "resolve", reason_code="yapildi")[0] == "done"
        wait_told(stack)
        about = [m for m in stack.messages(seen)
                 if m["kind"] == "mail" and own in m["subject"] and "sonuç" in m["subject"]]
        said["accepted"] = (stack.sql(contacts, ticket_id(own)) != first) + sum(
            m["to"] != [MAIL] for m in about)
        assert len(about) == 1 and NAME in about[0]["text"] and "Kötü" not in about[0]["text"]
    assert stack.one("select count(distinct citizen_id) from turunc.contact where phone = %s", PHONE) == 1


# --- tickets that left -----------------------------------------------------------------------------

SECRETS = (NAME, MAIL, PHONE, "gizli kalması gereken", "Saklı Sokak")


def test_a_department_reads_what_left_it(stack):
    """By its stream, from the beginning too, by a snapshot, by Open311 and by commands: of a ticket
    that is another's now it learns number, status and department."""
    reader = stack.api_key("reader-of-cleaning")
    stack.sql("update turunc.client_grant set verbs = '{snapshot}', departments = '{temizlik}' "
              "where name = 'reader-of-cleaning'")
    cleaning = Stream(stack, "cleaning")
    cleaning.subscribe()
    numbers = [reported(stack, phone=PHONE, email=MAIL, first_name="Ayşe", last_name="Yılmaz",
                        description="gizli kalması gereken", address_string="Saklı Sokak 5")
               for _ in range(5)]
    cleaning.until(lambda: len(views(cleaning, numbers)) >= 5, what="it is told of them")
    assert all("gizli" in v.description for v in views(cleaning, numbers))
    with Stream(stack, "front-desk") as desk:
        for number in numbers:
            assert desk.command(number, version_of(stack, number), "transfer", department="zabita",
                                reason_code="gorev-alani")[0] == "done"
    cleaning.until(lambda: len(views(cleaning, numbers)) >= 10, what="it is told that they left")
    leaked = []
    with under_attack(stack, "reading what left", services=("router",), by=[citizen(stack)]) as said:
        late = Stream(stack, "cleaning")
        kind, told = late.subscribe(start=bus.FROM_EARLIEST, replace=True, take_over=True)
        assert kind == "subscribed", told
        late.until(lambda: len(views(late, numbers)) >= 10, what="the past is delivered")
        texts = [str(v) for v in views(late, numbers) + views(cleaning, numbers)[5:]]
        pages = late.snapshot()
        assert isinstance(pages, list), pages
        texts += [str(view) for view in pages if view.number in numbers]
        said["attempts"] += len(texts)
        for number in numbers:
            for path in (f"/open311/v2/requests/{number}.json", f"/open311/v2/requests/{number}.xml",
                         f"{POSTS}?service_request_id={number}"):
                mark = "&" if "?" in path else "?"
                answer = request(stack.port["intake_http"], "GET", f"{path}{mark}api_key={reader}")
                said["attempts"] += 1
                texts.append(answer.text)
            for verb, fields in (("accept", {}), ("note", {"text": "x"}), ("start", {}),
                                 ("transfer", {"department": "temizlik", "reason_code": "x"})):
                said["attempts"] += 1
                kind, told = late.command(number, version_of(stack, number), verb, **fields)
                said["accepted"] += kind != "refused"
                texts.append(str(told))
        leaked = [text for text in texts if any(s in text for s in SECRETS)]
        said["accepted"] += len(leaked)
    cleaning.__exit__()
    late.__exit__()


def views(stream, numbers):
    return [r.view for r in stream.records if r.view.number in numbers]


def test_rights_narrowed_and_widened_under_a_running_subscription(stack):
    """While records flow: after each narrowing nothing of the department that was lost comes, and
    after each widening the subscription goes on exactly where it stood."""
    got, forbidden = [], 0
    with under_attack(stack, "rights narrowed under a subscription", by=[citizen(stack)],
                      services=("router",)) as said:
        stream = Stream(stack, "narrowed")
        kind, told = stream.subscribe(departments=("temizlik", "zabita"), types=("ticket.routed",))
        assert kind == "subscribed", told
        first = told.from_seq
        for _ in range(3):
            for _ in range(5):
                reported(stack)
            allow(stack, "narrowed", "{zabita}")
            said["attempts"] += 1
            stream.until(lambda: stream.error is not None, 10, "it is told")
            assert stream.error.code == bus.ERROR_FORBIDDEN and stream.error.fatal
            at = len(stream.records)
            lost = [reported(stack) for _ in range(3)]
            while stream.pull(0.2):
                pass
            forbidden += len(stream.records) - at
            got += stream.records
            stream.__exit__()
            stream = Stream(stack, "narrowed")
            for asked in (("temizlik", "zabita"), ("temizlik",)):
                said["attempts"] += 1
                kind, _ = stream.subscribe(departments=asked, types=("ticket.routed",))
                said["accepted"] += kind == "subscribed"
            allow(stack, "narrowed", "{temizlik,zabita}")
            stream.__exit__()
            stream = Stream(stack, "narrowed")
            kind, told = stream.subscribe(start=bus.FROM_RESUME, departments=("temizlik", "zabita"),
                                          types=("ticket.routed",))
            assert kind == "subscribed", told
            stream.until(lambda: lost[-1] in [r.event.subject for r in stream.records], 10,
                         "what was missed meanwhile")
        got += stream.records
        said["accepted"] += forbidden
        want = [row[0] for row in stack.sql(
            "select seq from turunc.event_log where type = 'ticket.routed' and seq >= %s and"
            " seq <= %s and department in ('temizlik', 'zabita') order by seq", first, got[-1].seq)]
        said["records"] = len(want)
        said["gaps"] = len(set(want) - {r.seq for r in got})
    stream.__exit__()
    assert said["gaps"] == 0 and want


def allow(stack, name, departments):
    """As masa would: the row and its record; then router has read it."""
    before = stack.log("router").count("rights loaded")
    stack.sql("update turunc.client_grant set departments = %s where name = %s", departments, name)
    stack.sql("select turunc.log_append(%s::bigint, '{client.granted}', '{null}', '{null}', '{null}',"
              " '{test}', '{\"\"}')", time.time_ns() // 1000)
    wait_until(lambda: stack.log("router").count("rights loaded") > before, 10, "router reads it")


# --- the page where a report is looked up -----------------------------------------------------------

def track(stack, number, digits, address):
    return stack.http("intake", "POST", "/track", form={"no": number, "digits": digits},
                      headers={"X-Forwarded-For": address})


def test_digits_of_a_phone_guessed(stack):
    """By one address, and by many addresses against one report; an unknown number is answered as
    wrong digits are, so that numbers are not found out either."""
    number = reported(stack, phone=PHONE, email=MAIL, description="gizli kalması gereken")
    with under_attack(stack, "digits of a phone guessed", by=[citizen(stack)]) as said:
        one = [track(stack, number, f"{i:04}", "203.0.113.1") for i in range(300)]
        many = [track(stack, number, f"{i:04}", f"203.0.113.{2 + i % 200}") for i in range(300, 900)]
        answers = one + many
        said["attempts"] = len(answers)
        said["judged"] = [a.status for a in answers].count(404)
        said["told_429"] = [a.status for a in answers].count(429)
        said["accepted"] = sum(a.status == 200 or "gizli" in a.text for a in answers)
        known, unknown = (track(stack, n, "0000", a) for n, a in (
            (reported(stack, phone=PHONE), "203.0.113.250"), ("26-9999999-0", "203.0.113.251")))
        assert (known.status, known.text) == (unknown.status, unknown.text)
        assert known.status == 404
    assert said["judged"] + said["told_429"] == said["attempts"]
    assert said["judged"] < 100, "ten thousand would take too few days"


def test_forged_forms(stack):
    """Words are added to a report by whoever was shown it, within half an hour: no other form is
    taken, nor one of another report."""
    number = reported(stack, phone=PHONE)
    page = track(stack, number, "4567", "203.0.114.1")
    assert page.status == 200
    token = re.search(r'name="token" value="([^"]+)"', page.text).group(1)
    count = "select count(*) from turunc.contact where kind in ('follow_up', 'withdraw', 'not_solved')"
    before = stack.one(count)
    with under_attack(stack, "forged forms", by=[citizen(stack)]) as said:
        forged = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:]
                  for i in range(len(token) - 1)]
        forged += [token[:-4], token + "AAAA", "", "A" * len(token), token.lower(), token[::-1],
                   token.replace("A", " "), "\u0131" * len(token)]
        for one in forged:
            for kind in ("follow_up", "withdraw"):
                said["attempts"] += 1
                answer = stack.http("intake", "POST", "/track/say",
                                    form={"token": one, "kind": kind, "text": "Merhaba"})
                said["accepted"] += answer.status == 200
        said["accepted"] += stack.one(count) - before
        good = stack.http("intake", "POST", "/track/say",
                          form={"token": token, "kind": "follow_up", "text": "<script>x</script>"})
        assert good.status == 200 and stack.one(count) == before + 1, good
        shown = track(stack, number, "4567", "203.0.114.2")
        assert shown.status == 200 and "<script>x" not in shown.text
    assert stack.one("select count(*) from turunc.contact where ticket_id = %s and phone is not null",
                     ticket_id(number)) == 1
