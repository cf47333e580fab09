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
    secret.write_text("dogru-ve-uzun-sir\n")
    os.chmod(secret, 0o600)
    with Stack(services=("intake", "notifier"),
               env={"notifier": {"TURUNC_SMS_CALLBACK_SECRET_FILE": str(secret)}}) as made:
        made.start()
        yield made


def call(stack, secret, body, path=PATH, address="198.51.100.1"):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return stack.http("notifier", "POST", path + secret, body=text, headers={"Content-Type": "application/json", "X-Forwarded-For": address})


def test_guessing_is_bounded_and_tells_nothing(stack):
    guesses = ("", "x", "dogru-ve-uzun-si", "dogru-ve-uzun-sirr", "DOGRU-VE-UZUN-SIR", "dogru-ve-uzun-sir%00", "..%2f")
    answers = [call(stack, guess, "[]", address="198.51.100.9") for guess in (*guesses, *map(str, range(30)))]
    assert {a.status for a in answers} <= {400, 404, 429} and answers[-1].status == 429
    for path in (PATH, "/receipts/verimor/"):
        assert call(stack, "dogru-ve-uzun-sir", "[]", path, "198.51.100.9").status == 429, \
            "out of tries, not even a right guess is told"
    assert call(stack, "dogru-ve-uzun-sir", "[]", "/receipts/verimor/", "198.51.100.8").status == 404, \
        "nor which gateways there are"
    assert call(stack, "dogru-ve-uzun-sir", "[]").status == 200
    log = open(stack.path("notifier.log"), encoding="utf-8").read()
    assert "dogru-ve-uzun-sir" not in log, "the secret is in no log"


def test_slow_and_huge_callers_keep_nobody_out(stack):
    links = []
    for _ in range(20):
        link = socket.create_connection(("127.0.0.1", stack.port["notifier_http"]), timeout=5)
        link.sendall(f"POST {PATH}dogru-ve-uzun-sir HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n[".encode())
        links.append(link)
    assert call(stack, "dogru-ve-uzun-sir", "[]").status == 200
    assert call(stack, "dogru-ve-uzun-sir", "x" * 300_000).status == 413
    assert call(stack, "dogru-ve-uzun-sir", "[" * 100_000).status == 400
    assert call(stack, "dogru-ve-uzun-sir", json.dumps([{}] * 201)).status == 400
    assert call(stack, "dogru-ve-uzun-sir", json.dumps({"id": "x" * 100_000, "status": "delivered"})).status == 200
    for link in links:
        link.close()
    assert stack.ready("notifier")


def test_texts_and_receipts_that_are_not_theirs(stack):
    before = stack.one("select count(*) from turunc.contact where kind = 'sms'")
    hostile = ["'; drop table turunc.contact; --", "\u202e\u0007", "a" * 60_000, "26-0000001-4", "{{{{"]
    for n, text in enumerate(hostile):
        answer = call(stack, "dogru-ve-uzun-sir", {"from": "+905321112233", "text": text, "id": f"h{n}\r\nX: y"})
        assert answer.status == 200, (text[:20], answer.status)
    wait_until(lambda: stack.one("select count(*) from turunc.contact where kind = 'sms'") == before + len(hostile), 15,
               "each is a contact")
    assert stack.one("select count(*) from turunc.contact where kind = 'sms' and ticket_id is not null") == 0
    nobody = {"id": "01900000-0000-7000-8000-000000000000", "status": "delivered"}
    began = time.monotonic()
    assert call(stack, "dogru-ve-uzun-sir", [nobody] * 200).status == 200
    assert time.monotonic() - began < 10
    assert stack.one("select count(*) from turunc.event_log where type like 'notification.%%'") == 0


def test_who_was_joined_does_not_write_themselves_in(stack):
    """Of a ticket of somebody else they know the number, and four digits of their own phone."""
    opener, joined, ticket, number = "+905321112255", "+905321112266", 260000777, "26-0000777-3"
    stack.sql("""with c as (insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us, language,
                     phone, salt) values (gen_random_uuid(), %s, 'report', 2, 1, 1, 'tr', %s, 's'),
                     (gen_random_uuid(), %s, 'joined', 1, 1, 1, 'tr', %s, 's') returning contact_id, kind)
                 insert into turunc.ticket (ticket_id, contact_id, channel, subject_code, neighbourhood, legal_basis, public,
                     arrived_us, recorded_us, client)
                 select %s, contact_id, 2, '', '', 1, false, 1, 1, '' from c where kind = 'report'""",
              ticket, opener, ticket, joined, ticket)
    # Told how it ended, as themselves; the last is a stranger to all.
    stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel, language, recipient,
                     body, state, created_us, updated_us, contact_id)
                 select gen_random_uuid(), %s, 1, 'ticket.resolved', 'sms', 'tr', c.phone, 'x', 6, %s, 1, c.contact_id
                 from turunc.contact c where c.ticket_id = %s and c.kind = 'joined'""",
              ticket, time.time_ns() // 1000, ticket)
    for n, sender in enumerate((joined, "+905321112277")):
        for words in (f"{number} tesekkurler", "5", number, f"{number} {number}"):
            assert call(stack, "dogru-ve-uzun-sir", {"from": sender, "text": words, "id": f"j{n}{words}"}).status == 200
    wait_until(lambda: stack.one("select count(*) from turunc.contact where kind = 'sms' and phone in (%s, '+905321112277')",
                                 joined) == 8, 15, "they are on file")
    assert stack.one("select count(*) from turunc.contact where kind = 'sms' and ticket_id = %s", ticket) == 0
    assert call(stack, "dogru-ve-uzun-sir", {"from": opener, "text": number, "id": "own"}).status == 200
    wait_until(lambda: stack.one("select count(*) from turunc.contact where kind = 'sms' and ticket_id = %s", ticket) == 1,
               15, "the opener's own is on the ticket")
    opened = {digits: stack.http("intake", "POST", "/track", form={"no": number, "digits": digits}).status
              for digits in ("2266", "2277", "2255")}
    assert opened == {"2266": 404, "2277": 404, "2255": 200}
