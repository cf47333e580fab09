"""Tickets told through a mail server and an SMS gateway that fail in every way there is, while the
notifier is killed: what was sent, what arrived, what arrived twice, what was lost.

The servers keep what they took; that is compared with the record.  A person plays the operator's part
at the end, as docs/operations.md asks of one: what is in doubt is looked up at the servers, and sent
again when they do not have it."""
import asyncio
import collections
import dataclasses
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "daemon"))

from intake_world import ticket_request  # noqa: E402
from notifier_world import Gateway, Mail, MailServer, World  # noqa: E402

CHUNK = 200         # tickets opened, and steps sent, at once
EVENTS = ("ticket.opened", "ticket.routed", "ticket.resolved")
DEAD_EVERY = 50     # each so many-th address, and number, is nobody's
REPORTS_EVERY_S = 0.2
TROUBLE_EVERY_S = 0.6, 4.0  # in a short run, in a long one
LONG = 2000         # tickets
OUTAGE_S = 0.5
RATE = "12000"      # messages a minute on each channel, so that there is something left to fail

# How often (in a thousand) a server behaves badly; the rest it takes.
MAIL_MOODS = {"later at the recipient": 80, "later after the text": 50, "421": 20, "gone before the text": 30,
              "gone after taking it": 5, "silent after taking it": 2}
SMS_MOODS = {"503": 100, "429": 50, "500 and took it": 5, "silent after taking it": 2, "rubbish after taking it": 3}


class Dice:
    """One mood a message, by chance that can be played again; calm: always the good one."""

    def __init__(self, seed, moods):
        self._random = random.Random(seed)
        self._moods = moods
        self.calm = False
        self.thrown = collections.Counter()
        self._lock = threading.Lock()

    def throw(self):
        with self._lock:
            at = self._random.randrange(1000)
            if self.calm:
                return "ok"
            for mood, share in self._moods.items():
                if at < share:
                    self.thrown[mood] += 1
                    return mood
                at -= share
            return "ok"


class FailingMail(MailServer):
    """A mailbox that begins with "yok" there is not; of one with "geri" that is found out later."""

    def __init__(self, port, seed):
        super().__init__(port)
        self.dice = Dice(seed, MAIL_MOODS)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("yok"):
            return "550 5.1.1 no such mailbox"
        envelope.mood = self.dice.throw()
        if envelope.mood == "later at the recipient":
            return "450 4.2.0 later"
        if envelope.mood == "421":
            return "421 4.3.2 closing"
        if envelope.mood == "gone before the text":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.mood == "later after the text":
            return "451 4.3.0 later"
        self.taken.append(Mail(envelope.rcpt_tos[0], envelope.content, envelope.mail_from))
        if envelope.mood == "gone after taking it":
            server.transport.abort()
        elif envelope.mood == "silent after taking it":
            await asyncio.sleep(3)
        return "250 2.0.0 taken"


class FailingGateway(Gateway):
    """A number that ends with 00 there is not."""

    def __init__(self, port, seed, taken=None):
        self.dice = Dice(seed, SMS_MOODS)
        super().__init__(port)
        self._server.handle_error = lambda *about: None  # whoever was killed hangs up
        self.taken = taken if taken is not None else []

    def answer(self, door, body):
        try:
            self._answer(door, body)
        except OSError:
            """The notifier was killed, or has waited long enough."""

    def _answer(self, door, body):
        if body["to"].endswith("00"):
            self._say(door, 400, b"{}")
            return
        mood = self.dice.throw()
        if mood in ("503", "429"):
            self._say(door, int(mood), b"later")
            return
        self.taken.append(body)
        if mood == "500 and took it":
            self._say(door, 500, b"oops")
            return
        if mood == "silent after taking it":
            time.sleep(2)
        if mood == "rubbish after taking it":
            door.wfile.write(b"\x00\x01 rubbish\r\n\r\n")
            door.close_connection = True
        else:
            self._say(door, 200, b'{"id": "gw"}')


@dataclasses.dataclass(frozen=True)
class Person:
    """Whose ticket it is, and by what they can be told."""
    email: str
    phone: str

    def reached(self):
        return (self.email != "" and not self.email.startswith(("yok", "geri"))) or (
            self.phone != "" and not self.phone.endswith("00"))


def person(n):
    """Half have both, a quarter each one of them; of each some are nobody's."""
    nobody = n % DEAD_EVERY == 7 or n % (4 * DEAD_EVERY) == 2
    kind = "yok" if nobody else "geri" if n % DEAD_EVERY in (8, 9) else "kisi"
    email = f"{kind}{n}@ornek.example" if n % 4 != 3 else ""
    number = n * 100 + (0 if n % (2 * DEAD_EVERY) in (3, 57) else 11)
    phone = f"+90532{number % 10_000_000:07d}" if n % 4 != 2 else ""
    return Person(email, phone)


class Reports(threading.Thread):
    """The reports of what came to a mailbox that there is not, as intake writes them down; some twice."""

    def __init__(self, played):
        super().__init__(daemon=True)
        self.played = played
        self.stopped = threading.Event()
        self.reported = {}  # notification -> how many reports

    def run(self):
        while not self.stopped.wait(REPORTS_EVERY_S):
            self.look()

    def look(self):
        for mail in list(self.played.world.mail.taken):
            if mail.to.startswith("geri") and mail.id not in self.reported:
                self.reported[mail.id] = 1 + (len(self.reported) % 3 == 0)
                for n in range(self.reported[mail.id]):
                    self.played.world.stack.sql(
                        """insert into turunc.bounce (bounce_id, identity, notification_id, permanent, status, at_us)
                           values (gen_random_uuid(), sha256(convert_to(%s, 'UTF8')), %s::uuid, true, '5.1.1', %s)""",
                        f"{mail.id} {n}", mail.id, n)

    def end(self):
        """Everything that has arrived by now is reported."""
        self.stopped.set()
        self.join(30)
        self.look()


class Troubles(threading.Thread):
    """Servers that go away for a while, and a notifier that is killed, in turn."""

    def __init__(self, played):
        super().__init__(daemon=True)
        self.played = played
        self.stopped = threading.Event()
        self.had = collections.Counter()
        self.failure = None

    def run(self):
        ways = [self.no_mail, self.no_gateway, self.kill]
        try:
            while not self.stopped.wait(TROUBLE_EVERY_S[self.played.count >= LONG]):
                way = ways[sum(self.had.values()) % len(ways)]
                self.had[way.__name__] += 1
                way()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def no_mail(self):
        self.played.world.mail.stop()
        self.stopped.wait(OUTAGE_S)
        self.played.world.mail.start()

    def no_gateway(self):
        self.played.world.sms.stop()
        self.stopped.wait(OUTAGE_S)
        self.played.open_gateway()

    def kill(self):
        self.played.world.stack.kill9("notifier")
        self.played.world.stack.restart("notifier")

    def end(self):
        self.stopped.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure


class Played:
    """One run; figures() and findings() when it is over."""

    def __init__(self, count, seed=1):
        self.count, self.seed = count, seed
        self.people = {}  # ticket id -> Person
        self.again = self.known = 0  # in doubt: sent again by the operator; found at a server
        self.began = time.monotonic()
        self.world = World(TURUNC_NOTIFIER_ATTEMPTS="30", TURUNC_NOTIFIER_RATE=RATE)
        self.world.mail.stop()
        self.world.sms.stop()
        self.world.mail = FailingMail(self.world.mail.port, seed)
        self.world.mail.start()
        self._taken, self._gateways = [], []
        self.open_gateway()
        self.troubles = Troubles(self)
        self.reports = Reports(self)

    def open_gateway(self):
        self.world.sms = FailingGateway(self.world.stack.port["sms"], self.seed + len(self._gateways), self._taken)
        self._gateways.append(self.world.sms)

    def close(self):
        self.troubles.stopped.set()
        self.reports.stopped.set()
        return self.world.close()

    # --- what happens ---

    def play(self):
        self.troubles.start()
        self.reports.start()
        for first in range(0, self.count, CHUNK):
            self._open(range(first, min(first + CHUNK, self.count)))
        self._resolve()
        self._wait(f"select count(*) < {len(self.people)} from turunc.notification where about_type = 'ticket.resolved'",
                   "the ends are written down")
        self._wait(f"select count(*) > {self.count // 10} from turunc.notification where state in (1, 2)",
                   "most are told")
        self.troubles.end()
        self._settle()
        self.world.mail.dice.calm = self.world.sms.dice.calm = True
        self._operate()
        self._settle()
        self.reports.end()
        self._settle()

    def _open(self, numbers):
        people = [person(n) for n in numbers]
        results = self.world.department.publish_many([ticket_request(
            subject_code="cop-alinmadi", neighbourhood="sirinyali", description="Çöp toplanmadı", name="Ayşe Yılmaz",
            language="tr", email=one.email, phone=one.phone) for one in people])
        for result, one in zip(results, people):
            assert result.ticket, result
            self.people[int(result.ticket.replace("-", "")[:-1])] = one

    def _resolve(self):
        """As the department does, each ticket once it has been routed."""
        done = set()
        end = time.monotonic() + 600
        while len(done) < len(self.people):
            assert time.monotonic() < end, f"{len(self.people) - len(done)} tickets are not routed"
            rows = self.world.stack.sql("""select ticket_id, version from turunc.ticket_state where status = 3
                                           order by ticket_id limit %s""", CHUNK)
            said = [(ticket, self.world.department.send_command(
                printed(ticket), "resolve", version, reason_code="yapildi", text="Ekip gönderildi."))
                for ticket, version in rows if ticket not in done]
            for ticket, future in said:
                future.result(60)
                done.add(ticket)
            if not said:
                time.sleep(0.05)

    def _wait(self, still, what):
        limit_s = 600 if self.count < LONG else 1800
        self.world.stack.wait(lambda: not self.world.stack.one(still), limit_s, what)

    def _settle(self):
        self._wait("""select exists (select from turunc.notification where state in (1, 2))
                   or exists (select from turunc.bounce where handled_us is null)
                   or (select seq from turunc.consumer_cursor where client = '' and name = 'notifier')
                      < (select max(seq) from turunc.event_log where type like 'ticket.%')""", "everything is told")

    def _operate(self):
        """docs/operations.md: look it up at the server; what it does not have is sent again."""
        arrived = self.arrived()
        for notification, in self.world.stack.sql(
                "select notification_id::text from turunc.notification where state = 4"):
            if notification in arrived:
                self.world.stack.masa("message", "discard", notification, "--reason", "the server has it")
                self.known += 1
            else:
                self.world.stack.masa("message", "retry", notification)
                self.again += 1

    # --- what came of it ---

    def arrived(self):
        """id -> how often a server took it."""
        return collections.Counter([mail.id for mail in list(self.world.mail.taken)]
                                   + [text["id"] for text in list(self._taken)])

    def rows(self):
        return self.world.stack.sql("""select notification_id::text, ticket_id, about_type, channel, state
                                       from turunc.notification""")

    def account(self):
        """(figures, findings)."""
        rows, arrived = self.rows(), self.arrived()
        told = collections.Counter()
        findings = [f"{one} arrived {times} times" for one, times in arrived.items() if times > 1]
        doubled, lost = sum(times - 1 for times in arrived.values()), 0
        for one, ticket, event, channel, state in rows:
            reported = one in self.reports.reported
            told[ticket, event] += one in arrived and not reported
            if reported and state != 5:
                findings.append(f"{one} did not arrive, and is in state {state}")
            if state == 3 and one not in arrived:
                lost += 1
                findings.append(f"{one} ({event} by {channel}) is recorded as sent and never arrived")
            elif state in (1, 2, 4):
                findings.append(f"{one} ({event} by {channel}) is left in state {state}")
        for ticket, one in self.people.items():
            # Whose mail comes back later is told the last news alone by SMS, not what it has overtaken.
            for event in EVENTS[-1:] if one.email.startswith("geri") else EVENTS:
                if one.reached() and told[ticket, event] == 0:
                    lost += 1
                    findings.append(f"nobody was told of {event} of {ticket}: {one}")
                elif told[ticket, event] > 1:
                    doubled += told[ticket, event] - 1
                    findings.append(f"{event} of {ticket} was told {told[ticket, event]} times")
        failed = collections.Counter(one for one, kinds in self.world.outcomes().items() for kind in kinds
                                     if kind == ("notification.failed", "bounced"))
        findings += [f"the log says {failed[one]} times that {one} bounced" for one in self.reports.reported
                     if failed[one] != 1]
        phantoms = set(arrived) - {row[0] for row in rows}
        findings += [f"{one} arrived and is not in the record" for one in phantoms]
        return self._figures(rows, arrived, doubled, lost), findings

    def _figures(self, rows, arrived, doubled, lost):
        states = collections.Counter(row[4] for row in rows)
        outcomes = dict(self.world.stack.sql(
            "select outcome, count(*) from turunc.notification_attempt group by 1"))
        moods = self.world.mail.dice.thrown + sum((g.dice.thrown for g in self._gateways), collections.Counter())
        by_sms = sum(1 for row in rows if row[3] == "sms" and self.people[row[1]].email)
        return [
            ("tickets", len(self.people)),
            ("messages written down", len(rows)),
            ("attempts", sum(outcomes.values())),
            *((f"  {outcome or 'cut off by a kill'}", times) for outcome, times in sorted(outcomes.items())),
            *((f"  server: {mood}", times) for mood, times in sorted(moods.items())),
            ("outages of the mail server, of the gateway", f"{self.troubles.had['no_mail']}, "
                                                           f"{self.troubles.had['no_gateway']}"),
            ("kills of the notifier", self.troubles.had["kill"]),
            ("sent, says the record", states[3] + len(self.reports.reported) + self._known_sent()),
            ("received, say the servers", len(arrived)),
            ("doubled", doubled),
            ("lost", lost),
            ("nobody's address or number: refused for good", states[5] - len(self.reports.reported)),
            ("taken, and reported later as not arrived", len(self.reports.reported)),
            ("by SMS because mail did not reach the address", by_sms),
            ("in doubt, found at the server by the operator", self.known),
            ("in doubt, not found, sent again by the operator", self.again),
            ("seconds", round(time.monotonic() - self.began)),
        ]


    def _known_sent(self):
        """Those that the operator found at a server, and no report has come of."""
        return sum(1 for row in self.rows() if row[4] == 7 and row[0] not in self.reports.reported)


def printed(ticket_id):
    from router_world import printed as number  # pylint: disable=import-outside-toplevel
    return number(ticket_id)


def table(figures):
    return "\n".join(f"{name:<52} {value}" for name, value in figures)


def run(count, seed):
    """As `tests/fault/run --messages N` does."""
    played = Played(count, seed)
    try:
        played.play()
        figures, findings = played.account()
    except BaseException:
        played.world.stack.keep = True
        print(played.world.stack.failure_report(), file=sys.stderr)
        raise
    finally:
        played.close()
    print(table(figures), flush=True)
    return findings
