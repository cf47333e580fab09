#!/usr/bin/python3
"""How long a call-taker waits for a ticket's number: from the form sent to the answer, with the commit.

    tests/bench/call.py [--people 8] [--tickets 100]

First one person alone, then all of them at once without a pause, on the loopback and with intake and
router running."""
import argparse
import os
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "tests", "daemon"),
                os.path.join(ROOT, "clients", "python")]

from stack import Stack  # noqa: E402
from test_intake_call import SAID, Desk  # noqa: E402


def register(desk, who, tickets, took):
    for n in range(tickets):
        form = {**desk.open().hidden(), **SAID, "phone": f"0533 {who:03} {n // 100:02} {n % 100:02}"}
        begun = time.monotonic()
        answer = desk.post("/call/ticket?lang=tr", form)
        took.append(time.monotonic() - begun)
        if answer.status != 303:
            raise SystemExit(f"not registered: {answer.status}")


def show(what, took):
    taken = sorted(1000 * t for t in took)
    print(f"{what:24} n={len(taken)} p50={taken[len(taken) // 2]:.1f} p99={taken[int(len(taken) * .99) - 1]:.1f} "
          f"max={taken[-1]:.1f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--tickets", type=int, default=100)
    options = parser.parse_args()
    with Stack(services=["intake", "router"]) as stack:
        passwords = [stack.user(f"kisi{n}", "call-taker") for n in range(options.people)]
        stack.start()
        desks = [Desk(stack, f"kisi{n}", password) for n, password in enumerate(passwords)]
        alone, together = [], []
        register(desks[0], 999, 2 * options.tickets, alone)
        show("one call-taker", alone)
        threads = [threading.Thread(target=register, args=(desk, n, options.tickets, together))
                   for n, desk in enumerate(desks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        show(f"{options.people} at once", together)


if __name__ == "__main__":
    main()
