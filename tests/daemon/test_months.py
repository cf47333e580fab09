"""The months' figures: metrics keeps along what masa counts anew from the log, to the byte."""
import json
import os
import random
import sys

import pytest

from router_world import printed
from servers import ROOT
from stack import Stack

sys.path.insert(0, os.path.join(ROOT, "clients", "python"))
from turunc.v1 import event_pb2 as event  # noqa: E402

DAY_US = 86_400_000_000
# 2040-03-01 00:00 in Istanbul: the log's days must lie behind that of the record that the stack begins with.
MARCH_US = 2_214_162_000_000_000
DEPARTMENTS = ("temizlik", "fen", "zabita", "park")


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["router", "metrics"], env={"TURUNC_METRICS_COUNT": "20ms"}) as made:
        made.start()
        yield made


class Log:
    """Writes records as the services do, at times of its own."""

    def __init__(self, stack):
        self.stack = stack
        self.batch = []

    def add(self, at_us, record, committed_us=None):
        record.time_us = record.time_us or at_us
        self.batch.append((committed_us or at_us, record))

    def call(self, at_us, call_id, *kinds, disposition=""):
        for place, kind in enumerate(kinds):
            told = event.CallStep(call_id=call_id, at_us=at_us + place * 20_000_000)
            if kind == "ended":
                told.disposition = disposition
            self.add(at_us + place * 20_000_000, event.Event(type=f"call.{kind}", call=told))

    def opened(self, at_us, ticket, channel=2, subject="cop-alinmadi", place="fener", arrived_us=None):
        self.add(at_us, event.Event(
            type="ticket.opened", subject=printed(ticket), opened=event.TicketOpened(
                channel=channel, subject_code=subject, neighbourhood=place,
                arrived_us=arrived_us or at_us)))

    def step(self, at_us, ticket, kind, status, department, **more):
        self.add(at_us, event.Event(
            type=f"ticket.{kind}", subject=printed(ticket), step=event.TicketStep(
                status=status, department=department, **more)))

    def write(self):
        """In order of commit, the moments of one batch as one commit."""
        self.batch.sort(key=lambda pair: pair[0])
        self.stack.sql("""
            select turunc.log_append(u.at_us, array[u.type], '{null}', '{null}', '{null}', '{x}', array[u.event])
            from (select * from unnest(%s::bigint[], %s::text[], %s::bytea[])
                  with ordinality as u(at_us, type, event, n) order by n) u""",
                       [at_us for at_us, _ in self.batch], [record.type for _, record in self.batch],
                       [record.SerializeToString() for _, record in self.batch])
        self.batch = []


def counted(stack):
    """Everything in the log is counted."""
    stack.wait(lambda: stack.one("""select (select seq from turunc.month_state)
                                         = (select max(last_seq) from turunc.log_batch)"""), 60,
               "the months are counted")


def verify(stack):
    counted(stack)
    said = json.loads(stack.masa("report", "verify", "--json", check=False).stdout)
    assert said["right"], said
    assert said["figures"] > 0
    return said


def report(stack, month, *more):
    return stack.masa("report", "--month", month, "--json", *more)


def some_months(log, seed=7):
    """Tickets and calls from March to May 2040, some moved, reopened or told of late."""
    dice = random.Random(seed)
    for n in range(1, 260):
        ticket = 260_000_000 + n
        at_us = MARCH_US + dice.randrange(70 * DAY_US)
        late_us = dice.choice((0, 0, 0, 9 * DAY_US))
        log.opened(at_us + late_us, ticket, channel=dice.choice((1, 2, 4, 5)), arrived_us=at_us,
                   place=dice.choice(("fener", "caglayan", "")))
        at_us += late_us + 1
        department = dice.choice(DEPARTMENTS)
        due = dict(legal_due_us=at_us + 30 * DAY_US, service_due_us=at_us + 3 * DAY_US)
        log.step(at_us, ticket, "routed", 3, department, **due)
        if dice.random() < 0.3:
            department = dice.choice(DEPARTMENTS)
            log.step(at_us + DAY_US // 2, ticket, "transferred", 3, department, **due)
        if dice.random() < 0.8:
            end_us = at_us + DAY_US + dice.randrange(12 * DAY_US)
            log.step(end_us, ticket, "resolved", 7, department, **due)
            if dice.random() < 0.2:
                log.step(end_us + DAY_US, ticket, "reopened", 3, department, **due)
    for n in range(300):
        log.call(MARCH_US + dice.randrange(70 * DAY_US), f"c-{n}", "offered", "answered", "ended",
                 disposition=dice.choice(("ticket", "information", "joined", "nuisance")))


def test_figures_are_kept_as_they_are_counted(stack):
    log = Log(stack)
    some_months(log)
    log.write()
    counted(stack)
    said = verify(stack)
    assert said["through"] == stack.one("select max(seq) from turunc.event_log")
    assert stack.one("select count(*) from turunc.month_revision where number > 1") > 0, "late tickets are told of"
    march = json.loads(report(stack, "2040-03"))
    assert march["over"] and march["revision"] >= 2
    figures = march["figures"]
    assert figures["tickets"] == sum(n for name, n in figures.items() if name.startswith("tickets.department."))
    assert figures["calls.answered"] == sum(
        figures.get(f"calls.{word}", 0) for word in ("recorded", "information", "joined", "nuisance"))
    changes = march["revisions"][1]["changes"]
    assert any(change["name"] == "tickets" and change["is"] > change["was"] for change in changes)
    assert stack.metric("metrics", "turunc_metrics_month_damaged_total") == 0


def test_a_report_has_the_same_bytes_for_ever(stack):
    counted(stack)
    seq = stack.one("select max(last_seq) from turunc.log_batch")
    before = report(stack, "2040-04", "--as-of", str(seq))
    head = stack.one("select encode(hash, 'hex') from turunc.log_batch where last_seq = %s", seq)
    assert json.loads(before)["head_hash"] == head and json.loads(before)["as_of_seq"] == seq
    log = Log(stack)
    late_us = MARCH_US + 100 * DAY_US
    log.opened(late_us, 260_009_000, arrived_us=MARCH_US + 40 * DAY_US)
    log.call(late_us + DAY_US, "late", "offered", "abandoned")
    log.write()
    assert report(stack, "2040-04", "--as-of", str(seq)) == before
    after = json.loads(report(stack, "2040-04"))
    was = json.loads(before)
    assert after["figures"]["tickets"] == was["figures"]["tickets"] + 1
    assert after["revision"] == was["revision"] + 1, "a numbered revision says what changed"
    assert {"name": "tickets", "was": was["figures"]["tickets"],
            "is": was["figures"]["tickets"] + 1} in after["revisions"][-1]["changes"]
    verify(stack)
    assert stack.masa("report", "--month", "2040-04", "--as-of", "99999999", check=False).returncode == 3
    for wrong in (("--month", "2040-4"), ("--month", "2040-04", "--as-of", "0"), ("--as-of", "1"),
                  ("--month", "2040-04", "--format", "pdf")):
        assert stack.masa("report", *wrong, check=False).returncode == 2, wrong


def test_one_call_more_or_less_is_seen(stack):
    """A figure that is wrong by one is told; and counting anew mends it."""
    counted(stack)
    stack.sql("update turunc.month_cell set n = n - 1 where month = 204003 and name = 'calls.answered'")
    said = json.loads(stack.masa("report", "verify", "--json", check=False).stdout)
    assert not said["right"] and said["differences"] == 1
    assert said["first"][0]["counted"] - said["first"][0]["kept"] == 1
    # A program that counts differently begins anew, and comes to the same.
    stack.sql("update turunc.month_state set fold_version = 0")
    stack.restart("metrics")
    stack.wait(lambda: stack.metric("metrics", "turunc_metrics_month_begun_total") == 1, 20, "counted anew")
    verify(stack)


def test_what_dies_while_it_counts_counts_nothing_twice(stack):
    log = Log(stack)
    base_us = MARCH_US + 120 * DAY_US
    for n in range(700):
        log.call(base_us + n * 60_000_000, f"k-{n}", "offered", "answered")
    log.write()
    for _ in range(3):
        stack.kill9("metrics")
        stack.start("metrics", wait=False)
        stack.wait_ready("metrics")
    verify(stack)
    assert json.loads(report(stack, "2040-06"))["figures"]["calls.answered"] \
        + json.loads(report(stack, "2040-07"))["figures"].get("calls.answered", 0) == 700


def test_a_record_that_is_missing_is_not_passed_over(stack):
    """What stands before a gap waits, and says so; when the record is there all is counted."""
    counted(stack)
    log, at_us = Log(stack), MARCH_US + 121 * DAY_US
    for n in range(3):
        log.call(at_us + n * 60_000_000, f"gap-{n}", "offered")
    stack.terminate("metrics")
    stood = stack.one("select seq from turunc.month_state")
    log.write()
    missing = stack.sql("delete from turunc.event_log where seq = %s returning *", stood + 2)[0]
    stack.start("metrics")
    stack.wait(lambda: stack.metric("metrics", "turunc_metrics_month_failed_total") > 0, 30, "it is told")
    assert stack.one("select seq from turunc.month_state") == stood + 1
    stack.sql(f"insert into turunc.event_log values ({', '.join(['%s'] * len(missing))})", *missing)
    verify(stack)


def test_a_clock_that_was_ahead_holds_nothing_up(stack):
    """For two hours all records are of years later; then the clock is set right, and so is the calendar."""
    def stands():
        verify(stack)
        return stack.sql("""select published, (select max(month) from turunc.month_cell where name = 'open' and n <> 0),
            (select max(month) from turunc.month_revision) from turunc.month_state""")[0]

    log, now_us, ahead_us = Log(stack), MARCH_US + 121 * DAY_US + DAY_US // 2, 5 * 365 * DAY_US
    before = stands()
    log.call(now_us + ahead_us, "ahead", "offered", "answered")
    log.write()
    assert stands() == before, "one is not believed"
    for n in range(12):
        log.call(now_us + ahead_us + n * DAY_US // 144, f"ahead-{n}", "offered", "answered")
    log.opened(now_us + ahead_us + DAY_US // 12, 260_009_050)
    log.write()
    assert stands() > (204412, 204412, 204412), "an hour of them is"
    for n in range(12):
        log.call(now_us + n * DAY_US // 144, f"right-{n}", "offered", "answered")
    log.write()
    assert stands() == before
    assert stack.metric("metrics", "turunc_metrics_month_calendar_back_total") == 1
    assert json.loads(report(stack, "2040-04"))["revision"] >= 2, "what was published before stays so"
    assert stack.http("metrics", "GET", "/reports/2044-11.json").status == 404


def test_another_history_is_counted_from_its_first_record(stack):
    counted(stack)
    stack.terminate("metrics")
    stack.sql("update turunc.consumer_cursor set log_id = gen_random_uuid() where name = 'figures'")
    stack.start("metrics")
    stack.wait(lambda: stack.metric("metrics", "turunc_metrics_month_begun_total") == 1, 20, "counted anew")
    verify(stack)


def test_masa_prints_what_the_pages_hand_out(stack):
    """What metrics kept along and what masa counts anew are the same file, byte for byte, in every form."""
    counted(stack)
    for month in ("2040-03", "2040-04", "2040-05"):
        for form, path in (("json", ".json"), ("csv", ".csv?lang=tr"), ("xlsx", ".xlsx?lang=tr"), ("press", "/press.txt")):
            answer = stack.http("metrics", "GET", f"/reports/{month}{path}")
            assert answer.status == 200 and len(answer.body) > 500, (month, form)
            made = stack.masa("report", "--month", month, "--format", form, check=False, text=False)
            assert made.returncode == 0 and made.stdout == answer.body, (month, form, made.stderr)


def test_no_transaction_lasts_as_long_as_a_count(stack):
    """Whoever is within one while it counts is thrown out here."""
    counted(stack)
    stack.sql("alter role turunc_admin set idle_in_transaction_session_timeout = '1ms'")
    try:
        assert json.loads(report(stack, "2040-03"))["figures"]["tickets"] > 0
    finally:
        stack.sql("alter role turunc_admin reset idle_in_transaction_session_timeout")


def test_a_configuration_that_is_refused_nowadays_has_names(stack):
    counted(stack)
    before = report(stack, "2040-03", "--format", "csv")
    stack.sql("insert into turunc.config_file (version, name, content) values (1, 'once_allowed.csv', 'x')")
    try:
        assert report(stack, "2040-03", "--format", "csv") == before
    finally:
        stack.sql("delete from turunc.config_file where name = 'once_allowed.csv'")


def test_a_restore_changes_no_report_of_before(stack):
    """The history printed is that which the last record counted belongs to."""
    counted(stack)
    seq = stack.one("select max(last_seq) from turunc.log_batch")
    first = stack.one("select log_id::text from turunc.log_history")
    before = report(stack, "2040-04", "--as-of", str(seq))
    assert json.loads(before)["log_id"] == first
    assert stack.http("metrics", "GET", "/reports/2040-04.json").text == before
    stack.sql("""insert into turunc.log_history (log_id, base_seq, started_at_us, demo)
        select gen_random_uuid(), %s, started_at_us, demo from turunc.log_history""", seq)
    second = stack.one("select log_id::text from turunc.log_history order by history_no desc limit 1")
    assert report(stack, "2040-04") == before == report(stack, "2040-04", "--as-of", str(seq))
    assert stack.http("metrics", "GET", "/reports/2040-04.json").text == before
    log = Log(stack)
    log.opened(MARCH_US + 200 * DAY_US, 260_009_100)
    log.write()
    assert report(stack, "2040-04", "--as-of", str(seq)) == before
    assert json.loads(report(stack, "2040-04"))["log_id"] == second
    verify(stack)
    assert json.loads(stack.http("metrics", "GET", "/reports/2040-04.json").body)["log_id"] == second
