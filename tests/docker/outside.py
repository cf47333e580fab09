"""The people and systems outside of a system in containers: they know its doors and nothing else."""
import json
import re
import threading
import time

import turunc
from composed import PATIENCE_S, ticket_id
from process import wait_until


class Browser:
    """Signed in at a page of the origin: the cookie is one that HTTPS alone carries."""

    def __init__(self, system, prefix, name, password):
        self.system, self.prefix, self.cookie = system, prefix, None
        self.page = ""
        answer = self.post(prefix + "sign-in", {"name": name, "password": password})
        assert answer.status == 303 and self.cookie, answer
        self.get(prefix)

    def headers(self):
        found = {"Accept": "text/html", "Origin": f"https://127.0.0.1:{self.system.port['edge']}"}
        return {**found, "Cookie": f"__Host-turunc={self.cookie}"} if self.cookie else found

    def take(self, answer):
        assert answer.status, answer
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            assert "Secure" in cookie, cookie
            self.cookie = re.match(r"__Host-turunc=([^;]*)", cookie).group(1)
        self.page = answer.body.decode("utf-8", "replace")
        return answer

    def get(self, path):
        return self.take(self.system.http("GET", path, headers=self.headers()))

    def post(self, path, form):
        return self.take(self.system.http("POST", path, form=form, headers=self.headers()))

    def hidden(self):
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.page.split('id="call"')[-1]))


class Department:
    """A subscriber outside, by CURVE through the published door: everything it was sent, until it is closed."""

    def __init__(self, folder, name):
        self.client = turunc.Client(folder)
        self.sub = self.client.subscribe(name, start="latest")
        self.seen = {}  # number of a ticket without its check digit -> types of its records, in order
        self.ended = threading.Event()
        wait_until(lambda: self.sub.log_id or self.sub.error, PATIENCE_S, "there is a subscription")
        assert self.sub.error is None, self.sub.error
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.ended.is_set():
            record = self.sub.get(timeout=0.2)
            if record is not None:
                self.seen.setdefault(ticket_id(record.event.subject), []).append(record.event.type)
                self.sub.ack(record)

    def wait(self, numbers, kind="ticket.routed"):
        """Until it was told that of each of them; whatever comes twice is a failure."""
        def missing():
            return [number for number in numbers if kind not in self.seen.get(ticket_id(number), [])]
        wait_until(lambda: not missing(), PATIENCE_S, f"the subscriber hears {kind} of all", 0.1)
        for number in numbers:
            assert self.seen[ticket_id(number)].count(kind) == 1, (number, self.seen[ticket_id(number)])

    def close(self):
        self.ended.set()
        self.thread.join(10)
        self.client.close()


class Outside:
    """Who is there: a subscriber, a publisher, an application for Open311; and people, as they are made."""

    def __init__(self, system):
        self.system = system
        self.api_key = json.loads(system.masa("client", "add", "citizens-app", "--http", "--json"))["api_key"]
        self.department = Department(system.keys("follower", "--verbs", "subscribe,snapshot", "--types", "*",
                                                 "--departments", "*", "--personal", "full"), "follower")
        self.publisher = turunc.Client(system.keys("other-system", "--verbs", "publish", "--sources", "*", "--types", "*"))
        self.wait = self.department.wait

    def user(self, name, *roles):
        """Their password."""
        said = self.system.masa("user", "add", name, "--shown-as", name, "--roles", ",".join(roles), "--generate", "--json")
        return json.loads(said)["password"]

    def report(self):
        answer = self.system.http("POST", "/open311/v2/requests.json", form={**Load.FORM, "api_key": self.api_key})
        assert answer.status == 201, answer
        return answer.json()[0]["service_request_id"]

    def heard_of_all(self, load):
        """Whatever was answered positively is routed, and the subscriber has it once."""
        numbers = self.system.firsts(load.numbers)
        wait_until(lambda: set(numbers) <= set(self.department.seen), PATIENCE_S, "the subscriber hears of all", 0.2)
        self.wait(numbers)

    def close(self):
        self.publisher.close()
        self.department.close()


class Load:
    """A citizen after the other who reports and, when refused, tries again with the same key until taken."""

    FORM = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
            "description": "Sokağımız günlerdir süpürülmedi."}

    def __init__(self, system, api_key, pause_s=0.1):
        self.system, self.api_key, self.pause_s = system, api_key, pause_s
        self.numbers, self.refused, self.longest_s, self.trouble = [], 0, 0.0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive() and self.trouble is None, self.trouble

    def taken(self, more):
        """Until so many more are taken."""
        enough = len(self.numbers) + more
        wait_until(lambda: len(self.numbers) >= enough or self.trouble, PATIENCE_S, f"{more} more are taken", 0.05)
        assert self.trouble is None, self.trouble

    def run(self):
        count = 0
        while not self.ended.is_set() and self.trouble is None:
            count += 1
            self.one(f"load-{id(self)}-{count}")
            self.ended.wait(self.pause_s)

    def one(self, key):
        refused_since = None
        while True:
            asked = time.monotonic()
            answer = self.system.http("POST", "/open311/v2/requests.json", headers={"Idempotency-Key": key},
                                      form={**self.FORM, "api_key": self.api_key})
            if answer.status == 201:
                self.numbers.append(answer.json()[0]["service_request_id"])
                if refused_since is not None:
                    self.longest_s = max(self.longest_s, time.monotonic() - refused_since)
                return
            if answer.status not in (0, 429, 500, 502, 503, 504):
                self.trouble = f"{answer.status}: {answer.text[:500]}"
                return
            self.refused += 1
            refused_since = refused_since or asked
            # Nobody is owed an answer who was given none.
            if self.ended.wait(0.1):
                return


class BusLoad(Load):
    """Another system that publishes, one event after the other, each until it is accepted."""

    def __init__(self, publisher, pause_s=0.2):
        super().__init__(None, None, pause_s)
        self.publisher = publisher

    def one(self, key):
        asked = time.monotonic()
        event = turunc.ticket_request("other-system", "Ağaç devrildi", subject_code="cadde-supurme")
        try:
            self.numbers.append(self.publisher.publish(event, timeout=PATIENCE_S).ticket)
        except (turunc.TuruncError, TimeoutError) as trouble:
            self.trouble = repr(trouble)
        self.longest_s = max(self.longest_s, time.monotonic() - asked)
