"""Open pages of the desk are told what changes, each from where it stands."""
import http.client
import json
import threading

import psycopg2
import pytest
from desk_world import DeskWorld
from stack import Stack


@pytest.fixture(scope="module")
def world():
    # A look of these tests is held up for longer than the record may usually take.
    with Stack(services=["router"], env={"router": {"TURUNC_ROUTER_DESK_TIMEOUT": "60s"}}) as stack:
        made = DeskWorld(stack)
        stack.start()
        made.sign_everybody_in()
        yield made
        made.reader.check()


class Page:
    """An open page: what it was told so far, as (event, data).  Like a browser it comes again when its
    stream was ended, and says what it was told last."""

    def __init__(self, person, since):
        self.person, self.since, self.last = person, since, None
        self.told = []
        answer = self._ask()
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()

    def _ask(self):
        more = {"Origin": None, "Accept": "text/event-stream", "Last-Event-ID": self.last}
        link = http.client.HTTPConnection(self.person.host, timeout=60)
        link.request("GET", f"/desk/events?lang=tr&since={self.since}", headers=self.person.headers(more))
        answer = link.getresponse()
        assert answer.status == 200, answer.status
        return answer

    def _read(self, answer):
        try:
            while True:
                self._read_stream(answer)
                answer = self._ask()
        except (OSError, http.client.HTTPException, AssertionError):
            pass  # the service is gone

    def _read_stream(self, answer):
        kind = None
        for line in answer:
            name, _, value = line.decode("utf-8").rstrip("\n").partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
            elif name == "data":
                self.told.append((kind, json.loads(value)))

    def versions(self, number):
        return [data["v"] for kind, data in list(self.told) if kind == "row" and data["n"] == number]


def head(world):
    return world.stack.one("select max(seq) from turunc.event_log")


def test_a_row_is_sent_as_it_changes(world):
    number = world.routed()
    page = Page(world.ayse, head(world))
    assert world.ayse.step(number, "accept", 2).status == 303
    world.stack.wait(lambda: page.versions(number) == [3], 30)
    other = world.routed("yol-cukur")
    assert world.fatma.step(other, "accept", 2).status == 303
    assert world.ayse.step(number, "start", 3).status == 303
    world.stack.wait(lambda: page.versions(number)[-1:] == [4], 30)
    assert page.versions(other) == [], "another department's"


def test_who_comes_during_a_look_is_told_what_was_before_it(world):
    number, busy = world.routed(), world.routed()
    old = head(world)
    assert world.ayse.step(number, "accept", 2).status == 303
    first = Page(world.ayse, head(world))
    assert world.ayse.step(busy, "accept", 2).status == 303
    world.stack.wait(lambda: first.versions(busy) == [3], 30)
    blocker = psycopg2.connect(world.stack.conninfo())
    with blocker.cursor() as cursor:
        cursor.execute("lock table turunc.contact in access exclusive mode")
        assert world.ayse.step(busy, "start", 3).status == 303
        world.stack.wait(lambda: world.stack.one(
            """select count(*) from pg_locks l join pg_stat_activity a using (pid)
               where not l.granted and l.relation = 'turunc.contact'::regclass and a.query like '%) u JOIN turunc.ticket_state s %'""") > 0, 30, "a look is under way")
        late = Page(world.ayse, old)
        assert first.versions(busy) == [3], "the look still is"
    blocker.rollback()
    blocker.close()
    world.stack.wait(lambda: first.versions(busy)[-1:] == [4], 30)
    world.stack.wait(lambda: late.versions(number) == [3] and late.versions(busy)[-1:] == [4], 30, "told from where it stood")
