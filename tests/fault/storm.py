"""Kills the parts of a working system at random, each time with work in flight, and starts them again."""
import os
import random
import time

from actors import Citizen, Department, System
from ledger import Ledger, check, count, sink_messages
from municipality import never_quiet
from process import wait_until
from stack import Stack

SERVICES = ("intake", "router", "notifier", "metrics")
VICTIMS = SERVICES + ("postgres", "redis")


class Storm:
    def __init__(self, folder, seed=1):
        self.dice = random.Random(seed)
        self.stack = Stack(services=("sink",) + SERVICES, own_postgres=True,
                           config=never_quiet(os.path.join(folder, "config")),
                           env={"TURUNC_LOG_LEVEL": "info",
                                "notifier": {"TURUNC_NOTIFIER_RETRY_FIRST": "200ms"}})
        self.ledger = Ledger()
        self.kills = {victim: 0 for victim in VICTIMS}
        self.idle = 0                   # kills that found no work in flight: not counted
        self.recovery_s = {victim: [] for victim in VICTIMS}
        self.actors = []

    def begin(self):
        self.stack.start()
        api_key = self.stack.api_key("defter-http")
        self.departments = [
            Department("temizlik", self.ledger, self.stack, ["temizlik"], {"personal": "full"}),
            Department("fen-masked", self.ledger, self.stack, ["fen"], {"personal": "masked"}),
            Department("park", self.ledger, self.stack, ["park"], {"personal": "full"}, delay_s=0.01),
            Department("seyirci", self.ledger, self.stack, [], {"personal": "none"}, works=False)]
        self.system = System("santral", self.ledger, 0.1, self.stack)
        self.citizens = [Citizen(f"citizen-{n}", self.ledger, 0.1, self.stack.port["intake_http"],
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
        self.stack.wait_ready(*([victim] if victim in SERVICES else SERVICES))
        self.recovery_s[victim].append(time.monotonic() - at)

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
        end = time.monotonic() + limit_s
        while self.unsettled():
            assert time.monotonic() < end, f"not settled within {limit_s} s: {self.unsettled()}"
            time.sleep(0.2)
        for actor in self.departments:
            actor.stop()
        for actor in self.departments:
            actor.join(30)
        self._complain()

    def unsettled(self):
        """What is not delivered, worked or told yet, in words; empty when all is."""
        self._complain()
        head = self.stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
        waiting = [f"{d.name} at {d.position()} of {head}, {len(d.waiting)} commands"
                   for d in self.departments if d.position() < head or d.waiting]
        waiting += [f"message in state {state}: {count}" for state, count in self.stack.sql(
            "select state, count(*) from turunc.notification where state in (1, 2) group by 1")]
        waiting += [f"cursor of {name} at {seq} of {head}" for name, seq in self.stack.sql(
            "select name, seq from turunc.consumer_cursor where client = '' and seq < %s", head)]
        return waiting

    def findings(self, messages=None):
        if messages is None:
            messages = self.messages()
        return check(self.stack, self.ledger, messages)

    def messages(self):
        return sink_messages(self.stack.path("sink.jsonl"))

    def table(self, findings):
        """What an operator wants to know, one figure a line."""
        recovery = sorted(sum(self.recovery_s.values(), [])) or [0]
        lines = [("kills with work in flight", sum(self.kills.values()))]
        lines += [(f"  of {victim}", f"{kills}   (longest recovery {max(self.recovery_s[victim], default=0):.2f} s)")
                  for victim, kills in self.kills.items()]
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
