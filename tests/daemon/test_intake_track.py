"""The page on which a citizen looks up a report: who gets in, what it shows, and what can be said."""
import html
import re

import pytest

from intake_world import add_api_key, check_log, number_of, post, printed, ticket_id
from stack import Stack

PHONE = "0532 123 45 67"


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake", "router"], env={"intake": {
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0",
            "TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0"}}) as made:
        made.key = add_api_key(made, "app")
        made.start()
        made.wait(lambda: post(made, made.key).status == 201)
        yield made


def opened(stack, **fields):
    number = number_of(post(stack, stack.key, phone=PHONE, **fields))
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s",
                                 ticket_id(number)) == 3, 10, "routed")
    return number


def look(stack, number, digits="4567", lang="tr", address="10.0.0.1"):
    return stack.http("intake", "POST", f"/track?lang={lang}", form={"no": number, "digits": digits},
                      headers={"X-Forwarded-For": address})


def say(stack, page, kind, text="", token=None):
    found = re.search(r'name="token" value="([^"]+)"', page.body.decode())
    return stack.http("intake", "POST", "/track/say", form={
        "token": token or found.group(1), "kind": kind, "text": text})


def set_status(stack, number, status, ended_us=None):
    stack.sql("update turunc.ticket_state set status = %s, ended_us = %s where ticket_id = %s",
              status, ended_us, ticket_id(number))


def test_shows_where_it_stands_in_both_languages(stack):
    number = opened(stack, description="<script>alert(1)</script>")
    stack.sql("""insert into turunc.ticket_text (text_id, ticket_id, version, kind, actor, body, salt,
                 created_us) values (gen_random_uuid(), %s, 3, 'answer', 'x', %s, '', 1772440000000000)""",
              ticket_id(number), "Ekip <b>yarın</b> gelecek.\nSağ olun & var olun")
    page = look(stack, number)
    assert page.status == 200 and page.headers["Cache-Control"] == "no-store"
    text = page.body.decode()
    for words in ("Yönlendirildi", number, "Cadde ve sokak süpürme", "Başvurunuz alındı",
                  "İlgili birime gönderildi", "Ekip &lt;b&gt;yarın&lt;/b&gt; gelecek.",
                  "Sağ olun &amp; var olun", "02.03.2026"):
        assert words in text, words
    assert "<script>" not in text and "alert(1)" not in text
    assert "default-src" in page.headers["Content-Security-Policy"]
    english = look(stack, number, lang="en").body.decode()
    assert '<html lang="en">' in english and "Street sweeping" in english and "Routed" in english
    assert look(stack, number.replace("-", " ")).status == 200, "as people type it"


def test_who_is_refused_is_told_where_to_turn(stack):
    number, now_us = opened(stack), stack.one("select max(committed_at_us) from turunc.event_log")
    for status, told in ((7, False), (9, False), (8, True)):
        set_status(stack, number, status, now_us)
        assert ("Karara karşı başvuru yolları" in look(stack, number).body.decode()) == told, status
    turkish, english = (html.unescape(look(stack, number, lang=lang).body.decode()) for lang in ("tr", "en"))
    for law, days in (("4982", "on beş gün"), ("6698", "otuz gün"), ("2577", "altmış gün")):
        assert f"{law} sayılı Kanun" in turkish and days in turkish and f"Law {law}, art." in english


def test_legal_deadline_is_its_last_day(stack):
    number = opened(stack)
    stack.sql("update turunc.ticket_state set legal_due_us = %s, service_due_us = null"
              " where ticket_id = %s", 1775077200000000, ticket_id(number))  # 2 April 2026, 00:00 +03
    text = look(stack, number).body.decode()
    assert "01.04.2026" in text and "02.04.2026" not in text


def test_nobody_else_gets_in_and_learns_nothing(stack):
    number = opened(stack)
    other = "26-0999999-" + next(d for d in "0123456789" if look(
        stack, f"26-0999999-{d}", address="10.9.0.1").status in (200, 404))
    wrong = look(stack, number, "0000", address="10.0.0.2")
    absent = look(stack, other, "0000", address="10.0.0.3")
    assert wrong.status == absent.status == 404
    assert wrong.body == absent.body, "the two must not be told apart"
    for digits in ("", "456", "45678", "abcd", "٤٥٦٧"):
        assert look(stack, number, digits, address="10.0.0.4").status == 404
    without = number_of(post(stack, stack.key, phone=None))
    assert look(stack, without, "0000", address="10.0.0.5").status == 404


@pytest.mark.parametrize("kind, channel", [("sms", 8), ("joined", 1), ("follow_up", 4), ("follow_up", 2), ("call", 1),
                                           ("report", 2), ("machine", 4), ("survey", 2)])
def test_no_phone_opens_it_but_the_openers(stack, kind, channel):
    number = opened(stack)
    stack.sql("""insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us, language,
                     phone, salt) values (gen_random_uuid(), %s, %s, %s, 1, 1, 'tr', '+905340007788', 's')""",
              ticket_id(number), kind, channel)
    assert look(stack, number, "7788", address="10.0.5.1").status == 404
    assert look(stack, number, address="10.0.5.2").status == 200


def test_guessing_is_bounded_by_address_and_by_ticket(stack):
    number, another = opened(stack), opened(stack)
    by_address = [look(stack, number if n % 2 else another, f"{n:04}", address="10.0.1.1").status
                  for n in range(20)]
    assert 429 in by_address and by_address.count(404) <= 12
    by_ticket = [look(stack, opened_once, "0000", address=f"10.0.2.{n}").status
                 for n, opened_once in enumerate([opened(stack)] * 20)]
    assert by_ticket.count(404) <= 6 and by_ticket[-1] == 429
    # By now the address may have a few again.
    limited = next(page for page in (look(stack, number, "0000", address="10.0.1.1") for _ in range(20)) if page.status == 429)
    assert int(limited.headers["Retry-After"]) >= 1
    third = opened(stack)
    assert all(look(stack, third, address="10.0.3.1").status == 200 for _ in range(20)), \
        "right digits cost nothing"
    assert stack.metric("intake", 'turunc_intake_tracked_total{outcome="limited"}') > 0


def test_a_note_is_recorded_once_and_needs_words(stack):
    number = opened(stack)
    page = look(stack, number)
    assert say(stack, page, "follow_up", " \r\n ").status == 400
    assert say(stack, page, "follow_up", "ş" * 4001).status == 400
    for _ in range(2):
        assert say(stack, page, "follow_up", "Kapının önünde\r\nde var").status == 200
    rows = stack.sql("select kind, description, channel, phone from turunc.contact"
                     " where ticket_id = %s and kind <> 'report'", ticket_id(number))
    assert rows == [("follow_up", "Kapının önünde\nde var", 2, None)]
    assert say(stack, page, "follow_up", "başka").status == 409, "a used form"
    assert "Sizden bir ileti kaydedildi" in look(stack, number).body.decode()


def test_withdraw_and_not_solved_become_steps(stack):
    number = opened(stack)
    assert say(stack, look(stack, number), "withdraw").status == 200
    stack.wait(lambda: "Vazgeçildi" in look(stack, number).body.decode(), 10)
    assert "<summary>Başvurudan vazgeç" not in look(stack, number).body.decode()
    solved = opened(stack)
    before = look(stack, solved)
    now_us = stack.one("select max(committed_at_us) from turunc.event_log")
    set_status(stack, solved, 7, now_us)
    assert say(stack, before, "withdraw").status == 409, "it has ended meanwhile"
    assert say(stack, look(stack, solved), "not_solved", "Hâlâ kirli").status == 200
    stack.wait(lambda: "Yeniden açıldı" in look(stack, solved).body.decode(), 10)
    late = opened(stack)
    set_status(stack, late, 7, now_us - 11 * 86400 * 1000000)
    assert "Sorun çözülmedi" not in look(stack, late).body.decode()
    check_log(stack)


def test_forms_are_sealed(stack):
    number, other = opened(stack), opened(stack)
    page = look(stack, number)
    token = re.search(r'name="token" value="([^"]+)"', page.body.decode()).group(1)
    for bad in (token[:-1] + ("A" if token[-1] != "A" else "B"), "A" * 64, token + "A", "", "é" * 32):
        assert say(stack, page, "withdraw", token=bad or "x").status == 400
    assert say(stack, page, "close").status == 400
    assert stack.http("intake", "POST", "/track/say", form={"kind": "withdraw"}).status == 400
    assert stack.one("select count(*) from turunc.contact where kind <> 'report' and ticket_id in (%s, %s)",
                     ticket_id(number), ticket_id(other)) == 0


def test_links_of_messages_lead_here(stack):
    number = opened(stack)
    short = stack.http("intake", "GET", f"/?no={number}")
    assert (short.status, short.headers["Location"]) == (303, f"/track?no={number}")
    assert f'value="{number}"' in stack.http("intake", "GET", short.headers["Location"]).body.decode()
    assert stack.http("intake", "GET", "/?no=%0d%0aSet-Cookie:x").status == 200
    quoted = stack.http("intake", "GET", "/track?no=%22%3E%3Cb%3E").body.decode()
    assert html.escape('"><b>') in quoted and '"><b>' not in quoted.split("placeholder")[1]


def test_alias_and_record_away(stack):
    number, other = opened(stack), "26-0888888-" + "0123456789"[0]
    stack.sql("insert into turunc.ticket_alias (alias_id, ticket_id) values (%s, %s)",
              ticket_id(other), ticket_id(number))
    digit = next(d for d in "0123456789"
                 if look(stack, f"26-0888888-{d}", address=f"10.0.4.{d}").status == 200)
    assert number in look(stack, f"26-0888888-{digit}", address="10.0.4.99").body.decode()


def test_another_name_of_a_ticket_gives_no_more_guesses(stack):
    number = opened(stack)
    names = [f"26-08881{n:02}" for n in range(12)]
    for name in names:
        stack.sql("insert into turunc.ticket_alias (alias_id, ticket_id) values (%s, %s)",
                  int(name.replace("-", "")), ticket_id(number))
    answers = [look(stack, printed(int(name.replace("-", ""))), "0000", address=f"10.0.6.{n}").status
               for n, name in enumerate(names)]
    assert answers.count(404) <= 6 and answers[-1] == 429
