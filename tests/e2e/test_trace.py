"""One report is followed by its traceparent through every service: in the records, to a department's system, to the
gateway, in each service's log, and by one command."""
import json
import os
import re
import time
import uuid

from world import POSTS, REPORT, Follower

LINE = re.compile(r"^(\S+Z) (\w+) (\w+) traced stage=(\w+) trace=([0-9a-f]{32}) type=(\S*) ticket=(\S*) ?(.*)$", re.M)


def traceparent(flags="01"):
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-{flags}"


def report(stack, given=None, **fields):
    answer = stack.http("intake", "POST", POSTS + ".json",
                        form={**REPORT, "api_key": stack.app, "phone": "0532 123 45 67", **fields},
                        headers={} if given is None else {"traceparent": given})
    assert answer.status == 201, answer
    return answer.json()[0]["service_request_id"]


def lines(stack, service, trace):
    """(stage, type, ticket, level, the rest) of each line of that trace."""
    return [(stage, kind, ticket, level, rest) for _, level, name, stage, found, kind, ticket, rest
            in LINE.findall(stack.log(service)) if found == trace and name == service]


def stages(stack, service, trace):
    return {(stage, kind) for stage, kind, *_ in lines(stack, service, trace)}


def trail(stack, number):
    folder = stack.path("logs")
    for service in ("intake", "router", "notifier", "metrics"):
        os.makedirs(os.path.join(folder, service), exist_ok=True)
        if not os.path.lexists(os.path.join(folder, service, "current")):
            os.symlink(stack.process[service].log_path, os.path.join(folder, service, "current"))
    return json.loads(stack.masa("ticket", "trace", number, "--logs", folder, "--json"))


def test_a_report_is_followed_through_every_service(stack):
    given = traceparent()
    trace = given.split("-")[1]
    with Follower(stack, "izleyen", []) as department:
        number = report(stack, given)
        opened, routed = (department.wait(kind, number) for kind in ("ticket.opened", "ticket.routed"))
        assert opened.event.traceparent == routed.event.traceparent == given, "what follows has the same"
        stack.wait(lambda: ("told", "ticket.routed") in stages(stack, "notifier", trace), 30, "the citizen was told")
        stack.wait(lambda: ("projected", "ticket.routed") in stages(stack, "metrics", trace), 30, "the board has it")
        assert stages(stack, "intake", trace) == {("committed", "ticket.opened")}
        assert {("routed", "ticket.routed"), ("delivered", "ticket.opened"),
                ("delivered", "ticket.routed")} <= stages(stack, "router", trace)
        assert any("to=izleyen/izleyen" in rest for *_, rest in lines(stack, "router", trace))
        for service in ("intake", "router", "notifier", "metrics"):
            for *_, ticket, level, rest in lines(stack, service, trace):
                assert (ticket, level) == (number, "info")
                assert "0532" not in rest and "532123" not in rest
        sms = [m for m in stack.messages() if m["kind"] == "sms" and number in json.dumps(m["fields"])]
        assert sms and {m["traceparent"] for m in sms} == {given}, "the gateway is told"
        sent = department.wait("notification.sent", number)
        assert sent.event.traceparent == given

        # The department's own step is a trace of its own, given or made.
        own = traceparent()
        done = department.step(number, "accept", routed.view.version, traceparent=own)
        assert department.wait("ticket.accepted", number).event.traceparent == own
        department.step(number, "start", done.version)
        made = department.wait("ticket.started", number).event.traceparent
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made) and made not in (own, given)
        stack.wait(lambda: ("projected", "ticket.accepted") in stages(stack, "metrics", own.split("-")[1]), 30,
                   "its step is followed too")

        said = trail(stack, number)
        assert said["ticket"] == number
        assert said["traces"] == [trace, own.split("-")[1], made.split("-")[1]]
        found = {(step["where"], step["stage"]) for step in said["steps"] if step["trace"] == trace}
        assert found >= {("record", "recorded"), ("intake", "committed"), ("router", "routed"),
                         ("router", "delivered"), ("notifier", "told"), ("metrics", "projected")}
        times = [step["at_us"] for step in said["steps"]]
        assert times == sorted(times) and abs(times[0] / 1e6 - time.time()) < 120
        assert all(step["after_ms"] >= 0 for step in said["steps"])
        first = next(step for step in said["steps"] if step["where"] == "record")
        assert "ticket.opened" in first["what"]


def test_without_one_it_is_made_and_what_is_not_sampled_is_quiet(stack):
    number = report(stack, "not a traceparent")
    trace, = trail(stack, number)["traces"][:1]
    stack.wait(lambda: lines(stack, "metrics", trace), 30, "it is followed")
    quiet = traceparent("00")
    report(stack, quiet)
    stack.wait(lambda: lines(stack, "metrics", quiet.split("-")[1]), 30, "what is not sampled")
    for service in ("intake", "router", "metrics"):
        assert {level for *_, level, _ in lines(stack, service, quiet.split("-")[1])} == {"debug"}, service
    missing = stack.masa("ticket", "trace", "26-9999999-2", check=False)
    assert missing.returncode != 0 and not missing.stdout
