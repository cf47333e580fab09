"""What citizens sent beside their words, at the desk: photos, and the ticket that follows a closed one."""
import os
import re
import tempfile

import lmtp
import photos
import pytest
from desk_world import DeskWorld
from intake_world import printed
from stack import Stack


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory(prefix="turunc-photos-") as folder:
        with Stack(services=["intake", "router"], env={"TURUNC_ATTACHMENTS_DIR": os.path.join(folder, "photos")}) as stack:
            made = DeskWorld(stack)
            made.opener.next_id += 500_000  # intake gives numbers too
            os.mkdir(os.path.join(folder, "photos"))
            stack.start()
            made.sign_everybody_in()
            yield made


def reported(world, subject="konteyner-hasar"):
    page = world.stack.http("intake", "GET", f"/report?subject={subject}&lang=tr").text
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    form = [("token", token), ("service_code", subject), ("address_id", "fener"), ("description", "Kırık"),
            ("phone", "0532 123 45 67")]
    body, kind = photos.multipart(form, [("photo", "a.jpg", photos.jpeg()), ("photo", "b.png", photos.png())])
    answer = world.stack.http("intake", "POST", "/report?lang=tr", body=body, headers={"Content-Type": kind})
    assert answer.status == 201, answer
    number = re.search(r'class="number">([0-9-]+)<', answer.text).group(1)
    world.reader.wait_status(number, "routed")
    return number


def test_photos_are_seen_by_whoever_sees_the_ticket(world):
    number = reported(world)
    links = re.findall(r'<img [^>]*src="(/photo/[^"]+)"[^>]*alt="Fotoğraf', world.ayse.ticket(number).text)
    assert len(links) == 2
    for link, media in zip(links, ("image/jpeg", "image/png")):
        shown = world.stack.http("intake", "GET", link)
        assert (shown.status, shown.headers["Content-Type"]) == (200, media)
    assert "/photo/" not in world.fatma.ticket(number).text
    world.stack.sql("update turunc.attachment set digest = null, salt = '' where ticket_id = %s", world.opener.id_of(number))
    assert "/photo/" not in world.ayse.ticket(number).text


def test_tickets_that_follow_each_other_say_so(world):
    earlier, later = world.routed(), world.routed()
    world.stack.sql("insert into turunc.ticket_link values (%s, %s)", world.opener.id_of(later), world.opener.id_of(earlier))
    assert re.search(rf"devamı: <a class=\"no\" href=\"/desk/ticket/{earlier}", world.ayse.ticket(later).text)
    assert re.search(rf"Devamı olan başvuru: <a class=\"no\" href=\"/desk/ticket/{later}", world.ayse.ticket(earlier).text)


def test_the_mail_that_a_ticket_came_by_is_there_for_those_who_may_know_its_writer(world):
    stack = world.stack
    mail = lmtp.letter(subject="Masadan okunacak", attachments=[("image", "png", "a.png", photos.png_of(200, 200))])
    assert lmtp.send(stack.port["lmtp"], mail, ["turuncmasa@muratpasa.example"]) == ["250 2.0.0 Taken."]
    ticket = stack.one("select ticket_id from turunc.contact where description like 'Masadan okunacak%%'")
    number = printed(ticket)
    world.reader.wait_status(number, "triage")
    page = world.oya.ticket(number).text
    assert len(re.findall(r'<img [^>]*src="/photo/', page)) == 1, "the mail is no picture"
    link = re.search(r'<a href="(/photo/[^"]+)" download>E-postanın aslı</a>', page).group(1)
    saved = stack.http("intake", "GET", link)
    assert saved.status == 200 and saved.body == b"Return-Path: <ayse@example.org>\r\n" + mail
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"] == 'attachment; filename="e-posta.eml"'
    stack.sql("update turunc.ticket_state set department = 'temizlik', status = 3 where ticket_id = %s", ticket)
    assert "E-postanın aslı" in world.ayse.ticket(number).text
    seen = world.vedat.ticket(number)
    assert seen.status == 200 and "<img " in seen.text and "E-postanın aslı" not in seen.text
