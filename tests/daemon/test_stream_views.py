"""What readers with different rights see of tickets, as records and in snapshots."""
import contextlib
import time

import psycopg2
import pytest

from router_world import Opener, bus, done, printed, ticket
from turunc.v1 import event_pb2
from stream_world import allow, append, errs, head, reader, router  # noqa: F401

SUBJECT, HOME = "cop-alinmadi", "temizlik"


@pytest.fixture(scope="module")
def opener(router):
    return Opener(router)


def follow(one):
    one.subscribe(start="latest", types=["ticket.*"])
    one.give(1000)
    return one


def last_of(one, number, kind):
    found = [r for r in one.records if r.event.subject == number and r.event.type == kind]
    return found[-1] if found else None


def wait_for(one, number, kind):
    one.wait(lambda: last_of(one, number, kind), 10, f"{kind} of {number}")
    return last_of(one, number, kind).view


def all_routed(router):
    goal = router.one("select count(*) from turunc.ticket")
    router.wait(lambda: router.one("select count(*) from turunc.ticket_state") == goal, 30, "all are routed")


def say_who(router, number, name="Ayşe Yılmaz", phone="+905321234567", email="ayse@example.org"):
    router.sql("""update turunc.contact set name = %s, phone = %s, email = %s, address = '1. Sokak',
                  latitude = 36.85, longitude = 30.75, answers = '{"Q": ["evet"]}'
                  where ticket_id = %s""", name, phone, email, Opener.id_of(number))


def transfer(one, view, department):
    return done(one.command(view.number, view.version, "transfer", department=department,
                            reason_code="wrong-department", text="not ours"))


def test_three_readers_with_different_rights(router, reader, opener):
    full = follow(reader(personal=2))
    masked = follow(reader(departments=[HOME], personal=1))
    nothing = follow(reader(departments=[HOME], personal=0))
    number = opener.open(SUBJECT)
    wait_for(full, number, "ticket.routed")
    say_who(router, number)
    view = wait_for(full, number, "ticket.routed")
    done(full.command(number, view.version, "accept"))
    seen = {who: wait_for(who, number, "ticket.accepted") for who in (full, masked, nothing)}
    for one in seen.values():
        assert (one.number, one.department, one.description) == (number, HOME, "what was said")
        assert one.status == ticket.STATUS_ACCEPTED and one.version == view.version + 1
        assert one.address == "1. Sokak" and one.position.latitude == 36.85
        assert one.answers[0].code == "Q" and list(one.answers[0].values) == ["evet"]
    person = seen[full].citizen
    assert (person.name, person.phone, person.email, person.masked) == (
        "Ayşe Yılmaz", "+905321234567", "ayse@example.org", False)
    person = seen[masked].citizen
    assert (person.name, person.phone, person.email, person.masked) == (
        "A*** Y***", "+90532*****67", "a***@example.org", True)
    assert not seen[nothing].HasField("citizen")
    log = router.log("router")
    assert "Ayşe" not in log and "5321234567" not in log and "what was said" not in log


def test_the_old_department_learns_and_sees_no_more(router, reader, opener):
    operator = follow(reader())
    old, new = follow(reader(departments=[HOME])), follow(reader(departments=["park"]))
    number = opener.open(SUBJECT)
    view = wait_for(old, number, "ticket.routed")
    assert view.description == "what was said"
    transfer(operator, wait_for(operator, number, "ticket.routed"), "park")
    assert wait_for(new, number, "ticket.transferred").description == "what was said"
    cut = wait_for(old, number, "ticket.transferred")
    assert cut == ticket.TicketView(number=number, status=ticket.STATUS_ROUTED, department="park")
    assert last_of(old, number, "ticket.transferred").event.step.department == "park"
    done(new.command(number, 3, "accept"))
    wait_for(new, number, "ticket.accepted")
    append(router, "ticket.noted", HOME)
    old.wait(lambda: old.records[-1].event.type == "ticket.noted")
    assert last_of(old, number, "ticket.accepted") is None


def test_views_are_of_the_moment_of_sending(router, reader, opener):
    """A record of the past shows the ticket as it is now: to a department that had it, cut."""
    operator = follow(reader())
    number = opener.open(SUBJECT)
    start = head(router)
    transfer(operator, wait_for(operator, number, "ticket.routed"), "park")
    wait_for(operator, number, "ticket.transferred")
    late = reader(departments=[HOME])
    late.subscribe(start="seq", from_seq=max(0, start - 2), types=["ticket.*"])
    late.give(100)
    view = wait_for(late, number, "ticket.routed")
    assert view.department == "park" and not view.description and view.version == 0


def test_special_categories_need_full_rights(router, reader, opener):
    full, masked = follow(reader(personal=2)), follow(reader(personal=1))
    number = opener.open("evde-saglik")
    say_who_later = wait_for(full, number, "ticket.routed")
    assert say_who_later.description == "what was said" and say_who_later.citizen.name == "A B"
    cut = wait_for(masked, number, "ticket.routed")
    assert cut.subject_code == "evde-saglik" and cut.version > 0
    assert not cut.description and not cut.HasField("citizen") and not cut.HasField("position")


# --- who was shown a special category ---

def looks(router, number, *readers):
    """[(seq, client, door)] of the records that say which of them was shown that ticket, in order."""
    names = {f"client:{each.who.name}" for each in readers}
    found = []
    for seq, actor, body in router.sql("select seq, actor, event from turunc.event_log where type = 'ticket.viewed'"
                                       " and ticket_id = %s order by seq", Opener.id_of(number)):
        event = event_pb2.Event.FromString(bytes(body))
        assert event.actor == actor and event.subject == number and event.source == "router"
        assert event.viewed.subject_code == "evde-saglik"
        if actor in names:
            found.append((seq, actor, event.viewed.door))
    return found


def test_who_is_shown_a_special_category_is_in_the_log_before(router, reader, opener):
    full, masked = follow(reader(personal=2)), follow(reader(personal=1))
    elsewhere = follow(reader(departments=["park"], personal=2))
    plain, number = opener.open(SUBJECT), opener.open("evde-saglik")
    assert wait_for(full, number, "ticket.opened").description == "what was said"
    # At the moment it arrives it is committed; the record is not looked for again.
    assert [(actor, door) for _, actor, door in looks(router, number, full, masked, elsewhere)] \
        == [(f"client:{full.who.name}", "stream")]
    view = wait_for(full, number, "ticket.routed")
    wait_for(masked, number, "ticket.routed"), wait_for(full, plain, "ticket.routed")
    done(full.command(number, view.version, "accept"))
    wait_for(full, number, "ticket.accepted")
    wait_for(full, number, "ticket.viewed")
    assert len(looks(router, number, full, masked, elsewhere)) == 1, "once for each system, whatever it is shown later"
    assert looks(router, plain, full, masked, elsewhere) == []
    assert last_of(elsewhere, number, "ticket.routed") is None


def test_the_record_of_a_look_shows_nothing_and_ends_there(router, reader, opener):
    one, two = follow(reader(personal=2)), follow(reader(personal=2))
    number = opener.open("evde-saglik")
    for each in (one, two):
        wait_for(each, number, "ticket.routed")
    router.wait(lambda: len(looks(router, number, one, two)) == 2, 5)
    seqs = [seq for seq, _, _ in looks(router, number, one, two)]
    for each in (one, two):
        each.wait(lambda e=each: set(seqs) <= {r.seq for r in e.records if r.event.type == "ticket.viewed"})
        for record in each.records:
            if record.event.type == "ticket.viewed":
                assert record.view.number and not record.view.description and record.view.version == 0
    grown = head(router)
    time.sleep(0.5)
    assert head(router) == grown and len(looks(router, number, one, two)) == 2


def test_a_replay_is_no_new_look_and_one_of_our_own_leaves_none(router, reader, opener):
    one = follow(reader(personal=2))
    number = opener.open("evde-saglik")
    wait_for(one, number, "ticket.routed")
    again = reader(who=one.who)
    again.subscribe("again", start="earliest", types=["ticket.*"])
    again.give(4000)
    again.wait(lambda: last_of(again, number, "ticket.routed"), 20)
    own = reader(personal=2)
    allow(router, own.who, personal=2, verbs=["subscribe", "internal"])
    own.subscribe("own", start="earliest", types=["ticket.*"])
    own.give(4000)
    own.wait(lambda: last_of(own, number, "ticket.routed"), 20)
    assert last_of(own, number, "ticket.routed").view.description == "what was said"
    assert [actor for _, actor, _ in looks(router, number, one, own)] == [f"client:{one.who.name}"]


def test_a_snapshot_is_a_look(router, reader, opener):
    number = opener.open("evde-saglik")
    router.wait(lambda: router.one("select count(*) from turunc.ticket_state where ticket_id = %s",
                                   Opener.id_of(number)) == 1, 10)
    masked, full = reader(departments=["saglik"], personal=1), reader(departments=["saglik"], personal=2)
    assert number in {view.number for view in tickets_of(masked.snapshot())}
    assert looks(router, number, masked, full) == []
    assert {view.number: view.description for view in tickets_of(full.snapshot())}[number] == "what was said"
    assert [(actor, door) for _, actor, door in looks(router, number, masked, full)] \
        == [(f"client:{full.who.name}", "snapshot")]
    full.snapshot()
    assert len(looks(router, number, masked, full)) == 1


def test_nothing_special_is_shown_while_it_cannot_be_noted(router, reader, opener):
    full, note = follow(reader(personal=2)), "turunc.note_views(bigint, text, bigint[], text[], bytea[])"
    router.sql(f"revoke execute on function {note} from turunc_router")
    try:
        number, plain = opener.open("evde-saglik"), opener.open(SUBJECT)
        time.sleep(1)
        assert last_of(full, number, "ticket.opened") is None and last_of(full, plain, "ticket.opened") is None
        assert full.error is None
    finally:
        router.sql(f"grant execute on function {note} to turunc_router")
    assert wait_for(full, number, "ticket.opened").description == "what was said"
    assert wait_for(full, plain, "ticket.routed") and len(looks(router, number, full)) == 1


def test_no_views_when_none_are_wanted(router, reader, opener):
    one = reader()
    one.subscribe(start="latest", view=bus.VIEW_NONE)
    one.give(100)
    number = opener.open(SUBJECT)
    one.wait(lambda: last_of(one, number, "ticket.routed"))
    assert not any(record.HasField("view") for record in one.records)


def test_personal_rights_change_at_once(router, reader, opener):
    one = follow(reader(personal=2))
    allow(router, one.who, personal=0)
    number = opener.open(SUBJECT)
    assert not wait_for(one, number, "ticket.routed").HasField("citizen")
    assert one.error is None, "the filter is still covered"


# --- snapshots ---

def tickets_of(pages):
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len({(page.as_of_seq, page.log_id) for page in pages}) == 1
    assert all(page.ByteSize() <= 240 * 1024 for page in pages)
    return [view for page in pages for view in page.tickets]


def test_a_snapshot_of_many_tickets(router, reader, opener):
    one = reader()
    opener.open(SUBJECT, count=700)
    opener.open("evde-saglik", count=50)
    all_routed(router)
    open_now = router.one("select count(*) from turunc.ticket_state where status <= 6")
    before = head(router)
    pages = one.snapshot()
    views = tickets_of(pages)
    assert len(pages) > 5 and before <= pages[0].as_of_seq <= head(router)
    assert len(views) == open_now == len({view.number for view in views})
    assert all(view.description == "what was said" for view in views)

    own = reader(departments=["saglik"], personal=1)
    views = tickets_of(own.snapshot())
    assert len(views) == router.one("select count(*) from turunc.ticket_state "
                                    "where department = 'saglik' and status <= 6")
    assert all(not view.description and view.department == "saglik" for view in views)
    assert tickets_of(reader(departments=["park", "itfaiye"]).snapshot(["itfaiye"])) == []


def test_a_snapshot_and_the_log_after_it_are_exact(router, reader, opener):
    """Tickets change while the pages are read; taking the newest version of each is the truth."""
    one, operator = reader(), follow(reader())
    first = Opener.id_of(opener.open(SUBJECT, count=300))
    numbers = [printed(first + n) for n in range(300)]
    operator.give(2000)
    operator.wait(lambda: last_of(operator, numbers[-1], "ticket.routed"), 20)
    answered = "select count(*) from turunc.command_result"
    before = router.one(answered)
    request = one.send(snapshot=bus.Snapshot())
    for number in numbers[::10]:
        operator.send_command(number, 2, "resolve", reason_code="done", text="done")
    for number in numbers[5::10]:
        operator.send_command(number, 2, "transfer", department="park", reason_code="x", text="x")
    one.wait(lambda: request in one.answers and one.answers[request][-1].last, 30)
    pages = one.answers.pop(request)
    known = {view.number: view.version for view in tickets_of(pages)}
    one.subscribe("after", "seq", from_seq=pages[0].as_of_seq, types=["ticket.*"])
    one.give(4000)
    router.wait(lambda: router.one(answered) == before + 60, 20, "all 60 are decided")
    one.wait_through(head(router), 20)
    for record in one.records:
        version = record.event.step.version or record.event.opened.version
        known[record.event.subject] = max(version, known.get(record.event.subject, 0))
    stored = dict(router.sql("select ticket_id, version from turunc.ticket_state "
                             "where status <= 6 or ticket_id = any(%s)",
                             [Opener.id_of(number) for number in numbers]))
    assert {Opener.id_of(number): version for number, version in known.items()} == stored


def test_large_tickets_fit_in_pages(router, reader, opener):
    first = Opener.id_of(opener.open(SUBJECT, count=10))
    router.sql("update turunc.contact set description = repeat('ağaç ', 10000) "
               "where ticket_id between %s and %s", first, first + 8)
    router.sql("update turunc.contact set description = repeat('x', 300000) where ticket_id = %s",
               first + 9)
    one = reader()
    router.wait(lambda: router.one("select count(*) from turunc.ticket_state where ticket_id = %s",
                                   first + 9) == 1)
    start = head(router) - 20
    views = {view.number: view for view in tickets_of(one.snapshot())}
    assert len(views[printed(first)].description) == 50000
    assert views[printed(first + 9)].description == "", "too large for any frame"
    assert views[printed(first + 9)].department == HOME
    one.subscribe("big", "seq", from_seq=start, types=["ticket.routed"])
    one.give(100)
    one.wait_through(head(router))
    assert not last_of(one, printed(first + 9), "ticket.routed").view.description
    assert len(last_of(one, printed(first + 8), "ticket.routed").view.description) == 50000


def test_snapshots_that_are_refused(router, reader):
    one = reader(departments=["park"])
    errs(one.snapshot(["fen"]), "FORBIDDEN")
    errs(one.snapshot(["*"]), "FORBIDDEN")
    errs(one.snapshot(["par*"]), "MALFORMED")
    errs(reader(verbs=["subscribe"]).snapshot(), "FORBIDDEN")
    assert isinstance(one.snapshot(), list)


def test_a_snapshot_waits_for_a_slow_reader(router, reader, opener):
    first = Opener.id_of(opener.open(SUBJECT, count=100))
    router.sql("update turunc.contact set description = repeat('y', 50000) "
               "where ticket_id between %s and %s", first, first + 99)
    router.wait(lambda: router.one("select count(*) from turunc.ticket_state where ticket_id = %s", first + 99) == 1)
    one = reader()
    request = one.send(snapshot=bus.Snapshot())
    errs(one.ask(snapshot=bus.Snapshot()), "TOO_MUCH")
    time.sleep(1)
    one.wait(lambda: one.answers.get(request) and one.answers[request][-1].last, 30)
    views = tickets_of(one.answers[request])
    assert sum(1 for view in views if len(view.description) == 50000 and "y" in view.description
               ) >= 100


@contextlib.contextmanager
def views_held(router, begin):
    """The record answers no question for views, nor for a page of a snapshot; begin() asks one."""
    with psycopg2.connect(router.conninfo()) as link, link.cursor() as cursor:
        cursor.execute("lock table turunc.contact in access exclusive mode")
        begin()
        router.wait(lambda: router.one("select count(*) from pg_locks where not granted"), 20, "the question is asked")
        yield
    link.close()


@pytest.mark.parametrize("less", [{"verbs": ["subscribe"]}, {"departments": ["park"]}])
def test_a_snapshot_ends_with_the_right_to_it(router, reader, opener, less):
    opener.open(SUBJECT)
    one, asked = reader(), []
    with views_held(router, lambda: asked.append(one.send(snapshot=bus.Snapshot()))):
        allow(router, one.who, **less)
    errs(one.answer(asked[0]), "FORBIDDEN")
    errs(one.snapshot([HOME]), "FORBIDDEN")


def test_rights_widened_while_views_are_looked_up(router, reader, opener):
    """What the new rights show as well is chosen anew, with its views."""
    start = head(router)
    mine, others = opener.open(SUBJECT), opener.open("park-bakim")
    opener.open(SUBJECT, count=100)     # more than are read together with their views
    all_routed(router)
    one = reader(departments=[HOME])
    one.subscribe(start="seq", from_seq=start + 1, types=["ticket.*"])
    with views_held(router, lambda: one.give(1000)):
        allow(router, one.who, departments=[HOME, "park"])
    wait_for(one, mine, "ticket.routed")
    assert wait_for(one, others, "ticket.routed").description == "what was said"
