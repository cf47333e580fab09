"""The HTTP doors, attacked directly and through the edge: senders and readers that are slow,
requests that two parsers may read differently, floods, guessed keys."""
import contextlib
import re
import select
import socket
import time
import urllib.parse
import uuid

import pytest
from attack_world import (POSTS, REPORT, citizen, honest_clients, post, under_attack)
from process import LEAST_S, wait_until
from stack import Stack
from web import request

SERVICES = ("intake", "router", "metrics", "edge")
WRONG_KEYS = 20
CREATED = b"HTTP/1.1 201 "


@pytest.fixture(scope="module")
def stack():
    limits = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_WRONG_KEYS_BURST": "20",
              "TURUNC_INTAKE_WRONG_KEYS_PER_MINUTE": "60", "TURUNC_INTAKE_CONNECTIONS": "600",
              "TURUNC_INTAKE_CONNECTIONS_PER_ADDRESS": "0"}
    board = {"TURUNC_METRICS_VIEWERS": "40", "TURUNC_METRICS_VIEWERS_PER_ADDRESS": "10",
             "TURUNC_METRICS_SHOWN_TO": "192.0.2.1, 192.0.2.2"}
    with Stack(services=SERVICES, env={"intake": limits, "metrics": board}) as made:
        made.start("intake", "router")
        honest_clients(made)
        made.start()
        yield made


def port_of(stack, door):
    return stack.port["edge" if door == "edge" else f"{door}_http"]


def connect(stack, door):
    return socket.create_connection(("127.0.0.1", port_of(stack, door)), timeout=5)


def said_by(link, limit_s=2.0):
    """All that comes until it is closed or nothing more does."""
    got, end = b"", time.monotonic() + limit_s
    while (left := end - time.monotonic()) > 0 and select.select([link], [], [], left)[0]:
        try:
            part = link.recv(65536)
        except ConnectionError:
            break
        if not part:
            break
        got += part
        end = min(end, time.monotonic() + 0.4)
    return got


def next_said(links):
    """What comes next on any of them; those that are closed, or all when nothing comes, are taken away."""
    got, ready = b"", select.select(links, [], [], LEAST_S)[0]
    for link in ready or list(links):
        try:
            part = link.recv(65536) if ready else b""
        except ConnectionError:
            part = b""
        if not part:
            link.close()
            links.remove(link)
        got += part
    return got


# --- requests that two parsers may read differently ------------------------------------------------

def smuggled(stack):
    """A whole report hidden where some parser would begin a second request."""
    body = urllib.parse.urlencode({**REPORT, "description": "smuggled", "api_key": stack.honest_key})
    return (f"POST {POSTS} HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def shapes(inner):
    """(name, bytes): every one ambiguous, with the hidden request in what one reading calls the
    body and another the next request."""
    head = b"POST " + POSTS.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    whole = b"Content-Length: %d\r\n" % (len(inner) + 5)
    zero, end = b"0\r\n\r\n", b"\r\n"
    chunk = b"%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n"
    te = b"Transfer-Encoding: chunked\r\n"
    get = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    yield "length and chunked", head + form + whole + te + end + zero + inner
    yield "chunked and length", head + form + te + b"Content-Length: 4\r\n" + end + chunk
    yield "two lengths", head + form + b"Content-Length: 0\r\n" + whole + end + inner
    yield "two equal lengths", head + b"Content-Length: 0\r\nContent-Length: 0\r\n" + end + inner
    yield "a list of lengths", head + b"Content-Length: 0, 0\r\n" + end + inner
    yield "a signed length", head + b"Content-Length: +0\r\n" + end + inner
    yield "a negative length", head + b"Content-Length: -1\r\n" + end + inner
    yield "a length in hex", head + b"Content-Length: 0x0\r\n" + end + inner
    yield "a length with a space in it", head + b"Content-Length: 0 0\r\n" + end + inner
    yield "a length beyond 64 bits", head + b"Content-Length: 18446744073709551616\r\n" + end + inner
    yield "an empty length", head + b"Content-Length: \r\n" + end + inner
    yield "space before the colon", head + b"Content-Length : 0\r\n" + whole + end + inner
    yield "tab before the colon", head + b"Transfer-Encoding\t: chunked\r\n" + whole + end + zero + inner
    yield "a folded header", head + b"X: a\r\n Content-Length: 0\r\n" + whole + end + inner
    yield "chunked, folded", head + b"Transfer-Encoding:\r\n chunked\r\n" + whole + end + zero + inner
    yield "chunked in capitals", head + b"Transfer-Encoding: CHUNKED\r\n" + whole + end + zero + inner
    yield "xchunked", head + b"Transfer-Encoding: xchunked\r\n" + whole + end + zero + inner
    yield "identity", head + b"Transfer-Encoding: identity\r\n" + whole + end + zero + inner
    yield "chunked twice", head + te + te + end + zero + inner
    yield "chunked, identity", head + b"Transfer-Encoding: chunked, identity\r\n" + whole + end + zero + inner
    yield "chunked with a vertical tab", head + b"Transfer-Encoding: \x0bchunked\r\n" + whole + end + zero + inner
    yield "chunked with quotes", head + b'Transfer-Encoding: "chunked"\r\n' + whole + end + zero + inner
    yield "a NUL in a name", head + b"Content-\x00Length: 0\r\n" + whole + end + inner
    yield "a NUL in a value", head + b"X: a\x00b\r\nContent-Length: 0\r\n" + end + inner
    yield "bare LF", head.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + inner
    yield "bare CR", head + b"X: a\rContent-Length: 0\r\n" + whole + end + inner
    yield "LF inside a value", head + b"X: a\nContent-Length: 0\r\n" + whole + end + inner
    yield "a GET with a body", get + whole + end + zero + inner
    yield "a GET in chunks", get + te + end + zero + inner
    yield "chunk size in octal style", head + te + end + b"0000000000000000000\r\n\r\n" + inner
    yield "chunk size signed", head + te + end + b"+0\r\n\r\n" + inner
    yield "chunk extension", head + te + end + b"0;a=\r\n\r\n" + inner
    yield "chunk ended by LF", head + te + end + b"0\n\n" + inner
    yield "a trailer", head + te + end + b"0\r\nContent-Length: 0\r\n\r\n" + inner
    yield "two hosts", get + b"Host: other\r\n" + whole + end + zero + inner
    yield "no host", b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + inner
    yield "absolute form, another host", (b"GET http://other/ HTTP/1.1\r\nHost: localhost\r\n"
                                          + whole + end + zero + inner)
    yield "HTTP/0.9", b"GET /\r\n" + inner
    yield "HTTP/1.10", b"GET / HTTP/1.10\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" + inner
    yield "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner
    yield "space in the request line", b"GET / x HTTP/1.1\r\nHost: localhost\r\n\r\n" + inner
    yield "leading space", b" GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + inner
    yield "expect, not awaited", head + whole + b"Expect: 200-maybe\r\n" + end + zero + inner
    yield "upgrade", get + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" + whole + end + zero + inner
    yield "connection names length", head + b"Connection: Content-Length\r\n" + whole + end + zero + inner


@pytest.mark.parametrize("door", ["intake", "edge"])
def test_requests_read_in_two_ways(stack, door):
    """intake refuses each and closes, so that nothing after it is read at all.  The edge may read
    some its own way (chunks before a length, a bare LF as a line's end) and then see two requests;
    but it answers both, one after the other: no ticket is opened behind its back."""
    count = "select count(*) from turunc.contact where description = 'smuggled'"
    before, seen = stack.one(count), 0
    links, took = [], []
    with under_attack(stack, f"smuggled requests at {door}", by=[citizen(stack, door)]) as said:
        for name, data in shapes(smuggled(stack)):
            said["attempts"] += 1
            links.append(connect(stack, door))
            links[-1].sendall(data)
            seen += said_by(links[-1], 1.0).count(CREATED)
            # What the edge has taken for a second request it answers, however long the record needs.
            while door == "edge" and stack.one(count) - before > seen and links:
                seen += next_said(links).count(CREATED)
            if stack.one(count) - before > (seen if door == "edge" else 0):
                took.append(name)
        said["accepted"] = len(took)
        said["answered_as_two"] = seen
    for link in links:
        link.close()


def test_responses_of_others_cannot_be_taken(stack):
    """After a refused request the edge uses no connection on which bytes are left: the next citizens
    on its kept connections get their own answers."""
    with under_attack(stack, "poisoned connections behind edge", by=[citizen(stack, "edge")]) as said:
        for name, data in shapes(smuggled(stack)):
            with connect(stack, "edge") as link:
                link.sendall(data)
                said["attempts"] += 1
                mark = uuid.uuid4().hex[:10]
                own = request(stack.port["edge"], "GET", f"/open311/v2/services/{mark}.json")
                said["accepted"] += own.status != 404


# --- slow ones -------------------------------------------------------------------------------------

def test_slow_senders(stack):
    """Heads and bodies that come a byte at a time: each is told 408 in the end, and holds a
    connection and its bytes meanwhile, no more."""
    body = b"a=" + b"x" * 60000
    head = (b"POST " + POSTS.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            b"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body))

    def told():
        return int(counted(stack, "intake", 'turunc_http_refused_total{reason="slow"}') - before)
    before = counted(stack, "intake", 'turunc_http_refused_total{reason="slow"}')
    with under_attack(stack, "slow senders", by=[citizen(stack), citizen(stack, "edge")],
                      grows_mib=40) as said:
        links = []
        for i in range(400):
            link = connect(stack, "edge" if i % 4 == 0 else "intake")
            link.sendall(head[:40] if i % 2 else head + body[:30000])
            links.append(link)
            said["attempts"] += 1
        began = time.monotonic()
        while time.monotonic() - began < 10.7:
            for link in links:
                try:
                    link.send(b"x")
                except OSError:
                    pass
            time.sleep(1)
        said["told_408"] = wait_until(lambda: told() if told() >= 140 else 0, what="the slow ones are told")
        for link in links:
            link.close()
    assert said["told_408"] >= 140


def counted(stack, service, name):
    return stack.metric(service, name) or 0


def test_connections_beyond_the_limit(stack):
    """Those over it are told 503 at once; when they go, everybody is served."""
    with under_attack(stack, "more connections than taken", by=[]) as said:
        links = []
        for _ in range(900):
            said["attempts"] += 1
            links.append(connect(stack, "intake"))
        for link in links:
            link.setblocking(False)
        turned_away = set()

        def told():
            """Whoever was told so far; those who are held say nothing, and hear nothing for ten seconds."""
            for link in set(links) - turned_away:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    if link.recv(64).startswith(b"HTTP/1.1 503"):
                        turned_away.add(link)
            return len(turned_away) >= 290
        wait_until(told, what="those over the limit are told")
        said["told_503"] = len(turned_away)
        for link in links:
            link.close()
        wait_until(lambda: citizen(stack)() is None, 5, "citizens are served again")


def viewer(stack, address=None, door="metrics"):
    """(link, status) of one more open board."""
    link = connect(stack, door)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    said = f"X-Forwarded-For: {address}\r\n" if address else ""
    link.sendall(f"GET /live/events HTTP/1.1\r\nHost: localhost\r\n{said}\r\n".encode())
    head = b""
    while b"\r\n" not in head:
        part = link.recv(16)
        if not part:
            break
        head += part
    found = re.match(rb"HTTP/1\.1 (\d+)", head)
    return link, int(found.group(1)) if found else 0


def test_one_reader_cannot_hold_every_seat(stack):
    """Directly and through the edge, which says whose address it is; and they do not read."""
    with under_attack(stack, "seats before the board", services=("metrics",),
                      by=[citizen(stack)]) as said:
        held = [viewer(stack, "192.0.2.1") for _ in range(60)]
        by_edge = [viewer(stack, door="edge") for _ in range(30)]
        said["attempts"] = len(held) + len(by_edge)
        statuses = [status for _, status in held]
        edge_statuses = [status for _, status in by_edge]
        said["seats"] = statuses.count(200) + edge_statuses.count(200)
        said["accepted"] = max(0, statuses.count(200) - 10) + max(0, edge_statuses.count(200) - 10)
        assert statuses.count(429) == 50 and edge_statuses.count(429) == 20
        other, status = viewer(stack, "192.0.2.2")
        assert status == 200, "another still finds a seat"
        for link, _ in held + by_edge + [(other, 0)]:
            link.close()
    assert counted(stack, "metrics", "turunc_http_streams_hogged_total") == 70


# --- keys ------------------------------------------------------------------------------------------

def guess(stack, key, address):
    return post(stack, key, headers={"X-Forwarded-For": address}).status


def test_guessing_keys(stack):
    """An address is told of few keys whether they are right; then of none, also not of a right one,
    while who was known there and everybody elsewhere goes on."""
    right = stack.api_key("right")
    assert guess(stack, right, "203.0.113.9") == 201, "a client that is known there"
    unseen = [stack.api_key(f"unseen{n}") for n in range(3)]
    before = counted(stack, "intake", 'turunc_intake_rate_limited_total{by="wrong_keys"}')
    with under_attack(stack, "guessed API keys") as said:
        began = time.monotonic()
        told = [guess(stack, "trn_" + uuid.uuid4().hex, "203.0.113.9") for _ in range(1000)]
        again = 1 + time.monotonic() - began  # one more each second
        said["attempts"] = len(told)
        said["accepted"] = told.count(201)
        said["judged"] = told.count(403)
        said["told_429"] = told.count(429)
        # The second may be over just then: one of three in a row may be told, and is known from then on.
        assert 429 in [guess(stack, key, "203.0.113.9") for key in unseen], "right or wrong is not told"
        assert guess(stack, right, "203.0.113.9") == 201, "who was known there goes on"
        assert guess(stack, unseen[0], "203.0.113.10") == 201, "and everybody elsewhere"
        read = [request(stack.port["intake_http"], "GET", f"{POSTS}?api_key={key}",
                        headers={"X-Forwarded-For": "203.0.113.9"}).status for key in unseen]
        assert 429 in read, "reading tells no more than posting"
    assert WRONG_KEYS <= said["judged"] <= WRONG_KEYS + again
    assert said["judged"] + said["told_429"] == said["attempts"]
    assert counted(stack, "intake", 'turunc_intake_rate_limited_total{by="wrong_keys"}') >= (
        before + said["told_429"] + 2)
