"""What intake does when something breaks: the database dies, a row is bad, intake itself is killed
or told to stop.  Nothing answered 201 may be missing, and nothing may be there twice."""
import datetime
import http.client
import os
import signal
import time

import psycopg2
import pytest

from intake_world import (Load, Publisher, add_api_key, call, check_log, drained, number_of, post,
                          ticket_id, ticket_request)
from stack import Stack

OPEN = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0",
        "TURUNC_INTAKE_WAIT": "1s"}
NO_SPOOL = {**OPEN, "TURUNC_INTAKE_SPOOL_BYTES": "0"}
# For tests of what the record says: nothing is spooled while it is there, however slow its disk.
PATIENT = {**OPEN, "TURUNC_INTAKE_WAIT": "60s"}


def started(make_stack, env):
    """intake alone, with a PostgreSQL of its own to hurt."""
    made = make_stack(services=["intake"], own_postgres=True, env={"intake": env})
    made.key = add_api_key(made, "app")
    made.pbx = made.client("pbx")
    made.start()
    return made


@pytest.fixture
def stack(make_stack):
    return started(make_stack, OPEN)


@pytest.fixture
def patient(make_stack):
    return started(make_stack, PATIENT)


def check_nothing_lost_nothing_twice(stack, created):
    """created: idempotency key -> number, as answered."""
    stored = dict(stack.sql("select id, ticket_id from turunc.inbound_item where source = 'http'"))
    for key, number in created.items():
        assert stored.get(key) == ticket_id(number), key
    tickets = stack.sql("select ticket_id, count(*) from turunc.event_log "
                        "where type = 'ticket.opened' group by 1")
    assert all(count == 1 for _, count in tickets)
    assert sorted(stored.values()) == sorted(ticket for ticket, _ in tickets)
    assert sorted(stored.values()) == sorted(
        row[0] for row in stack.sql("select ticket_id from turunc.ticket"))
    check_log(stack)


def probe(stack):
    return post(stack, stack.key, headers={"Idempotency-Key": f"probe-{time.monotonic_ns()}"})


def resend(stack, load):
    """Everything that got no answer is sent again; now every key has one."""
    link = http.client.HTTPConnection("127.0.0.1", stack.port["intake_http"], timeout=20)
    for key, (status, _) in list(load.answers.items()):
        if status != 201:
            load.answers[key] = load.one(link, key)
    link.close()
    assert load.statuses() == {201}
    drained(stack)


def test_killed_under_load(stack):
    """kill -9 of intake, several times: each 201 is in the record, each key opens one ticket."""
    with Load(stack.port["intake_http"], stack.key) as load:
        for round_number in range(1, 5):
            stack.wait(lambda n=round_number: len(load.created()) >= n * 200, 60)
            stack.kill9("intake")
            stack.start("intake")
        stack.wait(lambda: len(load.created()) >= 1000, 60)
    drained(stack)
    check_nothing_lost_nothing_twice(stack, load.created())
    unanswered = len(load.answers) - len(load.created())
    assert unanswered > 0, "no work was in flight when it was killed"
    resend(stack, load)
    check_nothing_lost_nothing_twice(stack, load.created())


def test_database_killed_and_back_without_a_spool(make_stack):
    """kill -9 of PostgreSQL under load: 503 while it is away, then on without a restart."""
    stack = make_stack(services=["intake"], own_postgres=True, env={"intake": NO_SPOOL})
    stack.key = add_api_key(stack, "app")
    stack.start()
    pid = stack.process["intake"].pid
    with Load(stack.port["intake_http"], stack.key) as load:
        for round_number in range(1, 4):
            stack.wait(lambda n=round_number: len(load.created()) >= n * 200, 60)
            stack.kill9("postgres")
            # A backend may finish what it is at before it notices that its server is gone.
            stack.wait(lambda: probe(stack).status == 503, 30, "503")
            assert int(probe(stack).headers["Retry-After"]) >= 1
            assert stack.http("intake", "GET", "/readyz").status == 503
            assert stack.http("intake", "GET", "/open311/v2/requests.json").status == 503
            assert stack.http("intake", "GET", "/open311/v2/services.json").status == 200
            stack.restart("postgres")
            before = len(load.created())
            stack.wait(lambda n=before: len(load.created()) > n + 50, 60, "tickets again")
        assert stack.http("intake", "GET", "/readyz").status == 200
    assert stack.process["intake"].pid == pid
    assert {201, 503} == load.statuses()
    check_nothing_lost_nothing_twice(stack, load.created())
    resend(stack, load)
    check_nothing_lost_nothing_twice(stack, load.created())


def test_connections_cut_under_load(stack):
    """Every backend is ended, again and again: outcomes nobody saw are looked up, not guessed."""
    with Load(stack.port["intake_http"], stack.key, threads=32, keyed=False) as load:
        rounds = 0
        # Ten times, and until one of them struck a batch on its way.
        while rounds < 10 or ("will be looked up" not in stack.log("intake") and rounds < 60):
            rounds += 1
            stack.wait(lambda n=rounds: len(load.created()) >= n * 100, 60)
            stack.sql("select pg_terminate_backend(pid) from pg_stat_activity "
                      "where usename = 'turunc_intake'")
        stack.wait(lambda: len(load.created()) >= (rounds + 1) * 100, 60)
    stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items") == 0, 30, "drained")
    numbers = sorted(ticket_id(number) for number in load.created().values())
    assert len(set(numbers)) == len(numbers)
    # Without keys, so that a report sent twice by intake itself would show as one ticket too many.
    stored = [row[0] for row in stack.sql("select ticket_id from turunc.ticket order by 1")]
    assert load.statuses() <= {201, 503}
    assert stored == numbers
    check_log(stack)
    assert "will be looked up" in stack.log("intake")


def test_bad_row_stops_nobody_else(patient):
    """The database refuses one item: it alone is told so, and its batch goes on."""
    stack = patient
    stack.sql("alter table turunc.contact add constraint no_poison "
              "check (description is distinct from 'poison')")
    with Load(stack.port["intake_http"], stack.key, keyed=False) as load:
        stack.wait(lambda: len(load.created()) >= 50, 30)
        for _ in range(10):
            answer = post(stack, stack.key, description="poison")
            assert answer.status == 400, answer
        stack.wait(lambda: len(load.created()) >= 200, 30)
    assert load.statuses() == {201}
    assert stack.metric("intake", 'turunc_intake_items_total{outcome="refused"}') == 10
    with Publisher(stack, stack.pbx) as publisher:
        results = publisher.publish(ticket_request(description="x"),
                                    ticket_request(description="poison"), call("offered"))
    assert [result.status for result in results] == [1, 4, 1]
    assert stack.one("select count(*) from turunc.contact where description = 'poison'") == 0
    check_log(stack)


def years():
    """The one that numbers begin with now, and the one in which the test may end."""
    istanbul = datetime.timezone(datetime.timedelta(hours=3))
    now = datetime.datetime.now(istanbul)
    return {moment.year % 100 for moment in (now, now + datetime.timedelta(hours=1))}


def test_number_given_twice_is_never_answered(stack):
    """After a restore the leased numbers may be in use: such an item is not written over another."""
    stack.kill9("intake")
    for year in years():
        stack.sql("""insert into turunc.ticket select %s + n, gen_random_uuid(), 3, '', '', 0,
                     true, 1, 1, '' from generate_series(1, 3000) n""", year * 10_000_000)
    stack.sql("delete from turunc.number_block")
    os.remove(stack.path("state", "intake", "numbers"))  # else it would not lease them again
    stack.start("intake")
    answer = post(stack, stack.key)
    assert answer.status == 503
    assert stack.one("select count(*) from turunc.contact") == 0


def test_numbers_once_leased_are_not_leased_again(stack):
    """The record was restored from an old backup: intake remembers how far it had leased."""
    first = post(stack, stack.key)
    stack.sql("update turunc.number_block set next_no = 1")
    stack.kill9("intake")
    stack.start("intake")
    # The number that is told: the ticket may be in the spool for a moment yet.
    second = stack.wait(lambda: answer if (answer := post(stack, stack.key)).status == 201 else None)
    assert ticket_id(number_of(second)) >= ticket_id(number_of(first)) + 2048, "behind the block of its first life"
    check_log(stack)


def test_told_to_stop_under_load(patient):
    """SIGTERM: whatever was taken is answered, and the exit is clean."""
    stack = patient
    with Load(stack.port["intake_http"], stack.key, threads=32, keyed=False) as load:
        stack.wait(lambda: len(load.created()) >= 300, 30)
        assert stack.terminate("intake") == 0
    numbers = sorted(ticket_id(number) for number in load.created().values())
    stored = [row[0] for row in stack.sql("select ticket_id from turunc.ticket order by 1")]
    assert stored == numbers
    check_log(stack)


def test_told_to_stop_with_a_publisher(stack):
    """Frames taken before SIGTERM are answered; the session then hears why it ends."""
    publisher = Publisher(stack, stack.pbx)
    frames = [publisher.frame(*[ticket_request(f"s-{i}-{n}", description="x") for n in range(50)])
              for i in range(10)]
    for frame in frames:
        publisher.send(frame)
    first = publisher.receive()
    stack.process["intake"].signal(signal.SIGTERM)
    told = [first]
    while told[-1].WhichOneof("body") != "error" or not told[-1].error.fatal:
        told.append(publisher.receive())
    publisher.close()
    assert told[-1].error.code == 14
    assert stack.process["intake"].child.wait(20) == 0
    accepted = [result.id for frame in told if frame.WhichOneof("body") == "published"
                for result in frame.published.results if result.status == 1]
    stored = [row[0] for row in stack.sql("select id from turunc.inbound_item")]
    assert sorted(accepted) == sorted(stored)


def test_starts_before_its_database(make_stack):
    made = make_stack(services=["intake"], own_postgres=True, env={"intake": OPEN})
    key = add_api_key(made, "app")
    made.kill9("postgres")
    made.start("intake", wait=False)
    made.wait(lambda: made.http("intake", "GET", "/healthz").status == 200)
    assert post(made, key).status in (403, 503)
    assert made.http("intake", "GET", "/open311/v2/services.xml").status == 503
    made.restart("postgres")
    made.wait_ready("intake")
    assert post(made, key).status == 201


def test_queue_has_a_bottom(make_stack):
    """While a batch cannot finish, only so many items are held; the rest are told to come again."""
    made = make_stack(services=["intake"], own_postgres=True,
                      env={"intake": {**NO_SPOOL, "TURUNC_INTAKE_HELD_ITEMS": "8"}})
    key = add_api_key(made, "app")
    made.start()
    made.wait(lambda: post(made, key).status == 201)
    link = psycopg2.connect(made.conninfo())
    with link.cursor() as cursor:
        cursor.execute("lock table turunc.citizen in access exclusive mode")
        with Load(made.port["intake_http"], key, threads=24, keyed=False) as load:
            made.wait(lambda: 503 in load.statuses(), 20)
            assert made.http("intake", "GET", "/healthz").status == 200
            link.rollback()
            made.wait(lambda: len(load.created()) > 50, 20)
    link.close()
    assert made.metric("intake", 'turunc_intake_busy_total{why="full"}') > 0
    assert load.statuses() == {201, 503}
