"""A reader of the stream door, frame by frame, that checks what every reader may rely on: each
delivery begins where the last one ended, records rise, and none comes without credit."""
import re
import time

import pytest
import zmq

from process import LEAST_S
from router_world import Client, bus, event
from stack import Stack

FROM = {"resume": bus.FROM_RESUME, "earliest": bus.FROM_EARLIEST, "latest": bus.FROM_LATEST,
        "seq": bus.FROM_SEQ, "time": bus.FROM_TIME}


class Reader(Client):
    """One session with at most one subscription."""

    def __init__(self, stack, who, instance=None):
        super().__init__(stack, who, instance)
        self.records = []
        self.frames = []
        self.credit = 0
        self.epoch = self.through = None
        self.error = None

    def send(self, **body):
        """A session that holds a subscription is never begun anew behind its back."""
        return self._send(**body)

    def subscribe(self, name="all", start="resume", from_seq=0, from_time_us=0, types=(),
                  departments=(), **more):
        """Subscribed or Error."""
        answer = self.ask(subscribe=bus.Subscribe(
            **{"name": name, "types": types, "departments": departments, "from": FROM[start],
               "from_seq": from_seq, "from_time_us": from_time_us}, **more))
        if isinstance(answer, bus.Subscribed):
            self.epoch, self.through, self.credit = answer.epoch, answer.from_seq - 1, 0
        return answer

    def give(self, records):
        self.credit += records
        return self.send(credit=bus.Credit(epoch=self.epoch, records=records))

    def ack(self, through=None):
        """Acked or Error."""
        through = self.through if through is None else through
        return self.ask(ack=bus.Ack(epoch=self.epoch, through_seq=through))

    def answer(self, request, limit_s=LEAST_S):
        end = time.monotonic() + limit_s
        while request not in self.answers:
            assert self.take(max(0, end - time.monotonic())), f"no answer to {request}"
        return self.answers.pop(request)

    def take(self, limit_s=10):
        """Takes one frame in; False when none comes."""
        frame = self.receive(limit_s)
        if frame is None:
            return False
        kind = frame.WhichOneof("body")
        if kind == "deliver":
            self._delivered(frame.deliver, frame.ByteSize())
        elif kind == "snapshot_page":
            self.answers.setdefault(frame.request, []).append(frame.snapshot_page)
        elif frame.request == 0 and kind == "error":
            self.error = frame.error
        else:
            self.answers[frame.request] = getattr(frame, kind)
        return True

    def _delivered(self, deliver, size):
        assert deliver.epoch == self.epoch and deliver.log_id == self.welcome.log_id
        assert deliver.after_seq == self.through, (deliver.after_seq, self.through)
        assert deliver.through_seq > deliver.after_seq
        assert size <= 240 * 1024
        last = deliver.after_seq
        for record in deliver.records:
            assert last < record.seq <= deliver.through_seq
            last = record.seq
        self.credit -= len(deliver.records)
        assert self.credit >= 0, "more records than credit"
        self.through = deliver.through_seq
        self.frames.append(deliver)
        self.records.extend(deliver.records)

    def wait(self, condition, limit_s=LEAST_S, what="what was waited for"):
        limit_s = max(limit_s, LEAST_S)
        end = time.monotonic() + limit_s
        while not condition():
            left = end - time.monotonic()
            assert left > 0, f"not in time: {what}"
            self.take(min(left, 0.25))

    def wait_records(self, count, limit_s=LEAST_S):
        self.wait(lambda: len(self.records) >= count, limit_s,
                  f"{count} records, {len(self.records)} came")
        return self.records

    def wait_through(self, seq, limit_s=LEAST_S):
        self.wait(lambda: self.through >= seq, limit_s, f"seq {seq}, at {self.through}")

    def quiet(self, seconds=0.4):
        """Nothing is delivered meanwhile; empty deliveries may be."""
        before, end = len(self.records), time.monotonic() + seconds
        while time.monotonic() < end:
            self.take(max(0, end - time.monotonic()))
        assert len(self.records) == before

    def wait_error(self, code, limit_s=LEAST_S):
        self.wait(lambda: self.error is not None, limit_s, f"an error {code}")
        assert bus.ErrorCode.Name(self.error.code) == f"ERROR_{code}", self.error
        return self.error

    def snapshot(self, departments=(), limit_s=30):
        """Pages, or Error."""
        request = self.send(snapshot=bus.Snapshot(departments=departments))
        def over():
            got = self.answers.get(request)
            return got is not None and (not isinstance(got, list) or got[-1].last)
        self.wait(over, limit_s, "the last page")
        return self.answers.pop(request)

    def seqs(self):
        return [record.seq for record in self.records]

    def types(self):
        return [record.event.type for record in self.records]


def errs(answer, code):
    assert isinstance(answer, bus.Error), answer
    assert bus.ErrorCode.Name(answer.code) == f"ERROR_{code}", answer
    return answer


def append(stack, kind="call.ended", department=None, previous=None, count=1, ticket_id=None,
           size=0, at_us=None):
    """Records as a writer appends them; the last seq."""
    record = event.Event(id="0", source="test", type=kind, time_us=time.time_ns() // 1000)
    record.call.call_id = "c"
    record.call.queue = "x" * size
    return stack.sql(
        """select turunc.log_append(%s::bigint, %s::text[], %s::bigint[], %s::text[], %s::text[],
           %s::text[], %s::bytea[])""", at_us or time.time_ns() // 1000, [kind] * count,
        [ticket_id] * count, [department] * count, [previous] * count, ["system"] * count,
        [record.SerializeToString()] * count, user="turunc_intake")[0][0]


def head(stack):
    return stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")


# --- clients and their rights ---

class Who:
    """A client's name and key pair."""

    def __init__(self, name):
        self.name = name
        self.public, self.secret = (key.decode() for key in zmq.curve_keypair())


def grant(stack, name, verbs=("subscribe", "snapshot", "command"), types=("*",),
          departments=("*",), personal=2):
    """A client's row with any rights, also those that masa would not hand out."""
    who = Who(name)
    stack.sql("""insert into turunc.client_grant (name, public_key, verbs, types, departments,
                     personal, created_us) values (%s, %s, %s, %s, %s, %s, 0)""",
              name, who.public, list(verbs), list(types), list(departments), personal)
    return who


def clients_known(stack):
    """How many clients the router knew when it last read the rights."""
    found = re.findall(r"rights loaded .*clients=(\d+)", stack.log("router"))
    return len(found), int(found[-1]) if found else 0


def rights_told(stack, change):
    """Makes a change of the rights, records it as masa does, and waits until the router has it."""
    before, _ = clients_known(stack)
    result = change()
    append(stack, "client.granted")
    want = stack.one("select count(*) from turunc.client_grant")
    stack.wait(lambda: clients_known(stack)[0] > before and clients_known(stack)[1] == want, 10,
               "the router has read the rights")
    return result


def allow(stack, who, **columns):
    """Changes columns of the client's row: types, departments, personal, revoked_us."""
    for column, value in columns.items():
        rights_told(stack, lambda c=column, v=value: stack.sql(
            f"update turunc.client_grant set {c} = %s where name = %s", v, who.name))


def cursor_of(stack, who, name="all"):
    """(seq, epoch, frozen_reason), None without one."""
    rows = stack.sql("select seq, epoch, frozen_reason from turunc.consumer_cursor "
                     "where client = %s and name = %s", who.name, name)
    return rows[0] if rows else None


@pytest.fixture(scope="module")
def router():
    """A router with its own record, shared by the tests of one file."""
    with Stack(services=["router"]) as made:
        made.start()
        yield made


@pytest.fixture
def reader(router):
    """reader(rights...) is a session of a new client, reader(who=...) one more of a known client;
    closed after the test."""
    made = []

    def make(who=None, instance=None, stack=router, **rights):
        if who is None:
            name = f"r{stack.one('select count(*) from turunc.client_grant')}"
            who = rights_told(stack, lambda: grant(stack, name, **rights))
        made.append(Reader(stack, who, instance))
        made[-1].who = who
        return made[-1]

    yield make
    for one in made:
        one.close()
