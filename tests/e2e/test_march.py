"""A month is played through the real doors, and what the log says of it is what the player says."""
import collections
import datetime
import json
import os
import re
import subprocess

import pytest

from march import March
from servers import BUILD
from turunc.v1 import event_pb2, ticket_pb2

ISTANBUL = datetime.timezone(datetime.timedelta(hours=3))
# Few of everything, long enough for surveys, answers to them and reopenings.
PLAYED = ("--days", 4, "--share", 40)


@pytest.fixture
def march(tmp_path):
    with March(str(tmp_path)) as made:
        yield made


class Folded:
    """The log, counted anew by the report's definitions, without a line of the product's code."""

    def __init__(self, stack):
        self.count = collections.Counter()
        self.left = {}
        self.ticket = {}
        calls = collections.defaultdict(dict)
        for data, in stack.sql("select event from turunc.event_log order by seq"):
            event = event_pb2.Event.FromString(bytes(data))
            if event.type.startswith("call."):
                calls[event.call.call_id][event.type[5:]] = (event.time_us, event.call.disposition)
            else:
                self._take(event)
        for call in calls.values():
            self._call(call)
        for ticket in self.ticket.values():
            self._ticket(ticket)
        self.count["open"] = self.count["tickets"] - self.count["ended"] + self.count["reopened"]

    def _call(self, call):
        at = call["offered"][0]
        when = datetime.datetime.fromtimestamp(at / 1e6, ISTANBUL)
        hour = f"w{when.weekday() + 1}.h{when.hour}"
        self.count["calls.offered"] += 1
        self.count[f"calls.offered.{hour}"] += 1
        if "answered" not in call:
            self.count["calls.abandoned"] += "abandoned" in call
            return
        self.count["calls.answered"] += 1
        self.count[f"calls.answered.{hour}"] += 1
        self.count["contacts.call"] += 1
        self.count["calls.wait_ms"] += (call["answered"][0] - at) // 1000
        word = call["ended"][1]
        self.count["calls.recorded" if word == "ticket" else f"calls.{word}"] += 1
        self.count["contacts.without_ticket.call"] += word not in ("ticket", "joined")

    def _ticket(self, ticket):
        owner = ticket["owner"] or ticket["at"]
        self.count[f"tickets.department.{owner}"] += 1
        self.count[f"d.{owner}.tickets"] += 1
        self.count[f"tickets.subject.{ticket['subject'] or '-'}"] += 1
        self.count["hops.tickets"] += ticket["hops"] > 0

    def _twice(self, department, name):
        self.count[name] += 1
        self.count[f"d.{department}.{name}"] += 1

    def _step(self, event):
        ticket, step, kind = self.ticket[event.subject], event.step, event.type[7:]
        ticket["subject"] = step.subject_code or ticket["subject"]
        if kind == "triaged":
            ticket["at"] = "-"
        elif kind in ("routed", "transferred", "reopened"):
            ticket["at"] = step.department
        at = ticket["at"]
        answers = kind in ("resolved", "rejected", "forwarded")
        if kind in ("accepted", "started", "waiting", "answered") or answers:
            ticket["owner"] = ticket["owner"] or at
        if kind == "answered" or answers:
            ticket["answered"] = ticket["answered"] or event.time_us
        if answers:
            self._twice(at, "ladder.ended")
            for which, due, done in (("legal", step.legal_due_us, ticket["answered"]),
                                     ("service", step.service_due_us or ticket["due"], event.time_us)):
                if due and not (which == "legal" and ticket["ended"]):
                    self._twice(at, f"ended.{which}.of")
                    if done < due:
                        self._twice(at, f"ended.{which}.within")
            ticket["ended"] = True
        ticket["due"] = step.service_due_us or ticket["due"]
        if answers or kind == "withdrawn":
            self._twice(at, "ended")
            self._twice(at, f"ended.{kind}")
        if kind == "reopened":
            self._twice(at, "reopened")

    def _hop(self, number):
        self.count["hops"] += 1
        self.ticket[number]["hops"] += 1

    def _take(self, event):
        kind = event.type
        if event.WhichOneof("body") == "step":
            self._step(event)
        if kind == "ticket.opened":
            self.ticket[event.subject] = {"subject": event.opened.subject_code, "owner": "", "at": "-", "hops": 0,
                                          "answered": 0, "ended": False, "due": 0}
            channel = ticket_pb2.Channel.Name(event.opened.channel).removeprefix("CHANNEL_").lower()
            self.count["tickets"] += 1
            self.count[f"tickets.channel.{channel}"] += 1
            self.count[f"tickets.neighbourhood.{event.opened.neighbourhood or '-'}"] += 1
            self.count[f"contacts.{channel}"] += channel != "call"
            day = datetime.datetime.fromtimestamp(event.opened.arrived_us / 1e6, ISTANBUL).day
            self.count[f"tickets.day.{day}"] += 1
        elif kind == "ticket.transferred":
            self._hop(event.subject)
        elif kind == "ticket.triaged":
            self.left[event.subject] = event.step.previous_department
        elif kind == "ticket.routed":
            left = self.left.pop(event.subject, "")
            if left not in ("", event.step.department):
                self._hop(event.subject)
        elif kind == "contact.recorded" and event.contact.kind == "withdraw":
            self.count["contacts.web"] += 1
        elif kind == "survey.answered":
            self.count["ladder.answered"] += 1
            self.count["ladder.satisfied"] += event.survey.score >= 4 and not event.survey.not_solved
            self.count["ladder.not_solved"] += event.survey.not_solved


def differences(said, found):
    return {name: (said.get(name, 0), found.get(name, 0)) for name in said.keys() | found.keys()
            if said.get(name, 0) != found.get(name, 0)}


def report(stack):
    """What the product says of the month, from its log alone."""
    return json.loads(stack.masa("report", "--month", "2026-03", "--json"))["figures"]


def test_the_report_says_what_was_played(march):
    said = march.played(*PLAYED)
    assert said["troubles"] == 0
    figures = said["figures"]
    assert differences(figures, Folded(march.stack).count) == {}
    found = report(march.stack)
    assert {name: (value, found.get(name, 0)) for name, value in figures.items()
            if value != found.get(name, 0)} == {}
    # It is a month of all that there is, not of calls alone.
    for name in ("calls.abandoned", "calls.joined", "tickets.channel.call", "tickets.channel.desk",
                 "tickets.channel.web", "tickets.channel.open311", "tickets.channel.email",
                 "tickets.channel.cimer", "ended.resolved", "hops", "ladder.answered", "ladder.satisfied"):
        assert figures.get(name, 0) > 0, name
    # Nothing is lost on the way out: what the record says was sent, the sink has.
    sent = march.stack.one("select (select count(*) from turunc.notification where state in (3, 6))"
                           " + (select count(*) from turunc.reminder where state = 3)")
    assert said["messages"] == sent > 0
    assert march.stack.one("select count(*) from turunc.notification where state in (2, 4, 5)") == 0
    # In quiet hours no SMS leaves; an urgent ticket's may.
    hours = {datetime.datetime.fromtimestamp(at / 1e6, ISTANBUL).hour for at, in march.stack.sql(
        """select n.updated_us from turunc.notification n join turunc.ticket_state s using (ticket_id)
           where n.channel = 'sms' and n.state = 3 and s.priority < 4""")}
    assert hours and hours <= set(range(8, 21)) | {21}
    # Once played, it is not played into again.
    again = march.play("--month", "2026-03", "--speed", "max")
    assert (again.returncode, again.stdout) == (5, ""), again.stderr


def test_a_call_that_was_not_told_is_missed(tmp_path):
    with March(str(tmp_path)) as march:
        said = march.played("--days", 1, "--share", 100, "--leave-out", 2)
        found = differences(said["figures"], Folded(march.stack).count)
        reported = report(march.stack)
    for name in ("calls.answered", "calls.information"):
        assert reported[name] == said["figures"][name] - 1
    assert found["calls.answered"] == (said["figures"]["calls.answered"], said["figures"]["calls.answered"] - 1)
    assert {name for name in found if not re.search(r"\.w\d\.h", name)} == {
        "calls.offered", "calls.answered", "calls.information", "calls.wait_ms", "contacts.call",
        "contacts.without_ticket.call"}


def test_a_record_that_is_no_demonstration_is_not_played_with(tmp_path):
    with March(str(tmp_path), demo=False) as march:
        done = march.play("--month", "2026-03", "--speed", "max")
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert march.stack.one("select count(*) from turunc.ticket") == 0


@pytest.mark.parametrize("words", [(), ("--month", "2026-04", "--speed", "max"), ("--month", "2026-03"),
                                   ("--month", "2026-03", "--speed", "0"), ("--month", "2026-03", "--speed", "-1"),
                                   ("--month", "2026-03", "--speed", "nan"),
                                   ("--month", "2026-03", "--speed", "max", "--share", "0")])
def test_what_it_does_not_understand(tmp_path, words):
    done = subprocess.run([os.path.join(BUILD, "bin", "masa"), "demo", *map(str, words)], cwd=tmp_path, text=True,
                          capture_output=True, timeout=30, check=False)
    assert done.returncode == 2, done.stderr
