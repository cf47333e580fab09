"""The system as docker-compose brings it up."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.parse

from engine import DOCKER
from ports import free_port
from process import wait_until
from servers import ROOT
from web import Answer

IMAGES = ("turunc", "setup", "postgres", "redis", "edge", "drill", "demo", "watch")
SERVICES = ("intake", "router", "notifier", "metrics")
RUNNING = ("postgres", "redis", "edge") + SERVICES
PROJECT = "turunctest"
BASE = "debian:bookworm-slim"
PATIENCE_S = 600  # how long something that comes about by itself is waited for, on however slow a machine
COMPOSE = os.environ.get("TURUNC_TEST_COMPOSE", "/usr/bin/docker-compose").split()
# BuildKit makes what does not depend on each other at the same time; 0: the classic builder, one image after the other.
BUILDKIT = os.environ.get("TURUNC_TEST_BUILDKIT", "1")


class Composed:
    """One project of docker-compose on an engine, with ports and addresses of its own."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = str(folder)
        self.record = None  # where it is, when not in a container of this system
        self.out = os.path.join(self.folder, "out")
        self.at_end = contextlib.ExitStack()  # what a later part of the story has to give back
        self.certificate = os.path.join(self.folder, "edge.pem")
        names = ("edge", "publish", "stream", "lmtp", "sink", "prometheus", "alertmanager")
        self.port = {name: free_port() for name in names}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TURUNC_")}
        self.env.update(
            DOCKER_HOST=engine.host, DOCKER_CONFIG=self.folder, COMPOSE_HTTP_TIMEOUT=str(PATIENCE_S),
            COMPOSE_PROJECT_NAME=PROJECT, TURUNC_NET="10.203.77",
            TURUNC_PUBLISH=f"127.0.0.1:{self.port['edge']}", TURUNC_PUBLISH_BUS=f"127.0.0.1:{self.port['publish']}",
            TURUNC_STREAM_BUS=f"127.0.0.1:{self.port['stream']}",
            TURUNC_PUBLISH_LMTP=f"127.0.0.1:{self.port['lmtp']}")
        self.use(ROOT, "test")

    def use(self, root, tag):
        """Which tree's docker-compose.yml, and which images."""
        self.root, self.tag = root, tag
        self.env["TURUNC_TAG"] = tag

    def docker(self, *words, check=True, **options):
        done = subprocess.run([DOCKER, *words], env=self.env, check=False, capture_output=True, text=True, **options)
        assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def compose(self, *words, limit_s=PATIENCE_S, **more):
        done = self.composed(*words, limit_s=limit_s, **more)
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def composed(self, *words, limit_s=PATIENCE_S, **more):
        """That command, however it ends."""
        files = [os.path.join(self.root, *path) for path in (["docker-compose.yml"], ["deploy", "docker", "mail.yml"])]
        return subprocess.run([*COMPOSE, "-f", files[0], "-f", files[1], *words], env={**self.env, **more}, check=False,
                              capture_output=True, text=True, cwd=self.root, timeout=limit_s)

    def base(self):
        """The image that all others begin with, unless it is there; seconds."""
        began = time.monotonic()
        if not self.docker("images", "-q", BASE):
            done = subprocess.run([os.path.join(ROOT, "deploy", "docker", "base"), BASE], env=self.env, check=False,
                                  capture_output=True, text=True, timeout=1800)
            assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - began

    def build(self, root=ROOT, tag="test", *options):
        """The images of a tree; seconds."""
        began = time.monotonic()
        images = targets(root)
        with concurrent.futures.ThreadPoolExecutor(1 if BUILDKIT == "0" else len(images)) as pool:
            for done in [pool.submit(self.build_one, root, tag, image, *options) for image in images]:
                done.result()
        return time.monotonic() - began

    def build_one(self, root, tag, image, *options):
        words = [DOCKER, "build", "-f", os.path.join(root, "deploy", "docker", "Dockerfile"), "--target", image,
                 "--build-arg", "JOBS=" + os.environ.get("TURUNC_TEST_DOCKER_JOBS", ""), *options]
        words += ["--force-rm"] if BUILDKIT == "0" else ["--progress=plain"]
        done = subprocess.run([*words, "-t", f"turunc-{image}:{tag}", root], env={**self.env, "DOCKER_BUILDKIT": BUILDKIT},
                              check=False, capture_output=True, text=True, timeout=3600)
        assert done.returncode == 0, f"build {image} of {root}: {done.stdout[-4000:]}{done.stderr[-8000:]}"

    def up(self, *others):
        """Brought up from built images; seconds until every container, and each of the others, is healthy."""
        began = time.monotonic()
        done = self.composed("up", "-d", "--no-build")
        assert done.returncode == 0, done.stderr[-2000:] + self.composed("logs", "--no-color", "--tail=20").stdout
        self.wait_healthy(*RUNNING, *others)
        return time.monotonic() - began

    def down(self):
        """Forgotten, with all that it held."""
        self.compose("down", "-v", "--remove-orphans", COMPOSE_PROFILES="demo,watch")
        shutil.rmtree(self.out, ignore_errors=True)
        if os.path.exists(self.certificate):
            os.unlink(self.certificate)

    def inspect(self, name):
        return json.loads(self.docker("inspect", name))[0]

    def containers(self):
        """By service, those that are to run; what ends between the two questions is not among them."""
        found = self.docker("ps", "-aq", "--no-trunc", "--filter", f"label=com.docker.compose.project={PROJECT}",
                            "--filter", "label=com.docker.compose.oneoff=False").split()
        said = json.loads(self.docker("inspect", *found, check=False) or "[]") if found else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in said}

    def container(self, service):
        return self.containers()[service]

    def started(self):
        """When each was started last."""
        return {service: one["State"]["StartedAt"] for service, one in self.containers().items()}

    def healthy(self, services, since):
        """Whether all of them are, and were started anew if they are named in since."""
        containers = self.containers()
        for service in services:
            state = containers.get(service, {}).get("State", {})
            if not state.get("Running") or state["Restarting"] or state["StartedAt"] == since.get(service) \
                    or state.get("Health", {}).get("Status") != "healthy":
                return False
        return True

    def wait_healthy(self, *services, since=()):
        services = services or RUNNING
        wait_until(lambda: self.healthy(services, dict(since)), PATIENCE_S, f"healthy: {' '.join(services)}", 0.5)

    def masa(self, *words, volume=None):
        mounted = ["-v", f"{volume}:/out"] if volume else []
        return self.compose("run", "--rm", "-T", *mounted, "masa", *words)

    def keys(self, name, *rights):
        """A client's key folder, as a system outside gets it."""
        os.makedirs(self.out, exist_ok=True)
        os.chown(self.out, 10001, 10000)
        self.masa("client", "add", name, "--out", f"/out/{name}", *rights, volume=self.out)
        return os.path.join(self.out, name)

    def sql(self, statement):
        """As the cluster's owner sees it, by the socket inside its container."""
        at, port, database = self.record or (self.container("postgres")["Id"], 5432, "turunc")
        return self.docker("exec", at, "psql", "-XqAt", "-h", "/run/postgresql", "-p", str(port), database,
                           "-c", statement).strip()

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
        if not os.path.exists(self.certificate):
            edge = self.container("edge")["Id"]
            said = self.docker("exec", edge, "cat", "/run/turunc/edge.pem")
            with open(self.certificate + ".new", "w", encoding="ascii") as file:
                file.write(said)
            os.rename(self.certificate + ".new", self.certificate)
        return ssl.create_default_context(cafile=self.certificate)


def ticket_id(number):
    """Of a printed number, or of what is one already."""
    return number[:10].replace("-", "") if "-" in number else number


def targets(root):
    """The images that a tree's Dockerfile knows."""
    with open(os.path.join(root, "deploy", "docker", "Dockerfile"), encoding="utf-8") as file:
        text = file.read()
    return [target for target in IMAGES if f" AS {target}\n" in text]
