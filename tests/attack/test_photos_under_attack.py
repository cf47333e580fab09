"""The citizens' form with photos, attacked: uploads that never end, many at once, bodies made to be costly,
files that only look like photos.  Reports without photos are taken meanwhile, and memory is bounded."""
import contextlib
import glob
import os
import re
import select
import socket
import threading
import time
import zlib

import photos
import pytest
from attack_world import citizen, honest_clients, under_attack
from stack import Stack
from web import request

MIB = 1024 * 1024
BODIES_MIB = 64
SAID = {"service_code": "cop-alinmadi", "attribute[tur]": "ambalaj", "address_id": "fener",
        "description": "Saldırı altında", "phone": "0532 123 45 67"}


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router", "edge"), env={"intake": {
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0",
            "TURUNC_INTAKE_BODY_BYTES": f"{BODIES_MIB}MiB",
            "TURUNC_ATTACHMENTS_BYTES": "256MiB"}}) as made:
        made.start("intake", "router")
        honest_clients(made)
        made.start()
        yield made


def token_of(stack):
    page = request(stack.port["intake_http"], "GET", "/report?subject=cop-alinmadi").text
    return re.search(r'name="token" value="([^"]+)"', page).group(1)


def head(length, kind, path="/report", person=1):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.{person}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n").encode()


def send(stack, body, kind, timeout=60, person=1):
    return request(stack.port["intake_http"], "POST", "/report?lang=tr", body=body, timeout=timeout,
                   headers={"Content-Type": kind, "X-Forwarded-For": f"198.51.100.{person}"})


def form(stack, *files, **fields):
    return photos.multipart([*{**SAID, "token": token_of(stack), **fields}.items()],
                            [("photo", "x", data) for data in files])


def kept(stack):
    files = glob.glob(os.path.join(stack.path("state", "intake", "attachments"), "[0-9a-f]*", "*"))
    return stack.one("select count(*) from turunc.attachment"), len(files)


def test_uploads_that_never_end(stack):
    """Each says that it will be long, sends a little, and waits.  From one address they may hold half of the
    memory for large bodies, from all three quarters of the memory for bodies; beyond that an upload is told
    to come again, and a report is not."""
    kind = "multipart/form-data; boundary=x"
    with under_attack(stack, "slow uploads at intake", by=[citizen(stack, "intake")]) as said, \
            contextlib.ExitStack() as open_links:
        share = BODIES_MIB * 3 // 4 // 2 // 10
        for person in (1, 2):
            waiting, refused = [], []
            for _ in range(40):
                said["attempts"] += 1
                link = open_links.enter_context(socket.create_connection(
                    ("127.0.0.1", stack.port["intake_http"]), timeout=10))
                link.sendall(head(10 * MIB, kind, person=person) + b"--x\r\n")
                waiting.append(link)

            def told():
                """Those who are refused hear it at once, the others nothing."""
                for link in select.select(waiting, [], [], 0)[0]:
                    waiting.remove(link)
                    refused.append(link.recv(4096)[:12])
                return len(refused) >= 40 - share
            stack.wait(told, what="those beyond their share are refused")
            assert not select.select(waiting, [], [], 0.5)[0] and set(refused) == {b"HTTP/1.1 503"}, refused
            assert len(waiting) == share, "the first leaves as much to the second"
        assert stack.metric("intake", "turunc_http_buffered_bytes") <= BODIES_MIB * MIB * 3 // 4 + 1024 * 1024
        assert send(stack, *form(stack)).status == 201, "a report without photos is taken"
        large = send(stack, *form(stack, photos.plain("plain.jpeg") + b"\0" * (9 * MIB)), person=3)
        assert large.status == 503 and "yeniden gönderin" in large.text, large


def test_many_uploads_at_once(stack):
    """Twenty people with three large photos each; all get an answer, and memory stays within the bodies'
    limit and what is being worked on."""
    data = photos.png_of(1200, 1000, b"".join(b"\0" + os.urandom(3600) for _ in range(1000)))
    before = kept(stack)
    statuses = []
    bodies = [form(stack, data, data, data) for _ in range(20)]
    with under_attack(stack, "uploads at once at intake", by=[citizen(stack, "intake")], grows_mib=BODIES_MIB + 48) as said:
        def post(body, person):
            statuses.append(send(stack, *body, person=person).status)
        threads = [threading.Thread(target=post, args=(body, n)) for n, body in enumerate(bodies)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        said["attempts"] = len(statuses)
    assert set(statuses) <= {201, 503} and statuses.count(201) >= 4, statuses
    rows, files = kept(stack)
    assert rows - before[0] == files - before[1] == 3 * statuses.count(201), "nothing half-stored"


def bodies(stack):
    """(name, body, type, statuses): each made to cost more than it is worth."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    kind = "multipart/form-data; boundary=x"
    yield "100,000 parts", part * 100000 + b"--x--", kind, {413}
    yield "a name of a megabyte", (b'--x\r\nContent-Disposition: form-data; name="' + b"a" * MIB
                                   + b'"\r\n\r\n1\r\n--x--'), kind, {400}
    yield "a head without end", b"--x\r\n" + b"X: y\r\n" * 500000, kind, {400}
    yield "a text of eight megabytes", (b'--x\r\nContent-Disposition: form-data; name="description"\r\n\r\n'
                                        + b"<" * (8 * MIB) + b"\r\n--x--"), kind, {413}
    yield "boundaries that almost are", (b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n'
                                         + b"\r\n--" * (2 * MIB) + b"\r\n--x--"), kind, {400}
    yield "a boundary of dashes", (b"--" + b"-" * 70 + b"\r\n") + b"-" * (8 * MIB), (
        "multipart/form-data; boundary=" + "-" * 70), {400}
    yield "no end", b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + b"\0" * (
        20 * MIB), kind, {400}
    yield "a million pairs", b"a=1&" * MIB, "application/x-www-form-urlencoded", {413}
    yield "mixed within", (b'--x\r\nContent-Disposition: form-data; name="photo"\r\nContent-Type: multipart/mixed; '
                           b"boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--"), kind, {400}


def test_bodies_made_to_be_costly(stack):
    before = kept(stack)
    with under_attack(stack, "costly forms at intake", by=[citizen(stack, "intake")], grows_mib=80) as said:
        for name, body, kind, wanted in bodies(stack):
            said["attempts"] += 1
            began = time.monotonic()
            answer = send(stack, body, kind)
            assert answer.status in wanted, (name, answer)
            assert time.monotonic() - began < 20, name
    assert kept(stack) == before


def files():
    """(name, bytes): each would cost a decoder dearly, or be something else to a browser."""
    plain = photos.plain("plain.jpeg")
    yield "900 megapixels", photos.bomb()
    yield "65,535 by 65,535", plain.replace(b"\xff\xc0\0\x11\x08\0\x20\0\x30", b"\xff\xc0\0\x11\x08\xff\xff\xff\xff")
    yield "16,384 by 16,384", photos.png_of(16384, 16384, b"\0" * 1000)
    yield "a text chunk that unpacks to 100 MB", photos.png()[:-len(photos.SECRET) - 12] + photos.chunk(
        b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 100000000)) + photos.chunk(b"IEND", b"")
    yield "five million empty segments", plain[:2] + b"\xff\xfe\0\x02" * 2000000 + plain[2:]
    yield "a million empty chunks", photos.plain("plain.png")[:33] + photos.chunk(b"teXt", b"") * 600000
    yield "a scan of markers", plain[:-2] + b"\xff\0" * (4 * MIB) + b"\xff\xd9"
    yield "a page", photos.HTML
    yield "a page in a picture", photos.polyglot()
    yield "a program", b"MZ" + b"\0" * 1000
    yield "an archive", b"PK\3\4" + b"\0" * 1000
    yield "a drawing with scripts", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_files_that_only_look_like_photos(stack):
    with under_attack(stack, "false photos at intake", by=[citizen(stack, "intake")], grows_mib=80) as said:
        for name, data in files():
            said["attempts"] += 1
            began = time.monotonic()
            answer = send(stack, *form(stack, data))
            assert answer.status in (201, 400), (name, answer)
            assert time.monotonic() - began < 20, name
    folder = stack.path("state", "intake", "attachments")
    for path in glob.glob(os.path.join(folder, "[0-9a-f]*", "*")):
        with open(path, "rb") as file:
            content = file.read()
        assert content[:3] in (b"\xff\xd8\xff", b"\x89PN", b"RIF") and b"<script" not in content, path
    assert glob.glob(os.path.join(folder, "new", "*")) == []


def test_links_are_not_guessed(stack):
    """Other tokens, other names, ways out of the folder: always the same 404, and nothing is read."""
    number = re.search(r'class="number">([0-9-]+)<', send(stack, *form(stack, photos.jpeg())).text).group(1)
    page = request(stack.port["intake_http"], "POST", "/track", form={"no": number, "digits": "4567"}).text
    link = re.search(r'src="(/photo/[^"]+)"', page).group(1)
    digest = stack.one("select encode(digest, 'hex') from turunc.attachment order by created_us desc limit 1")
    with under_attack(stack, "photo links at intake", by=[citizen(stack, "intake")]) as said:
        for n in range(len("/photo/"), len(link)):
            said["attempts"] += 1
            wrong = link[:n] + ("A" if link[n] != "A" else "B") + link[n + 1:]
            assert request(stack.port["intake_http"], "GET", wrong).status == 404, n
        for path in (f"/photo/{digest}", "/photo/..%2f..%2fidentity.secret", "/photo/%2e%2e/link.key",
                     "/photo/link.key", f"/photo/new/{digest}", f"{link}/x", "/photo/" + "A" * 75, "/photo/"):
            said["attempts"] += 1
            assert request(stack.port["intake_http"], "GET", path).status in (400, 404), path
    assert request(stack.port["intake_http"], "GET", link).status == 200


def test_who_goes_on_sending_reads_the_refusal_in_the_end(stack):
    """A browser looks at the answer when it has sent all.  What it sends after a refusal is thrown away for
    as long as it comes, up to twenty seconds; a reset would leave it with nothing to show."""
    with under_attack(stack, "too large at intake", by=[citizen(stack, "intake")]) as said:
        said["attempts"] = 1
        with socket.create_connection(("127.0.0.1", stack.port["intake_http"]), timeout=10) as link:
            link.sendall(head(60 * MIB, "multipart/form-data; boundary=x"))
            for _ in range(12):
                link.sendall(b"\0" * 65536)
                time.sleep(0.3)
            answer = link.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ") and "çok büyük".encode() in answer
