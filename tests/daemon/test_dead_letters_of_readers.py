"""Records that the notifier, metrics or an outside subscriber cannot read or act on."""
import time

import pytest

from notifier_world import World
from router_world import Opener, add_client, event, printed
from stream_world import Reader as StreamReader
from test_dead_letters import GONE, append, counted, cursor, head, letters, told
from test_metrics import equal, settle, state, world as figures  # noqa: F401  (a fixture)


@pytest.fixture(scope="module")
def world():
    one = World(TURUNC_DEAD_LETTERS_IN_ROW="5")
    yield one
    assert one.close(), "a service did not stop cleanly"


@pytest.fixture
def stack(world):
    return world.stack


def refuse(stack, condition):
    """The record takes no message for which the condition holds, as a constraint would."""
    stack.sql(f"""create or replace function turunc.refuse() returns trigger language plpgsql as
        $$ begin if {condition} then raise exception 'zehir@ornek.example' using errcode = '23514',
        constraint = 'no_such_message'; end if; return new; end $$""")
    stack.sql("create trigger refuse before insert on turunc.notification for each row "
              "execute function turunc.refuse()")


def mend(stack):
    stack.sql("drop trigger refuse on turunc.notification")


def mails_of(world, number):
    return [m for m in list(world.mail.taken) if number in m.subject]


def test_one_message_that_is_refused_in_the_middle_of_many(world, stack):
    """It alone is set aside, without a word of what was refused; requeued after the cause is gone
    it is sent once."""
    refuse(stack, "new.recipient like 'zehir%%'")
    numbers = []
    try:
        for n in range(6):
            numbers += world.open(10, email=f"iyi{n}x{{n}}@ornek.example")
            numbers += world.open(email=f"zehir{n}@ornek.example")
        bad = numbers[10::11]
        good = [n for n in numbers if n not in bad]
        stack.wait(lambda: stack.one("select count(*) from turunc.notification where about_type = "
                                     "'ticket.routed'") >= len(good), 30, "the others are told")
        stack.wait(lambda: len(letters(stack, "notifier")) == 12, 20)
        assert stack.ready("notifier") and "12 open" in told(stack, "notifier")
        assert {row[1:3] for row in letters(stack, "notifier").values()} == \
            {("refused", "sqlstate=23514 constraint=no_such_message")}
        assert "zehir" not in str(stack.sql("select * from turunc.dead_letter"))
        assert all(world.rows(number) == {} for number in bad)
        assert counted(stack, "refused", "notifier") == 12
    finally:
        mend(stack)
    stack.masa("dlq", "requeue", *(f"notifier:{seq}" for seq in letters(stack, "notifier")))
    stack.wait(lambda: {row[0] for row in letters(stack, "notifier").values()} == {3}, 30)
    world.wait_settled()
    for number in bad + good[:5]:
        assert len(mails_of(world, number)) == 2, number
    stack.sql("delete from turunc.dead_letter")


def test_what_the_notifier_cannot_read_or_place(world, stack):
    number = world.open(email="okunmaz@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    ticket = Opener.id_of(number)
    gone = printed(GONE)
    step = event.TicketStep(status=7, version=9)
    wanted = {
        append(stack, "ticket.resolved", ticket, b"\xff\xff"): "undecodable",
        append(stack, "ticket.resolved", ticket, event.Event(
            type="ticket.resolved", subject="nobody", step=step).SerializeToString()): "misfit",
        append(stack, "ticket.resolved", ticket, event.Event(
            type="ticket.resolved", subject=number).SerializeToString()): "misfit",
    }
    # Bytes that protobuf takes and a reader's strings do not: \xff where text stands.
    wanted[append(stack, "ticket.resolved", ticket, b"\x22\x02\xff\xfe")] = "undecodable"
    wanted[append(stack, "ticket.resolved", Opener.id_of(gone), event.Event(
        type="ticket.resolved", subject=gone, step=step).SerializeToString())] = "no_ticket"
    after = world.open(email="sonra@ornek.example")[0]
    world.wait_state(after, "routed", "sent", 20)
    assert {seq: row[1] for seq, row in letters(stack, "notifier").items()} == wanted
    assert world.state(number, "resolved") is None
    # Nothing has changed: they come back.
    seq = next(iter(wanted))
    stack.masa("dlq", "requeue", f"notifier:{seq}")
    stack.wait(lambda: letters(stack, "notifier")[seq][3] == 2, 10)
    assert letters(stack, "notifier")[seq][:2] == (1, "undecodable")
    stack.sql("delete from turunc.dead_letter")


def test_a_citizen_without_a_contact_row_is_no_fault(world, stack):
    """Erased: there is nobody to tell, and nothing to set aside."""
    number = world.open(email="silinen@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    stack.sql("delete from turunc.contact where ticket_id = %s", Opener.id_of(number))
    world.end(number)
    world.wait_settled()
    assert letters(stack, "notifier") == {} and world.state(number, "resolved") is None


def test_a_systematic_fault_stops_the_notifier(world, stack):
    refuse(stack, "true")
    try:
        numbers = world.open(12, email="dur{n}@ornek.example")
        stack.wait(lambda: "stopped at seq" in told(stack, "notifier"), 10)
        assert len(letters(stack, "notifier")) == 5
        stack.kill9("notifier")
        stack.start("notifier", wait=False)
        stack.wait(lambda: "stopped at seq" in told(stack, "notifier"), 10)
        time.sleep(4)
        assert len(letters(stack, "notifier")) == 5
        assert cursor(stack, "notifier") == max(letters(stack, "notifier"))
    finally:
        mend(stack)
    stack.wait(lambda: stack.ready("notifier"), 15)
    stack.masa("dlq", "requeue", *(f"notifier:{seq}" for seq in letters(stack, "notifier")))
    stack.wait(lambda: {row[0] for row in letters(stack, "notifier").values()} == {3}, 20)
    world.wait_settled()
    for number in numbers:
        # Whichever came second of "received" and "routed", each was told once.
        assert sorted(name for name, _ in world.rows(number)) == ["opened", "routed"]
    stack.sql("delete from turunc.dead_letter")


def test_killed_while_letters_are_taken_up(world, stack):
    refuse(stack, "new.recipient like 'zehir%%'")
    numbers = world.open(2, email="zehir{n}@ornek.example")
    world.wait_state(world.open(email="iyi@ornek.example")[0], "routed", "sent", 30)
    mend(stack)
    assert len(letters(stack, "notifier")) == 4
    for seq in letters(stack, "notifier"):
        stack.masa("dlq", "requeue", f"notifier:{seq}")
        stack.kill9("notifier")
        stack.start("notifier", wait=False)
    stack.wait(lambda: {row[0] for row in letters(stack, "notifier").values()} == {3}, 30)
    world.wait_settled()
    for number in numbers:
        assert sorted(name for name, _ in world.rows(number)) == ["opened", "routed"]
    stack.sql("delete from turunc.dead_letter")


def test_a_subscriber_gets_every_record_and_a_damaged_one_without_its_event(make_stack):
    stack = make_stack(services=["router"])
    stack.start()
    opener = Opener(stack)
    reader = StreamReader(stack, add_client(stack, "outside"))
    start = head(stack)
    reader.subscribe(start="seq", from_seq=start)
    number = opener.open()
    damaged = [append(stack, "ticket.noted", Opener.id_of(number), b"\xff\xff"),
               append(stack, "ticket.noted", Opener.id_of(number), b"\x22\x02\xff\xfe"),
               append(stack, "ticket.noted", Opener.id_of(number), b"\x0a" + b"\xff\xff\x07" +
                      b"x" * 131071)]
    strange = append(stack, "ticket.strange", Opener.id_of(number), b"")
    reader.give(100)
    opener.open()
    stack.wait(lambda: reader.take(1) and len(reader.records) >= 8, 20)
    assert [record.seq for record in reader.records] == list(range(start + 1, start + 9))
    without = [r.seq for r in reader.records if not r.HasField("event")]
    assert without == damaged and strange not in without
    assert stack.metric("router", "turunc_stream_unreadable_total") >= 3
    reader.close()


def test_metrics_leaves_a_record_out_and_counts_it_when_it_is_mended(figures):  # noqa: F811
    stack, clock, opener = figures()
    opener.open(count=5)
    equal(stack, clock)
    body = event.Event(type="call.offered", call=event.CallStep(
        call_id="c-9", at_us=clock.at_us)).SerializeToString()
    misfit = event.Event(type="call.offered", call=event.CallStep(at_us=clock.at_us))
    bad = append(stack, "call.offered", None, b"\xff\xff", clock.at_us)
    other = append(stack, "call.offered", None, misfit.SerializeToString(), clock.at_us)
    opener.open(count=5)
    settle(stack, 20)
    assert {seq: row[:2] for seq, row in letters(stack, "metrics").items()} == \
        {bad: (1, "undecodable"), other: (1, "misfit")}
    values = state(stack).json()["values"]
    assert values["open"] == 10 and values.get("calls.offered", 0) == 0
    assert counted(stack, "undecodable", "metrics") == 1 and stack.ready("metrics")
    rebuilds = stack.metric("metrics", "turunc_metrics_rebuilds_total")

    stack.masa("dlq", "requeue", f"metrics:{other}")
    stack.wait(lambda: letters(stack, "metrics")[other][3] == 2, 10)
    assert stack.metric("metrics", "turunc_metrics_rebuilds_total") == rebuilds

    stack.sql("update turunc.event_log set event = %s where seq = %s", body, bad)
    stack.sql("update turunc.event_log set event = %s where seq = %s",
              body.replace(b"c-9", b"c-8"), other)
    stack.masa("dlq", "requeue", f"metrics:{bad}", f"metrics:{other}")
    stack.wait(lambda: {row[0] for row in letters(stack, "metrics").values()} == {3}, 20)
    assert equal(stack, clock)["calls.offered"] == 2


def test_metrics_killed_between_letters_and_figures(figures):  # noqa: F811
    stack, clock, opener = figures()
    bad = []
    for _ in range(6):
        opener.open(count=2)
        bad.append(append(stack, "call.offered", None, b"\xff", clock.at_us))
        opener.open(count=2)
        time.sleep(0.15)
        stack.kill9("metrics")
        stack.start("metrics", wait=False)
    settle(stack, 30)
    assert state(stack).json()["values"]["open"] == 24
    # A rebuild may have passed some by: the tables hold all that counts.
    found = letters(stack, "metrics")
    assert set(found) <= set(bad) and all(row[:2] == (1, "undecodable") for row in found.values())
    last = append(stack, "call.offered", None, b"\xff", clock.at_us)
    stack.wait(lambda: last in letters(stack, "metrics"), 10)
    settle(stack, 20)
    assert letters(stack, "metrics")[last][3] == 1


def test_many_unreadable_records_stop_metrics(figures):  # noqa: F811
    stack, clock, opener = figures()
    stack.terminate("metrics")
    stack.process["metrics"].env["TURUNC_DEAD_LETTERS_IN_ROW"] = "3"
    stack.start("metrics")
    opener.open(count=2)
    equal(stack, clock)
    for _ in range(6):
        append(stack, "call.offered", None, b"\xff", clock.at_us)
    stack.wait(lambda: "stopped at seq" in told(stack, "metrics"), 15)
    assert len(letters(stack, "metrics")) == 3 and not stack.ready("metrics")
    stack.masa("dlq", "discard", *(f"metrics:{seq}" for seq in letters(stack, "metrics")),
               "--reason", "test")
    stack.wait(lambda: len(letters(stack, "metrics")) == 6, 20)
    opener.open(count=2)
    settle(stack, 20)
    assert state(stack).json()["values"]["open"] == 4


def test_a_batch_that_redis_refuses_half_way_is_rebuilt(figures):  # noqa: F811
    """A key of another kind stands where a counter belongs: the script ends in the middle."""
    stack, clock, opener = figures()
    opener.open(count=3)
    want = equal(stack, clock)
    generation = stack.redis.command("get", "live:3:current")
    stack.redis.command("del", f"live:3:{generation}:open:-")
    stack.redis.command("set", f"live:3:{generation}:open:-", "no zset")
    opener.open(count=2)
    assert equal(stack, clock, 20)["open"] == want["open"] + 2
