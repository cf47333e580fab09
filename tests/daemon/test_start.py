"""Clients that come while a service starts: PostgreSQL is slow or away, so nobody's rights are known
yet, and whoever was refused then by its key would stand still for 3 s.  That nobody was is counted; libzmq comes again after
0.1 to 0.2 s."""
import contextlib
import time

import psycopg2
import pytest

from intake_world import Publisher
from stack import Stack

TURNED_AWAY = 'turunc_bus_events_total{what="turned_away"}'


@pytest.fixture(scope="module")
def world():
    with Stack(services=["intake", "router"]) as stack:
        stack.pbx = stack.client("pbx")
        yield stack


@contextlib.contextmanager
def nobody_reads_rights(stack):
    """As on a busy machine: PostgreSQL is there and answers, but this answer is late."""
    link = psycopg2.connect(stack.conninfo())
    try:
        with link.cursor() as cursor:
            cursor.execute("lock table turunc.client_grant in access exclusive mode")
        yield
        link.rollback()
    finally:
        link.close()


def state_of(stack, service, dependency):
    ready = stack.http(service, "GET", "/readyz")
    return ready.status, {one["name"]: one["state"] for one in ready.json()["dependencies"]}[dependency]


def started(stack, service):
    """The service answers, ready or not."""
    with contextlib.suppress(OSError):
        return stack.http(service, "GET", "/healthz").status == 200


@pytest.mark.parametrize("service, door", [("intake", "publish"), ("router", "stream")])
def test_client_that_came_before_the_rights(world, service, door):
    with nobody_reads_rights(world):
        world.start(service, wait=False)
        world.wait(lambda: started(world, service))
        client = Publisher(world, world.pbx, hello=False, door=door)
        client.say_hello()
        assert not client.socket.poll(700), "answered before its rights were known"
        assert state_of(world, service, f"{door}_door") == (503, "starting")
    began = time.monotonic()
    with client:
        assert client.receive(1).welcome.client == "pbx"
        print(f"{time.monotonic() - began:.2f} s after its rights were known")
    world.wait_ready(service)
    assert state_of(world, service, f"{door}_door") == (200, "up")
    assert world.metric(service, TURNED_AWAY) == 0
    assert world.terminate(service) == 0


def test_client_that_came_while_postgresql_was_away(make_stack):
    stack = make_stack(services=["intake"], own_postgres=True)
    pbx = stack.client("pbx")
    stack.kill9("postgres")
    stack.start("intake", wait=False)
    stack.wait(lambda: started(stack, "intake"))
    with Publisher(stack, pbx, hello=False) as client:
        client.say_hello()
        assert not client.socket.poll(2500), "answered before its rights were known"
        assert state_of(stack, "intake", "publish_door") == (503, "starting")
        stack.restart("postgres")
        stack.wait(lambda: state_of(stack, "intake", "publish_door")[1] == "up", 30)
        began = time.monotonic()
        assert client.receive(1).welcome.client == "pbx"
        print(f"{time.monotonic() - began:.2f} s after its rights were known")
    assert stack.metric("intake", TURNED_AWAY) == 0
