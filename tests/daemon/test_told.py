"""What citizens are told: previews of it, and e-mail to Postfix's own smtp-sink in its worst moods."""
import json

import pytest
from notifier_world import World

PHONE = "+905321112233"


@pytest.fixture(scope="module")
def world():
    one = World()
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
