#!/usr/bin/python3
"""The departments of a demonstration: each one a client of the bus with a key of its own, working
through its tickets as people would - accept, start, sometimes wait, resolve or reject.

    departments.py --keys FOLDER --config FOLDER [--pace SECONDS]

FOLDER of keys holds one key folder for each department's code.  What a department knows is only
what the bus tells it: a snapshot first, then the records behind it.
"""
import argparse
import collections
import csv
import heapq
import os
import random
import signal
import sys
import threading
import time

import turunc
from turunc.v1 import ticket_pb2

# What may come next in each status, with its share and how long people take for it (in paces).
STEPS = {
    ticket_pb2.STATUS_ROUTED: [("accept", 100, 1.0)],
    ticket_pb2.STATUS_ACCEPTED: [("start", 92, 2.0), ("wait", 8, 1.0)],
    ticket_pb2.STATUS_IN_PROGRESS: [("resolve", 84, 4.0), ("wait", 9, 2.0), ("reject", 7, 3.0)],
    ticket_pb2.STATUS_WAITING: [("resume", 100, 6.0)],
}
WAIT_US = 3 * 86_400 * 1_000_000
SHOW_EVERY_S = 60


def codes(config, name, column="code", where=lambda row: True):
    with open(os.path.join(config, name), encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file) if where(row)]


class Reasons:
    """The codes that the municipality's configuration allows for each step."""

    def __init__(self, config):
        def closing(status):
            return codes(config, "closure_reasons.csv",
                         where=lambda row: status in row["applies_to"].split(";"))

        self._of = {"resolve": closing("resolved"), "reject": closing("rejected"),
                    "wait": codes(config, "wait_reasons.csv")}

    def fields(self, verb):
        if verb not in self._of:
            return {}
        fields = {"reason_code": random.choice(self._of[verb])}
        if verb == "wait":
            fields["until_us"] = time.time_ns() // 1000 + WAIT_US
        return fields


class Department(threading.Thread):
    """One department at work until told to stop."""

    def __init__(self, code, keys, reasons, pace_s, done, stop):
        super().__init__(name=code, daemon=True)
        self.code, self.keys, self.reasons, self.pace_s = code, keys, reasons, pace_s
        self.count, self.stop = done, stop
        self.known = {}  # number -> version
        self.due = []    # (when, number, version, verb)

    def run(self):
        while not self.stop.is_set():
            try:
                with turunc.Client(self.keys, software="demo-department/1") as client:
                    self.follow(client)
            except turunc.TuruncError as trouble:
                print(f"department={self.code} trouble: {trouble}", file=sys.stderr, flush=True)
                self.stop.wait(2)

    def follow(self, client):
        snapshot = client.snapshot([self.code], timeout=None)
        self.known.clear()
        self.due.clear()
        for view in snapshot.tickets:
            self.note(view.number, view.version, view.status, view.department)
        with client.subscribe(self.code, departments=[self.code], start=snapshot.as_of_seq,
                              log_id=snapshot.log_id, replace=True, take_over=True) as records:
            while not self.stop.is_set():
                self.take(records)
                self.work(client)

    def take(self, records):
        wait_s = min(max(self.due[0][0] - time.monotonic(), 0.0), 0.5) if self.due else 0.5
        record = records.get(timeout=wait_s)
        while record is not None:
            if record.HasField("view"):
                view = record.view
                self.note(view.number, view.version, view.status, view.department)
            records.ack(record)
            record = records.get(timeout=0)

    def note(self, number, version, status, department):
        """What is said now replaces what was known, unless it is older."""
        if version <= self.known.get(number, -1):
            return
        if department != self.code or status not in STEPS:
            self.known.pop(number, None)
            return
        self.known[number] = version
        verb, _, paces = random.choices(STEPS[status], [share for _, share, _ in STEPS[status]])[0]
        when = time.monotonic() + random.expovariate(1 / (paces * self.pace_s))
        heapq.heappush(self.due, (when, number, version, verb))

    def work(self, client):
        while self.due and self.due[0][0] <= time.monotonic() and not self.stop.is_set():
            _, number, version, verb = heapq.heappop(self.due)
            if self.known.get(number) == version:
                self.step(client, number, version, verb)

    def step(self, client, number, version, verb):
        try:
            done = client.command(number, verb, version, timeout=None, **self.reasons.fields(verb))
        except turunc.Refused as refused:
            self.count[f"{verb} refused"] += 1
            self.known.pop(number, None)
            if refused.stale:  # somebody was faster: judge again from what is now
                self.note(number, refused.version, refused.status, self.code)
            else:
                print(f"department={self.code} ticket={number} {verb} refused: {refused}",
                      file=sys.stderr, flush=True)
            return
        self.count[verb] += 1
        self.note(number, done.version, done.status, self.code)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    options.add_argument("--keys", required=True)
    options.add_argument("--config", required=True)
    options.add_argument("--pace", type=float, default=3.0, help="seconds that a small step takes")
    given = options.parse_args()

    stop, done = threading.Event(), collections.Counter()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    reasons = Reasons(given.config)
    at_work = [Department(code, os.path.join(given.keys, code), reasons, given.pace, done, stop)
               for code in codes(given.config, "departments.csv",
                                 where=lambda row: row["active"] == "yes")]
    for department in at_work:
        department.start()
    print(f"ready departments={len(at_work)}", file=sys.stderr, flush=True)
    while not stop.wait(SHOW_EVERY_S):
        print("so far " + " ".join(f"{verb.replace(' ', '_')}={count}"
                                   for verb, count in sorted(done.items())),
              file=sys.stderr, flush=True)
    for department in at_work:
        department.join(5)


if __name__ == "__main__":
    main()
