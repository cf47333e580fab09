"""The page behind an invitation, attacked: guessed links, many answers at once, programs that open links,
and words that would be a script."""
import threading
import uuid

import pytest
from attack_world import honest_clients, post, under_attack
from stack import Stack
from survey_link import stop_token, token

SECRET = "a secret of more than sixteen"
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    secret = tmp_path_factory.mktemp("survey") / "mail.secret"
    secret.parent.chmod(0o755)
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    with Stack(services=("intake", "router", "metrics", "edge"), env={"intake": {
            "TURUNC_MAIL_SECRET_FILE": str(secret), "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0"}}) as made:
        made.start("intake", "router")
        honest_clients(made)
        made.start()
        yield made


def invited(stack):
    """The invitation's id, of somebody who was just asked."""
    survey = uuid.uuid4()
    number = post(stack, stack.honest_key).json()[0]["service_request_id"]
    ticket = int(number.replace("-", "")[:-1])
    stack.wait(lambda: stack.one("select count(*) from turunc.ticket_state where ticket_id = %s", ticket), 15)
    stack.sql("update turunc.ticket_state set status = 7, ended_us = updated_us where ticket_id = %s", ticket)
    stack.sql("""insert into turunc.survey (survey_id, ticket_id, ended_seq, ended_us, month, state, invited_us, expires_us)
                 select %s, ticket_id, 1, recorded_us, 202611, 3, recorded_us, recorded_us + %s
                 from turunc.ticket where ticket_id = %s""", str(survey), 14 * DAY_US, ticket)
    return survey


def answers(stack, survey):
    return stack.sql("select score from turunc.survey_answer where survey_id = %s", str(survey))


def look(stack, link, address="198.51.100.1"):
    return stack.http("intake", "GET", f"/anket/{link}", headers={"X-Forwarded-For": address})


def answer(stack, link, address="198.51.100.1", **form):
    return stack.http("intake", "POST", f"/anket/{link}", form=form, headers={"X-Forwarded-For": address})


def test_links_cannot_be_guessed(stack):
    survey = invited(stack)
    good = token(SECRET, survey)
    assert look(stack, good).status == 200
    with under_attack(stack, "guessed links of invitations") as said:
        statuses = []
        for n in range(400):
            at = n % 32
            wrong = good[:at] + ("B" if good[at] != "B" else "C") + good[at + 1:]
            page = answer(stack, wrong, "198.51.100.9", score="5")
            statuses.append(page.status)
            said["attempts"] += 1
            said["accepted"] += page.status == 200
        forged = [look(stack, token("another secret of some length", survey), f"198.51.100.{n + 20}").status
                  for n in range(20)]
    assert set(statuses) == {404, 429} and statuses.count(404) < 40, "slowed down after a few"
    assert set(forged) == {404}
    assert answers(stack, survey) == []
    assert answer(stack, good, score="2").status == 200 and answers(stack, survey) == [(2,)]


def test_links_that_end_surveys_cannot_be_guessed(stack):
    """Nor made of an answer's link, and looking ends nothing."""
    number = post(stack, stack.honest_key).json()[0]["service_request_id"]
    message = uuid.uuid4()
    stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel, language,
        recipient, body, state, created_us, updated_us) values (%s, %s, 1, 'survey.invited', 'email', 'tr', 'Biri@ornek.example',
        'x', 3, 1, 1)""", str(message), int(number.replace("-", "")[:-1]))

    def visit(link, method="POST", address="198.51.100.40"):
        body = b"List-Unsubscribe=One-Click" if method == "POST" else None
        return stack.http("intake", method, f"/anket-istemiyorum/{link}", body=body, headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address})

    good = stop_token(SECRET, message)
    with under_attack(stack, "guessed links that end surveys") as said:
        statuses = []
        for n in range(300):
            at = n % 32
            statuses.append(visit(good[:at] + ("B" if good[at] != "B" else "C") + good[at + 1:]).status)
            said["attempts"] += 1
            said["accepted"] += statuses[-1] == 200
    others = [visit(link, address=f"198.51.100.{n + 50}").status for n, link in enumerate((
        stop_token("another secret of some length", message), token(SECRET, message), stop_token(SECRET, uuid.uuid4())))]
    assert set(statuses) == {404, 429} and statuses.count(404) < 40 and others == [404] * 3
    assert visit(good, "GET", "203.0.113.1").status == visit(good, "HEAD", "203.0.113.1").status == 200
    assert stack.sql("select * from turunc.survey_refusal") == []
    assert visit(good, address="203.0.113.1").status == 200
    assert stack.one("select address from turunc.survey_refusal") == "biri@ornek.example"


def test_many_answers_at_once_are_one(stack):
    survey = invited(stack)
    link = token(SECRET, survey)
    got = []

    def send(score):
        got.append(answer(stack, link, f"203.0.113.{score}", score=str(score % 5 + 1)))

    with under_attack(stack, "forty answers at once to one invitation") as said:
        senders = [threading.Thread(target=send, args=(n,)) for n in range(40)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(30)
        said["attempts"] = len(got)
        said["accepted"] = len(answers(stack, survey)) - 1
    assert {page.status for page in got} <= {200, 303}
    (score,), = answers(stack, survey)
    records = stack.one("select count(*) from turunc.event_log where type = 'survey.answered' and ticket_id = "
                        "(select ticket_id from turunc.survey where survey_id = %s)", str(survey))
    assert records == 1 and 1 <= score <= 5
    contacts = stack.one("select count(*) from turunc.contact where kind = 'survey' and ticket_id = "
                         "(select ticket_id from turunc.survey where survey_id = %s)", str(survey))
    assert contacts == 1, "what came second left nothing"


def test_looking_answers_nothing_and_words_are_words(stack):
    survey = invited(stack)
    link = token(SECRET, survey)
    for query in ("", "?score=5", "?score=5&solved=yes", "?lang=en&score=1"):
        assert stack.http("intake", "GET", f"/anket/{link}{query}").status == 200
        assert stack.http("intake", "HEAD", f"/anket/{link}{query}").status == 200
    assert answers(stack, survey) == []
    script = "<script>alert(1)</script>"
    page = answer(stack, link, text=script)
    assert page.status == 400 and script not in page.body.decode() and "&lt;script&gt;" in page.body.decode()
    assert answer(stack, link, score="3", text="x" * 40000).status == 413
    assert answer(stack, link, score="3", text=script).status == 200
    assert answers(stack, survey) == [(3,)]
