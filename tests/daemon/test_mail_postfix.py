"""Behind a real Postfix: whatever dies, its queue drains, and every mail is one ticket."""
import itertools
import os
import smtplib
import threading
import time

import pytest

import lmtp
import reply_address
from intake_world import check_log, printed
from postfix import Postfix
from stack import MAIL_SECRET, Stack

BASE = "turuncmasa@muratpasa.example"
MAILS = 120  # at least

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root alone")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Stack(services=["intake"], own_postgres=True) as stack:
        stack.start()
        with Postfix(os.path.join(stack.folder, "postfix"), stack.port["lmtp"]) as postfix:
            yield stack, postfix


def bring(postfix, mail, sender, to=BASE):
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as link:
        link.sendmail(sender, [to], mail)


def subjects(stack):
    """subject -> how many contacts it has."""
    return dict(stack.sql("select split_part(description, E'\\n', 1), count(*) from turunc.contact group by 1"))


def test_the_queue_drains_after_any_outage_with_nothing_lost_or_doubled(world):
    stack, postfix = world
    sent, stop, enough = [], threading.Event(), threading.Event()

    def citizens():
        for count in itertools.count():
            if count >= MAILS and enough.is_set():
                return
            subject = f"Sorun {count}"
            bring(postfix, lmtp.letter(subject=subject, sender=f"kisi-{count}@example.org"), f"kisi-{count}@example.org")
            sent.append(subject)
            if stop.wait(0.02):
                return

    writer = threading.Thread(target=citizens)
    writer.start()
    began = time.monotonic()
    try:
        stack.wait(lambda: len(subjects(stack)) > 10, 60, "mail comes through")
        for _ in range(4):  # intake dies with mails in hand, between COMMIT and 250 among others
            so_far = len(subjects(stack))
            stack.kill9("intake")
            stack.start("intake")
            stack.wait(lambda seen=so_far: len(subjects(stack)) > seen or not postfix.queue(), 60, "it goes on")
        stack.kill9("postgres")  # the record is away: 451, and Postfix keeps what it has
        taken = len(sent)
        stack.wait(lambda: len(sent) >= max(MAILS, taken + 20), 120, "Postfix takes all")
        enough.set()
        writer.join()
        stack.wait(lambda: stack.http("intake", "GET", "/metrics") and
                   (stack.metric("intake", 'turunc_intake_lmtp_total{what="refused"}') or 0) > 0, 30, "mail is deferred")
        assert postfix.queue(), "what came meanwhile waits in the queue"
        stack.restart("postgres")
        stack.wait_ready("intake")
        postfix.wait_empty(90)
    finally:
        stop.set()
        writer.join()
    assert subjects(stack) == {subject: 1 for subject in sent}, "nothing lost, nothing doubled"
    assert stack.one("select count(*) from turunc.ticket") == len(sent)
    # What it has done is written down a moment later.
    stack.wait(lambda: postfix.statuses().get("sent", 0) >= len(sent), what="Postfix has told of each")
    statuses = postfix.statuses()
    assert statuses.get("sent") == len(sent) and statuses.get("deferred", 0) > 0 and "bounced" not in statuses
    raw = dict(stack.sql("select encode(digest, 'hex'), bytes from turunc.attachment where type = 4"))
    assert len(raw) == len(sent)
    for name, size in raw.items():
        assert os.path.getsize(os.path.join(stack.path("state", "intake", "attachments"), name[:2], name)) == size
    check_log(stack)
    print(f"\nPostfix: {len(sent)} mails, {statuses}, {time.monotonic() - began:.1f} s")


def test_signed_addresses_come_through_it_and_unknown_ones_end_at_it(world):
    stack, postfix = world
    ticket = stack.one("select ticket_id from turunc.ticket order by 1 limit 1")
    to = reply_address.reply(MAIL_SECRET, BASE, printed(ticket))
    bring(postfix, lmtp.letter(subject="Yanit"), "yanit@example.org", to)
    stack.wait(lambda: subjects(stack).get("Yanit"), 30, "the answer is there")
    assert stack.one("select ticket_id from turunc.contact where description like 'Yanit%%'") == ticket
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        bring(postfix, lmtp.letter(), "kim@example.org", "nobody@muratpasa.example")
