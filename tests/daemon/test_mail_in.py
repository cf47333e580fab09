"""E-mail in: what each mail becomes, what the door says, and that nothing is taken that is not in the record."""
import contextlib
import email.utils
import glob
import json
import os
import shutil
import struct
import threading
import time
import uuid

import psycopg2
import pytest

import lmtp
import photos
import reply_address
from intake_world import printed
from servers import BUILD
from stack import MAIL_SECRET, Stack

BASE = "turuncmasa@muratpasa.example"
MAIL = 4  # Channel, and the type of a raw mail's file
TRIAGE, CLOSED = 2, 12


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake", "router"], env={"intake": {
            "TURUNC_MAIL_PER_MINUTE": "1", "TURUNC_MAIL_BURST": "8", "TURUNC_LMTP_CONNECTIONS": "6",
            "TURUNC_LMTP_MAIL_BYTES": "2MiB", "TURUNC_MAIL_ADDRESSES": "iletisim@eski.example, x@y.example",
            "TURUNC_LMTP_COMMAND_TIMEOUT": "20s", "TURUNC_INTAKE_WAIT": "20s"}}) as made:
        made.start()
        made.count = 0
        yield made


def send(stack, mail, *recipients, sender=None):
    stack.count += 1
    return lmtp.send(stack.port["lmtp"], mail, recipients or (BASE,),
                     f"person{stack.count}@example.org" if sender is None else sender)


def contact(stack, description):
    """The newest whose description begins so, as a dict."""
    names = ("contact_id", "ticket_id", "kind", "channel", "name", "email", "description", "arrived_us", "recorded_us",
             "opened")
    rows = stack.sql("""select c.contact_id, c.ticket_id, c.kind, c.channel, c.name, c.email, c.description, c.arrived_us,
                          c.recorded_us, exists (select from turunc.ticket t where t.contact_id = c.contact_id)
                        from turunc.contact c where c.description like %s order by c.recorded_us desc limit 1""",
                     description + "%")
    assert rows, f"no contact says {description}"
    return dict(zip(names, rows[0]))


def files(stack):
    return glob.glob(os.path.join(stack.path("state", "intake", "attachments"), "[0-9a-f][0-9a-f]", "*"))


def drafts(stack):
    return glob.glob(os.path.join(stack.path("state", "intake", "attachments"), "new", "*"))


# --- what it becomes --------------------------------------------------------------------------------------

def test_a_mail_is_a_ticket_in_triage_with_its_photos_and_its_raw_self(stack):
    then = time.time() - 7200
    photo = photos.png_of(200, 150)
    mail = lmtp.letter(subject="Birinci", sender="ayse@example.org", headers=[("Received", f"by mx; {email.utils.formatdate(then)}")], attachments=[
        ("image", "png", "çukur.png", photo), ("image", "png", "logo.png", photos.png_of(16, 16)),
        ("application", "pdf", "dilekçe.pdf", b"%PDF-1.4")])
    assert send(stack, mail, sender="ayse@example.org") == ["250 2.0.0 Taken."]
    made = contact(stack, "Birinci")
    assert (made["kind"], made["channel"], made["name"], made["email"]) == ("report", MAIL, "Ayşe İnan", "ayse@example.org")
    assert made["description"] == ("Birinci\n\nÜç gündür alınmıyor.\n\n"
                                   "[Yalnızca e-postanın aslındaki ekler: dilekçe.pdf]")
    assert abs(made["arrived_us"] / 1e6 - then) < 2, "the day our own server took it counts"
    rows = stack.sql("select type, width, height, encode(digest, 'hex') from turunc.attachment where owner_id = %s "
                     "order by place", made["contact_id"])
    assert [row[:3] for row in rows] == [(2, 200, 150), (MAIL, 0, 0)]
    with open(os.path.join(stack.path("state", "intake", "attachments"), rows[1][3][:2], rows[1][3]), "rb") as file:
        raw = file.read()
    assert raw == b"Return-Path: <ayse@example.org>\r\n" + mail
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s",
                                 made["ticket_id"]) == TRIAGE, 20, "router put it into triage")


def test_a_mail_that_comes_twice_is_one_and_another_text_under_its_id_is_another(stack):
    before = stack.one("select count(*) from turunc.ticket"), len(files(stack))
    mail = lmtp.letter(subject="Iki kez", message_id="<same@example.org>")
    other = lmtp.letter(subject="Iki kez", text="baska\n", message_id="<same@example.org>")
    late = b"Received: by another.example; Mon, 30 Nov 2026 10:00:00 +0300\r\nX-Spam: no\r\n" + mail
    for sent in (mail, mail, late, other):
        assert send(stack, sent) == ["250 2.0.0 Taken."]
    assert stack.one("select count(*) from turunc.ticket") == before[0] + 2
    assert len(files(stack)) == before[1] + 2, "the files of repeats are gone"
    assert stack.metric("intake", 'turunc_intake_mails_total{outcome="repeat"}') == 2


def test_two_recipients_of_one_mail_hear_one_answer_each_and_it_is_one_ticket(stack):
    before = stack.one("select count(*) from turunc.ticket")
    answers = send(stack, lmtp.letter(subject="Iki alici"), BASE, "iletisim@eski.example", BASE.upper())
    assert answers == ["250 2.0.0 Taken."] * 3
    assert stack.one("select count(*) from turunc.ticket") == before + 1


def message_of(stack, ticket_id, recipient):
    """A message that notifier has sent about it."""
    ident = uuid.uuid4()
    stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel, language,
                   recipient, state, created_us, updated_us) values (%s, %s, %s, 'ticket.opened', 'email', 'tr', %s, 3, 1, 1)""",
              str(ident), ticket_id, ticket_id, recipient)
    return ident


def test_an_answer_finds_its_ticket_by_a_signed_address_or_its_senders_thread_and_by_nothing_else(stack):
    assert send(stack, lmtp.letter(subject="Asil", sender="bilge@example.org")) == ["250 2.0.0 Taken."]
    ticket = contact(stack, "Asil")["ticket_id"]
    message = message_of(stack, ticket, "Bilge@example.org")
    number = printed(ticket)
    signed = reply_address.reply(MAIL_SECRET, BASE, number)
    thread = [("In-Reply-To", f"<{message}@muratpasa.example>")]
    cases = [
        ("imzali", dict(sender="komsu@example.org"), signed, True),
        ("imzali buyuk", dict(sender="komsu@example.org"), signed.upper(), True),
        ("kime", dict(sender="komsu@example.org", to=signed), BASE, True),
        ("konu", dict(sender="bilge@example.org", headers=thread), BASE, True),
        ("zarf", dict(sender="bilge@example.org"), reply_address.bounce(MAIL_SECRET, BASE, message), True),
        ("yabanci konu", dict(sender="yabanci@example.org", headers=thread), BASE, False),
        ("yabanci zarf", dict(sender="yabanci@example.org"), reply_address.bounce(MAIL_SECRET, BASE, message), False),
        ("sayi", dict(sender="yabanci@example.org", subject=f"Re: {number}"), BASE, False),
        ("sahte", dict(sender="bilge@example.org"), BASE.replace("@", f"+r.{number}.aaaaaaaaaaaaa@"), False),
    ]
    for name, more, to, attaches in cases:
        more = dict({"subject": name, "text": name + "\n"}, **more)
        assert send(stack, lmtp.letter(**more), to) == ["250 2.0.0 Taken."], name
        said = contact(stack, more["subject"])
        assert (said["ticket_id"] == ticket, said["kind"]) == (attaches, "follow_up" if attaches else "report"), name


def two_tickets(stack, name):
    """Their numbers in the record, and the addresses that answers to them go to."""
    tickets = []
    for count in (1, 2):
        assert send(stack, lmtp.letter(subject=f"{name} kayit {count}")) == ["250 2.0.0 Taken."]
        tickets.append(contact(stack, f"{name} kayit {count}")["ticket_id"])
    return tickets, [reply_address.reply(MAIL_SECRET, BASE, printed(ticket)) for ticket in tickets]


def recorded(stack, subject):
    return sorted(stack.sql("""select c.ticket_id, c.kind, (select count(*) from turunc.attachment f where f.owner_id = c.contact_id)
                                 from turunc.contact c where c.description like %s""", subject + "%"))


@pytest.mark.parametrize("transactions", [[[0], [1]], [[0, 1]], [[1, 0, 0], [0], [1]]],
                         ids=["two deliveries", "one transaction", "one, and each again"])
def test_a_mail_to_two_tickets_is_recorded_with_both_and_once_with_each(stack, transactions):
    name = f"Ikisine {len(transactions)}{len(transactions[0])}"
    tickets, signed = two_tickets(stack, name)
    before = len(files(stack))
    mail = lmtp.letter(subject=name + " birden", attachments=[("image", "png", "a.png", photos.png_of(200, 150))])
    for _ in range(2):
        for places in transactions:
            assert send(stack, mail, *(signed[place] for place in places)) == ["250 2.0.0 Taken."] * len(places)
        assert recorded(stack, name + " birden") == [(ticket, "follow_up", 2) for ticket in sorted(tickets)]
    assert len(files(stack)) == before + 4, "each has a mail and a photo of its own, repeats have left none"


@pytest.mark.parametrize("together", [False, True])
def test_a_mail_to_the_plain_address_and_a_ticket_is_both_unless_its_header_names_the_ticket(stack, together):
    tickets, signed = two_tickets(stack, f"Duz {together}")
    for name, to, kinds in (("gizli", "masa@example", ["follow_up", "report"]), ("acik", signed[0], ["follow_up"])):
        mail = lmtp.letter(subject=f"Duz {together} {name}", to=to)
        for _ in range(2):
            for recipients in ([(BASE, signed[0])] if together else [(BASE,), (signed[0],)]):
                assert send(stack, mail, *recipients) == ["250 2.0.0 Taken."] * len(recipients)
            rows = recorded(stack, f"Duz {together} {name}")
            assert sorted(row[1] for row in rows) == kinds and [row[0] for row in rows if row[1] == "follow_up"] == tickets[:1]


def test_a_mail_to_many_tickets_is_taken_for_some_and_the_others_come_again(stack):
    signed = [reply_address.reply(MAIL_SECRET, BASE, printed(260000001 + place)) for place in range(5)]
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        link.hello()
        link.say("MAIL FROM:<cok@example.org>")
        said = [link.say(f"RCPT TO:<{to}>")[:9] for to in signed + signed[:1] + [BASE]]
        assert said == ["250 2.1.5"] * 4 + ["452 4.5.3", "250 2.1.5", "452 4.5.3"]


def test_an_answer_to_what_was_closed_opens_another_that_follows_it(stack):
    assert send(stack, lmtp.letter(subject="Kapanan")) == ["250 2.0.0 Taken."]
    ticket = contact(stack, "Kapanan")["ticket_id"]
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s", ticket) == TRIAGE, 20)
    stack.sql("update turunc.ticket_state set status = %s, version = version + 1 where ticket_id = %s", CLOSED, ticket)
    signed = reply_address.reply(MAIL_SECRET, BASE, printed(ticket))
    assert send(stack, lmtp.letter(subject="Cozulmedi"), signed) == ["250 2.0.0 Taken."]
    first = contact(stack, "Cozulmedi")["ticket_id"]
    assert first != ticket, "nothing is hung on what nobody reads any more"
    assert stack.sql("select ticket_id from turunc.ticket_link where earlier_id = %s", ticket) == [(first,)]
    # what is said now is heard where it is worked on
    assert send(stack, lmtp.letter(subject="Hala cozulmedi"), signed) == ["250 2.0.0 Taken."]
    assert (contact(stack, "Hala")["ticket_id"], contact(stack, "Hala")["kind"]) == (first, "follow_up")
    # and when that is closed too, the next one follows it
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s", first) == TRIAGE, 20)
    stack.sql("update turunc.ticket_state set status = %s, version = version + 1 where ticket_id = %s", CLOSED, first)
    assert send(stack, lmtp.letter(subject="Yine cozulmedi"), signed) == ["250 2.0.0 Taken."]
    second = contact(stack, "Yine")["ticket_id"]
    assert stack.sql("select ticket_id from turunc.ticket_link where earlier_id = %s", first) == [(second,)]


def test_a_report_counts_only_with_the_null_sender(stack):
    message = uuid.uuid4()
    to = reply_address.bounce(MAIL_SECRET, BASE, message)
    # anybody may write one, and whoever got a mail of ours knows its return path
    assert send(stack, lmtp.report(), to, sender="herkes@kotu.example") == ["250 2.0.0 Taken."]
    assert stack.one("select count(*) from turunc.bounce where notification_id = %s", str(message)) == 0
    assert send(stack, lmtp.report(), to, sender="") == ["250 2.0.0 Taken."]
    assert stack.one("select count(*) from turunc.bounce where notification_id = %s", str(message)) == 1


@pytest.mark.parametrize("name,mail,sender", [
    ("Yokum", lmtp.letter(subject="Yokum", headers=[("Auto-Submitted", "auto-replied")]), None),
    ("Kimseden", lmtp.letter(subject="Kimseden"), ""),
    ("Kendimizden", lmtp.letter(subject="Kendimizden", sender=BASE), None),
    ("Bizimki", lmtp.letter(subject="Bizimki", headers=[("X-Turunc-Ticket", "26-0000001-6")]), None),
])
def test_a_machine_makes_no_ticket(stack, name, mail, sender):
    before = stack.one("select count(*) from turunc.ticket"), len(files(stack))
    assert send(stack, mail, sender=sender) == ["250 2.0.0 Taken."]
    said = contact(stack, name)
    assert (said["kind"], said["ticket_id"], said["opened"]) == ("machine", None, False)
    assert (stack.one("select count(*) from turunc.ticket"), len(files(stack)) - 1) == before, "the raw mail is kept"


def test_what_machines_wrote_is_listed_without_who_and_what(stack):
    assert send(stack, lmtp.letter(subject="Listelenen", sender="robot@makine.example",
                                   headers=[("Auto-Submitted", "auto-generated")])) == ["250 2.0.0 Taken."]
    said = contact(stack, "Listelenen")
    row = json.loads(stack.masa("mail", "machine", "--limit", 1, "--json"))[0]
    assert (row["contact"], row["domain"], row["characters"]) == (
        str(said["contact_id"]), "makine.example", len(said["description"]))
    assert row["of"] == stack.one("select count(*) from turunc.contact where kind = 'machine'")


def test_the_null_sender_has_a_rate_but_where_we_signed(stack):
    answers = [send(stack, lmtp.letter(subject="Kimsenin"), sender="")[0] for _ in range(9)]
    assert answers[-1].startswith("450 4.7.1")
    to = reply_address.bounce(MAIL_SECRET, BASE, uuid.uuid4())
    assert send(stack, lmtp.report(), to, sender="") == ["250 2.0.0 Taken."]


def test_a_machine_that_answers_to_a_signed_address_adds_nothing_to_the_ticket(stack):
    assert send(stack, lmtp.letter(subject="Tatilden")) == ["250 2.0.0 Taken."]
    ticket = contact(stack, "Tatilden")["ticket_id"]
    away = lmtp.letter(subject="Otomatik", headers=[("Auto-Submitted", "auto-replied")])
    assert send(stack, away, reply_address.reply(MAIL_SECRET, BASE, printed(ticket))) == ["250 2.0.0 Taken."]
    assert contact(stack, "Otomatik")["ticket_id"] is None


def test_reports_of_mail_that_did_not_arrive_are_noted_once_and_only_for_what_we_signed(stack):
    message = uuid.uuid4()
    to = reply_address.bounce(MAIL_SECRET, BASE, message)
    before = stack.one("select count(*) from turunc.contact"), len(files(stack))
    failed = lmtp.report(text="bir")
    for mail in (failed, failed, lmtp.report("delayed", "4.4.1", "iki")):
        assert send(stack, mail, to, sender="") == ["250 2.0.0 Taken."]
    rows = stack.sql("select permanent, status, handled_us from turunc.bounce where notification_id = %s "
                     "order by at_us", str(message))
    assert rows == [(True, "5.1.1", None), (False, "4.4.1", None)]
    for _ in range(6):
        assert send(stack, lmtp.report(), to, sender="") == ["250 2.0.0 Taken."]
    assert stack.sql("select permanent, count(*) from turunc.bounce where notification_id = %s group by 1 order by 1",
                     str(message)) == [(False, 1), (True, 5)]
    other = reply_address.bounce("another secret, as long", BASE, message)
    assert send(stack, lmtp.report(), other, sender="")[0].startswith("550 5.1.1")
    assert (stack.one("select count(*) from turunc.contact"), len(files(stack))) == before


def test_many_delays_do_not_hide_that_a_message_failed(stack):
    message = uuid.uuid4()
    to = reply_address.bounce(MAIL_SECRET, BASE, message)
    for _ in range(6):
        assert send(stack, lmtp.report("delayed", "4.4.1"), to, sender="") == ["250 2.0.0 Taken."]
    assert send(stack, lmtp.report(), to, sender="") == ["250 2.0.0 Taken."]
    assert stack.sql("select permanent, count(*) from turunc.bounce where notification_id = %s group by 1 order by 1",
                     str(message)) == [(False, 5), (True, 1)]


def test_two_answers_to_what_was_closed_in_one_moment_keep_their_words_and_find_each_other(stack):
    """Both find that nothing follows the closed ticket; the record lets one follow it."""
    assert send(stack, lmtp.letter(subject="Ayni anda")) == ["250 2.0.0 Taken."]
    ticket = contact(stack, "Ayni anda")["ticket_id"]
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s", ticket) == TRIAGE, 20)
    stack.sql("update turunc.ticket_state set status = %s, version = version + 1 where ticket_id = %s", CLOSED, ticket)
    signed = reply_address.reply(MAIL_SECRET, BASE, printed(ticket))
    answers = {}

    def bring(name):
        answers[name] = send(stack, lmtp.letter(subject=name, sender=f"{name}@example.org"), signed)

    workers = [threading.Thread(target=bring, args=(name,)) for name in ("ikizbir", "ikiziki")]
    link = psycopg2.connect(stack.conninfo())
    with contextlib.closing(link):
        link.cursor().execute("lock table turunc.ticket_link in exclusive mode")
        for count, worker in enumerate(workers, 1):
            worker.start()
            stack.wait(lambda count=count: stack.metric("intake", "turunc_intake_items_held") == count, 30,
                       "it has looked, and waits to be written")
        link.rollback()
    for worker in workers:
        worker.join()
    assert answers == {name: ["250 2.0.0 Taken."] for name in ("ikizbir", "ikiziki")}
    said = [contact(stack, name) for name in answers]
    assert [one["email"] for one in said] == [f"{name}@example.org" for name in answers]
    assert len({one["ticket_id"] for one in said}) == 1, "one follows the closed ticket, the other belongs there"
    assert sorted(one["kind"] for one in said) == ["follow_up", "report"]
    assert not stack.sql("select 1 from turunc.contact where description like 'Bu e-posta okunamadı%%'")


def test_one_address_may_write_so_often(stack):
    answers = [send(stack, lmtp.letter(subject="Cok"), sender="Cok@example.org")[0] for _ in range(10)]
    assert answers[:8] == ["250 2.0.0 Taken."] * 8
    assert answers[-1].startswith("450 4.7.1")
    # the address that a mail shows counts, whoever's envelope it comes in
    shown = [send(stack, lmtp.letter(subject="Cok", sender="gorunen@example.org"))[0] for _ in range(10)]
    assert shown[:8] == ["250 2.0.0 Taken."] * 8 and shown[-1].startswith("450 4.7.1")
    assert send(stack, lmtp.letter(subject="Baska")) == ["250 2.0.0 Taken."]


def test_a_mail_whose_words_the_record_refuses_is_a_ticket_without_them(stack):
    stack.sql("alter table turunc.contact add constraint no_such_words check (left(description, 8) <> 'Sigmayan' "
              "and email <> 'hic@example.org') not valid")
    try:
        for sender in ("sigmayan@example.org", "hic@example.org"):
            assert send(stack, lmtp.letter(subject="Sigmayan", sender=sender)) == ["250 2.0.0 Taken."]
            said = contact(stack, "Bu e-posta okunamad")
            left = ("Ayşe İnan", sender) if sender != "hic@example.org" else (None, None)
            assert (said["kind"], said["opened"], said["name"], said["email"]) == ("report", True, *left)
            digest = stack.one("select encode(digest, 'hex') from turunc.attachment where owner_id = %s", said["contact_id"])
            with open(os.path.join(stack.path("state", "intake", "attachments"), digest[:2], digest), "rb") as file:
                assert sender.encode() in file.read(), "all it said is in the raw mail"
    finally:
        stack.sql("alter table turunc.contact drop constraint no_such_words")


# --- what the door says ------------------------------------------------------------------------------------

def test_a_conversation_in_one_write(stack):
    mail = lmtp.letter(subject="Bir solukta")
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        assert link.greeting[0].startswith("220 ")
        link.raw(b"LHLO mx\r\nMAIL FROM:<solukta@example.org>\r\nRCPT TO:<%s>\r\nRCPT TO:<nobody@muratpasa.example>\r\n"
                 b"RCPT TO:<iletisim@eski.example>\r\nDATA\r\n" % BASE.encode())
        hello = link.answer()
        assert {"250-PIPELINING", "250-8BITMIME", "250-ENHANCEDSTATUSCODES", "250 SIZE 2097152"} <= set(hello)
        assert [link.answer()[0][:3] for _ in range(5)] == ["250", "250", "550", "250", "354"]
        link.raw(mail + b".\r\nMAIL FROM:<>\r\nRSET\r\nNOOP\r\nQUIT\r\n")
        assert [link.answer()[0][:3] for _ in range(6)] == ["250", "250", "250", "250", "250", "221"]
        assert link.answer() == [], "the door is closed"
    assert contact(stack, "Bir solukta")["kind"] == "report"


def test_nothing_in_a_mail_ends_it_but_its_end(stack):
    before = stack.one("select count(*) from turunc.contact")
    inner = (b"\n.\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<" + BASE.encode()
             + b">\r\nDATA\r\nSubject: Kacak\r\n\r\nx\r\n\r.\r\n")
    mail = lmtp.letter(subject="Kacakci") + inner
    assert send(stack, mail) == ["250 2.0.0 Taken."]
    assert stack.one("select count(*) from turunc.contact") == before + 1


@pytest.mark.parametrize("line,answer", [
    ("EHLO mx", "500 5.5.1"), ("MAIL FROM:<a@b.tr>", "503 5.5.1"), ("DATA", "503 5.5.1"), ("RCPT TO:<a@b.tr>", "503 5.5.1"),
    ("LHLO", "501 5.5.4"), ("BDAT 5", "500 5.5.2"), ("NOOP", "250 2.0.0"), ("VRFY a", "252 2.5.2")])
def test_commands_out_of_order(stack, line, answer):
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        assert link.say(line).startswith(answer)


def test_bounds_of_a_session(stack):
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        link.hello()
        assert link.say("MAIL FROM:<a@b.tr> SIZE=3000000").startswith("552 5.3.4")
        assert link.send("buyuk@example.org", [BASE], lmtp.letter(text="x" * 70 + "\n") + b"x" * 2200000)[0].startswith(
            "552 5.3.4")
        assert link.say("MAIL FROM:<buyuk@example.org>").startswith("250")
        assert link.say("DATA").startswith("503"), "nobody to bring it to"
        answers = {link.say(f"RCPT TO:<{BASE}>")[:9] for _ in range(101)}
        assert answers == {"250 2.1.5", "452 4.5.3"}
        link.raw(b"NOOP " + b"x" * 5000 + b"\r\n")
        assert link.answer()[0].startswith("500 5.5.2") and link.answer() == []
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        link.raw(b"LHLO mx\n")
        assert link.answer()[0].startswith("500 5.5.2") and link.answer() == []
    with lmtp.Lmtp(stack.port["lmtp"]) as link:
        said = [link.say("WHAT") for _ in range(21)]
        assert said[-1].startswith("421 4.7.0") and link.answer() == []
    assert not drafts(stack)


def test_so_many_connections_and_no_longer_than_that(stack):
    links = [lmtp.Lmtp(stack.port["lmtp"]) for _ in range(6)]
    with lmtp.Lmtp(stack.port["lmtp"]) as late:
        assert late.greeting[0].startswith("421 4.3.2") and late.answer() == []
    # one that stops in the middle of a mail leaves nothing
    links[0].hello()
    links[0].say("MAIL FROM:<yarim@example.org>")
    links[0].say(f"RCPT TO:<{BASE}>")
    links[0].say("DATA")
    links[0].raw(lmtp.letter(subject="Yarim"))
    stack.wait(lambda: drafts(stack), 10, "a draft is being written")
    for link in links:
        link.close()
    stack.wait(lambda: not drafts(stack), 10, "and is gone")
    stack.wait(lambda: stack.metric("intake", "turunc_intake_lmtp_connections") == 0, 10)
    assert not stack.sql("select 1 from turunc.contact where description like 'Yarim%%'")


def test_many_at_once_are_all_taken(stack):
    """As many as may connect, several mails each, read two at a time."""
    answers = []

    def bring(worker):
        with lmtp.Lmtp(stack.port["lmtp"], timeout=120) as link:
            link.hello()
            for mail in range(6):
                answers.extend(link.send(f"cok{worker}-{mail}@example.org", [BASE], lmtp.letter(
                    subject=f"Kalabalik {worker} {mail}", sender=f"cok{worker}-{mail}@example.org")))

    stack.wait(lambda: stack.metric("intake", "turunc_intake_lmtp_connections") == 0, 10)
    workers = [threading.Thread(target=bring, args=(worker,)) for worker in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert answers == ["250 2.0.0 Taken."] * 36
    assert stack.one("select count(*) from turunc.contact where description like 'Kalabalik%%'") == 36


def test_the_log_of_the_service_names_nobody(stack):
    log = stack.log("intake")
    assert "lmtp_port=" in log
    for word in ("ayse@example.org", "İnan", "Çöp", BASE.split("@", maxsplit=1)[0]):
        assert word not in log, word


def test_a_slow_disk_keeps_nobody_else_waiting(stack, tmp_path):
    """A mail's file and its folder are made durable beside the loop; a disk that takes 3 s for each is seen by the
    mail's server alone."""
    library = shutil.copy(os.path.join(BUILD, "tests", "bad_disk.so"), tmp_path / "bad_disk.so")
    state = tmp_path / "bad_disk.so.state"
    state.write_bytes(struct.pack("=5i", 0, 0, 0, 0, 0))
    stack.restart("intake", env={"LD_PRELOAD": str(library)})
    # The service's own small files (numbers, the configuration) are written as it starts and begins to give numbers.
    stack.wait(lambda: send(stack, lmtp.letter(subject="Erken")) == ["250 2.0.0 Taken."], 30, "it takes mails again")
    with open(state, "r+b", buffering=0) as disk:
        disk.write(struct.pack("=4i", 0, 0, 0, 3000))
    answers, slowest = [], 0
    began = time.monotonic()
    sender = threading.Thread(target=lambda: answers.extend(send(stack, lmtp.letter(subject="Yavaş disk"))))
    sender.start()
    while sender.is_alive():
        asked = time.monotonic()
        assert stack.http("intake", "GET", "/healthz").status == 200
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.02)
    took = time.monotonic() - began
    stack.restart("intake", env={"LD_PRELOAD": ""})
    print(f"a mail of {took:.1f} s, slowest answer meanwhile {slowest * 1000:.0f} ms")
    assert answers == ["250 2.0.0 Taken."] and contact(stack, "Yavaş disk")["opened"]
    assert took > 6 and slowest < 3, "nobody waited for as long as one of them takes"
