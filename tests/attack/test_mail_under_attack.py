"""The LMTP door, attacked: mails made to crash, bury or stall whoever reads them, servers that never end what they
say, commands hidden in mails.  Each mail is a ticket that somebody can look at; citizens are served meanwhile.

The bounds of memory are those of the build as it will run: under AddressSanitizer what is freed stays in its quarantine."""
import contextlib
import glob
import os
import time

import lmtp
import pytest
from attack_world import citizen, honest_clients, under_attack
from stack import Stack

BASE = "turuncmasa@muratpasa.example"
CONNECTIONS = 24
TAKEN = "250 2.0.0 Taken."


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router"), env={"intake": {
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_LMTP_CONNECTIONS": str(CONNECTIONS),
            "TURUNC_LMTP_COMMAND_TIMEOUT": "8s", "TURUNC_LMTP_MAIL_TIMEOUT": "15s"}}) as made:
        made.start()
        honest_clients(made)
        yield made


def head(subject, more=b""):
    return b"From: saldiran@example.org\r\nSubject: " + subject.encode() + b"\r\n" + more


def nested(subject, depth):
    return head(subject) + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i)
                                    for i in range(depth)) + b"\r\nx\r\n"


BOMBS = {
    # GMime of Debian 12 crashes on the first, and runs out of memory on the second
    "gruplar": b"From: " + b"a: " * 1000000 + b"\r\nSubject: gruplar\r\n\r\nx\r\n",
    "parcalar": head("parcalar", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n") + b"--x\r\n\r\na\r\n" * 1000000,
    "ic ice": nested("ic ice", 5000),
    "zarf icinde": head("zarf icinde") + b"Content-Type: message/rfc822\r\n\r\n" * 100000 + b"x\r\n",
    "basliklar": head("basliklar", b"".join(b"X-%d: y\r\n" % i for i in range(100000))) + b"\r\nx\r\n",
    "tek baslik": head("tek baslik", b"X: " + b"y" * 10000000 + b"\r\n") + b"\r\nx\r\n",
    "yanitlar": head("yanitlar", b"References: " + b"<a@b> " * 300000 + b"\r\n") + b"\r\nx\r\n",
    "sozcukler": head("sozcukler " + "=?utf-8?Q?a?= " * 300000) + b"\r\nx\r\n",
    "etiketler": head("etiketler", b"Content-Type: text/html\r\n\r\n") + b"<div>" * 2000000 + b"\r\n",
    "sifirlar": head("sifirlar") + b"\r\n" + b"\0" * 5000000 + b"\r\n",
    "dev resim": head("dev resim", b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                      b"iVBORw0KGgoAAAANSUhEUgAAdTAAAHUwCAIAAAD/////\r\n"),
}


def tickets(stack):
    return stack.one("select count(*) from turunc.ticket t join turunc.contact c using (contact_id) where c.channel = 4")


def test_mails_that_crash_or_stall_their_reader(stack):
    """Each is taken and visible; those that no reader survives say so, and keep the raw mail."""
    with under_attack(stack, "mail bombs at intake", by=[citizen(stack, "intake")], grows_mib=48) as said:
        for count, (name, mail) in enumerate(BOMBS.items()):
            said["attempts"] += 1
            answers = lmtp.send(stack.port["lmtp"], mail, [BASE], f"saldiran{count}@example.org")
            assert answers == [TAKEN], name
        assert tickets(stack) == len(BOMBS)
        unread = stack.metric("intake", 'turunc_intake_mails_total{outcome="unreadable"}')
        said["unreadable"] = int(unread)
        assert unread >= 1, "one of them no reader survives"
        assert stack.one("select count(*) from turunc.contact where description like 'Bu e-posta okunamadı%%'") == unread
        assert stack.one("select count(*) from turunc.attachment where type = 4") == len(BOMBS)
        # none makes more of itself than a ticket has room for
        assert stack.one("select max(length(description)) from turunc.contact") <= 4000


def test_servers_that_never_end_what_they_say(stack):
    """They hold the connections there are, for as long as one may say nothing; nothing of theirs is left."""
    before = tickets(stack)
    with under_attack(stack, "endless mail servers", by=[citizen(stack, "intake")]) as said, \
            contextlib.ExitStack() as links:
        turned_away = 0
        for count in range(CONNECTIONS * 4):
            said["attempts"] += 1
            link = links.enter_context(lmtp.Lmtp(stack.port["lmtp"]))
            if link.greeting[0].startswith("421"):
                turned_away += 1
                continue
            if count % 2:
                link.hello()
                link.say(f"MAIL FROM:<hic{count}@example.org>")
                link.say(f"RCPT TO:<{BASE}>")
                link.say("DATA")
                link.raw(head("bitmeyen") + b"\r\n" + b"x" * 100000)
            else:
                link.raw(b"LHLO ")
        said["turned_away"] = turned_away
        assert turned_away >= CONNECTIONS * 3
        stack.wait(lambda: stack.metric("intake", 'turunc_intake_lmtp_total{what="timed_out"}') >= CONNECTIONS, 30,
                   "they are sent away")
    stack.wait(lambda: stack.metric("intake", "turunc_intake_lmtp_connections") == 0, 30, "and have gone")
    assert lmtp.send(stack.port["lmtp"], head("durust") + b"\r\nx\r\n", [BASE], "durust@example.org") == [TAKEN]
    assert tickets(stack) == before + 1
    assert not glob.glob(os.path.join(stack.path("state", "intake", "attachments"), "new", "*"))


def test_commands_hidden_in_mails(stack):
    before = tickets(stack)
    ends = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r\r\n", b"\r\n.\0\r\n", b"\n\n.\r\n"]
    with under_attack(stack, "smuggled mails", by=[citizen(stack, "intake")]) as said:
        for count, end in enumerate(ends):
            said["attempts"] += 1
            hidden = b"MAIL FROM:<gizli@example.org>\r\nRCPT TO:<" + BASE.encode() + b">\r\nDATA\r\n" + head("gizli") + b"\r\nx"
            with lmtp.Lmtp(stack.port["lmtp"]) as link:
                link.hello()
                link.say(f"MAIL FROM:<acik{count}@example.org>")
                link.say(f"RCPT TO:<{BASE}>")
                link.say("DATA")
                link.raw(head(f"acik {count}") + b"\r\nx" + end + hidden + b"\r\n.\r\n")
                assert link.answer() == [TAKEN]
                assert link.say("NOOP").startswith("250"), "nothing else was heard"
    assert tickets(stack) == before + len(ends)
    assert not stack.sql("select 1 from turunc.contact where email = 'gizli@example.org'")


def slow_mail(count, depth=1000, lines=200000):
    """Each of its lines is compared with every boundary: its reader needs seconds.  No two are the same."""
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(depth))
    return head(f"yavas {count}") + parts + b"\r\n" + b"--\r\n" * lines


def let_in(stack):
    """A connection: those that were closed may not have been seen to go yet."""
    def try_once():
        link = lmtp.Lmtp(stack.port["lmtp"], timeout=60)
        if link.greeting[0].startswith("220"):
            return link
        link.close()
        return None
    return stack.wait(try_once, 30, "the door has room for another")


def test_an_honest_mail_passes_a_flood_of_slow_ones(stack):
    """Sixty over twenty connections, by a server that does not wait: what nobody waits for is dropped, what comes again
    is not read twice, and what is in hand is bounded."""
    with under_attack(stack, "a flood of slow mails", by=[citizen(stack, "intake")]) as said, \
            contextlib.ExitStack() as links:
        open_links = []
        for count in range(60):
            said["attempts"] += 1
            if len(open_links) == 20:  # its server gives up, and comes again with the same mail
                open_links.pop(0).close()
            link = links.enter_context(let_in(stack))
            open_links.append(link)
            link.hello()
            link.say(f"MAIL FROM:<yavas{count}@example.org>")
            link.say(f"RCPT TO:<{BASE}>")
            if link.say("DATA").startswith("354"):
                with contextlib.suppress(OSError):
                    link.raw(slow_mail(count % 40) + b".\r\n")
        began = time.monotonic()
        with let_in(stack) as link:
            link.hello()
            assert link.send("sabirli@example.org", [BASE], lmtp.letter(subject="sabirli", to=BASE)) == [TAKEN]
        said["honest_s"] = round(time.monotonic() - began, 1)
        assert said["honest_s"] < 60
        in_hand = stack.metric("intake", "turunc_intake_mails_in_hand")
        said["in_hand"] = int(in_hand)
        assert in_hand <= CONNECTIONS + 2
        assert len(os.listdir(f"/proc/{stack.process['intake'].pid}/fd")) < 150
        assert stack.metric("intake", 'turunc_intake_mails_total{outcome="crowded"}') > 0
    stack.wait(lambda: stack.metric("intake", "turunc_intake_mails_in_hand") == 0, 60, "and nothing is left of them")


def test_a_server_that_does_not_read_replies(stack):
    """Its commands wait, and NOOP does not buy time for ever."""
    with under_attack(stack, "unread replies", by=[citizen(stack, "intake")], grows_mib=16) as said, \
            lmtp.Lmtp(stack.port["lmtp"]) as deaf, lmtp.Lmtp(stack.port["lmtp"]) as lingering:
        deaf.link.settimeout(1)
        with contextlib.suppress(OSError):
            while said["attempts"] < 5000000:
                deaf.raw(b"NOOP\r\n" * 10000)
                said["attempts"] += 10000
        assert said["attempts"] < 5000000, "it reads no further"
        end = time.monotonic() + 120
        heard = "250"
        while heard.startswith("250") and time.monotonic() < end:
            heard = lingering.say("NOOP")
            time.sleep(0.2)
        assert heard.startswith("421 4.4.2")


def test_a_rude_server_costs_its_own_connection(stack):
    with under_attack(stack, "rubbish at LMTP", by=[citizen(stack, "intake")]) as said:
        for rubbish in (b"\0" * 70000, b"x" * 70000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 30, b"\r\n" * 30,
                        bytes(range(256)) * 20, b"LHLO mx\r\nMAIL FROM:<" + b"a" * 3000 + b">\r\n"):
            said["attempts"] += 1
            with lmtp.Lmtp(stack.port["lmtp"]) as link:
                with contextlib.suppress(OSError):
                    link.raw(rubbish)
                end = time.monotonic() + 20
                said_back = [[""]]
                while said_back[-1] and time.monotonic() < end:
                    said_back.append(link.answer())
                assert any(line.startswith(("421", "500")) for line in sum(said_back, [])), rubbish[:20]
