"""deploy/up and deploy/down for real, in a folder of their own beside the checkout's system."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from local_system import PARTS, System, listening, processes_of
from process import wait_until, within
from servers import BUILD, SERVICES
from web import request


@pytest.fixture(scope="module")
def system():
    made = System.unmade()
    try:
        made.first = made.command("up")
        assert made.first.returncode == 0, made.first.stdout
        yield made
    finally:
        made.command("down", "--wipe")
        shutil.rmtree(made.run, ignore_errors=True)


def test_says_what_it_starts_and_where(system):
    for step in ("packages", "build", "postgres", "redis", "migrations", "configuration", "intake",
                 "router", "notifier", "metrics", "ready", "edge"):
        assert re.search(rf"^  {step} .* \d+\.\d s$", system.first.stdout, re.M), step
    assert f"http://127.0.0.1:{system.port('edge')}/live/" in system.first.stdout


def test_every_part_answers(system):
    for name in SERVICES:
        assert system.ready(name), name
    assert request(system.port("edge"), "GET", "/readyz").status == 404


def test_nothing_listens_beyond_loopback(system):
    for pid in processes_of(system.run):
        for host, port in listening(pid):
            assert host == "0100007F", f"process {pid} listens on {host}:{port}"


def test_secrets_are_their_readers_own_and_never_shown(system):
    names = os.listdir(system.path("secrets"))
    assert len(names) >= 12
    shown = system.first.stdout + system.read("log", "up.log") + system.read("env")
    for pid in processes_of(system.run):
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            shown += line.read().decode("utf-8", "replace")
    for name in names:
        assert os.stat(system.path("secrets", name)).st_mode & 0o777 == 0o600, name
        secret = system.read("secrets", name).strip().rsplit(":", 1)[-1]
        assert len(secret) >= 32
        assert secret not in shown, name
    for name in SERVICES:
        assert os.stat(system.path("keys", f"{name}.key")).st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up being root")
def test_nothing_runs_as_root_but_the_supervisors(system):
    for name, pid in system.pids().items():
        assert os.stat(f"/proc/{pid}").st_uid != 0, name


def test_masa_finds_it_by_its_env(system):
    done = subprocess.run(["bash", "-c", 'set -a; . "$1/env"; "$2/bin/masa" status --json', "masa",
                           system.run, BUILD], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_masa_doctor_finds_nothing(system):
    def nothing():
        """An answer that came late is no fault of the system, and not there the next time."""
        said.append(subprocess.run(["bash", "-c", 'set -a; . "$1/env"; "$2/bin/masa" doctor --json', "masa",
                                    system.run, BUILD], text=True, capture_output=True, check=False))
        return said[-1].returncode == 0
    said = []
    assert within(nothing, 60, 1), said[-1].stdout + said[-1].stderr


def test_a_service_has_its_own_role_and_no_more(system):
    """With the notifier's password one cannot read what the notifier may not."""
    conninfo = system.read("service", "metrics", "env", "TURUNC_DATABASE").strip()
    done = subprocess.run(["psql", "-Xqc", "delete from turunc.event_log", conninfo], text=True,
                          capture_output=True, check=False)
    assert done.returncode != 0
    assert "permission denied" in done.stderr


def test_a_second_time_restarts_nothing(system):
    before = system.pids()
    again = system.command("up")
    assert again.returncode == 0, again.stdout
    assert system.pids() == before
    assert len(re.findall(r" unchanged; ", again.stdout)) == len(PARTS)


def test_a_changed_setting_restarts_the_services_alone(system):
    before = system.pids()
    with open(system.path("settings"), "w", encoding="utf-8") as settings:
        settings.write("TURUNC_LOG_LEVEL=debug\n")
    again = system.command("up")
    assert again.returncode == 0, again.stdout
    after = system.pids()
    changed = {name for name in PARTS if after[name] != before[name]}
    assert changed == set(SERVICES)


def certificate(folder, name, days=30):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch",
                    "-days", str(days), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", f"{folder}/edge.key", "-out", f"{folder}/edge.pem"], check=True, capture_output=True)


def base_url(system):
    """As messages have it."""
    return subprocess.run(["psql", "-XqAtc", "select convert_from(f.content, 'UTF8') from turunc.config_file f join"
                           " turunc.config_active using (version) where f.name = 'municipality.csv'",
                           f"host={system.path('postgres')} port={system.port('postgres')} dbname=turunc user=postgres"],
                          text=True, capture_output=True, check=True).stdout.split("base_url,")[1].split()[0]


def test_the_origin_speaks_https_by_its_own_name_and_messages_say_so(system, tmp_path):
    """A name, a certificate and an address in .run/settings; without them again it is as it was."""
    kept = system.read("settings") if os.path.exists(system.path("settings")) else ""
    port, tls = system.port("edge"), str(tmp_path / "tls")
    assert base_url(system) == f"http://127.0.0.1:{port}", "where it is, not where the worked files say"
    before = system.pids()

    def up(*lines):
        with open(system.path("settings"), "w", encoding="utf-8") as settings:
            settings.write(kept + "".join(f"{line}\n" for line in lines))
        return system.command("up")

    refused = up("TURUNC_EDGE_BIND=0.0.0.0")
    assert refused.returncode == 1 and "unencrypted" in refused.stdout
    certificate(tls, "masa.ornek.example")
    certificate(str(tmp_path / "other"), "masa.ornek.example")
    shutil.copy(tmp_path / "other" / "edge.key", tmp_path / "tls" / "edge.key")
    refused = up(f"TURUNC_EDGE_CERTIFICATE={tls}")
    assert refused.returncode == 1 and "is not the key of" in refused.stdout
    assert system.pids() == before, "what cannot be is refused before anything is touched"
    certificate(tls, "masa.ornek.example")
    done = up(f"TURUNC_EDGE_CERTIFICATE={tls}", "TURUNC_BASE_URL=https://masa.ornek.example")
    assert done.returncode == 0, done.stdout
    try:
        assert base_url(system) == "https://masa.ornek.example"
        seen = subprocess.run(["curl", "-sS", "--cacert", f"{tls}/edge.pem", "--resolve", f"masa.ornek.example:{port}:127.0.0.1",
                               "-i", f"https://masa.ornek.example:{port}/report"], text=True, capture_output=True, check=False)
        assert "HTTP/1.1 200" in seen.stdout, seen.stderr + seen.stdout
        with open(system.path("service", "router", "env", "TURUNC_PEOPLE_SECURE"), encoding="ascii") as file:
            assert file.read().strip() == "yes"
    finally:
        with open(system.path("settings"), "w", encoding="utf-8") as settings:
            settings.write(kept)
        again = system.command("up")
    assert again.returncode == 0 and base_url(system) == f"http://127.0.0.1:{port}"
    assert request(port, "GET", "/readyz").status == 404


def test_a_setting_that_no_service_knows_is_refused(system):
    before, kept = system.pids(), system.read("settings")
    with open(system.path("settings"), "w", encoding="utf-8") as settings:
        settings.write("# mine\n\nTURUNC_LOG_LEVL=debug\nTURUNC_SMTP_PASSWORD_FILE=/etc/hostname\nverbose\n")
    refused = system.command("up")
    with open(system.path("settings"), "w", encoding="utf-8") as settings:
        settings.write(kept)
    assert refused.returncode == 1 and re.search(r"^  settings +FAILED", refused.stdout, re.M)
    assert 'no service knows "TURUNC_LOG_LEVL" "verbose";' in refused.stdout
    assert system.pids() == before


def test_what_is_killed_comes_back(system):
    for name in ("intake", "redis", "postgres"):
        old = system.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda n=name, o=old: system.pid(n) not in (None, o), 15, f"{name} is back")
    wait_until(lambda: all(system.ready(name) for name in SERVICES), 60, "all are ready again")
    assert "ended service=intake exit=-1 signal=9" in system.read("log", "intake", "current")


def test_a_failing_step_is_told_and_fails(system):
    done = system.command("up", TURUNC_CONFIG="/nowhere/at/all")
    assert done.returncode == 1
    assert re.search(r"^  configuration +FAILED", done.stdout, re.M)
    assert "/nowhere/at/all" in done.stdout
    assert "Running after" not in done.stdout


def test_a_record_in_use_is_not_made_a_demo(system):
    """Its log holds config.applied already: nothing is played on it, now or at the next start, and
    what its notifier is started with is what it was."""
    def outlets():
        folder = system.path("service", "notifier", "env")
        return {name: system.read("service", "notifier", "env", name) for name in os.listdir(folder)}
    before = outlets()
    done = system.command("up", "--demo")
    assert done.returncode == 1
    assert "was not made as a demo" in done.stdout
    assert outlets() == before
    again = system.command("up")
    assert again.returncode == 0, again.stdout
    assert "player" not in again.stdout


def test_two_systems_do_not_meet(system):
    """The second passes over the ports of the first, and ends without touching it."""
    before = system.pids()
    other = System(system.run + "-b")
    try:
        started = other.command("up")
        assert started.returncode == 0, started.stdout
        assert other.port("edge") != system.port("edge")
        assert other.port("publish") != system.port("publish")
        stopped = other.command("down", "--wipe")
        assert stopped.returncode == 0, stopped.stdout
    finally:
        other.command("down", "--wipe")
        shutil.rmtree(other.run, ignore_errors=True)
    assert processes_of(other.run + "/") == []
    assert system.pids() == before


def test_a_folder_that_is_not_ours_is_left_alone():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        kept = os.path.join(folder, "kept")
        with open(kept, "w", encoding="utf-8"):
            pass
        foreign = System(folder)
        for command in (("up",), ("up", "--fresh"), ("down", "--wipe")):
            assert foreign.command(*command).returncode == 1, command
        assert os.listdir(folder) == ["kept"]


def test_unknown_words_are_refused(system):
    assert system.command("up", "--demoo").returncode == 2
    assert system.command("down", "--wip").returncode == 2


@pytest.mark.parametrize("setting", [{"TURUNC_DEMO_RATE": "fast"}, {"TURUNC_DEMO_PACE": "-3"},
                                     {"TURUNC_DEMO_RATE": "0"}])
def test_a_demo_at_no_pace_is_refused_before_anything_is_touched(system, setting):
    before = system.pids()
    done = system.command("up", "--demo", **setting)
    assert done.returncode == 1
    (name, value), = setting.items()
    assert f"{name}={value}: want a number above 0" in done.stdout
    assert "services" not in done.stdout and system.pids() == before


def test_down_stops_all_of_it_in_order(system):
    """The last test of the file: services before Redis and PostgreSQL, and nothing is left.  A wallboard
    that is looking on does not keep the edge from stopping."""
    with socket.create_connection(("127.0.0.1", system.port("edge")), timeout=30) as board:
        board.sendall(b"GET /live/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"text/event-stream" in board.recv(65536)
        done = system.command("down")
    assert done.returncode == 0, done.stdout
    order = re.findall(r"^  (\w+) +stopped", done.stdout, re.M)
    assert order == ["edge", *SERVICES, "redis", "postgres"]
    assert processes_of(system.run) == []
    assert "database system is shut down" in system.read("log", "postgres", "current")
    again = system.command("down")
    assert again.returncode == 0
    assert "nothing runs" in again.stdout
