"""Clients that keep on trying and write everything down: citizens, another system, departments."""
import http.client
import json
import os
import random
import subprocess
import threading
import time
import urllib.parse
import uuid

import turunc
from servers import BUILD
from turunc import events
from turunc.v1 import ticket_pb2

SUBJECTS = ("cadde-supurme", "yol-cokme", "park-bakim", "konteyner-hasar", "sulama-ariza", "yagmur-suyu")
NEXT = {ticket_pb2.STATUS_ROUTED: "accept", ticket_pb2.STATUS_ACCEPTED: "start",
        ticket_pb2.STATUS_IN_PROGRESS: "resolve"}


class Actor(threading.Thread):
    """Runs turn() until told to stop; what it raises is kept and fails the test."""

    def __init__(self, name, ledger, pause_s):
        super().__init__(name=name, daemon=True)
        self.ledger = ledger
        self.pause_s = pause_s
        self.error = None
        self._stop_asked = threading.Event()

    def run(self):
        try:
            while not self._stop_asked.is_set():
                self.turn()
                self._stop_asked.wait(self.pause_s)
            self.finish()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def turn(self):
        raise NotImplementedError

    def finish(self):
        pass

    def stop(self):
        self._stop_asked.set()

    def stopping(self):
        return self._stop_asked.is_set()


class Citizen(Actor):
    """Reports by Open311, one after another, each with a key of its own until it is answered."""

    def __init__(self, name, ledger, pause_s, port, api_key, client, subjects=SUBJECTS, contact=True):
        super().__init__(name, ledger, pause_s)
        self.port = port
        self.subjects = subjects
        self.contact = contact
        self.api_key = api_key
        self.client_name = client
        self.dice = random.Random(name)
        self.refused = 0

    def turn(self):
        key = str(uuid.uuid4())
        form = {"api_key": self.api_key, "service_code": self.dice.choice(self.subjects),
                "address_string": f"Defter Sokak No {self.dice.randrange(300)}",
                "first_name": "Defter", "last_name": "Tutan", "description": "Defter için bildirim."}
        kind = self.dice.randrange(4) if self.contact else None
        if kind == 0:
            form["email"] = f"{key}@defter.example"
        elif kind == 1:
            form["phone"] = f"+9053{self.dice.randrange(10**8):08d}"
        self.ledger.attempt((self.client_name, key), time.monotonic())
        while True:
            number = self.post(form, key)
            if number is not None:
                self.ledger.answer((self.client_name, key), number)
                return
            self.refused += 1
            time.sleep(0.03)

    def post(self, form, key):
        """The number, or None when the outcome is not known or it was refused for now."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request("POST", "/open311/v2/requests.json", urllib.parse.urlencode(form),
                         {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": key})
            answer = link.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()
        if answer.status == 201:
            return json.loads(body)[0]["service_request_id"]
        if answer.status in (429, 502, 503):
            return None
        raise AssertionError(f"intake said {answer.status}: {body[:300]}")


class System(Actor):
    """Another system on the bus: calls and ticket requests, kept on disk until they are answered."""

    def __init__(self, name, ledger, pause_s, stack):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        self.client = turunc.Client(stack.client(name, verbs=("publish",)),
                                    store=stack.path(f"{name}.sqlite"), on_result=self.on_result)
        self.dice = random.Random(name)
        self.rejected = []
        self.ringing = []

    def on_result(self, result):
        if result.rejected:
            self.rejected.append(result)
        else:
            self.ledger.answer((self.name, result.id), result.ticket)

    def turn(self):
        if self.dice.randrange(3):
            event = events.ticket_request(self.name, "Defter için bildirim.", name="Defter Tutan",
                                          subject_code=self.dice.choice(SUBJECTS),
                                          phone=f"+9053{self.dice.randrange(10**8):08d}",
                                          channel=ticket_pb2.CHANNEL_CALL)
        else:
            event = self.next_of_a_call()
        self.ledger.attempt((self.name, event.id), time.monotonic())
        self.client.post(event)

    def next_of_a_call(self):
        """Calls are offered, then answered or abandoned, some after others have begun."""
        if not self.ringing or self.dice.randrange(2):
            self.ringing.append(str(uuid.uuid4()))
            return events.call(self.name, "offered", self.ringing[-1], caller="+905300000000")
        call = self.ringing.pop(self.dice.randrange(len(self.ringing)))
        return events.call(self.name, self.dice.choice(("answered", "abandoned")), call)

    def finish(self):
        if not self.client.drain(60):
            raise AssertionError(f"{self.client.pending()} events of {self.name} were never answered")
        if self.rejected:
            raise AssertionError(f"rejected: {self.rejected[:3]}")
        self.client.close()


class CSystem(Actor):
    """The example publisher of clients/c: a ticket request a line, kept in its store.  It may be
    killed; what its store held is sent by the next one, and is answered to that one."""

    def __init__(self, name, ledger, pause_s, stack):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        self.keys = stack.client(name, verbs=("publish",))
        self.store = stack.path(f"{name}-store")
        self.trouble = open(stack.path(f"{name}.log"), "ab")
        self.lock = threading.Lock()
        self.lives = 0
        self.child = self.reader = None
        self.refused = []
        self.start_again()

    def start_again(self):
        with self.lock:
            self.lives += 1
            self.made = 0
            self.child = subprocess.Popen(
                [os.path.join(BUILD, "bin", "example_publisher"), "--keys", self.keys, "--store", self.store,
                 "--source", self.name, "--prefix", self.prefix()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.trouble, text=True)
            self.reader = threading.Thread(target=self.read, args=(self.child,), daemon=True)
            self.reader.start()

    def prefix(self):
        return f"{self.name}-{self.lives}"

    def kill9(self):
        with self.lock:
            self.child.kill()
            self.child.wait(10)
            self.reader.join(10)
            self.ledger.given_up(self.name, f"{self.prefix()}-")

    def read(self, child):
        """Each answer is a line: id, status, number."""
        for line in child.stdout:
            words = line.split()
            if len(words) >= 3 and words[1] in ("accepted", "spooled", "duplicate"):
                self.ledger.answer((self.name, words[0]), words[2])
            elif line.endswith("\n"):
                self.refused.append(line)

    def turn(self):
        with self.lock:
            if self.child.poll() is not None:
                return              # killed, and not started again yet
            self.ledger.attempt((self.name, f"{self.prefix()}-{self.made}"), time.monotonic())
            self.made += 1
            self.child.stdin.write("Defter için bildirim.\n")
            self.child.stdin.flush()

    def finish(self):
        self.child.stdin.close()
        if self.child.wait(60) != 0 or self.refused:
            raise AssertionError(f"it ended with {self.child.returncode}: {self.refused[:3]}")
        self.reader.join(10)
        if self.ledger.in_flight(self.name):
            raise AssertionError(f"{self.ledger.in_flight(self.name)} events were never answered")


class Department(Actor):
    """A department's own system: receives, acknowledges, and works each ticket to its end."""

    def __init__(self, name, ledger, stack, departments, rights, delay_s=0.0, works=True):
        super().__init__(name, ledger, 0)
        self.departments = list(departments)
        self.delay_s = delay_s
        self.works = works
        self.keys = stack.client(name, verbs=("subscribe", "snapshot", "command"),
                                 departments=departments or ("*",), **rights)
        self.lock = threading.Lock()    # held: it stands still
        self.client = turunc.Client(self.keys)
        self.subscription = self.follow(self.client, 0)
        ledger.started[name] = (0, self.departments)
        self.reached = 0
        self.said = {}
        self.waiting = []

    def follow(self, client, start, **more):
        return client.subscribe(self.name, departments=self.departments, start=start,
                                window=64 if self.delay_s else 1024, **more)

    def turn(self):
        with self.lock:
            if self.subscription is None:
                time.sleep(0.01)
                return
            self.take(self.subscription.get(timeout=0.1))
            self.settle()
        time.sleep(0)   # whoever wants it to stand still gets the lock

    def take(self, record):
        if record is None:
            return
        self.ledger.receive(self.name, record)
        if self.works and record.HasField("view"):
            self.act(record.view)
        if self.delay_s:
            time.sleep(self.delay_s)
        self.subscription.ack(record)

    def act(self, view):
        verb = NEXT.get(view.status)
        if verb is None or view.department not in self.departments or (view.number, view.version) in self.said:
            return
        command_id = str(uuid.uuid4())
        self.said[view.number, view.version] = command_id
        future = self.client.send_command(view.number, verb, view.version, id=command_id,
                                          reason_code="yapildi" if verb == "resolve" else "",
                                          text="Defter kapandı." if verb == "resolve" else "")
        self.waiting.append((future, command_id, view.number))

    def settle(self):
        still = []
        for future, command_id, number in self.waiting:
            if not future.done():
                still.append((future, command_id, number))
            elif future.exception() is None:
                self.ledger.command(command_id, number, future.result().version)
            elif not (isinstance(future.exception(), turunc.Refused) and future.exception().stale):
                raise future.exception()
        self.waiting = still

    def position(self):
        subscription = self.subscription
        self.reached = max(self.reached, subscription.position if subscription is not None else 0)
        return self.reached

    # --- what else a subscriber may do; the caller is the storm ---

    def leave(self):
        """As a process that ends: without acknowledging, and nobody waits for answers any more."""
        with self.lock:
            self.position()
            self.subscription, self.waiting = None, []
            self.client.close()

    def come_back(self):
        with self.lock:
            self.client = turunc.Client(self.keys)
            self.subscription = self.follow(self.client, "resume")

    def taken_over(self):
        """By a second process of the same department, which is not let in beside the first one."""
        with self.lock:
            second = turunc.Client(self.keys)
            refused = self.follow(second, "resume")
            record = refused.get(timeout=0.5)
            assert record is None, f"two live replicas under {self.name} received {record}"
            refused.close()
            successor = self.follow(second, "resume", take_over=True)
            self.drain_superseded()
            first, self.client, self.subscription = self.client, second, successor
            self.waiting = []
        first.close()

    def drain_superseded(self):
        """The first one takes what it had received until it is told."""
        end = time.monotonic() + 60
        try:
            while time.monotonic() < end:
                record = self.subscription.get(timeout=0.1)
                if record is not None:
                    self.ledger.receive(self.name, record)
        except turunc.Superseded:
            return
        raise AssertionError(f"{self.name} was taken over and not told")

    def finish(self):
        self.client.close()
