"""The images and docker-compose.yml on a real engine: built, brought up, used from outside through every door,
killed, restarted, upgraded under load from an earlier commit, and taken down without a trace.

The tests of this file are one story and run in its order, apart from the machine (apart.py).  TURUNC_TEST_DOCKER_ROOT
names a folder in which an engine's images stay for the next run, TURUNC_TEST_UPGRADE_FROM the commit to upgrade from."""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from composed import IMAGES, PATIENCE_S, PROJECT, RUNNING, SERVICES, Composed
from doors import DOORS, by_mail, tickets
from earlier import has_history, unpacked
from engine import DOCKER, Engine
from figures import figure
from outside import BusLoad, Load, Outside
from process import wait_until, within
from servers import ROOT
from theirs import DATABASE, theirs

APPLICATION_BYTES = 120_000_000
READY_S = 60  # what is promised on a quiet machine; how long it took is told, for this one may be busy
IDLE_BYTES = 400 * 1024 * 1024
ON_DUTY = "nobet@masa.example"


@pytest.fixture(scope="module")
def engine():
    own = Engine()
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def system(engine, tmp_path_factory):
    made = Composed(engine, tmp_path_factory.mktemp("composed"))
    made.down()
    figure(f"base_s={made.base():.0f} build_s={made.build():.0f}")
    yield made
    if engine.process.running():
        made.at_end.close()
        made.down()


@pytest.fixture(scope="module")
def running(system):
    """Brought up from built images, as the first command of the manual does."""
    figure(f"ready_s={system.up():.1f} promised_s={READY_S}")
    return system


@pytest.fixture(scope="module")
def earlier(running, tmp_path_factory):
    """An earlier commit's tree and the commit; its images are made while the tests before the upgrade wait for
    things to happen."""
    tree, commit = unpacked(tmp_path_factory.mktemp("earlier"))

    def build():
        options = "--build-arg", f"TURUNC_COMMIT={commit}"
        figure(f"earlier={commit[:12]} build_s={running.build(tree, 'earlier', *options):.0f}")

    with concurrent.futures.ThreadPoolExecutor(1) as one:
        yield tree, commit, one.submit(build)


@pytest.fixture(scope="module")
def outside(running, earlier):
    people = Outside(running)
    yield people
    people.close()


# --- images ---

def test_images_are_small_and_say_what_they_are(system):
    for target in IMAGES:
        image = system.inspect(f"turunc-{target}:{system.tag}")
        figure(f"image={target} bytes={image['Size']}")
        assert re.fullmatch(r"1000[1-5]:10000", image["Config"]["User"]), target
        assert image["Config"]["Labels"]["org.opencontainers.image.title"].startswith("Turunç"), target
    assert system.inspect(f"turunc-turunc:{system.tag}")["Size"] <= APPLICATION_BYTES


def test_the_commit_is_inside(system):
    commit = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "rev-parse", "HEAD"], cwd=ROOT, check=False,
                            capture_output=True, text=True).stdout.strip()
    if not commit:
        pytest.skip("not a working copy of git")
    said = system.docker("run", "--rm", "--network", "none", f"turunc-turunc:{system.tag}", "masa", "--version")
    assert re.fullmatch(rf"masa \S+ \({commit[:12]}\)\n", said), said


def test_nobody_becomes_anybody_else_in_the_services_image(system):
    found = system.docker("run", "--rm", "--network", "none", "--user", "0", f"turunc-turunc:{system.tag}",
                          "find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    assert found == ""


def test_every_program_finds_its_libraries(system):
    for program in [f"turunc-{name}" for name in SERVICES + ("asterisk",)]:
        assert program in system.docker("run", "--rm", "--network", "none", f"turunc-turunc:{system.tag}",
                                        program, "--version")


# --- what is running ---

def test_containers_are_locked(running):
    doors = set()
    for service in RUNNING:
        made = running.container(service)
        config, host = made["Config"], made["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["Memory"] > 0 and not host["Privileged"], service
        assert host["RestartPolicy"]["Name"] == "always", service
        assert host["LogConfig"]["Config"]["max-size"] == "10m", service
        assert "127.0.0.1" in " ".join(config["Healthcheck"]["Test"]), service
        for bound in (host["PortBindings"] or {}).values():
            doors |= {(service, one["HostIp"], int(one["HostPort"])) for one in bound}
    assert doors == {("edge", "127.0.0.1", running.port["edge"]), ("intake", "127.0.0.1", running.port["publish"]),
                     ("intake", "127.0.0.1", running.port["lmtp"]), ("router", "127.0.0.1", running.port["stream"])}


def test_mail_alone_is_published_by_its_own_file(running):
    said = subprocess.run(["docker-compose", "-f", os.path.join(ROOT, "docker-compose.yml"), "config"], check=True,
                          env=running.env, capture_output=True, text=True).stdout
    assert str(running.port["publish"]) in said and str(running.port["lmtp"]) not in said


def test_who_reaches_whom(running):
    """Only the street leads out, and each is only where it has somebody to speak to."""
    for name, internal in (("street", False), ("pages", True), ("record", True), ("live", True), ("doorbell", True)):
        assert running.inspect(f"{PROJECT}_{name}")["Internal"] is internal, name
    for service, networks in {"edge": "street pages", "intake": "street pages record doorbell",
                              "router": "street pages record doorbell", "notifier": "street pages record doorbell",
                              "metrics": "pages record live doorbell", "postgres": "record", "redis": "live"}.items():
        found = running.container(service)["NetworkSettings"]["Networks"]
        assert {name.removeprefix(f"{PROJECT}_") for name in found} == set(networks.split()), service


def test_each_holds_its_own_secrets_only(running):
    for service in SERVICES:
        held = running.docker("exec", running.container(service)["Id"], "ls", "/run/turunc", "/run/turunc/keys").split()
        assert [name for name in held if name.endswith(".key")] == [f"{service}.key"]
        assert [name for name in held if name.endswith(".pgpass")] == [f"turunc_{service}.pgpass"]
    words = running.docker("run", "--rm", "--network", "none", "-v", f"{PROJECT}_vault:/run/vault:ro",
                           f"turunc-setup:{running.tag}", "sh", "-c",
                           "cat /run/vault/secrets/*.password /run/vault/secrets/*.secret /run/vault/keys/*.key | tr '\\n' ' '")
    secrets = [word for part in re.findall(r"[^\s]{20,}", words) for word in re.findall(r".{20}", part)]
    assert len(secrets) >= 10
    logs = running.compose("logs", "--no-color")
    for container in running.docker("ps", "-aq").split():
        logs += running.docker("inspect", container)
    assert not [secret for secret in secrets if secret in logs]


def test_it_is_modest_when_nothing_happens(running):
    used = 0
    for service in RUNNING:
        container = running.container(service)
        with open(f"/proc/{container['State']['Pid']}/cgroup", encoding="ascii") as file:
            lines = dict(line.strip().split(":", 2)[1:] for line in file)
        if "memory" in lines:  # the first hierarchy
            with open(f"/sys/fs/cgroup/memory{lines['memory']}/memory.stat", encoding="ascii") as file:
                stat = dict(line.split() for line in file)
            mine = int(stat["total_rss"]) + int(stat.get("total_shmem", 0))
        else:
            with open(f"/sys/fs/cgroup{lines['']}/memory.stat", encoding="ascii") as file:
                stat = dict(line.split() for line in file)
            mine = int(stat["anon"]) + int(stat["shmem"])
        figure(f"idle={service} bytes={mine}")
        used += mine
    figure(f"idle=all bytes={used} bound={IDLE_BYTES}")
    assert used < IDLE_BYTES


# --- tickets through every door, out to a subscriber ---

@pytest.mark.parametrize("door", DOORS)
def test_a_ticket_comes_in_and_a_subscriber_outside_hears_of_it(outside, door):
    # No rule names a department for a mail: it waits in triage, and is heard of all the same.
    outside.wait([door(outside)], "ticket.triaged" if door is by_mail else "ticket.routed")


def test_pages_come_by_one_origin(running):
    for path, status in (("/", 200), ("/report", 200), ("/desk/sign-in", 200), ("/live/", 200), ("/readyz", 404), ("/metrics", 404)):
        assert running.http("GET", path).status == status, path


def test_a_stranger_without_a_key_is_not_let_in(running, outside):
    import zmq
    with zmq.Context.instance().socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{running.port['stream']}")
        socket.send(b"hello")
        assert not socket.poll(1500)


def test_masa_finds_nothing_wrong_and_tells_what_it_cannot_see(running, outside):
    outside.user("yonetici", "administrator")
    # An answer that came late, beside images that are built, is no fault and not there the next time.
    def look():
        looks.append(json.loads(running.composed("run", "--rm", "-T", "masa", "doctor", "--json").stdout))
        return looks[-1]["healthy"] and looks[-1]
    looks = []
    said = within(look, 60, 1)
    assert said, looks[-1]
    assert {"bus", "edge", "redis", "files", "key files", "disk", "schema"} <= set(said["looked_at"]), said
    assert {row["check"] for row in said["not_looked_at"]} <= {"live stream", "ports", "folders", "settings"}, said


def test_a_backup_is_brought_back_and_is_what_the_record_holds(running, outside, tmp_path):
    """One command makes one, restores it beside the record, compares and takes it away; another keeps one."""
    began = time.monotonic()
    said = json.loads(running.compose("run", "--rm", "-T", "drill", "drill", "--json"))
    figure(f"drill_s={time.monotonic() - began:.1f} recovered_ms={said['recovered_ms']}")
    assert not said["differences"], said
    os.chown(tmp_path, 10001, 10000)
    running.compose("run", "--rm", "-T", "-v", f"{tmp_path}:/backup", "drill", "backup", "/backup/monday")
    with open(tmp_path / "monday" / "backup.json", encoding="utf-8") as file:
        assert json.load(file)
    kept = subprocess.run(["tar", "-tf", tmp_path / "monday" / "system.tar"], check=True, capture_output=True, text=True).stdout
    assert {"keys/intake.key", "secrets/mail.secret", "state/intake/", "state/router/"} <= set(kept.split())
    left = running.compose("run", "--rm", "-T", "--entrypoint", "ls", "drill", "-A", "/var/tmp")
    assert left == "", left


# --- what goes wrong ---

@pytest.mark.parametrize("service", ["intake", "router", "notifier", "metrics", "redis", "edge", "postgres"])
def test_a_killed_container_comes_back_and_nothing_is_lost(running, outside, service):
    with Load(running, outside.api_key) as load:
        load.taken(3)
        started = running.started()
        os.kill(running.container(service)["State"]["Pid"], signal.SIGKILL)
        running.wait_healthy(service, since={service: started[service]})
        running.wait_healthy()
        load.taken(3)
    figure(f"killed={service} taken={len(load.numbers)} refused={load.refused} longest_refusal_s={load.longest_s:.1f}")
    outside.heard_of_all(load)


def test_the_engine_is_killed_and_started_again(running, outside, earlier):
    earlier[2].result()  # a build would die with the engine
    numbers = [outside.report() for _ in range(5)]
    started = running.started()
    running.engine.kill9()
    running.engine.start()
    running.wait_healthy(since={service: started[service] for service in RUNNING})
    numbers += [outside.report() for _ in range(5)]
    outside.wait(numbers)


def test_a_record_in_use_is_not_played_with(running, outside):
    """Who asks for a demonstration where there is a real record hears no, and its messages still go to people."""
    said = running.composed("run", "--rm", "-T", "migrate", COMPOSE_PROFILES="demo")
    assert said.returncode != 0 and "was not made as a demo" in said.stdout + said.stderr, said
    held = running.docker("exec", running.container("notifier")["Id"], "ls", "/run/turunc").split()
    assert "outlets" not in held


# --- an upgrade ---

@pytest.fixture(scope="module")
def upgraded(running, earlier):
    """A system of an earlier commit's images, as that commit's files bring it up, in use and then brought up to date
    with this tree's; what there was before, and what was taken meanwhile."""
    tree, _, made = earlier
    made.result()
    running.down()
    running.use(tree, "earlier")
    running.up()
    people = Outside(running)
    people.wait([people.report() for _ in range(3)])
    running.before = {"schema": schema(running), "containers": {running.container(name)["Id"] for name in RUNNING}}
    with Load(running, people.api_key) as load, BusLoad(people.publisher) as events:
        load.taken(5)
        events.taken(5)
        running.use(ROOT, "test")
        upgrade_s = running.up()
        load.taken(5)
        events.taken(5)
    figure(f"upgrade_s={upgrade_s:.1f} taken={len(load.numbers)} refused={load.refused} "
           f"longest_refusal_s={load.longest_s:.1f} events={len(events.numbers)} longest_event_s={events.longest_s:.1f}")
    yield people, load, events
    people.close()


def schema(system):
    return system.sql("select max(name) from public.turunc_migration")


def test_an_upgrade_crosses_changes_of_the_schema_and_renews_every_container(running, upgraded):
    newest = sorted(os.listdir(os.path.join(ROOT, "deploy", "schema")))[-1]
    figure(f"upgrade schema_from={running.before['schema']} schema_to={schema(running)}")
    assert running.before["schema"] <= schema(running) == newest
    assert running.before["schema"] < newest or not has_history()
    assert not {running.container(name)["Id"] for name in RUNNING} & running.before["containers"]
    for service in SERVICES:
        assert running.container(service)["Config"]["Image"] == "turunc-turunc:test"


def test_an_upgrade_under_load_loses_nothing(running, upgraded):
    people, load, events = upgraded
    people.heard_of_all(load)
    people.heard_of_all(events)
    lost = set(running.firsts(load.numbers + events.numbers)) - set(tickets(running))
    figure(f"upgrade answered={len(load.numbers) + len(events.numbers)} lost={len(lost)}")
    assert not lost
    assert re.search(r"^right: +yes$", running.masa("log", "verify"), re.M)


# --- a demonstration, on a PostgreSQL and a Redis that are there already ---

@pytest.fixture(scope="module")
def demo(running, tmp_path_factory):
    """Everything that the environment can say at once: the servers of somebody else, and the profiles."""
    running.down()
    running.use(ROOT, "test")
    running.servers = running.at_end.enter_context(theirs(running, tmp_path_factory.mktemp("theirs")))
    running.env.update(COMPOSE_PROFILES="demo,watch", TURUNC_DEMO_RATE="4", TURUNC_DEMO_PACE="0.3",
                       TURUNC_ALERTS_TO=ON_DUTY)
    for name in ("sink", "prometheus", "alertmanager"):
        running.env[f"TURUNC_{name.upper()}"] = f"127.0.0.1:{running.port[name]}"
    figure(f"demo ready_s={running.up('sink', 'prometheus', 'alertmanager', 'door'):.1f}")
    return running


def asked(system, name, path, value=None):
    """A GET, or a POST of JSON, at a port that only a demonstration or watching publishes."""
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{system.port[name]}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or "null")


def shown(system):
    """The messages to citizens, and to nobody on duty."""
    return [message for message in asked(system, "sink", "/messages?after=0") if ON_DUTY not in message.get("to", [])]


def test_a_demonstration_plays_and_its_messages_go_into_the_sink(demo):
    wait_until(lambda: {"mail", "sms"} <= {message["kind"] for message in shown(demo)}, PATIENCE_S, "mail and SMS in the sink", 0.5)
    wait_until(lambda: int(demo.sql("select count(*) from turunc.event_log where type = 'ticket.resolved'")) > 3, PATIENCE_S,
               "departments resolve tickets", 0.5)
    said = demo.compose("logs", "--no-color", "player", "departments")
    assert "ready rate=4" in said and "ready departments=" in said
    # A system that has much to do may say so; nobody may be told that what they send is wrong.
    assert not re.search(r" refused: |post answered 4(?!29)", said), said
    assert demo.sql("select demo from turunc.log_history") == "t"
    users = demo.compose("run", "--rm", "-T", "--entrypoint", "cat", "masa", "/run/vault/demo-users")
    assert len(users.splitlines()) == 5


def test_links_lead_to_this_origin(demo):
    """Whatever the files of the municipality say of a local run."""
    origin = f"https://127.0.0.1:{demo.port['edge']}"
    links = {link for message in shown(demo) for link in re.findall(r"https?://[^/\s]+", message_text(message))}
    assert links == {origin}
    discovery = demo.http("GET", "/open311/discovery.json").json()
    assert {place["url"] for place in discovery["endpoints"]} == {f"{origin}/open311/v2"}


def message_text(message):
    return message.get("text") or " ".join(str(value) for value in message["fields"].values())


def test_settings_of_ones_own_reach_every_service_and_files_the_one_they_are_for(demo):
    for service in SERVICES:
        held = demo.docker("exec", demo.container(service)["Id"], "find", "/run/turunc", "-name", "sms.password").split()
        assert held == (["/run/turunc/own/sms.password"] if service == "notifier" else [])
    notifier = demo.container("notifier")["Id"]
    entry = [DOCKER, "exec", notifier, "/opt/turunc/deploy/docker/entry", "turunc-notifier", "--check-config"]
    said = subprocess.run(entry, env=demo.env, check=True, capture_output=True, text=True).stdout
    assert "TURUNC_NOTIFIER_IN_FLIGHT=7" in said
    # A demonstration goes on telling its sink alone.
    assert "TURUNC_SMS_GATEWAY=generic" in said and "TURUNC_SMS_URL=http://sink:8026/send" in said
    with open(os.path.join(demo.env["TURUNC_OWN"], "settings"), "a", encoding="ascii") as file:
        file.write("TURUNC_NOTIFIER_IN_FLIHGT=8\n")
    wrong = subprocess.run([DOCKER, "run", "--rm", "--network", "none", "-v", f"{demo.env['TURUNC_OWN']}:/run/turunc:ro",
                            f"turunc-turunc:{demo.tag}", "turunc-metrics", "--check-config"],
                           env=demo.env, check=False, capture_output=True, text=True)
    assert wrong.returncode == 78 and 'no service knows "TURUNC_NOTIFIER_IN_FLIHGT"' in wrong.stderr, wrong


def test_servers_that_are_there_already_are_used(demo):
    for service, program in (("postgres", "postgres -D"), ("redis", "redis-server")):
        running_there = demo.docker("top", demo.container(service)["Id"], "-o", "pid,args")
        assert "sleep infinity" in running_there and program not in running_there, running_there
    assert demo.servers.exec("postgres", "psql", "-XqAt", "-h", "/run/postgresql", "-p", str(demo.servers.port["postgres"]),
                             "-c", f"select 1 from pg_database where datname = '{DATABASE}'") == "1\n"
    assert int(demo.servers.redis("DBSIZE")) > 0
    assert demo.http("GET", "/live/").status == 200


# --- watching ---

def query(system, expression):
    """Label sets with their values."""
    said = asked(system, "prometheus", "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    return [(found["metric"], float(found["value"][1])) for found in said["data"]["result"]]


def test_prometheus_watches_every_service_and_the_origin(demo):
    def up():
        return {labels["instance"] for labels, value in query(demo, "up") if value == 1}
    wanted = {"intake:8080", "router:8081", "notifier:8082", "metrics:8083", "https://edge:8443/"}
    wait_until(lambda: up() == wanted, PATIENCE_S, "all that is to be watched is", 0.5)
    wait_until(lambda: [value for _, value in query(demo, "probe_success")] == [1], PATIENCE_S, "the origin is seen from outside", 0.5)
    (_, expires), = query(demo, "probe_ssl_earliest_cert_expiry")
    assert expires > time.time() + 365 * 86400
    rules = [rule for group in asked(demo, "prometheus", "/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
    with open(os.path.join(ROOT, "deploy", "watch", "alerts.yml"), encoding="utf-8") as file:
        assert len(rules) == len(re.findall(r"^ *- alert:", file.read(), re.M)) > 20
    assert not [rule["name"] for rule in rules if rule["health"] == "err"]


def test_an_alert_is_told_by_mail(demo):
    """From Prometheus's Alertmanager to who is on duty; in a demonstration, the sink."""
    managers = asked(demo, "prometheus", "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    assert [manager["url"] for manager in managers] == ["http://alertmanager:9093/api/v2/alerts"]
    asked(demo, "alertmanager", "/api/v2/alerts", [{"labels": {"alertname": "TuruncTried", "severity": "critical"},
                                                   "annotations": {"summary": "tried"}}])
    wait_until(lambda: [mail for mail in asked(demo, "sink", "/messages?after=0")
                        if ON_DUTY in mail.get("to", []) and "TuruncTried" in mail["subject"]], PATIENCE_S, "a mail about it", 0.5)


def test_taken_down_nothing_is_left(running, engine):
    running.at_end.close()
    running.down()
    mine = f"label=com.docker.compose.project={PROJECT}"
    assert running.docker("ps", "-aq", "--filter", mine) == ""
    assert running.docker("volume", "ls", "-q", "--filter", f"name={PROJECT}") == ""
    assert PROJECT not in running.docker("network", "ls")
    engine.stop()
    assert engine.left() == []
