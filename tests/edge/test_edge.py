"""The edge alone, before upstreams that say what they were asked: who gets which path, and what
never gets through."""
import contextlib
import http.server
import json
import os
import re
import select
import socket
import threading
import time

import pytest

from ports import free_port
from process import LEAST_S, Process, wait_until
from proxy import Links
from servers import ROOT, SERVICES
from web import request

BODY_LIMIT = 999_999
LINK = "edge-intake"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with its service's name and the request as it arrived."""

    service = None

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/stream"):
            return self.stream()
        said = json.dumps({"service": self.service, "path": self.path, "body": len(body),
                           "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = answer

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        end = time.monotonic() + 20
        while not self.server.second.is_set() and time.monotonic() < end:
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable:  # nothing is asked on a stream: it was closed
                self.server.gone.set()
                return
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *args):
        """Says nothing."""


class Upstream:
    def __init__(self, name, port):
        self.name, self.port = name, port
        self.start()

    def start(self):
        handler = type("Handler", (Echo,), {"service": self.name})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.server.daemon_threads = True
        self.server.second = threading.Event()
        self.server.gone = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Edge:
    def __init__(self, folder):
        self.port = free_port()
        self.upstream = {name: Upstream(name, free_port()) for name in SERVICES}
        env = dict(os.environ, HOME=str(folder), XDG_CONFIG_HOME=str(folder),
                   XDG_DATA_HOME=str(folder),
                   TURUNC_EDGE_PORT=str(self.port), TURUNC_EDGE_LOG_LEVEL="DEBUG")
        for name, upstream in self.upstream.items():
            env[f"TURUNC_EDGE_{name.upper()}"] = f"127.0.0.1:{upstream.port}"
        self.links = Links()    # before one of them, as a network that may go wrong
        link_port = free_port()
        self.links.add(LINK, link_port, self.upstream["intake"].port)
        env["TURUNC_EDGE_INTAKE"] = f"127.0.0.1:{link_port}"
        self.process = Process("edge", ["caddy", "run", "--adapter", "caddyfile", "--config",
                                        os.path.join(ROOT, "deploy/edge/Caddyfile")],
                               env, str(folder), str(folder / "edge.log"))
        self.process.start()
        wait_until(lambda: self.ask("/readyz").status == 404, 20, "the edge answers")

    def ask(self, path, method="GET", **more):
        return request(self.port, method, path, **more)

    def stop(self):
        self.process.terminate()
        self.links.close()
        for upstream in self.upstream.values():
            upstream.stop()


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    made = Edge(tmp_path_factory.mktemp("edge"))
    yield made
    made.stop()


@pytest.mark.parametrize("path, service", [
    ("/", "intake"),
    ("/report", "intake"),
    ("/open311/v2/services.json", "intake"),
    ("/open311/discovery.xml", "intake"),
    ("/call/1", "intake"),
    ("/desk/", "router"),
    ("/desk/tickets/26-0012345-4", "router"),
    ("/receipts/sms", "notifier"),
    ("/live/", "metrics"),
    ("/reports/2026-03", "metrics"),
    ("/open-data/tickets.csv", "metrics"),
    ("/desktop", "intake"),
    ("/lively", "intake"),
])
def test_each_path_goes_to_its_service(edge, path, service):
    answer = edge.ask(path)
    assert answer.status == 200
    assert (answer.json()["service"], answer.json()["path"]) == (service, path)


@pytest.mark.parametrize("path", ["/desk", "/live", "/reports", "/open-data"])
def test_a_folder_without_its_slash_is_sent_on(edge, path):
    answer = edge.ask(path)
    assert answer.status == 308
    assert answer.headers["Location"] == path + "/"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/metrics/", "/metrics?x=1",
                                  "/%6detrics", "/METRICS", "//metrics", "/./readyz",
                                  "/desk/../metrics"])
def test_what_is_inside_stays_inside(edge, path):
    assert edge.ask(path).status == 404


@pytest.mark.parametrize("name, value", [
    ("X-Forwarded-For", "203.0.113.9"),
    ("x-forwarded-for", "127.0.0.1, 10.0.0.1"),
    ("Forwarded", "for=203.0.113.9"),
    ("X-Real-IP", "203.0.113.9"),
])
def test_what_a_client_claims_about_its_address_is_dropped(edge, name, value):
    headers = edge.ask("/", headers={name: value}).json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert "forwarded" not in headers
    assert "x-real-ip" not in headers
    assert value not in headers.values() or value == "127.0.0.1"


@pytest.mark.parametrize("size, status", [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
def test_a_body_has_a_limit(edge, size, status):
    answer = edge.ask("/open311/v2/requests.json", "POST", body=b"x" * size)
    assert answer.status == status


@pytest.mark.parametrize("path", ["/report", "/track/say"])
def test_photos_may_come_with_a_citizen_s_form(edge, path):
    assert edge.ask(path, "POST", body=b"x" * (3 * BODY_LIMIT)).status == 200
    assert edge.ask(path + "/", "POST", body=b"x" * (3 * BODY_LIMIT)).status == 413, "and nowhere else"


def test_photos_may_come_with_a_step_at_the_desk(edge):
    assert edge.ask("/desk/ticket/26-0000001-4", "POST", body=b"x" * (3 * BODY_LIMIT)).status == 200
    for path in ("/desk/bulk", "/desk/ticket", "/desk/sign-in"):
        assert edge.ask(path, "POST", body=b"x" * (3 * BODY_LIMIT)).status == 413, path


def test_a_body_of_unknown_length_is_not_read(edge):
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as link:
        link.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"3\r\nabc\r\n0\r\n\r\n")
        assert link.recv(4096).startswith(b"HTTP/1.1 411")


def test_a_stream_is_not_held_back(edge):
    """The first event arrives while the upstream still holds the second one back."""
    server = edge.upstream["metrics"].server
    server.second.clear()
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as link:
        link.sendall(b"GET /live/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seen = b""
        while b"data: first" not in seen:
            part = link.recv(4096)
            assert part, seen
            seen += part
        assert b"second" not in seen
        server.second.set()
        while b"data: second" not in seen:
            part = link.recv(4096)
            assert part, seen
            seen += part


@pytest.mark.parametrize("path, service", [("/live/stream", "metrics"), ("/desk/stream", "router")])
def test_a_stream_ends_when_its_reader_has_gone(edge, path, service):
    """Else whoever looks at twenty pages one after another has used up the live pages of one person."""
    server = edge.upstream[service].server
    server.second.clear()
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as reader:
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        said = b""
        while b"first" not in said:
            said += reader.recv(4096)
        assert not server.gone.is_set()
    assert server.gone.wait(LEAST_S), "the service hears of it"


def test_a_service_that_comes_back_in_time_is_not_missed(edge):
    upstream = edge.upstream["router"]
    upstream.stop()
    back = threading.Timer(0.8, upstream.start)
    began = time.monotonic()
    back.start()
    answer = edge.ask("/desk/")
    back.join()
    assert answer.status == 200
    assert time.monotonic() - began >= 0.5


def test_a_service_that_is_away_is_said_to_be(edge):
    upstream = edge.upstream["notifier"]
    upstream.stop()
    try:
        answer = edge.ask("/receipts/sms", "POST", body=b"{}")
        assert answer.status in (502, 503)
        assert answer.headers["Retry-After"] == "2"
        assert edge.ask("/").status == 200
    finally:
        upstream.start()


class Asking:
    """A request at its own pace; answers are what came of it."""

    def __init__(self, edge, method):
        self.answers = []
        seen = edge.links.state(LINK)["bytes"]
        self.thread = threading.Thread(target=lambda: self.answers.append(
            edge.ask("/report", method, body=b"a=b" if method == "POST" else None, timeout=60)))
        self.thread.start()
        wait_until(lambda: edge.links.state(LINK)["bytes"] > seen, 20, "it is on the link")

    def answer(self):
        self.thread.join(60)
        return self.answers[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_to_a_service_that_is_cut(edge, method):
    assert edge.ask("/").status == 200      # a connection is kept
    edge.links.set(LINK, "cut")
    try:
        answer = edge.ask("/report", method, body=b"a=b" if method == "POST" else None, timeout=60)
        assert answer.status in (502, 503) and answer.headers["Retry-After"] == "2"
        assert edge.ask("/desk/").status == 200, "the others go on"
    finally:
        edge.links.set(LINK, "pass")
    assert edge.ask("/report").status == 200


def test_a_link_to_a_service_that_is_slow(edge):
    edge.links.set(LINK, "delay", delay_ms=300)
    try:
        began = time.monotonic()
        assert edge.ask("/report", "POST", body=b"a=b", timeout=60).status == 200
        assert time.monotonic() - began >= 0.6, "there and back"
    finally:
        edge.links.set(LINK, "pass")


@pytest.mark.parametrize("mode, statuses", [("frozen", {200}), ("half-open", {200, 502, 503})])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_to_a_service_on_which_nothing_arrives(edge, method, mode, statuses):
    """Half-open, whoever waits is told when the other side has given the connection up; a GET may be asked again."""
    assert edge.ask("/").status == 200
    edge.links.set(LINK, mode)
    try:
        asking = Asking(edge, method)
        assert edge.ask("/desk/").status == 200, "the others go on"
        assert asking.answers == []
    finally:
        edge.links.set(LINK, "pass")
    assert asking.answer().status in statuses
    assert edge.ask("/report").status == 200


def test_the_log_keeps_no_secret_of_a_request(edge):
    """Paths of gateways, surveys, photos and reports hold what opens them; here it tells all it ever may."""
    secret = {"X-Turunc-Secret": "gizli-bas", "Cookie": "a=gizli-kurabiye", "Referer": "http://x/gizli-once"}
    for path in ("/receipts/generic?secret=gizli-soru", "/anket/gizli-anket", "/photo/gizli-foto", "/?no=gizli-no"):
        assert edge.ask(path, headers=secret).status == 200
    edge.upstream["notifier"].stop()
    try:
        assert edge.ask("/receipts/verimor/gizli-yol", headers=secret).status in (502, 503)
    finally:
        edge.upstream["notifier"].start()
    wait_until(lambda: re.search('"uri": "/receipts".*"status": 502', edge.process.log()), 5, "that it was away is told")
    log = edge.process.log()
    assert '"uri": "/anket"' in log and '"uri": "/photo"' in log and "gizli" not in log


def test_a_head_too_large_is_refused(edge):
    assert edge.ask("/", headers={"X-Long": "x" * 70_000}).status in (431, 0)


@pytest.mark.parametrize("host, status", [
    ("127.0.0.1", 200), ("localhost", 200), ("localhost:8000", 200), ("evil.example", 421),
    ("127.0.0.1.evil.example", 421)])
def test_only_its_own_names_are_answered(edge, host, status):
    assert edge.ask("/live/", headers={"Host": host}).status == status


def test_one_port_on_loopback_and_no_other(edge):
    """Neither Caddy's administration nor another interface."""
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as rows:
            for row in list(rows)[1:]:
                cells = row.split()
                if cells[3] == "0A":
                    host, port = cells[1].rsplit(":", 1)
                    listening.add((cells[9], host, int(port, 16)))
    folder = f"/proc/{edge.process.pid}/fd"
    links = set()
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.add(os.readlink(os.path.join(folder, fd)))
    mine = {(host, port) for inode, host, port in listening if f"socket:[{inode}]" in links}
    assert mine == {("0100007F", edge.port)}
