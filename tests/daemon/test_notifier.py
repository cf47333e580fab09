"""The notifier with the real intake and router, at servers that take mail and SMS, or do not."""
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter

import psycopg2
import pytest
from notifier_world import IMPATIENT, World
from router_world import Opener

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fault"))
from machine import Clock  # noqa: E402

PHONE = "+905321112233"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    secret = tmp_path_factory.mktemp("secret") / "authorization"
    secret.write_text("Bearer s3cret\n")
    secret.chmod(0o600)
    one = World(TURUNC_SMS_AUTHORIZATION_FILE=str(secret))
    yield one
    assert one.close(), "a service did not stop cleanly"


@pytest.fixture(autouse=True)
def kind_servers(request):
    """Each test begins with servers that take everything and nothing left to send."""
    if "world" in request.fixturenames:
        one = request.getfixturevalue("world")
        one.mail.mode = one.sms.mode = "ok"
        one.wait_settled()
    yield


@pytest.fixture
def stack(world):
    return world.stack


def mails_of(world, number):
    return [m for m in list(world.mail.taken) if number in m.subject]


def test_a_ticket_told_by_mail_from_beginning_to_end(world):
    number = world.open(email="ayse@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    received, routed, resolved = mails_of(world, number)
    assert received.subject == f"{number} numaralı başvurunuz alındı"
    assert "Sayın Ayşe Yılmaz," in received.text and "Konu: " in received.text
    assert "ilgili birime iletildi" in routed.subject
    assert "Ekip gönderildi; alan temizlendi." in resolved.text
    assert "İş tamamlandı" in resolved.text and "Çözüldü" in resolved.text
    for mail in (received, routed, resolved):
        assert "{" not in mail.text + mail.subject
        assert mail.to == "ayse@ornek.example"
        assert mail.message["auto-submitted"] == "auto-generated"
        assert mail.message["x-turunc-ticket"] == number
        assert mail.message["content-language"] == "tr"
        assert mail.message["from"].addresses[0].display_name == "Muratpaşa Belediyesi"
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 78
    outcomes = world.outcomes()
    for mail in (received, routed, resolved):
        assert outcomes[mail.id] == [("notification.sent", "")]


def test_english_is_told_in_english(world):
    number = world.open(email="jane@ornek.example", language="en", name="Jane Doe")[0]
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    mails = mails_of(world, number)
    assert mails[-1].subject == f"Your request {number} has been dealt with"
    assert "Dear Jane Doe," in mails[-1].text and "Work completed" in mails[-1].text
    assert {mail.message["content-language"] for mail in mails} == {"en"}


def test_without_an_address_by_sms_and_with_neither_not_at_all(world, stack):
    number = world.open(phone=PHONE)[0]
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    texts = [t for t in world.sms.taken if number in t["text"]]
    assert [set(t) for t in texts] == [{"to", "from", "text", "id"}] * 3
    assert {t["to"] for t in texts} == {PHONE} and {t["from"] for t in texts} == {"MURATPASA"}
    assert world.sms.authorization == {"Bearer s3cret"}
    assert "Ekip" not in texts[-1]["text"], "what was answered is not for an SMS"
    reference = stack.one("select gateway_reference from turunc.notification "
                          "where notification_id = %s::uuid", texts[-1]["id"])
    assert reference.startswith("gw-")
    before = stack.metric("notifier", 'turunc_notifier_untold_total{why="no_address"}')
    silent = world.open()[0]
    stack.wait(lambda: stack.metric("notifier", 'turunc_notifier_untold_total{why="no_address"}')
               >= before + 2, 10)
    assert world.rows(silent) == {}


def test_a_delicate_subject_is_not_named(world, stack):
    number = world.open(phone=PHONE, subject_code="evde-saglik")[0]
    world.wait_state(number, "opened", "sent")
    stack.wait(lambda: world.state(number, "routed") == "sent", 10)
    for text in (t["text"] for t in world.sms.taken if number in t["text"]):
        assert "ağlık" not in text, text


def test_who_was_joined_hears_of_the_end_in_their_own_number(world):
    first = world.open(email="bir@ornek.example")[0]
    second = world.open(email="iki@ornek.example", name="Ali Can")[0]
    world.reader.wait_status(first, "routed")
    state = world.reader.wait_status(second, "routed")
    world.department.command(second, "join", state["version"], timeout=60, primary=first)
    world.reader.wait_status(second, "duplicate")
    world.end(first)
    world.wait_state(first, "resolved", "sent")
    world.wait_state(second, "resolved", "sent")
    told = mails_of(world, second)[-1]
    assert told.to == "iki@ornek.example" and "Sayın Ali Can" in told.text
    assert "Çözüldü" in told.text
    assert "Ekip gönderildi" not in told.text, "an answer to one is not for the other"


def test_callers_who_were_joined_hear_of_the_end_once_each(world, stack):
    number = world.open(email="ilk@ornek.example", phone="+905320000001")[0]
    world.reader.wait_status(number, "routed")
    for phone, name in (("+905320000002", "Can Er"), ("+905320000002", "Can Er"), ("+905320000001", "İlk"),
                        (None, "Numarasız")):
        stack.sql("""insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us,
                         language, name, phone, salt)
                     values (gen_random_uuid(), %s, 'joined', 1, 1, 1, 'tr', %s, %s, 's')""",
                  int(number.replace("-", "")[:-1]), name, phone)
    # UUIDv7 of the opener are older than any that is random with probability; make it certain.
    stack.sql("""update turunc.contact set contact_id = ('ffffffff' || substr(contact_id::text, 9))::uuid
                 where kind = 'joined'""")
    world.end(number)
    world.wait_state(number, "resolved", "sent")
    def told():
        return [t for t in world.sms.taken if number in t["text"]]
    stack.wait(lambda: len(told()) == 1, 20, "the caller who was joined was told")
    assert told()[0]["to"] == "+905320000002" and "Ekip" not in told()[0]["text"]
    assert stack.one("select count(*) from turunc.notification where ticket_id = %s and about_type = "
                     "'ticket.resolved'", int(number.replace("-", "")[:-1])) == 2
    assert mails_of(world, number)[-1].to == "ilk@ornek.example"


def test_only_the_first_routing_is_told(world, stack):
    number = world.open(email="ara@ornek.example")[0]
    state = world.reader.wait_status(number, "routed")
    world.department.command(number, "triage", state["version"], timeout=60, reason_code="x")
    state = world.reader.wait_status(number, "triage")
    world.department.command(number, "route", state["version"], timeout=60, department="park")
    world.reader.wait_status(number, "routed")
    world.wait_settled()
    assert Counter(what for what, _ in world.rows(number))["routed"] == 1
    assert len(mails_of(world, number)) == 2


@pytest.mark.parametrize("mode, state, attempts, reason", [
    ("later", "sent", 2, ""),
    ("no_such", "dead", 1, "refused"),
    ("spam", "dead", 1, "refused"),
    ("bytes", "dead", 1, "refused"),
    ("vanish", "unknown", 1, "unknown"),
    ("hang", "unknown", 1, "unknown"),
])
def test_how_a_mail_may_end(world, mode, state, attempts, reason):
    if mode == "hang":
        world.stack.restart("notifier", env=IMPATIENT)
    world.mail.mode = mode
    number = world.open(email=f"son-{mode}@ornek.example")[0]
    found = world.wait_state(number, "opened", state)
    assert found[0] == state and found[1] == attempts, found
    world.mail.mode = "ok"
    if mode == "hang":
        world.stack.restart("notifier", env={})
    world.wait_settled()
    kind = "notification.sent" if state == "sent" else "notification.failed"
    assert world.outcomes()[found[3]] == [(kind, reason)]
    assert world.mail.tries.get(found[3], 0) <= attempts


@pytest.mark.parametrize("mode, state, attempts", [
    ("busy", "sent", 2), ("no", "dead", 1), ("broken", "unknown", 1), ("hang", "unknown", 1),
    ("garbage", "unknown", 1),
])
def test_how_an_sms_may_end(world, mode, state, attempts):
    if mode == "hang":
        world.stack.restart("notifier", env=IMPATIENT)
    world.sms.mode = mode
    number = world.open(phone=PHONE)[0]
    found = world.wait_state(number, "opened", state)
    assert found[0] == state and found[1] == attempts, found
    world.sms.mode = "ok"
    if mode == "hang":
        world.stack.restart("notifier", env={})
    world.wait_settled()
    assert world.sms.tries[found[3]] == attempts, "sent again by nobody's decision"


def test_a_gateway_that_does_not_know_us_kills_nothing(world, stack):
    world.sms.mode = "login"
    number = world.open(phone=PHONE)[0]
    stack.wait(lambda: "http 401" in world.rows(number).get(("opened", "sms"), ("", 0, "", ""))[2], 10)
    world.sms.mode = "ok"
    world.wait_state(number, "opened", "sent", 40)


def test_a_server_that_is_away_costs_nobody_a_message(world, stack):
    world.mail.stop()
    numbers = world.open(12, email="kisi{n}@ornek.example")
    for number in numbers:
        world.end(number)
    stack.wait(lambda: stack.metric("notifier", "turunc_notifier_messages_waiting") >= 30, 15)
    tried = stack.one("select count(*) from turunc.notification_attempt where outcome = "
                      "'unreachable'")
    assert 1 <= tried < 36, "one tries for all"
    assert stack.ready("notifier")
    before = len(world.mail.taken)
    world.mail.start()
    world.wait_settled(60)
    told = Counter(m.subject for m in world.mail.taken[before:])
    assert len(told) == 36 and set(told.values()) == {1}
    for number in numbers:
        order = [m.subject for m in mails_of(world, number)]
        assert ["alındı" in order[0], "iletildi" in order[1], "sonuçlandı" in order[2]] == [True] * 3


def test_those_that_fail_together_are_one_failure(world, stack):
    """A moment's failure of many at once does not keep the channel shut for half a minute."""
    failed = "select count(*) from turunc.notification_attempt where outcome = 'unreachable'"
    before = stack.one(failed)
    world.sms.mode = "login"
    numbers = world.open(24, phone=PHONE)
    stack.wait(lambda: stack.one(failed) >= before + 4, 10, "several have failed")
    world.sms.mode = "ok"
    began = time.monotonic()
    for number in numbers:
        world.wait_state(number, "opened", "sent")
    assert time.monotonic() - began < 25, "less than the half minute between looks at a channel that stays away"


def test_a_clock_set_back_keeps_nobody_waiting(world, stack):
    """What was put off by a clock that ran ahead is sent when the clock has been set right."""
    with tempfile.TemporaryDirectory(prefix="turunc-clock-", dir="/tmp") as folder:
        clock = Clock(folder)
        stack.process["notifier"].env.update(
            {**clock.env, "TURUNC_NOTIFIER_RETRY_FIRST": "5s", "TURUNC_NOTIFIER_RETRY_CAP": "5s"})
        clock.set(3000)
        stack.restart("notifier")
        world.sms.mode = "busy"
        number = world.open(phone=PHONE)[0]
        stack.wait(lambda: world.rows(number).get(("opened", "sms"), ())[:2] == ("queued", 1), what="it was put off")
        stack.sql("update turunc.notification set next_attempt_us = next_attempt_us + 600000000 where state = 1")
        clock.set(0)
        world.wait_state(number, "opened", "sent")
        assert stack.metric("notifier", "turunc_notifier_hastened_total") >= 1
        stack.restart("notifier", env={})


def test_the_stream_is_taken_up_again(world, stack):
    stack.kill9("router")
    stack.wait(lambda: '"stream","state":"down"' in stack.http("notifier", "GET", "/readyz").text
               .replace(" ", ""), 15)
    assert stack.ready("notifier"), "what is queued goes out without the stream"
    numbers = world.open(5, email="yeni{n}@ornek.example")
    stack.restart("router")
    for number in numbers:
        world.wait_state(number, "routed", "sent", 30)
        assert len(mails_of(world, number)) == 2


def test_an_erased_person_is_not_written_to(world, stack):
    world.sms.mode = "login"
    number = world.open(phone=PHONE)[0]
    stack.wait(lambda: ("opened", "sms") in world.rows(number), 10)
    stack.sql("update turunc.notification set recipient = null, subject = null, body = null "
              "where ticket_id = %s", int(number.replace("-", "")[:-1]))
    # What was claimed with the words still in it has ended.
    stack.wait(lambda: world.state(number, "opened") != "sending", what="no claim is under way")
    world.sms.mode = "ok"
    found = world.wait_state(number, "opened", "dead", 40)
    assert "erased" in found[2] and found[3] not in {t["id"] for t in world.sms.taken}


def test_texts_wait_for_the_morning():
    """Quiet from now on for two hours: what is due waits in the record, mail does not."""
    minutes = int((time.time() + 3 * 3600) // 60 % 1440)
    clock = ["%02d:%02d" % divmod((minutes + shift) % 1440, 60) for shift in (-5, 120)]
    world = World(quiet=tuple(clock))
    try:
        texts = world.open(3, phone=PHONE)
        mail = world.open(email="gece@ornek.example")[0]
        world.wait_state(mail, "opened", "sent")
        for number in texts:
            world.wait_state(number, "routed", "queued")
        time.sleep(1.5)
        assert world.sms.taken == []
        urgent = Opener.id_of(texts[1])
        world.stack.sql("update turunc.ticket_state set priority = 4 where ticket_id = %s", urgent)
        world.stack.wait(lambda: world.state(texts[1], "routed") == "sent", 15, "what is urgent does not wait")
        assert {texts[1]} == {n for n in texts for t in world.sms.taken if n in t["text"]}
        now_us = time.time_ns() // 1000
        world.stack.sql("insert into turunc.sms_opt_out values (%s, %s)", PHONE, now_us)
        assert world.stack.one("""select turunc.take_sms_wish('w-1', %s, false, 0, %s, gen_random_uuid(), array['tr'],
            array['Gece de cevap'])""", PHONE, now_us) == 4
        world.stack.wait(lambda: any("Gece de cevap" in t["text"] for t in world.sms.taken), 15,
                         "whoever has just written is answered")
        assert len(world.sms.taken) == 3, "and nobody else"
        world.configure()
        world.wait_settled()
        assert len(world.sms.taken) == 7
    finally:
        assert world.close()


def test_an_impossible_template_does_not_stop_the_others(world, stack):
    """An answer that makes one text too long; the column takes what the doors would refuse."""
    number = world.open(email="uzun@ornek.example")[0]
    world.wait_state(number, "routed", "sent")
    stack.sql("""create function turunc.swell() returns trigger language plpgsql
                 as $$ begin new.body = repeat('x', 20000); return new; end $$""")
    stack.sql("create trigger swell before insert on turunc.ticket_text for each row "
              "when (new.body = 'uzun') execute function turunc.swell()")
    world.end(number, text="uzun")
    found = world.wait_state(number, "resolved", "dead")
    stack.sql("drop trigger swell on turunc.ticket_text")
    stack.sql("drop function turunc.swell()")
    assert "template" in found[2]
    other = world.open(email="kisa@ornek.example")[0]
    world.wait_state(other, "opened", "sent")


def test_news_that_cannot_be_stored_is_isolated(world, stack):
    """A trigger refuses the rows of one person, as data errors do."""
    stack.sql("""create or replace function turunc.refuse_zehir() returns trigger language plpgsql
                 as $$ begin if new.recipient like 'zehir@%%' then
                 raise exception 'poison' using errcode = '22000'; end if; return new; end $$""")
    stack.sql("create trigger zehir before insert on turunc.notification for each row "
              "execute function turunc.refuse_zehir()")
    try:
        name = 'turunc_dead_letters_total{consumer="notifier",reason="refused"}'
        before = stack.metric("notifier", name)
        numbers = [world.open(email=f"{who}@ornek.example")[0] for who in ("once", "zehir", "sonra")]
        for number in (numbers[0], numbers[2]):
            world.wait_state(number, "routed", "sent", 30)
        assert world.rows(numbers[1]) == {}
        stack.wait(lambda: stack.metric("notifier", name) >= before + 2, 10)
    finally:
        stack.sql("drop trigger zehir on turunc.notification")


def test_a_stop_keeps_what_was_not_begun(world, stack):
    world.mail.delay_s = 0.4
    numbers = world.open(10, email="dur{n}@ornek.example")
    stack.wait(lambda: stack.one("select count(*) from turunc.notification where state = 2") >= 4, 10)
    assert stack.terminate("notifier") == 0
    assert stack.one("select count(*) from turunc.notification where state = 2") == 0
    world.mail.delay_s = 0
    stack.start("notifier")
    world.wait_settled()
    assert all(len(mails_of(world, number)) == 2 for number in numbers)


def test_an_operator_decides(world, stack):
    world.mail.mode = "vanish"
    number = world.open(email="karar@ornek.example")[0]
    message = world.wait_state(number, "opened", "unknown")[3]
    world.mail.mode = "ok"
    world.wait_settled()
    listed = stack.masa("message", "list", "--state", "unknown", "--ticket", number, "--json")
    assert message in listed
    shown = stack.masa("message", "show", message)
    assert "karar@" not in shown and "unknown" in shown
    assert "karar@" in stack.masa("message", "show", message, "--personal")
    dry = stack.masa("message", "retry", message, "--dry-run", "--json")
    assert "may have reached" in dry and world.state(number, "opened") == "unknown"
    assert "may have reached" in stack.masa("message", "retry", message, "--json")
    world.wait_state(number, "opened", "sent")
    assert stack.masa("message", "retry", message, check=False).returncode == 5
    assert stack.masa("message", "discard", message, "--reason", "x", check=False).returncode == 5
    world.mail.mode = "no_such"
    dead = world.open(email="yok@ornek.example")[0]
    message = world.wait_state(dead, "opened", "dead")[3]
    assert stack.masa("message", "discard", message, check=False).returncode == 2
    stack.masa("message", "discard", message, "--reason", "adres yanlış")
    assert world.state(dead, "opened") == "discarded"
    for words, code in ((("show", "0"), 2), (("list", "--state", "lost"), 2),
                        (("show", "00000000-0000-7000-8000-000000000000"), 3),
                        (("retry", "00000000-0000-7000-8000-000000000000"), 3)):
        assert stack.masa("message", *words, check=False).returncode == code
    assert stack.masa("message", "retry", message, check=False,
                      user="turunc_metrics").returncode == 4


def test_what_a_person_discarded_stays_so_whatever_is_settled_later(world, stack):
    """The refusal in the dialogue marks the address as well, a moment later; the message is not its concern any more."""
    world.wait_settled()
    world.mail.mode, world.mail.delay_s = "no_such", 1
    with psycopg2.connect(stack.conninfo()) as link, link.cursor() as cursor:
        number = world.open(email="atilan@ornek.example")[0]
        cursor.execute("lock table turunc.mail_mark in share mode")     # no address is marked meanwhile
        message = world.wait_state(number, "opened", "dead")[3]
        stack.masa("message", "discard", message, "--reason", "adres yanlış")
    link.close()
    stack.wait(lambda: stack.one("select count(*) from turunc.bounce where notification_id = %s and handled_us is not null",
                                 message) == 1, 30, "the address is marked")
    assert world.state(number, "opened") == "discarded"
    assert stack.one("select count(*) from turunc.event_log where type = 'notification.failed'"
                     " and position(%s::bytea in event) > 0", message) == 1
    world.mail.mode, world.mail.delay_s = "ok", 0


def test_killed_twenty_times_nobody_is_told_twice(world, stack):
    in_flight, kills, stop = 8, 20, threading.Event()
    world.mail.delay_s = 0.01
    before = len(world.mail.taken)
    opened, failures = [], []

    def load():
        try:
            while not stop.is_set():
                n = len(opened)
                opened.extend(world.open(5, email=f"yuk{n}-{{n}}@ornek.example"))
                stop.wait(0.1)
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    thread = threading.Thread(target=load)
    thread.start()
    unknown = stack.one("select count(*) from turunc.notification where state = 4")
    try:
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 0.6))
            stack.kill9("notifier")
            stack.start("notifier", wait=False)
    finally:
        stop.set()
        thread.join()
        stack.wait_ready("notifier")
        world.mail.delay_s = 0
    assert not failures
    world.wait_settled(120)
    taken = Counter(m.id for m in world.mail.taken[before:])
    assert opened and set(taken.values()) <= {1}, "a message was told twice"
    rows = stack.sql("""select notification_id::text, state from turunc.notification
                        where ticket_id = any(%s)""",
                     [int(n.replace("-", "")[:-1]) for n in opened])
    assert len(rows) == 2 * len(opened), "each change is a message, once"
    unknown = stack.one("select count(*) from turunc.notification where state = 4") - unknown
    assert unknown <= in_flight * kills
    print(f"opened={len(opened)} told={len(taken)} unknown={unknown}")
    assert {state for _, state in rows} <= {3, 4}
    assert all(taken[i] == 1 for i, state in rows if state == 3), "said to be sent, and was not"
    records = world.outcomes()
    assert all(len(records[i]) == 1 for i, _ in rows), "each ending is recorded once"


def test_the_record_lost_under_load():
    world = World(own_postgres=True)
    try:
        numbers = []
        for round_ in range(4):
            numbers += world.open(10, email=f"kayip{round_}-{{n}}@ornek.example")
            time.sleep(0.1)
            world.stack.kill9("postgres")
            time.sleep(0.3)
            world.stack.restart("postgres")
            world.stack.wait_ready()
        world.stack.wait(lambda: len(world.rows()) >= 2 * len(numbers), 90, "all are routed")
        world.wait_settled(90)
        taken = Counter(m.id for m in world.mail.taken)
        assert set(taken.values()) == {1}
        rows = world.rows()
        assert {row[0] for _, row in rows} == {"sent"}, "this process knew what it had sent"
        assert len(rows) == len(taken) == 2 * len(numbers)
        assert all(len(v) == 1 for v in world.outcomes().values())
    finally:
        assert world.close()
