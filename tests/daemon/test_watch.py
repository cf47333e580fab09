"""What operators are told by common tools: the rules of deploy/watch, tried by Prometheus's own tests, and every
metric that a rule or a panel names, given by the real services to a real Prometheus."""
import json
import os
import re
import subprocess
import time
import urllib.parse

import pytest

from intake_world import add_api_key, number_of, post, ticket_id
from ports import free_port
from process import Process
from servers import ROOT, SERVICES
from stack import Stack
from web import request

WATCH = os.path.join(ROOT, "deploy", "watch")
NAME = re.compile(r"\b(?:turunc|process|probe)_[a-z0-9_]+\b")
BY_OTHERS = {"probe_ssl_earliest_cert_expiry", "probe_success"}  # of Debian's blackbox exporter
ALERT = re.compile(r"^      - alert: (\w+)\n((?:        .*\n)+)", re.M)


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def alerts():
    """name -> its rule's text."""
    return dict(ALERT.findall(text_of("deploy", "watch", "alerts.yml")))


def expressions():
    """(where, expression) of every panel and of the annotations."""
    board = json.loads(text_of("deploy", "watch", "grafana", "dashboards", "turunc.json"))
    found = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
    return found + [("annotation", one["expr"]) for one in board["annotations"]["list"]]


def promtool(*words, **more):
    return subprocess.run(["promtool", *words], text=True, capture_output=True, timeout=600, check=False, **more)


# --- as they are written ----------------------------------------------------------------------------

def test_rules_speak_when_they_should_and_in_these_words():
    done = promtool("test", "rules", os.path.join(WATCH, "alerts_test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_one_that_prometheus_takes():
    done = promtool("check", "config", os.path.join(WATCH, "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tested_both_ways_and_has_its_line_in_the_runbook():
    tests, runbook = text_of("deploy", "watch", "alerts_test.yml"), text_of("docs", "runbook.md")
    known = alerts()
    assert len(known) > 30
    for name, rule in known.items():
        cases = [case for case in tests.split("\n  - name: ") if f"alertname: {name}\n" in case]
        assert len([c for c in cases if "exp_labels" in c]) == len([c for c in cases if "exp_alerts: []" in c]) == 1, name
        assert f"runbook_url: docs/runbook.md#{name.lower()}\n" in rule, name
        written = re.search(rf"^## {name}\n((?:[^#\n].*\n)+)", runbook, re.M)
        assert written and len(written.group(1)) > 80, f"{name}: the runbook says nothing to do"
        assert re.search(r"labels: \{severity: (critical|warning)\}", rule), name
    assert set(re.findall(r"^## (Turunc\w+)$", runbook, re.M)) == set(known)


def test_the_compose_targets_are_those_of_the_compose_file():
    compose, targets = text_of("docker-compose.yml"), text_of("deploy", "watch", "targets.compose.yml")
    found = re.findall(r'targets: \["(\w+):(\d+)"\]\n  labels: \{service: (\w+)\}', targets)
    assert [(name, service) for name, _, service in found] == [(name, name) for name in SERVICES]
    for name, port, _ in found:
        assert f'TURUNC_URL_{name.upper()}: "http://{name}:{port}"' in compose


# --- with the services and a Prometheus ------------------------------------------------------------------

class Prometheus:
    """A real one, with the rules of deploy/watch.  It looks at the stack every two seconds, and waits as long for an
    answer: on a busy machine one may be late, and what is asked of it here is asked again until it is so."""

    def __init__(self, stack):
        self.port = free_port()
        folder = stack.path("prometheus")
        os.mkdir(folder)
        config = text_of("deploy", "watch", "prometheus.yml")
        for name, asked, here in (("scrape_interval", "15s", "2s"), ("scrape_timeout", "5s", "2s"),
                                  ("evaluation_interval", "15s", "500ms")):
            assert f"{name}: {asked}" in config
            config = config.replace(f"{name}: {asked}", f"{name}: {here}")
        targets = [{"targets": [f"127.0.0.1:{stack.port[f'{name}_http']}"], "labels": {"service": name}}
                   for name in SERVICES]
        for name, text in (("prometheus.yml", config), ("targets.yml", json.dumps(targets)), ("doors.yml", "[]"),
                           ("alerts.yml", text_of("deploy", "watch", "alerts.yml"))):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.process = Process("prometheus", ["prometheus", f"--web.listen-address=127.0.0.1:{self.port}",
                                              f"--config.file={folder}/prometheus.yml",
                                              f"--storage.tsdb.path={folder}/data"],
                               dict(os.environ, GOMAXPROCS="1"), folder, stack.path("prometheus.log"))
        self.process.start()

    def get(self, path, **query):
        answer = request(self.port, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30)
        assert answer.status == 200, f"{query}: {answer.text}"
        return answer.json()["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def scraped(self):
        """Each service has been looked at twice at least: a rate has what it needs."""
        if request(self.port, "GET", "/-/ready", timeout=5).status != 200:
            return False
        found, services = self.query("min(count_over_time(up[1m]))"), self.query("sum(up)")
        return bool(found) and float(found[0]["value"][1]) >= 2 and services[0]["value"][1] == str(len(SERVICES))


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("sink", *SERVICES), env={"router": {"TURUNC_ROUTER_WATCH": "100ms"},
                                                  "intake": {"TURUNC_RECORD_DIR": "/"},
                                                  "notifier": {"TURUNC_NOTIFIER_RETRY_FIRST": "100ms"}}) as made:
        made.key = add_api_key(made, "app")
        made.start()
        yield made


@pytest.fixture(scope="module")
def prometheus(stack):
    one = Prometheus(stack)
    try:
        stack.wait(one.scraped, 60, "Prometheus has looked at every service")
        yield one
    finally:
        one.process.terminate()


def stage(stack, service, name):
    return stack.metric(service, f'turunc_stage_seconds_count{{stage="{name}"}}')


def test_each_stage_of_a_reports_way_is_measured(stack):
    stack.wait(lambda: stack.metric("router", "turunc_stream_subscriptions") == 2, 30, "notifier and metrics read")
    before = {name: stage(stack, service, name) for service, name in
              (("intake", "commit"), ("router", "routed"), ("router", "delivered"), ("notifier", "told"))}
    number_of(post(stack, stack.key, email="yurttas@ornek.com"))
    stack.wait(lambda: stage(stack, "notifier", "told") > before["told"], 30, "the citizen was told")
    assert stage(stack, "intake", "commit") == before["commit"] + 1
    assert stage(stack, "router", "routed") == before["routed"] + 1
    # metrics and notifier each had ticket.opened and ticket.routed.
    stack.wait(lambda: stage(stack, "router", "delivered") >= before["delivered"] + 4, 30, "both read both")
    for service, name in (("intake", "commit"), ("router", "routed"), ("notifier", "told")):
        taken = stack.metric(service, f'turunc_stage_seconds_sum{{stage="{name}"}}')
        assert 0 < taken < 60, f"{name}: {taken} s"


def test_names_are_by_convention(stack):
    for service in SERVICES:
        text = stack.http(service, "GET", "/metrics").text
        done = promtool("check", "metrics", input=text)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), service


def test_every_panel_and_rule_has_an_answer(stack, prometheus):
    names = set(prometheus.get("label/__name__/values"))
    for where, expression in [*expressions(), *alerts().items()]:
        missing = set(NAME.findall(expression.split("labels:")[0])) - names - BY_OTHERS
        assert not missing, f"{where}: nobody gives {missing}"
    for where, expression in expressions():
        question = expression.replace("$__rate_interval", "1m")
        if where in ("annotation", "Bus events"):
            prometheus.query(question)  # may be empty, but is understood
        else:
            stack.wait(lambda q=question: prometheus.query(q), 60, f"{where}: an answer to {expression}")
    assert {rule["name"] for rule in prometheus.rules()} == set(alerts())
    stack.wait(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), 60, "every rule was evaluated")


def test_nothing_is_told_of_a_system_that_is_well(stack, prometheus):
    # The disk is this machine's; nobody has made a backup or reported anything yet.
    by_the_way = {"TuruncBackupOld", "TuruncNothingArrives", "TuruncDiskFilling", "TuruncDiskFull"}

    def told(*states):
        return {rule["name"] for rule in prometheus.rules() if rule["state"] in states} - by_the_way

    assert told("firing") == set()
    # An answer that came late makes a rule wait for its time, and is forgotten with the next; what stays is wrong.
    stack.wait(lambda: not told("firing", "pending"), 60, "no rule waits for its time")
    stack.wait(lambda: any(rule["state"] != "inactive" for rule in prometheus.rules()), 60, "but the backup's does")


def test_a_service_that_is_gone_is_an_alert(stack, prometheus):
    stack.terminate("notifier")
    try:
        stack.wait(lambda: prometheus.query('ALERTS{alertname="TuruncServiceDown",service="notifier"}'), 60,
                   "its absence is noticed")
    finally:
        stack.restart("notifier")


def test_who_does_not_read_is_seen_by_name(stack):
    log_id = stack.one("select log_id from turunc.log_history order by history_no desc limit 1")
    add_api_key(stack, "fen", "--verbs", "subscribe")
    stood = stack.one("select max(last_seq) from turunc.log_batch") - 2
    committed = stack.one("select committed_at_us from turunc.event_log where seq = %s", stood + 1)
    stack.sql("insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us, frozen_reason) "
              "values ('fen', 'isler', %s, %s, 0, 'ACL')", log_id, stood)
    figure = 'turunc_subscription_{}{{subscription="fen/isler"}}'

    def lacks_what_was_written_since():
        """The log may grow meanwhile: both are asked anew each time."""
        records = stack.one("select max(last_seq) from turunc.log_batch") - stood
        return stack.metric("router", figure.format("lag_records")) == records

    def is_as_old_as_its_next_record():
        age = stack.metric("router", figure.format("lag_seconds"))
        return age is not None and abs(age - (time.time() - committed / 1e6)) < 5

    try:
        stack.wait(lacks_what_was_written_since, 30, "the reader is seen with all it lacks")
        stack.wait(is_as_old_as_its_next_record, 30, "and since when")
        stack.wait(lambda: stack.metric("router", figure.format("frozen")) == 1, 30, "and that it is frozen")
        stack.wait(lambda: stack.metric("router", 'turunc_subscription_frozen{subscription="router"}') == 0, 30,
                   "which router is not")
        # Whoever may not read any more need not have: nobody is to be called about it.
        stack.masa("client", "revoke", "fen")
        stack.wait(lambda: stack.metric("router", 'turunc_subscription_frozen{subscription="router"}') == 0
                   and stack.metric("router", figure.format("lag_records")) is None, 30, "a revoked one is not")
    finally:
        stack.sql("delete from turunc.consumer_cursor where client = 'fen'")


def test_deadlines_backups_and_keys_come_from_the_record(stack):
    def value(name):
        return stack.metric("router", name)

    def due_in(seconds, near, nearer, passed):
        stack.sql("update turunc.ticket_clock set due_us = %s where ticket_id = %s and clock = 1",
                  int((time.time() + seconds) * 1e6), petition)
        stack.wait(lambda: (value('turunc_legal_deadlines_near{within="3d"}'),
                            value('turunc_legal_deadlines_near{within="1d"}'),
                            value("turunc_legal_deadlines_passed")) == (near, nearer, passed), 30, f"due in {seconds} s")

    petition = ticket_id(number_of(post(stack, stack.key, service_code="dilekce", email="yurttas@ornek.com",
                                        first_name="Ayşe", last_name="Yılmaz", address_string="Sinan Mah. 1. Sk. 2")))
    stack.wait(lambda: stack.one("select state from turunc.ticket_clock where ticket_id = %s and clock = 1",
                                 petition) == 1, 30, "its legal clock runs")
    due_in(10 * 86400, 0, 0, 0)
    due_in(2 * 86400, 1, 0, 0)
    due_in(3600, 1, 1, 0)
    due_in(-60, 0, 0, 1)
    stack.sql("update turunc.ticket_clock set state = 3 where ticket_id = %s and clock = 1", petition)
    stack.wait(lambda: value("turunc_legal_deadlines_passed") == 0, 30, "answered late is answered")

    assert value("turunc_backup_last_success_timestamp_seconds") == 0
    stack.sql("insert into turunc.backup_made values (1000000, 1772442000500000, 7, false), (2, 3, 4, true)",
              user="turunc_admin")
    stack.wait(lambda: value("turunc_backup_last_success_timestamp_seconds") == 1772442000.5, 30, "the newest backup")

    stack.sql("update turunc.client_grant set expires_us = %s where name = 'app'", int((time.time() + 86400) * 1e6))
    stack.wait(lambda: value('turunc_client_keys_expiring{within="14d"}') == 1, 30, "a key that ends")
    stack.sql("update turunc.client_grant set expires_us = null where name = 'app'")


def test_what_could_not_be_read_is_not_shown(stack):
    stack.sql("revoke select on turunc.backup_made from turunc_router")
    try:
        stack.wait(lambda: "turunc_subscription_lag" not in stack.http("router", "GET", "/metrics").text, 30,
                   "figures of before go")
        assert stack.metric("router", "turunc_ready") == 1
    finally:
        stack.sql("grant select on turunc.backup_made to turunc_router")
    stack.wait(lambda: stack.metric("router", "turunc_legal_deadlines_passed") is not None, 30, "and come back")


def test_a_mail_server_that_is_away_shows_and_comes_back(stack):
    away = 'turunc_notifier_channel_away{channel="email"}'
    assert stack.metric("notifier", away) == 0
    stack.terminate("sink")
    try:
        number_of(post(stack, stack.key, email="yurttas@ornek.com"))
        stack.wait(lambda: stack.metric("notifier", away) == 1, 30, "nobody answers")
    finally:
        stack.restart("sink")
    stack.wait(lambda: stack.metric("notifier", away) == 0, 60, "it answers again")


def test_what_a_service_stands_on_is_shown(stack):
    redis = 'turunc_dependency_up{dependency="redis",needed="yes"}'
    assert stack.metric("metrics", redis) == 1 and stack.metric("metrics", "turunc_ready") == 1
    stack.kill9("redis")
    try:
        stack.wait(lambda: stack.metric("metrics", redis) == 0, 30, "Redis is away")
        assert stack.metric("metrics", "turunc_ready") == 0
    finally:
        stack.restart("redis")
    stack.wait(lambda: stack.metric("metrics", "turunc_ready") == 1, 60, "the board is there again")


def test_each_disk_is_shown_that_intake_was_told_of(stack):
    def value(name):
        return stack.metric("intake", f'turunc_disk_{name}{{folder="{folder}"}}')

    for folder, path in (("state", stack.path("state", "intake")), ("record", "/"),
                         ("attachments", stack.path("state", "intake", "attachments"))):
        disk = os.statvfs(path)
        stack.wait(lambda: value("answers") == 1, 30, f"{folder} was looked at")
        assert value("size_bytes") == disk.f_blocks * disk.f_frsize
        assert 0 < value("free_bytes") < value("size_bytes")
