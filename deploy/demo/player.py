#!/usr/bin/python3
"""Plays the citizens of a demonstration at a steady rate, through the doors that anybody uses.

    player.py --edge URL --api-key-file FILE --keys FOLDER --config FOLDER [--rate PER_SECOND]
              [--via HOST:PORT] [--ca FILE]

Two of three reports come as Open311 posts through the edge; the others are telephone calls that a
call centre's system publishes on the bus, some of which end without a ticket.  A door that is away
is tried again later: the player never gives up and never hurries after what it missed.
--via says where the edge is when its own name leads elsewhere, --ca whose certificates are trusted as well.
"""
import argparse
import collections
import http.client
import json
import random
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid

import citizens
import turunc
from turunc.v1 import ticket_pb2

CALL_SHARE = 1 / 3
SOURCE = "demo.calls"
CALL_ENDS = (("ticket", 55), ("information", 35), ("abandoned", 6), ("nuisance", 4))
SHOW_EVERY_S = 60
PATIENCE_S = 10


class Open311:
    """A client of the published interface, as any application would be."""

    def __init__(self, edge, api_key, via=None, ca=None):
        url = urllib.parse.urlsplit(edge)
        self._host = url.netloc
        self._via = tuple(via.rsplit(":", 1)) if via else None
        self._trust = None
        if url.scheme == "https":
            self._trust = ssl.create_default_context()
            if ca:
                self._trust.load_verify_locations(ca)
        self._api_key = api_key
        self._link = None
        self._questions = {}
        self.services = []

    def _connect(self):
        if self._trust:
            link = http.client.HTTPSConnection(self._host, timeout=PATIENCE_S, context=self._trust)
        else:
            link = http.client.HTTPConnection(self._host, timeout=PATIENCE_S)
        plain = socket.create_connection(self._via or (link.host, link.port), PATIENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sock = self._trust.wrap_socket(plain, server_hostname=link.host) if self._trust else plain
        return link

    def _ask(self, method, path, form=None):
        if self._link is None or self._link.sock is None:
            self._link = self._connect()
        body = urllib.parse.urlencode(form) if form else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            self._link.request(method, f"/open311/v2{path}", body=body, headers=headers)
            answer = self._link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._link.close()
            self._link = None
            raise

    def load(self):
        status, body = self._ask("GET", "/services.json")
        if status != 200:
            raise OSError(f"services.json answers {status}")
        self.services = json.loads(body)

    def questions(self, service):
        code = service["service_code"]
        if code not in self._questions:
            found = []
            if service["metadata"]:
                status, body = self._ask("GET", f"/services/{code}.json")
                if status != 200:
                    raise OSError(f"services/{code}.json answers {status}")
                definition = json.loads(body)
                definition = definition[0] if isinstance(definition, list) else definition
                found = definition["attributes"]
            self._questions[code] = found
        return self._questions[code]

    def post(self, neighbourhood):
        """One report; its status, and what was said."""
        service = random.choice(self.services)
        form = {"api_key": self._api_key, "service_code": service["service_code"],
                "description": citizens.description(service["service_name"]),
                "address_string": citizens.address(neighbourhood), **citizens.person()}
        if random.random() < 0.7:
            latitude, longitude = citizens.position(neighbourhood)
            form.update(lat=f"{latitude:.6f}", long=f"{longitude:.6f}")
        for question in self.questions(service):
            if question["required"] or random.random() < 0.5:
                form[f"attribute[{question['code']}]"] = citizens.answer(question)
        return self._ask("POST", "/requests.json", form)


class CallCentre:
    """The exchange and the agents' screens, as one client of the bus."""

    def __init__(self, keys, count):
        self._count = count
        self._client = turunc.Client(keys, software="demo-calls/1", on_result=self._result)

    def _result(self, result):
        self._count["calls refused" if result.rejected else "call events"] += 1
        if result.rejected:
            print(f"event={result.id} refused: {result.error}", file=sys.stderr, flush=True)

    def call(self, subject, neighbourhood):
        call_id = str(uuid.uuid4())
        end = random.choices([e for e, _ in CALL_ENDS], [share for _, share in CALL_ENDS])[0]
        events = [turunc.call(SOURCE, "offered", call_id, queue="444")]
        if end == "abandoned":
            events.append(turunc.call(SOURCE, "abandoned", call_id, queue="444"))
        else:
            events.append(turunc.call(SOURCE, "answered", call_id, queue="444", agent="masa-1"))
            if end == "ticket":
                events.append(self._request(call_id, subject, neighbourhood))
            events.append(turunc.call(SOURCE, "ended", call_id, queue="444", disposition=end))
        self._client.post_many(events)

    @staticmethod
    def _request(call_id, subject, neighbourhood):
        who = citizens.person()
        return turunc.ticket_request(
            SOURCE, citizens.description(subject["service_name"]), id=f"{call_id}/ticket",
            subject_code=subject["service_code"], address=citizens.address(neighbourhood),
            neighbourhood=neighbourhood["code"], name=f"{who['first_name']} {who['last_name']}",
            phone=who.get("phone", ""), email=who.get("email", ""), call_id=call_id,
            channel=ticket_pb2.CHANNEL_CALL)

    def close(self):
        self._client.close()


def play(given, stop, count):
    with open(given.api_key_file, encoding="ascii") as key:
        web = Open311(given.edge, key.read().strip(), given.via, given.ca)
    calls = CallCentre(given.keys, count)
    places = citizens.Neighbourhoods(given.config)
    due = time.monotonic()
    while not stop.wait(max(0.0, due - time.monotonic())):
        due = max(due, time.monotonic() - 1) + random.expovariate(given.rate)
        try:
            if not web.services:
                web.load()
            if random.random() < CALL_SHARE:
                calls.call(random.choice(web.services), places.pick())
                count["calls"] += 1
                continue
            status, said = web.post(places.pick())
            count[f"posts {status}"] += 1
            if status != 201:
                print(f"post answered {status}: {said[:300]!r}", file=sys.stderr, flush=True)
        except (OSError, http.client.HTTPException, turunc.TuruncError) as trouble:
            count["troubles"] += 1
            print(f"trouble: {trouble}", file=sys.stderr, flush=True)
            due = time.monotonic() + 2
    calls.close()


def show(stop, count):
    while not stop.wait(SHOW_EVERY_S):
        print("so far " + " ".join(f"{what.replace(' ', '_')}={n}"
                                   for what, n in sorted(count.items())),
              file=sys.stderr, flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    options.add_argument("--edge", required=True)
    options.add_argument("--api-key-file", required=True)
    options.add_argument("--keys", required=True)
    options.add_argument("--config", required=True)
    options.add_argument("--via")
    options.add_argument("--ca")
    options.add_argument("--rate", type=float, default=1.0)
    given = options.parse_args()

    stop, count = threading.Event(), collections.Counter()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    threading.Thread(target=show, args=(stop, count), daemon=True).start()
    print(f"ready rate={given.rate:g}", file=sys.stderr, flush=True)
    play(given, stop, count)


if __name__ == "__main__":
    main()
