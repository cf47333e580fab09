"""Was the citizen satisfied?  From the end of a ticket to the answer, with the real services."""
import html
import os
import uuid
from collections import Counter

import pytest
from intake_world import event as intake_event
from router_world import Opener
from survey_link import stop_token
from survey_world import DAY_US, HOUR_US, SECRET, SurveyWorld
from turunc.v1 import event_pb2, inbound_pb2


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = SurveyWorld(tmp_path_factory.mktemp("survey"), base_url="https://masa.example")
    yield made
    made.reader.check()
    assert made.close(), "a service did not stop cleanly"


def text_of(page):
    return html.unescape(page.body.decode())


def looked(world):
    """The notifier has looked at the present time: a ticket that ends now and is not asked is seen."""
    probe = world.ended(email=None)
    world.clock.advance(DAY_US)
    world.wait_survey(probe, (4, "no_address", False, False))


# --- being asked ------------------------------------------------------------------------------------

def test_asked_once_after_the_delay_and_reminded_once(world):
    number = world.ended()
    world.clock.advance(DAY_US - HOUR_US)
    assert world.surveys(number) == [(1, "", False, False)], "not before the delay"
    world.clock.advance(HOUR_US)
    world.wait_survey(number, (2, "", True, False))
    token = world.token(number)
    letter, channel, _, recipient = world.letters(number)[0]
    assert channel == "email" and recipient == "ayse@ornek.example"
    assert "Sayın Ayşe Yılmaz" in letter and number in letter and "{" not in letter
    step, = world.records(number, "survey.invited")
    assert len(step.survey_id) == 36 and step.ended_seq > 0 and not step.score
    world.clock.advance(3 * DAY_US)
    world.wait_survey(number, (3, "", True, True))
    world.stack.wait(lambda: len(world.letters(number, "survey.reminded")) == 1, 15, "the reminder")
    assert f"/anket/{token}" in world.letters(number, "survey.reminded")[0][0], "the same link"
    world.clock.advance(30 * DAY_US)
    looked(world)
    assert len(world.letters(number)) == len(world.letters(number, "survey.reminded")) == 1
    assert len(world.records(number, "survey.invited")) == 1


def test_a_record_read_again_and_a_death_ask_nobody_twice(world):
    number, _ = world.invited()
    count = world.stack.one("select count(*) from turunc.survey")
    world.stack.kill9("notifier")
    world.stack.sql("update turunc.consumer_cursor set seq = 0 where client = '' and name = 'notifier'")
    world.stack.start("notifier")
    looked(world)
    assert world.stack.one("select count(*) from turunc.survey") == count + 1, "the probe's alone"
    assert len(world.letters(number)) == 1 and len(world.records(number, "survey.invited")) == 1


def test_who_is_not_asked_and_why(world):
    reopened = world.ended()
    state = world.reader.wait_status(reopened, "resolved")
    world.department.command(reopened, "reopen", state["version"], timeout=60, reason_code="yanlis-kapatildi")
    landline = world.ended(email=None, phone="+902422222222")
    silent = world.ended(email=None, phone="+905321112299")
    world.stack.sql("insert into turunc.sms_opt_out values ('+905321112299', 1)")
    erased = world.ended(email="silinen@ornek.example")
    world.erase("silinen@ornek.example")
    withdrawn = world.open()
    world.clock.advance(DAY_US)
    world.wait_survey(reopened, (4, "reopened", False, False))
    world.wait_survey(landline, (4, "no_address", False, False))
    world.wait_survey(silent, (4, "opted_out", False, False))
    world.stack.wait(lambda: ladder(world)["opted_out"] == 1, 15, "who wants no SMS is counted")
    world.wait_survey(erased, (4, "erased", False, False))
    assert world.surveys(withdrawn) == [], "what has not ended is no end"
    assert world.stack.metric("notifier", 'turunc_notifier_surveys_total{step="nobody"}') >= 3


def test_a_mobile_is_asked_by_sms_in_two_parts(world):
    number, token = world.invited(email=None, phone="+905321112233")
    body, channel, _, recipient = world.letters(number)[0]
    assert channel == "sms" and recipient == "+905321112233"
    assert number in body and token in body and "cop" not in body


# --- answering --------------------------------------------------------------------------------------

def test_an_answer_counts_once(world):
    number, token = world.invited()
    page = world.look(token)
    assert page.status == 200 and number in text_of(page) and page.headers["Cache-Control"] == "no-store"
    assert "Çöp" not in text_of(page), "what it is about is not for whoever holds the phone"
    assert world.answers(number) == [], "looking is no answer"
    first = world.answer(token, 4, "yes", "Teşekkürler <b>Ali</b>")
    assert first.status == 200 and "4 · Memnunum" in text_of(first)
    again = world.answer(token, 4, "yes", "Teşekkürler <b>Ali</b>")
    other = world.answer(token, 1)
    assert [again.status, other.status] == [200, 200]
    assert "4 · Memnunum" in text_of(other), "the first answer again"
    assert world.answers(number) == [(4, True, False)]
    step, = world.records(number, "survey.answered")
    assert (step.score, step.solved, step.not_solved, step.channel) == (4, True, False, 2)
    kept = world.stack.sql("select description, kind from turunc.contact where ticket_id = %s and kind = 'survey'",
                           Opener.id_of(number))
    assert kept == [("Teşekkürler <b>Ali</b>", "survey")]
    assert "Ali" not in str(world.stack.sql("select event from turunc.event_log where ticket_id = %s",
                                            Opener.id_of(number)))
    assert world.status(number) == "resolved"
    looked(world)
    world.clock.advance(3 * DAY_US)
    looked(world)
    assert world.letters(number, "survey.reminded") == [], "who answered is not reminded"


def test_what_is_no_answer(world):
    number, token = world.invited()
    for form in ({}, {"score": "0"}, {"score": "6"}, {"score": "5 "}, {"score": "٤"}, {"score": "44"}):
        page = world.answer(token, **form)
        assert page.status == 400 and "1 ile 5 arasında" in text_of(page), form
    assert world.answer(token, 5, text="ş" * 4001).status == 400
    assert world.answers(number) == [] and world.records(number, "survey.answered") == []


def test_not_solved_reopens_with_the_same_clocks(world):
    number, token = world.invited()
    before = world.reader.clock(number, 2)
    page = world.answer(token, 2, "no", "Hâlâ duruyor")
    assert page.status == 200 and "çözülmediğini bildirdiniz" in text_of(page)
    world.reader.wait_status(number, "routed")
    after = world.reader.clock(number, 2)
    assert (after["promise_ms"], after["elapsed_ms"]) == (before["promise_ms"], before["elapsed_ms"])
    assert world.answers(number) == [(2, False, False)]
    world.end(number)
    world.clock.advance(DAY_US)
    world.stack.wait(lambda: len(world.surveys(number)) == 2, 15, "the second end")
    world.wait_survey(number, (2, "", True, False))
    world.stack.wait(lambda: len(world.letters(number)) == 2, 15, "asked anew")
    assert world.token(number) != token
    assert world.answer(world.token(number), 5).status == 200
    assert world.answers(number) == [(2, False, False), (5, None, False)]


def test_a_change_of_mind_takes_back_and_adds_nothing(world):
    number, token = world.invited()
    assert world.answer(token, 5, "yes").status == 200
    assert "çözülmediğini bildirdiniz" not in text_of(world.look(token))
    for _ in range(2):
        page = world.answer(token, solved="no", text="Yine oldu")
        assert page.status == 200 and "5 · Çok memnunum" in text_of(page)
    world.reader.wait_status(number, "routed")
    assert world.answers(number) == [(5, True, True)]
    assert [(s.score, s.not_solved) for s in world.records(number, "survey.answered")] == [(5, False), (0, True)]


def test_not_solved_after_closing_opens_a_linked_ticket(world):
    number, token = world.invited()
    world.close_ticket(number)
    assert world.answer(token, 1, "no").status == 400, "a new ticket needs words"
    page = world.answer(token, 1, "no", "Çöp yine alınmadı")
    assert page.status == 200
    later = world.stack.one("select ticket_id from turunc.ticket_link where earlier_id = %s", Opener.id_of(number))
    assert later is not None and world.status(number) == "closed"
    assert world.answers(number) == [(1, False, False)]
    again = world.answer(token, 1, "no", "Çöp yine alınmadı")
    assert again.status == 200
    assert world.stack.one("select count(*) from turunc.ticket_link where earlier_id = %s",
                           Opener.id_of(number)) == 1


def test_links_that_are_none_and_those_that_are_over(world):
    number, token = world.invited()
    wrong = ("A" if token[5] != "A" else "B").join((token[:5], token[6:]))
    assert world.look(wrong).status == world.answer(wrong, 5).status == 404
    assert world.look("x" * 200, address="10.1.0.1").status == 404
    statuses = [world.look(wrong, address="10.2.0.1").status for _ in range(20)]
    assert statuses[0] == 404 and statuses[-1] == 429, "guessing is slow"
    assert world.look(token).status == 200, "for others nothing has changed"
    assert all(world.look(token, address="10.3.0.1").status == 200 for _ in range(20))
    world.clock.advance(14 * DAY_US)
    over = world.answer(token, 5)
    assert over.status == 410 and "süresi doldu" in text_of(over)
    assert world.answers(number) == []


def test_erasing_keeps_the_figure_and_takes_the_words(world):
    number, token = world.invited(email="giden@ornek.example")
    assert world.answer(token, 3, text="Adım Ayşe").status == 200
    world.erase("giden@ornek.example")
    assert world.answers(number) == [(3, None, False)]
    left = world.stack.sql("select description, answers from turunc.contact where ticket_id = %s and kind = 'survey'",
                           Opener.id_of(number))
    assert left == [(None, None)], "the words went"
    assert world.letters(number)[0][0] is None, "and the link"
    page = world.look(token)
    assert page.status == 410 and "silindi" in text_of(page)


def test_both_languages_and_both_paths(world):
    _, token = world.invited(language="en", name="Ann")
    page = world.look(token, lang="en", path="/survey")
    assert page.status == 200 and '<html lang="en">' in page.body.decode()
    assert "How satisfied are you" in text_of(page)
    done = world.answer(token, 5, lang="en")
    assert "Very satisfied" in text_of(done)


def test_who_may_see_messages_does_not_see_the_link(world):
    number, token = world.invited()
    sent = world.stack.one("""select notification_id::text from turunc.notification where about_type = 'survey.invited'
                              and ticket_id = %s""", Opener.id_of(number))
    shown = world.stack.masa("message", "show", sent, "--personal")
    assert "ayse@ornek.example" in shown and "/anket/…" in shown and token not in shown


def stop(world, token, body=b"List-Unsubscribe=One-Click", kind="application/x-www-form-urlencoded", lang="tr",
         address="10.0.0.7"):
    """As a mail program does by itself, or the page's form."""
    return world.stack.http("intake", "POST", f"/anket-istemiyorum/{token}?lang={lang}", body=body,
                            headers={"Content-Type": kind, "X-Forwarded-For": address})


def refusals(world):
    return [address for address, in world.stack.sql("select address from turunc.survey_refusal")]


def mail_about(world, number, about):
    """What the mail server took."""
    message = world.stack.one("select notification_id::text from turunc.notification where ticket_id = %s and about_type = %s",
                              Opener.id_of(number), about)
    world.wait_as_time_goes(lambda: any(m.id == message for m in world.mail.taken), 30, f"the mail {about}")
    return next(m for m in world.mail.taken if m.id == message), message


def test_who_wants_no_surveys_ends_them_by_one_click(world):
    number, answers = world.invited(email="Bezgin@ornek.example")
    mail, message = mail_about(world, number, "survey.invited")
    token = stop_token(SECRET, uuid.UUID(message))
    assert token == world.stop_token(number) and token not in world.stack.masa("message", "show", message, "--personal")
    assert mail.message["List-Unsubscribe"].strip() == f"<https://masa.example/anket-istemiyorum/{token}>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"/anket-istemiyorum/{token}" in world.letters(number)[0][0], "people can read it, too"
    service, _ = mail_about(world, number, "ticket.opened")
    assert service.message["List-Unsubscribe"] is None, "what became of one's own request is said all the same"

    look = world.look(token, path="/anket-istemiyorum")
    assert look.status == 200 and refusals(world) == [] and "gönderilmektedir" in text_of(look), "scanners open links"
    assert world.look(token).status == 404 and world.look(answers, path="/anket-istemiyorum").status == 404
    assert stop(world, answers).status == 404 and refusals(world) == []
    parts = (b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
             "multipart/form-data; boundary=x")
    for _ in range(2):
        page = stop(world, token, *parts)
        assert page.status == 200 and "artık memnuniyet anketi" in text_of(page)
    assert refusals(world) == ["bezgin@ornek.example"]
    assert "No more satisfaction surveys" in text_of(world.look(token, lang="en", path="/anket-istemiyorum"))

    other = world.ended(email="bezgin@ornek.example")
    world.clock.advance(DAY_US)
    world.wait_survey(other, (4, "refused", False, False))
    assert world.records(other, "survey.skipped")[0].reason == "refused"
    assert world.letters(other, "ticket.resolved"), "but how it ended is told"
    world.stack.wait(lambda: ladder(world)["refused"] == 1, 15, "who wants no such mail is counted")
    world.clock.advance(3 * DAY_US)
    world.wait_survey(number, (3, "", True, False))
    # One that was on its way.
    world.stack.sql("update turunc.notification set state = 1, next_attempt_us = 0 where notification_id = %s", message)
    world.wait_as_time_goes(lambda: world.letters(number)[0][2] == 7, 15, "it is discarded")

    assert "gönderilmektedir" in text_of(stop(world, token, b"again=yes")) and refusals(world) == []
    assert stop(world, token).status == 200 and refusals(world) == ["bezgin@ornek.example"]
    world.erase("bezgin@ornek.example")
    assert refusals(world) == [], "it goes with the person"
    gone = stop(world, token)
    assert gone.status == 404 and "silinmiş" in text_of(gone) and refusals(world) == []
    assert world.stack.metric("intake", 'turunc_intake_survey_stops_total{outcome="refused"}') == 3


def test_who_shares_a_mailbox_keeps_its_refusal_when_the_other_is_erased(world):
    mother, _ = world.invited(email="ev@ornek.example", phone="+905320004701")
    daughter = world.open(email="EV@ornek.example", phone="+905320004702")
    citizens = world.stack.sql("select distinct citizen_id from turunc.contact where ticket_id in (%s, %s)",
                               Opener.id_of(mother), Opener.id_of(daughter))
    assert len(citizens) == 2
    _, message = mail_about(world, mother, "survey.invited")
    assert stop(world, stop_token(SECRET, uuid.UUID(message))).status == 200
    world.erase("+905320004701")
    assert refusals(world) == ["ev@ornek.example"], "it is the mailbox's, which the other has still"
    world.erase("+905320004702")
    assert refusals(world) == []


def refusal_link(world, address):
    number, _ = world.invited(email=address)
    return stop_token(SECRET, uuid.UUID(mail_about(world, number, "survey.invited")[1]))


def waiting(world):
    return world.stack.metric("intake", "turunc_intake_survey_stops_waiting")


def test_a_refusal_is_kept_while_the_record_is_away(world):
    """A mail program posts once and does not come again.  Of an address its last word counts, also when a kill comes
    in between and another message of that address is where it was said."""
    first, then = refusal_link(world, "sabirsiz@ornek.example"), refusal_link(world, "Sabirsiz@ornek.example")
    other = refusal_link(world, "kararsiz@ornek.example")
    with world.stack.record_away():
        assert world.look(first, path="/anket-istemiyorum").status == 503, "what it was nobody can see now"
        page = stop(world, first)
        assert page.status == 200 and "artık memnuniyet anketi" in text_of(page)
        assert "artık memnuniyet anketi" in text_of(world.look(first, path="/anket-istemiyorum"))
        assert stop(world, other).status == 200
        assert "gönderilmektedir" in text_of(stop(world, first, b"again=yes"))
        assert stop(world, then).status == 200
        assert waiting(world) == 3
        world.stack.kill9("intake")
        world.stack.start("intake")
        assert "gönderilmektedir" in text_of(world.look(first, path="/anket-istemiyorum"))
        assert stop(world, other, b"again=yes").status == 200
    world.stack.wait(lambda: waiting(world) == 0, 20, "the record has them")
    assert refusals(world) == ["sabirsiz@ornek.example"]
    assert "artık memnuniyet anketi" in text_of(world.look(first, path="/anket-istemiyorum")), "it is the mailbox's"
    assert stop(world, then, b"again=yes").status == 200 and refusals(world) == []
    kept = 'turunc_intake_survey_stops_total{outcome="kept"}'
    assert world.stack.metric("intake", kept) == 1, "of the process that runs now"


def test_a_refusal_that_cannot_be_kept_is_not_acknowledged(world):
    token = refusal_link(world, "acele@ornek.example")
    in_the_way = world.stack.path("state", "intake", "survey-stops.new")
    os.mkdir(in_the_way)
    with world.stack.record_away():
        page = stop(world, token)
        assert page.status == 503 and "Birazdan yeniden deneyin" in text_of(page)
        os.rmdir(in_the_way)
        assert stop(world, token).status == 200
    world.stack.wait(lambda: refusals(world) == ["acele@ornek.example"], 20, "the record has it")
    world.stack.wait(lambda: waiting(world) == 0, 20, "and the disk knows")
    stop(world, token, b"again=yes")


def test_one_mail_does_not_keep_the_record_busy(world):
    number, _ = world.invited(email="inatci@ornek.example")
    token = stop_token(SECRET, uuid.UUID(mail_about(world, number, "survey.invited")[1]))
    def commits():
        return sum(world.stack.metric("intake", f'turunc_intake_survey_stops_total{{outcome="{name}"}}')
                   for name in ("refused", "again"))
    limited = 'turunc_intake_survey_stops_total{outcome="limited_message"}'
    before = commits()
    for n in range(30):
        stop(world, token, (b"again=yes", b"List-Unsubscribe=One-Click")[n % 2], address=f"10.8.{n}.1")
    assert 10 <= commits() - before < 20, "from wherever it is said"
    assert world.stack.metric("intake", limited) == 30 - (commits() - before)
    # One that is due again by the minute's clock is taken; the next one is not.
    said = [stop(world, token) for _ in range(3)]
    refused = next(page for page in said if page.status == 429)
    assert "Bir dakika sonra" in text_of(refused)
    assert world.look(token, path="/anket-istemiyorum").status == 200, "looking is free"
    other, _ = world.invited(email="baskasi@ornek.example")
    token = stop_token(SECRET, uuid.UUID(mail_about(world, other, "survey.invited")[1]))
    assert stop(world, token).status == 200, "nobody else is slowed down"


def test_other_systems_cannot_answer(world):
    number, _ = world.invited()
    survey = world.records(number, "survey.invited")[0].survey_id
    body = event_pb2.SurveyStep(survey_id=survey, score=5, solved=True).SerializeToString()
    result = world.department.publish_many([inbound_pb2.InboundEvent(
        id=f"forged-{number}", source="x", type="survey.answered", time_us=world.clock.at_us,
        foreign=inbound_pb2.ForeignBody(content_type="application/x-protobuf", data=body))])[0]
    assert not result.rejected, "it is kept as what it is, a foreign event"
    looked(world)
    assert world.answers(number) == [] and world.records(number, "survey.answered") == []


# --- the ladder -------------------------------------------------------------------------------------

SPOOLED = 2
STEPS = ("ended", "eligible", "invited", "delivered", "answered", "satisfied")


def ladder(world):
    """Sums of all months, of each figure."""
    page = world.stack.http("metrics", "GET", "/live/satisfaction.json")
    assert page.status == 200
    total = Counter()
    for month in page.json()["months"]:
        total.update({name: month[name] for name in STEPS + ("not_solved",)})
        total.update(month["not_eligible"])
    return total


def settled_ladder(world):
    """As the record has it now: it is counted along, and readings are kept for two seconds."""
    world.stack.wait(lambda: world.stack.one("""select (select seq from turunc.month_state)
                     = (select max(last_seq) from turunc.log_batch)"""), 15, "the months are counted")
    readings = world.stack.metric("metrics", "turunc_metrics_satisfaction_readings_total")
    world.stack.wait(lambda: ladder(world) and world.stack.metric(
        "metrics", "turunc_metrics_satisfaction_readings_total") > readings, 10, "a new reading")
    return ladder(world)


def test_the_ladder_is_what_people_did(world):
    looked(world)
    world.wait_as_time_goes(lambda: not world.stack.one("""select count(*) from turunc.notification
                     where channel = 'email' and state in (1, 2)"""), 30, "every mail is sent")
    before = settled_ladder(world)
    # Mail to them begins to be refused when they are asked: that one counts as invited.  Of their next
    # ticket nobody can be asked any more.
    lost = world.ended(email="kayip@ornek.example")
    world.wait_as_time_goes(lambda: [row[2] for row in world.letters(lost, "ticket.resolved")] == [3], 20,
                            "what was told before")
    world.mail.mode = "no_such"
    world.clock.advance(DAY_US)
    world.wait_as_time_goes(lambda: [row[2] for row in world.letters(lost)] == [5], 20, "a mail that is refused")
    world.mail.mode = "ok"
    world.stack.wait(lambda: world.stack.one("select count(*) from turunc.mail_mark where address = 'kayip@ornek.example'"),
                     20, "the address is marked")
    world.ended(email="kayip@ornek.example")
    tokens = [world.ended(email=f"a{n}@ornek.example") for n in range(4)]
    world.ended(email=None)
    back = world.ended()
    world.department.command(back, "reopen", world.reader.wait_status(back, "resolved")["version"],
                             timeout=60, reason_code="yanlis-kapatildi")
    world.clock.advance(DAY_US)
    happy, undone, unhappy, _ = [world.token(number) for number in tokens]
    assert world.answer(happy, 5, "yes").status == 200
    assert world.answer(undone, 4).status == world.answer(undone, solved="no").status == 200
    assert world.answer(unhappy, 2, "no").status == 200
    world.wait_survey(back, (4, "reopened", False, False))
    world.ended()
    wanted = {"ended": 9, "eligible": 5, "invited": 5, "delivered": 4, "answered": 3, "satisfied": 1,
              "not_solved": 2, "no_address": 1, "unreachable": 1, "reopened": 1, "waiting": 1}
    world.wait_as_time_goes(lambda: +(ladder(world) - before) == Counter(wanted), 20,
                            f"{wanted}, not {ladder(world) - before}")
    assert world.stack.metric("metrics", "turunc_metrics_satisfaction_odd_total") == 0


def test_the_ladder_as_a_page(world):
    for path in ("/live/satisfaction?lang=tr", "/live/memnuniyet?lang=tr"):
        page = world.stack.http("metrics", "GET", path)
        text = text_of(page)
        assert page.status == 200 and "default-src" in page.headers["Content-Security-Policy"]
        assert "Mart 2026" in text and "Wilson" in text and "Memnuniyet: " in text
        assert "<script" not in text and " style=" not in text
    english = text_of(world.stack.http("metrics", "GET", "/live/satisfaction?lang=en"))
    assert "March 2026" in english and "Not answering is nowhere counted" in english
    far = world.stack.http("metrics", "GET", "/live/satisfaction.json", headers={"X-Forwarded-For": "192.0.2.7"})
    assert far.status == 403, "shown to whom the board is shown"


# --- by SMS -----------------------------------------------------------------------------------------

def sms(world, phone, text, identifier):
    message = intake_event("sms.received", identifier)
    message.time_us = world.clock.at_us
    message.sms.sender, message.sms.text, message.sms.gateway = phone, text, "deneme"
    return world.department.publish_many([message])[0]


def test_an_sms_answers_what_was_asked_by_sms(world):
    phone = "+905321119001"
    number, _ = world.invited(email=None, phone=phone)
    world.stack.sql("update turunc.notification set state = 3 where about_type like 'survey.%%' and recipient = %s", phone)
    assert sms(world, phone, "3 gündür su yok", f"{number}-0").ticket == ""
    assert world.answers(number) == [], "a message of other words is no score"
    assert sms(world, "+905321119002", "5", f"{number}-1").ticket == "", "another's phone answers nothing"
    assert world.answers(number) == []
    for _ in range(2):
        assert sms(world, phone, "4", f"{number}-2").ticket == number
    assert world.answers(number) == [(4, None, False)]
    step, = world.records(number, "survey.answered")
    assert (step.score, step.solved, step.not_solved, step.channel) == (4, False, False, 8)
    assert world.status(number) == "resolved", "a score alone says nothing of solved or not"
    assert sms(world, phone, "1", f"{number}-3").ticket == "", "the first one counts"
    assert sms(world, phone, "ÇÖZÜLMEDİ", f"{number}-4").ticket == number
    world.reader.wait_status(number, "routed")
    assert world.answers(number) == [(4, None, True)]


def answered(world):
    return world.stack.metric("intake", 'turunc_intake_surveys_total{outcome="answered"}') or 0


def asked_by_sms(world, phone):
    """A ticket of this phone, whose invitation was sent."""
    number, token = world.invited(email=None, phone=phone)
    world.stack.sql("update turunc.notification set state = 3 where about_type like 'survey.%%' and recipient = %s", phone)
    return number, token


def test_an_sms_that_says_not_solved_after_closing_opens_a_linked_ticket(world):
    said = {"+905321119011": ("2 çözülmedi", (2, False, False)), "+905321119012": ("ÇÖZÜLMEDİ", (None, False, False)),
            "+905321119013": ("çözülmedi", (4, None, True))}
    asked = {phone: asked_by_sms(world, phone)[0] for phone in said}
    assert sms(world, "+905321119013", "4", "before-closing").ticket == asked["+905321119013"]
    world.close_ticket(asked["+905321119013"])
    before = answered(world)
    for phone, (words, wanted) in said.items():
        number = asked[phone]
        world.stack.wait(lambda n=number: world.status(n) == "closed", 15, "closed")
        for _ in range(2):
            assert sms(world, phone, words, f"{number}-closed").ticket == number
        assert world.answers(number) == [wanted], words
        later = world.stack.sql("""select c.description, c.phone, c.channel, t.subject_code from turunc.ticket_link l
                                   join turunc.ticket t on t.ticket_id = l.ticket_id join turunc.contact c
                                   on c.contact_id = t.contact_id where l.earlier_id = %s""", Opener.id_of(number))
        assert later == [(words, phone, 8, "cop-alinmadi")]
        assert world.status(number) == "closed"
    assert answered(world) == before + 2, "a repeat is no answer more, and one took back"


def test_not_solved_by_sms_when_the_page_was_first(world):
    number, token = asked_by_sms(world, "+905321119014")
    world.close_ticket(number)
    assert world.answer(token, 3).status == 200
    assert world.answer(token, solved="no", text="Yine oldu").status == 200
    assert sms(world, "+905321119014", "çözülmedi", f"{number}-0").ticket == "", "that is known"
    assert world.stack.one("select count(*) from turunc.ticket_link where earlier_id = %s", Opener.id_of(number)) == 1
    assert world.answers(number) == [(3, None, True)]


def test_an_sms_while_the_record_is_away_counts_when_it_is_back(world):
    closed, _ = asked_by_sms(world, "+905321119021")
    world.close_ticket(closed)
    number, _ = asked_by_sms(world, "+905321119022")
    before = answered(world)
    with world.stack.record_away():
        assert sms(world, "+905321119021", "1 çözülmedi", f"{closed}-away").status == SPOOLED
        assert sms(world, "+905321119022", "5", f"{number}-away").status == SPOOLED
        assert sms(world, "+905321119023", "5", f"{number}-nobody").status == SPOOLED
    assert world.answers(number) == [(5, None, False)]
    world.stack.wait(lambda: world.answers(closed) == [(1, False, False)], 15, "the other one, too")
    assert world.stack.one("select count(*) from turunc.ticket_link where earlier_id = %s", Opener.id_of(closed)) == 1
    assert answered(world) == before + 2
