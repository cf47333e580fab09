"""metrics with the real intake, router, PostgreSQL and Redis: its figures are those of the record,
whatever is repeated, lost or away."""
import json
import os
import socket
import time
import uuid

import psycopg2
import pytest

from ports import free_port
from process import Process
from router_world import Opener, event
from servers import ROOT
from standing_clock import StandingClock

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
SOON_US = 5 * DAY_US  # legal_due_soon_days
NOON_US = 1_772_442_000_000_000  # 2026-03-02 12:00 in Istanbul
STATUSES = ("", "opened", "triage", "routed", "accepted", "in_progress", "waiting", "resolved",
            "rejected", "forwarded", "duplicate", "withdrawn")
CHANNELS = ("other", "call", "web", "open311", "email", "cimer", "desk", "bus", "sms")
COMES = ("ticket.routed", "ticket.transferred", "ticket.reopened")
ENDS = ("ticket.resolved", "ticket.rejected", "ticket.forwarded", "ticket.joined",
        "ticket.withdrawn")
SERVICES = ["router", "metrics"]


@pytest.fixture
def world(make_stack, tmp_path):
    """A stack on a clock that stands still at noon, and someone who opens tickets."""
    def make(services=SERVICES, **options):
        clock = StandingClock(str(tmp_path / "clock"), NOON_US)
        stack = make_stack(services=services, env={"TURUNC_CLOCK_FILE": clock.path}, **options)
        stack.start()
        return stack, clock, Opener(stack, clock=clock)
    return make


def state(stack, **more):
    return stack.http("metrics", "GET", "/live/state.json", **more)


def shown(stack):
    """The figures on the board, without what is not in the record or follows from them, and without zeros."""
    values = state(stack).json()["values"]
    return {name: value for name, value in values.items()
            if value and name != "lag_ms" and not name.startswith(("state.", "then."))}


def count(figures, name, by=1):
    figures[name] = figures.get(name, 0) + by


def computed(stack, now_us):
    """The same figures, from nothing but the record."""
    figures = {}
    day_us = (now_us + 3 * 3600 * 1_000_000) // DAY_US * DAY_US - 3 * 3600 * 1_000_000
    hour_us = (now_us // MINUTE_US - 59) * MINUTE_US
    for status, department, opened, legal, service, answered, channel in stack.sql(
            """select coalesce(s.status, 1), coalesce(s.department, ''), t.recorded_us,
                      s.legal_due_us, s.service_due_us, s.answered_us, t.channel
               from turunc.ticket t left join turunc.ticket_state s using (ticket_id)"""):
        if status > 11:
            continue
        count(figures, f"status.{STATUSES[status]}")
        if status > 6:
            continue
        key = f"d.{department or '-'}"
        dues = [legal if answered is None else None, service if status != 6 else None]
        late = any(due is not None and due <= now_us for due in dues)
        for name in (f"{key}.open", "open") + ((f"{key}.overdue", "overdue") if late else ()):
            count(figures, name)
        figures[f"{key}.oldest"] = min(opened, figures.get(f"{key}.oldest", opened))
        count(figures, f"open.{CHANNELS[channel]}")
        if legal and answered is None:
            name = f"due.{CHANNELS[channel]}"
            figures[name] = min(legal, figures.get(name, legal))
            if legal <= now_us + SOON_US:
                count(figures, f"{'late' if legal <= now_us else 'soon'}.{CHANNELS[channel]}")
    seen, calls, recent = set(), {}, {}
    for kind, committed, department, body, channel in stack.sql(
            """select e.type, e.committed_at_us, e.department, e.event, t.channel
               from turunc.event_log e left join turunc.ticket t using (ticket_id)"""):
        if kind == "ticket.opened" and day_us <= committed < day_us + DAY_US:
            count(figures, "today")
            count(figures, f"today.{CHANNELS[channel]}")
        if committed >= hour_us:
            if kind == "ticket.opened":
                count(figures, "hour.opened")
            if kind in COMES:
                count(figures, f"d.{department}.in")
            if kind in ENDS:
                count(figures, f"d.{department or '-'}.out")
                count(figures, "hour.ended")
        if kind.startswith("call."):
            step = event.Event.FromString(bytes(body)).call
            if kind in calls.get(step.call_id, {}):
                continue
            recent.setdefault(step.call_id, {})[kind] = committed >= hour_us
            if committed >= hour_us and step.call_id not in calls:
                count(figures, "hour.offered")
            if committed >= hour_us and kind in ("call.answered", "call.abandoned"):
                count(figures, f"hour.{kind[len('call.'):]}")
            calls.setdefault(step.call_id, {})[kind] = step.at_us
            if day_us <= step.at_us < day_us + DAY_US:
                seen.add(("call.offered", step.call_id))
                if kind in ("call.answered", "call.abandoned"):
                    seen.add((kind, step.call_id))
    for kind, _ in seen:
        count(figures, f"calls.{kind[len('call.'):]}")
    waits(figures, calls, recent, day_us, now_us)
    return figures


def waits(figures, calls, recent, day_us, now_us):
    """Who waits, and how long those waited who were answered today, or of whom that is known for less than an hour."""
    for name, steps in calls.items():
        offered, answered = steps.get("call.offered"), steps.get("call.answered")
        if offered and not steps.keys() & {"call.answered", "call.abandoned", "call.ended"} \
                and offered >= now_us - 3600 * 1_000_000:
            count(figures, "calls.waiting")
            figures["calls.longest"] = min(offered, figures.get("calls.longest", offered))
        if offered and answered and day_us <= answered < day_us + DAY_US:
            count(figures, "calls.known")
            if answered - offered < 20_000_000:
                count(figures, "calls.quick")
        if offered and answered and (recent[name]["call.offered"] or recent[name]["call.answered"]):
            count(figures, "hour.known")
            if answered - offered < 20_000_000:
                count(figures, "hour.quick")
    for when in ("calls", "hour"):
        asked = figures.get(f"{when}.known", 0) + figures.get(f"{when}.abandoned", 0)
        if figures.get(f"{when}.quick"):
            figures[f"{when}.level"] = 1000 * figures[f"{when}.quick"] // asked


def settle(stack, limit_s=15):
    """Waits until everything is routed and the board stands where the log does."""
    def there():
        head = stack.one("select max(seq) from turunc.event_log")
        unrouted = stack.one("""select count(*) from turunc.ticket t where not exists
                                (select from turunc.ticket_state s where s.ticket_id = t.ticket_id)""")
        said = state(stack)
        return (unrouted == 0 and said.status == 200 and said.json()["state"] == "live"
                and said.json()["seq"] == head)
    stack.wait(there, limit_s, "the board stands where the log does")


def equal(stack, clock, limit_s=10):
    settle(stack)
    want = computed(stack, clock.at_us)
    try:
        stack.wait(lambda: shown(stack) == want, limit_s)
    except AssertionError:
        assert shown(stack) == want
    return want


def append(stack, clock, kind, body):
    stack.sql("select turunc.log_append(%s, array[%s], '{null}', '{null}', '{null}', '{x}', array[%s])",
              clock.at_us, kind, body)


def play_call(stack, clock, call_id, *kinds, at_us=None):
    for kind in kinds:
        append(stack, clock, f"call.{kind}", event.Event(
            type=f"call.{kind}", call=event.CallStep(call_id=call_id, at_us=at_us or clock.at_us)
        ).SerializeToString())


def some_days(stack, clock, opener):
    """Tickets of several days, channels and departments, some late, and calls."""
    for subject, channel in (("cop-alinmadi", 3), ("cadde-supurme", 1), ("cop-alinmadi", 2)):
        opener.open(subject=subject, channel=channel)
        opener.open(subject="", channel=8)
    settle(stack)
    clock.advance(6 * DAY_US)
    opener.open(count=20)
    opener.open(subject="cadde-supurme", channel=4, basis=1)
    withdrawn = opener.open()
    settle(stack)
    opener.say(withdrawn, "withdraw")
    play_call(stack, clock, "c 1", "ended", "answered", "offered")
    play_call(stack, clock, "c-2", "offered", "abandoned", "abandoned")
    play_call(stack, clock, "c-3", "offered", at_us=clock.at_us - DAY_US)
    # One waits, one was answered in time, two too late; of one the answer is heard before the offer.
    play_call(stack, clock, "c-4", "offered", at_us=clock.at_us - 70_000_000)
    for name, steps in (("c 5", (("offered", 30), ("answered", 12))), ("c-6", (("offered", 60), ("answered", 40))),
                        ("c-7", (("answered", 20), ("offered", 100)))):
        for kind, ago_s in steps:
            play_call(stack, clock, name, kind, at_us=clock.at_us - ago_s * 1_000_000)
    stack.wait(lambda: stack.one("select count(*) from turunc.ticket_state where status = 11") == 1,
               10, "the ticket is withdrawn")


def test_figures_are_those_of_the_record(world):
    stack, clock, opener = world()
    some_days(stack, clock, opener)
    want = equal(stack, clock)
    assert want["today"] == 22 and want["calls.offered"] == 6 and want["calls.answered"] == 4
    assert want["calls.waiting"] == 1 and want["calls.longest"] == clock.at_us - 70_000_000
    assert (want["calls.known"], want["calls.quick"], want["calls.level"]) == (4, 2, 400)
    assert want["open.email"] == 1 and want["due.email"] > clock.at_us
    assert want["calls.abandoned"] == 1 and want["overdue"] > 0 and want["hour.ended"] == 1
    assert stack.metric("metrics", "turunc_metrics_unknown_tickets_total") == 0
    # An hour later the rate is gone; after midnight today begins anew; what is open stays.
    clock.advance(61 * MINUTE_US)
    assert "hour.opened" not in equal(stack, clock)
    clock.advance(12 * 60 * MINUTE_US)
    want = equal(stack, clock)
    assert "today" not in want and "calls.offered" not in want and want["open"] > 20
    opener.open(channel=2)
    assert equal(stack, clock)["today.web"] == 1


def test_calls_over_midnight_are_one_of_each_day_and_one_of_the_hour(world):
    """Whichever way their steps come, and when the projection is made anew."""
    stack, clock, _ = world()
    clock.advance(DAY_US - (clock.at_us + 3 * 3600 * 1_000_000) % DAY_US - 2_000_000)
    play_call(stack, clock, "c-1", "offered")
    play_call(stack, clock, "c-2", "offered", "answered")
    play_call(stack, clock, "c-3", "answered")
    assert equal(stack, clock)["hour.offered"] == 3
    clock.advance(5_000_000)
    play_call(stack, clock, "c-1", "answered", "ended")
    play_call(stack, clock, "c-2", "answered", "ended")     # by whom it was transferred to
    play_call(stack, clock, "c-3", "ended")
    play_call(stack, clock, "c-3", "offered", at_us=clock.at_us - 10_000_000)
    play_call(stack, clock, "c-4", "offered", "abandoned")
    want = equal(stack, clock)
    assert (want["hour.offered"], want["hour.answered"], want["hour.abandoned"]) == (4, 3, 1)
    assert (want["calls.offered"], want["calls.answered"]) == (4, 1)
    flush(stack)
    assert equal(stack, clock) == want


def evaluate(stack, *words):
    script = os.path.join(ROOT, "services", "metrics", "live.lua")
    return stack.redis.command("--eval", script, "live:3:current", ",", *words).splitlines()


def test_repeats_stale_and_strange_batches_are_refused_inside_redis(world):
    stack, clock, opener = world()
    opener.open(count=3)
    want = equal(stack, clock)
    generation = stack.redis.command("get", "live:3:current")
    head = f"live:3:{generation}:head"
    log_id, seq = (stack.redis.command("hget", head, name) for name in ("log_id", "seq"))
    assert len(seq) == 20
    before = f"{int(seq) - 1:020d}"
    after = f"{int(seq) + 1:020d}"
    far = f"{int(seq) + 2:020d}"
    op = f"o 269999999 {clock.at_us} 3 20514 1 -"
    for words, refusal in (
            ((generation, log_id, before, seq), "STALE"),
            ((generation, log_id, "0" * 20, before), "STALE"),
            ((generation, log_id, before, after), "OVERLAP"),
            ((generation, log_id, after, far), "GAP"),
            ((generation, str(uuid.uuid4()), seq, after), "LOG"),
            ((str(uuid.uuid4()), log_id, seq, after), "GENERATION")):
        assert evaluate(stack, "apply", *words, "0", op)[0] == refusal, words
    assert stack.redis.command("hget", head, "seq") == seq
    assert shown(stack) == want
    # Neighbours beyond 2^53 are still told apart.
    big, next_big = "09007199254740992000"[:20], "09007199254740992001"[:20]
    stack.terminate("metrics")
    stack.redis.command("hset", head, "seq", next_big)
    assert evaluate(stack, "apply", generation, log_id, big, next_big, "0", op)[0] == "STALE"
    assert evaluate(stack, "apply", generation, log_id, big, "09007199254740992002", "0", op)[0] \
        == "OVERLAP"


def test_a_storm_of_places_is_told_by_its_greatest_and_the_hour_moves_both_ways(make_stack):
    stack = make_stack(services=[])
    stack.start()
    generation, log_id, minute, places = str(uuid.uuid4()), str(uuid.uuid4()), NOON_US // MINUTE_US, 3000
    day = (NOON_US + 3 * 3600 * 1_000_000) // DAY_US
    assert evaluate(stack, "begin", generation, str(minute)) == ["OK"]
    ops = [f"n {minute - i % 60} m{i}/cop {1 + i}" for i in range(places)]
    ops += [f"p {day - 1 - i % 7} m{i}/cop 7" for i in range(places - 10, places)]
    ops += [f"p {day - d} m7/cop 7" for d in (0, 8)] + [f"m {minute - 59} in.fen 3", f"m {minute} wait.19 2",
                                                       f"m {minute} wait.20 1", f"m {minute - 60} opened 9"]
    for i in range(0, len(ops), 500):
        assert evaluate(stack, "load", generation, *ops[i:i + 500]) == ["OK"]
    assert evaluate(stack, "switch", generation, log_id, f"{1:020}", str(NOON_US)) == ["OK"]

    def read(at, least=5):
        said = evaluate(stack, "read", generation, log_id, str(at * MINUTE_US), str(day), str(at), "20",
                        str(NOON_US), str(least))
        assert said[0] == "OK", said
        return dict(zip(said[3::2], said[4::2]))

    now = read(minute)
    assert (now["d.fen.in"], now["hour.known"], now["hour.quick"], now.get("hour.opened")) == ("3", "3", "2", None)
    told = {name: int(n) for name, n in now.items() if name.startswith("surge.")}
    assert told == {f"surge.m{i}/cop": 1 + i for i in range(places - 200, places)}
    assert {now[f"usual.m{i}/cop"] for i in range(places - 200, places - 10)} == {"0"}
    assert {now[f"usual.m{i}/cop"] for i in range(places - 10, places)} == {"7"}
    assert len(read(minute, least=places - 3)) == len(now) - 2 * 196
    # A minute later the first of the hour is gone, a minute back the last; the same hour gives the same again.
    later = read(minute + 1)
    assert "d.fen.in" not in later and f"surge.m{places - 1}/cop" not in later  # 2999 % 60 == 59
    assert f"surge.m{places - 60}/cop" in later and read(minute) == now
    earlier = read(minute - 1)
    assert earlier["hour.opened"] == "9" and earlier["hour.known"] == "0" and f"surge.m{places - 60}/cop" not in earlier
    assert read(minute - 30) != now and read(minute) == now
    for far in (59, 60, 100, -59, -60, -5000):
        gone = {name for name in read(minute + far) if name.startswith("surge.")}
        assert bool(gone) == (abs(far) < 60), far
        assert read(minute) == now, far
    # What is forgotten of the hour, as a record is dated far ahead, leaves its sums too.
    assert evaluate(stack, "apply", generation, log_id, f"{1:020}", f"{2:020}", "0", f"c {day} o 1 {minute + 120} x") \
        == ["OK", f"{2:020}", "0"]
    forgotten = read(minute)
    assert not any(name.startswith("surge.") for name in forgotten) and forgotten["hour.known"] == "0"


def flush(stack):
    stack.redis.command("flushall")


def kill(stack):
    stack.kill9("redis")
    stack.restart("redis")


def of_another_log(stack):
    generation = stack.redis.command("get", "live:3:current")
    stack.redis.command("hset", f"live:3:{generation}:head", "log_id", str(uuid.uuid4()))


def half_lost(stack):
    stack.redis.command("set", "live:3:current", str(uuid.uuid4()))


def of_former_versions(stack):
    """An upgrade: Redis holds what other texts of the projection have left, and none of this one's."""
    flush(stack)
    for version in (1, 2):
        base = f"live:{version}:"
        stack.redis.command("set", f"{base}current", "former")
        stack.redis.command("sadd", f"{base}generations", "former")
        stack.redis.command("hset", f"{base}former:head", "seq", "1")
        stack.redis.command("hset", f"{base}former:status", "1", "1")
        stack.redis.command("sadd", f"{base}former:keys", f"{base}former:status")


@pytest.mark.parametrize("harm", [flush, kill, of_another_log, half_lost, of_former_versions],
                         ids=lambda harm: harm.__name__)
def test_a_lost_projection_is_rebuilt_and_equal(world, harm):
    stack, clock, opener = world()
    some_days(stack, clock, opener)
    want = equal(stack, clock)
    rebuilt = stack.metric("metrics", "turunc_metrics_rebuilds_total")
    harm(stack)
    # From here to the end it shows the former figures or the right ones, and never 0.
    def again():
        said = state(stack).json()
        assert said["values"]["open"] == want["open"], said
        return stack.metric("metrics", "turunc_metrics_rebuilds_total") > rebuilt
    stack.wait(again, 20, "a new generation")
    assert equal(stack, clock) == want
    keys = stack.redis.command("--scan").splitlines()
    generation = stack.redis.command("get", "live:3:current")
    assert all(key in ("live:3:current", "live:3:generations") or generation in key
               for key in keys), keys
    opener.open(count=2)
    assert equal(stack, clock)["open"] == want["open"] + 2


def test_the_board_says_rebuilding_while_the_record_is_locked(world):
    stack, clock, opener = world()
    opener.open(count=5)
    want = equal(stack, clock)
    other = psycopg2.connect(stack.conninfo())
    try:
        other.cursor().execute("lock table turunc.ticket in access exclusive mode")
        stack.redis.command("flushall")
        stack.wait(lambda: state(stack).json()["state"] == "rebuilding", 10, "says rebuilding")
        assert state(stack).json()["values"]["open"] == want["open"]
        assert stack.http("metrics", "GET", "/readyz").status == 503
    finally:
        other.rollback()
        other.close()
    assert equal(stack, clock) == want


def test_metrics_resumes_where_redis_stands(world):
    stack, clock, opener = world()
    opener.open(count=3)
    equal(stack, clock)
    stack.kill9("metrics")
    opener.open(count=4)
    stack.restart("metrics")
    assert equal(stack, clock)["open"] == 7
    assert stack.metric("metrics", "turunc_metrics_rebuilds_total") == 0
    stack.wait(lambda: stack.one("select seq from turunc.consumer_cursor where name = 'metrics' "
                                 "and client = ''")
               == stack.one("select max(seq) from turunc.event_log"), 10, "its place is noted")


def test_who_was_taken_over_goes_on_when_the_other_is_gone(world):
    """A second process that a rolling restart has started: the first stands by, and takes nothing back from it while it lives."""
    stack, clock, opener = world()
    first = stack.process["metrics"]
    opener.open(count=3)
    equal(stack, clock)
    other = Process("metrics2", first.argv, {**first.env, "TURUNC_HTTP_LISTEN": f"127.0.0.1:{free_port()}"}, stack.folder,
                    stack.path("metrics2.log"))
    other.start()
    try:
        stack.wait(lambda: "standing by" in first.log(), 20, "the first is told")
        opener.open(count=2)
        assert equal(stack, clock)["open"] == 5, "the other keeps what both show"
        assert other.log().count("standing by") == 0
    finally:
        other.kill9()
    opener.open(count=4)
    assert equal(stack, clock)["open"] == 9


def test_postgres_away_the_board_goes_on_and_ages(world):
    stack, clock, opener = world(own_postgres=True)
    opener.open(count=5)
    want = equal(stack, clock)
    stack.kill9("postgres")
    stack.wait(lambda: state(stack).json()["age_ms"] > 3000, 15, "the age grows")
    said = state(stack).json()
    assert said["values"]["open"] == want["open"] and said["state"] == "live"
    stack.restart("postgres")
    stack.wait(lambda: state(stack).json()["age_ms"] < 3000, 30, "young again")
    assert equal(stack, clock) == want


class Events:
    """A reader of the stream of changes."""

    def __init__(self, port):
        self.link = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.link.sendall(b"GET /live/events HTTP/1.1\r\nHost: a\r\n\r\n")
        self.file = self.link.makefile("rb")
        self.status = int(self.file.readline().split()[1])

    def next(self):
        kind = None
        while True:
            line = self.file.readline()
            assert line, "the stream has ended"
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            if line.startswith(b"data: ") and kind:
                return kind, json.loads(line[6:])

    def close(self):
        self.file.close()
        self.link.close()


def test_events_a_snapshot_then_only_what_changed_and_beats(world):
    stack, clock, opener = world()
    opener.open(count=2)
    want = equal(stack, clock)
    events = Events(stack.port["metrics_http"])
    kind, said = events.next()
    assert kind == "snapshot" and said["values"]["open"] == want["open"] and said["departments"]
    values = dict(said["values"])
    while (more := events.next())[0] != "beat":     # the history was read again, or a figure has aged
        values.update(more[1].get("values", {}))
    opener.open(channel=2)
    end = time.monotonic() + 60
    while time.monotonic() < end and values.get("today.web") != 1:
        kind, said = events.next()
        for name, value in said.get("values", {}).items():
            assert kind != "patch" or values.get(name) != value, f"{name} did not change"
            values[name] = value
    assert values["open"] == 3 and values["today.web"] == 1
    events.close()


def test_viewers_are_counted_and_strangers_refused(make_stack):
    stack = make_stack(services=SERVICES, env={"metrics": {
        "TURUNC_METRICS_VIEWERS": "2", "TURUNC_METRICS_SHOWN_TO": "192.0.2.8, 2001:db8::8"}})
    stack.start()
    first, second = (Events(stack.port["metrics_http"]) for _ in range(2))
    assert first.status == second.status == 200
    third = Events(stack.port["metrics_http"])
    assert third.status == 503
    third.close()
    first.close()
    def room():
        again = Events(stack.port["metrics_http"])
        again.close()
        return again.status == 200
    stack.wait(room, 10, "a place is free again")
    for path in ("/live/", "/live/events", "/live/state.json", "/live/board.js"):
        away = stack.http("metrics", "GET", path, headers={"X-Forwarded-For": "192.0.2.7"})
        assert away.status == 403, path
    assert state(stack, headers={"X-Forwarded-For": "127.0.0.1"}).status == 200
    assert state(stack, headers={"X-Forwarded-For": "::1"}).status == 200
    assert state(stack, headers={"X-Forwarded-For": "192.0.2.8"}).status == 200
    assert state(stack, headers={"X-Forwarded-For": "2001:db8::8"}).status == 200
    assert state(stack, headers={"X-Forwarded-For": "192.0.2.8, 192.0.2.9"}).status == 403
    page = stack.http("metrics", "GET", "/live/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert stack.http("metrics", "GET", "/live/../metrics").status == 400
    second.close()
    assert stack.terminate("metrics") == 0
