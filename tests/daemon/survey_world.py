"""What the tests of satisfaction share: a municipality that asks, a clock that the test moves, and
citizens who have a link."""
import contextlib
import json
import os
import re
import shutil

import turunc
from intake_world import ticket_request
from notifier_world import FAST, MailServer
from router_world import Opener, Reader, event
from stack import CONFIG, Stack
from standing_clock import StandingClock

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
START_US = 1772528400 * 10**6  # Tuesday, 3 March 2026, 12:00 in Istanbul
SECRET = "a secret of more than sixteen"


class RoadStack(Stack):
    """intake reaches the record by a path of its own, which can be taken away."""

    def _common_env(self, name, user):
        env = super()._common_env(name, user)
        if name == "intake":
            host = dict(part.split("=", 1) for part in self.conninfo().split())["host"]
            os.symlink(host, self.path("road"))
            env["TURUNC_DATABASE"] = env["TURUNC_DATABASE"].replace(f"host={host} ", f"host={self.path('road')} ")
        return env

    def _record_state(self):
        """As intake sees it; None when it did not answer."""
        answer = self.http("intake", "GET", "/readyz")
        return answer.status and next(d["state"] for d in answer.json()["dependencies"] if d["name"] == "record") or None

    @contextlib.contextmanager
    def record_away(self):
        """For intake alone."""
        host = os.readlink(self.path("road"))
        user = self.one("select usename from pg_stat_activity where datname = current_database()"
                        " and usename like '%%intake%%' limit 1")
        os.remove(self.path("road"))
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                 " and usename = %s", user)
        self.wait(lambda: self._record_state() not in (None, "up"), 15, "intake has lost its record")
        try:
            yield
        finally:
            os.symlink(host, self.path("road"))
        self.wait(lambda: self.metric("intake", "turunc_intake_spool_items") == 0, 30, "the spool is drained")


class SurveyWorld:
    """intake, router, notifier and metrics on one clock; mail is taken and kept."""

    def __init__(self, folder, services=("intake", "router", "notifier", "metrics"), **settings):
        folder.chmod(0o755)
        secret = folder / "mail.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        self.clock = StandingClock(str(folder / "clock"), START_US)
        shared = {"TURUNC_CLOCK_FILE": self.clock.path, "TURUNC_MAIL_SECRET_FILE": str(secret)}
        free = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0"}
        daemons = [name for name in services if name != "edge"]
        env = {name: {**shared, **(FAST if name == "notifier" else {}),
                      **(free if name == "intake" else {})} for name in daemons}
        self.stack = RoadStack(services=services, config=None, env=env)
        self.configure(**settings)
        self.mail = MailServer(self.stack.port["smtp"])
        self.mail.start()
        self.stack.start()
        self.department = turunc.Client(self.stack.client("merkez"))
        self.reader = Reader(self.stack)

    def configure(self, **settings):
        """The worked municipality with other settings; never quiet."""
        folder = self.stack.path("config")
        shutil.copytree(CONFIG, folder, dirs_exist_ok=True)
        with open(os.path.join(CONFIG, "municipality.csv"), encoding="utf-8") as file:
            text = file.read()
        for key, value in {"quiet_from": "08:00", **settings}.items():
            text, count = re.subn(rf"(?m)^{key},.*$", f"{key},{value}", text)
            assert count == 1, key
        with open(os.path.join(folder, "municipality.csv"), "w", encoding="utf-8") as file:
            file.write(text)
        self.stack.masa("config", "apply", folder)

    def close(self):
        self.department.close()
        clean = self.stack.close()
        self.mail.stop()
        return clean

    def wait_as_time_goes(self, condition, limit_s, what):
        """A message behind another of its ticket steps back for half a second, of this clock."""
        def look():
            self.clock.advance(1_000_000)
            return condition()
        return self.stack.wait(look, limit_s, what)

    # --- tickets ---

    def open(self, **fields):
        given = {"subject_code": "cop-alinmadi", "neighbourhood": "sirinyali",
                 "description": "Çöp toplanmadı", "name": "Ayşe Yılmaz", "language": "tr",
                 "email": "ayse@ornek.example", **fields}
        given = {key: value for key, value in given.items() if value is not None}
        request = ticket_request(**given)
        request.time_us = self.clock.at_us
        result = self.department.publish_many([request])[0]
        assert result.ticket, result
        return result.ticket

    def end(self, number, verb="resolve", **more):
        state = self.reader.wait_status(number, "routed")
        fields = {"reason_code": "yapildi", "text": "Ekip gönderildi.", **more}
        return self.department.command(number, verb, state["version"], timeout=60, **fields)

    def ended(self, **fields):
        """A ticket that has ended, and whose row is there."""
        number = self.open(**fields)
        self.end(number)
        self.stack.wait(lambda: self.surveys(number), 15, f"a row for the end of {number}")
        return number

    def invited(self, **fields):
        """A ticket whose citizen was invited, with the token of the link."""
        number = self.ended(**fields)
        self.clock.advance(DAY_US)
        return number, self.token(number)

    def close_ticket(self, number):
        """Nobody answers for the whole window."""
        self.clock.advance(10 * DAY_US)
        self.stack.wait(lambda: self.status(number) == "closed", 15, f"{number} is closed")

    def status(self, number):
        return self.reader.state(number)["status"]

    def erase(self, person):
        """As an administrator does, who repeats the number of contacts that the dry run shows."""
        words = ("citizen", "erase", person, "--reason", "istek üzerine", "--open-too", "--json")
        shown = json.loads(self.stack.masa(*words, "--dry-run"))
        self.stack.masa(*words, "--confirm", shown["contacts"])

    # --- what the record has ---

    def surveys(self, number):
        """[(state, reason, invited, reminded)], one for each end."""
        return self.stack.sql(
            """select state, reason, invited_us is not null, reminded_us is not null
               from turunc.survey where ticket_id = %s order by ended_seq""", Opener.id_of(number))

    def wait_survey(self, number, wanted):
        self.stack.wait(lambda: self.surveys(number)[-1:] == [wanted], 15,
                        f"{wanted}, not {self.surveys(number)}")

    def letters(self, number, about="survey.invited"):
        return self.stack.sql("""select body, channel, state, recipient from turunc.notification
                                 where ticket_id = %s and about_type = %s order by about_seq""",
                              Opener.id_of(number), about)

    def token(self, number):
        """Of the link in the invitation, as the citizen reads it."""
        self.stack.wait(lambda: self.letters(number), 15, f"an invitation about {number}")
        return re.findall(r"/anket/([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])", self.letters(number)[-1][0])[0]

    def stop_token(self, number):
        """Of the link that ends such mails, as the citizen reads it."""
        self.stack.wait(lambda: self.letters(number), 15, f"an invitation about {number}")
        return re.findall(r"/anket-istemiyorum/([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])", self.letters(number)[-1][0])[0]

    def records(self, number, kind):
        """The bodies of a type's records about this ticket, in order."""
        rows = self.stack.sql("""select event from turunc.event_log where ticket_id = %s and type = %s
                                 order by seq""", Opener.id_of(number), kind)
        events = [event.Event.FromString(bytes(data)) for data, in rows]
        return [getattr(one, one.WhichOneof("body")) for one in events]

    def answers(self, number):
        return self.stack.sql("""select a.score, a.solved, a.denied_us is not null
                                 from turunc.survey_answer a join turunc.survey s using (survey_id)
                                 where s.ticket_id = %s order by s.ended_seq""", Opener.id_of(number))

    # --- the page ---

    def look(self, token, lang="tr", path="/anket", address="10.0.0.1"):
        return self.stack.http("intake", "GET", f"{path}/{token}?lang={lang}",
                               headers={"X-Forwarded-For": address})

    def answer(self, token, score=None, solved=None, text="", lang="tr", address="10.0.0.1"):
        form = {"text": text, **({"score": score} if score is not None else {}),
                **({"solved": solved} if solved else {})}
        return self.stack.http("intake", "POST", f"/anket/{token}?lang={lang}", form=form,
                               headers={"X-Forwarded-For": address})
