"""Digests whose transaction was lost on its way to PostgreSQL or back: what became of one is known here and is
written down in the end, and what was not handed over is."""
import asyncio
import contextlib
import os
import signal
import time

import psycopg2
import pytest
from municipality import config_copy, reminded_now
from notifier_world import FAST, MailServer
from proxy import Links
from stack import Stack

SENDING, SENT = 2, 3


class Server(MailServer):
    """Answers when it may: a mail is taken, or put off once."""

    def __init__(self, port):
        super().__init__(port)
        self.silent = False
        self.asked = 0

    async def handle_DATA(self, server, session, envelope):
        self.asked += 1
        while self.silent:
            await asyncio.sleep(0.02)
        if self.mode == "later":
            self.mode = "ok"
            return "451 4.3.0 come back"
        self.taken.append(envelope.rcpt_tos[0])
        return "250 2.0.0 taken"


class World:
    """A notifier that speaks to PostgreSQL over a link, and the digests of this test."""

    def __init__(self):
        self.stack = Stack(services=["notifier"], config=None,
                           env={"notifier": {**FAST, "TURUNC_REMINDERS_LOOK": "50ms"}})
        # One window is open, and none opens while a test runs: all looks but the first are claims.
        self.stack.masa("config", "apply", reminded_now(config_copy(self.stack.path("config")), "yazi"))
        self.mail = Server(self.stack.port["smtp"])
        self.mail.start()
        self.links = Links()
        there = self.stack.conninfo("turunc_notifier", self.stack.link_record(self.links))
        self.stack.process["notifier"].env["TURUNC_DATABASE"] = there
        self.stack.start()
        self.count = 0

    def close(self):
        clean = self.stack.close()
        self.links.close()
        self.mail.stop()
        return clean

    def queue(self, window_us=None, link=None):
        """(id, recipient) of a digest that is to be sent now; over a link of one's own, when that commits."""
        self.count += 1
        now_us, to = time.time_ns() // 1000, f"birim-{self.count}@ornek.example"
        insert = """insert into turunc.reminder (reminder_id, recipient, window_us, tickets, subject, body, state,
            next_attempt_us, created_us, updated_us) values (gen_random_uuid(), %s, %s, 1, 'Bir', 'Bir', 1, 0, 0, 0)
            returning reminder_id::text"""
        given = (to, now_us if window_us is None else window_us)
        if link is None:
            return self.stack.one(insert, *given), to
        with link.cursor() as cursor:
            cursor.execute(insert, given)
            return cursor.fetchone()[0], to

    def state(self, digest):
        return self.stack.one("select state from turunc.reminder where reminder_id = %s", digest)

    def attempts(self, digest):
        return self.stack.one("select attempts from turunc.reminder where reminder_id = %s", digest)

    def wait_state(self, digest, state):
        self.stack.wait(lambda: self.state(digest) == state, what=f"the digest is {state}")

    @contextlib.contextmanager
    def locked(self):
        """Nobody else can change a digest, nor prepare to.  Gives the link that holds the lock."""
        link = psycopg2.connect(self.stack.conninfo())
        try:
            link.cursor().execute("lock table turunc.reminder in share mode")
            yield link
        finally:
            link.close()

    @contextlib.contextmanager
    def outcome_lost(self, mode):
        """Within it the server has answered, and the transaction that said so was lost."""
        self.mail.silent, self.mail.mode = True, mode
        asked = self.mail.asked
        digest, to = self.queue()
        self.stack.wait(lambda: self.mail.asked > asked, what="it is handed over")
        with self.locked():
            self.mail.silent = False
            backend, = self.stack.wait(lambda: self.stack.waiting("UPDATE turunc.reminder SET state = $3%"),
                                       what="its outcome waits")
            yield digest, to
            assert self.stack.one("select pg_terminate_backend(%s, 60000)", backend)


@pytest.fixture(scope="module")
def world():
    one = World()
    yield one
    assert one.close(), "the notifier did not stop cleanly"


@pytest.mark.parametrize("mode, attempts", (("later", 2), ("ok", 1)))
def test_an_outcome_is_said_again(world, mode, attempts):
    with world.outcome_lost(mode) as (digest, to):
        pass
    world.wait_state(digest, SENT)
    assert world.attempts(digest) == attempts and world.mail.taken.count(to) == 1


def test_an_outcome_is_said_before_the_end(world):
    """SIGTERM while it is not in the record."""
    stack, notifier = world.stack, world.stack.process["notifier"]
    with world.outcome_lost("ok") as (digest, to):
        notifier.signal(signal.SIGTERM)
        stack.wait(lambda: not stack.ready("notifier"), what="it drains")
    stack.wait(lambda: not notifier.running(), what="it has ended")
    ended, state = notifier.exit_code(), world.state(digest)
    stack.restart("notifier")
    assert ended == 0 and state == SENT and world.mail.taken.count(to) == 1


def test_words_that_the_record_will_not_have_are_left_out(world):
    stack = world.stack
    stack.sql("""create function turunc.no_words() returns trigger language plpgsql as
        $$begin raise 'no such words' using errcode = 'check_violation'; end$$;
        create trigger no_words before update on turunc.reminder for each row when (new.detail like 'smtp 451%')
        execute function turunc.no_words()""")
    try:
        world.mail.mode = "later"
        digest, to = world.queue()
        world.wait_state(digest, SENT)
    finally:
        stack.sql("drop trigger no_words on turunc.reminder; drop function turunc.no_words()")
    assert world.attempts(digest) == 2 and world.mail.taken.count(to) == 1


def test_what_a_lost_connection_claims_is_sent(world):
    """PostgreSQL commits the claim after the next one has looked for such."""
    stack, link = world.stack, psycopg2.connect(world.stack.conninfo())
    stack.terminate("notifier")
    digest, to = world.queue()
    late, _ = world.queue(window_us=0)
    try:
        link.cursor().execute("select from turunc.reminder where reminder_id = %s for update", (late,))
        stack.restart("notifier", wait=False)
        claims = stack.wait(lambda: world.stack.waiting("WITH lost AS%"), what="the claim waits")
        world.links.set("record", "cut")
        world.links.set("record", "pass")
        stack.wait(lambda: set(world.stack.waiting("WITH lost AS%")) > set(claims), what="the next claim waits")
    finally:
        link.close()
    world.wait_state(digest, SENT)
    assert world.attempts(digest) == 2 and world.mail.taken.count(to) == 1


def test_a_claim_that_comes_late_takes_nothing_back(world):
    """PostgreSQL runs a claim whose connection was cut while the digest that the next one has claimed is sent."""
    world.mail.silent, asked = True, world.mail.asked
    with world.locked() as link:
        claim, = world.stack.wait(lambda: world.stack.waiting("WITH lost AS%"), what="a claim waits")
        os.kill(claim, signal.SIGSTOP)
        world.links.set("record", "cut")
        world.links.set("record", "pass")
        digest, to = world.queue(link=link)
        link.commit()
    try:
        world.stack.wait(lambda: world.mail.asked > asked, what="it is handed over")
    finally:
        os.kill(claim, signal.SIGCONT)
    world.stack.wait(lambda: world.stack.one("select count(*) from pg_stat_activity where pid = %s", claim) == 0,
                     what="the late claim is over")
    assert world.state(digest) == SENDING
    world.mail.silent = False
    world.wait_state(digest, SENT)
    assert world.attempts(digest) == 1 and world.mail.taken.count(to) == 1
