"""Fires every failpoint of services/common/failpoint.h in a system at work, once with each action.

The programs are those of build/failpoints (docs/decisions/0016).  Each service has a lane of its own
that arms one point after the other, waits until it has fired, and starts the service again when it
was killed; so faults of several services meet.  What fires is a transaction, a call or a message on
its way: a point is reached by nothing else.  The load and the ledger are those of storm.py."""
import collections
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import uuid

import turunc
from process import LEAST_S, Failed, wait_until
from servers import BUILD, ROOT, SERVICES
from desking import Desker
from dismissing import Dismisser
from drafting import Drafter
from signing import Signer
from stack import MAIL_SECRET
from storm import Storm
from survey_link import stop_token
from turunc.v1 import event_pb2

SIDES = ("before", "after")
ACTIONS = ("crash", "error", "delay")
FIRES_WITHIN_S = 120    # against what never fires: how soon measures the machine
PAUSE_S = 0.4       # of each who reports: departments must keep up while router dies again and again
LIST = os.path.join(ROOT, "services", "common", "failpoint.h")

Case = collections.namedtuple("Case", "program step side action")

# What happens at a start, so that the service is killed and started to have it happen.
AT_START = {("intake", "lease"), ("intake", "numbers"), ("intake", "registry"), ("router", "cursor_make"),
            ("router", "cursor_adopt"), ("router", "partitions"), ("router", "stream_take"),
            ("notifier", "cursor_make"), ("notifier", "hasten"), ("metrics", "month_begin"), ("metrics", "month_turn"),
            ("metrics", "sample_put")}
# What makes the next start do so: a program that counted differently, and a day of the log that is over.
BEFORE_START = {"month_begin": "update turunc.month_state set fold_version = 0",
                "month_turn": "update turunc.month_state set day = day - 1"}
# What intake makes at its first start, where, and how many bytes it has.
FIRST_START = {"identity_secret": (("identity.secret",), 32), "link_key": (("attachments", "link.key"), 32)}
# What somebody at the desk brings about, alone or beside the departments.
DESKED = ("decide_letter", "decide_message", "acknowledge", "commands", "put_answers", "add_texts", "add_photos", "evidence")
# What happens only while intake has lost its record, and when it is found again.
AWAY, BACK = ("spool_add", "spool_sync", "survey_stops"), ("drain", "alias")
# Takes seconds each time: in the short form it only crashes.
SLOW = {("masa", "restore"), ("notifier", "bounce_aside")}
GONE, GONE_PRINTED = 269999999, "26-9999999-0"  # a ticket that never was
# A record that this consumer alone sets aside: (type, ticket, body).
BAD_RECORD = {
    "router": ("contact.recorded", GONE, event_pb2.Event(type="contact.recorded", subject="x")),
    # Worth telling and no figure of the board: the same step of a ticket again is not counted again there.
    "notifier": ("ticket.answered", GONE, event_pb2.Event(
        type="ticket.answered", subject=GONE_PRINTED, step=event_pb2.TicketStep(status=7, version=9))),
    "metrics": ("call.offered", None, event_pb2.Event(type="call.offered", call=event_pb2.CallStep())),
}


def listed():
    """(program, step) of the two lists, as they stand in the header."""
    with open(LIST, encoding="utf-8") as file:
        return re.findall(r"X\((?:\w+, )?\"(\w+)\", \"(\w+)\"\)", file.read())


def cases(whole=True):
    return [Case(program, step, side, action)
            for program, step in listed() for side in SIDES for action in ACTIONS
            if whole or action == "crash" or (program, step) not in SLOW]


class Failpoints:
    def __init__(self, folder, seed=1, whole=True):
        self.dice = random.Random(seed)
        self.storm = Storm(folder, seed=seed)
        self.stack = self.storm.stack
        self.orders = os.path.join(folder, "orders")
        os.mkdir(self.orders)
        self.cases = cases(whole)
        self.fired = []
        self.recovery_s = []
        self.wrong = []                 # what a lane found by itself, in words
        self._words = 0
        self._set_aside_at = {}         # consumer -> when it was last given a bad record
        self._backup = self.stack.path("backup")
        self._probe = None
        self._api_key = ""
        self._signers = {}
        for name in SERVICES:
            process = self.stack.process[name]
            process.argv[0] = os.path.join(BUILD, "failpoints", f"turunc-{name}")
            process.env["TURUNC_FAILPOINTS"] = self.orders

    # --- arming ---

    def order(self, program):
        return os.path.join(self.orders, program)

    def arm(self, case, count=1):
        self._words += 1
        path = self.order(case.program)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{case.step}.{case.side} {case.action} {count} {case.program}{self._words}")
        os.rename(path + ".new", path)

    def has_fired(self, program):
        return os.path.exists(self.order(program) + ".fired")

    def take_fired(self, case):
        os.unlink(self.order(case.program) + ".fired")
        self.fired.append(case)

    # --- while the load flows ---

    def run(self):
        lanes = [threading.Thread(target=self._lane, args=(name, work), name=name, daemon=True)
                 for name, work in [*((name, self._fire) for name in SERVICES), ("masa", self._fire_masa)]]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            while lane.is_alive():
                lane.join(0.5)
                self.storm._complain()  # pylint: disable=protected-access
        for signer in self._signers.values():
            self.wrong += signer.complaints()
        return self

    def _lane(self, name, work):
        mine = [case for case in self.cases if case.program == name and case.step not in FIRST_START]
        self.dice.shuffle(mine)
        mine.sort(key=lambda case: (case.step in AWAY, case.step in BACK))  # one long absence is enough
        try:
            for case in mine:
                work(case)
            if name == "intake":
                self._come_back()       # the other lanes live on what is reported
        except Exception as error:  # pylint: disable=broad-except
            if name == "intake":
                self.stack.links.set("intake-postgres", "pass")
            self.wrong.append(f"{name}: {error!r}")

    def _fire(self, case):
        """Arms the point, makes it happen, and has the service at work again."""
        self._prepare(case)
        if (case.program, case.step) in AT_START:
            self.stack.kill9(case.program)
            if case.step in BEFORE_START:
                self.stack.sql(BEFORE_START[case.step])
            self.arm(case)
            self.stack.start(case.program, wait=False)
        else:
            self.arm(case)
        end = time.monotonic() + FIRES_WITHIN_S
        while not self.has_fired(case.program):
            if time.monotonic() > end:
                os.unlink(self.order(case.program))
                self.wrong.append(f"{case} did not fire within {FIRES_WITHIN_S} s")
                if case.step in AWAY + BACK:
                    self._come_back()
                return
            self._provoke(case)
            time.sleep(0.01)
        self._recover(case)

    def _recover(self, case):
        began = time.monotonic()
        process = self.stack.process[case.program]
        if case.action == "crash":
            if process.child.wait(LEAST_S) != -signal.SIGKILL:
                raise Failed(f"{case}: ended with {process.exit_code()}")
            self.stack.start(case.program, wait=False)
        elif case.action == "error" and case.step in AWAY:
            self._come_back()           # a spool that has failed takes nothing until it was drained
        self.stack.wait_ready(case.program)
        if case.action == "crash":
            self.recovery_s.append(time.monotonic() - began)
        self.take_fired(case)

    # --- what the load alone does not do ---

    def _prepare(self, case):
        self._set_aside_at.pop(case.program, None)
        if case.step == "stream_freeze":
            self._widen()
        elif case.step in AWAY:
            self.stack.links.set("intake-postgres", "cut")
        elif case.step in BACK:
            self._come_back()
            self._report_twice()

    def _spooled(self):
        return self.stack.metric("intake", "turunc_intake_spool_items") or 0

    def _report(self, key):
        """A park's report under that key; its number, False when it is not taken."""
        form = {"api_key": self._api_key, "service_code": "park-bakim", "description": "Defter için bildirim.",
                "address_string": "Defter Sokak No 1"}
        answer = self.stack.http("intake", "POST", "/open311/v2/requests.json", form=form,
                                 headers={"Idempotency-Key": key})
        return answer.status == 201 and answer.json()[0]["service_request_id"]

    def _come_back(self):
        """intake reaches its record, and has taken everything out of its spool: what comes now is
        in the record, which it enters behind all that was spooled."""
        self.stack.links.set("intake-postgres", "pass")
        key = f"son-{time.monotonic_ns()}"
        wait_until(lambda: self._report(key), FIRES_WITHIN_S, "a report is taken")
        wait_until(lambda: self.stack.one("select count(*) from turunc.inbound_item where client = 'sonda-http'"
                                          " and id = %s", key) == 1, FIRES_WITHIN_S, "what is new is in the record")
        wait_until(lambda: self._spooled() == self.stack.metric("intake", "turunc_intake_spool_items_set_aside"),
                   FIRES_WITHIN_S, "the spool is drained, and takes what comes again")

    def _report_twice(self):
        """The same report before and while the record is away: the second is spooled as another
        ticket, and turns out to be the first when the spool is drained."""
        key = f"iki-{time.monotonic_ns()}"
        first = wait_until(lambda: self._report(key), FIRES_WITHIN_S, "a report is taken")
        self.stack.links.set("intake-postgres", "cut")
        wait_until(lambda: self._spooled() > 0, FIRES_WITHIN_S, "something is spooled")
        if wait_until(lambda: self._report(key), FIRES_WITHIN_S, "the repeat is taken") == first:
            raise Failed("the repeat was not spooled")

    def _provoke(self, case):
        """Called again and again until the point has fired."""
        if case.step == "sweep":
            self.stack.sql("update turunc.ticket_clock set next_alarm_us = 1 where (ticket_id, clock) in"
                           " (select ticket_id, clock from turunc.ticket_clock where next_alarm_us > %s"
                           " order by ticket_id desc limit 2)", time.time_ns() // 1000)
        elif case.step in ("live_begin", "live_load", "live_switch"):
            if self.stack.redis.command("exists", "live:3:current") == "1":
                self.stack.redis.command("del", "live:3:current")
        elif case.step == "alarm_keep":
            self.stack.sql("""insert into turunc.board_alarm (kind, about, value, bound, raised_us, seen_us)
                values ('surge', 'defter/tutan', 5, 5, %s, %s) on conflict do nothing""", *(2 * [time.time_ns() // 1000]))
        elif case.step == "file_forget":
            self.stack.sql("insert into turunc.erased_file values (sha256(random()::text::bytea), 1)")
        elif case.step.startswith("people_"):
            self._signers[case.program].turn()
        elif case.program == "router" and case.step in DESKED:
            self._signers["desk"].turn(case.step)
        elif case.step.startswith("remind_"):
            self._remind_again()
        elif case.step == "bounce_add":
            self._write_to_a_marked_address()
        elif case.step == "bounce_aside":
            self._bounce_for_ever()
        elif case.step in ("bounce_mark", "marks_forget"):
            self._report_a_lost_mail()
        elif case.step in ("receipts", "sms_wish"):
            self._call_back(case.step)
        elif case.step in ("survey_refuse", "survey_stops"):
            self._refuse_surveys()
        elif case.step == "dismiss":
            self._signers["loose"].turn()
        elif case.step == "draft":
            self._signers["call"].turn()
        elif case.step == "letter_put":
            self._set_aside(case.program)
        elif case.step == "letter_end":
            self._take_up(case.program)
        elif case.step in BACK:
            self.stack.links.set("intake-postgres", "pass")
        elif case.step == "stream_freeze" and self._probe is not None:
            self._grant(["park"])
            self._probe = None

    def _remind_again(self):
        """An office where nobody works has something that is due, and its window is as if it were new."""
        self.stack.sql("""update turunc.ticket_clock set next_alarm = 3, next_alarm_us = null where ticket_id in (select
            ticket_id from turunc.ticket_state where department = 'yazi' and status <= 6 limit 3) and next_alarm < 3""")
        if self.stack.one("select count(*) from turunc.reminder where state = 1") == 0:
            self.stack.sql("""update turunc.reminder set window_us = window_us - 86400000000 - (random() * 1e12)::bigint
                where window_us > %s""", time.time_ns() // 1000 - 3 * 3600 * 10**6)

    def _write_to_a_marked_address(self):
        """A mail to a mailbox that is none, of no citizen of the storm: the marks of theirs go when they write."""
        self.stack.sql("""insert into turunc.mail_mark (address, notification_id, status, at_us) values ('odd@odd.example',
            '00000000-0000-7000-8000-000000000001', '5.1.1', %s) on conflict do nothing""", time.time_ns() // 1000)
        self.stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel,
            language, recipient, subject, body, state, next_attempt_us, created_us, updated_us)
            select gen_random_uuid(), %s, 1e15::bigint + (random() * 1e15)::bigint, 'ticket.noted', 'email', 'tr',
            'odd@odd.example', 'x', 'x', 1, 0, 1, 1 where not exists (select from turunc.notification
            where recipient = 'odd@odd.example' and state in (1, 2))""", GONE)

    def _report_a_lost_mail(self):
        """A mail of no citizen of the storm went to a mailbox that is none, as its server says now."""
        self.stack.sql("""with n as (insert into turunc.notification (notification_id, ticket_id, about_seq, about_type,
                channel, language, recipient, subject, body, state, next_attempt_us, created_us, updated_us)
                select gen_random_uuid(), %s, 1e15::bigint + (random() * 1e15)::bigint, 'ticket.noted', 'email', 'tr',
                'gone@odd.example', 'x', 'x', 3, null, 1, 1 where not exists (select from turunc.bounce b
                join turunc.notification o using (notification_id) where o.recipient = 'gone@odd.example'
                and b.handled_us is null) returning notification_id)
            insert into turunc.bounce (bounce_id, identity, notification_id, permanent, status, at_us)
            select gen_random_uuid(), sha256(random()::text::bytea), notification_id, true, '5.1.1', %s from n""",
                       GONE, time.time_ns() // 1000)

    def _bounce_for_ever(self):
        """A report of a lost mail that the record lets nobody settle; of no message of ours."""
        if self.stack.one("select count(*) from pg_trigger where tgname = 'refuse_report'") == 0:
            self.stack.sql("""create function turunc.refuse_report() returns trigger language plpgsql
                as $$ begin raise exception 'no' using errcode = '23514'; end $$""")
            self.stack.sql("""create trigger refuse_report before update on turunc.bounce for each row
                when (old.status = 'odd' and not new.set_aside) execute function turunc.refuse_report()""")
        self.stack.sql("""insert into turunc.bounce (bounce_id, identity, notification_id, permanent, status, at_us)
            select gen_random_uuid(), sha256(random()::text::bytea), '00000000-0000-7000-8000-000000000001', true, 'odd', 1
            where not exists (select from turunc.bounce where status = 'odd' and handled_us is null)""")

    def _call_back(self, step):
        """The SMS gateway says that a text has arrived, or what a citizen wrote."""
        sent = self.stack.one("select notification_id::text from turunc.notification where channel = 'sms'"
                              " and gateway = 'generic' and state = 3 limit 1")
        # Of somebody who gave a number that nobody is told anything at.
        said = {"receipts": {"id": sent, "status": "delivered"},
                "sms_wish": {"from": "+905559990001", "text": "START", "id": f"start-{time.monotonic_ns()}"}}[step]
        self.stack.sql("""with p as (insert into turunc.citizen (citizen_id, contact_key, created_us) values
                (gen_random_uuid(), 'tel:+905559990001', 1) on conflict do nothing returning citizen_id)
            insert into turunc.contact (contact_id, citizen_id, kind, channel, arrived_us, recorded_us, language, phone, salt)
            select gen_random_uuid(), p.citizen_id, 'joined', 1, 1, 1, 'tr', '+905559990001', 's' from p""")
        self.stack.http("notifier", "POST", "/receipts/generic/defter-tutan-saglayici", body=json.dumps(said),
                        headers={"Content-Type": "application/json"})

    def _refuse_surveys(self):
        """Who was asked, and is no citizen of the storm, wants no more of that; and takes it back at times."""
        message = "00000000-0000-7000-8000-000000000002"
        self.stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel,
            language, recipient, body, state, created_us, updated_us) values (%s, %s, 1, 'survey.invited', 'email', 'tr',
            'bikkin@odd.example', 'x', 5, 1, 1) on conflict do nothing""", message, GONE)
        said = random.choice(("List-Unsubscribe=One-Click", "again=yes"))
        self.stack.http("intake", "POST", f"/anket-istemiyorum/{stop_token(MAIL_SECRET, uuid.UUID(message))}", body=said,
                        headers={"Content-Type": "application/x-www-form-urlencoded"})

    def _set_aside(self, consumer):
        """A record that it cannot act on; another one later, for a rebuild of metrics passes over them."""
        if time.monotonic() - self._set_aside_at.get(consumer, 0) > 2:
            self._set_aside_at[consumer] = time.monotonic()
            kind, ticket, event = BAD_RECORD[consumer]
            self._record(kind, ticket, event)

    def _take_up(self, consumer):
        """A letter is requeued, comes back, and is requeued again."""
        letter = self.stack.one("select min(seq) from turunc.dead_letter where consumer = %s and state = 1", consumer)
        if letter is not None:
            self.stack.masa("dlq", "requeue", f"{consumer}:{letter}", check=False)
        elif self.stack.one("select count(*) from turunc.dead_letter where consumer = %s", consumer) == 0:
            self._set_aside(consumer)

    def _grant(self, departments):
        """Rights of the probing client, recorded as masa does."""
        self.stack.sql("update turunc.client_grant set departments = %s where name = 'sonda'", departments)
        self._record("client.granted")

    def _record(self, kind, ticket=None, event=None):
        """A record as a writer appends it; its seq."""
        event = event or event_pb2.Event(id="0", source="test", type=kind)
        return self.stack.one("select turunc.log_append(%s, array[%s], array[%s]::bigint[], '{null}', '{null}',"
                              " '{test}', array[%s]::bytea[])",
                              time.time_ns() // 1000, kind, ticket, event.SerializeToString())

    def _widen(self):
        """A subscriber whose filter its rights cover, until they are narrowed."""
        folder = self.stack.path("client-sonda")
        if not os.path.isdir(folder):
            self.stack.client("sonda", verbs=("subscribe",), departments=("park", "fen"))
        else:
            self._close_probe()
            self._grant(["fen", "park"])
        end = time.monotonic() + FIRES_WITHIN_S
        while True:
            self.probe_client = turunc.Client(folder)
            probe = self.probe_client.subscribe("sonda", departments=["fen", "park"], start=0, replace=True)
            try:
                probe.get(timeout=5)
                break
            except turunc.TuruncError:
                self._close_probe()
                assert time.monotonic() < end, "the router does not learn of the probe's rights"
                time.sleep(0.1)
        self._probe = probe

    def _close_probe(self):
        if getattr(self, "probe_client", None) is not None:
            self.probe_client.close()
            self.probe_client = None

    # --- a step of the first start: nothing else runs ---

    def run_first_start(self):
        """intake makes its secrets at its first start; whatever happens to it, the next one has all of them."""
        process = self.stack.process["intake"]
        for case in [c for c in self.cases if c.step in FIRST_START]:
            name, size = FIRST_START[case.step]
            path = self.stack.path("state", "intake", *name)
            for name in (path, path + ".new"):
                if os.path.exists(name):
                    os.unlink(name)
            self.arm(case)
            process.start()
            wait_until(lambda: self.has_fired("intake"), FIRES_WITHIN_S, f"{case} fires")
            if case.action != "delay":
                code = process.child.wait(LEAST_S)
                if code != (-signal.SIGKILL if case.action == "crash" else 1):
                    self.wrong.append(f"{case}: ended with {code}")
                self.stack.start("intake")
            self.stack.wait_ready("intake")
            if os.path.getsize(path) != size:
                self.wrong.append(f"{case}: the secret has {os.path.getsize(path)} bytes")
            self.take_fired(case)
            process.terminate()

    # --- the command line ---

    def _fire_masa(self, case):
        """What masa was doing is done whole or not at all, and can be done again."""
        name = f"deneme-{case.step}-{case.side}-{case.action}".replace("_", "-")
        words = {"commit": ("client", "add", name, "--http"),
                 "client_file": ("client", "add", name, "--out", self.stack.path(name), "--verbs", "publish"),
                 "restore": ("restore", self._backup, "--into", self.stack.path(name)),
                 "log_heads": ("log", "verify")}[case.step]
        self._record("client.granted")  # so that the head to be noted is another
        if case.step == "restore" and not os.path.isdir(self._backup):
            self._back_up()
        self.arm(case)
        code = self._masa(*words)
        if not self.has_fired("masa"):
            os.unlink(self.order("masa"))
            raise Failed(f"{case} did not fire: masa ended with {code}")
        self.take_fired(case)
        if (code == 0) != (case.action == "delay" or case.step == "log_heads" and case.action != "crash"):
            self.wrong.append(f"{case}: masa ended with {code}")
        getattr(self, f"_look_at_{case.step}")(case, name, code)

    def _masa(self, *words):
        env = {**self.stack._common_env("masa", "turunc_admin"),  # pylint: disable=protected-access
               "TURUNC_FAILPOINTS": self.orders, "TURUNC_SYSTEM_DIR": self.stack.path("system"),
               "TURUNC_OWNER_DATABASE": self.stack.conninfo()}
        return subprocess.run([os.path.join(BUILD, "failpoints", "masa"), *words], env=env,
                              cwd=self.stack.folder, capture_output=True, timeout=120, check=False).returncode

    def _back_up(self):
        os.makedirs(self.stack.path("system", "secrets"))
        if self._masa("backup", self._backup) != 0:
            raise Failed("masa backup")

    def _look_at_restore(self, case, name, _code):
        """A folder holds a whole system or none, and is then restored into again."""
        data = self.stack.path(name, "postgres", "data")
        wanted = case.side == "after" or case.action == "delay"
        if os.path.isdir(data) != wanted:
            self.wrong.append(f"{case}: the restored cluster is {'not ' if wanted else ''}in place")
        again = self._masa("restore", self._backup, "--into", self.stack.path(name)) if not wanted else 0
        if again != 0 or not os.path.exists(os.path.join(data, "PG_VERSION")):
            self.wrong.append(f"{case}: restoring again ended with {again}")

    def _grants(self, name):
        """(rows, records) of a client."""
        records = sum(event_pb2.Event.FromString(bytes(data)).administration.name == name for data, in
                      self.stack.sql("select event from turunc.event_log where type = 'client.granted'"))
        return self.stack.one("select count(*) from turunc.client_grant where name = %s", name), records

    def _look_at_commit(self, case, name, _code):
        wanted = case.side == "after" or case.action == "delay"
        if self._grants(name) != (wanted, wanted):
            self.wrong.append(f"{case}: {self._grants(name)} rows and records of the client")

    def _look_at_client_file(self, case, name, code):
        if self._grants(name) != (code == 0, code == 0):
            self.wrong.append(f"{case}: {self._grants(name)} rows and records of the client")
        if code != 0 and self._masa("client", "add", name, "--out", self.stack.path(name + "-2"),
                                    "--verbs", "publish") != 0:
            self.wrong.append(f"{case}: it cannot be added again")

    def _look_at_log_heads(self, case, _name, _code):
        """The file is the former or the next one, and the log is still found right beside it."""
        if self._masa("log", "verify") != 0:
            self.wrong.append(f"{case}: the log is not verified any more")
        with open(self.stack.path("state", "masa", "log-heads"), encoding="ascii") as file:
            if not all(re.fullmatch(r"\S{36} \d+ [0-9a-f]{64}\n", line) for line in file):
                self.wrong.append(f"{case}: a line of log-heads is torn")

    # --- the whole, and its end ---

    def begin(self):
        self.run_first_start()
        self.storm.begin()
        self._api_key = self.stack.api_key("sonda-http")
        self._signers = {"intake": Signer(self.stack, "intake", "/call/"),
                         "router": Signer(self.stack, "router", "/desk/"),
                         "call": Drafter(self.stack), "desk": Desker(self.stack),
                         "loose": Dismisser(self.stack)}
        for actor in self.storm.reporters:
            actor.pause_s = PAUSE_S

    def missing(self):
        """Cases that did not fire."""
        return sorted(set(self.cases) - set(self.fired))

    def table(self, findings):
        recovery = sorted(self.recovery_s) or [0]
        count = collections.Counter(case.action for case in self.fired)
        lines = [("durable steps", len(listed())),
                 ("failpoints", len({case[:3] for case in self.cases})),
                 ("  fired, each at least once", len({case[:3] for case in self.fired}))]
        lines += [(f"  {action}", f"{count[action]} of {sum(c.action == action for c in self.cases)}")
                  for action in ACTIONS if any(c.action == action for c in self.cases)]
        lines += [("recovery after a crash p50 s", f"{recovery[len(recovery) // 2]:.2f}"),
                  ("recovery after a crash max s", f"{recovery[-1]:.2f}"),
                  ("attempts", len(self.storm.ledger.attempts)),
                  ("positive answers", self.storm.ledger.answered()),
                  ("findings", json.dumps(dict(collections.Counter(kind for kind, _ in findings)))
                   if findings else 0)]
        return "\n".join(f"{name:<30} {value}" for name, value in lines)

    def close(self):
        self._close_probe()
        self.storm.close()
