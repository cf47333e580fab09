"""Open311 through intake's own port: every call in both formats, and what bad input gets."""
import hashlib
import re
import struct
import threading
import xml.etree.ElementTree as xml

import pytest

from intake_world import (FORM, REPORT, Load, add_api_key, check_log, drained, number_of, post,
                          ticket_id)
from stack import Stack
from turunc.v1 import event_pb2
from web import request

QUICK = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0"}
W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$")


@pytest.fixture(scope="module")
def world():
    with Stack(services=["intake"], env={"intake": QUICK}) as stack:
        stack.key = add_api_key(stack, "app")
        stack.reader = add_api_key(stack, "desk-system", "--verbs", "snapshot",
                                   "--departments", "*")
        stack.cleaners = add_api_key(stack, "cleaners", "--verbs", "snapshot",
                                     "--departments", "temizlik")
        stack.mute = add_api_key(stack, "mute", "--verbs", "subscribe")
        stack.start()
        yield stack
        assert stack.terminate("intake") == 0  # nothing left behind, nothing leaked


def get(world, path, key=None, **more):
    path = f"/open311/v2/{path}"
    if key:
        path += ("&" if "?" in path else "?") + f"api_key={key}"
    return world.http("intake", "GET", path, **more)


def errors(answer):
    """(code, description) pairs of either format."""
    if answer.headers["Content-Type"].startswith("application/json"):
        return [(entry["code"], entry["description"]) for entry in answer.json()]
    root = xml.fromstring(answer.body)
    assert root.tag == "errors"
    return [(entry.find("code").text, entry.find("description").text)
            for entry in root.findall("error")]


# --- what is offered ---


def test_discovery_in_both_formats(world):
    told = world.http("intake", "GET", "/open311/discovery.json").json()
    assert set(told) == {"changeset", "contact", "key_service", "endpoints"}
    endpoint = told["endpoints"][0]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    root = xml.fromstring(world.http("intake", "GET", "/open311/discovery.xml").body)
    assert root.tag == "discovery"
    assert root.find("endpoints/endpoint/url").text == endpoint["url"]
    assert [f.text for f in root.findall("endpoints/endpoint/formats/format")] == endpoint["formats"]


def test_services_in_both_formats(world):
    listed = get(world, "services.json").json()
    assert len(listed) >= 40
    for service in listed:
        assert isinstance(service["service_code"], str) and isinstance(service["metadata"], bool)
        assert {"service_name", "description", "type", "keywords", "group"} <= set(service)
    root = xml.fromstring(get(world, "services.xml").body)
    assert [s.find("service_code").text for s in root.findall("service")] \
        == [s["service_code"] for s in listed]


def test_services_speak_the_readers_language_and_are_not_sent_twice(world):
    turkish = get(world, "services.json", headers={"Accept-Language": "tr"})
    english = get(world, "services.json", headers={"Accept-Language": "en"})
    assert turkish.json()[0]["service_name"] != english.json()[0]["service_name"]
    again = get(world, "services.json", headers={"Accept-Language": "en",
                                                 "If-None-Match": english.headers["ETag"]})
    assert again.status == 304 and again.body == b""


def test_definition_of_a_service_with_questions(world):
    told = get(world, "services/yol-cukur.json").json()
    assert told["service_code"] == "yol-cukur"
    question = told["attributes"][0]
    assert question["code"] == "boyut" and question["required"] is True
    assert question["datatype"] == "singlevaluelist" and question["order"] == 1
    assert all(isinstance(value["key"], str) for value in question["values"])
    root = xml.fromstring(get(world, "services/yol-cukur.xml").body)
    assert root.find("attributes/attribute/values/value/key").text == question["values"][0]["key"]
    unknown = get(world, "services/nothing.xml")
    assert unknown.status == 404 and errors(unknown)[0][0] == "404"


def test_unknown_jurisdiction_and_format(world):
    assert get(world, "services.json?jurisdiction_id=elsewhere").status == 404
    listed = get(world, "services.json?jurisdiction_id=").status
    assert listed == 200
    nowhere = get(world, "services.csv")
    assert nowhere.status == 404 and errors(nowhere)[0][0] == "404"


# --- a report ---


def test_report_is_durable_when_answered(world):
    number = number_of(post(world, world.key, first_name="Ayşe", last_name="Yılmaz",
                            phone="0532 123 45 67", email="Ayse@Example.org", account_id="a-7",
                            device_id="d-9", media_url="https://example.org/1.jpg"))
    assert re.fullmatch(r"\d\d-\d{7,}-\d", number)
    row = world.sql("""select c.name, c.phone, c.email, c.description, c.account_id, c.device_id,
                           c.media_url, t.subject_code, t.neighbourhood, t.public, t.client, t.channel,
                           z.contact_key
                       from turunc.ticket t join turunc.contact c using (contact_id)
                       join turunc.citizen z on z.citizen_id = c.citizen_id
                       where t.ticket_id = %s""", ticket_id(number))
    assert len(row) == 1
    assert row[0][:7] == ("Ayşe Yılmaz", "+905321234567", "Ayse@Example.org", REPORT["description"],
                          "a-7", "d-9", "https://example.org/1.jpg")
    assert row[0][7] == "cadde-supurme" and row[0][8] != "" and row[0][9] is True
    assert row[0][10:] == ("app", 3, "tel:+905321234567")


def test_record_holds_codes_and_no_person(world):
    number = number_of(post(world, world.key, first_name="Zeynep", phone="0532 999 88 77",
                            description="gizli söz",
                            headers={"traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}))
    kind, actor, body, at_us = world.sql(
        "select type, actor, event, committed_at_us from turunc.event_log where ticket_id = %s",
        ticket_id(number))[0]
    record = event_pb2.Event.FromString(bytes(body))
    assert (kind, actor) == ("ticket.opened", "client:app")
    assert record.type == kind and record.subject == number and record.source == "intake"
    assert record.traceparent == "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    assert record.opened.client == "app" and record.opened.version == 1
    assert len(record.opened.content_digest) == 32
    assert abs(record.time_us - at_us) < 10_000_000
    for secret in ("Zeynep", "532999", "gizli"):
        assert secret.encode() not in bytes(body)


def test_salted_digest_can_be_recomputed_from_the_row(world):
    number = number_of(post(world, world.key, first_name="Ali", description="bir söz"))
    salt, name, description, latitude, longitude, body = world.sql(
        """select c.salt, c.name, c.description, c.latitude, c.longitude, e.event
           from turunc.ticket t join turunc.contact c using (contact_id)
           join turunc.event_log e on e.ticket_id = t.ticket_id where t.ticket_id = %s""",
        ticket_id(number))[0]
    digest = hashlib.blake2b(key=bytes(salt), digest_size=32)
    for part in (name, "", "", description, "", "", "", "", ""):
        digest.update(struct.pack(">Q", len(part.encode())) + part.encode())
    digest.update(struct.pack(">Q", 16) + struct.pack("<dd", latitude, longitude))
    digest.update(struct.pack(">Q", 0))
    record = event_pb2.Event.FromString(bytes(body))
    assert record.opened.content_digest == digest.digest()


def test_xml_answer_escapes_and_round_trips(world):
    text = 'Çöp <b> & "it" \t söz'
    answer = post(world, world.key, "xml", description=text)
    number = xml.fromstring(answer.body).find("request/service_request_id").text
    told = get(world, f"requests/{number}.xml", world.reader)
    assert xml.fromstring(told.body).find("request/description").text == text
    assert get(world, f"requests/{number}.json", world.reader).json()[0]["description"] == text


def test_nobody_sees_more_of_a_special_category_than_its_codes(world):
    """Here no look can be written down before it is had: whole it is at the desk and on the bus."""
    secret = "Yatağa bağımlı annem için."
    number = number_of(post(world, world.key, service_code="evde-saglik", description=secret, first_name="Ayşe",
                            address_string="Gizli Sokak No 7", media_url="https://example.org/g.jpg",
                            **{"attribute[durum]": secret}))
    assert get(world, f"requests/{number}.json").status == 404
    for answer in (get(world, f"requests/{number}.json", world.reader),
                   get(world, "requests.json?service_code=evde-saglik", world.reader),
                   get(world, f"requests/{number}.xml", world.reader)):
        assert answer.status == 200 and number in answer.text and "evde-saglik" in answer.text
        for hidden in (secret, "Gizli", "g.jpg", "36.87", "30.72", "Ayşe"):
            assert hidden not in answer.text, hidden


def test_places(world):
    by_address = number_of(post(world, world.key, lat=None, long=None,
                                address_string="Fener Mah. 1964 Sok. No:3, Antalya"))
    by_id = number_of(post(world, world.key, lat=None, long=None, address_id="fener"))
    outside = number_of(post(world, world.key, lat="41.01", long="28.97"))
    found = dict(world.sql("select ticket_id, neighbourhood from turunc.ticket "
                           "where ticket_id = any(%s)",
                           [ticket_id(n) for n in (by_address, by_id, outside)]))
    assert found == {ticket_id(by_address): "fener", ticket_id(by_id): "fener",
                     ticket_id(outside): ""}


def test_answers_to_questions_are_kept(world):
    number = number_of(post(world, world.key, service_code="yol-cukur",
                            **{"attribute[boyut]": "buyuk", "attribute[serit]": ""}))
    kept = world.one("select c.answers from turunc.ticket t join turunc.contact c using (contact_id)"
                     " where t.ticket_id = %s", ticket_id(number))
    assert kept == '{"boyut":["buyuk"]}'


BAD = [
    ("no service", {"service_code": None}, 400, "service_code: required"),
    ("unknown service", {"service_code": "x"}, 404, "service_code: no such service"),
    ("no place", {"lat": None, "long": None}, 400, "one is required"),
    ("half a position", {"long": None}, 400, "lat, long: both"),
    ("latitude out of range", {"lat": "91"}, 400, "lat: must be from -90 to 90"),
    ("longitude not a number", {"long": "30,7"}, 400, "long: not a decimal number"),
    ("latitude is nan", {"lat": "nan"}, 400, "lat: not a decimal number"),
    ("unknown address id", {"address_id": "zz"}, 400, "address_id"),
    ("bad phone", {"phone": "0532"}, 400, "phone: "),
    ("bad e-mail", {"email": "a@b"}, 400, "email: not an e-mail address"),
    ("bad picture", {"media_url": "javascript:x"}, 400, "media_url"),
    ("long description", {"description": "ü" * 4001}, 400, "description: longer than 4000"),
    ("control character", {"first_name": "a\x01b"}, 400, "first_name: holds a control character"),
    ("twice", {"phone": ["05321234567", "05321234568"]}, 400, "phone: given more than once"),
    ("question missing", {"service_code": "yol-cukur"}, 400, "attribute[boyut]: required"),
    ("value not offered", {"service_code": "yol-cukur", "attribute[boyut]": "dev"}, 400,
     "attribute[boyut]: not one of"),
    ("two values for one", {"service_code": "yol-cukur", "attribute[boyut][]": ["orta", "buyuk"]},
     400, "attribute[boyut]: takes one value"),
    ("question of another", {"attribute[renk]": "mavi"}, 400, "no such question"),
    ("attribute malformed", {"attribute[": "mavi"}, 400, "attribute: not like"),
    ("other jurisdiction", {"jurisdiction_id": "ankara"}, 404, "jurisdiction_id"),
]


@pytest.mark.parametrize("extension", ["json", "xml"])
@pytest.mark.parametrize("fields,status,words", [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])
def test_bad_field_is_named(world, fields, status, words, extension):
    before = world.one("select count(*) from turunc.ticket")
    answer = post(world, world.key, extension, **fields)
    assert answer.status == status, answer
    told = errors(answer)
    assert told[0][0] == str(status) and any(words in text for _, text in told), told
    assert world.one("select count(*) from turunc.ticket") == before


def test_4000_characters_of_any_width_are_taken(world):
    assert post(world, world.key, description="ü" * 4000).status == 201


def test_all_problems_are_told_at_once(world):
    told = errors(post(world, world.key, phone="1", email="x", lat="200"))
    assert len(told) == 3


def test_keys(world):
    for key, words in ((None, "required"), ("", "required"), ("wrong", "not a valid key"),
                       (world.mute, "may not create")):
        answer = post(world, key)
        assert answer.status == 403 and words in errors(answer)[0][1]
    assert get(world, "requests.json", "wrong").status == 403


def test_a_key_in_a_body_that_is_no_form_is_not_called_missing(world):
    answer = world.http("intake", "POST", "/open311/v2/requests.json",
                        as_json={**REPORT, "api_key": world.key})
    assert answer.status == 400 and "Content-Type" in errors(answer)[0][1]
    assert "query" in errors(answer)[0][1]
    nothing = world.http("intake", "POST", "/open311/v2/requests.json")
    assert nothing.status in (403, 411) or "required" in nothing.text


def test_key_in_the_query_works_too(world):
    answer = world.http("intake", "POST", f"/open311/v2/requests.json?api_key={world.key}",
                        form=REPORT)
    assert answer.status == 201


def test_bodies_that_are_no_form(world):
    path = f"/open311/v2/requests.json?api_key={world.key}"
    as_json = world.http("intake", "POST", path, as_json=REPORT)
    assert as_json.status == 400 and "Content-Type" in errors(as_json)[0][1]
    large = world.http("intake", "POST", path, body=b"a=" + b"x" * 70_000,
                       headers={"Content-Type": FORM})
    assert large.status == 413 and errors(large)[0][0] == "413"
    for body in (b"description=%ff", b"description=%00", b"description=%zz"):
        broken = world.http("intake", "POST", path, body=body, headers={"Content-Type": FORM})
        assert broken.status == 400, broken
    many = "&".join(f"f{i}=1" for i in range(200))
    crowded = world.http("intake", "POST", path, body=many, headers={"Content-Type": FORM})
    assert crowded.status == 400
    assert world.http("intake", "DELETE", path).status == 405
    assert world.http("intake", "GET", "/healthz").status == 200


# --- repeats ---


def test_same_key_again_gets_the_first_answer(world):
    headers = {"Idempotency-Key": "once-1"}
    first = post(world, world.key, headers=headers)
    again = post(world, world.key, headers=headers)
    assert first.status == again.status == 201 and first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert world.one("select count(*) from turunc.inbound_item where id = 'once-1'") == 1


def test_same_key_with_other_content_is_refused(world):
    headers = {"Idempotency-Key": "once-2"}
    assert post(world, world.key, headers=headers).status == 201
    other = post(world, world.key, headers=headers, description="başka")
    assert other.status == 400 and "ID_REUSED" in errors(other)[0][1]


def test_same_id_of_another_client_is_another(world):
    second = add_api_key(world, "app2")
    world.wait(lambda: post(world, second).status == 201)
    headers = {"Idempotency-Key": "once-3"}
    assert number_of(post(world, world.key, headers=headers)) \
        != number_of(post(world, second, headers=headers))


def test_repeat_without_a_key_is_a_new_ticket_and_counted(world):
    before = world.metric("intake", "turunc_intake_possible_repeats_total")
    numbers = {number_of(post(world, world.key, description="aynı söz")) for _ in range(3)}
    assert len(numbers) == 3
    assert world.metric("intake", "turunc_intake_possible_repeats_total") == before + 2


def test_too_long_a_key(world):
    answer = post(world, world.key, headers={"Idempotency-Key": "k" * 129})
    assert answer.status == 400 and "Idempotency-Key" in errors(answer)[0][1]


def test_one_key_from_many_connections_opens_one_ticket(world):
    numbers, threads = [], []
    for _ in range(16):
        threads.append(threading.Thread(target=lambda: numbers.append(number_of(
            post(world, world.key, headers={"Idempotency-Key": "race"})))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 16 and len(set(numbers)) == 1


# --- reading ---


def test_anonymous_reader_sees_little(world):
    number = number_of(post(world, world.key, first_name="Ayşe", description="kimse görmesin",
                            address_string="Fener Mah. 1 Sok.", media_url="https://e.org/a.png"))
    told = get(world, f"requests/{number}.json").json()
    assert len(told) == 1
    told = told[0]
    assert told["service_request_id"] == number and told["status"] == "open"
    assert told["description"] is None and told["media_url"] is None
    assert told["address"] != "Fener Mah. 1 Sok."
    assert (told["lat"], told["long"]) == (36.872, 30.723)
    assert W3C.match(told["requested_datetime"]) and W3C.match(told["updated_datetime"])
    assert told["expected_datetime"] is None and told["agency_responsible"] is None
    whole = get(world, f"requests/{number}.json", world.reader).json()[0]
    assert whole["description"] == "kimse görmesin" and whole["media_url"] == "https://e.org/a.png"
    assert (whole["lat"], whole["long"]) == (36.872345, 30.723456)
    assert whole["address"] == "Fener Mah. 1 Sok."


def test_private_subject_does_not_exist_for_strangers(world):
    code = "kadin-danisma"
    number = number_of(post(world, world.key, service_code=code))
    assert get(world, f"requests/{number}.json").status == 404
    assert get(world, f"requests.json?service_request_id={number}").json() == []
    assert number not in get(world, "requests.json").text
    assert get(world, f"requests/{number}.json", world.key).status == 404
    assert get(world, f"requests/{number}.json", world.reader).status == 200


def set_state(world, number, **columns):
    row = {"ticket_id": ticket_id(number), "status": 3, "version": 2, "department": "temizlik",
           "subject_code": "cadde-supurme", "priority": 2, "updated_us": 1, **columns}
    names = ", ".join(row)
    world.sql(f"""insert into turunc.ticket_state ({names})
                  values ({', '.join(['%s'] * len(row))})""", *row.values())


def test_state_deadline_and_department_are_told(world):
    number = number_of(post(world, world.key, description="temiz değil"))
    recorded = world.one("select recorded_us from turunc.ticket where ticket_id = %s",
                         ticket_id(number))
    set_state(world, number, status=8, reason_code="gorev-disi", updated_us=recorded + 5_000_000,
              legal_due_us=1_900_000_000_000_000, service_due_us=1_800_000_000_000_000)
    told = get(world, f"requests/{number}.json").json()[0]
    assert told["status"] == "closed" and told["status_notes"].startswith("Reddedildi")
    assert told["agency_responsible"] and told["agency_responsible"] != "temizlik"
    assert told["expected_datetime"] == "2027-01-15T11:00:00+03:00"
    assert told["updated_datetime"] > told["requested_datetime"]
    own = get(world, f"requests/{number}.json", world.cleaners).json()[0]
    assert own["description"] == "temiz değil"


def test_department_reader_sees_its_own_whole_only(world):
    other = number_of(post(world, world.key, description="başkasının"))
    set_state(world, other, department="zabita")
    assert get(world, f"requests/{other}.json", world.cleaners).json()[0]["description"] is None


def test_list_filters(world):
    open_one = number_of(post(world, world.key, service_code="kaldirim-hasar"))
    closed = number_of(post(world, world.key, service_code="kaldirim-hasar"))
    set_state(world, closed, status=7, subject_code="kaldirim-hasar",
              updated_us=4_000_000_000_000_000)

    def listed(query):
        answer = get(world, f"requests.json?{query}")
        assert answer.status == 200, answer
        return [entry["service_request_id"] for entry in answer.json()]

    code = "service_code=kaldirim-hasar"
    assert set(listed(code)) == {open_one, closed}
    assert listed(code + "&status=open") == [open_one]
    assert listed(code + "&status=closed") == [closed]
    assert set(listed(code + ",x&status=open,closed")) == {open_one, closed}
    assert listed(f"service_request_id={closed},{open_one}&status=open") == [closed, open_one]
    assert listed("service_request_id=99-9999999-9,nonsense") == []
    assert listed(code + "&updated_after=2090-01-01T00:00:00Z") == [closed]
    assert listed(code + "&updated_before=2090-01-01T00:00:00Z") == [open_one]
    assert listed(code + "&page_size=1") != listed(code + "&page_size=1&page=2")
    assert listed(code + "&page_size=1&page=3") == []
    assert listed(code + "&start_date=2020-01-01T00:00:00Z&end_date=2020-02-01T00:00:00Z") == []
    assert set(listed(code + "&start_date=")) == {open_one, closed}
    root = xml.fromstring(get(world, f"requests.xml?{code}").body)
    assert root.tag == "service_requests" and len(root.findall("request")) == 2


@pytest.mark.parametrize("query,words", [
    ("start_date=yesterday", "start_date: not a date-time"),
    ("start_date=2026-02-30", "start_date"),
    ("start_date=2026-01-01&end_date=2026-06-01", "at most 90 days"),
    ("start_date=2026-06-01&end_date=2026-05-01", "before start_date"),
    ("status=asleep", "status: open, closed"),
    ("page_size=1001", "page_size"),
    ("page=0", "page"),
    ("page=abc", "page"),
])
def test_bad_filter_is_named(world, query, words):
    answer = get(world, f"requests.json?{query}")
    assert answer.status == 400 and words in errors(answer)[0][1]


def test_unknown_request_and_token(world):
    for path in ("requests/26-9999999-0.json", "requests/nonsense.json", "tokens/1.json"):
        answer = get(world, path)
        assert answer.status == 404 and errors(answer)[0][0] == "404"
    number = number_of(post(world, world.key))
    assert get(world, f"tokens/{number}.json").json() \
        == [{"service_request_id": number, "token": number}]


# --- the page, and what supervisors ask ---


def test_page_is_served_with_a_strict_policy(world):
    page = world.http("intake", "GET", "/")
    assert page.status == 200 and "/live/" in page.text and "/open311/discovery.xml" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src" in policy and "unsafe" not in policy
    assert "<script" not in page.text and "style=" not in page.text
    style = world.http("intake", "GET", "/assets/intake.css")
    assert style.status == 200 and style.headers["Content-Type"].startswith("text/css")
    assert world.http("intake", "GET", "/", headers={"If-None-Match": page.headers["ETag"]}).status \
        == 304
    assert world.http("intake", "GET", "/nothing").status == 404


def test_metrics_count_what_happened(world):
    before = world.metric("intake", "turunc_intake_tickets_opened_total")
    post(world, world.key)
    assert world.metric("intake", "turunc_intake_tickets_opened_total") == before + 1
    ready = world.http("intake", "GET", "/readyz").json()
    assert {entry["name"] for entry in ready["dependencies"]} == {
        "people_record", "record", "spool", "catalogue", "numbers", "publish_door"}


# --- many at once ---


def test_64_connections_5000_posts(world):
    with Load(world.port["intake_http"], world.key, threads=64, keyed=False) as load:
        world.wait(lambda: len(load.created()) >= 5000, 240, "5,000 tickets")
    assert load.statuses() == {201}
    numbers = list(load.created().values())
    assert len(set(numbers)) == len(numbers) >= 5000
    # What waited long for its commit was taken by the spool.
    drained(world)
    stored = {row[0] for row in world.sql("select ticket_id from turunc.ticket")}
    assert {ticket_id(number) for number in numbers} <= stored
    batches = world.one("select count(*) from turunc.log_batch")
    assert batches < check_log(world)


def test_configuration_and_rights_are_noticed(world):
    key = add_api_key(world, "passing")
    world.wait(lambda: post(world, key).status == 201, 10, "the new key works")
    world.masa("client", "revoke", "passing")
    world.wait(lambda: post(world, key).status == 403, 10, "the revoked key is refused")


def test_rate_limits():
    limits = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "1", "TURUNC_INTAKE_ADDRESS_BURST": "5",
              "TURUNC_INTAKE_KEY_PER_MINUTE": "1", "TURUNC_INTAKE_KEY_BURST": "8"}
    with Stack(services=["intake"], env={"intake": limits}) as stack:
        key = add_api_key(stack, "app")
        stack.start()
        told = [post(stack, key) for _ in range(12)]
        assert [a.status for a in told].count(201) == 8 and told[-1].status == 429
        assert int(told[-1].headers["Retry-After"]) >= 1 and errors(told[-1])[0][0] == "429"
        read = [request(stack.port["intake_http"], "GET", "/open311/v2/services.json").status
                for _ in range(10)]
        assert read[0] == 200 and read[-1] == 429
        assert stack.metric("intake", 'turunc_intake_rate_limited_total{by="key"}') >= 3
