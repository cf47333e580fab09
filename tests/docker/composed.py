"""The system as docker-compose brings it up, and the people and systems outside of it."""
import http.client
import json
import os
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import turunc
from ports import free_port
from process import wait_until
from servers import ROOT
from web import Answer

IMAGES = {"turunc": "intake", "setup": "secrets", "postgres": "postgres", "redis": "redis", "edge": "edge"}
SERVICES = ("intake", "router", "notifier", "metrics")
RUNNING = ("postgres", "redis", "edge") + SERVICES
FILES = ["-f", os.path.join(ROOT, "docker-compose.yml"), "-f", os.path.join(ROOT, "deploy", "docker", "mail.yml")]
BASE = "debian:bookworm-slim"
COMPOSE = os.environ.get("TURUNC_TEST_COMPOSE", "/usr/bin/docker-compose").split()


class Composed:
    """One project of docker-compose on an engine, with ports and addresses of its own."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = str(folder)
        self.tag = "test"
        names = ("edge", "publish", "stream", "lmtp")
        self.port = {name: free_port() for name in names}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TURUNC_")}
        self.env.update(
            DOCKER_HOST=engine.host, COMPOSE_PROJECT_NAME="turunctest", DOCKER_BUILDKIT="0",
            TURUNC_NET="10.203.77", TURUNC_TAG=self.tag,
            TURUNC_PUBLISH=f"127.0.0.1:{self.port['edge']}", TURUNC_PUBLISH_BUS=f"127.0.0.1:{self.port['publish']}",
            TURUNC_STREAM_BUS=f"127.0.0.1:{self.port['stream']}",
            TURUNC_PUBLISH_LMTP=f"127.0.0.1:{self.port['lmtp']}")

    def docker(self, *words, check=True, **options):
        done = subprocess.run(["docker", *words], env=self.env, check=False, capture_output=True, text=True, **options)
        assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def compose(self, *words, limit_s=300, **more):
        done = subprocess.run([*COMPOSE, *FILES, *words], env={**self.env, **more}, check=False,
                              capture_output=True, text=True, cwd=ROOT, timeout=limit_s)
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def build(self):
        """The base, unless it is there, and every image; seconds."""
        began = time.monotonic()
        if not self.docker("images", "-q", BASE):
            subprocess.run([os.path.join(ROOT, "deploy", "docker", "base"), BASE], env=self.env, check=True,
                           capture_output=True, timeout=900)
        jobs = os.environ.get("TURUNC_TEST_DOCKER_JOBS", "")
        for target in IMAGES:
            self.docker("build", "--force-rm", "-q", "-f", os.path.join(ROOT, "deploy", "docker", "Dockerfile"),
                        "--target", target, "--build-arg", f"JOBS={jobs}", "-t", f"turunc-{target}:{self.tag}", ROOT,
                        timeout=3600)
        return time.monotonic() - began

    def inspect(self, name):
        return json.loads(self.docker("inspect", name))[0]

    def container(self, service):
        found = self.docker("ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project=turunctest",
                            "--filter", f"label=com.docker.compose.service={service}",
                            "--filter", "label=com.docker.compose.oneoff=False").split()
        assert len(found) == 1, (service, found)
        return self.inspect(found[0])

    def healthy(self, *services):
        try:
            states = [self.container(service)["State"] for service in services or RUNNING]
        except AssertionError:
            return False
        return all(s["Running"] and s.get("Health", {}).get("Status") == "healthy" for s in states)

    def wait_healthy(self, *services, limit_s=240):
        wait_until(lambda: self.healthy(*services), limit_s, "every container is healthy", 0.5)

    def masa(self, *words, volume=None):
        mounted = ["-v", f"{volume}:/out"] if volume else []
        return self.compose("run", "--rm", "-T", *mounted, "masa", *words)

    def keys(self, name, *rights):
        """A client's key folder, as a system outside gets it."""
        out = os.path.join(self.folder, "out")
        os.makedirs(out, exist_ok=True)
        os.chown(out, 10001, 10000)
        self.masa("client", "add", name, "--out", f"/out/{name}", *rights, volume=out)
        return os.path.join(out, name)

    def sql(self, statement):
        """As the cluster's owner sees it, by the socket inside its container."""
        return self.docker("exec", self.container("postgres")["Id"], "psql", "-XqAt", "-h", "/run/postgresql",
                           "turunc", "-c", statement).strip()

    def firsts(self, numbers):
        """A repeat that came while the record was away has a number of its own that stands for the first's."""
        said = self.sql("select alias_id, ticket_id from turunc.ticket_alias")
        alias = dict(line.split("|") for line in said.splitlines())
        return sorted({alias.get(ticket_id(number), ticket_id(number)) for number in numbers})

    def http(self, method, path, form=None, headers=None, timeout=20):
        """By HTTPS, with this system's own certificate and no other; status 0: refused, with the reason."""
        headers = dict(headers or {})
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        link = http.client.HTTPSConnection("127.0.0.1", self.port["edge"], timeout=timeout, context=self.trust())
        try:
            link.request(method, path, body=body, headers=headers)
            answer = link.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as gone:
            return Answer(0, {}, str(gone).encode())
        finally:
            link.close()

    def trust(self):
        path = os.path.join(self.folder, "edge.pem")
        if not os.path.exists(path):
            edge = self.container("edge")["Id"]
            with open(path, "w", encoding="ascii") as file:
                file.write(self.docker("exec", edge, "cat", "/run/turunc/edge.pem"))
        return ssl.create_default_context(cafile=path)


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


def ticket_id(number):
    """Of a printed number, or of what is one already."""
    return number[:10].replace("-", "") if "-" in number else number


class Department:
    """A subscriber outside, by CURVE through the published door: everything it was sent, until it is closed."""

    def __init__(self, folder, name):
        self.client = turunc.Client(folder)
        self.sub = self.client.subscribe(name, start="latest")
        self.seen = {}  # number of a ticket without its check digit -> types of its records, in order
        self.ended = threading.Event()
        wait_until(lambda: self.sub.log_id or self.sub.error, 60, "there is a subscription")
        assert self.sub.error is None, self.sub.error
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.ended.is_set():
            record = self.sub.get(timeout=0.2)
            if record is not None:
                self.seen.setdefault(ticket_id(record.event.subject), []).append(record.event.type)
                self.sub.ack(record)

    def wait(self, numbers, kind="ticket.routed", limit_s=60):
        """Until it was told that of each of them; whatever comes twice is a failure."""
        def missing():
            return [number for number in numbers if kind not in self.seen.get(ticket_id(number), [])]
        wait_until(lambda: not missing(), limit_s, f"the subscriber hears {kind} of all", 0.1)
        for number in numbers:
            assert self.seen[ticket_id(number)].count(kind) == 1, (number, self.seen[ticket_id(number)])

    def close(self):
        self.ended.set()
        self.thread.join(10)
        self.client.close()


class Load:
    """A citizen after the other who reports and, when refused, tries again with the same key until taken."""

    FORM = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
            "description": "Sokağımız günlerdir süpürülmedi."}

    def __init__(self, system, api_key, pause_s=0.1):
        self.system, self.api_key, self.pause_s = system, api_key, pause_s
        self.numbers, self.refused, self.longest_s = [], 0, 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(120)

    def run(self):
        count = 0
        while not self.ended.is_set():
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
            assert answer.status in (0, 429, 500, 502, 503, 504), answer
            self.refused += 1
            refused_since = refused_since or asked
            if self.ended.wait(0.1) and time.monotonic() - refused_since > 60:
                return
