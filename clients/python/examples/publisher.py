#!/usr/bin/python3
"""An example publisher: call events and ticket requests, kept in a file until the door has them.

Without --count each line of standard input is the description of a ticket request; with it, N calls
are played: offered, answered, a ticket request, ended.  Each result is one line on standard output;
the exit status is 0 when nothing was refused.
"""

import argparse
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import turunc  # noqa: E402  (the package beside this folder)
from turunc.v1 import ticket_pb2  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", required=True, help="key folder")
    parser.add_argument("--endpoint", help="instead of the folder's")
    parser.add_argument("--store", help="SQLite file; default: memory only")
    parser.add_argument("--source", default="example")
    parser.add_argument("--count", type=int, default=0, help="calls to play")
    parser.add_argument("--rate", type=float, default=0, help="calls a second; 0: at once")
    parser.add_argument("--prefix", default=str(uuid.uuid4()),
                        help="of the ids, which are used once: another event needs another id")
    return parser.parse_args()


def call_events(source, call_id):
    """What a call centre's exchange and its agent's screen say about one call."""
    yield turunc.call(source, "offered", call_id, queue="444")
    yield turunc.call(source, "answered", call_id, queue="444", agent="ayse")
    yield turunc.ticket_request(source, f"{call_id}: kaldırımda çukur var", call_id=call_id,
                                channel=ticket_pb2.CHANNEL_CALL, id=f"{call_id}/ticket.request")
    yield turunc.call(source, "ended", call_id, queue="444", disposition="ticket")


def events(options):
    if options.count:
        for n in range(options.count):
            yield list(call_events(options.source, f"{options.prefix}-{n}"))
            if options.rate:
                time.sleep(1 / options.rate)
    else:
        for n, line in enumerate(filter(None, map(str.strip, sys.stdin))):
            yield [turunc.ticket_request(options.source, line, id=f"{options.prefix}-{n}")]


def main():
    options = arguments()
    try:
        keys = turunc.Keys.load(options.keys)
    except turunc.KeyFolderError as error:
        sys.exit(str(error))
    if options.endpoint:
        keys = replace(keys, endpoints={"publish": options.endpoint})
    refused = 0

    def show(result):
        nonlocal refused
        refused += result.rejected
        word = result.status_name.removeprefix("PUBLISH_").lower()
        print(result.id, word, result.ticket, result.error, flush=True)

    with turunc.Client(keys, store=options.store, software="example-publisher-python/1",
                       on_result=show,
                       on_trouble=lambda door, error: print("trouble:", error,
                                                            file=sys.stderr)) as client:
        for batch in events(options):
            while True:
                try:
                    client.post_many(batch)
                    break
                except turunc.Full:
                    time.sleep(0.05)  # answers make room
        client.drain()
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
