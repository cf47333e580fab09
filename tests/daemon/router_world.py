"""What the router's tests speak: frames over CURVE as any client would send them, and tickets opened
the way intake opens them (its own function, under its own role), without intake."""
import os
import sys
import time
import uuid

import zmq

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for _folder in ("tests/lib", "clients/python"):
    sys.path.insert(0, os.path.join(ROOT, _folder))

from process import LEAST_S  # noqa: E402
from turunc.v1 import bus_pb2 as bus  # noqa: E402
from turunc.v1 import event_pb2 as event  # noqa: E402
from turunc.v1 import ticket_pb2 as ticket  # noqa: E402

DAY_US = 86_400_000_000
DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581",
        "5869720134", "8945362017", "9438617205", "2581436790")


def printed(ticket_id):
    """26-0012345-4 of 260012345."""
    digits, check = str(ticket_id), 0
    for digit in digits:
        check = int(DAMM[check][int(digit)])
    return f"{digits[:2]}-{digits[2:]}-{check}"


def _loads(stack):
    return stack.log("router").count("catalogue and rights loaded")


def change_rights(stack, statement, *parameters):
    """As masa does it: the row and its record, and then the router knows."""
    before = _loads(stack)
    stack.sql(statement, *parameters)
    stack.sql("select turunc.log_append(0, '{client.granted}', '{null}', '{null}', '{null}', "
              "'{test}', '{\"\"}')")
    stack.wait(lambda: _loads(stack) > before, 30, "the router loads the rights")


class Keys:
    """What `masa client add` handed out."""

    def __init__(self, folder):
        self.public, self.secret = (self._read(folder, name) for name in ("public", "secret"))

    @staticmethod
    def _read(folder, name):
        with open(os.path.join(folder, f"client.{name}"), encoding="ascii") as key:
            return key.read().strip()


def add_client(stack, name, **rights):
    """A new outside system that the running router knows."""
    before = _loads(stack)
    keys = Keys(stack.client(name, **rights))
    stack.wait(lambda: _loads(stack) > before, 30, "the router loads the rights")
    return keys


class Client:
    """One session at the stream door."""

    def __init__(self, stack, who, instance=None, hello=True):
        endpoint, server = stack.bus("stream")
        self.instance = instance or str(uuid.uuid4())
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_serverkey = server.encode()
        self.socket.curve_publickey = who.public.encode()
        self.socket.curve_secretkey = who.secret.encode()
        self.socket.connect(endpoint)
        self.asked = 0
        self.answers = {}
        self.last_sent = time.monotonic()
        if hello:
            self.hello()

    def hello(self):
        self.welcome = self.answer(self._send(hello=bus.Hello(
            protocol=1, instance=self.instance, software="test/1")))

    def send(self, **body):
        """Sends one frame and returns its request.  A session that was silent for so long that the
        door may have dropped it is begun anew."""
        if time.monotonic() - self.last_sent > 3:
            self.hello()
        return self._send(**body)

    def _send(self, **body):
        self.last_sent = time.monotonic()
        self.asked += 1
        self.socket.send(bus.ClientFrame(request=self.asked, **body).SerializeToString())
        return self.asked

    def receive(self, limit_s=10):
        """The next frame that is not about being alive; None when none comes within that time."""
        end = time.monotonic() + limit_s
        while True:
            if not self.socket.poll(max(0, int((end - time.monotonic()) * 1000))):
                return None
            frame = bus.ServerFrame.FromString(self.socket.recv())
            kind = frame.WhichOneof("body")
            if kind == "ping":
                self.socket.send(bus.ClientFrame(request=frame.request,
                                                 pong=bus.Pong()).SerializeToString())
            elif kind != "pong":
                return frame

    def answer(self, request, limit_s=LEAST_S):
        """The answer to that request, others kept for later."""
        end = time.monotonic() + limit_s
        while request not in self.answers:
            frame = self.receive(max(0, end - time.monotonic()))
            assert frame is not None, f"no answer to request {request}"
            self.answers[frame.request] = getattr(frame, frame.WhichOneof("body"))
        return self.answers.pop(request)

    def ask(self, limit_s=LEAST_S, **body):
        return self.answer(self.send(**body), limit_s)

    def command(self, number, version, verb, limit_s=LEAST_S, command_id=None, **more):
        """Done or Refused."""
        return self.answer(self.send_command(number, version, verb, command_id, **more), limit_s)

    def send_command(self, number, version, verb, command_id=None, **more):
        return self.send(command=bus.Command(id=command_id or str(uuid.uuid4()), ticket=number,
                                             expected_version=version, verb=verb, **more))

    def close(self):
        self.socket.close()


def done(answer):
    assert isinstance(answer, bus.Done), answer
    return answer


def refused(answer, code):
    assert isinstance(answer, bus.Refused), answer
    assert bus.RefusalCode.Name(answer.code) == f"REFUSAL_{code}", answer
    return answer


class Opener:
    """Opens tickets and records what citizens say later."""

    def __init__(self, stack, year=26, clock=None):
        self.stack = stack
        self.clock = clock
        self.next_id = year * 10_000_000 + 1

    def open(self, subject="cop-alinmadi", neighbourhood="sirinyali", channel=3, basis=0,
             arrived_us=None, raw_event=None, count=1):
        """The printed number; of the first of count tickets opened in one transaction."""
        now_us = self.now_us()
        arrived_us = now_us if arrived_us is None else arrived_us
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        contacts = [str(uuid.uuid4()) for _ in ids]
        events = []
        for ticket_id, contact in zip(ids, contacts):
            record = event.Event(
                id=str(uuid.uuid4()), source="intake", type="ticket.opened", time_us=now_us,
                subject=printed(ticket_id), actor="citizen",
                opened=event.TicketOpened(channel=channel, subject_code=subject,
                                          neighbourhood=neighbourhood, contact_id=contact,
                                          legal_basis=basis, arrived_us=arrived_us, version=1))
            events.append(raw_event if raw_event is not None else record.SerializeToString())
        self._accept(now_us, contacts, ids, "report", channel, arrived_us, True, subject,
                     neighbourhood, basis, "ticket.opened", events)
        return printed(ids[0])

    def say(self, number, kind, raw_event=None):
        """A later contact about that ticket: withdraw, not_solved, follow_up."""
        now_us, contact = self.now_us(), str(uuid.uuid4())
        record = event.Event(
            id=str(uuid.uuid4()), source="intake", type="contact.recorded", time_us=now_us,
            subject=number, actor="citizen",
            contact=event.ContactRecorded(contact_id=contact, channel=2, kind=kind))
        self._accept(now_us, [contact], [self.id_of(number)], kind, 2, now_us, False, "", "", 0,
                     "contact.recorded",
                     [raw_event if raw_event is not None else record.SerializeToString()])

    def now_us(self):
        return self.clock.at_us if self.clock else time.time_ns() // 1000

    @staticmethod
    def id_of(number):
        return int(number.replace("-", "")[:-1])

    def _accept(self, now_us, contacts, ids, kind, channel, arrived_us, opens, subject,
                neighbourhood, basis, record_type, events):
        n = len(ids)
        self.stack.sql(
            """select * from turunc.accept_items(%s::bigint, %s::text[], %s::text[],
               array_fill(null::text, array[%s]), %s::bytea[], %s::uuid[], %s::bigint[],
               %s::text[], %s::smallint[], %s::bigint[], %s::text[], %s::text[], %s::uuid[],
               array_fill(null::text, array[%s]), %s::text[], array_fill(null::text, array[%s]),
               array_fill(null::text, array[%s]), %s::text[], array_fill(null::text, array[%s]),
               array_fill(null::float8, array[%s]), array_fill(null::float8, array[%s]),
               array_fill(null::text, array[%s]), array_fill(null::text, array[%s]),
               array_fill(null::text, array[%s]), array_fill(null::text, array[%s]),
               %s::bytea[], %s::boolean[], %s::text[], %s::text[], %s::smallint[], %s::boolean[],
               array_fill(null::text, array[%s]), array_fill(null::bytea, array[%s]),
               %s::text[], %s::text[], %s::bytea[])""",
            now_us, [""] * n, ["test"] * n, n, [b"d" * 32] * n, contacts, ids, [kind] * n,
            [channel] * n, [arrived_us] * n, ["tr"] * n, ["1"] * n, [None] * n, n, ["A B"] * n, n,
            n, ["what was said"] * n, n, n, n, n, n, n, n, [b"s" * 16] * n, [opens] * n,
            [subject] * n, [neighbourhood] * n, [basis] * n, [True] * n, n, n, [record_type] * n,
            ["citizen"] * n, events, user="turunc_intake")


class Reader:
    """What the record says of tickets, in words."""

    def __init__(self, stack):
        self.stack = stack

    def state(self, number):
        """A dict of the ticket_state row, None without one."""
        rows = self.stack.sql(
            """select status, version, department, subject_code, priority, reason_code, until_us,
                      primary_id, legal_due_us, service_due_us, answered_us, extended, ended_us
               from turunc.ticket_state where ticket_id = %s""", Opener.id_of(number))
        names = ("status", "version", "department", "subject", "priority", "reason", "until_us",
                 "primary", "legal_due_us", "service_due_us", "answered_us", "extended", "ended_us")
        if not rows:
            return None
        found = dict(zip(names, rows[0]))
        found["status"] = ticket.Status.Name(found["status"])[len("STATUS_"):].lower()
        return found

    def clock(self, number, clock):
        names = ("state", "due_us", "promise_ms", "elapsed_ms", "next_alarm", "next_alarm_us",
                 "calendar", "started_us")
        rows = self.stack.sql(f"select {', '.join(names)} from turunc.ticket_clock "
                              "where ticket_id = %s and clock = %s", Opener.id_of(number), clock)
        return dict(zip(names, rows[0])) if rows else None

    def records(self, number):
        """(type, decoded event) of the ticket, in order."""
        rows = self.stack.sql("select type, event from turunc.event_log where ticket_id = %s "
                              "order by seq", Opener.id_of(number))
        return [(kind, event.Event.FromString(bytes(data))) for kind, data in rows]

    def types(self, number):
        return [kind for kind, _ in self.records(number)]

    def wait_status(self, number, status, limit_s=LEAST_S):
        def reached():
            found = self.state(number)
            return found is not None and found["status"] == status and found
        return self.stack.wait(reached, limit_s, f"{number} is {status}: {self.state(number)}")

    def check(self):
        """What must hold whatever happened: one record a version, states that say the same as the
        last record, hops that lead from one to the next, no gap in the log."""
        gaps = self.stack.one("select max(seq) - count(*) from turunc.event_log")
        assert gaps == 0, f"{gaps} gaps in the log"
        steps = {}
        for ticket_id, kind, data in self.stack.sql(
                "select ticket_id, type, event from turunc.event_log where type like 'ticket.%' "
                "and type <> 'ticket.opened' order by seq"):
            record = event.Event.FromString(bytes(data))
            if record.WhichOneof("body") == "step":
                steps.setdefault(ticket_id, []).append(record.step)
        states = self.stack.sql("select ticket_id, version, status, department "
                                "from turunc.ticket_state")
        for ticket_id, version, status, department in states:
            taken = steps.get(ticket_id, [])
            versions = [step.version for step in taken]
            assert versions == list(range(2, version + 1)), (ticket_id, versions, version)
            assert (taken[-1].status, taken[-1].department) == (status, department), ticket_id
        assert len(steps) == len(states)
        hops = {}
        for ticket_id, start, end in self.stack.sql(
                "select ticket_id, from_department, to_department from turunc.ticket_hop "
                "order by ticket_id, version"):
            assert start == hops.get(ticket_id, ""), f"hop of {ticket_id} starts elsewhere"
            hops[ticket_id] = end
        for ticket_id, _, _, department in states:
            assert hops.get(ticket_id, "") == department, f"hops of {ticket_id}"
        answers = self.stack.one("select count(*) from turunc.command_result where refusal = 0")
        commands = sum(1 for taken in steps.values() for step in taken if step.command_id)
        assert answers == commands, (answers, commands)
        return len(states)
