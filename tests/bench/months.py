#!/usr/bin/python3
"""How long a month's report takes, and how fast records are counted for it.

    tests/bench/months.py [--tickets N] [--calls N] [--build DIR]

A private system is given the facts and figures of N tickets over ten years, as metrics would have kept
them (the figures of a month: every subject, department and neighbourhood of the worked municipality, every
hour, with each figure of a department too); then reports are asked for over HTTP.  After that the events of
calls are put into the log, and the time is taken until metrics has counted them and in which masa does."""
import argparse
import json
import os
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for folder in ("tests/lib", "clients/python"):
    sys.path.insert(0, os.path.join(ROOT, folder))

MONTHS, ROUNDS, CHUNK = 120, 30, 20000
BASE_US = 2_214_162_000_000_000  # 2040-03-01: behind the record that the system begins with


def seed(stack, tickets):
    """Ten years up to the present month of the log."""
    stack.sql("""insert into turunc.month_fact (key, fact) select convert_to('t' || (260000000 + n), 'UTF8'),
                 sha256(int8send(n)) || decode(repeat('0a1b2c3d', 24), 'hex')
                 from generate_series(1, %s) n""", tickets)
    stack.sql("""insert into turunc.month_cell (month, name, n)
        with months as (select to_char(timestamp '2030-03-01' + m * interval '1 month', 'YYYYMM')::integer as month
                        from generate_series(0, %s - 1) m),
        s as (select 'subject-' || i as code from generate_series(1, 75) i),
        d as (select 'department-' || i as code from generate_series(1, 25) i),
        p as (select 'place-' || i as code from generate_series(1, 55) i),
        names as (
          select 'tickets.subject.' || code as name from s
          union all select 'tickets.department.' || code from d
          union all select 'tickets.neighbourhood.' || code from p
          union all select 'tickets.day.' || i from generate_series(1, 31) i
          union all select 'd.' || d.code || '.tickets.subject.' || s.code from d, s where length(d.code || s.code) %% 3 <> 0
          union all select 'd.' || d.code || '.' || f from d, unnest(array['tickets', 'ended', 'ended.resolved', 'ended.legal.of',
            'ended.legal.within', 'ended.service.of', 'ended.service.within', 'reopened', 'open', 'open.age.00', 'open.age.07',
            'ladder.ended', 'ladder.eligible', 'ladder.invited', 'ladder.answered', 'ladder.satisfied']) f
          union all select 'calls.' || k || '.w' || w || '.h' || h from unnest(array['offered', 'answered']) k,
            generate_series(1, 7) w, generate_series(0, 23) h
          union all select unnest(array['tickets', 'ended', 'ladder.ended', 'ladder.answered', 'ladder.satisfied',
            'calls.offered', 'calls.answered', 'calls.recorded', 'open', 'hops', 'hops.tickets', 'reopened']))
        select month, name, %s / %s from months, names""", MONTHS, tickets, MONTHS)
    stack.sql("""insert into turunc.month_cell (month, name, n) select 0, 'department-' || d || '.' || to_char(25000 + a, 'FM000000'), 3
                 from generate_series(1, 25) d, generate_series(1, 400) a""")
    stack.sql("update turunc.month_state set first = 203003 where first > 0")
    stack.sql("vacuum analyze turunc.month_cell")
    stack.sql("vacuum analyze turunc.month_fact")


def ask(stack, path):
    began = time.monotonic()
    answer = stack.http("metrics", "GET", path)
    assert answer.status == 200, (path, answer.status)
    return (time.monotonic() - began) * 1000, len(answer.body)


def add_calls(stack, calls, call_id, at_us=BASE_US):
    from turunc.v1 import event_pb2
    kinds = ("offered", "answered", "ended")
    for first in range(0, calls, CHUNK // 3):
        events = [event_pb2.Event(type=f"call.{kind}", call=event_pb2.CallStep(
                      call_id=f"{call_id}{n}", at_us=at_us + n * 1000, disposition="ticket" if kind == "ended" else ""))
                  for n in range(first, min(calls, first + CHUNK // 3)) for kind in kinds]
        stack.sql("""select turunc.log_append(%s, array_agg(type order by n), array_agg(null::bigint), array_agg(null::text),
                            array_agg(null::text), array_agg('x'::text), array_agg(event order by n))
                     from unnest(%s::text[], %s::bytea[]) with ordinality as u(type, event, n)""",
                  at_us, [event.type for event in events], [event.SerializeToString() for event in events])


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--tickets", type=int, default=10_000_000)
    asked.add_argument("--calls", type=int, default=50_000)
    asked.add_argument("--build", default=os.path.join(ROOT, "build"))
    given = asked.parse_args()
    os.environ.setdefault("TURUNC_TEST_BUILD", given.build)
    from stack import Stack
    with Stack(services=["router", "metrics"], env={"TURUNC_LOG_LEVEL": "warn"}) as stack:
        stack.start()
        # A log leaps so far only when records have come from there for an hour.
        add_calls(stack, 1, "first-")
        add_calls(stack, 1, "second-", BASE_US + 7_200_000_000)

        def counted():
            return stack.one("select (select seq from turunc.month_state) = (select max(last_seq) from turunc.log_batch)")
        stack.wait(counted, 60)
        seed(stack, given.tickets)
        print(f"{stack.one('select count(*) from turunc.month_fact')} facts, "
              f"{stack.one('select count(*) from turunc.month_cell')} figures, "
              f"{stack.one('select count(*) from turunc.month_cell where month = 203909')} of one month")
        for path in ("/reports/2039-09.json", "/reports/2039-09", "/reports/2039-09.xlsx", "/reports/2040-02.json",
                     "/live/satisfaction.json"):
            times = [ask(stack, path) for _ in range(ROUNDS)]
            print(f"{path:<26} p50 {statistics.median(ms for ms, _ in times):6.0f} ms"
                  f"  max {max(ms for ms, _ in times):6.0f} ms  {times[0][1] / 1024:6.0f} KiB")
        began = time.monotonic()
        add_calls(stack, given.calls, "c-")
        written_s = time.monotonic() - began
        stack.wait(counted, 600)
        counted_s = time.monotonic() - began
        print(f"{3 * given.calls} records written in {written_s:.1f} s, counted {counted_s:.1f} s after the first was written")
        stack.sql("update turunc.month_state set fold_version = 0")
        began = time.monotonic()
        stack.restart("metrics")
        stack.wait(lambda: stack.metric("metrics", "turunc_metrics_month_begun_total") and counted(), 600)
        anew_s = time.monotonic() - began
        began = time.monotonic()
        said = json.loads(stack.masa("report", "verify", "--json"))
        print(f"counted anew by metrics in {anew_s:.1f} s, by masa in {time.monotonic() - began:.1f} s, equal: {said['right']}")


if __name__ == "__main__":
    main()
