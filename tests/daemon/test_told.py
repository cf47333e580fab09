"""What citizens are told: previews of it, and e-mail to Postfix's own smtp-sink in its worst moods."""
import html.parser
import json
import os
import ssl
import subprocess
import tempfile

import pytest
from notifier_world import MailServer, World

PHONE = "+905321112233"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    secret = tmp_path_factory.mktemp("secret") / "mail.secret"
    secret.write_text("a secret of sixteen bytes and more\n")
    secret.chmod(0o600)
    one = World(TURUNC_MAIL_SECRET_FILE=str(secret))
    yield one
    assert one.close(), "a service did not stop cleanly"


def preview(world, *words):
    return json.loads(world.stack.masa("template", "show", *words, "--json"))


def test_a_preview_is_what_goes_out(world):
    number = world.open(email="ayse@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    mail = [m for m in world.mail.taken if number in m.subject][0]
    shown = preview(world, "received", "--ticket", number)
    assert shown["text"] == mail.text.rstrip("\n") and shown["subject"] == mail.subject
    assert shown["happened"] is True and shown["discreet"] is False and shown["channel"] == "email"
    plain = world.stack.masa("template", "show", "received", "--ticket", number)
    assert plain.endswith("\n" + shown["text"] + "\n") and "subject: " in plain
    assert world.stack.masa("template", "show", "received", "--ticket", number, "--html") == \
        preview(world, "received", "--ticket", number, "--html")["html"]


def test_a_preview_of_what_has_not_happened(world):
    number = world.open(phone=PHONE, language="en")[0]
    world.reader.wait_status(number, "routed")
    shown = preview(world, "forwarded", "--ticket", number)
    assert shown["happened"] is False and shown["channel"] == "sms" and shown["language"] == "en"
    assert number in shown["text"] and "{" not in shown["text"]
    assert shown["coding"] == "default" and shown["parts"] in (1, 2)
    turkish = preview(world, "extended", "--ticket", number, "--channel", "email", "--language", "tr")
    assert "4982 sayılı Kanun" in turkish["text"] and "Sayın Ayşe Yılmaz" in turkish["text"]


def test_a_preview_of_a_survey_hides_its_link(world):
    number = world.open(email="anket@ornek.example")[0]
    for event in ("survey", "survey_reminder"):
        assert "/anket/" + "*" * 32 in preview(world, event, "--ticket", number)["text"]


def test_a_discreet_preview_names_nothing_and_leaves_a_trace(world):
    number = world.open(email="d@ornek.example", subject_code="evde-saglik")[0]
    world.reader.wait_status(number, "routed")
    shown = preview(world, "resolved", "--ticket", number)
    assert shown["discreet"] is True and "ağlık" not in shown["text"] + shown["subject"]
    looked = world.stack.one("select count(*) from turunc.event_log where type = 'ticket.viewed' "
                             "and ticket_id = %s", int(number.replace("-", "")[:-1]))
    assert looked == 1


@pytest.mark.parametrize("words, code", [
    (["closed", "--ticket", "26-0000001-4"], 2), (["received"], 2),
    (["received", "--ticket", "26-0000001-5"], 2), (["received", "--ticket", "26-9999999-9"], 2),
    (["received", "--ticket", "99-0000001-0", "--channel", "fax"], 2)])
def test_a_preview_that_cannot_be(world, words, code):
    done = world.stack.masa("template", "show", *words, check=False)
    assert done.returncode == code and "masa:" in done.stderr and done.stdout == ""


def test_nobody_to_tell(world):
    number = world.open()[0]
    done = world.stack.masa("template", "show", "received", "--ticket", number, check=False)
    assert done.returncode == 3 and "nobody is told" in done.stderr
    assert number in preview(world, "received", "--ticket", number, "--channel", "sms")["text"]


# --- e-mail out -------------------------------------------------------------------------------------

def mails_of(world, number):
    return [m for m in list(world.mail.taken) if number in m.subject]


class Words(html.parser.HTMLParser):
    """The text of a page, and what it would fetch or lead to."""

    def __init__(self, page):
        super().__init__()
        self.words, self.links, self.tags, self.dark = [], [], set(), False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "background", "action")]
        self.dark |= ("content", "light dark") in attrs

    def handle_data(self, data):
        self.words += data.split()


def test_a_mail_says_the_same_twice(world):
    number = world.open(email="iki@ornek.example", name="Şük<b>rü> & 'Öz\"")[0]
    world.end(number, text="<script>alert(1)</script>\nhttps://kotu.example/x")
    world.wait_state(number, "resolved", "sent")
    mail = mails_of(world, number)[-1]
    page = Words(mail.html)
    assert mail.message.get_content_type() == "multipart/alternative"
    said = " ".join(page.words)
    for line in filter(None, mail.text.split("\n")):
        for part in line.split(": ") if ": " in line else [line]:
            assert " ".join(part.split()) in said, part
    assert page.links == [link for link in page.links if link.endswith(f"/?no={number}")] != []
    assert not page.tags & {"script", "img", "b", "link", "form", "iframe"} and page.dark


def test_where_answers_and_bounces_go(world):
    first, second = world.open(2, email="geri@ornek.example")
    world.wait_state(first, "routed", "sent")
    world.wait_state(second, "routed", "sent")
    one, two, other = mails_of(world, first)[0], mails_of(world, first)[1], mails_of(world, second)[0]
    reply = one.message["reply-to"].addresses[0].addr_spec
    assert reply.startswith(f"turuncmasa+r.{first}.") and reply.endswith("@muratpasa.example")
    assert reply == two.message["reply-to"].addresses[0].addr_spec, "one address a ticket"
    assert one.sender.startswith("turuncmasa+b.") and len({one.sender, two.sender, other.sender}) == 3
    for mail in (one, two, other):
        assert len(mail.sender.split("@")[0]) <= 64
        assert mail.message["from"].addresses[0].addr_spec == "turuncmasa@muratpasa.example"
        assert mail.message["auto-submitted"] == "auto-generated"
        assert mail.message["list-id"] == "<bildirim.muratpasa.example>"
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 78
    assert one.message["references"] == two.message["references"] != other.message["references"]


# --- Postfix's smtp-sink; tests/unit/test_notifier_smtp_sink.c has all its moods ----------------------

class Sink:
    """smtp-sink at the mail server's port, keeping each mail it takes in a file."""

    def __init__(self, world, *options):
        self.folder = tempfile.mkdtemp(prefix="sink-", dir=world.stack.folder)
        os.chmod(self.folder, 0o777)
        os.chmod(world.stack.folder, 0o755)
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            ["/usr/sbin/smtp-sink", *user, "-d", os.path.join(self.folder, "%H%M%S."), *options,
             f"127.0.0.1:{world.mail.port}", "64"], cwd=self.folder, stderr=subprocess.DEVNULL)

    def mails(self):
        """The mails it took whole, as text."""
        found = []
        for name in os.listdir(self.folder):
            with open(os.path.join(self.folder, name), encoding="ascii") as file:
                found.append(file.read())
        return found

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def no_server(world):
    world.wait_settled()
    world.mail.stop()
    yield
    world.mail.start()


def test_a_sink_that_says_later_and_then_yes(world, no_server):
    with Sink(world, "-r", "RCPT"):
        numbers = world.open(3, email="sonra{n}@ornek.example")
        world.stack.wait(lambda: world.stack.one(
            "select count(*) from turunc.notification_attempt where outcome = 'deferred' "
            "and detail like 'smtp 450%%'") >= 3, 20, "all three were put off")
    with Sink(world) as sink:
        for number in numbers:
            world.wait_state(number, "routed", "sent", 30)
        taken = sink.mails()
    assert len(taken) == 6, "each mail once"
    assert all(sum(f"X-Turunc-Ticket: {number}" in mail for mail in taken) == 2 for number in numbers)
    assert all("X-Mail-Args: <turuncmasa+b." in mail for mail in taken)


def test_a_sink_that_says_no(world, no_server):
    with Sink(world, "-f", "RCPT") as sink:
        number = world.open(email="yok@ornek.example")[0]
        state, attempts, why, sent = world.wait_state(number, "opened", "dead")
        assert attempts == 1 and why.startswith("smtp 500") and sink.mails() == []
    assert world.outcomes()[sent] == [("notification.failed", "refused")]


# --- what did not arrive ------------------------------------------------------------------------------

def report(world, notification, status, permanent=True, at=1):
    """As intake writes down a report that came to a signed address."""
    world.stack.sql("""insert into turunc.bounce (bounce_id, identity, notification_id, permanent, status, at_us)
                       values (gen_random_uuid(), sha256(convert_to(%s, 'UTF8')), %s::uuid, %s, %s, %s)""",
                    f"{notification} {status} {at}", notification, permanent, status, at)


def wait_handled(world):
    world.stack.wait(lambda: world.stack.one("select count(*) from turunc.bounce where handled_us is null") == 0,
                     20, "every report is dealt with")


def texts_of(world, number):
    return [t for t in list(world.sms.taken) if number in t["text"]]


def test_a_bounce_marks_the_address_and_goes_on_by_sms(world):
    address, phone = "Yanlis.Adres@ornek.example", "+905331112233"
    number = world.open(email=address, phone=phone)[0]
    world.wait_state(number, "routed", "sent")
    sent = {about: row[3] for (about, _), row in world.rows(number).items()}
    report(world, sent["opened"], "5.1.1")
    wait_handled(world)
    rows = world.rows(number)
    assert rows["opened", "email"][:3] == ("dead", 1, "bounced: 5.1.1")
    assert rows["routed", "email"][0] == "sent", "of that one nothing was said"
    world.wait_settled()
    # By SMS they hear the last news, not the old one.
    assert world.rows(number)["routed", "sms"][0] == "sent" and ("opened", "sms") not in world.rows(number)
    assert [t["to"] for t in texts_of(world, number)] == [phone]
    assert world.outcomes()[sent["opened"]] == [("notification.sent", ""), ("notification.failed", "bounced")]
    world.end(number)
    world.stack.wait(lambda: world.state(number, "resolved") == "sent", 20)
    assert ("resolved", "email") not in world.rows(number) and len(texts_of(world, number)) == 2
    # A report that comes twice, and one for the other mail.
    report(world, sent["opened"], "5.1.1", at=2)
    report(world, sent["routed"], "5.1.1")
    wait_handled(world)
    world.wait_settled()
    assert len(world.outcomes()[sent["opened"]]) == 2 and len(texts_of(world, number)) == 2
    # Somebody else with that address and no phone is not told at all.
    silent = world.open(email=address.lower())[0]
    world.reader.wait_status(silent, "routed")
    world.wait_settled()
    assert world.rows(silent) == {}


@pytest.mark.parametrize("status, permanent, state", [
    ("4.4.1", False, "sent"), ("5.7.1", True, "dead"), ("5.2.2", True, "dead"), ("", True, "dead"),
    ("5.4.6", True, "dead")])
def test_a_bounce_that_is_not_the_addresss_fault(world, status, permanent, state):
    address = f"iyi{status}@ornek.example"
    number = world.open(email=address, phone=PHONE)[0]
    world.wait_state(number, "routed", "sent")
    report(world, world.rows(number)["opened", "email"][3], status, permanent)
    wait_handled(world)
    assert world.state(number, "opened") == state
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    assert mails_of(world, number)[-1].to == address and texts_of(world, number) == []


def test_what_a_person_took_for_arrived_and_did_not(world):
    """In doubt; the server has it, so it is not sent again; later the server says that nobody has the address."""
    number = world.open(email="sonradan@ornek.example", phone="+905331112255")[0]
    world.wait_state(number, "routed", "sent")
    message = world.rows(number)["opened", "email"][3]
    world.stack.sql("update turunc.notification set state = 4 where notification_id = %s", message)
    world.stack.masa("message", "discard", message, "--reason", "the server has it")
    assert world.state(number, "opened") == "discarded"
    report(world, message, "5.1.1")
    wait_handled(world)
    assert world.state(number, "opened") == "dead"
    assert world.outcomes()[message][-1] == ("notification.failed", "bounced")
    world.stack.wait(lambda: len(texts_of(world, number)) == 1, 20, "they hear the last news by SMS")


def test_a_report_that_is_quicker_than_the_servers_answer_waits_for_it(world):
    number = world.open(email="cabuk@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    message = world.rows(number)["opened", "email"][3]
    world.stack.sql("update turunc.notification set state = 2 where notification_id = %s", message)
    report(world, message, "5.7.1")
    report(world, world.rows(number)["routed", "email"][3], "5.7.1", at=3)
    world.wait_state(number, "routed", "dead")
    assert world.stack.one("select handled_us from turunc.bounce where notification_id = %s", message) is None
    world.stack.sql("update turunc.notification set state = 4 where notification_id = %s", message)
    wait_handled(world)
    assert world.state(number, "opened") == "dead"


def test_a_bounce_of_nothing(world):
    report(world, "00000000-0000-7000-8000-000000000001", "5.1.1")
    wait_handled(world)


def test_refused_at_the_door_is_a_bounce(world):
    """550 5.1.1 in the dialogue: the address is marked, and what waited for it goes by SMS too."""
    world.mail.mode = "no_such"
    number = world.open(email="kapi@ornek.example", phone="+905341112233")[0]
    world.stack.wait(lambda: world.rows(number).get(("routed", "sms"), [""])[0] == "sent", 30, "by SMS")
    world.mail.mode = "ok"
    world.end(number)
    world.stack.wait(lambda: world.rows(number).get(("resolved", "sms"), [""])[0] == "sent", 20)
    assert mails_of(world, number) == []
    assert {row[0] for (_, channel), row in world.rows(number).items() if channel == "email"} == {"dead"}


def test_an_operator_sees_marks_and_takes_them_away(world):
    number = world.open(email="Duzeldi@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    report(world, world.rows(number)["opened", "email"][3], "5.1.1")
    wait_handled(world)
    def listed(*words):
        return json.loads(world.stack.masa("address", "list", "--limit", 1, *words, "--json"))[0]
    assert listed()["address"] is None and listed()["ticket"] == number and listed()["status"] == "5.1.1"
    assert listed("--personal")["address"] == "duzeldi@ornek.example"
    world.stack.masa("address", "unmark", "duzeldi@ornek.example", "--dry-run")
    assert listed("--personal")["address"] == "duzeldi@ornek.example"
    world.stack.masa("address", "unmark", "DUZELDI@ornek.example")
    assert world.stack.masa("address", "unmark", "duzeldi@ornek.example", check=False).returncode == 3
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    assert mails_of(world, number)[-1].to == "Duzeldi@ornek.example"


def marked(world, address):
    return world.stack.one("select count(*) from turunc.mail_mark where address = %s", address)


def test_a_mark_ends(world):
    """After thirty days, and when a person writes from the address; not when a machine does."""
    address = "doner@ornek.example"
    number = world.open(email=address)[0]
    world.wait_state(number, "routed", "sent")
    report(world, world.rows(number)["opened", "email"][3], "5.1.1")
    wait_handled(world)
    assert marked(world, address) == 1
    world.stack.wait(lambda: world.stack.metric("notifier", "turunc_notifier_addresses_marked") > 0, 20)
    write = """insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us, language,
               email, salt) values (gen_random_uuid(), %s, %s, %s, 1, 1, 'tr', %s, 'x')"""
    ticket = int(number.replace("-", "")[:-1])
    world.stack.sql(write, None, "machine", 4, address)
    world.stack.sql(write, ticket, "follow_up", 2, address)  # typed into a form: that proves nothing
    assert marked(world, address) == 1
    world.stack.sql(write, ticket, "follow_up", 4, "Doner@Ornek.example")
    assert marked(world, address) == 0
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    # Over by itself.
    other = world.open(email="eski@ornek.example")[0]
    world.wait_state(other, "routed", "sent")
    report(world, world.rows(other)["opened", "email"][3], "5.1.1")
    wait_handled(world)
    world.stack.sql("update turunc.mail_mark set at_us = at_us - 30 * 86400 * 1000000::bigint "
                    "where address = 'eski@ornek.example'")
    world.end(other)
    world.wait_state(other, "resolved", "sent")
    assert mails_of(world, other)[-1].to == "eski@ornek.example"
    # The next one that does not arrive marks it anew.
    report(world, world.rows(other)["resolved", "email"][3], "5.1.1", at=2)
    wait_handled(world)
    assert world.stack.one("select at_us > 1000000 from turunc.mail_mark where address = 'eski@ornek.example'")


def test_a_report_that_cannot_be_settled_blocks_nobody(world):
    bad, good = (world.open(email=f"{name}@ornek.example")[0] for name in ("kotu", "iyi"))
    for number in (bad, good):
        world.wait_state(number, "routed", "sent")
    first, second = (world.rows(number)["routed", "email"][3] for number in (bad, good))
    world.stack.sql(f"""create function turunc.no() returns trigger language plpgsql as
                        $$ begin raise exception 'never' using errcode = '23514'; end $$""")
    world.stack.sql(f"""create trigger no before update on turunc.notification for each row
                        when (old.notification_id = '{first}') execute function turunc.no()""")
    try:
        report(world, first, "5.1.1", at=1)
        report(world, second, "5.1.1", at=2)
        wait = "select count(*) from turunc.bounce where handled_us is null"
        world.stack.wait(lambda: world.stack.one(wait) == 0, 60, "the second is dealt with")
    finally:
        world.stack.sql("drop trigger no on turunc.notification")
        world.stack.sql("drop function turunc.no()")
    aside = "select set_aside from turunc.bounce where notification_id = %s"
    assert (world.stack.one(aside, first), world.stack.one(aside, second)) == (True, False)
    assert world.state(good, "routed") == "dead" and world.state(bad, "routed") == "sent"
    assert world.stack.metric("notifier", 'turunc_notifier_bounces_total{what="set_aside"}') == 1


def test_an_erased_person_leaves_no_mark(world):
    number = world.open(email="Silinen@ornek.example", phone="+905351112233")[0]
    world.wait_state(number, "routed", "sent")
    report(world, world.rows(number)["opened", "email"][3], "5.1.1")
    wait_handled(world)
    world.wait_settled()
    held = "select count(*) from turunc.mail_mark where address = 'silinen@ornek.example'"
    assert world.stack.one(held) == 1
    world.stack.masa("citizen", "erase", number, "--reason", "istek", "--confirm", 1, "--open-too")
    assert world.stack.one(held) == 0
    # A report that comes only now finds nothing to mark.
    report(world, world.stack.one("select notification_id::text from turunc.notification where ticket_id = %s "
                                  "and channel = 'email' limit 1", int(number.replace("-", "")[:-1])), "5.1.1", at=3)
    wait_handled(world)
    assert world.stack.one(held) == 0


# --- addresses that have had no mail ------------------------------------------------------------------

def test_so_many_new_addresses_an_hour(world):
    known = world.open(email="bilinen@ornek.example")[0]
    world.wait_state(known, "routed", "sent")
    world.stack.restart("notifier", env={"TURUNC_NOTIFIER_FIRST_MAILS": "2", "TURUNC_NOTIFIER_IN_FLIGHT": "1"})
    strangers = [world.open(email=f"yeni{n}@ornek.example")[0] for n in range(4)]
    for number in strangers:
        world.reader.wait_status(number, "routed")
    world.stack.wait(lambda: world.stack.metric("notifier", "turunc_notifier_first_mails_total") == 2, 20,
                     "mails to two strangers")
    again = world.open(email="Bilinen@ornek.example")[0]
    world.wait_state(again, "routed", "sent")
    assert len(mails_of(world, again)) == 2, "whom we know is told all the same"
    assert world.stack.metric("notifier", "turunc_notifier_first_mails_total") == 2
    # What is written when its address has had a mail is no first one, and leaves; how many are is a matter of moments.
    first = "select count(*) from turunc.notification where first_mail and recipient like 'yeni%%' and state = "
    assert world.stack.one(first + "3") == 2
    waiting = world.stack.one(first + "1")
    assert 4 <= waiting <= 6
    world.stack.wait(lambda: world.stack.metric("notifier", "turunc_notifier_first_mails_waiting") == waiting, 20)
    world.stack.restart("notifier", env={"TURUNC_NOTIFIER_FIRST_MAILS": "0", "TURUNC_NOTIFIER_IN_FLIGHT": "8"})
    for number in strangers:
        world.wait_state(number, "routed", "sent")
    assert all(len(mails_of(world, number)) == 2 for number in strangers)


# --- STARTTLS ---------------------------------------------------------------------------------------

def certificate(folder):
    """A self-signed one for 127.0.0.1: its own authority."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_starttls_as_configured(world, tmp_path):
    """Offered: taken, whatever the certificate.  Required: only of a server that is vouched for."""
    context = certificate(tmp_path)
    world.wait_settled()
    world.mail.stop()
    plain, world.mail = world.mail, MailServer(world.mail.port, tls_context=context, require_starttls=True)
    world.mail.start()
    try:
        number = world.open(email="gizli@ornek.example")[0]
        world.wait_state(number, "routed", "sent")
        assert all(mail.tls for mail in mails_of(world, number)) and len(mails_of(world, number)) == 2
        world.stack.restart("notifier", env={"TURUNC_SMTP_STARTTLS": "required"})
        held = world.open(email="bekler@ornek.example")[0]
        world.stack.wait(lambda: world.stack.one(
            "select count(*) from turunc.notification_attempt where outcome = 'unreachable' "
            "and detail ilike '%%certificate%%'") > 0, 20, "a stranger's certificate")
        assert mails_of(world, held) == []
        world.stack.restart("notifier", env={"TURUNC_SMTP_STARTTLS": "required",
                                             "TURUNC_SMTP_CA_FILE": str(tmp_path / "cert.pem")})
        world.wait_state(held, "routed", "sent", 30)
    finally:
        world.mail.stop()
        world.mail = plain
        world.mail.start()
        world.stack.restart("notifier", env={})
