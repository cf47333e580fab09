"""What a citizen adds later: photos with a note, "not solved" of a closed report; messages shown."""
import re
import uuid

import pytest

import photos
from intake_world import ticket_id
from turunc.v1 import event_pb2

from test_intake_track import look, opened, set_status, stack  # noqa: F401



def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.text).group(1)


def say(stack, page, kind, text="", *sent, lang="tr"):
    body, media = photos.multipart([("token", token_of(page)), ("kind", kind), ("text", text)],
                                   [("photo", "x", data) for data in sent])
    return stack.http("intake", "POST", f"/track/say?lang={lang}", body=body, headers={"Content-Type": media})


def close(stack, number, ended_as="ticket.resolved"):
    """As the router's sweep leaves it, which is days later."""
    record = event_pb2.Event(id=str(uuid.uuid4()), source="router", type=ended_as, time_us=1, subject=number,
                             actor="test", step=event_pb2.TicketStep(status=7, version=9))
    stack.sql("""select turunc.log_append(1, %s::text[], %s::bigint[], '{NULL}'::text[], '{NULL}'::text[],
                 '{test}'::text[], %s::bytea[])""", [ended_as], [ticket_id(number)],
              [record.SerializeToString()])
    set_status(stack, number, 12, 1)


def test_a_photo_needs_no_words(stack):
    number = opened(stack)
    page = look(stack, number)
    for _ in range(2):
        assert say(stack, page, "follow_up", "", photos.jpeg()).status == 200
    assert stack.sql("select kind, description from turunc.contact where ticket_id = %s and kind <> 'report'",
                     ticket_id(number)) == [("follow_up", None)]
    link = re.findall(r'src="(/photo/[^"]+)"', look(stack, number).text)
    assert len(link) == 1 and stack.http("intake", "GET", link[0]).status == 200
    again = say(stack, page, "follow_up", "", photos.png())
    assert again.status == 409, "a used form"


def test_what_is_wrong_is_said_beside_what_was_written(stack):
    number = opened(stack)
    page = look(stack, number)
    answer = say(stack, page, "follow_up", "Bakın <b>", photos.HTML)
    assert answer.status == 400 and "1. dosya fotoğraf değil" in answer.text
    assert "Bakın &lt;b&gt;</textarea>" in answer.text
    answer = say(stack, page, "follow_up", "  ", lang="en")
    assert answer.status == 400 and "You have not written anything" in answer.text
    assert say(stack, answer, "follow_up", "Bakın", photos.png()).status == 200, "its form goes"
    assert stack.one("select count(*) from turunc.attachment where ticket_id = %s", ticket_id(number)) == 1


def test_photos_of_others_are_not_shown(stack):
    number = opened(stack)
    assert say(stack, look(stack, number), "follow_up", "", photos.jpeg()).status == 200
    stack.sql("update turunc.contact set phone = '+905551112233' where ticket_id = %s and kind = 'follow_up'",
              ticket_id(number))
    assert 'src="/photo/' not in look(stack, number).text
    assert look(stack, number, "2233").status == 404, "the page is the opener's"


def test_messages_are_listed_without_what_they_say(stack):
    number = opened(stack)
    for channel, state, words in (("sms", 6, "gizli SMS"), ("email", 5, "gizli posta"), ("sms", 7, "x")):
        stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type,
                         channel, language, recipient, body, state, created_us, updated_us)
                     values (gen_random_uuid(), %s, %s, 'ticket.routed', %s, 'tr', '+905321234567', %s, %s,
                             1772440000000000, 1)""", ticket_id(number), state, channel, words, state)
    text = look(stack, number).text
    section = text[text.index("Size gönderilen iletiler"):]
    assert "SMS" in section and "size ulaştı" in section and "gönderilemedi" in section
    assert "02.03.2026" in section and section.count("<b>SMS</b>") == 1, "what was discarded never left"
    assert "gizli" not in text and "905321234567" not in text
    with pytest.raises(Exception, match="permission denied"):
        stack.sql("select body from turunc.notification", user="turunc_intake")


def test_not_solved_after_closing_opens_one_that_follows(stack):
    number = opened(stack, first_name="Işıl", last_name="Çağrı")
    close(stack, number)
    page = look(stack, number)
    assert "Sorun çözülmedi" in page.text and "Yeni başvuru aç" in page.text and "Not ya da" not in page.text
    empty = say(stack, page, "not_solved", " ")
    assert empty.status == 400 and "Bir şey yazmadınız" in empty.text
    answer = say(stack, page, "not_solved", "Yine kirli", photos.jpeg())
    assert answer.status == 201 and "Yeni bir başvuru açıldı" in answer.text
    new = re.search(r'class="number">([0-9-]+)<', answer.text).group(1)
    again = say(stack, page, "not_solved", "Yine kirli", photos.jpeg())
    assert new in again.text and again.status == 201, "sent twice is one"
    row = stack.sql("""select t.subject_code, t.neighbourhood, t.channel, c.kind, c.description, c.name, c.phone,
                           c.latitude, l.earlier_id from turunc.ticket t
                       join turunc.contact c on c.contact_id = t.contact_id
                       join turunc.ticket_link l on l.ticket_id = t.ticket_id where t.ticket_id = %s""",
                    ticket_id(new))[0]
    old = stack.sql("""select t.subject_code, t.neighbourhood, c.latitude from turunc.ticket t
                       join turunc.contact c on c.contact_id = t.contact_id where t.ticket_id = %s""",
                    ticket_id(number))[0]
    assert row == (old[0], old[1], 2, "report", "Yine kirli", "Işıl Çağrı", "+905321234567", old[2],
                   ticket_id(number))
    stack.wait(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s",
                                 ticket_id(new)) == 3, 10, "routed like any other")
    assert stack.one("select status from turunc.ticket_state where ticket_id = %s", ticket_id(number)) == 12
    there, back = look(stack, number).text, look(stack, new).text
    assert f'no={new}' in there and f'no={number}' in back, "each leads to the other"
    assert "Sorun çözülmedi" not in there and 'src="/photo/' in back
    assert stack.one("select count(*) from turunc.ticket_link where earlier_id = %s", ticket_id(number)) == 1
    assert say(stack, page, "follow_up", "not").status == 409


@pytest.mark.parametrize("ended_as", ["ticket.withdrawn", "ticket.joined"])
def test_who_withdrew_or_was_joined_reports_anew(stack, ended_as):
    number = opened(stack)
    page = look(stack, number)
    close(stack, number, ended_as)
    assert "Sorun çözülmedi" not in look(stack, number).text
    assert say(stack, page, "not_solved", "olmadı").status == 409


def test_the_log_is_whole(stack):
    assert stack.one("select count(*) from turunc.ticket_link l join turunc.event_log e on e.ticket_id = "
                     "l.ticket_id and e.type = 'ticket.opened'") == 1
