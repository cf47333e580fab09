"""Citizens who were asked whether they are satisfied, and answer until they are thanked; some a second time with
another score.  And whether every answer that was thanked for is there, as it was given first, and the ladder
is made of just these."""
import http.client
import json
import random
import time
import urllib.parse
import uuid

import psycopg2
from actors import Actor
from stack import MAIL_SECRET
from survey_link import token


class Respondent(Actor):
    def __init__(self, name, ledger, pause_s, stack, port):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        self.stack = stack
        self.port = port
        self.dice = random.Random(name)
        self.link = None
        self.tried = {}     # invitation -> (score, solved) as it was sent first
        self.thanked = set()
        self.again = 0

    def _invitations(self):
        """[] while the record is away."""
        try:
            if self.link is None or self.link.closed:
                self.link = psycopg2.connect(self.stack.conninfo())
                self.link.autocommit = True
            with self.link.cursor() as cursor:
                cursor.execute("select survey_id::text from turunc.survey where state in (2, 3) order by survey_id desc limit 40")
                return [row[0] for row in cursor.fetchall()]
        except psycopg2.Error:
            self.link = None
            return []

    def turn(self):
        fresh = [survey for survey in self._invitations() if survey not in self.tried]
        if not fresh:
            return
        survey = self.dice.choice(fresh)
        said = (self.dice.randrange(1, 6), self.dice.choice(("yes", "", "", "no")))
        self.tried[survey] = said
        self._send(survey, *said)
        if self.dice.randrange(3) == 0:
            # Whoever has said that it is not solved has nothing to take back; the others do not here.
            self._send(survey, said[0] % 5 + 1, "")
            self.again += 1

    def _send(self, survey, score, solved):
        form = {"score": score, "text": "Defter için yanıt.", **({"solved": solved} if solved else {})}
        while True:
            status = self._post(f"/anket/{token(MAIL_SECRET, uuid.UUID(survey))}", form)
            if status in (200, 303):
                self.thanked.add(survey)
                self.ledger.answered_by[self.client_name] += 1
                return
            if status not in (None, 429, 502, 503):
                raise AssertionError(f"an answer to {survey} got {status}")
            time.sleep(0.03)

    def _post(self, path, form):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request("POST", path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
            answer = link.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()


def check_answers(stack, respondent):
    rows = {survey: (score, solved, denied) for survey, score, solved, denied in stack.sql(
        "select survey_id::text, score, solved, denied_us is not null from turunc.survey_answer")}
    words = {"yes": True, "no": False, "": None}
    for survey in respondent.thanked - set(rows):
        yield "lost", f"the answer to {survey} was thanked for and is not there"
    for survey, (score, solved, denied) in rows.items():
        given = respondent.tried.get(survey)
        if given is None:
            yield "phantom", f"nobody has answered {survey}"
        elif (score, solved, denied) != (given[0], words[given[1]], False):
            yield "applied twice", f"{survey} has {score}, {solved}, {denied}, and {given} was said first"
    twice = stack.sql("select survey_id::text, count(*) from turunc.notification n join turunc.survey s"
                      " on n.about_seq = s.invited_seq group by 1 having count(*) > 1")
    for survey, times in twice:
        yield "told twice", f"{survey} was asked by {times} messages"
    records = stack.one("select count(*) - count(distinct ticket_id::text || ended_seq) from turunc.survey")
    asked = stack.one("select (select count(*) from turunc.event_log where type = 'survey.invited')"
                      " - (select count(*) from turunc.survey where state in (2, 3))")
    if records or asked:
        yield "applied twice", f"{records} ends have several rows, {asked} invitations no row"
    yield from ladder_differences(stack, respondent)


def ladder(stack):
    """(answered, satisfied), as it was read last."""
    months = json.loads(stack.http("metrics", "GET", "/live/satisfaction.json").body)["months"]
    return tuple(sum(month[name] for month in months) for name in ("answered", "satisfied"))


def ladder_differences(stack, respondent, limit_s=30):
    """Readings are kept for two seconds, and mails that were sent last are still being written down."""
    satisfied = sum(1 for survey in respondent.thanked
                    if respondent.tried[survey][0] >= 4 and respondent.tried[survey][1] != "no")
    wanted = (len(respondent.thanked), satisfied)
    end = time.monotonic() + limit_s
    while True:
        shown = ladder(stack)
        if shown == wanted:
            return
        if time.monotonic() > end:
            yield "board", f"the ladder says {shown} answered and satisfied; it was {wanted}"
            return
        time.sleep(0.5)
