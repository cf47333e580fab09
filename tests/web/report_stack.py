#!/usr/bin/python3
"""A private system for the tests of the report's pages and of open data: figures of a March that were put into the
record, and some tickets.  Prints one line of JSON when it is ready; runs until its standard input ends."""
import json
import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "lib"), os.path.join(ROOT, "daemon"),
                os.path.join(os.path.dirname(ROOT), "clients", "python")]

import report_month  # noqa: E402
from stack import Stack  # noqa: E402
from standing_clock import StandingClock  # noqa: E402
from test_open_data import MARCH_US, Tickets  # noqa: E402
from test_reports import APRIL_7_US, MAY_US, settled  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as folder:
        clock = StandingClock(os.path.join(folder, "clock"), MAY_US)
        os.chmod(folder, 0o755)
        shared = {"TURUNC_CLOCK_FILE": clock.path}
        with Stack(services=["router", "metrics", "edge"], env={"router": shared, "metrics": shared}) as stack:
            stack.start()
            settled(stack)
            report_month.put(stack, {202503: report_month.figures(0.97, 5), 202602: report_month.figures(0.96, 6),
                                     202603: report_month.figures()}, MAY_US,
                             [(202603, 1, 3, APRIL_7_US, {}),
                              (202603, 2, 4, APRIL_7_US + 86_400_000_000,
                               {"calls.answered": (21218, 21219), "tickets.subject.cop-alinmadi": (3902, 3903)})])
            tickets = Tickets(stack)
            for subject, place, count in (("cop-alinmadi", "guzeloba", 9), ("cop-alinmadi", "fener", 2),
                                          ("cadde-supurme", "fener", 6), ("cadde-supurme", "guzeloba", 8)):
                tickets.add(subject, place, count, arrived_us=MARCH_US)
            print(json.dumps({"origin": f"http://127.0.0.1:{stack.port['edge']}"}), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
