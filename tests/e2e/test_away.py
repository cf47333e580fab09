"""PostgreSQL goes away and comes back: reports are taken all the same, what else needs the record is
told to wait, nothing that was answered is lost, and no service is restarted."""
import pytest

import turunc
from process import wait_until
from turunc.v1 import bus_pb2
from world import (Follower, Raw, admitted, look_up, masa_json, post, report, wait_messages, wait_status,
                   whole_system)

SERVICES = ("intake", "router", "notifier", "metrics")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with whole_system(tmp_path_factory.mktemp("config"), own_postgres=True) as whole:
        whole.start()
        whole.app = whole.api_key("citizens-app")
        wait_until(lambda: post(whole, whole.app).status == 201, 10, "intake knows the key")
        yield whole


def test_record_away_and_back(stack):
    keys = admitted(stack, "clumsy", door="publish", verbs=("publish",))
    with Follower(stack, "office", ["temizlik"]) as office, Raw(keys) as raw, \
            turunc.Client(admitted(stack, "pbx", door="publish", verbs=("publish",)),
                          store=stack.path("pbx.sqlite")) as pbx:
        number = report(stack, stack.app, email="sukru@yurttas.example")
        version = office.wait("ticket.routed", number).view.version
        assert raw.hello()[0] == "welcome"
        pids = [stack.process[name].pid for name in SERVICES]
        stack.kill9("postgres")

        for name in ("router", "notifier"):
            wait_until(lambda n=name: stack.http(n, "GET", "/readyz").status == 503, 10,
                       f"{name} says that it is not ready")
            assert stack.http(name, "GET", "/healthz").status == 200

        # Who reports is served; who reads is told to come again.
        taken = [report(stack, stack.app) for _ in range(3)]
        shown = stack.http("edge", "GET", f"/open311/v2/requests/{number}.json")
        assert shown.status == 503 and int(shown.headers["Retry-After"]) >= 1
        assert stack.http("intake", "GET", "/readyz").status == 200
        kind, said = raw.publish(turunc.ticket_request("clumsy", "Çukur"))
        assert kind == "published" and said.results[0].status == bus_pb2.PUBLISH_SPOOLED
        unsorted = [said.results[0].ticket]
        done = stack.masa("ticket", "list", check=False)
        assert done.returncode == 6

        # What a system says is stored twice over; what a department decides waits for the record.
        future = pbx.post(turunc.ticket_request("pbx", "Kayıt yokken söylendi."))
        command = office.client.send_command(number, "accept", version)
        assert pbx.drain(20) and future.result().status == bus_pb2.PUBLISH_SPOOLED
        assert not command.done()

        stack.restart("postgres")
        wait_until(command.done, 20, "the command is decided")
        assert command.result().version == version + 1
        stack.wait_ready(*SERVICES)
        again = report(stack, stack.app)
        for later in taken + [again]:
            wait_status(stack, later, "routed")
            office.wait("ticket.routed", later)
        for later in unsorted + [future.result().ticket]:  # without a subject
            wait_status(stack, later, "triage")
        wait_status(stack, number, "accepted")
        office.wait("ticket.accepted", number)
        wait_messages(stack, number, 2)
        assert look_up(stack, number)["status"] == "open"
        assert [stack.process[name].pid for name in SERVICES] == pids
        assert all(stack.process[name].running() for name in SERVICES)
        assert masa_json(stack, "log", "verify")["right"] is True


def test_redis_away_and_back(stack):
    stack.restart("postgres")  # does nothing when it runs
    stack.wait_ready(*SERVICES)
    stack.kill9("redis")
    number = report(stack, stack.app)
    wait_status(stack, number, "routed")
    wait_until(lambda: stack.http("metrics", "GET", "/live/state.json").json()["state"] != "live", 10,
               "the board says that it does not know")
    stack.restart("redis")

    def counted():
        state = stack.http("edge", "GET", "/live/state.json").json()
        return state["state"] == "live" and state["seq"] >= stack.one(
            "select max(last_seq) from turunc.log_batch") and state["values"]
    values = wait_until(counted, 20, "the board is rebuilt")
    assert values["status.routed"] == stack.one(
        "select count(*) from turunc.ticket_state where status = 3")
