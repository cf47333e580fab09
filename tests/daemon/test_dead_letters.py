"""Records that the router cannot act on: set aside alone, counted, shown, and taken up again."""
import json
import threading
import time

import pytest

from router_world import Opener, Reader, event, printed
from test_router_faults import twin

FEW = {"TURUNC_DEAD_LETTERS_IN_ROW": "5"}
GONE = 269999999  # a ticket that never was


@pytest.fixture
def world(make_stack):
    def make(**env):
        stack = make_stack(services=["router"], env={"router": env})
        stack.start()
        return stack, Opener(stack), Reader(stack)
    return make


def letters(stack, consumer="router"):
    """{seq: (state, reason, detail, attempts)}"""
    return {row[0]: row[1:] for row in stack.sql(
        "select seq, state, reason, detail, attempts from turunc.dead_letter where consumer = %s",
        consumer)}


def append(stack, kind, ticket_id, data, at_us=None):
    """A record as nobody writes it; its seq."""
    return stack.one("select turunc.log_append(%s, array[%s], array[%s]::bigint[], '{null}', "
                     "'{null}', '{test}', array[%s]::bytea[])",
                     at_us or time.time_ns() // 1000, kind, ticket_id, data)


def told(stack, service="router"):
    """What /readyz says of the letters; "" also while it is just starting."""
    answer = stack.http(service, "GET", "/readyz")
    if answer.status not in (200, 503):
        return ""
    return next(d.get("detail", "") for d in answer.json()["dependencies"]
                if d["name"] == "dead_letters")


def refuse(stack, subject="poison"):
    """From now on the record takes no state of a ticket with that subject; NULL: of any."""
    check = "false" if subject is None else f"subject_code <> '{subject}'"
    stack.sql(f"alter table turunc.ticket_state add constraint refuse_some check ({check}) not valid")


def mend(stack):
    stack.sql("alter table turunc.ticket_state drop constraint refuse_some")


def counted(stack, reason, service="router"):
    return stack.metric(
        service, f'turunc_dead_letters_total{{consumer="{service}",reason="{reason}"}}')


def head(stack):
    return stack.one("select max(seq) from turunc.event_log")


def cursor(stack, name="router"):
    return stack.one("select seq from turunc.consumer_cursor where client = '' and name = %s", name)


def test_bad_records_of_every_kind_in_the_middle_of_load(world):
    """Unreadable bytes, another body, no such ticket, and one the record refuses: each is set aside
    by itself while others pour in, and everybody else's ticket is routed, in order."""
    stack, opener, reader = world()
    refuse(stack)
    stop = threading.Event()
    opened = []

    def pour():
        mine = Opener(stack, year=25)
        while not stop.is_set():
            first = Opener.id_of(mine.open(count=40))
            opened.extend(printed(first + i) for i in range(40))

    pouring = threading.Thread(target=pour)
    stack.sql("select 1", user="turunc_intake")  # the link that both threads share
    pouring.start()
    try:
        stack.wait(lambda: len(opened) >= 80, 20)
        bad, poisoned = {}, []
        for _ in range(3):
            poisoned.append(opener.open(subject="poison"))
            bad[append(stack, "contact.recorded", Opener.id_of(poisoned[-1]), b"\xff\xff")] = \
                "undecodable"
            misfit = event.Event(type="contact.recorded", subject="x").SerializeToString()
            bad[append(stack, "contact.recorded", Opener.id_of(opened[0]), misfit)] = "misfit"
            bad[append(stack, "ticket.opened", GONE, b"")] = "no_ticket"
            bad[stack.one("select seq from turunc.event_log where ticket_id = %s and type = "
                          "'ticket.opened'", Opener.id_of(poisoned[-1]))] = "refused"
            time.sleep(0.2)
    finally:
        stop.set()
        pouring.join()
    last = opener.open()
    reader.wait_status(last, "routed", 30)
    found = letters(stack)
    assert {seq: row[1] for seq, row in found.items()} == bad
    assert {row[0] for row in found.values()} == {1}
    assert {row[2] for row in found.values() if row[1] == "refused"} == \
        {"sqlstate=23514 constraint=refuse_some"}
    assert stack.one("select count(*) from turunc.ticket_state where ticket_id / 10000000 = 25"
                     " and status = 3") == len(opened)
    assert all(reader.state(number) is None for number in poisoned)
    assert [counted(stack, reason) for reason in ("undecodable", "misfit", "no_ticket", "refused")] \
        == [3, 3, 3, 3]
    stack.wait(lambda: stack.metric(
        "router", 'turunc_dead_letters_open{consumer="router"}') == 12, 5)
    assert stack.ready("router") and "12 open" in told(stack)
    routed = [row[0] for row in stack.sql(
        "select ticket_id from turunc.event_log where type = 'ticket.routed' and "
        "ticket_id / 10000000 = 25 order by seq")]
    assert routed == sorted(routed), "routed in the order they came"
    assert stack.process["router"].starts == 1


def test_requeued_after_the_cause_was_mended(world):
    """The effect is had once, together with the letter's state, whatever came after it."""
    stack, opener, reader = world()
    refuse(stack)
    number = opener.open(subject="poison")
    later = opener.open()
    reader.wait_status(later, "routed")
    (seq, letter), = letters(stack).items()
    assert letter[:2] == (1, "refused")
    name = f"router:{seq}"
    listed = json.loads(stack.masa("dlq", "list", "--json"))
    assert [(row["id"], row["state"], row["ticket"]) for row in listed] == [(name, "open", number)]
    assert json.loads(stack.masa("dlq", "list", "--consumer", "notifier", "--json")) == []

    assert "router set aside 1 records, refused" in stack.masa("doctor", "--json", check=False).stdout

    # Not mended yet: it comes back, one attempt more.
    assert '"requeued"' in stack.masa("dlq", "requeue", name, "--dry-run", "--json")
    assert letters(stack)[seq][0] == 1
    stack.masa("dlq", "requeue", name)
    stack.wait(lambda: letters(stack)[seq][0] == 1 and letters(stack)[seq][3] == 2, 10)
    assert reader.state(number) is None
    assert stack.metric("router", 'turunc_dead_letters_requeued_total{consumer="router",'
                        'outcome="returned"}') == 1

    mend(stack)
    # What came later stands already: an operator routed nothing, the citizen withdrew in vain.
    stack.masa("dlq", "requeue", name)
    reader.wait_status(number, "triage")
    stack.wait(lambda: letters(stack)[seq][0] == 3, 5)
    assert reader.types(number) == ["ticket.opened", "ticket.triaged"]
    assert letters(stack)[seq][3] == 3
    shown = json.loads(stack.masa("dlq", "show", seq, "--json"))
    assert shown[0]["state"] == "processed" and shown[0]["who"].startswith("user:")
    assert stack.masa("dlq", "requeue", name, check=False).returncode == 5
    assert stack.masa("dlq", "discard", name, "--reason", "x", check=False).returncode == 5
    assert json.loads(stack.masa("dlq", "list", "--json")) == []
    assert len(json.loads(stack.masa("dlq", "list", "--state", "all", "--json"))) == 1
    reader.check()


def test_later_records_of_the_ticket_do_not_wait(world):
    """What is taken up late finds the ticket as it is then."""
    stack, opener, reader = world()
    stack.sql("alter table turunc.ticket_state add constraint refuse_some "
              "check (subject_code <> 'poison' or status <> 2) not valid")
    number, other = opener.open(subject="poison"), opener.open(subject="poison")
    reader.wait_status(opener.open(), "routed")
    opener.say(number, "withdraw")
    reader.wait_status(number, "withdrawn")
    assert reader.state(other) is None and len(letters(stack)) == 2
    mend(stack)
    stack.masa("dlq", "requeue", *(f"router:{seq}" for seq in letters(stack)))
    reader.wait_status(other, "triage")
    stack.wait(lambda: {row[0] for row in letters(stack).values()} == {3}, 10)
    assert reader.types(number) == ["ticket.opened", "contact.recorded", "ticket.withdrawn"]
    assert reader.state(number)["status"] == "withdrawn"
    reader.check()


def test_two_routers_take_a_letter_up_once(world):
    stack, opener, reader = world()
    refuse(stack)
    numbers = [opener.open(subject="poison") for _ in range(10)]
    reader.wait_status(opener.open(), "routed")
    mend(stack)
    other, _ = twin(stack)
    other.start()
    try:
        stack.wait(lambda: "catalogue and rights loaded" in other.log(), 10)
        stack.masa("dlq", "requeue", *(f"router:{seq}" for seq in letters(stack)))
        for number in numbers:
            reader.wait_status(number, "triage", 20)
        stack.wait(lambda: {row[0] for row in letters(stack).values()} == {3}, 10)
        for number in numbers:
            assert reader.types(number) == ["ticket.opened", "ticket.triaged"]
        reader.check()
    finally:
        assert other.terminate() == 0


def test_killed_while_letters_are_written_and_taken_up(world):
    stack, opener, reader = world()
    refuse(stack)
    numbers = []
    for _ in range(6):
        numbers.append(opener.open(subject="poison"))
        opener.open(count=20)
        stack.kill9("router")
        stack.start("router", wait=False)
    reader.wait_status(opener.open(), "routed", 30)
    assert sorted(row[0] for row in letters(stack).values()) == [1] * 6
    mend(stack)
    for seq in letters(stack):
        stack.masa("dlq", "requeue", f"router:{seq}")
        stack.kill9("router")
        stack.start("router", wait=False)
    for number in numbers:
        reader.wait_status(number, "triage", 30)
    stack.wait(lambda: {row[0] for row in letters(stack).values()} == {3}, 10)
    assert all(reader.types(n) == ["ticket.opened", "ticket.triaged"] for n in numbers)
    reader.check()


def test_a_systematic_fault_stops_the_router(world):
    """Five in a row are set aside and no more; it says so, stands there after a start as well, and
    goes on by itself when the cause is gone."""
    stack, opener, reader = world(**FEW)
    reader.wait_status(opener.open(), "routed")
    refuse(stack, None)
    numbers = [opener.open() for _ in range(12)]
    stack.wait(lambda: "stopped at seq" in told(stack))
    assert not stack.ready("router")
    assert len(letters(stack)) == 5
    stuck = cursor(stack)
    assert stuck == max(letters(stack))
    assert stack.metric("router", 'turunc_dead_letters_stopped{consumer="router"}') == 1
    stack.kill9("router")
    stack.start("router", wait=False)
    stack.wait(lambda: "stopped at seq" in told(stack), 10)
    time.sleep(4)  # longer than between two tries
    assert (len(letters(stack)), cursor(stack)) == (5, stuck)

    # A person who decides about one lets one more pass.
    first = min(letters(stack))
    stack.masa("dlq", "discard", f"router:{first}", "--reason", "not worth it")
    stack.wait(lambda: len(letters(stack)) == 6, 15)
    time.sleep(1.5)
    assert len(letters(stack)) == 6 and not stack.ready("router")

    mend(stack)
    stack.wait(lambda: stack.ready("router"), 15)
    for number in numbers[6:]:
        reader.wait_status(number, "routed")
    stack.masa("dlq", "requeue", *(f"router:{seq}" for seq, row in letters(stack).items()
                                   if row[0] == 1))
    for number in numbers[1:6]:
        reader.wait_status(number, "routed", 20)
    assert reader.state(numbers[0]) is None
    assert "not worth it" in stack.masa("dlq", "show", first, "--json")
    assert stack.metric("router", 'turunc_dead_letters_stopped{consumer="router"}') == 0
    reader.check()


def test_unreadable_records_in_a_row_stop_it_as_well(world):
    stack, opener, reader = world(**FEW)
    number = opener.open()
    reader.wait_status(number, "routed")
    for _ in range(9):
        append(stack, "contact.recorded", Opener.id_of(number), b"\xff")
    after = opener.open()
    stack.wait(lambda: "stopped at seq" in told(stack))
    assert len(letters(stack)) == 5 and reader.state(after) is None
    stack.masa("dlq", "discard", *(f"router:{seq}" for seq in letters(stack)), "--reason", "seen")
    reader.wait_status(after, "routed", 20)
    assert sorted(row[0] for row in letters(stack).values()) == [1] * 4 + [4] * 5


def test_too_many_open_letters_stop_it(world):
    """Not in a row: good ones between them do not let the log drain away."""
    stack, opener, reader = world(TURUNC_DEAD_LETTERS_OPEN="4")
    refuse(stack)
    good = []
    for _ in range(8):
        opener.open(subject="poison")
        good.append(opener.open())
    stack.wait(lambda: not stack.ready("router"), 20)
    assert len(letters(stack)) == 4
    assert [reader.state(n) is not None for n in good] == [True] * 4 + [False] * 4
    mend(stack)
    reader.wait_status(good[-1], "routed", 20)


def test_passing_faults_set_nothing_aside(world):
    """A lock that nobody gives back in time is no fault of the record."""
    stack, opener, reader = world()
    stack.sql("alter role turunc_router set lock_timeout = '100ms'")
    stack.kill9("router")
    stack.start("router")
    with_lock = stack.conninfo()
    import psycopg2  # pylint: disable=import-outside-toplevel
    link = psycopg2.connect(with_lock)
    link.cursor().execute("lock table turunc.ticket_state in access exclusive mode")
    number = opener.open()
    time.sleep(1.5)
    link.rollback()
    link.close()
    reader.wait_status(number, "routed", 20)
    assert letters(stack) == {}


def test_a_refusal_of_everything_is_told(world):
    """A function that raises as no data error does: no letter, not ready, tried again."""
    stack, opener, reader = world()
    stack.sql("""create function turunc.broken() returns trigger language plpgsql as
                 $$ begin raise exception 'broken'; end $$""")
    stack.sql("create trigger broken before insert on turunc.ticket_state for each row "
              "execute function turunc.broken()")
    number = opener.open()
    stack.wait(lambda: "P0001" in told(stack), 10)
    assert not stack.ready("router") and letters(stack) == {}
    stack.sql("drop trigger broken on turunc.ticket_state")
    reader.wait_status(number, "routed")
    stack.wait(lambda: stack.ready("router"), 5)


def test_each_service_has_its_own_letters_only(world):
    stack, opener, reader = world()
    number = opener.open()
    reader.wait_status(number, "routed")
    seq = append(stack, "contact.recorded", Opener.id_of(number), b"\xff")
    stack.wait(lambda: seq in letters(stack), 10)
    put = ("select turunc.put_dead_letters('router', array[%s::bigint], '{refused}', '{}', "
           "'{1}', 1)")
    for role in ("turunc_notifier", "turunc_metrics"):
        assert stack.sql("select * from turunc.dead_letter", user=role) == []
        with pytest.raises(Exception, match="row-level security"):
            stack.sql(put, seq + 1, user=role)
        stack.sql("update turunc.dead_letter set state = 4", user=role)
    for statement in ("select * from turunc.dead_letter", put % seq):
        with pytest.raises(Exception, match="permission denied"):
            stack.sql(statement, user="turunc_intake")
    assert letters(stack)[seq][0] == 1


@pytest.mark.parametrize("words, code", [
    (["list", "--consumer", "intake"], 2), (["list", "--state", "gone"], 2),
    (["list", "--limit", "0"], 2), (["show", "router:x"], 2), (["show", "7"], 3),
    (["show", "metrics:7"], 3), (["requeue", "7"], 2), (["requeue", "router:7"], 3),
    (["requeue"], 2), (["discard", "router:7"], 2),
    (["discard", "router:7", "--reason", "x" * 500], 2),
    (["discard", "router:7", "--reason", "x"], 3), (["discard", "intake:7", "--reason", "x"], 2)])
def test_words_that_masa_dlq_does_not_take(stack_without_services, words, code):
    answer = stack_without_services.masa("dlq", *words, check=False)
    assert answer.returncode == code, answer.stderr


@pytest.fixture(scope="module")
def stack_without_services():
    from stack import Stack  # pylint: disable=import-outside-toplevel
    with Stack(services=[]) as one:
        one.start()
        yield one
