#!/usr/bin/python3
"""An example department: takes the open tickets, follows the log, and works each ticket through
accept, start and resolve.

Snapshot first, then subscribe from the seq of the snapshot: nothing falls between.  A record is
acknowledged once its ticket is noted here; a real department would have committed it to its own
database.  After a restart the snapshot shows what is still to be done, so nothing is kept.  Each
step is one line on standard output; with --count it leaves after so many resolved tickets.
"""

import argparse
import heapq
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import turunc  # noqa: E402  (the package beside this folder)
from turunc.v1 import ticket_pb2  # noqa: E402

VERBS = {
    ticket_pb2.STATUS_ROUTED: "accept",
    ticket_pb2.STATUS_ACCEPTED: "start",
    ticket_pb2.STATUS_IN_PROGRESS: "resolve",
}


class Department:
    def __init__(self, client, options):
        self.client = client
        self.options = options
        self.tickets = {}  # number -> (version, status)
        self.due = []      # (time, number, version)
        self.resolved = 0

    def note(self, number, version, status, department):
        """What is said now replaces what was known, unless it is older."""
        known = self.tickets.get(number)
        if known and version <= known[0]:
            return
        if department != self.options.department or status not in VERBS:
            self.tickets.pop(number, None)
            return
        self.tickets[number] = (version, status)
        heapq.heappush(self.due, (time.monotonic() + self.options.delay / 1000, number, version))

    def note_view(self, view):
        self.note(view.number, view.version, view.status, view.department)

    def work(self):
        """Takes the steps whose time has come."""
        while self.due and self.due[0][0] <= time.monotonic():
            _, number, version = heapq.heappop(self.due)
            known = self.tickets.get(number)
            if known is None or known[0] != version:
                continue
            self.step(number, version, VERBS[known[1]])
            if self.finished():
                return

    def step(self, number, version, verb):
        reason = self.options.reason if verb == "resolve" else ""
        try:
            done = self.client.command(number, verb, version, reason_code=reason, timeout=None)
        except turunc.Refused as refused:
            print(number, "refused", refused, flush=True)
            self.tickets.pop(number)
            if refused.stale:  # somebody was faster: judge again from what is now
                self.note(number, refused.version, refused.status, self.options.department)
            return
        print(number, done.status_name, "version", done.version, flush=True)
        self.resolved += done.status == ticket_pb2.STATUS_RESOLVED
        self.note(number, done.version, done.status, self.options.department)

    def finished(self):
        return 0 < self.options.count <= self.resolved

    def follow(self):
        """From a snapshot until told to leave."""
        snapshot = self.client.snapshot([self.options.department], timeout=None)
        self.tickets.clear()
        for view in snapshot.tickets:
            self.note_view(view)
        print(f"snapshot {len(self.tickets)} tickets as of {snapshot.as_of_seq}", flush=True)
        with self.client.subscribe(
            self.options.name or self.options.department,
            departments=[self.options.department],
            start=snapshot.as_of_seq,
            log_id=snapshot.log_id,
            replace=True,
        ) as subscription:
            while not self.finished():
                self.take_records(subscription)
                self.work()

    def take_records(self, subscription):
        """Waits for one until the next step is due, then takes what else is there."""
        pause = self.due[0][0] - time.monotonic() if self.due else 0.5
        record = subscription.get(timeout=min(max(pause, 0.0), 0.5))
        while record is not None:
            if record.HasField("view"):
                self.note_view(record.view)
            subscription.ack(record)
            record = subscription.get(timeout=0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", required=True, help="key folder")
    parser.add_argument("--department", required=True, help="code")
    parser.add_argument("--endpoint", help="instead of the folder's")
    parser.add_argument("--name", help="of the subscription; default: the department's code")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each step")
    parser.add_argument("--reason", default="yapildi", help="closure reason")
    parser.add_argument("--count", type=int, default=0, help="leave after so many resolved")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        keys = turunc.Keys.load(options.keys)
    except turunc.KeyFolderError as error:
        sys.exit(str(error))
    if options.endpoint:
        keys = replace(keys, endpoints={"stream": options.endpoint})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with turunc.Client(keys, software="example-department-python/1",
                       on_trouble=lambda door, error: print("trouble:", error,
                                                            file=sys.stderr)) as client:
        department = Department(client, options)
        while not department.finished():
            try:
                department.follow()
            except (turunc.LogChanged, turunc.Gap) as again:
                # Another history, or a cursor that was moved: what is known here may be wrong.
                print("trouble:", again, file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
