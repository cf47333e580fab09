"""The stream door: subscriptions, deliveries, credit and acknowledgements, by frames."""
import pytest

from router_world import Opener, bus, printed
from stream_world import Reader, append, errs, head
from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["router"]) as made:
        made.start()
        yield made


@pytest.fixture
def reader(stack, request):
    """reader("name", rights...) opens a session for a new client; closed after the test."""
    made = []

    def make(name=None, who=None, instance=None, **rights):
        if who is None:
            name = name or f"r{stack.one('select count(*) from turunc.client_grant')}"
            who = stack.client(name, **rights)
            # As masa tells the services: a record of it.
            append(stack, "client.granted")
            stack.wait(lambda: admitted(stack, who), 10, "the new key is admitted")
        made.append(Reader(stack, who, instance))
        made[-1].who = who
        return made[-1]

    yield make
    for one in made:
        one.close()


def admitted(stack, who):
    """A session of that key is answered."""
    one = Reader.__new__(Reader)
    super(Reader, one).__init__(stack, who, hello=False)
    try:
        request = one.send(hello=bus.Hello(protocol=1, instance="00000000-0000-4000-8000-00000000000a",
                                           software="probe/1"))
        frame = one.receive(0.5)
        return frame is not None and frame.request == request
    finally:
        one.close()


def test_records_flow_with_credit_and_acks(stack, reader):
    one = reader()
    held = one.subscribe(start="latest")
    assert isinstance(held, bus.Subscribed), held
    start = head(stack)
    assert held.from_seq == start + 1
    append(stack, count=3)
    one.quiet(0.3)
    one.give(2)
    one.wait_records(2)
    one.quiet(0.3)
    one.give(10)
    one.wait_records(3)
    assert one.seqs() == [start + 1, start + 2, start + 3]
    acked = one.ack()
    assert isinstance(acked, bus.Acked) and acked.through_seq == start + 3
    assert stack.one("select seq from turunc.consumer_cursor where client = %s", one.who.name) == start + 3


def test_views_follow_tickets(stack, reader):
    one = reader()
    one.subscribe(start="latest", types=["ticket.*"])
    one.give(100)
    number = Opener(stack, year=31).open(subject="cop-alinmadi")
    one.wait(lambda: "ticket.routed" in one.types())
    view = one.records[-1].view
    assert view.number == number and view.description == "what was said"
    assert view.citizen.name == "A B" and not view.citizen.masked
