"""The page on which a citizen makes a report: subjects, questions, receipt, and what is wrong."""
import re

import pytest

from intake_world import add_api_key, check_log, post, ticket_id
from stack import Stack

SAID = {"service_code": "cop-alinmadi", "attribute[tur]": "ambalaj", "address_id": "fener",
        "attribute[son-toplama]": "2026-03-02T08:15", "address_string": "1964 Sok. No 5",
        "description": "Üç gündür alınmadı\r\nkokuyor", "first_name": "Işıl", "last_name": "Çağrı",
        "phone": "0532 123 45 67", "email": ""}


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"], env={"intake": {
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "1", "TURUNC_INTAKE_ADDRESS_BURST": "20"}}) as made:
        made.key = add_api_key(made, "app")
        made.start()
        made.wait(lambda: post(made, made.key).status == 201)
        yield made


def page(stack, path, lang="tr"):
    answer = stack.http("intake", "GET", f"{path}{'&' if '?' in path else '?'}lang={lang}")
    assert answer.status == 200, answer
    return answer.body.decode()


def token_of(stack, subject="cop-alinmadi"):
    return re.search(r'name="token" value="([^"]+)"', page(stack, f"/report?subject={subject}")).group(1)


def send(stack, token, address="10.1.0.1", lang="tr", **fields):
    form = [(name, value) for name, values in {**SAID, "token": token, **fields}.items()
            if values is not None for value in (values if isinstance(values, list) else [values])]
    return stack.http("intake", "POST", f"/report?lang={lang}", form=form,
                      headers={"X-Forwarded-For": address})


def number_on(answer):
    return re.search(r'class="number">([0-9-]+)<', answer.body.decode()).group(1)


def test_subjects_by_group_in_both_languages(stack):
    turkish, english = page(stack, "/report"), page(stack, "/report", "en")
    for words in ("Temizlik", "Çöp toplanmadı", "/report?subject=cop-alinmadi&amp;lang=tr"):
        assert words in turkish, words
    assert "Rubbish not collected" in english and '<html lang="en">' in english
    assert turkish.count("<li ") == len(stack.http("intake", "GET", "/open311/v2/services.json").json())


def test_each_subject_s_page_asks_its_questions(stack):
    for n, service in enumerate(stack.http("intake", "GET", "/open311/v2/services.json").json()):
        text = page(stack, f"/report?subject={service['service_code']}")
        asked = []
        if service["metadata"]:
            asked = stack.http("intake", "GET", f"/open311/v2/services/{service['service_code']}.json",
                               headers={"X-Forwarded-For": f"10.2.0.{n}"}).json()["attributes"]
        for attribute in asked:
            assert f'name="attribute[{attribute["code"]}]' in text, (service, attribute)
        assert text.count('name="attribute[') >= len(asked)


def test_a_report_becomes_a_ticket_and_the_number_is_shown(stack):
    answer = send(stack, token_of(stack))
    assert answer.status == 201 and "Başvurunuz alındı" in answer.body.decode()
    number = number_on(answer)
    row = stack.sql("""select c.description, c.name, c.phone, c.address, c.channel, c.answers, t.subject_code,
                           t.neighbourhood, t.client, c.information_version, c.language
                       from turunc.contact c join turunc.ticket t using (ticket_id)
                       where ticket_id = %s""", ticket_id(number))[0]
    assert row[0].splitlines() == ["Üç gündür alınmadı", "kokuyor"]
    assert row[1:5] == ("Işıl Çağrı", "+905321234567", "1964 Sok. No 5", 2)
    assert '"2026-03-02T08:15:00+03:00"' in row[5] and '"ambalaj"' in row[5]
    assert row[6:] == ("cop-alinmadi", "fener", "", "2026-01", "tr")
    check_log(stack)


def test_sent_twice_is_one_report(stack):
    token = token_of(stack)
    first, again = send(stack, token, "10.1.0.2"), send(stack, token, "10.1.0.2")
    assert first.status == again.status == 201 and number_on(first) == number_on(again)
    changed = send(stack, token, "10.1.0.2", description="başka")
    assert changed.status == 409 and "daha önce gönderildi" in changed.body.decode()


def test_several_choices(stack):
    token = token_of(stack, "esya-toplama")
    answer = send(stack, token, "10.1.0.3", service_code="esya-toplama", **{
        "attribute[tur]": None, "attribute[son-toplama]": None, "attribute[adet]": "2",
        "attribute[esya][]": ["koltuk", "yatak"]})
    assert answer.status == 201, answer.body.decode()
    assert stack.one("select answers from turunc.contact where ticket_id = %s",
                     ticket_id(number_on(answer))).count("koltuk") == 1


def test_what_is_wrong_is_named_and_what_was_right_is_kept(stack):
    token = token_of(stack)
    before = stack.one("select count(*) from turunc.ticket")
    answer = send(stack, token, "10.1.0.4", phone="12", email="a@", **{"attribute[tur]": "yok"})
    text = answer.body.decode()
    assert answer.status == 400
    for line in ("Cep telefonunuz: Numara eksik.", "E-posta adresiniz: Geçerli bir e-posta adresi değil.",
                 "Ne toplanmadı?: Seçeneklerden biri olmalı."):
        assert f"<li>{line}</li>" in text, line
    assert "Üç gündür alınmadı" in text and 'value="Işıl"' in text
    assert re.search(r'value="fener" selected', text)
    english = send(stack, token, "10.1.0.4", lang="en", phone="12").body.decode()
    assert "<li>Mobile phone: The number is too short.</li>" in english
    assert stack.one("select count(*) from turunc.ticket") == before
    assert send(stack, token, "10.1.0.4").status == 201, "mended, the same form goes"


def test_nothing_of_theirs_is_markup(stack):
    evil = '"><script>alert(1)</script>'
    text = send(stack, token_of(stack), "10.1.0.5", first_name=evil, description=evil,
                address_string=evil, phone="12").body.decode()
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_forms_that_are_not_ours(stack):
    for token in (None, "", "A" * 64):
        assert send(stack, token, "10.1.0.6").status == 400
    tracked = send(stack, token_of(stack), "10.1.0.6", service_code="no-such")
    assert tracked.status == 404
    assert page(stack, "/report?subject=no-such").count("subject=") > 10


def test_one_address_cannot_flood(stack):
    statuses = [send(stack, token_of(stack), "10.1.0.9").status for _ in range(30)]
    assert statuses.count(201) == 20 and statuses[-1] == 429
    assert send(stack, token_of(stack), "10.1.0.10").status == 201
