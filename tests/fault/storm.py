"""Kills the parts of a working system at random, each time with work in flight, and starts them again."""
import json
import random
import time

from actors import Citizen, Department, System
from ledger import Ledger, check, count, sink_messages
from process import wait_until
from stack import Stack

SERVICES = ("intake", "router", "notifier", "metrics")
VICTIMS = SERVICES + ("postgres", "redis")


class Storm:
    def __init__(self, seed=1):
        self.dice = random.Random(seed)
        self.stack = Stack(services=("sink",) + SERVICES, own_postgres=True,
                           env={"TURUNC_LOG_LEVEL": "info"})
        self.ledger = Ledger()
        self.kills = {victim: 0 for victim in VICTIMS}
        self.idle = 0                   # kills that found no work in flight: not counted
        self.recovery_s = []
        self.actors = []

    def begin(self):
        self.stack.start()
        made = self.stack.masa("client", "add", "defter-http", "--http", "--json")
        api_key = json.loads(made)["api_key"]
        self.departments = [
            Department("temizlik", self.ledger, self.stack, ["temizlik"], {"personal": 2}),
            Department("fen-masked", self.ledger, self.stack, ["fen"], {"personal": 1}),
            Department("park", self.ledger, self.stack, ["park"], {"personal": 2}, delay_s=0.01),
            Department("seyirci", self.ledger, self.stack, [], {"personal": 0}, works=False)]
        self.system = System("santral", self.ledger, 0.05, self.stack)
        self.citizens = [Citizen(f"citizen-{n}", self.ledger, 0.05, self.stack.port["intake_http"],
                                 api_key, "defter-http") for n in range(4)]
        self.actors = self.departments + [self.system] + self.citizens
        self._wait_for_key(api_key)
        for actor in self.actors:
            actor.start()
        wait_until(lambda: self.ledger.answered() > 20, 30, "the load flows")

    def _wait_for_key(self, api_key):
        form = {"api_key": api_key, "service_code": "none"}
        wait_until(lambda: self.stack.http("intake", "POST", "/open311/v2/requests.json",
                                           form=form).status == 404, 10, "intake knows the key")

    # --- killing ---

    def busy(self, victim):
        """Is there work that this part has in hand right now?"""
        if victim in ("intake", "postgres"):
            return self.ledger.in_flight() > 0
        if victim == "notifier":
            return self.stack.one("select exists (select from turunc.notification where state in (1, 2))"
                                  " or (select max(last_seq) from turunc.log_batch) >"
                                  " (select seq from turunc.consumer_cursor where name = 'notifier' and client = '')")
        if victim == "router":
            return any(d.waiting for d in self.departments) or self.stack.one(
                "select (select max(last_seq) from turunc.log_batch) >"
                " (select seq from turunc.consumer_cursor where name = 'router' and client = '')")
        return self.ledger.in_flight() > 0  # what is answered now will pass metrics and Redis

    def kill_one(self, victim):
        self._complain()
        try:
            wait_until(lambda: self.busy(victim), 2, every_s=0.002)
        except Exception:  # pylint: disable=broad-except
            self.idle += 1
            return
        before, at = self.ledger.answered(), time.monotonic()
        self.stack.kill9(victim)
        self.kills[victim] += 1
        self.stack.restart(victim, wait=False)
        wait_until(lambda: self.ledger.answered() > before, 30, f"answers after {victim} was killed")
        self.recovery_s.append(time.monotonic() - at)
        if victim in SERVICES:
            self.stack.wait_ready(victim)
        else:
            self.stack.wait_ready(*SERVICES)

    def rage(self, kills):
        bag = []
        while sum(self.kills.values()) < kills:
            if not bag:
                bag = list(VICTIMS)
                self.dice.shuffle(bag)
            self.kill_one(bag.pop())
            if self.idle > kills:
                raise AssertionError("the system is idle: there is nothing to interrupt")
        return self

    def _complain(self):
        for actor in self.actors:
            if actor.error is not None:
                raise AssertionError(f"{actor.name}: {actor.error!r}") from actor.error

    # --- the end ---

    def calm(self, limit_s=120):
        """No more reports; waits until everything in hand is delivered, worked and told."""
        for actor in self.citizens + [self.system]:
            actor.stop()
        for actor in self.citizens + [self.system]:
            actor.join(90)
        wait_until(self._settled, limit_s, "everything is delivered, worked and told")
        for actor in self.departments:
            actor.stop()
        for actor in self.departments:
            actor.join(30)
        self._complain()

    def _settled(self):
        self._complain()
        head = self.stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
        return (all(d.position() >= head and not d.waiting for d in self.departments)
                and self.stack.one("select count(*) = 0 from turunc.notification where state in (1, 2)")
                and self.stack.one("select min(seq) from turunc.consumer_cursor where client = ''"
                                   " and name in ('router', 'notifier')") >= head)

    def findings(self, messages=None):
        if messages is None:
            messages = self.messages()
        return check(self.stack, self.ledger, messages)

    def messages(self):
        return sink_messages(self.stack.path("sink.jsonl"))

    def table(self, findings):
        """What an operator wants to know, one figure a line."""
        recovery = sorted(self.recovery_s) or [0]
        lines = [("kills with work in flight", sum(self.kills.values()))]
        lines += [(f"  of {victim}", kills) for victim, kills in self.kills.items()]
        lines += [("kills not counted (idle)", self.idle),
                  ("attempts", len(self.ledger.attempts)), ("positive answers", self.ledger.answered()),
                  ("commands done", len(self.ledger.done)),
                  ("records received", sum(len(r) for r in self.ledger.receipts.values())),
                  ("messages received", len(self.messages())),
                  ("messages of unknown outcome", self.stack.one(
                      "select count(*) from turunc.notification where state = 4")),
                  ("recovery p50 s", f"{recovery[len(recovery) // 2]:.2f}"),
                  ("recovery p99 s", f"{recovery[int((len(recovery) - 1) * 0.99)]:.2f}"),
                  ("recovery max s", f"{recovery[-1]:.2f}")]
        lines += list(count(findings).items())
        return "\n".join(f"{name:<30} {value}" for name, value in lines)

    def close(self):
        for actor in self.actors:
            actor.stop()
        self.stack.close()
