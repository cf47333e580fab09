"""The spine: a report becomes a ticket, reaches its department, comes back resolved, and everybody
who should hear of it does, each once."""
import email.utils
import re
import time
import xml.etree.ElementTree as xml

import pytest

from process import wait_until
from world import (Follower, Program, admitted, look_up, masa_json, messages_about, post, report,
                   ticket_id, wait_messages, wait_status, wait_told)

NAME = "Şükrü Iğdır"


def as_citizen(**fields):
    return {"first_name": "Şükrü", "last_name": "Iğdır", "email": "sukru@yurttas.example",
            "address_string": "Şirinyalı Mah. Çınar Sok. No 3", **fields}


@pytest.fixture(scope="module")
def resolved(stack):
    """A report worked through by a department's own system; what everybody saw of it."""
    with Follower(stack, "temizlik-system", ["temizlik"], personal="full") as department:
        number = report(stack, stack.app, **as_citizen())
        wait_status(stack, number, "routed")
        snapshot = department.client.snapshot(["temizlik"])
        delivered = department.wait("ticket.routed", number)
        before = look_up(stack, number)
        version = delivered.view.version
        for verb, fields in (("accept", {}), ("start", {}),
                             ("resolve", {"reason_code": "yapildi", "text": "Sokak süpürüldü; ızgara açıldı."})):
            version = department.step(number, verb, version, **fields).version
        last = department.wait("ticket.resolved", number)
        yield {"number": number, "snapshot": snapshot, "delivered": delivered, "last": last,
               "before": before, "version": version, "types": department.types(number)}


def test_report_is_routed_by_the_municipalitys_rules(stack, resolved):
    view = resolved["delivered"].view
    assert view.department == "temizlik" and view.subject_code == "cadde-supurme"
    assert resolved["delivered"].event.actor.startswith("rule:")
    assert resolved["before"]["status"] == "open"
    assert stack.sql("select client, channel from turunc.ticket where ticket_id = %s",
                     ticket_id(resolved["number"])) == [("citizens-app", 3)]


def test_department_sees_the_whole_ticket(resolved):
    view = resolved["delivered"].view
    assert view.description.startswith("Sokağımız") and view.address.startswith("Şirinyalı")
    assert (view.citizen.name, view.citizen.email) == (NAME, "sukru@yurttas.example")
    assert not view.citizen.masked
    assert (round(view.position.latitude, 6), round(view.position.longitude, 6)) == (36.872345, 30.723456)
    assert view.service_due_us > view.recorded_us > 0


def test_department_begins_with_a_snapshot(resolved):
    found = {view.number: view for view in resolved["snapshot"].tickets}
    assert found[resolved["number"]].description.startswith("Sokağımız")
    assert resolved["snapshot"].as_of_seq >= resolved["delivered"].seq


def test_department_hears_of_each_step_once(resolved):
    steps = [kind for kind in resolved["types"] if kind.startswith("ticket.")]
    assert steps == ["ticket.routed", "ticket.accepted", "ticket.started", "ticket.resolved"]
    assert resolved["last"].view.version == resolved["version"]


def test_citizen_gets_each_mail_once(stack, resolved):
    number = resolved["number"]
    mails = wait_messages(stack, number, 3)
    assert [m["subject"] for m in mails] == [
        f"{number} numaralı başvurunuz alındı",
        f"{number} numaralı başvurunuz ilgili birime iletildi",
        f"{number} numaralı başvurunuz sonuçlandı"]
    for mail in mails:
        assert mail["to"] == ["sukru@yurttas.example"]
        assert re.fullmatch(r"turuncmasa\+b\.[a-z2-7]{26}\.[a-z2-7]{13}@muratpasa\.example", mail["sender"]), "its return path"
        assert f"Sayın {NAME}," in mail["text"] and "Muratpaşa Belediyesi" in mail["text"]
        assert "444 80 07" in mail["text"] and "{" not in mail["text"]
    assert "Temizlik İşleri Müdürlüğü" in mails[1]["text"]
    assert "İş tamamlandı" in mails[2]["text"]
    assert "Sokak süpürüldü; ızgara açıldı." in mails[2]["text"]


def test_mails_have_the_headers_that_keep_robots_quiet(stack, resolved):
    mails = wait_messages(stack, resolved["number"], 3)
    ids = [m["message_id"] for m in mails]
    known = {str(row[0]) for row in stack.sql(
        "select notification_id from turunc.notification where ticket_id = %s",
        ticket_id(resolved["number"]))}
    assert {i.strip("<>").split("@")[0] for i in ids} == known and len(known) == 3
    for mail in mails:
        headers = mail["headers"]
        assert headers["Auto-Submitted"] == "auto-generated"
        assert headers["X-Turunc-Ticket"] == resolved["number"]
        assert headers["Content-Language"] == "tr"
        name, address = email.utils.parseaddr(headers["From"])
        assert (name, address) == ("Muratpaşa Belediyesi", "turuncmasa@muratpasa.example")
        sent = email.utils.parsedate_to_datetime(headers["Date"])
        assert abs(sent.timestamp() - time.time()) < 300 and sent.utcoffset().total_seconds() == 10800


def test_phone_only_citizen_gets_an_sms(stack):
    number = report(stack, stack.app, service_code="oyun-grubu", phone="0532 123 45 67")
    with Follower(stack, "park-system", ["park"]) as park:
        wait_status(stack, number, "routed")
        version = park.step(number, "start", 2).version
        park.step(number, "resolve", version, reason_code="yapildi")
    texts = wait_messages(stack, number, 3)
    assert [m["kind"] for m in texts] == ["sms"] * 3
    assert {m["fields"]["to"] for m in texts} == {"+905321234567"}
    assert {m["fields"]["from"] for m in texts} == {"MURATPASA"}
    assert len({m["fields"]["id"] for m in texts}) == 3
    words = [m["fields"]["text"] for m in texts]
    assert words[0].startswith(f"Sayın hemşehrimiz, {number} numaralı başvurunuz")
    assert "Park ve Bahçeler Müdürlüğü" in words[1] and "Çözüldü (İş tamamlandı)" in words[2]


def test_citizen_who_left_no_address_hears_nothing(stack):
    number = report(stack, stack.app)
    wait_status(stack, number, "routed")
    wait_told(stack)
    assert messages_about(stack, number) == []


def test_everybody_sees_it_closed(stack, resolved):
    number = resolved["number"]
    stranger = look_up(stack, number)
    assert stranger["status"] == "closed" and stranger["status_notes"] == "Çözüldü: İş tamamlandı"
    assert stranger["agency_responsible"] == "Temizlik İşleri Müdürlüğü"
    hidden = str(stranger)
    assert "Şükrü" not in hidden and "Çınar" not in hidden and "Sokağımız" not in hidden
    assert (stranger["lat"], stranger["long"]) == (36.872, 30.723)


def test_masa_tells_the_whole_story(stack, resolved):
    wait_told(stack)
    told = masa_json(stack, "ticket", "show", resolved["number"], "--personal")
    assert (told["status"], told["department"], told["version"]) == (
        "resolved", "temizlik", resolved["version"])
    types = [record["type"] for record in told["history"]]
    assert [kind for kind in types if kind.startswith("ticket.")] == [
        "ticket.opened", "ticket.routed", "ticket.accepted", "ticket.started", "ticket.resolved"]
    assert types.count("notification.sent") == 3
    assert [m["state"] for m in told["messages"]] == ["sent"] * 3
    actors = {record["type"]: record["actor"] for record in told["history"]}
    assert actors["ticket.accepted"] == actors["ticket.resolved"] == "client:temizlik-system"
    assert actors["ticket.opened"] == "client:citizens-app" and actors["ticket.routed"].startswith("rule:")
    assert told["contacts"][0]["name"] == NAME
    assert told["texts"][0]["body"] == "Sokak süpürüldü; ızgara açıldı."
    assert told["clocks"][0]["clock"] == "service" and told["clocks"][0]["state"] == "stopped"
    assert [(hop["from_department"], hop["to_department"]) for hop in told["hops"]] == [("", "temizlik")]
    assert NAME not in stack.masa("ticket", "show", resolved["number"])


def test_board_counts_it(stack, resolved):
    def shown():
        state = stack.http("edge", "GET", "/live/state.json").json()
        return state["seq"] >= stack.one("select max(last_seq) from turunc.log_batch") and state
    state = wait_until(shown, 15, "the board has caught up")
    values = state["values"]
    by_status = dict(stack.sql("select coalesce(s.status, 1), count(*) from turunc.ticket t"
                               " left join turunc.ticket_state s using (ticket_id) group by 1"))
    assert values["status.resolved"] == by_status[7]
    assert values["d.temizlik.open"] == stack.one(
        "select count(*) from turunc.ticket_state where department = 'temizlik' and status <= 6")
    assert values.get("today.open311", 0) == stack.one(
        "select count(*) from turunc.event_log where type = 'ticket.opened'"
        " and (to_timestamp(committed_at_us / 1e6) at time zone 'Europe/Istanbul')::date"
        " = (to_timestamp(%s / 1e6) at time zone 'Europe/Istanbul')::date", state["now_us"])
    assert "Temizlik İşleri Müdürlüğü" in [d["tr"] for d in state["departments"]]


@pytest.mark.parametrize("language", ["c", "python"])
def test_example_department_works_tickets_through(stack, language):
    keys = admitted(stack, f"fen-{language}", departments=("fen",))
    first = report(stack, stack.app, service_code="yol-cokme", **{"email": "a@yurttas.example"})
    wait_status(stack, first, "routed")
    with Program(stack, language, "department", "--keys", keys, "--department", "fen", "--count", 2,
                 "--name", language) as program:
        second = report(stack, stack.app, service_code="yagmur-suyu", **{"email": "b@yurttas.example"})
        assert program.wait_end() == 0, program.log()
    for number in (first, second):
        wait_status(stack, number, "resolved")
        assert look_up(stack, number)["status"] == "closed"
        assert len(wait_messages(stack, number, 3)) == 3


def test_answer_in_xml_says_the_same(stack):
    answer = post(stack, stack.app, extension="xml", description="<b>&amp;</b> süpürün")
    assert answer.status == 201 and answer.headers["Content-Type"].startswith("text/xml")
    number = xml.fromstring(answer.body).find("request/service_request_id").text
    wait_status(stack, number, "routed")
    assert look_up(stack, number)["status"] == "open"


def test_history_is_as_it_was_written(stack, resolved):
    wait_told(stack)
    told = masa_json(stack, "log", "verify")
    assert told["right"] is True
    assert told["records"] == stack.one("select count(*) from turunc.event_log")
