"""Breaks the parts of a working system one after another, each time with work in flight."""
import os
import random
import time

import psycopg2

from actors import Citizen, CSystem, Department, System
from call_taker import CallTaker
from cimer_clerk import CimerClerk, environment as cimer_environment
from clerk import Clerk, check_clerk
from figures import Figures
from ledger import Ledger, check, sink_messages
from municipality import never_quiet, reminded_now, with_special
from postman import Postman, check_mails
from process import Failed, wait_until, within
from respondent import Respondent, check_answers
from sms_gateway import SECRET, TEXT, SmsGateway, check_gateway
from viewer import Viewer, check_viewer
from web_citizen import WebCitizen, orphans
from wired import WiredStack

SERVICES = ("intake", "router", "notifier", "metrics")
CITIZENS = 4
RECOVERY_LIMIT_S = 120     # of what comes back at all; how soon is what the figures say


def secret_file(folder, text):
    """What the SMS gateway says when it calls."""
    path = os.path.join(folder, "callback.secret")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
    return path


class Storm:
    def __init__(self, folder, seed=1, doors=False):
        """doors: somebody is at the desk, at the notifier's door and before the board as well."""
        self.dice = random.Random(seed)
        self.doors = doors
        self.stack = WiredStack(
            services=("sink",) + SERVICES,
            # A subject that only those with full rights may see, each first look noted.
            config=reminded_now(with_special(never_quiet(os.path.join(folder, "config"), survey_delay_hours="0"),
                                             "konteyner-hasar"), "yazi"),
            env={"TURUNC_LOG_LEVEL": "info", "TURUNC_PEOPLE_KEEP": "100ms", "TURUNC_PEOPLE_USER_TRIES": "1000",
                 # A photo's file that nobody speaks of goes as soon as it may: later than any step waits
                 # at the desk while router or the record are gone.
                 "intake": {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0",
                            "TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0",
                            "TURUNC_ATTACHMENTS_ORPHAN_AGE": "40s", "TURUNC_ATTACHMENTS_LOOK": "2s",
                            **cimer_environment()},
                 "router": {"TURUNC_ATTACHMENTS_DIR": os.path.join("state", "intake", "attachments")},
                 "notifier": {"TURUNC_REMINDERS_LOOK": "200ms", "TURUNC_NOTIFIER_RETRY_FIRST": "200ms",
                              "TURUNC_NOTIFIER_RETRY_CAP": "1s",
                              "TURUNC_SMS_CALLBACK_SECRET_FILE": secret_file(folder, SECRET)}})
        self.ledger = Ledger()
        self.figures = Figures()
        self.actors = []

    def begin(self):
        self.stack.start()
        api_key = self.stack.api_key("defter-http")
        self.departments = [
            Department("temizlik", self.ledger, self.stack, ["temizlik"], {"personal": "full"}),
            Department("fen-masked", self.ledger, self.stack, ["fen"], {"personal": "masked"}),
            Department("park", self.ledger, self.stack, ["park"], {"personal": "full"}, delay_s=0.01),
            Department("seyirci", self.ledger, self.stack, [], {"personal": "none"}, works=False)]
        self.department = {d.name: d for d in self.departments}
        self.system = System("santral", self.ledger, 0.1, self.stack)
        self.c_system = CSystem("santral-c", self.ledger, 0.1, self.stack)
        self.citizens = [Citizen(f"citizen-{n}", self.ledger, 0.1, self.stack.link_port["citizens-intake"],
                                 api_key, "defter-http") for n in range(CITIZENS)]
        self.web_citizen = WebCitizen("web-citizen", self.ledger, 0.2, self.stack.link_port["citizens-intake"])
        self.call_taker = CallTaker("cagrici", self.ledger, 0.2, self.stack, self.stack.link_port["citizens-intake"])
        self.cimer_clerk = CimerClerk("dosya", self.ledger, 0.3, self.stack)
        self.postman = Postman("postaci", self.ledger, 0.2, self.stack, self.stack.link_port["mail-intake"])
        self.respondent = Respondent("yanitlayan", self.ledger, 0.3, self.stack, self.stack.link_port["citizens-intake"])
        self.sms_gateway = SmsGateway("sms-gecidi", self.ledger, 0.1, self.stack, self.stack.link_port["gateway-notifier"])
        self.clerk = Clerk("katip", self.ledger, 0.2, self.stack, self.stack.link_port["desk-router"])
        self.viewer = Viewer("ekran", self.ledger, 0.1, self.stack.link_port["viewers-metrics"])
        self.reporters = self.citizens + [self.respondent, self.postman, self.web_citizen, self.call_taker, self.cimer_clerk,
                                          self.system, self.c_system] + self.doors * [self.sms_gateway, self.clerk]
        self.actors = self.departments + self.reporters + self.doors * [self.viewer]
        self._wait_for_key(api_key)
        for actor in self.actors:
            actor.start()
        wait_until(lambda: all(self.ledger.answered_by[actor.client_name] > 3 for actor in self.reporters)
                   and all(self.ledger.newest[d.name] for d in self.departments), 120, "the load flows")
        self.ledger.spans.clear()       # of the start, when keys were not known yet

    def _wait_for_key(self, api_key):
        form = {"api_key": api_key, "service_code": "none"}
        wait_until(lambda: self.stack.http("intake", "POST", "/open311/v2/requests.json",
                                           form=form).status == 404, 10, "intake knows the key")

    # --- what is in hand, and what was done since ---

    def at_the_door(self, part):
        """(does somebody wait there for an answer, how many have got one), None where the record knows better."""
        gateway, postman = self.sms_gateway, self.postman
        return {"gateway": (gateway.in_hand is not None, self.ledger.answered_by[gateway.client_name]),
                "texts": (gateway.in_hand == TEXT, len(gateway.texts)),
                "letters": (postman.in_hand, len(postman.mails) + len(postman.reports)),
                "desk": (self.clerk.in_hand, len(self.clerk.noted)),
                "viewers": (self.viewer.in_hand, self.ledger.answered_by[self.viewer.client_name])}.get(part)

    def busy(self, part):
        """Is there work that this part has in hand right now?"""
        if self.at_the_door(part) is not None:
            return self.at_the_door(part)[0]
        if part in ("publisher", "publisher-c"):
            return self.ledger.in_flight({"publisher": "santral", "publisher-c": "santral-c"}[part]) > 0
        if part == "notifier":
            return self.one("select exists (select from turunc.notification where state in (1, 2))"
                            " or (select max(last_seq) from turunc.log_batch) >"
                            " (select seq from turunc.consumer_cursor where name = 'notifier' and client = '')")
        if part in ("mail", "sms"):
            return self.one("select exists (select from turunc.notification where state in (1, 2)"
                            " and channel = %s)", {"mail": "email"}.get(part, part))
        if part in ("router", "subscribers"):
            return any(d.waiting for d in self.departments) or self.one(
                "select (select max(last_seq) from turunc.log_batch) >"
                " (select seq from turunc.consumer_cursor where name = 'router' and client = '')")
        if part.startswith("subscriber "):
            name = part.split()[1]
            return self.ledger.newest[name] < (self.one(
                "select max(seq) from turunc.event_log where department = %s", self.department[name].departments[0]) or 0)
        return self.ledger.in_flight() > 0  # what is answered now will pass metrics and Redis

    def progress(self, part):
        """A number that rises with each deed of that part."""
        if self.at_the_door(part) is not None:
            return self.at_the_door(part)[1]
        if part in ("publisher", "publisher-c"):
            return self.ledger.answered_by[{"publisher": "santral", "publisher-c": "santral-c"}[part]]
        if part == "intake":
            return self.ledger.answered()
        if part in ("record", "postgres"):
            # Not the answers: those go on from the spool while the record is away.
            return self.one("select count(*) from turunc.inbound_item")
        if part == "notifier":
            return self.one("select count(*) from turunc.notification where state in (3, 6)")
        if part in ("mail", "sms"):
            return self.one("select count(*) from turunc.notification where state in (3, 6)"
                            " and channel = %s", {"mail": "email"}.get(part, part))
        if part == "router":
            return self.ledger.newest["seyirci"]
        if part.startswith("subscriber "):
            return self.ledger.newest[part.split()[1]]
        if part == "subscribers":
            return min(self.ledger.newest["seyirci"], len(self.ledger.done))
        state = self.stack.http("metrics", "GET", "/live/state.json").json()
        return state["seq"] if state["state"] == "live" else -1

    def mark(self, part):
        """What progress() has to pass to have done something that is new by now."""
        if part in ("router", "metrics", "redis"):
            return self.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
        return self.progress(part)

    def one(self, query, *parameters):
        """None while PostgreSQL is away."""
        try:
            return self.stack.one(query, *parameters)
        except psycopg2.Error:
            self.stack.forget_links()
            return None

    def _done_since(self, part, mark):
        try:
            now = self.progress(part)
        except (OSError, Failed, ValueError):
            return False    # metrics does not answer yet
        return now is not None and now > mark

    def database_back(self):
        """PostgreSQL recovers by itself, or its supervisor starts it again."""
        def answers():
            if self.one("select 1") == 1:
                return True
            self.stack.restart("postgres")  # does nothing while it runs
            return False
        wait_until(answers, RECOVERY_LIMIT_S, "PostgreSQL is back")

    # --- striking ---

    def strike(self, fault):
        """True: it was struck while work was in flight, and the part has done something since."""
        self._complain()
        if not within(lambda: fault.busy(self), 2, every_s=0.002):
            self.figures.idle[fault.kind] += 1
            return False
        began = time.monotonic()
        fault.begin(self)
        if fault.hold_s:
            time.sleep(fault.hold_s)
        ended = time.monotonic()
        fault.end(self)
        part = fault.part()
        mark = wait_until(lambda: self.mark_or_none(part), RECOVERY_LIMIT_S, f"a look at {part}")[0]
        wait_until(lambda: self._done_since(part, mark), RECOVERY_LIMIT_S,
                   f"{part} does something new after: {fault}")
        self.figures.struck(fault, began, ended, time.monotonic() - ended)
        self.stack.wait_ready(*SERVICES)
        fault.after(self)
        self.figures.sample_memory(self.stack)
        return True

    def mark_or_none(self, part):
        """The mark in a tuple, for a mark may be 0."""
        try:
            mark = self.mark(part)
        except (OSError, Failed, ValueError):
            return None
        return None if mark is None else (mark,)

    def rage(self, faults):
        """Strikes them all, one after another; what found nothing in hand is tried again twice."""
        for fault in faults:
            self.strike_until_counted(fault)
        return self

    def strike_until_counted(self, fault):
        if not any(self.strike(fault) for _ in range(3)):
            raise AssertionError(f"nothing was in flight for: {fault}")

    def _complain(self):
        for actor in self.actors:
            if actor.error is not None:
                raise AssertionError(f"{actor.name}: {actor.error!r}") from actor.error

    # --- the end ---

    def calm(self, limit_s=120):
        """No more reports; waits until everything in hand is delivered, worked and told, however much
        that is, as long as some of it becomes less; limit_s bounds the time without that."""
        for actor in self.reporters:
            actor.stop()
        for actor in self.reporters:
            actor.join(90)
        self.stack.clock.set(0)
        self._hasten_messages()
        before, end = None, time.monotonic() + limit_s
        while True:
            waiting = self.unsettled()
            if not waiting:
                break
            if waiting != before:
                before, end = waiting, time.monotonic() + limit_s
            assert time.monotonic() < end, f"nothing has moved for {limit_s} s: {waiting}"
            time.sleep(0.2)
        for actor in self.departments:
            actor.stop()
        for actor in self.departments:
            actor.join(30)
        self._complain()
        self.figures.sample_memory(self.stack)

    def _hasten_messages(self):
        """Tens of thousands are left: the notifier ends as it should, and goes on with more at a time."""
        self.stack.process["notifier"].env["TURUNC_NOTIFIER_IN_FLIGHT"] = "64"
        self.stack.restart("notifier")

    def unsettled(self):
        """What is not delivered, worked or told yet, in words; empty when all is."""
        self._complain()
        head = self.stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
        waiting = [f"{d.name} at {d.position()} of {head}, {len(d.waiting)} commands"
                   for d in self.departments if d.position() < head or d.waiting]
        spooled = self.stack.metric("intake", "turunc_intake_spool_items")
        waiting += [f"{spooled:.0f} items in the spool"] if spooled else []
        damaged = self.stack.metric("intake", "turunc_intake_spool_damaged")
        assert damaged == 0, f"{damaged:.0f} items of the spool cannot be read back"
        left = orphans(self.stack)
        waiting += [f"{len(left)} files of nobody's photos"] if left else []
        waiting += [f"message in state {state}: {count}" for state, count in self.stack.sql(
            "select state, count(*) from turunc.notification where state in (1, 2) group by 1")]
        # One that a process died over stays as it is: it may have arrived.
        waiting += [f"{count} digests" for count, in self.stack.sql(
            "select count(*) from turunc.reminder where state = 1 having count(*) > 0")]
        waiting += [f"cursor of {name} at {seq} of {head}" for name, seq in self.stack.sql(
            "select name, seq from turunc.consumer_cursor where client = '' and seq < %s", head)]
        return waiting

    def findings(self, messages=None):
        if messages is None:
            messages = self.messages()
        return (check(self.stack, self.ledger, messages) + list(check_mails(self.stack, self.postman))
                + list(check_answers(self.stack, self.respondent)) + (self._at_the_doors() if self.doors else []))

    def _at_the_doors(self):
        return [*check_gateway(self.stack, self.sms_gateway), *check_clerk(self.stack, self.clerk),
                *check_viewer(self.stack, self.viewer)]

    def messages(self):
        return sink_messages(self.stack.path("sink.jsonl"))

    def table(self, findings):
        """What an operator wants to know."""
        return self.figures.table(self.ledger, findings, [
            ("commands done", len(self.ledger.done)),
            ("records received", sum(len(r) for r in self.ledger.receipts.values())),
            ("messages received", len(self.messages())),
            ("answers to surveys", f"{len(self.respondent.thanked)}, {self.respondent.again} given twice"),
            ("mails, texts and receipts taken", f"{len(self.postman.mails)}, {len(self.sms_gateway.texts)},"
             f" {len(self.sms_gateway.arrived)}"),
            ("notes at the desk, events at a screen", f"{len(self.clerk.noted)},"
             f" {self.ledger.answered_by[self.viewer.client_name]}"),
            ("messages of unknown outcome", self.stack.one(
                "select count(*) from turunc.notification where state = 4"))])

    def close(self):
        for actor in self.actors:
            actor.stop()
        if getattr(self, "c_system", None) is not None:
            self.c_system.kill9()
        self.stack.close()
