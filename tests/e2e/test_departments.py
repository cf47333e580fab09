"""What administrators and departments do to a living system: transfers, rights, configuration and
cursors change while everything runs, and nothing is restarted."""
import os

import pytest

import turunc
from municipality import never_quiet
from process import wait_until
from world import Follower, admitted, masa_json, report, wait_key, wait_status
from turunc.v1 import bus_pb2, ticket_pb2


def step_as_desk(stack, number, verb, version, **fields):
    with turunc.Client(stack.path("client-front-desk")) as desk:
        return desk.command(number, verb, version, **fields)


def test_transfer_is_told_to_both_departments(stack):
    with Follower(stack, "old-department", ["temizlik"], personal="full") as old, \
            Follower(stack, "new-department", ["zabita"], personal="full") as new:
        number = report(stack, stack.app, first_name="Ayşe", email="ayse@yurttas.example")
        routed = old.wait("ticket.routed", number)
        assert routed.view.citizen.email == "ayse@yurttas.example"
        done = old.step(number, "transfer", routed.view.version, department="zabita",
                        reason_code="gorev-alani")
        left, came = old.wait("ticket.transferred", number), new.wait("ticket.transferred", number)
        assert left.event.step.previous_department == "temizlik" == came.event.step.previous_department
        assert left.seq == came.seq and left.event.step.department == "zabita"

        # The old department may know where it went, and no more.
        cut = ticket_pb2.TicketView(number=number, status=ticket_pb2.STATUS_ROUTED, department="zabita")
        assert left.view == cut
        assert came.view.description.startswith("Sokağımız") and came.view.version == done.version
        assert came.view.citizen.email == "ayse@yurttas.example"

        with pytest.raises(turunc.Refused) as refused:
            old.step(number, "accept", done.version)
        assert refused.value.code == bus_pb2.REFUSAL_FORBIDDEN
        assert new.step(number, "accept", done.version).status == ticket_pb2.STATUS_ACCEPTED
        new.wait("ticket.accepted", number)
        assert "ticket.accepted" not in old.types(number)


def test_not_mine_goes_to_triage_and_on_to_another(stack):
    with Follower(stack, "park-office", ["park"]) as park, Follower(stack, "fen-office", ["fen"]) as fen:
        number = report(stack, stack.app, service_code="park-bakim")
        routed = park.wait("ticket.routed", number)
        done = park.step(number, "triage", routed.view.version, reason_code="bizim-degil")
        assert done.status == ticket_pb2.STATUS_TRIAGE
        park.wait("ticket.triaged", number)
        on = step_as_desk(stack, number, "route", done.version, department="fen")
        assert fen.wait("ticket.routed", number).view.version == on.version
        story = masa_json(stack, "ticket", "show", number)
        assert [hop["to_department"] for hop in story["hops"]][-1] == "fen"


def test_masked_and_hidden_citizens(stack):
    with Follower(stack, "masked-office", ["temizlik"], personal="masked") as masked, \
            Follower(stack, "blind-office", ["temizlik"], personal="none") as blind:
        number = report(stack, stack.app, first_name="Ayşe", last_name="Yılmaz", phone="05321234567")
        citizen = masked.wait("ticket.routed", number).view.citizen
        assert citizen.masked and citizen.name == "A*** Y***" and "1234" not in citizen.phone
        view = blind.wait("ticket.routed", number).view
        assert not view.HasField("citizen") and view.description.startswith("Sokağımız")


def test_stale_version_is_refused_and_a_repeat_is_not(stack):
    with Follower(stack, "careful-office", ["temizlik"]) as office:
        number = report(stack, stack.app)
        version = office.wait("ticket.routed", number).view.version
        same = "01890000-0000-4000-8000-000000000001"
        first = office.step(number, "accept", version, id=same)
        assert office.step(number, "accept", version, id=same) == first
        with pytest.raises(turunc.Refused) as refused:
            office.step(number, "start", version)
        assert refused.value.stale and refused.value.version == first.version
        assert stack.one("select count(*) from turunc.event_log where type = 'ticket.accepted'"
                         " and ticket_id = %s", int(number[:2] + number[3:10])) == 1


def test_revoking_a_client_ends_its_session(stack):
    with Follower(stack, "short-lived", ["temizlik"]) as office:
        number = report(stack, stack.app)
        office.wait("ticket.routed", number)
        assert office.client.state("stream") == "ready"
        stack.masa("client", "revoke", "short-lived")
        wait_until(lambda: office.client.state("stream") != "ready", 15, "the session has ended")
        before = len(office.records)
        after = report(stack, stack.app)
        wait_status(stack, after, "routed")
        with pytest.raises(AssertionError):
            wait_key(office.folder, "stream", limit_s=2)
        assert office.client.state("stream") != "ready"
        assert after not in [r.event.subject for r in office.records[before:]]
        assert stack.metric("router", 'turunc_bus_sessions_closed_total{why="revoked"}') >= 1


def test_configuration_changes_routing_without_a_restart(stack, tmp_path):
    starts = [stack.process[name].starts for name in ("intake", "router", "notifier", "metrics")]
    folder = never_quiet(str(tmp_path / "config"))
    rules = os.path.join(folder, "rules.csv")
    with open(rules, encoding="utf-8") as file:
        text = file.read()
    with open(rules, "w", encoding="utf-8") as file:
        file.write(text.replace("order,subject,neighbourhood,channel,department,priority\n",
                                "order,subject,neighbourhood,channel,department,priority\n"
                                "5,sulama-ariza,*,*,fen,high\n"))

    def department(number):
        return masa_json(stack, "ticket", "show", number)["department"]

    def routed_to(wanted):
        number = report(stack, stack.app, service_code="sulama-ariza")
        wait_status(stack, number, "routed")
        return department(number) == wanted

    assert routed_to("park")
    version = stack.one("select version from turunc.config_active")
    assert stack.masa("config", "apply", folder, "--dry-run")
    assert stack.one("select version from turunc.config_active") == version
    stack.masa("config", "apply", folder)
    wait_until(lambda: routed_to("fen"), 15, "the new rule is followed", every_s=0.2)
    stack.masa("config", "rollback")
    wait_until(lambda: routed_to("park"), 15, "the old rules are back", every_s=0.2)
    assert [stack.process[name].starts for name in ("intake", "router", "notifier", "metrics")] == starts


def test_seeking_a_subscription_delivers_again(stack):
    with Follower(stack, "forgetful", ["temizlik"]) as office:
        numbers = [report(stack, stack.app) for _ in range(3)]
        for number in numbers:
            office.wait("ticket.routed", number)
        first = office.wait("ticket.routed", numbers[0]).seq
        last = office.wait("ticket.routed", numbers[2]).seq
        folder = office.folder
    wait_until(lambda: stack.one("select seq from turunc.consumer_cursor where client = 'forgetful'")
               >= last, 10, "the acknowledgement is durable")
    said = masa_json(stack, "subs", "seek", "forgetful", "forgetful", first - 1)
    assert said[0]["seq"] == first - 1
    with Follower(stack, "forgetful", ["temizlik"], start="resume", folder=folder) as again:
        for number in numbers:
            again.wait("ticket.routed", number)
        assert again.records[0].seq == first
        listed = {row["name"]: row for row in masa_json(stack, "subs", "list") if row["client"] == "forgetful"}
        assert listed["forgetful"]["departments"] == "temizlik"


def test_a_filter_beyond_its_rights_is_refused(stack):
    keys = admitted(stack, "curious", departments=("park",))
    with turunc.Client(keys) as client:
        sub = client.subscribe("curious", departments=["temizlik"], start="latest")
        with pytest.raises(turunc.Forbidden):
            sub.get(timeout=10)
