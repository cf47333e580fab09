"""An erasure that is asked for again while the first one is still being committed, and what neither of them reaches."""
import concurrent.futures
import contextlib
import http.server
import json
import threading
import uuid

import psycopg2
import pytest

from intake_world import Publisher, call, number_of, post, ticket_id
from stack import Stack

OK, NOT_FOUND = 0, 3
REASON = "KVKK 11, 2026/118"


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"]) as made:
        made.pbx = made.client("pbx")
        made.key = made.api_key("app")
        made.start()
        yield made


def report(stack, phone):
    return ticket_id(number_of(post(stack, stack.key, phone=phone, first_name="Derya")))


def contacts_of(stack, ticket):
    return [row[0] for row in stack.sql("select contact_id::text from turunc.contact where ticket_id = %s", ticket)]


def destructions(stack):
    return stack.sql("select reason, contacts, calls from turunc.destruction order by at_us, destruction_id")


def erase(stack, who, count, *more):
    return stack.masa("citizen", "erase", who, "--reason", REASON, "--confirm", count, "--open-too", *more, check=False)


@contextlib.contextmanager
def erasing(stack, contacts, calls=()):
    """A first erasure that has done it all but commits only when this ends."""
    link, ident = psycopg2.connect(stack.conninfo("turunc_admin")), str(uuid.uuid4())
    with contextlib.closing(link):
        at = link.cursor()
        at.execute("select turunc.erase_contacts(%s::uuid[], %s::uuid, 1, 'user:first', 'first')", (list(contacts), ident))
        at.execute("select turunc.erase_calls(%s::uuid[], '{}', %s::uuid)", (list(calls), ident))
        yield
        link.commit()


def again(stack, who, count, contacts, calls=()):
    """The second one, which has found what the first one erases, and waits for it."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with erasing(stack, contacts, calls):
            second = pool.submit(erase, stack, who, count)
            stack.wait(lambda: len(stack.waiting("%turunc.erase_%")) == 1, what="the second one waits")
        return second.result(60)


def test_all_of_it_was_erased(stack):
    ticket, before = report(stack, "05321110001"), destructions(stack)
    done = again(stack, "05321110001", 1, contacts_of(stack, ticket))
    assert done.returncode == NOT_FOUND and "erased already" in done.stderr
    assert destructions(stack) == [("first", 1, 0), *before]
    assert stack.one("select count(*) from turunc.event_log where type = 'citizen.erased'") == 0


def test_some_of_it_was_erased(stack):
    first, second = (report(stack, "05321110002") for _ in range(2))
    before = stack.one("select count(*) from turunc.destruction")
    done = again(stack, "05321110002", 2, contacts_of(stack, first))
    assert done.returncode == OK, done.stderr
    assert stack.one("select count(*) from turunc.destruction") == before + 2
    assert stack.sql("select contacts, ticket_ids from turunc.destruction where reason = %s", REASON) == [(1, [second])]
    assert stack.sql("select ticket_id from turunc.event_log where type = 'citizen.erased'") == [(second,)]


def test_calls_alone(stack):
    with Publisher(stack, stack.pbx) as pbx:
        said = call("offered", caller="0535 444 33 22", queue="masa")
        said.call.call_id = "c-erase"
        assert pbx.publish(said)[0].status == 1
    calls = [row[0] for row in stack.sql("select call_key::text from turunc.call where caller is not null")]
    before = stack.one("select count(*) from turunc.destruction")
    done = again(stack, "05354443322", 0, [], calls)
    assert done.returncode == NOT_FOUND and "erased already" in done.stderr
    assert stack.one("select count(*) from turunc.destruction") == before + 1


class Metrics(http.server.BaseHTTPRequestHandler):
    items = 3

    def do_GET(self):
        text = f"turunc_intake_spool_items {self.items}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_what_lies_in_the_spool_is_said(stack):
    """Also when nothing is held of somebody: all of theirs may lie there."""
    report(stack, "05321110003")
    look = lambda who="05321110003": erase(stack, who, 1, "--dry-run")
    stack.wait(lambda: look().stderr == "", what="intake says that its spool is empty")
    stack.terminate("intake")
    done = look()
    assert done.returncode == OK and "intake does not answer" in done.stderr
    server = http.server.ThreadingHTTPServer(("127.0.0.1", stack.port["intake_http"]), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = look()
        assert done.returncode == OK and "3 items in intake's spool" in done.stderr
        assert json.loads(stack.masa("citizen", "erase", "05321110003", "--reason", REASON, "--dry-run", "--json"))
        done = look("05321119999")
        assert done.returncode == NOT_FOUND and "3 items in intake's spool" in done.stderr
        Metrics.items = 0
        stack.wait(lambda: look().stderr == "", what="it says so again")
    finally:
        server.shutdown()
        server.server_close()
