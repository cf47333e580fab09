"""What time alone does to tickets, on a clock that stands still until the test moves it."""
import datetime

import pytest
from router_world import DAY_US, Client, Opener, Reader, add_client, done, printed, \
    refused
from stack import Stack
from standing_clock import StandingClock

HOUR_US = DAY_US // 24
TUESDAY = int(datetime.datetime(2026, 3, 3, 7, 0, tzinfo=datetime.timezone.utc).timestamp()) * 10**6


class World:
    def __init__(self, stack, clock):
        self.stack = stack
        self.clock = clock
        self.opener = Opener(stack, clock=clock)
        self.reader = Reader(stack)
        self.operator = Client(stack, add_client(stack, "operator"))

    def opened(self, **how):
        number = self.opener.open(**how)
        self.reader.wait_status(number, "routed")
        return number

    def alarms(self, number):
        """(type, clock) of the alarms so far."""
        return [(kind.split(".")[1], record.alarm.clock)
                for kind, record in self.reader.records(number)
                if record.WhichOneof("body") == "alarm"]

    def wait_alarms(self, number, wanted):
        self.stack.wait(lambda: self.alarms(number) == wanted, 10,
                        f"{wanted}, not {self.alarms(number)}")

    def swept(self):
        """Every sweep has looked at the present time."""
        probe = self.opener.open(arrived_us=self.clock.at_us - 400 * DAY_US, basis=1)
        self.wait_alarms(probe, [("overdue", 1)])


@pytest.fixture
def world(tmp_path):
    tmp_path.chmod(0o755)
    clock = StandingClock(str(tmp_path / "clock"), TUESDAY)
    with Stack(services=["router"], env={"TURUNC_CLOCK_FILE": clock.path}) as stack:
        stack.start()
        made = World(stack, clock)
        yield made
        made.reader.check()


def test_service_alarms_fall_once(world):
    # gurultu goes to zabita, which works day and night.
    number = world.opened(subject="gurultu", neighbourhood="kilincarslan")
    clock = world.reader.clock(number, 2)
    promise_us = clock["promise_ms"] * 1000
    assert clock["due_us"] == TUESDAY + promise_us
    world.clock.advance(promise_us * 3 // 4 - 1)
    world.swept()
    assert world.alarms(number) == []
    world.clock.advance(1)
    world.wait_alarms(number, [("due_soon", 2)])
    world.clock.advance(promise_us // 4 - 1)
    world.swept()
    assert world.alarms(number) == [("due_soon", 2)]
    world.clock.advance(1)
    world.wait_alarms(number, [("due_soon", 2), ("overdue", 2)])
    kind, record = world.reader.records(number)[-1]
    assert (record.alarm.due_us, record.alarm.version, record.alarm.department) \
        == (TUESDAY + promise_us, 2, "zabita")
    world.clock.advance(30 * DAY_US)
    world.swept()
    assert len(world.alarms(number)) == 2


def test_a_pause_holds_the_alarm_and_a_new_promise_arms_again(world):
    number = world.opened(subject="gurultu", neighbourhood="kilincarslan")
    promise_us = world.reader.clock(number, 2)["promise_ms"] * 1000
    done(world.operator.command(number, 2, "accept"))
    done(world.operator.command(number, 3, "wait", reason_code="hava"))
    world.clock.advance(2 * promise_us)
    world.swept()
    assert world.alarms(number) == []
    done(world.operator.command(number, 4, "resume"))
    assert world.reader.state(number)["service_due_us"] == world.clock.at_us + promise_us
    world.clock.advance(promise_us)
    world.wait_alarms(number, [("overdue", 2)])
    # Another subject with a longer promise: the deadline lies ahead again, and so do its alarms.
    done(world.operator.command(number, 5, "amend", subject_code="konteyner-hasar"))
    clock = world.reader.clock(number, 2)
    assert clock["promise_ms"] * 1000 > promise_us
    assert clock["next_alarm"] in (1, 2) and clock["next_alarm_us"] > world.clock.at_us
    world.clock.advance(clock["due_us"] - world.clock.at_us)
    world.stack.wait(lambda: world.alarms(number)[-1] == ("overdue", 2)
                     and len(world.alarms(number)) > 1, 10, "overdue again")


def test_legal_alarms_and_the_answer_that_stops_them(world):
    warned = world.opened(basis=1)
    answered = world.opened(basis=1)
    due_us = world.reader.state(warned)["legal_due_us"]
    done(world.operator.command(answered, 2, "answer", text="İlgileniyoruz."))
    world.clock.advance(due_us - 5 * DAY_US - world.clock.at_us)
    world.stack.wait(lambda: ("due_soon", 1) in world.alarms(warned), 10)
    world.clock.advance(5 * DAY_US)
    world.stack.wait(lambda: ("overdue", 1) in world.alarms(warned), 10)
    world.swept()
    assert [alarm for alarm in world.alarms(answered) if alarm[1] == 1] == []


def test_closed_when_the_window_has_passed(world):
    resolved, reopened = world.opened(), world.opened()
    for number in (resolved, reopened):
        done(world.operator.command(number, 2, "resolve", reason_code="yapildi"))
    world.clock.advance(10 * DAY_US - 1)
    world.swept()
    assert world.reader.state(resolved)["status"] == "resolved"
    world.opener.say(reopened, "not_solved")
    world.reader.wait_status(reopened, "routed")
    world.clock.advance(1)
    world.reader.wait_status(resolved, "closed")
    assert world.reader.types(resolved)[-1] == "ticket.closed"
    refused(world.operator.command(resolved, 4, "reopen", reason_code="x"), "NOT_ALLOWED_NOW")
    refused(world.operator.command(resolved, 4, "note", text="x"), "NOT_ALLOWED_NOW")
    assert world.reader.state(reopened)["status"] == "routed"


def test_more_than_one_sweep_takes(world):
    """1,200 tickets fall due at the same moment: swept in batches, each told once."""
    first = Opener.id_of(world.opener.open(subject="gurultu", neighbourhood="kilincarslan",
                                           count=1200))
    world.stack.wait(lambda: world.stack.one(
        "select count(*) from turunc.ticket_state where status = 3") == 1200, 20)
    world.clock.advance(400 * DAY_US)
    world.stack.wait(lambda: world.stack.one(
        "select count(*) from turunc.event_log where type = 'ticket.overdue'") >= 1200, 20)
    world.swept()
    assert world.stack.one("select count(*) from (select ticket_id from turunc.event_log where "
                           "type = 'ticket.overdue' and ticket_id between %s and %s "
                           "group by ticket_id having count(*) = 1) o", first, first + 1199) == 1200
    assert world.stack.metric("router", 'turunc_router_swept_total{what="overdue"}') >= 1200


def test_room_is_made_for_the_log(world):
    assert world.stack.one("select to_regclass('turunc.event_log_1')") is not None
    assert world.stack.one("select to_regclass('turunc.event_log_2')") is None
    world.stack.sql("insert into turunc.log_batch (last_seq, first_seq, hash) "
                    "values (12000000, 12000000, '\\x00')")
    world.stack.wait(lambda: world.stack.one("select to_regclass('turunc.event_log_2')"), 10)
    world.stack.sql("delete from turunc.log_batch where last_seq = 12000000")


def test_alarms_do_not_wait_for_room_that_cannot_be_made(world):
    world.stack.sql("revoke execute on function turunc.create_log_partitions(bigint) from turunc_router, turunc_admin")
    said = world.stack.log("router").count("no room made for the log")
    world.stack.restart("router")
    world.stack.wait(lambda: world.stack.log("router").count("no room made for the log") > said, 20, "it tries")
    world.swept()
    assert world.stack.log("router").count("no room made for the log") == said + 1, "and not again at once"


def test_a_ticket_whose_change_is_refused_stops_nobody_elses(world):
    """Left out by itself, alarms and closings of all others come; counted once."""
    first = Opener.id_of(world.opener.open(subject="gurultu", neighbourhood="kilincarslan", basis=1,
                                           count=200))
    numbers = [printed(first + i) for i in range(200)]
    for number in (numbers[0], numbers[-1]):
        world.reader.wait_status(number, "routed")
    bad = [numbers[i] for i in (0, 77, 78, 199)]
    ids = ", ".join(str(Opener.id_of(number)) for number in bad)
    world.stack.sql(f"alter table turunc.ticket_clock add constraint refuse_some check "
                    f"(next_alarm = 1 or ticket_id not in ({ids})) not valid")
    world.clock.advance(400 * DAY_US)
    count = """select count(distinct ticket_id) from turunc.event_log where type = 'ticket.overdue'"""
    world.stack.wait(lambda: world.stack.one(count) == 196, 20, "the others are overdue")
    assert all(world.alarms(number) == [] for number in bad)
    refusals = 'turunc_router_sweeps_refused_total'
    world.stack.wait(lambda: world.stack.metric("router", refusals) == 4, 20, "each of them was tried by itself")
    # One that has ended and cannot be closed, with another behind it.
    stuck, free = numbers[0], numbers[1]
    version = world.reader.state(free)["version"]
    done(world.operator.command(free, version, "resolve", reason_code="yapildi", text="x"))
    world.clock.advance(11 * DAY_US)
    world.reader.wait_status(free, "closed")
    world.swept()
    assert world.stack.metric("router", refusals) == 4 and world.stack.ready("router")
    assert world.reader.state(stuck)["status"] == "routed"
