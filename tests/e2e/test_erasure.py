"""A person is forgotten: everything said of them is gone from the record, and every figure is the same."""
import datetime
import json
import os
import stat
import subprocess
import uuid

import pytest

from world import (Follower, look_up, masa_json, messages_about, post, report, ticket_id, wait_status, wait_told)

OK, USAGE, NOT_FOUND, CONFLICT = 0, 2, 3, 5
PHONE, MAIL = "05329876543", "zubeyde.ozturkmen@ornek.example"
PERSON = {"first_name": "Zübeyde", "last_name": "Öztürkmen", "phone": PHONE, "email": MAIL,
          "description": "Kapımın önündeki mor begonvilin altı süpürülmedi, Zübeyde hanım diye sorun.",
          "address_string": "Gülveren sokağı 93 kapı 7", "media_url": "https://resim.example/begonvil.jpg",
          "account_id": "hesap-zo-1", "device_id": "aygit-zo-1"}
TEXTS = ("Zübeyde hanım, ekip yola çıktı.", "Begonvilin altı süpürüldü.")
SPECIAL = {**PERSON, "service_code": "evde-saglik", "attribute[durum]": "Begonvilin yanında, yatağa bağımlı"}
# What must not be found anywhere afterwards; each stands somewhere before.
TRACES = ("Zübeyde", "Öztürkmen", "9876543", "ozturkmen@ornek", "begonvil", "Gülveren", "hesap-zo", "aygit-zo")
REASON = "KVKK 11 başvurusu, evrak 2026/118"


def dump(stack):
    """The whole database as pg_dump writes it, lower case."""
    done = subprocess.run(["pg_dump", "--inserts", stack.conninfo()], capture_output=True, check=True)
    # Readers move their cursors at any time, and pg_dump marks each dump with words of its own.
    return "\n".join(line for line in done.stdout.decode("utf-8").casefold().splitlines()
                     if not line.startswith(("\\restrict", "\\unrestrict", "insert into turunc.consumer_cursor")))


def stands(stack):
    """The same but for the index of words and the months' figures, which follow the log in their own time."""
    return [line for line in dump(stack).splitlines()
            if not line.startswith(("insert into turunc.search_position", "insert into turunc.contact_search",
                                    "insert into turunc.month_"))]


def found_in(text):
    """The traces that stand there, as text or within bytes written as hexadecimal digits."""
    return {trace for trace in TRACES if trace.casefold() in text
            or trace.encode("utf-8").hex() in text or trace.lower().encode("utf-8").hex() in text}


def board(stack):
    """The live figures once all of the log is in them."""
    def now():
        state = stack.http("metrics", "GET", "/live/state.json").json()
        head = stack.one("select max(last_seq) from turunc.log_batch")
        return state if state["state"] == "live" and state["seq"] == head else None
    values = stack.wait(now, 20, "the board has caught up")["values"]
    # What is of today or of this hour is left out: midnight may pass between two looks.
    return {name: value for name, value in values.items()
            if not name.startswith(("lag_ms", "state.", "then.", "today", "hour."))}


def month(stack):
    """In which the first ticket came, in Istanbul: the same from the first question to the last."""
    first = stack.one("select min(recorded_us) from turunc.ticket") / 1e6
    return datetime.datetime.fromtimestamp(first, datetime.timezone(datetime.timedelta(hours=3))).strftime("%Y-%m")


def months(stack):
    """The monthly report's figures and the ladder of satisfaction, once all of the log is counted."""
    stack.wait(lambda: stack.one("select (select seq from turunc.month_state) = (select max(last_seq)"
                                 " from turunc.log_batch)"), 30, "the months are counted")
    report = masa_json(stack, "report", "--month", month(stack))
    assert report["figures"]["tickets"] >= 1, "a report without figures proves nothing"
    assert masa_json(stack, "report", "verify")["right"] is True
    # How much of the month has passed is as of the last record, and goes on.
    counted = {name: value for name, value in report["figures"].items() if name != "minutes"}
    return {"figures": counted, "ladder": stack.http("metrics", "GET", "/live/satisfaction.json").json()["months"]}


def papers(stack, seq):
    """The report as of that record in every form that is handed out, as bytes."""
    done = {form: stack.masa("report", "--month", month(stack), "--as-of", seq, "--format", form, check=False, text=False)
            for form in ("text", "json", "csv", "xlsx", "press")}
    assert all(d.returncode == OK and len(d.stdout) > 100 for d in done.values()), done
    return {form: d.stdout for form, d in done.items()}


COUNTED = ("citizen", "contact", "ticket", "ticket_state", "ticket_clock", "ticket_hop", "ticket_text",
           "command_result", "inbound_item", "published_body", "notification", "notification_attempt",
           "ticket_alias", "number_block", "client_grant", "config_version")


def figures(stack):
    """Every figure there is but those of the log itself, as one text."""
    status = masa_json(stack, "status")
    return json.dumps({
        "board": board(stack),
        "months": months(stack),
        "status": {name: status[name] for name in ("services", "tickets", "messages")},
        "tickets": masa_json(stack, "ticket", "list", "--limit", "9999"),
        "messages": [{k: m[k] for k in ("id", "ticket", "about", "channel", "state", "attempts", "updated_us")}
                     for m in masa_json(stack, "message", "list", "--limit", "9999")],
        "rows": {table: stack.one(f"select count(*) from turunc.{table}") for table in COUNTED},
        "kinds": stack.sql("select kind, channel, language, count(*) from turunc.contact group by 1, 2, 3 order by 1, 2, 3"),
        "subjects": stack.sql("select t.subject_code, t.neighbourhood, t.channel, t.legal_basis, t.public, count(*)"
                              " from turunc.ticket t group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"),
        "clocks": stack.sql("select * from turunc.ticket_clock order by ticket_id, clock"),
        "states": stack.sql("select * from turunc.ticket_state order by ticket_id"),
        "texts": stack.sql("select ticket_id, version, kind, actor, created_us from turunc.ticket_text order by 1, 2, 3"),
        "by_type": stack.sql("select type, department, count(*) from turunc.event_log"
                             " where type not in ('citizen.erased', 'ticket.viewed') group by 1, 2 order by 1, 2"),
    }, ensure_ascii=False, sort_keys=True, default=str)


@pytest.fixture(scope="module")
def office(stack):
    with Follower(stack, "erasing-office", ["temizlik", "saglik"], personal="full") as follower:
        yield follower


def resolved(stack, office, texts=("Ekip yola çıktı.", "Yapıldı."), **fields):
    number = report(stack, stack.app, headers={"Idempotency-Key": str(uuid.uuid4())}, **fields)
    version = office.wait("ticket.routed", number).view.version
    version = office.step(number, "accept", version).version
    version = office.step(number, "answer", version, text=texts[0]).version
    office.step(number, "resolve", version, reason_code="yapildi", text=texts[1])
    office.wait("ticket.resolved", number)
    return number


@pytest.fixture(scope="module")
def people(stack, office):
    """Tickets of her, of somebody else, and one of a special category."""
    hers = [resolved(stack, office, TEXTS, **PERSON), resolved(stack, office, TEXTS, **SPECIAL)]
    other = resolved(stack, office, first_name="Cem", phone="05321112233", description="Konteyner taştı")
    wait_told(stack)
    assert messages_about(stack, hers[0])
    return hers, other


def refused(stack, code, *words):
    done = stack.masa("citizen", *words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def erase(stack, whom, contacts, *words):
    return masa_json(stack, "citizen", "erase", whom, "--reason", REASON, "--confirm", contacts, *words)


# --- before: export, and what is refused ---

def test_everything_held_is_exported(stack, people):
    hers, other = people
    said = masa_json(stack, "citizen", "export", PHONE)
    assert {ticket["ticket"] for ticket in said["tickets"]} == set(hers)
    contact = said["contacts"][0]
    assert contact["name"] == "Zübeyde Öztürkmen" and contact["phone"] == "+905329876543"
    assert contact["email"] == MAIL and contact["device_id"] == "aygit-zo-1"
    assert {text["body"] for text in said["texts"]} == set(TEXTS)
    assert {m["recipient"] for m in said["messages"]} == {MAIL}
    assert said["attempts"] and said["inbound_ids"] and said["history"]
    text = json.dumps(said, ensure_ascii=False)
    assert other not in text and "Cem" not in text
    assert all(trace in text for trace in TRACES), "something that is held is not exported"
    by_mail = masa_json(stack, "citizen", "export", MAIL.upper())
    by_ticket = masa_json(stack, "citizen", "export", hers[0])
    assert by_mail["contacts"] == by_ticket["contacts"] == said["contacts"]


def test_an_export_to_a_file_is_its_owners_alone(stack, people):
    path = stack.path("export.json")
    assert stack.masa("citizen", "export", PHONE, "--out", path) == ""
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as file:
        assert len(json.load(file)["contacts"]) == 2
    assert "exists" in refused(stack, CONFLICT, "export", PHONE, "--out", path)


def test_looking_at_a_special_category_leaves_an_actor(stack, people):
    """By each of masa's doors, and nothing for a ticket that is of none."""
    (plain, special), _ = people

    def seen(number):
        return [(row["door"], row["actor"]) for row in masa_json(stack, "audit", "viewed", "--ticket", number)
                if not row["actor"].startswith("client:")]
    before = len(seen(special))
    stack.masa("citizen", "export", PHONE)
    exported = len(seen(special))
    assert exported == before + 1 and seen(special)[0][0] == "export"
    stack.masa("ticket", "show", special)
    assert len(seen(special)) == exported, "without --personal nothing personal is shown"
    stack.masa("ticket", "show", special, "--personal")
    message = masa_json(stack, "message", "list", "--ticket", special)[0]["id"]
    stack.masa("message", "show", message)
    stack.masa("message", "show", message, "--personal", "--dry-run")
    assert [door for door, _ in seen(special)][:2] == ["message show", "ticket show"]
    assert len(seen(special)) == exported + 2
    assert all(actor.startswith("user:") for _, actor in seen(special))
    stack.masa("ticket", "show", plain, "--personal")
    assert seen(plain) == []
    only = masa_json(stack, "audit", "viewed", "--actor", seen(special)[0][1], "--limit", "1")
    assert len(only) == 1 and only[0]["ticket"] == special and only[0]["subject"] == "evde-saglik"


def test_nothing_is_shown_when_the_look_cannot_be_written_down(stack, people):
    (_, special), _ = people
    stack.sql("revoke execute on function turunc.log_append(bigint, text[], bigint[], text[], text[], text[], bytea[])"
              " from turunc_admin")
    try:
        for words in (("ticket", "show", special, "--personal"), ("citizen", "export", PHONE)):
            done = stack.masa(*words, check=False)
            assert done.returncode == 4 and "Zübeyde" not in done.stdout, words
    finally:
        stack.sql("grant execute on function turunc.log_append(bigint, text[], bigint[], text[], text[], text[],"
                  " bytea[]) to turunc_admin")


def test_what_is_refused_changes_nothing(stack, people):
    before = stands(stack)
    refused(stack, USAGE, "erase", PHONE)
    refused(stack, USAGE, "erase", PHONE, "--reason", REASON)
    for named in ("Zübeyde hanım istedi", "tel 0532 987 65 43", f"posta: {MAIL}", "öztürkmen,"):
        assert "must not hold" in refused(stack, USAGE, "erase", PHONE, "--reason", named, "--confirm", "2")
    assert "there are 2 contacts" in refused(stack, CONFLICT, "erase", PHONE, "--reason", REASON, "--confirm", "1")
    refused(stack, NOT_FOUND, "erase", "05329999999", "--reason", REASON, "--confirm", "1")
    refused(stack, NOT_FOUND, "export", "kimse@yok.example")
    for words in ("hello", "26-0000001-9", "12"):
        refused(stack, USAGE, "export", words)
    shown = masa_json(stack, "citizen", "erase", PHONE, "--reason", REASON, "--dry-run")
    assert shown["contacts"] == 2 and shown["texts"] == 4 and shown["dry_run"] is True
    assert "destruction" not in shown
    assert stands(stack) == before


def test_a_ticket_still_worked_on_keeps_its_story_unless_told_so(stack, office):
    number = report(stack, stack.app, first_name="Derya", phone="05325556677", description="Derya derki")
    office.wait("ticket.routed", number)
    wait_told(stack)
    assert "--open-too" in refused(stack, CONFLICT, "erase", number, "--reason", REASON, "--confirm", "1")
    assert erase(stack, number, 1, "--open-too")["live_tickets"] == 1
    assert stack.one("select count(*) from turunc.contact where name = 'Derya'") == 0
    # The department goes on with what is left, and the citizen can no longer be told.
    version = office.wait("citizen.erased", number).view.version
    office.step(number, "resolve", version, reason_code="yapildi", text="Bitti")
    wait_status(stack, number, "resolved")
    wait_told(stack)
    assert all("Çözüldü" not in json.dumps(m, ensure_ascii=False) for m in messages_about(stack, number))


def test_a_message_on_its_way_is_waited_for_and_one_that_waits_is_not_sent(stack, office):
    number = resolved(stack, office, first_name="Ekin", phone="05327778899", description="Ekin ekini")
    wait_told(stack)
    stack.sql("update turunc.notification set state = 2, updated_us = (extract(epoch from clock_timestamp()) * 1e6)::bigint"
              " where ticket_id = %s and about_type = 'ticket.resolved'", ticket_id(number))
    done = stack.masa("citizen", "erase", number, "--reason", REASON, "--confirm", "1", check=False)
    assert done.returncode != OK and "being sent" in done.stderr
    assert stack.one("select count(*) from turunc.contact where name = 'Ekin'") == 1
    stack.sql("update turunc.notification set state = 1, next_attempt_us = 9000000000000000 where ticket_id = %s"
              " and about_type = 'ticket.resolved'", ticket_id(number))
    erase(stack, number, 1)
    assert stack.sql("select state, recipient, next_attempt_us from turunc.notification where ticket_id = %s"
                     " and about_type = 'ticket.resolved'", ticket_id(number)) == [(7, None, None)]


def test_a_shared_phone_keeps_its_key(stack, office):
    """Two people of one house; one of them goes, by her mailbox."""
    first = resolved(stack, office, first_name="Fatma", phone="05324445566", email="fatma@ev.example")
    second = resolved(stack, office, first_name="Gizem", phone="05324445566")
    shown = masa_json(stack, "citizen", "erase", "fatma@ev.example", "--reason", REASON, "--dry-run")
    assert shown["contacts"] == 1 and shown["also_known_as"] == [{"address": "+905324445566", "contacts": 1}]
    erase(stack, "fatma@ev.example", 1)
    assert stack.sql("select contact_key, erased_us from turunc.citizen where contact_key = 'tel:+905324445566'") \
        == [("tel:+905324445566", None)]
    assert masa_json(stack, "ticket", "show", second, "--personal")["contacts"][0]["name"] == "Gizem"
    assert masa_json(stack, "ticket", "show", first, "--personal")["contacts"][0]["phone"] is None
    erase(stack, second, 1)
    assert stack.one("select count(*) from turunc.citizen where contact_key like '%%4445566'") == 0


def test_where_others_mention_the_person_is_named(stack, office):
    resolved(stack, office, first_name="Hale", phone="05326667788")
    tells = report(stack, stack.app, description="Komşum 0532 666 77 88 de aynı şeyden yakınıyor")
    shown = masa_json(stack, "citizen", "erase", "05326667788", "--reason", REASON, "--dry-run")
    assert [(row["what"], row["ticket"]) for row in shown["mentioned_in"]] == [("contact", tells)]


# --- the erasure itself, last ---

def test_a_person_is_forgotten_and_every_figure_is_the_same(stack, office, people):
    hers, other = people
    wait_told(stack)
    before, head = figures(stack), masa_json(stack, "log", "verify")
    handed_out = papers(stack, head["records"])
    text = dump(stack)
    assert found_in(text) == set(TRACES), "a trace that is nowhere proves nothing"

    told = erase(stack, PHONE, 2)
    assert told["contacts"] == 2 and told["messages"] > 0 and told["texts"] == 4

    after = dump(stack)
    assert found_in(after) == set()
    assert figures(stack) == before
    assert papers(stack, head["records"]) == handed_out, "byte for byte"
    # The history is the same, and has grown by what was done.
    verified = masa_json(stack, "log", "verify", "--head", f"{head['records']}:{head['head_hash']}")
    assert verified["right"] is True
    assert stack.sql("select type, ticket_id, actor like 'user:%%' from turunc.event_log where seq > %s order by seq",
                     head["records"]) == [("citizen.erased", ticket_id(n), True) for n in sorted(hers)]
    # Figures made anew from the record alone are the same, too.
    stack.redis.command("flushall")
    stack.wait(lambda: stack.http("metrics", "GET", "/live/state.json").json()["state"] == "live" and board(stack), 20,
               "the board is made anew")
    assert figures(stack) == before
    # Nowhere else either: what the services wrote, and what Redis keeps.
    for name in ("intake", "router", "notifier", "metrics"):
        assert found_in(stack.log(name).casefold()) == set(), name
    for folder, _, files in os.walk(stack.path("redis")):
        for file in files:
            path = os.path.join(folder, file)
            if os.path.isfile(path):
                with open(path, "rb") as data:
                    assert found_in(data.read().decode("utf-8", "replace").casefold()) == set(), path
    # Somebody else is untouched.
    assert masa_json(stack, "ticket", "show", other, "--personal")["contacts"][0]["name"] == "Cem"


def test_departments_are_told_to_forget_and_see_nothing_more(stack, office, people):
    for number in people[0]:
        record = office.wait("citizen.erased", number)
        assert not record.view.HasField("citizen") and record.view.description == ""
        assert record.view.status and record.event.WhichOneof("body") == "administration"
    public = look_up(stack, people[0][0])
    assert public["status"] == "closed" and not public.get("description")


def test_it_is_in_the_log_of_destructions_which_names_nobody(stack, people):
    rows = [row for row in masa_json(stack, "citizen", "destructions") if row["tickets"] == 2]
    assert len(rows) == 1 and rows[0]["reason"] == REASON and rows[0]["contacts"] == 2
    assert rows[0]["actor"].startswith("user:") and rows[0]["messages"] > 0
    for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        assert stack.one("select has_table_privilege('turunc_admin', 'turunc.destruction', %s)", privilege) is False
    for role in ("intake", "router", "notifier", "metrics"):
        assert stack.one("select has_function_privilege(%s, 'turunc.erase_contacts(uuid[], uuid, bigint, text, text)',"
                         " 'EXECUTE')", f"turunc_{role}") is False


def test_a_second_time_there_is_nothing_and_a_late_repeat_brings_nothing_back(stack, people):
    refused(stack, NOT_FOUND, "erase", PHONE, "--reason", REASON, "--confirm", "2")
    refused(stack, NOT_FOUND, "erase", people[0][0], "--reason", REASON, "--confirm", "1")
    key = stack.one("select id from turunc.inbound_item where ticket_id = %s", ticket_id(people[0][0]))
    again = post(stack, stack.app, headers={"Idempotency-Key": key}, **PERSON)
    assert again.status == 201 and again.json()[0]["service_request_id"] == people[0][0]
    assert found_in(dump(stack)) == set()
