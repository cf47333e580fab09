"""What somebody who may sign in at the desk could do to tickets that are not theirs, and what those could who
may not: reading, acting, guessing, forging forms, making everybody wait."""
import contextlib
import glob
import http.client
import os
import random
import socket
import sys
import tempfile
import uuid

import photos
import pytest
from attack_world import under_attack
from stack import Stack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "daemon"))

from desk_world import DeskWorld, Person  # noqa: E402

SECRET, HIDDEN = "kimsenin-bilmemesi-gereken", "saklı söz"
VERBS = ("accept", "release", "start", "transfer", "answer", "resolve", "reject", "forward", "note", "amend", "triage", "join",
         "withdraw", "route", "extend", "reopen", "separate", "close")


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory(prefix="turunc-photos-") as folder, \
            Stack(services=["router"], env={"TURUNC_ATTACHMENTS_DIR": folder}) as stack:
        made = DeskWorld(stack)
        made.folder = folder
        stack.start()
        made.sign_everybody_in()
        made.theirs = [made.routed("cop-alinmadi") for _ in range(20)]
        made.special = made.routed("evde-saglik")
        for number in [*made.theirs, made.special]:
            stack.sql("update turunc.contact set description = %s, name = %s, address = %s where ticket_id = %s",
                      f"{SECRET} {HIDDEN}", SECRET, SECRET, made.opener.id_of(number))
            made.opener.say(number, "follow_up")  # the search reads it again
        stack.wait(lambda: stack.one("select p.seq >= (select max(seq) from turunc.event_log) from turunc.search_position p"),
                   20, "the search has read the log")
        assert made.theirs[0] in made.ayse.get("/desk/search?q=kimsenin").text
        yield made
        made.reader.check()


def honest(world):
    """A clerk who goes on working: each turn reads the queue, and notes a ticket of their own."""
    number = world.routed("konteyner-hasar")

    def once():
        page = world.iki.get("/desk/?lang=tr")
        if page.status != 200:
            return f"clerk: {page}"
        answer = world.iki.step(number, "note", world.version(number), text="Not")
        return None if answer.status == 303 else f"clerk: {answer}"
    return [once]


def touched(world, *names):
    """Records that these people brought about."""
    return world.stack.one("select count(*) from turunc.event_log where actor = any(%s)", [f"user:{n}" for n in names])


def test_a_clerk_acts_on_tickets_of_others(world):
    rng = random.Random(1)
    with under_attack(world.stack, "desk: acting for another department", services=("router",),
                      by=honest(world)) as said:
        before = touched(world, "fatma", "vedat")
        for _ in range(15):
            for verb in VERBS:
                number = rng.choice(world.theirs)
                for who in (world.fatma, world.vedat):
                    answer = who.step(number, verb, rng.choice((1, 2, 3, 0xffffffff)), department="fen", reason="yapildi",
                                      text="x", institution="asat", primary=rng.choice(world.theirs), subject="yol-cukur")
                    said["attempts"] += 1
                    said["accepted"] += answer.status in (200, 303) or (SECRET in answer.text and who is world.fatma)
            chosen = [("t", f"{number}:2:fen") for number in world.theirs]
            answer = world.fatma.stack.http("router", "POST", "/desk/bulk", headers=world.fatma.headers(), form=[
                ("csrf", world.fatma.csrf), ("id", str(uuid.uuid4())), ("verb", "transfer"), ("reason", "x"), *chosen])
            said["attempts"] += len(chosen)
            said["accepted"] += answer.status == 200
        said["accepted"] += touched(world, "fatma", "vedat") - before
        said["accepted"] += sum(world.version(number) != 2 for number in world.theirs)


def test_a_clerk_reads_what_is_of_others(world):
    with under_attack(world.stack, "desk: reading another department's", services=("router",), by=honest(world)) as said:
        paths = [f"/desk/ticket/{number}" for number in world.theirs + [world.special]]
        paths += ["/desk/?department=temizlik", "/desk/?department=-", "/desk/?department=", "/desk/?department=saglik",
                  f"/desk/search?q={SECRET}", "/desk/search?q=kimsenin", "/desk/search?q=d%3Dtemizlik",
                  "/desk/search?q=d=temizlik+|+kimsenin", "/desk/failed", "/desk/?department=temizlik&k=&d=0&i=0"]
        for _ in range(12):
            for path in paths:
                answer = world.fatma.get(path)
                said["attempts"] += 1
                said["accepted"] += HIDDEN in answer.text
        viewed = world.stack.one("select count(*) from turunc.event_log where type = 'ticket.viewed' and actor = 'user:fatma'")
        said["accepted"] += viewed


def test_without_a_session_or_with_anothers_token(world):
    stranger = Person(world.stack, "nobody")
    with under_attack(world.stack, "desk: no session, others' tokens", services=("router",), by=honest(world)) as said:
        before = world.stack.one("select max(seq) from turunc.event_log where type <> 'ticket.noted'")
        for i in range(60):
            number = world.theirs[i % len(world.theirs)]
            body = {"id": str(uuid.uuid4()), "version": 2, "verb": "accept"}
            tries = [stranger.post(f"/desk/ticket/{number}", body, csrf=False),
                     stranger.post(f"/desk/ticket/{number}", {**body, "csrf": world.ayse.csrf}),
                     world.ayse.post(f"/desk/ticket/{number}", {**body, "csrf": world.oya.csrf}),
                     world.ayse.post(f"/desk/ticket/{number}", {**body, "csrf": ""}),
                     world.ayse.post(f"/desk/ticket/{number}", body, Origin="http://evil.example"),
                     world.ayse.post(f"/desk/ticket/{number}", body, Origin="null"),
                     stranger.get(f"/desk/ticket/{number}"), stranger.get("/desk/"),
                     stranger.get("/desk/events?department=temizlik", Accept="text/event-stream"),
                     world.stack.http("router", "GET", f"/desk/ticket/{number}",
                                      headers={"Cookie": "turunc=" + "A" * 43, "Accept": "text/html"})]
            said["attempts"] += len(tries)
            said["accepted"] += sum(a.status == 200 or SECRET in a.text
                                    or (a.status == 303 and "/sign-in" not in a.headers["Location"]) for a in tries)
        said["accepted"] += sum(world.version(number) != 2 for number in world.theirs)
        after = world.stack.one("select max(seq) from turunc.event_log where type <> 'ticket.noted'")
        said["accepted"] += after != before


def test_long_and_odd_fields(world):
    """Everything that is typed, as long as the door lets through, in each field."""
    long = "ş" * 20000
    odd = ["\x00", "\ufeff", "'", "\\", "%s%n", "{{7*7}}", "../" * 50, "<script>", "\u202e", "1e309", "-0", "٣"]
    number = world.routed("konteyner-hasar")
    with under_attack(world.stack, "desk: long and odd fields", services=("router",), by=honest(world)) as said:
        for value in odd + [long, long[:4000]]:
            for field in ("id", "version", "verb", "reason", "text", "department", "until", "institution", "reference",
                          "primary", "subject", "priority", "back"):
                fields = {"id": str(uuid.uuid4()), "version": 77, "verb": "note", "text": "x", field: value}
                answer = world.oya.post(f"/desk/ticket/{number}", fields)
                said["attempts"] += 1
                said["accepted"] += answer.status in (0, 200, 303, 500) or "<script>" in answer.text
            for path in ("/desk/?department=", "/desk/?k=", "/desk/?subject=", "/desk/search?q=", "/desk/ticket/"):
                quoted = "".join(f"%{byte:02x}" for byte in value[:1500].encode())
                answer = world.oya.get(path + quoted)
                said["attempts"] += 1
                said["accepted"] += answer.status in (0, 500) or "<script>" in answer.text
        said["accepted"] += world.version(number) != 2


def test_many_pages_that_listen(world):
    """More streams than one person may have are told so, and the desk goes on."""
    with under_attack(world.stack, "desk: streams without end", services=("router",), by=honest(world)) as said:
        open_ones = []
        for _ in range(120):
            link = http.client.HTTPConnection("127.0.0.1", world.stack.port["router_http"], timeout=10)
            link.request("GET", "/desk/events?since=0", headers=world.oya.headers({"Accept": "text/event-stream"}))
            answer = link.getresponse()
            said["attempts"] += 1
            if answer.status != 200:
                answer.read()
            open_ones.append(answer)  # a stream lives as long as its answer
        held = sum(answer.status == 200 for answer in open_ones)
        said["held"] = held
        for answer in open_ones:
            answer.close()
        said["accepted"] += held > 20 or {answer.status for answer in open_ones} != {200, 429}


def test_uploads_by_those_who_may_not(world):
    """Whoever is not signed in, has no token or may not take the step sends photos: nothing of them is stored,
    and who holds half a body open takes no more than the share of large ones."""
    rng = random.Random(2)
    picture = photos.png_of(1200, 800, b"".join(b"\0" + rng.randbytes(3600) for _ in range(800)))
    length = str(10 * 1024 * 1024).encode()

    def send(person, query, number):
        body, kind = photos.multipart([("id", str(uuid.uuid4())), ("version", "2"), ("verb", "resolve"), ("reason", "yapildi")],
                                      [("photo", "x", picture)] * 3)
        headers = {**(person.headers() if person else {}), "Content-Type": kind}
        return world.stack.http("router", "POST", f"/desk/ticket/{number}?{query}", body=body, headers=headers, timeout=60)

    with under_attack(world.stack, "desk: photos of those who may not", services=("router",), grows_mib=80,
                      by=honest(world)) as said, contextlib.ExitStack() as links:
        for number in world.theirs[:4]:
            for person, query in ((None, ""), (None, f"csrf={world.fatma.csrf}"), (world.fatma, "csrf=x"), (world.fatma, ""),
                                  (world.fatma, f"csrf={world.fatma.csrf}"), (world.vedat, f"csrf={world.vedat.csrf}")):
                answer = send(person, query, number)
                said["attempts"] += 1
                said["accepted"] += answer.status not in (401, 403)
        for _ in range(20):
            said["attempts"] += 1
            link = links.enter_context(socket.create_connection(("127.0.0.1", world.stack.port["router_http"]), timeout=10))
            link.sendall(b"POST /desk/ticket/26-0000001-4 HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
                         b"boundary=x\r\nContent-Length: " + length + b"\r\n\r\n--x\r\n")
        world.stack.wait(lambda: world.stack.metric("router", "turunc_http_buffered_bytes") > 0, 10)
        assert world.stack.metric("router", "turunc_http_buffered_bytes") <= 49 * 1024 * 1024
    assert world.stack.one("select count(*) from turunc.attachment") == 0
    assert glob.glob(os.path.join(world.folder, "[0-9a-f][0-9a-f]", "*")) == glob.glob(os.path.join(world.folder, "new", "*")) == []
