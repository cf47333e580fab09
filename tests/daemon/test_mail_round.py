"""E-mail there and back: a mail is a ticket, its receipt carries signed addresses, and what comes back to those finds
the ticket or the message; and erasing takes the raw mail along."""
import itertools
import json
import os
import resource
import threading

import pytest

import lmtp
from municipality import never_quiet
from stack import Stack

BASE = "turuncmasa@muratpasa.example"
TAKEN = ["250 2.0.0 Taken."]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(services=["sink", "intake", "router", "notifier"],
               config=never_quiet(str(tmp_path_factory.mktemp("config") / "config"))) as made:
        made.start()
        yield made


def receipt(stack, address):
    def found():
        return [m for m in stack.messages() if m["kind"] == "mail" and m["to"] == [address]]
    return stack.wait(found, 30, f"{address} is written to")[0]


def send(stack, mail, to=BASE, sender="ayse@example.org"):
    return lmtp.send(stack.port["lmtp"], mail, [to], sender)


def said(stack, subject):
    return stack.sql("select kind, ticket_id, contact_id from turunc.contact where description like %s", subject + "%")[0]


def test_what_we_write_brings_answers_back(stack):
    assert send(stack, lmtp.letter(subject="Gidis", sender="ayse@example.org")) == TAKEN
    ticket = said(stack, "Gidis")[1]
    ours = receipt(stack, "ayse@example.org")
    back, path = ours["headers"]["Reply-To"].strip("<>"), ours["sender"]
    assert back.startswith(BASE.split("@", maxsplit=1)[0] + "+r.") and path.startswith(BASE.split("@", maxsplit=1)[0] + "+b.")
    # to Reply-To, from another address of the family
    assert send(stack, lmtp.letter(subject="Re: Donus", sender="komsu@example.org"), back) == TAKEN
    assert said(stack, "Re: Donus")[:2] == ("follow_up", ticket)
    # a program that forgets Reply-To and keeps the thread
    thread = [("In-Reply-To", ours["message_id"]), ("References", ours["message_id"])]
    assert send(stack, lmtp.letter(subject="Re: Konudan", sender="Ayse@Example.org", headers=thread)) == TAKEN
    assert said(stack, "Re: Konudan")[:2] == ("follow_up", ticket)
    stack.wait(lambda: stack.one("select count(*) from turunc.event_log where type = 'contact.recorded' and ticket_id = %s",
                                 ticket) == 2, 20, "both are in the log")
    # our own mail, sent back by a rule of somebody's, ends here
    loop = lmtp.letter(subject="Dongu", sender=BASE, headers=[("Auto-Submitted", "auto-generated")])
    assert send(stack, loop, back) == TAKEN
    assert said(stack, "Dongu")[:2] == ("machine", None)


def test_a_report_settles_the_message_it_is_about(stack):
    assert send(stack, lmtp.letter(subject="Ulasmaz", sender="ulasmaz@example.org"), sender="ulasmaz@example.org") == TAKEN
    ours = receipt(stack, "ulasmaz@example.org")
    message = ours["message_id"].strip("<>").split("@")[0]
    stack.wait(lambda: stack.one("select state from turunc.notification where notification_id = %s", message) == 3, 20)
    assert send(stack, lmtp.report(), ours["sender"], sender="") == TAKEN
    stack.wait(lambda: stack.one("select handled_us from turunc.bounce where notification_id = %s", message), 30,
               "notifier has looked at it")
    assert stack.one("select state from turunc.notification where notification_id = %s", message) == 5
    assert not [m for m in stack.messages() if m["to"] == [""]], "nobody answers a report"


def test_a_mail_that_cannot_be_read_is_answered_unless_a_machine_wrote_it(stack):
    """More parts than the reader has memory for: nothing of it is understood but what is seen while it comes in."""
    parts = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\nq\r\n" * 1200000
    for name, header in (("robot", b"Auto-Submitted: auto-replied\r\n"), ("kisi", b"")):
        mail = header + b"From: " + name.encode() + b"@example.org\r\nSubject: Bomba\r\n" + parts
        assert send(stack, mail, sender=f"{name}@example.org") == TAKEN
    rows = stack.sql("""select c.email, c.kind, (select count(*) from turunc.attachment f where f.owner_id = c.contact_id)
                        from turunc.contact c where c.description like 'Bu e-posta okunamad%' order by c.recorded_us""")
    assert rows == [(None, "report", 1), ("kisi@example.org", "report", 1)], "both are seen at the desk, whole"
    receipt(stack, "kisi@example.org")
    assert not [m for m in stack.messages() if m["to"] == ["robot@example.org"]]


def reader_status(service):
    """What the kernel says of a process that reads a mail for it, {} while there is none."""
    try:
        with open(f"/proc/{service}/task/{service}/children", encoding="ascii") as file:
            child = file.read().split()[0]
        with open(f"/proc/{child}/status", encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (OSError, IndexError):
        return {}


def test_who_reads_a_mail_can_do_little_else(stack):
    """What it may is tests/unit/test_intake_reader_sandbox.c; here, that the service's reader is such a one."""
    mail = (b"From: uzun@example.org\r\nSubject: Uzun\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
            b"boundary=x\r\n\r\n" + b"--x\r\n\r\nq\r\n" * 200000)
    answers = []
    service = stack.process["intake"].pid
    seen = False
    while not seen:     # a reader may be gone before it was looked at
        sender = threading.Thread(target=lambda: answers.extend(send(stack, mail, sender="uzun@example.org")))
        sender.start()
        while sender.is_alive() and not seen:
            seen = reader_status(service).get("Seccomp") == "2"
        sender.join()
        assert answers == TAKEN
        answers.clear()
    with open(f"/proc/{service}/status", encoding="utf-8") as file:
        assert "Seccomp:\t0" in file.read(), "the service itself has not"


def files_left(service, count):
    """Sets the service's limit so that it can open count files more; what it had before."""
    held = {int(name) for name in os.listdir(f"/proc/{service}/fd")}
    free = itertools.islice((number for number in itertools.count() if number not in held), count, None)
    before = resource.prlimit(service, resource.RLIMIT_NOFILE)
    resource.prlimit(service, resource.RLIMIT_NOFILE, (next(free), before[1]))
    return before


def test_a_mail_that_nobody_can_begin_to_read_comes_again(stack):
    """The mail is not at fault: its server keeps it, where a ticket would say that it cannot be read."""
    service = stack.process["intake"].pid
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        link.hello()
        for attempt in range(10):
            # Two files are there for the mail, and none for the pipe of its reader; where something else has closed
            # one meanwhile, once more.
            sender = f"okunan{attempt}@example.org"
            mail = lmtp.letter(subject="Okuyan yok", sender=sender)
            before = files_left(service, 2)
            try:
                answers = link.send(sender, [BASE], mail)
            finally:
                resource.prlimit(service, resource.RLIMIT_NOFILE, before)
            if answers != TAKEN:
                break
        assert [answer[:3] for answer in answers] == ["451"]
        assert link.send(sender, [BASE], mail) == TAKEN
    assert stack.metric("intake", 'turunc_intake_mails_total{outcome="not_read"}') == 1
    assert stack.sql("select description like 'Okuyan yok%%' from turunc.contact where email = %s", sender) == [(True,)]


def test_erasing_takes_the_raw_mail_along(stack):
    address = "silinecek@example.org"
    assert send(stack, lmtp.letter(subject="Silinecek", sender=address), sender=address) == TAKEN
    away = lmtp.letter(subject="Silinecek makine", sender=address, headers=[("Auto-Submitted", "auto-replied")])
    assert send(stack, away, sender=address) == TAKEN
    contact = stack.one("select contact_id from turunc.contact where email = %s and kind = 'report'", address)
    name = stack.one("select encode(digest, 'hex') from turunc.attachment where owner_id = %s", contact)
    path = os.path.join(stack.path("state", "intake", "attachments"), name[:2], name)
    assert os.path.exists(path)
    held = json.loads(stack.masa("citizen", "export", address))
    assert [photo["type"] for photo in held["photos"]] == ["message/rfc822"] * 2
    receipt(stack, address)
    stack.wait(lambda: not stack.one("select count(*) from turunc.notification where state in (1, 2)"), 20)
    stack.masa("citizen", "erase", address, "--reason", "istek", "--confirm", "2", "--open-too")
    stack.wait(lambda: not os.path.exists(path), 20, "the file is gone")
    assert not stack.sql("select 1 from turunc.contact where email = %s or description like 'Silinecek%%'", address)
