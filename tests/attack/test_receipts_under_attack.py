"""The door of SMS gateways, attacked: guessed secrets, slow and huge callers, receipts of messages that are
not theirs, and texts that try to be somebody else's."""
import json
import os
import socket
import time

import pytest
from process import wait_until
from stack import Stack

PATH = "/receipts/generic/"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    secret = tmp_path_factory.mktemp("secret") / "callback"
    secret.write_text("dogru-sir\n")
    os.chmod(secret, 0o600)
    with Stack(services=("intake", "notifier"),
               env={"notifier": {"TURUNC_SMS_CALLBACK_SECRET_FILE": str(secret)}}) as made:
        made.start()
        yield made


def call(stack, secret, body, path=PATH):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return stack.http("notifier", "POST", path + secret, body=text, headers={"Content-Type": "application/json"})


def test_guessing_is_bounded_and_tells_nothing(stack):
    answers = [call(stack, guess, "[]") for guess in
               ("", "x", "dogru-si", "dogru-sirr", "DOGRU-SIR", "dogru-sir%00", "..%2f", *map(str, range(30)))]
    assert {a.status for a in answers} <= {400, 404, 429} and answers[-1].status == 429
    assert call(stack, "dogru-sir", "[]", "/receipts/verimor/").status == 429, "nor which gateways there are"
    assert call(stack, "dogru-sir", "[]").status == 200
    log = open(stack.path("notifier.log"), encoding="utf-8").read()
    assert "dogru-sir" not in log, "the secret is in no log"


def test_slow_and_huge_callers_keep_nobody_out(stack):
    links = []
    for _ in range(20):
        link = socket.create_connection(("127.0.0.1", stack.port["notifier_http"]), timeout=5)
        link.sendall(f"POST {PATH}dogru-sir HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n[".encode())
        links.append(link)
    assert call(stack, "dogru-sir", "[]").status == 200
    assert call(stack, "dogru-sir", "x" * 300_000).status == 413
    assert call(stack, "dogru-sir", "[" * 100_000).status == 400
    assert call(stack, "dogru-sir", json.dumps([{}] * 201)).status == 400
    assert call(stack, "dogru-sir", json.dumps({"id": "x" * 100_000, "status": "delivered"})).status == 200
    for link in links:
        link.close()
    assert stack.ready("notifier")


def test_texts_and_receipts_that_are_not_theirs(stack):
    before = stack.one("select count(*) from turunc.contact where kind = 'sms'")
    hostile = ["'; drop table turunc.contact; --", "\u202e\u0007", "a" * 60_000, "26-0000001-4", "{{{{"]
    for n, text in enumerate(hostile):
        answer = call(stack, "dogru-sir", {"from": "+905321112233", "text": text, "id": f"h{n}\r\nX: y"})
        assert answer.status == 200, (text[:20], answer.status)
    wait_until(lambda: stack.one("select count(*) from turunc.contact where kind = 'sms'") == before + len(hostile), 15,
               "each is a contact")
    assert stack.one("select count(*) from turunc.contact where kind = 'sms' and ticket_id is not null") == 0
    nobody = {"id": "01900000-0000-7000-8000-000000000000", "status": "delivered"}
    began = time.monotonic()
    assert call(stack, "dogru-sir", [nobody] * 200).status == 200
    assert time.monotonic() - began < 10
    assert stack.one("select count(*) from turunc.event_log where type like 'notification.%%'") == 0
