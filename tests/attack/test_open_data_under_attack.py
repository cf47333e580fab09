"""Open data, which anybody may ask for: months upon months at once, and files whose readers do not read."""
import os
import random
import socket
import sys
import threading

import pytest
from attack_world import under_attack
from servers import ROOT
from stack import Stack
from standing_clock import StandingClock

sys.path.insert(0, os.path.join(ROOT, "tests", "daemon"))
from test_open_data import APRIL_US, MARCH_US, Tickets  # noqa: E402

STREET = {"X-Forwarded-For": "203.0.113.9"}
MONTH_US = 31 * 86_400_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    clock = StandingClock(str(tmp_path_factory.mktemp("clock") / "clock"), APRIL_US)
    shared = {"TURUNC_CLOCK_FILE": clock.path}
    with Stack(services=("router", "metrics"), env={"router": shared, "metrics": shared}) as made:
        made.start()
        tickets = Tickets(made)
        tickets.number = 1000
        for month in range(12):
            tickets.add("cop-alinmadi", "guzeloba", 12, arrived_us=MARCH_US - month * MONTH_US)
        made.wait(lambda: made.http("metrics", "GET", "/open-data/2026-03").status == 200, 20)
        yield made


def board(stack):
    """What the honest want meanwhile."""
    def look():
        answer = stack.http("metrics", "GET", "/live/state.json")
        return "" if answer.status == 200 else repr(answer)
    return [look]


def test_many_months_at_once(stack):
    """Whoever turns all pages keeps neither the record nor the board busy."""
    before = stack.metric("metrics", "turunc_metrics_open_data_readings_total")
    statuses = []

    def turn_pages(seed):
        draw = random.Random(seed)
        for _ in range(12):
            path = f"{draw.choice((2025, 2026, 1999, 9999))}-{draw.randrange(14):02}" + draw.choice(
                ("", "/requests.csv", "/SHA256SUMS", "/%2e", "/requests.xml"))
            statuses.append(stack.http("metrics", "GET", f"/open-data/{path}", headers=STREET, timeout=30).status)

    with under_attack(stack, "many months at once", services=("metrics",), by=board(stack)) as said:
        threads = [threading.Thread(target=turn_pages, args=(seed,)) for seed in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said.update(attempts=len(statuses), told=statuses.count(200), waits=statuses.count(503))
    assert set(statuses) <= {200, 400, 404, 503} and 404 in statuses
    stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2026-03", headers=STREET).status == 200, 20)
    assert stack.metric("metrics", "turunc_metrics_open_data_readings_total") - before < len(statuses) / 2


def test_readers_who_do_not_read(stack):
    """A file is held once, however many never take it."""
    with under_attack(stack, "files not read", services=("metrics",), by=board(stack)) as said:
        idle = []
        for _ in range(100):
            link = socket.create_connection(("127.0.0.1", stack.port["metrics_http"]), timeout=5)
            link.sendall(b"GET /open-data/2026-03/requests.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            idle.append(link)
        assert stack.http("metrics", "GET", "/open-data/2026-03/requests.csv", headers=STREET).status == 200
        for link in idle:
            link.close()
        said["attempts"] = len(idle)


def test_reports_are_not_for_the_street(stack):
    """Nor is there a way round: names of months, forms and files are looked up, never opened."""
    with under_attack(stack, "reports asked from the street", services=("metrics",), by=board(stack)) as said:
        paths = [f"/reports/{month}{form}" for month in ("", "2026-03", "2026-99", "..%2f..%2fetc", "%00", "a" * 300)
                 for form in ("", ".json", ".csv", ".xlsx", ".html", "/press", "/press.txt")]
        paths += [f"/reports/files/{name}" for name in ("../store.c", "%2e%2e%2fstore.c", "", "none.js", "a" * 300)] + ["/reports/files/report.css"]
        statuses = [stack.http("metrics", "GET", path, headers=STREET).status for path in paths]
        said.update(attempts=len(paths), accepted=statuses.count(200) - 1)  # the style sheet is for everybody
    assert set(statuses) <= {200, 400, 403, 404, 414}, set(statuses)
