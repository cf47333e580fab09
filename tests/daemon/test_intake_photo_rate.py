"""How many forms with photos one address may send: they are checked, written and synced while others wait."""
import glob
import re

import pytest

import photos
from intake_world import add_api_key, number_of, post, ticket_id
from stack import Stack

SAID = {"service_code": "cop-alinmadi", "attribute[tur]": "ambalaj", "address_id": "fener",
        "description": "Üç gündür alınmadı", "phone": "0532 123 45 67"}
BURST, ADDRESS_BURST = 3, 12


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"], env={"intake": {
            "TURUNC_INTAKE_PHOTOS_PER_MINUTE": "1", "TURUNC_INTAKE_PHOTOS_BURST": str(BURST),
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "1", "TURUNC_INTAKE_ADDRESS_BURST": str(ADDRESS_BURST)}}) as made:
        made.key = add_api_key(made, "app")
        made.start()
        made.wait(lambda: post(made, made.key).status == 201)
        yield made


def token_on(page):
    return re.search(r'name="token" value="([^"]+)"', page.text).group(1)


def send(stack, path, address, fields, *sent):
    body, kind = photos.multipart([*fields.items()], [("photo", "x.jpg", data) for data in sent])
    return stack.http("intake", "POST", path, body=body,
                      headers={"Content-Type": kind, "X-Forwarded-For": address})


def report(stack, address, *sent, lang="tr"):
    token = token_on(stack.http("intake", "GET", "/report?subject=cop-alinmadi"))
    return send(stack, f"/report?lang={lang}", address, {**SAID, "token": token}, *sent)


def opened(stack, address):
    """The page of a ticket of its own."""
    number = number_of(post(stack, stack.key, phone="0532 123 45 67"))
    page = stack.http("intake", "POST", "/track?lang=tr", form={"no": number, "digits": "4567"},
                      headers={"X-Forwarded-For": address})
    assert page.status == 200, page
    return number, token_on(page)


def say(stack, address, token, text, *sent):
    return send(stack, "/track/say?lang=tr", address, {"token": token, "kind": "follow_up", "text": text}, *sent)


def stored(stack):
    files = glob.glob(f"{stack.folder}/**/attachments/[0-9a-f][0-9a-f]/*", recursive=True)
    assert len(files) == stack.one("select count(*) from turunc.attachment")
    return len(files)


def limited(stack, by):
    return stack.metric("intake", f'turunc_intake_rate_limited_total{{by="{by}"}}')


def test_reports_with_photos_from_one_address_have_a_limit(stack):
    before, counted = stored(stack), limited(stack, "photos")
    for _ in range(BURST):
        assert report(stack, "10.2.0.1", photos.jpeg()).status == 201
    answer = report(stack, "10.2.0.1", photos.jpeg())
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1
    assert "çok sayıda fotoğraf geldi" in answer.text and "Üç gündür alınmadı" in answer.text
    assert "fotoğrafları yeniden seçin" in answer.text
    assert "Many photos came from here" in report(stack, "10.2.0.1", photos.jpeg(), lang="en").text
    assert stored(stack) == before + BURST and limited(stack, "photos") == counted + 2
    again = send(stack, "/report?lang=tr", "10.2.0.1", {**SAID, "token": token_on(answer)})
    assert again.status == 201, "without photos the same form goes at once"
    assert report(stack, "10.2.0.2", photos.jpeg()).status == 201, "others are not hindered"


def test_one_form_sent_again_and_again_is_not_stored_again_and_again(stack):
    """A form is good for half an hour, and whether it was used is known only after its photos are written."""
    number, token = opened(stack, "10.2.1.1")
    before, counted = stored(stack), limited(stack, "photos")
    statuses = [say(stack, "10.2.1.1", token, f"Bakın {n}", photos.jpeg()).status for n in range(BURST + 3)]
    assert statuses == [200] + [409] * (BURST - 1) + [429] * 3
    assert stored(stack) == before + 1 and limited(stack, "photos") == counted + 3
    _, fresh = opened(stack, "10.2.1.1")
    answer = say(stack, "10.2.1.1", fresh, "Bakın <b>", photos.png())
    assert answer.status == 429, "a fresh form does not help"
    assert "çok sayıda fotoğraf geldi" in answer.text and "Bakın &lt;b&gt;</textarea>" in answer.text
    assert report(stack, "10.2.1.1", photos.png()).status == 429, "nor does the other page"
    assert say(stack, "10.2.1.1", fresh, "Bakın").status == 200, "words go"
    assert stack.one("select count(*) from turunc.contact where ticket_id = %s and kind = 'follow_up'",
                     ticket_id(number)) == 1


def test_words_have_the_limit_of_every_form(stack):
    _, token = opened(stack, "10.2.2.1")
    counted = limited(stack, "address")
    statuses = [say(stack, "10.2.2.1", token, "Bakın").status for _ in range(ADDRESS_BURST + 3)]
    assert set(statuses[:ADDRESS_BURST]) == {200} and statuses[-1] == 429
    assert limited(stack, "address") > counted
    assert "Çok sık" in say(stack, "10.2.2.1", token, "Bakın").text
    assert say(stack, "10.2.2.2", token, "Bakın").status == 200


def test_a_report_s_form_says_nothing_of_a_ticket(stack):
    token = token_on(stack.http("intake", "GET", "/report?subject=cop-alinmadi"))
    answer = say(stack, "10.2.3.1", token, "Bakın")
    assert answer.status == 400 and "süresi doldu" in answer.text
