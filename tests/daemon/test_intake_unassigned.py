"""What came by mail from machines or by SMS and belongs to no ticket: operators see it with its raw mail, and make a
ticket of what needs one, once."""
import concurrent.futures
import contextlib
import glob
import html
import os
import re

import psycopg2
import pytest

import lmtp
from intake_world import Publisher, check_log, event
from municipality import never_quiet
from people import Browser
from stack import Stack
from turunc.v1 import event_pb2

BASE = "turuncmasa@muratpasa.example"
TAKEN = ["250 2.0.0 Taken."]
MACHINE = [("Auto-Submitted", "auto-generated")]
PAGE = "/call/unassigned"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(services=["sink", "intake", "router", "notifier"],
               config=never_quiet(str(tmp_path_factory.mktemp("config") / "config")),
               env={"intake": {"TURUNC_ATTACHMENTS_LOOK": "1s", "TURUNC_ATTACHMENTS_BYTES": "64MiB"}}) as made:
        made.pbx = made.client("pbx")
        made.password = made.user("oya", "operator")
        made.taker = made.user("ayse", "call-taker")
        made.start()
        made.oya = Browser(made, "intake", "/call/").sign_in("oya", made.password)
        yield made
        assert made.terminate("router") == 0
        check_log(made)
        assert made.terminate("intake") == 0  # nothing left behind, nothing leaked


def machine_mail(stack, subject, sender="makine@example.org", text="Sayaç 14 arıza verdi.\n"):
    mail = lmtp.letter(subject=subject, sender=sender, text=text, headers=MACHINE)
    assert lmtp.send(stack.port["lmtp"], mail, (BASE,), sender) == TAKEN
    return stack.one("select contact_id::text from turunc.contact where kind = 'machine' and description like %s",
                     subject + "%")


def text_message(stack, phone, text):
    message = event("sms.received")
    message.sms.sender, message.sms.text, message.sms.gateway = phone, text, "deneme"
    with Publisher(stack, stack.pbx) as publisher:
        result, = publisher.publish(message)
    assert result.ticket == ""
    return stack.one("select contact_id::text from turunc.contact where kind = 'sms' and description = %s", text)


def listed(browser, path=PAGE):
    page = browser.get(path)
    assert page.status == 200, page
    return page.body.decode()


def make(stack, contact):
    answer = stack.oya.post(PAGE, {"contact": contact})
    assert answer.status == 303, answer
    return re.search(r"made=([\d-]+)$", answer.headers["Location"]).group(1)


def told_before(stack, contact):
    """Does the ticket's record say that its contact was one before?"""
    return event_pb2.Event.FromString(bytes(stack.one(
        "select l.event from turunc.event_log l join turunc.inbound_item i using (ticket_id)"
        " where i.source = 'unassigned' and i.id = %s and l.type = 'ticket.opened'", contact))).opened.told_before


def files(stack):
    return len(glob.glob(os.path.join(stack.path("state", "intake", "attachments"), "[0-9a-f][0-9a-f]", "*")))


def test_a_machines_mail_becomes_a_ticket_that_nothing_is_written_to(stack):
    contact = machine_mail(stack, "Sayaç <14>", text="Arıza & su yok.\n")
    page = listed(stack.oya)
    assert "Sayaç &lt;14&gt;" in page and "Arıza &amp; su yok." in page and "makine@example.org" in page
    link = html.unescape(re.search(r'href="(/photo/[^"]+)"', page).group(1))
    raw = stack.oya.get(link)
    assert raw.status == 200 and b"Auto-Submitted: auto-generated" in raw.body
    number = make(stack, contact)
    said = listed(stack.oya, f"{PAGE}?made={number}")
    assert f"/desk/ticket/{number}" in said and contact not in said
    assert make(stack, contact) == number, "asked again, it is the same"
    rows = stack.sql("""select t.channel, c.kind, c.email, c.description, w.ticket_id = t.ticket_id, f.ticket_id = t.ticket_id
        from turunc.inbound_item i join turunc.ticket t using (ticket_id) join turunc.contact c on c.contact_id = t.contact_id
        join turunc.contact w on w.contact_id::text = i.id join turunc.attachment f on f.owner_id = w.contact_id
        where i.source = 'unassigned' and i.id = %s""", contact)
    assert rows == [(4, "machine", "makine@example.org", "Sayaç <14>\n\nArıza & su yok.", True, True)]
    actor = stack.one("select actor from turunc.event_log l join turunc.inbound_item i using (ticket_id) where i.id = %s"
                      " and l.type = 'ticket.opened'", contact)
    assert actor == "user:oya"
    assert not told_before(stack, contact), "a machine's mail is a contact only now"
    # A citizen who writes afterwards is told; so the machine would have been.
    assert lmtp.send(stack.port["lmtp"], lmtp.letter(sender="kisi@example.org"), (BASE,), "kisi@example.org") == TAKEN
    stack.wait(lambda: [m for m in stack.messages() if m.get("to") == ["kisi@example.org"]], 30, "a citizen is told")
    assert not [m for m in stack.messages() if m.get("to") == ["makine@example.org"]]
    # Erasing its address takes both rows and the raw mail along.
    before = files(stack)
    erased = stack.masa("citizen", "erase", "makine@example.org", "--reason", "istek", "--confirm", "2", "--open-too")
    assert "2" in erased
    stack.wait(lambda: files(stack) == before - 1, 30, "the raw mail is gone")
    assert stack.one("select count(*) from turunc.contact where description like 'Sayaç <14>%%'") == 0


def test_a_text_message_becomes_a_ticket_whose_sender_is_told(stack):
    contact = text_message(stack, "+905321234501", "Su borusu patladı, ışık da yok")
    page = listed(stack.oya)
    assert "Su borusu patladı, ışık da yok" in page and "+905321234501" in page
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(lambda _: make(stack, contact), range(4)))
    assert len(numbers) == 1, "several who ask at once make one"
    assert stack.one("select count(*) from turunc.contact where phone = '+905321234501' and kind = 'report'") == 1
    assert contact not in listed(stack.oya)
    assert told_before(stack, contact), "its contact counted when it came"
    number = numbers.pop()
    stack.wait(lambda: [m for m in stack.messages() if m["kind"] == "sms" and number in str(m)], 30, "they are told")


def test_what_is_erased_while_a_ticket_is_made_of_it_stays_erased(stack):
    contact = text_message(stack, "+905321234777", "Bunu unutun lütfen")
    before = stack.one("select count(*) from turunc.event_log where type = 'ticket.opened'")
    link = psycopg2.connect(stack.conninfo("postgres"))
    with contextlib.closing(link), link.cursor() as eraser, concurrent.futures.ThreadPoolExecutor(1) as pool:
        eraser.execute("select 1 from turunc.contact where contact_id = %s for update", (contact,))
        asked = pool.submit(lambda: stack.oya.post(PAGE, {"contact": contact}))
        # It has been read, and its ticket waits for whoever erases.
        stack.wait(lambda: stack.one("select count(*) from pg_locks where not granted and locktype <> 'advisory'") > 0, 30, "a ticket under way")
        eraser.execute("select turunc.erase_contacts(array[%s::uuid], gen_random_uuid(), 1, 'deneme', 'istek')", (contact,))
        link.commit()
        answer = asked.result(30)
    assert answer.status == 404 and "artık yok" in answer.body.decode()
    assert stack.one("select count(*) from turunc.contact where phone = '+905321234777'") == 0
    assert stack.one("select count(*) from turunc.contact where description = 'Bunu unutun lütfen'") == 0
    assert stack.one("select count(*) from turunc.event_log where type = 'ticket.opened'") == before
    assert stack.one("select count(*) from turunc.inbound_item where id = %s", contact) == 0


def test_what_becomes_a_ticket_while_it_is_erased_is_erased_too(stack):
    phone, said = "+905321234778", "Bunu da unutun lütfen"
    contact = text_message(stack, phone, said)
    waiting = lambda: stack.one("select count(*) from pg_locks where not granted and locktype <> 'advisory'")
    erase = ("citizen", "erase", phone, "--reason", "istek", "--open-too", "--confirm")
    link = psycopg2.connect(stack.conninfo("postgres"))
    with contextlib.closing(link), link.cursor() as first, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first.execute("select 1 from turunc.contact where contact_id = %s for update", (contact,))
        made = pool.submit(make, stack, contact)
        stack.wait(lambda: waiting() == 1, 30, "a ticket under way")
        erased = pool.submit(lambda: stack.masa(*erase, "1", check=False))
        stack.wait(lambda: waiting() == 2, 30, "an erasure behind it")
        link.rollback()
        made.result(30)
        done = erased.result(30)
    assert done.returncode != 0 and "1 more of their contacts came meanwhile" in done.stderr
    assert stack.one("select count(*) from turunc.contact where description = %s", said) == 2, "all or nothing"
    stack.masa(*erase, "2")
    assert stack.one("select count(*) from turunc.contact where phone = %s or description = %s", phone, said) == 0


def test_who_may_not_and_what_is_not_there(stack):
    contact = machine_mail(stack, "Yetkisiz")
    taker = Browser(stack, "intake", "/call/").sign_in("ayse", stack.taker)
    assert taker.get(PAGE).status == 403
    assert taker.post(PAGE, {"contact": contact}).status == 403
    assert Browser(stack, "intake", "/call/").get(PAGE).status == 303, "to sign in"
    assert stack.oya.post(PAGE, {"contact": contact, "csrf": "x"}, csrf=False).status == 403
    for wrong in ("", "x", "00000000-0000-7000-8000-000000000000"):
        assert stack.oya.post(PAGE, {"contact": wrong}).status == 404
    ordinary = stack.one("select contact_id::text from turunc.contact where kind = 'report' limit 1")
    assert stack.oya.post(PAGE, {"contact": ordinary}).status == 404
    assert stack.one("select ticket_id from turunc.contact where contact_id = %s", contact) is None
    for odd in ("x", "1.", "-1.00000000-0000-7000-8000-000000000000", "9" * 19 + ".00000000-0000-7000-8000-000000000000"):
        assert contact in listed(stack.oya, f"{PAGE}?before={odd}"), "then from the newest on"


def dismissed(stack, contact):
    return stack.sql("select dismissed_as, dismissed_by, dismissed_us > 0 from turunc.contact where contact_id = %s", contact)[0]


def test_what_needs_no_ticket_leaves_the_list_and_can_come_back(stack):
    contact = text_message(stack, "+905321234790", "Kampanyayı kaçırmayın")
    answer = stack.oya.post(f"{PAGE}?lang=tr", {"contact": contact, "dismiss": "spam"})
    assert (answer.status, answer.headers["Location"]) == (303, f"{PAGE}?lang=tr&off=yes")
    assert dismissed(stack, contact) == ("spam", "oya", True)
    page = listed(stack.oya, f"{PAGE}?lang=tr&off=yes")
    assert "İleti listeden çıkarıldı." in page and contact not in page
    # Asked again, by whomever and for another reason, it stays what was said first.
    stack.user("oya2", "operator", password=stack.password)
    other = Browser(stack, "intake", "/call/").sign_in("oya2", stack.password)
    assert other.post(PAGE, {"contact": contact, "dismiss": "repeated"}).status == 303
    assert dismissed(stack, contact) == ("spam", "oya", True)
    off = listed(stack.oya, f"{PAGE}?lang=en&dismissed=yes")
    assert contact in off and "Spam · oya" in off
    assert other.post(f"{PAGE}?lang=en", {"contact": contact, "dismiss": "back"}).headers["Location"] == f"{PAGE}?lang=en&back=yes"
    assert dismissed(stack, contact) == (None, None, None)
    assert contact in listed(stack.oya) and contact not in listed(stack.oya, f"{PAGE}?dismissed=yes")
    assert stack.metric("intake", 'turunc_intake_unassigned_dismissed_total{as="off"}') == 2
    # A ticket can be made of what was dismissed; then it is neither here nor there, and stays so.
    stack.oya.post(PAGE, {"contact": contact, "dismiss": "dealt_with"})
    make(stack, contact)
    assert contact not in listed(stack.oya, f"{PAGE}?dismissed=yes")
    assert stack.oya.post(PAGE, {"contact": contact, "dismiss": "back"}).status == 404
    assert stack.metric("intake", 'turunc_intake_unassigned_dismissed_total{as="gone"}') == 1


def test_what_is_no_reason_or_no_such_message_dismisses_nothing(stack):
    contact = machine_mail(stack, "Sebepsiz")
    for wrong in ("", "x", "spam ", "off"):
        answer = stack.oya.post(f"{PAGE}?lang=tr", {"contact": contact, "dismiss": wrong})
        assert answer.status == 422 and "bir neden seçin" in answer.body.decode(), wrong
    assert dismissed(stack, contact) == (None, None, None)
    ordinary = stack.one("select contact_id::text from turunc.contact where kind = 'report' limit 1")
    for other in (ordinary, "00000000-0000-7000-8000-000000000000"):
        assert stack.oya.post(PAGE, {"contact": other, "dismiss": "spam"}).status == 404
    assert stack.one("select count(*) from turunc.contact where dismissed_us is not null and kind = 'report'") == 0
    taker = Browser(stack, "intake", "/call/").sign_in("ayse", stack.taker)
    assert taker.post(PAGE, {"contact": contact, "dismiss": "spam"}).status == 403
    # Erased, it is on neither list.
    stack.oya.post(PAGE, {"contact": contact, "dismiss": "spam"})
    stack.sql("update turunc.contact set email = 'silinecek@example.org' where contact_id = %s", contact)
    before = files(stack)
    stack.masa("citizen", "erase", "silinecek@example.org", "--reason", "istek", "--confirm", "1")
    stack.wait(lambda: files(stack) == before - 1, 30, "its raw mail is gone")
    assert contact not in listed(stack.oya, f"{PAGE}?dismissed=yes")


def test_dismissed_ones_have_further_pages_too(stack):
    stack.sql("""insert into turunc.contact (contact_id, kind, channel, arrived_us, recorded_us, language, phone, description,
        salt, dismissed_us, dismissed_by, dismissed_as) select gen_random_uuid(), 'sms', 8, 5, 5, 'tr', '+905320000001',
        'cikan-' || n || '-', 'x', 6, 'oya', 'spam' from generate_series(1, 60) n""")
    page = listed(stack.oya, f"{PAGE}?lang=en&dismissed=yes")
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', page).group(1))
    seen = re.findall(r"cikan-\d+-", page) + re.findall(r"cikan-\d+-", listed(stack.oya, older))
    assert len(seen) == 60 == len(set(seen))
    stack.sql("delete from turunc.contact where description like 'cikan-%%'")


def test_older_ones_are_on_further_pages(stack):
    stack.sql("""insert into turunc.contact (contact_id, kind, channel, arrived_us, recorded_us, language, phone, description,
        salt) select gen_random_uuid(), 'sms', 8, 5, 5, 'tr', '+905320000000', 'sayfa-' || n || '-', 'x'
        from generate_series(1, 120) n""")
    path, seen = f"{PAGE}?lang=en", []
    while path is not None:
        page = listed(stack.oya, path)
        seen += re.findall(r"sayfa-\d+-", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(older.group(1)) if older else None
    assert len(seen) == 120 == len(set(seen)), "each once, though all are of one moment"
    stack.sql("delete from turunc.contact where description like 'sayfa-%%'")


def test_raw_mails_of_machines_have_their_time_and_half_of_the_room(stack):
    contact = machine_mail(stack, "Süresi dolan")
    kept, other = machine_mail(stack, "Süresi dolmayan"), machine_mail(stack, "Başvuru olan")
    make(stack, other)
    held = files(stack)
    stack.sql("update turunc.attachment set created_us = 1 where owner_id in (%s, %s)", contact, other)
    stack.wait(lambda: files(stack) == held - 1, 30, "what is over is gone")
    alive = stack.sql("select owner_id::text from turunc.attachment where owner_id in (%s, %s, %s) and digest is not null"
                      " order by 1", contact, kept, other)
    assert alive == [(owner,) for owner in sorted((kept, other))], "not what a ticket was made of"
    assert "Süresi dolan" in listed(stack.oya), "its words stay"
    assert stack.metric("intake", 'turunc_intake_machine_mails_raw_total{as="expired"}') == 1
    # 64 MiB, of which mails have 75 percent, of which machines have half.
    stack.terminate("intake")
    filler = os.path.join(stack.path("state", "intake", "attachments"), "00", "0" * 64)
    with open(filler, "wb") as file:
        file.truncate(25 * 2**20)
    stack.restart("intake")
    stack.oya = Browser(stack, "intake", "/call/").sign_in("oya", stack.password)
    crowded = machine_mail(stack, "Yer yok")
    assert stack.one("select count(*) from turunc.attachment where owner_id = %s", crowded) == 0
    assert stack.metric("intake", 'turunc_intake_machine_mails_raw_total{as="no_room"}') == 1
    assert "Yer yok" in listed(stack.oya)
    person = lmtp.letter(sender="yer@example.org", subject="Kişinin yeri var")
    assert lmtp.send(stack.port["lmtp"], person, (BASE,), "yer@example.org") == TAKEN
    assert stack.one("""select count(*) from turunc.attachment f join turunc.contact c on c.contact_id = f.owner_id
        where c.email = 'yer@example.org'""") == 1
    os.unlink(filler)
