"""The call-taker's page and the ledger of calls: forms that are not ours, people without the role, somebody
else's draft, a call-taker's own browser gone mad, exchanges that say more than they may."""
import itertools
import re

import pytest
from attack_world import Door, citizen, honest_clients, pair_of, under_attack
from people import Browser
from stack import Stack
from turunc.v1 import bus_pb2 as bus
from turunc.v1 import inbound_pb2

PASSWORD = "four small words here"
SAID = {"phone": "0532 987 65 43", "service_code": "yol-cukur", "address_id": "fener", "address_string": "1964 sokak 5",
        "description": "Çukur"}


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router")) as made:
        for name, roles in (("ayse", "call-taker"), ("veli", "call-taker"), ("bakan", "viewer"), ("fenci", "clerk")):
            made.user(name, roles, "fen", password=PASSWORD)
        made.start()
        made.client("exchange", verbs=("publish",), sources=("pbx",), types=("call.*",))
        made.client("neighbour", verbs=("publish",), sources=("neighbour",), types=("sms.*",))
        honest_clients(made)
        yield made


class Taker(Browser):
    def __init__(self, stack, name="ayse"):
        super().__init__(stack, "intake", "/call/")
        self.sign_in(name, PASSWORD)

    def form(self):
        page = self.get("/call/?lang=tr").text
        return dict(re.findall(r'type="hidden" name="(token|csrf)" value="([^"]*)"', page.split('id="call"')[1]))


def by_others(stack):
    """What stands there that no honest client brought: theirs come by Open311 and the bus."""
    return stack.one("""select (select count(*) from turunc.ticket where channel = 1 and client = '')
                        + (select count(*) from turunc.contact where kind = 'joined')
                        + (select count(*) from turunc.call) + (select count(*) from turunc.call_draft)""")


def test_forms_that_are_not_ours(stack):
    taker = Taker(stack)
    form = taker.form()
    before = by_others(stack)
    with under_attack(stack, "call forms that are not ours", by=[citizen(stack)]) as said:
        token = form["token"]
        forged = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:] for i in range(0, len(token) - 1, 3)]
        forged += ["", token[:-4], token + "AAAA", token.lower(), "ı" * len(token)]
        for one, where in itertools.product(forged, ("ticket", "end", "draft")):
            said["attempts"] += 1
            answer = taker.post(f"/call/{where}", {**SAID, **form, "token": one, "disposition": "information"})
            said["accepted"] += answer.status in (204, 303)
        for headers, csrf in (({"Origin": "https://evil.example"}, form["csrf"]), ({"Origin": "null"}, form["csrf"]),
                              ({}, ""), ({}, "A" * 43), ({}, form["csrf"][::-1])):
            for where in ("ticket", "join", "end", "draft", "look", "hints", "unassigned"):
                said["attempts"] += 1
                answer = taker.post(f"/call/{where}", {**SAID, **form, "csrf": csrf, "join": "26-0000001-4",
                                                       "disposition": "information"}, csrf=False, **headers)
                said["accepted"] += answer.status != 403
        for name in ("bakan", "fenci"):
            other = Browser(stack, "intake", "/call/").sign_in(name, PASSWORD)
            for where in ("ticket", "join", "end", "draft", "look", "hints", "unassigned"):
                said["attempts"] += 1
                said["accepted"] += other.post(f"/call/{where}", {**SAID, "token": token}).status != 403
            said["accepted"] += sum(other.get(path).status != 403 for path in ("/call/", "/call/live", "/call/unassigned"))
        # What belongs to no ticket is for operators alone.
        said["attempts"] += 3
        said["accepted"] += taker.get("/call/unassigned").status != 403
        said["accepted"] += taker.post("/call/unassigned", {**form, "contact": "0" * 36, "dismiss": "spam"}).status != 403
        said["accepted"] += taker.post("/call/unassigned", {**form, "contact": "0" * 36}).status != 403
        stranger = Browser(stack, "intake", "/call/")
        for where in ("ticket", "join", "end", "draft", "look", "hints", "unassigned"):
            said["attempts"] += 1
            said["accepted"] += stranger.post(f"/call/{where}", {**SAID, **form}).status not in (401, 403)
        said["accepted"] += by_others(stack) - before


def test_somebody_else_s_draft_and_a_ticket_that_never_was(stack):
    veli, ayse = Taker(stack, "veli"), Taker(stack)
    form = veli.form()
    assert veli.post("/call/draft", {**SAID, **form, "description": "Velinin taslağı"}).status == 204
    draft = stack.one("select form_id from turunc.call_draft where agent = 'veli'")
    before = by_others(stack)
    with under_attack(stack, "somebody else's draft, no such ticket", by=[citizen(stack)]) as said:
        for one in (draft, draft.upper(), draft[:-1] + "'", "' or '1'='1", "%", draft + "%00"):
            said["attempts"] += 1
            page = ayse.get(f"/call/?draft={one.replace(' ', '%20').replace(chr(39), '%27')}")
            said["accepted"] += "Velinin" in page.text
        for number in ("26-9999999-8", "99-0000001-4", "26-0000001-4' or true--", "260000001", "x" * 4000):
            said["attempts"] += 1
            answer = ayse.post("/call/join", {**SAID, **ayse.form(), "join": number})
            said["accepted"] += answer.status == 303
        said["accepted"] += by_others(stack) - before
    stack.wait(lambda: stack.ready("router"), 10)
    assert stack.one("select count(*) from turunc.dead_letter") == 0


def test_a_browser_gone_mad(stack):
    """A call-taker's own page that sends without end: drafts, searches, forms of any size."""
    taker = Taker(stack)
    form = taker.form()
    with under_attack(stack, "a call-taker's browser gone mad", by=[citizen(stack)]) as said:
        for n in range(150):
            said["attempts"] += 1
            kept = taker.post("/call/draft", {**SAID, **form, "description": f"{n}" * 4000})
            said["accepted"] += kept.status not in (204, 503)
        for words in ("a", "e i o u", "ç" * 120, "'" * 100, "& | ! ( ) :*", "\\" * 50, "<script>", "x " * 500, "0532", "%_" * 40):
            for where in ("look", "hints"):
                said["attempts"] += 1
                page = taker.post(f"/call/{where}", {**SAID, **form, "q": words, "address_string": words, "first_name": words})
                said["accepted"] += page.status >= 500 or "<script>" in page.text
        for size in (60_000, 70_000, 1_000_000):
            said["attempts"] += 1
            answer = taker.post("/call/ticket", {**SAID, **form, "description": "x" * size})
            said["accepted"] += answer.status not in (400, 413)
        many = {**SAID, **form, **{f"attribute[{n}]": "x" for n in range(400)}}
        said["attempts"] += 1
        said["accepted"] += taker.post("/call/ticket", many).status != 400
    assert stack.one("select count(*) from turunc.call_draft where agent = 'ayse'") <= 8
    assert stack.one("select max(octet_length(fields)) from turunc.call_draft") <= 32768


def test_an_exchange_that_says_more_than_it_may(stack):
    before = stack.one("select count(*) from turunc.call")

    def event(kind, source, n, **call):
        made = inbound_pb2.InboundEvent(id=f"{kind}-{source}-{n}", source=source, type=kind,
                                        time_us=stack.one("select (extract(epoch from now()) * 1000000)::bigint"))
        made.call.SetInParent()
        for name, value in {"call_id": "c-attack", **call}.items():
            setattr(made.call, name, value)
        return made

    with under_attack(stack, "calls of a key without the right", by=[citizen(stack)]) as said:
        tries = [("neighbour", event("call.offered", "neighbour", 0, agent="ayse", caller="112")),
                 ("neighbour", event("call.ended", "pbx", 1, disposition="information")),
                 ("exchange", event("call.offered", "neighbour", 2)),
                 ("exchange", event("call.ended", "pbx", 3, disposition="'; drop table turunc.call; --")),
                 ("exchange", event("call.offered", "pbx", 4, disposition="nuisance")),
                 ("exchange", event("call.offered", "pbx", 5, call_id="")),
                 ("exchange", event("call.offered", "pbx", 6, agent="x" * 200)),
                 ("exchange", event("call.offered", "pbx", 7, caller="1\n2")),
                 ("exchange", event("call.ended", "pbx", 8, disposition="ticket", ticket="26-0000001-9"))]
        for name, made in tries:
            said["attempts"] += 1
            door = Door(stack, "publish", pair_of(stack.path(f"client-{name}")))
            assert door.session() == "welcome"
            kind, told = door.ask(publish=bus.Publish(events=[made]))
            door.__exit__()
            said["accepted"] += kind != "published" or told.results[0].status != bus.PUBLISH_REJECTED
        said["accepted"] += stack.one("select count(*) from turunc.call") - before
