"""Searching at the desk: found by word, name, phone, street and number; by those who may; never again
once erased."""
import json
import urllib.parse
import uuid

import psycopg2
import pytest
from desk_world import DeskWorld
from stack import Stack


@pytest.fixture(scope="module")
def world():
    with Stack(services=["router"]) as stack:
        made = DeskWorld(stack)
        stack.start()
        made.sign_everybody_in()
        yield made


def told(world, subject="cop-alinmadi", neighbourhood="sirinyali", **columns):
    """A ticket whose contact said this, as if it had from the start."""
    number = world.opener.open(subject, neighbourhood)
    ticket = world.opener.id_of(number)
    for column, value in columns.items():
        world.stack.sql(f"update turunc.contact set {column} = %s where ticket_id = %s", value, ticket)
    world.reader.wait_status(number, "routed")
    world.opener.say(number, "follow_up")  # it is read again
    caught_up(world)
    return number


def caught_up(world):
    world.stack.wait(lambda: world.stack.one(
        "select p.seq >= (select max(seq) from turunc.event_log) from turunc.search_position p"), 20,
        "the search has read the log")


def find(person, typed):
    page = person.stack.http("router", "GET", "/desk/search?lang=tr&q=" + urllib.parse.quote(typed),
                             headers=person.headers({"Origin": None}))
    assert page.status in (200, 303), page
    return page


def test_found_however_it_is_typed(world):
    number = told(world, name="Gülşen Işık", phone="+905321234567", address="Sinanoğlu Cad. No: 14",
                  description="Kaldırımdaki çukurlara düşen oldu", email="gulsen@example.org")
    for typed in ("gülşen ışık", "GULSEN ISIK", "Işık Gülşen", "0532 123 45 67", "+90 532 1234567", "4567",
                  "sinanoglu caddesi 14", "çukur", "CUKURLAR düşen", "gulsen@example.org", number[3:10].lstrip("0")):
        assert number in find(world.ayse, typed).text, typed
    for typed in ("gülşen kara", "0532 123 45 68", "'; drop table", "kaldırım | yok"):
        assert number not in find(world.ayse, typed).text, typed
    assert find(world.ayse, number).headers["Location"].startswith(f"/desk/ticket/{number}")
    assert world.ayse.get("/desk/search?q=%27").status == 400
    assert world.ayse.get("/desk/search").status == 400


def test_a_clerk_finds_what_is_theirs_also_after_it_moved(world):
    number = told(world, description="Benzersizkelime yazıldı")
    assert number in find(world.ayse, "benzersizkelime").text
    assert number not in find(world.fatma, "benzersizkelime").text
    assert number in find(world.cem, "benzersizkelime").text
    assert world.ayse.step(number, "transfer", world.version(number), department="fen", reason="konu-yanlis").status == 303
    # What may be seen follows the ticket at once, what is found when the log was read.
    assert number not in find(world.ayse, "benzersizkelime").text
    caught_up(world)
    assert number in find(world.fatma, "benzersizkelime").text
    assert world.vedat.get("/desk/search?q=benzersizkelime").status == 403
    assert 'action="/desk/search"' not in world.vedat.get("/desk/?lang=tr").text
    for worker in (world.ayse, world.cem, world.oya):
        assert 'action="/desk/search"' in worker.get("/desk/?lang=tr").text


def test_what_has_ended_is_found_and_is_not_late(world):
    number = told(world, description="Bitmişkelime")
    assert world.ayse.step(number, "resolve", world.version(number), reason="yapildi").status == 303
    world.stack.sql("update turunc.ticket_state set service_due_us = 1 where ticket_id = %s", world.opener.id_of(number))
    page = find(world.ayse, "bitmişkelime").text
    assert number in page and "Çözüldü" in page and "gecikti" not in page and 'class="late"' not in page


def test_a_search_that_shows_a_special_category_is_in_the_log(world):
    number = told(world, "evde-saglik", name="Hacer Özgür")
    looks = lambda: [r.actor for kind, r in world.reader.records(number) if kind == "ticket.viewed"]  # noqa: E731
    before = looks()
    page = find(world.oya, "hacer özgür")
    assert number in page.text and "what was said" not in page.text
    assert looks() == before + ["user:oya"]
    assert number not in find(world.ayse, "hacer özgür").text and looks() == before + ["user:oya"]


def test_looks_are_those_at_the_rows_shown(world):
    """Of 51 found the newest 50 are shown, and nobody looked at the oldest."""
    first = world.opener.open("evde-saglik", "sirinyali", count=51)
    ids = range(world.opener.id_of(first), world.opener.id_of(first) + 51)
    world.stack.wait(lambda: world.stack.one(
        "select count(*) from turunc.ticket_state where status > 1 and ticket_id between %s and %s", ids[0], ids[-1]) == 51, 20)
    world.stack.sql("update turunc.contact set name = 'Elliden Fazla' where ticket_id between %s and %s", ids[0], ids[-1])
    world.stack.sql("delete from turunc.contact_search")
    world.stack.sql("update turunc.search_position set seq = 0")
    world.stack.restart("router")
    world.stack.wait(lambda: world.stack.one("select seq from turunc.search_position") > 0, 20)
    caught_up(world)
    page = find(world.oya, "elliden fazla").text
    assert page.count('<tr id="t-') == 50 and first not in page and "Yalnız en yeniler" in page
    looked = world.stack.sql("select ticket_id from turunc.event_log where type = 'ticket.viewed' and ticket_id between "
                             "%s and %s order by seq", ids[0], ids[-1])
    assert [row[0] for row in looked] == list(ids[1:])


def test_what_is_erased_is_not_found_any_more(world):
    number = told(world, name="Silinecek Kişi", phone="+905329998877", description="Unutulacaksöz")
    assert number in find(world.oya, "silinecek").text
    ticket = world.opener.id_of(number)
    contacts = [row[0] for row in world.stack.sql("select contact_id::text from turunc.contact where ticket_id = %s", ticket)]
    world.stack.sql("select * from turunc.erase_contacts(%s::uuid[], %s::uuid, 1, 'user:test', 'asked')", contacts,
                    str(uuid.uuid4()))
    assert world.stack.one("select count(*) from turunc.contact_search where ticket_id = %s", ticket) == 0
    assert number not in find(world.oya, "silinecek").text
    # Nor does a batch that read the person before the erasure bring the words back.
    seq = world.stack.one("select seq from turunc.search_position")
    world.stack.sql("select turunc.put_search(%s, %s, %s::uuid[], %s, %s)", seq, seq, contacts, [ticket] * len(contacts),
                    ["silinecek kisi"] * len(contacts))
    assert world.stack.one("select count(*) from turunc.contact_search where ticket_id = %s", ticket) == 0


def test_filled_again_from_the_record(world):
    number = told(world, description="Yenidenkurulan dizin")
    world.stack.sql("delete from turunc.contact_search")
    world.stack.sql("update turunc.search_position set seq = 0")
    assert number not in find(world.oya, "yenidenkurulan").text
    world.stack.restart("router")
    world.stack.wait(lambda: world.stack.one("select seq from turunc.search_position") > 0, 20)
    caught_up(world)
    assert number in find(world.oya, "yenidenkurulan").text


def test_a_search_that_takes_too_long_is_ended_and_holds_nobody_up(world):
    number = told(world)
    blocker = psycopg2.connect(world.stack.conninfo())
    with blocker.cursor() as cursor:
        cursor.execute("lock table turunc.contact_search in access exclusive mode")
        page = world.oya.get("/desk/search?q=herhangi&lang=tr")
        assert page.status == 503 and "çok uzun sürdüğü için durduruldu" in page.text
        # Meanwhile tickets are routed and worked.
        other = world.routed()
        assert world.ayse.step(other, "accept", 2).status == 303
    blocker.rollback()
    blocker.close()
    assert number in find(world.oya, number[3:10].lstrip("0")).text


def test_readiness_says_how_the_search_is(world):
    ready = world.stack.http("router", "GET", "/readyz").json()
    assert ready["ready"] and "record_search" in json.dumps(ready)
    world.stack.wait(lambda: world.stack.metric("router", "turunc_search_lag_records") == 0)
