"""The images and docker-compose.yml on a real engine: built, brought up, used from outside through every door,
killed, restarted, upgraded under load, and taken down without a trace.

The tests of this file are one story and run in its order.  They need root and some minutes; TURUNC_TEST_DOCKER_ROOT
names a folder in which an engine's images stay for the next run."""
import os
import re
import signal
import subprocess
import time
import uuid

import pytest
import turunc

import lmtp
from composed import IMAGES, RUNNING, SERVICES, Browser, Composed, Department, Load
from engine import Engine
from process import wait_until
from servers import ROOT
from sheets import application, csv_text, days_ago

APPLICATION_BYTES = 120_000_000
READY_S, READY_LIMIT_S = 60, 180  # what is promised on a quiet machine, and what is a failure on any
IDLE_BYTES = 400 * 1024 * 1024

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine of our own needs root")


def figure(text):
    print(f"figure docker {text}")


@pytest.fixture(scope="module")
def engine():
    own = Engine()
    try:
        own.start()
        yield own
    finally:
        own.close()


@pytest.fixture(scope="module")
def system(engine, tmp_path_factory):
    made = Composed(engine, tmp_path_factory.mktemp("composed"))
    made.compose("down", "-v", "--remove-orphans")
    figure(f"build_s={made.build():.0f}")
    yield made
    if engine.process.running():
        made.compose("down", "-v", "--remove-orphans", limit_s=300)


@pytest.fixture(scope="module")
def running(system):
    """Brought up from built images, as the first command of the manual does."""
    began = time.monotonic()
    system.compose("up", "-d", "--no-build")
    system.wait_healthy(limit_s=READY_LIMIT_S)
    system.ready_s = time.monotonic() - began
    figure(f"ready_s={system.ready_s:.1f} promised_s={READY_S}")
    return system


@pytest.fixture(scope="module")
def outside(running):
    """Who is there: a subscriber, a publisher, an application for Open311."""
    said = running.masa("client", "add", "citizens-app", "--http", "--json")
    running.api_key = re.search(r"trn_[A-Za-z0-9_-]+", said).group(0)
    department = Department(running.keys("follower", "--verbs", "subscribe,snapshot", "--types", "*", "--departments",
                                         "*", "--personal", "full"), "follower")
    running.publisher = turunc.Client(running.keys("other-system", "--verbs", "publish", "--sources", "*", "--types", "*"))
    yield department
    running.publisher.close()
    department.close()


def report(system):
    form = {**Load.FORM, "api_key": system.api_key}
    answer = system.http("POST", "/open311/v2/requests.json", form=form)
    assert answer.status == 201, answer
    return answer.json()[0]["service_request_id"]


# --- images ---

def test_images_are_small_and_say_what_they_are(system):
    for target in IMAGES:
        image = system.inspect(f"turunc-{target}:{system.tag}")
        figure(f"image={target} bytes={image['Size']}")
        assert re.fullmatch(r"1000[1-4]:10000", image["Config"]["User"]), target
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

def test_it_is_ready_in_time(running):
    assert running.ready_s <= READY_LIMIT_S


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
        assert running.inspect(f"turunctest_{name}")["Internal"] is internal, name
    for service, networks in {"edge": "street pages", "intake": "street pages record doorbell",
                              "router": "street pages record doorbell", "notifier": "street pages record doorbell",
                              "metrics": "pages record live doorbell", "postgres": "record", "redis": "live"}.items():
        found = running.container(service)["NetworkSettings"]["Networks"]
        assert {name.removeprefix("turunctest_") for name in found} == set(networks.split()), service


def test_each_holds_its_own_secrets_only(running):
    for service in SERVICES:
        held = running.docker("exec", running.container(service)["Id"], "ls", "/run/turunc", "/run/turunc/keys").split()
        assert [name for name in held if name.endswith(".key")] == [f"{service}.key"]
        assert [name for name in held if name.endswith(".pgpass")] == [f"turunc_{service}.pgpass"]
    words = running.docker("run", "--rm", "--network", "none", "-v", "turunctest_vault:/run/vault:ro",
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

def by_open311(system):
    return report(system)


def by_form(system):
    page = system.http("GET", "/report?subject=cadde-supurme&lang=tr").text
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    answer = system.http("POST", "/report?lang=tr", form={
        "token": token, "service_code": "cadde-supurme", "description": "Sokak süpürülmedi", "lat": "36.872345",
        "long": "30.723456", "address_string": "1964 Sok. No 5", "neighbourhood": "fener"},
        headers={"Origin": f"https://127.0.0.1:{system.port['edge']}"})
    assert answer.status == 201, answer.text
    return re.search(r'class="number">([0-9-]+)<', answer.text).group(1)


def by_bus(system):
    return system.publisher.publish(turunc.ticket_request("other-system", "Ağaç devrildi",
                                                          subject_code="cadde-supurme"), timeout=60).ticket


def by_mail(system):
    before = set(tickets(system))
    mail = lmtp.letter(sender="ayse@yurttas.example", to="turuncmasa@muratpasa.example")
    assert lmtp.send(system.port["lmtp"], mail, ["turuncmasa@muratpasa.example"])[0][:3] == "250"
    return one_new(system, before)


def by_cimer(system):
    """A list is put into the volume, as who works with the portal does."""
    before = set(tickets(system))
    text = csv_text([application(f"26{uuid.uuid4().int % 10**9:09}", days_ago(2))])
    intake = system.container("intake")["Id"]
    subprocess.run(["docker", "exec", "-i", intake, "sh", "-c",
                    "cat >/var/lib/cimer/.new && mv /var/lib/cimer/.new /var/lib/cimer/liste.csv"],
                   env=system.env, check=True, input=text.encode(), capture_output=True)
    return one_new(system, before)


def by_phone(system):
    """A call-taker writes down what is said, at /call/."""
    user(system, "ayse", "call-taker")
    desk = Browser(system, "/call/", "ayse", system.password["ayse"])
    desk.get("/call/?lang=tr")
    answer = desk.post("/call/ticket?lang=tr", {
        **desk.hidden(), "service_code": "cadde-supurme", "phone": "0532 123 45 67", "description": "Sokak süpürülmedi",
        "address_id": "fener", "address_string": "1964 Sok. No 5"})
    assert answer.status == 303, desk.page
    desk.get(answer.headers["Location"])
    return re.search(r'class="number">([0-9-]+)<', desk.page).group(1)


def user(system, name, *roles):
    said = system.masa("user", "add", name, "--shown-as", name, "--roles", ",".join(roles), "--generate", "--json")
    system.password = {**getattr(system, "password", {}), name: re.search(r'"password": *"([^"]+)"', said).group(1)}


def tickets(system):
    return system.sql("select ticket_id from turunc.ticket").split()


def one_new(system, before):
    new = wait_until(lambda: set(tickets(system)) - before, 60, "there is a new ticket", 0.5)
    assert len(new) == 1
    return new.pop()


@pytest.mark.parametrize("door", [by_open311, by_form, by_bus, by_mail, by_cimer, by_phone])
def test_a_ticket_comes_in_and_a_subscriber_outside_hears_of_it(running, outside, door):
    # No rule names a department for a mail: it waits in triage, and is heard of all the same.
    outside.wait([door(running)], "ticket.triaged" if door is by_mail else "ticket.routed")


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


# --- what goes wrong ---

def heard_of_all(system, outside, load):
    """Whatever was answered positively is routed, and the subscriber has it once."""
    wait_until(lambda: set(system.firsts(load.numbers)) <= set(outside.seen), 120, "the subscriber hears of all", 1)
    outside.wait(system.firsts(load.numbers), limit_s=60)


@pytest.mark.parametrize("service", ["intake", "router", "notifier", "metrics", "redis", "edge", "postgres"])
def test_a_killed_container_comes_back_and_nothing_is_lost(running, outside, service):
    with Load(running, running.api_key) as load:
        wait_until(lambda: len(load.numbers) >= 3, 60, "there is load", 0.05)
        killed = running.container(service)
        os.kill(killed["State"]["Pid"], signal.SIGKILL)
        wait_until(lambda: running.container(service)["RestartCount"] > killed["RestartCount"], 60, f"{service} was restarted", 0.2)
        running.wait_healthy(limit_s=180)
        taken = len(load.numbers)
        wait_until(lambda: len(load.numbers) >= taken + 3, 60, "it is used again", 0.05)
    figure(f"killed={service} taken={len(load.numbers)} refused={load.refused} longest_refusal_s={load.longest_s:.1f}")
    heard_of_all(running, outside, load)


def test_the_engine_is_killed_and_started_again(running, outside):
    numbers = [report(running) for _ in range(5)]
    running.engine.kill9()
    running.engine.start()
    running.wait_healthy(limit_s=240)
    numbers += [report(running) for _ in range(5)]
    outside.wait(numbers, limit_s=120)


def test_an_upgrade_under_load_loses_nothing(running, outside):
    """Other images under another name, so that every container is made anew, and the one-shots run again."""
    for target in IMAGES:
        subprocess.run(["docker", "build", "-q", "-t", f"turunc-{target}:next", "-"], env=running.env, check=True,
                       input=f'FROM turunc-{target}:{running.tag}\nLABEL turunc.next=yes\n'.encode(), capture_output=True)
    before = {service: running.container(service)["Id"] for service in RUNNING}
    with Load(running, running.api_key) as load:
        wait_until(lambda: len(load.numbers) >= 5, 60, "there is load", 0.05)
        running.env["TURUNC_TAG"] = running.tag = "next"
        running.compose("up", "-d", "--no-build")
        running.wait_healthy(limit_s=240)
        taken = len(load.numbers)
        wait_until(lambda: len(load.numbers) >= taken + 5, 60, "it is used again", 0.05)
    figure(f"upgrade taken={len(load.numbers)} refused={load.refused} longest_refusal_s={load.longest_s:.1f}")
    assert not {running.container(service)["Id"] for service in RUNNING} & set(before.values())
    heard_of_all(running, outside, load)
    assert set(running.firsts(load.numbers)) <= set(tickets(running))
    assert re.search(r"^right: +yes$", running.masa("log", "verify"), re.M)


def test_taken_down_nothing_is_left(running, engine):
    running.compose("down", "-v", "--remove-orphans", limit_s=300)
    mine = "label=com.docker.compose.project=turunctest"
    assert running.docker("ps", "-aq", "--filter", mine) == "" and running.docker("volume", "ls", "-q", "--filter", "name=turunctest") == ""
    assert "turunctest" not in running.docker("network", "ls")
    assert engine.close() == []
    assert not engine.ours() and (engine.kept or not os.path.exists(engine.folder))
