"""Messages whose claim PostgreSQL commits only after the claimer's process, or connection, had ended and what
that had left was looked for."""
import contextlib

import psycopg2
import pytest
from notifier_world import IMPATIENT, World
from proxy import Links

LOOKS_S = 60        # as long as a message may be sent, two looks, and a busy machine


@pytest.fixture(scope="module")
def world():
    one = World(TURUNC_SMS_URL="", **IMPATIENT)
    yield one
    assert one.close(), "a service did not stop cleanly"


def open_unsent(world):
    """A ticket whose messages wait for the mail server."""
    world.wait_settled()
    world.mail.stop()
    number = world.open(email="gec@ornek.example")[0]
    world.stack.wait(lambda: {row[0] for row in world.rows(number).values()} == {"queued"}
                     and len(world.rows(number)) == 2, what="nothing leaves")
    return number


@contextlib.contextmanager
def claim_that_does_not_end(world, number):
    """The first message is being claimed, the COMMIT sent already, for as long as this holds: its next attempts have
    been written down by somebody who has not committed them either."""
    stack = world.stack
    link = psycopg2.connect(stack.conninfo())

    def written():
        """False: it was just being claimed, as it is now and then."""
        try:
            link.cursor().execute(
                "insert into turunc.notification_attempt (notification_id, attempt, started_us)"
                " select notification_id, attempts + n, 0 from turunc.notification, generate_series(1, 9) n"
                " where notification_id = %s", (world.rows(number)["opened", "email"][3],))
        except psycopg2.errors.UniqueViolation:
            link.rollback()
            return False
        return True
    try:
        stack.wait(written)
        stack.wait(lambda: len(stack.waiting("WITH due AS%")) == 1, what="the claim waits")
        world.mail.start()
        yield
    finally:
        link.close()


def wait_look(world):
    """It sends other people's: so it has looked for what was left, and found nothing."""
    other = world.open(email="diger@ornek.example")[0]
    world.wait_state(other, "opened", "sent", LOOKS_S)


def told(world, number):
    return [mail for mail in list(world.mail.taken) if number in mail.subject]


def test_what_a_dead_process_claims_is_found(world):
    """It may have been sent, for all that its successor knows: it is in doubt, and those behind it go out."""
    stack = world.stack
    number = open_unsent(world)
    with claim_that_does_not_end(world, number):
        stack.kill9("notifier")
        stack.restart("notifier")
        wait_look(world)
    world.wait_state(number, "opened", "unknown", LOOKS_S)
    world.wait_state(number, "routed", "sent", LOOKS_S)
    assert stack.metric("notifier", "turunc_notifier_strays_total") == 1
    assert stack.metric("notifier", "turunc_notifier_interrupted_total") == 1
    assert len(told(world, number)) == 1, "what is in doubt was sent again"


def test_what_a_lost_connection_claims_is_found(world):
    """It was not sent, as this process knows: it is sent now, once."""
    stack, links = world.stack, Links()
    try:
        folder = stack.link_record(links)
        stack.restart("notifier", env={"TURUNC_DATABASE": stack.conninfo("turunc_notifier", folder)})
        number = open_unsent(world)
        with claim_that_does_not_end(world, number):
            links.set("record", "cut")
            links.set("record", "pass")
            wait_look(world)
        world.wait_state(number, "opened", "sent", LOOKS_S)
        world.wait_state(number, "routed", "sent", LOOKS_S)
        assert stack.metric("notifier", "turunc_notifier_strays_total") == 1
        assert len(told(world, number)) == 2
    finally:
        stack.restart("notifier", env={})
        links.close()
