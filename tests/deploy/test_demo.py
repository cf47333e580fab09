"""deploy/up --demo: citizens report, departments answer over the bus, messages go to the sinks."""
import json
import os
import re
import shutil
import subprocess

import pytest

from local_system import System
from process import wait_until
from servers import BUILD
from web import request

LIMIT_S = 120


class Demo(System):
    def masa(self, *words):
        done = subprocess.run(["bash", "-c", 'set -a; . "$1/env"; shift; exec "$@"', "masa", self.run,
                               f"{BUILD}/bin/masa", *words], text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def count(self, sql):
        owner = (f"host={self.path('postgres')} port={self.port('postgres')} dbname=turunc "
                 "user=postgres")
        done = subprocess.run(["psql", "-XqAtc", sql, owner], text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def records(self, kind):
        return self.count(f"select count(*) from turunc.event_log where type = '{kind}'")

    def messages(self):
        return request(self.port("sms_sink"), "GET", "/messages").json()


@pytest.fixture(scope="module")
def demo():
    made = Demo.unmade()
    try:
        started = made.command("up", "--demo", TURUNC_DEMO_RATE="5", TURUNC_DEMO_PACE="0.3")
        assert started.returncode == 0, started.stdout
        yield made
    finally:
        made.command("down", "--wipe")
        shutil.rmtree(made.run, ignore_errors=True)


@pytest.mark.parametrize("kind", [
    "call.offered", "call.ended", "ticket.opened", "ticket.routed", "ticket.accepted",
    "ticket.started", "ticket.resolved", "notification.sent"])
def test_every_part_of_a_ticket_s_life_is_played(demo, kind):
    wait_until(lambda: demo.records(kind) >= 3, LIMIT_S, f"three records of {kind}")


@pytest.mark.parametrize("kind", ["mail", "sms"])
def test_citizens_are_told(demo, kind):
    wait_until(lambda: any(m["kind"] == kind for m in demo.messages()), LIMIT_S, kind)


def test_nothing_that_the_player_says_is_refused(demo):
    wait_until(lambda: demo.records("ticket.opened") >= 20, LIMIT_S, "twenty tickets")
    for name in ("player", "departments"):
        log = demo.read("log", name, "current")
        assert not re.search(r" refused: |answered 4(?!29)", log), log


def test_tickets_come_by_more_than_one_channel(demo):
    wait_until(lambda: demo.count("select count(distinct channel) from turunc.ticket") >= 2,
               LIMIT_S, "two channels")


def test_the_record_says_that_it_is_a_demo(demo):
    status = json.loads(demo.masa("status", "--json"))
    assert "true" in json.dumps(status["log"])


def test_the_board_shows_it(demo):
    """Through the edge: the page, and a stream whose first picture has departments in it."""
    assert request(demo.port("edge"), "GET", "/live/").status == 200


def test_somebody_of_each_role_signs_in(demo):
    """Through the edge, with the passwords that were made for this demonstration."""
    path = demo.path("demo-users")
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, encoding="utf-8") as file:
        users = [line.split() for line in file]
    assert [role for _, _, role in users] == ["viewer", "call-taker", "clerk", "operator", "administrator"]
    assert len({password for _, password, _ in users}) == 5
    origin = f"http://127.0.0.1:{demo.port('edge')}"
    for name, password, _ in users:
        for prefix in ("/desk/", "/call/"):
            answer = request(demo.port("edge"), "POST", f"{prefix}sign-in", form={"name": name, "password": password},
                             headers={"Origin": origin, "Accept": "text/html"})
            assert (answer.status, answer.headers["Location"]) == (303, prefix), (name, answer)
    for path in ("/desk", "/call"):
        assert request(demo.port("edge"), "GET", path).headers["Location"] == f"{path}/"


def test_it_is_still_a_demo_the_next_time(demo):
    again = demo.command("up", TURUNC_DEMO_RATE="5", TURUNC_DEMO_PACE="0.3")
    assert again.returncode == 0, again.stdout
    assert "  player        unchanged" in again.stdout


def test_down_takes_the_demo_away_first(demo):
    done = demo.command("down")
    assert done.returncode == 0, done.stdout
    assert done.stdout.index("player") < done.stdout.index("edge") < done.stdout.index("sink")
