"""masa doctor: each thing that it looks at is broken, found, named with its fix, and mended again."""
import contextlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import psycopg2
import pytest
import zmq
from process import Failed
from servers import BUILD, ROOT, SERVICES
from stack import CONFIG, Stack

sys.path.insert(0, os.path.join(ROOT, "tests", "fault"))
from machine import Clock  # noqa: E402

MASA = os.path.join(BUILD, "bin", "masa")
SCHEMA = os.path.join(ROOT, "deploy", "schema")
FAILED, UNREACHABLE = 1, 6
HANGS_S = 120  # nothing is measured here: a limit only against what never comes


def harmless(test):
    """It breaks nothing that stays, so nobody looks after it."""
    test.harmless = True
    return test


class System:
    """A whole system, with the folder that deploy/up would have made of it."""

    def __init__(self, stack):
        self.stack = stack
        self.folder = stack.path("system")
        for part in ("secrets", "service/intake/env", "bin", "state/intake", "postgres/data"):
            os.makedirs(self.path(part))
            os.chmod(self.path(part), 0o750)
        for name in SERVICES:
            os.symlink(os.path.join(BUILD, "bin", f"turunc-{name}"), self.path(f"bin/turunc-{name}"))
        self.write("secrets/mail.secret", "x", 0o600)
        for name, value in stack.process["intake"].env.items():
            if name.startswith("TURUNC_"):
                self.write(f"service/intake/env/{name}", value, 0o644)
        self.ports()
        self.write("env", "", 0o644)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def ports(self, **other):
        port = self.stack.port
        listed = {name: port[name] for name in ("edge", "publish", "stream", "doorbell", "lmtp", "intake_http",
                                                 "router_http", "notifier_http", "metrics_http")}
        self.write("ports", "".join(f"{name}={number}\n" for name, number in {**listed, **other}.items()), 0o644)

    def env(self, **more):
        stack = self.stack
        made = {**stack.env("masa", "turunc_admin"), "TURUNC_SYSTEM_DIR": self.folder, "TURUNC_SCHEMA_DIR": SCHEMA,
                "TURUNC_BUS_PUBLISH": f"tcp://127.0.0.1:{stack.port['publish']}",
                "TURUNC_BUS_STREAM": f"tcp://127.0.0.1:{stack.port['stream']}",
                "TURUNC_URL_EDGE": f"http://127.0.0.1:{stack.port['edge']}",
                **{f"TURUNC_URL_{name.upper()}": f"http://127.0.0.1:{stack.port[f'{name}_http']}"
                   for name in SERVICES}, **more}
        return {name: value for name, value in made.items() if value is not None}

    def doctor(self, *words, **more):
        return subprocess.run([MASA, "doctor", *words], env=self.env(**more), cwd="/", capture_output=True, text=True,
                              timeout=HANGS_S, check=False)

    def said(self, **more):
        done = self.doctor("--json", **more)
        said = json.loads(done.stdout)
        assert all(finding["fix"] for finding in said["findings"]), said
        bad = [finding for finding in said["findings"] if finding["level"] == "bad"]
        assert said["healthy"] == (not bad)
        assert done.returncode == (FAILED if bad else 0) or "record" in {f["check"] for f in bad}, done
        return said

    def bad(self, **more):
        return [(finding["check"], finding["finding"]) for finding in self.said(**more)["findings"]
                if finding["level"] == "bad"]

    def finds(self, check, words, **more):
        """What else is bad is asked between the tests: one answer that is late is no fault of this one."""
        self.stack.wait(lambda: any(name == check and words in text for name, text in self.bad(**more)), HANGS_S,
                        f"{check}: {words}")

    def passes(self, check, **more):
        """It was looked at, and is not bad."""
        def well():
            said = self.said(**more)
            return check in said["looked_at"] and check not in {f["check"] for f in said["findings"] if f["level"] == "bad"}
        self.stack.wait(well, HANGS_S, f"{check} is well")

    def sound(self, looked_at=(), **more):
        """What was said when nothing was bad and all that was looked at."""
        def well():
            said = self.said(**more)
            seen.append(said)
            return said if said["healthy"] and set(looked_at) <= set(said["looked_at"]) else None
        seen = []
        try:
            return self.stack.wait(well, HANGS_S)
        except Failed as failed:
            raise AssertionError(f"it never was sound: {seen[-1]}") from failed

    def notes(self, check, **more):
        return [finding["finding"] for finding in self.said(**more)["findings"]
                if finding["level"] == "note" and finding["check"] == check]


@pytest.fixture(scope="module")
def system():
    with Stack(("sink",) + SERVICES + ("edge",), postgres_settings=["max_connections=60"]) as stack:
        stack.start()
        yield System(stack)


@pytest.fixture(autouse=True)
def sound_before_and_after(request, system):
    yield
    if not getattr(request.function, "harmless", False):
        system.sound()


# --- a sound system, and what is said of it ---

def test_a_sound_system_has_no_finding_that_is_bad_and_all_was_looked_at(system):
    said = system.sound((
        "services", "versions", "redis", "bus", "ports", "edge", "live stream", "durability", "roles", "keys", "schema",
        "holidays", "rules", "address", "clock", "key files", "disk", "files", "settings", "log lock", "people"))
    assert {row["check"] for row in said["not_looked_at"]} <= {"certificate"}, said["not_looked_at"]


def test_for_people_each_finding_stands_over_its_fix(system):
    os.chmod(system.path("secrets/mail.secret"), 0o644)
    try:
        done = system.doctor()
    finally:
        os.chmod(system.path("secrets/mail.secret"), 0o600)
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("! files"))
    assert done.returncode == FAILED and "mail.secret can be read by others" in lines[at] and "chmod 600" in lines[at + 1]
    assert "healthy: no" in lines and any(line.startswith("looked at: ") for line in lines)
    assert "not looked at: certificate (the edge speaks plain HTTP here)" in lines


def test_what_cannot_be_seen_from_here_is_told(system):
    said = system.sound(TURUNC_SYSTEM_DIR=None, TURUNC_SCHEMA_DIR="/nowhere", TURUNC_URL_EDGE=None, TURUNC_REDIS=None,
                        TURUNC_KEYS_DIR=None)
    assert {row["check"] for row in said["not_looked_at"]} >= {
        "bus", "ports", "edge", "redis", "schema", "files", "settings", "key files"}
    assert not set(said["looked_at"]) & {"bus", "ports", "edge", "redis", "schema", "files", "settings"}


@harmless
def test_in_containers_it_looks_at_the_vault_and_at_the_doors_as_they_are_from_there(system, tmp_path):
    """What it cannot see is told with who can."""
    for name in ("secrets/mail.secret", "edge.key", "redis.conf"):
        os.makedirs(os.path.dirname(tmp_path / name), exist_ok=True)
        (tmp_path / name).write_text("x", "ascii")
        os.chmod(tmp_path / name, 0o600)
    port = system.stack.port
    given = {"TURUNC_SYSTEM_DIR": None, "TURUNC_VAULT_DIR": str(tmp_path), "TURUNC_BUS_PUBLISH": "tcp://192.0.2.1:5601",
             "TURUNC_DOOR_PUBLISH": f"tcp://localhost:{port['publish']}", "TURUNC_DOOR_STREAM": f"tcp://localhost:{port['stream']}"}
    said = system.sound(("bus", "files", "key files", "disk"), **given)
    told = {row["check"]: row["why"] for row in said["not_looked_at"]}
    assert {"ports", "folders", "settings"} <= set(told) and "docker-compose ps" in told["ports"] + told["settings"]
    for name in ("secrets/mail.secret", "edge.key", "redis.conf"):
        os.chmod(tmp_path / name, 0o640)
        system.finds("files", f"{name} can be read by others", **given)
        os.chmod(tmp_path / name, 0o600)
    system.finds("bus", "the stream door tcp://localhost:1 cannot be reached", **{**given, "TURUNC_DOOR_STREAM": "tcp://localhost:1"})


# --- the record ---

SQL = [
    ("durability", "fsync is off", "alter system set fsync = off", "alter system reset fsync"),
    ("durability", "full_page_writes is off", "alter system set full_page_writes = off",
     "alter system reset full_page_writes"),
    ("durability", "autovacuum is off", "alter system set autovacuum = off", "alter system reset autovacuum"),
    ("durability", "slot gone keeps WAL", "select pg_create_physical_replication_slot('gone')",
     "select pg_drop_replication_slot('gone')"),
    ("roles", "turunc_metrics may do more than its work: create databases", "alter role turunc_metrics createdb",
     "alter role turunc_metrics nocreatedb"),
    ("roles", "turunc_metrics is a member of turunc_owner", "grant turunc_owner to turunc_metrics",
     "revoke turunc_owner from turunc_metrics"),
    ("roles", "turunc_router may change turunc.event_log", "grant delete on turunc.event_log to turunc_router",
     "revoke delete on turunc.event_log from turunc_router"),
    ("roles", "everybody may change turunc.log_batch", "grant update on turunc.log_batch to public",
     "revoke update on turunc.log_batch from public"),
    ("schema", "the index turunc.ticket_hop_pkey is not valid",
     "set allow_system_table_mods = on; update pg_index set indisvalid = false"
     " where indexrelid = 'turunc.ticket_hop_pkey'::regclass",
     "update pg_index set indisvalid = true where indexrelid = 'turunc.ticket_hop_pkey'::regclass"),
    ("keys", "late has expired", "insert into turunc.client_grant (name, api_key_digest, verbs, created_us, expires_us)"
     " values ('late', sha256('x'), '{publish}', 0, 1)", "update turunc.client_grant set revoked_us = 1 where name = 'late'"),
    ("keys", "soon expires in 9 days", "insert into turunc.client_grant (name, api_key_digest, verbs, created_us,"
     " expires_us) values ('soon', sha256('y'), '{publish}', 0, (extract(epoch from now()) * 1000000)::bigint"
     " + 9 * 86400000000 + 3600000000)", "update turunc.client_grant set revoked_us = 1 where name = 'soon'"),
    ("frozen readers", "fen/live: FORBIDDEN", "insert into turunc.consumer_cursor (client, name, log_id, seq,"
     " updated_at_us, frozen_reason) select 'fen', 'live', log_id, 1, 0, 'FORBIDDEN' from turunc.log_history",
     "delete from turunc.consumer_cursor where client = 'fen'"),
    ("reader lag", "fen/old is 1000", "insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us)"
     " select 'fen', 'old', log_id, -1000000, 0 from turunc.log_history",
     "delete from turunc.consumer_cursor where client = 'fen'"),
    ("dead messages", "1 messages to citizens could not be sent", "insert into turunc.notification (notification_id,"
     " ticket_id, about_seq, about_type, channel, language, state, created_us, updated_us) values"
     " ('00000000-0000-7000-8000-000000000001', 1, 1, 'x', 'sms', 'tr', 5, 0, 0)",
     "delete from turunc.notification where about_type = 'x'"),
    ("messages in doubt", "1 messages may or may not", "insert into turunc.notification (notification_id,"
     " ticket_id, about_seq, about_type, channel, language, state, created_us, updated_us) values"
     " ('00000000-0000-7000-8000-000000000002', 1, 2, 'x', 'sms', 'tr', 4, 0, 0)",
     "delete from turunc.notification where about_type = 'x'"),
    ("migrations", "no migration was ever applied", "create table kept as table public.turunc_migration;"
     " delete from public.turunc_migration", "insert into public.turunc_migration table kept; drop table kept"),
]


def test_what_is_wrong_in_the_record(system):
    """All of it at once, which nothing of it hides."""
    def do(statements):
        for statement in statements.split(";"):
            system.stack.sql(statement)

    def settle(value):
        system.stack.sql("select pg_reload_conf()")
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            system.stack.wait(lambda name=setting: system.stack.one(f"show {name}") == value, 10)

    done = []
    try:
        for row in SQL:
            do(row[2])
            done.append(row)
        settle("off")
        found = system.bad()
    finally:
        for row in reversed(done):
            do(row[3])
        settle("on")
    for check, words, _, _ in SQL:
        assert any(name == check and words in text for name, text in found), (check, words, found)
    # Without migrations the files say so, too.
    once = {row[0] for row in SQL} - {"schema"}
    assert len([name for name, _ in found if name in once]) == len([row for row in SQL if row[0] in once]), found


def test_whoever_holds_the_logs_lock_or_a_snapshot_is_seen(system):
    other = system.stack.conninfo().replace(f"dbname={system.stack.database}", "dbname=postgres")
    with contextlib.ExitStack() as holders:
        holder = holders.enter_context(contextlib.closing(psycopg2.connect(system.stack.conninfo("turunc_router"))))
        # What another database on this PostgreSQL locks is not the log.
        elsewhere = holders.enter_context(contextlib.closing(psycopg2.connect(other)))
        elsewhere.cursor().execute("select pg_advisory_xact_lock(7301)")
        holder.cursor().execute("select pg_advisory_xact_lock(7301)")
        system.finds("log lock", f"process {holder.info.backend_pid} has held the lock of the log for over a second")
        assert len([text for check, text in system.bad() if check == "log lock"]) == 1, "the first, of longer ago, is none"


def test_whoever_migrates_without_being_a_superuser_may_be_the_owner(system):
    sql = system.stack.sql
    sql("create role dba createrole login")
    try:
        sql("grant turunc_owner to dba")
        system.passes("roles")
        assert system.notes("roles") == ["dba is a member of turunc_owner"]
        sql("grant turunc_intake to dba")
        system.finds("roles", "dba is a member of turunc_intake")
    finally:
        sql("drop role dba")


def test_connections_that_run_out(system):
    taken = []
    try:
        have = system.stack.one("select count(*) from pg_stat_activity where backend_type = 'client backend'")
        for _ in range(55 - have):
            taken.append(psycopg2.connect(system.stack.conninfo("turunc_metrics")))
        system.finds("connections", " of 60 connections are taken")
    finally:
        for link in taken:
            link.close()
        system.stack.wait(lambda: system.stack.one(
            "select count(*) from pg_stat_activity where usename = 'turunc_metrics'") < 20)


def test_a_record_that_is_away_or_none(system):
    done = system.doctor("--json", TURUNC_DATABASE="host=/nowhere dbname=x")
    said = json.loads(done.stdout)
    assert done.returncode == UNREACHABLE and "record" in [f["check"] for f in said["findings"] if f["level"] == "bad"]
    assert "redis" in said["looked_at"], "the rest is looked at"
    empty = system.stack.conninfo("turunc_admin").replace(f"dbname={system.stack.database}", "dbname=postgres")
    done = system.doctor("--json", TURUNC_DATABASE=empty)
    assert done.returncode == UNREACHABLE and "does not exist" in done.stdout


@harmless
def test_who_can_sign_in(system):
    assert system.notes("people") == ["nobody can sign in as an administrator"]
    system.stack.user("yonetici", "administrator")
    assert system.notes("people") == []


@harmless
def test_a_schema_of_another_version(system, tmp_path):
    folder = str(tmp_path / "schema")
    shutil.copytree(SCHEMA, folder)
    first, last = sorted(os.listdir(folder))[0], sorted(os.listdir(folder))[-1]
    with open(os.path.join(folder, "0999_add_more.sql"), "w", encoding="utf-8") as file:
        file.write("select 1;\n")
    system.finds("schema", "0999_add_more.sql has not been applied", TURUNC_SCHEMA_DIR=folder)
    os.remove(os.path.join(folder, "0999_add_more.sql"))
    os.remove(os.path.join(folder, last))
    system.finds("schema", f"the record is newer than these programs: it has {last}", TURUNC_SCHEMA_DIR=folder)
    shutil.copy(os.path.join(SCHEMA, last), folder)
    with open(os.path.join(folder, first), "a", encoding="utf-8") as file:
        file.write("-- edited\n")
    system.finds("schema", f"{first} is not what was applied", TURUNC_SCHEMA_DIR=folder)


def test_backups_that_are_old(system):
    stack = system.stack
    started = stack.one("select started_at_us from turunc.log_history")
    assert "backups" in system.said()["looked_at"], "a record of a moment ago needs none yet"
    try:
        stack.sql("update turunc.log_history set started_at_us = 0")
        system.finds("backups", "there is no backup of this record")
        stack.sql("insert into turunc.backup_made (began_us, good_until_us, at_least_seq, follows)"
                  " values (0, 1767225600000000, 1, false)")
        system.finds("backups", "the newest backup reaches to 2026-01-01 03:00")
        stack.sql("update turunc.backup_made set good_until_us = (extract(epoch from now()) * 1000000)::bigint")
        system.passes("backups")
    finally:
        stack.sql("delete from turunc.backup_made")
        stack.sql("update turunc.log_history set started_at_us = %s", started)


# --- the configuration ---

def test_holidays_and_subjects_that_are_missing(system, tmp_path):
    folder = str(tmp_path / "config")
    shutil.copytree(CONFIG, folder)
    year = time.gmtime().tm_year

    def without(file, unwanted):
        path = os.path.join(folder, file)
        with open(path, encoding="utf-8") as lines:
            kept = [line for line in lines if not unwanted(line)]
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(kept)

    days = {f"{y}-{day}" for y in (year, year + 1) for day in ("04-23",)}
    without("holidays.csv", lambda line: line.split(",")[0] in days)
    without("rules.csv", lambda line: "cadde-supurme" in line)
    system.stack.masa("config", "apply", folder)
    try:
        found = system.bad()
        assert any(check == "holidays" and "-04-23 (National Sovereignty" in text for check, text in found), found
        assert ("rules", "no rule takes the subject cadde-supurme") in found
    finally:
        system.stack.masa("config", "apply", CONFIG)


@harmless
def test_links_that_lead_nowhere(system):
    assert any("each reader's own machine" in text for text in system.notes("address"))


# --- parts ---

def test_services_and_redis_that_are_away(system):
    stack = system.stack
    stack.pause("notifier")
    try:
        system.finds("services", "notifier: no answer")
    finally:
        stack.resume("notifier")
    stack.redis.command("config", "set", "maxmemory-policy", "allkeys-lru")
    system.finds("redis", "maxmemory-policy is not noeviction")
    stack.redis.command("config", "set", "maxmemory-policy", "noeviction")
    system.finds("redis", "cannot be reached", TURUNC_REDIS="/nowhere/redis.sock")


def test_gateways_that_are_away(system):
    stack = system.stack
    away = 'turunc_notifier_channel_away{channel="email"}'
    stack.kill9("sink")
    try:
        form = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456", "description": "Süpürülmedi.",
                "email": "ayse@ornek.example", "api_key": stack.api_key("app")}
        assert stack.http("intake", "POST", "/open311/v2/requests.json", form=form).status == 201
        stack.wait(lambda: stack.metric("notifier", away) == 1, HANGS_S, "the notifier sees it")
        system.finds("gateways", "email: nobody answers where these messages leave")
    finally:
        stack.start("sink")
        stack.wait(lambda: stack.metric("notifier", away) == 0, HANGS_S, "it is back")


class Answers(http.server.BaseHTTPRequestHandler):
    """A service of another version, and one that is not ready."""

    def do_GET(self):
        version = b'turunc_build_info{service="router",version="0.0.9"} 1\n'
        ready = b'{"ready":false,"dependencies":[{"name":"record","state":"down","needed":true,"detail":"refused"}]}'
        body, status = (version, 200) if self.path == "/metrics" else (ready, 503)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(handler, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@harmless
def test_a_service_of_another_version_and_not_ready(system):
    with serving(Answers) as port:
        url = f"http://127.0.0.1:{port}"
        system.finds("versions", "router is not of masa's version", TURUNC_URL_ROUTER=url)
        system.finds("services", "router: not ready", TURUNC_URL_ROUTER=url)
        assert any("router: not ready" in text and "refused" in text for _, text in system.bad(TURUNC_URL_ROUTER=url))


@harmless
def test_doors_of_the_bus(system):
    port = system.stack.port
    system.finds("bus", "is no bus", TURUNC_BUS_STREAM=f"tcp://127.0.0.1:{port['intake_http']}")
    system.finds("bus", "cannot be reached", TURUNC_BUS_STREAM="tcp://127.0.0.1:1")
    with zmq.Context() as context, context.socket(zmq.ROUTER) as plain:
        plain.linger = 0
        number = plain.bind_to_random_port("tcp://127.0.0.1")
        system.finds("bus", "speaks without encryption", TURUNC_BUS_PUBLISH=f"tcp://127.0.0.1:{number}")


def test_ports_that_are_shut_or_open_to_everybody(system):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        number = unused.getsockname()[1]
    try:
        system.ports(doorbell=number)
        system.finds("ports", f"nobody listens on {number}, the port of doorbell")
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            with socket.create_server((address, 0), family=family) as wide:
                number = wide.getsockname()[1]
                system.ports(postgres=number)
                system.finds("ports", f"port {number} of postgres is open to other machines")
                system.ports(edge=number)
                system.passes("ports")  # the edge may be
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as here:
            system.ports(postgres=here.getsockname()[1])
            system.passes("ports")
    finally:
        system.ports()


# --- the edge ---

def proxy(system, whole):
    """An edge before the edge: whole, it passes an answer on when it has all of it, or a megabyte."""
    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with socket.create_connection(("127.0.0.1", system.stack.port["edge"]), timeout=15) as behind:
                behind.sendall(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                held = b""
                with contextlib.suppress(OSError):
                    while data := behind.recv(65536):
                        held += data
                        if not whole or len(held) > 1 << 20:
                            self.wfile.write(held)
                            held = b""
                    self.wfile.write(held)

        def log_message(self, *args):
            pass
    return Proxy


@harmless
def test_an_edge_that_holds_streams_back_tells_too_much_or_is_away(system):
    with serving(proxy(system, whole=True)) as port:
        system.finds("live stream", "the edge holds the board's stream back", TURUNC_URL_EDGE=f"http://127.0.0.1:{port}")
    with serving(proxy(system, whole=False)) as port:
        system.passes("live stream", TURUNC_URL_EDGE=f"http://127.0.0.1:{port}")  # one that does not is none
    system.finds("edge", "it answers /readyz with 200",
                 TURUNC_URL_EDGE=f"http://127.0.0.1:{system.stack.port['metrics_http']}")
    system.finds("edge", "nobody answers", TURUNC_URL_EDGE="http://127.0.0.1:1")


@harmless
def test_a_certificate_that_ends(system, tmp_path):
    def edge(days):
        key, pem = str(tmp_path / "edge.key"), str(tmp_path / "edge.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", str(days), "-batch", "-subj", "/CN=x", "-keyout", key, "-out", pem], check=True,
                       capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        return serving(proxy(system, whole=False), context)

    with edge(9) as port:
        url = f"https://127.0.0.1:{port}"
        system.finds("certificate", "the edge's certificate is good for 8 days more, until ", TURUNC_URL_EDGE=url)
        clock = Clock(str(tmp_path))
        clock.set(20 * 86400)
        system.finds("certificate", "has been out of date since", TURUNC_URL_EDGE=url, **clock.env)
    with edge(60) as port:
        system.passes("certificate", TURUNC_URL_EDGE=f"https://127.0.0.1:{port}")


# --- the machine ---

def test_clocks(system, tmp_path):
    clock = Clock(str(tmp_path))
    for seconds, words in ((5, "ms from this machine's"), (-5, "ms from this machine's")):
        clock.set(seconds)
        system.finds("clock", words, **clock.env)
    simulated = str(tmp_path / "simulated")
    subprocess.run([MASA, "demo", "clock", simulated, "--month", "2026-03"], env=system.env(), check=True,
                   capture_output=True)
    system.finds("clock", "no demonstration", TURUNC_CLOCK_FILE=simulated)


def test_files_that_others_can_read(system):
    key = os.path.join(system.stack.keys, "router.key")
    os.chmod(key, 0o644)
    system.finds("keys", f"{key} of a bus door can be read by others")
    os.chmod(key, 0o600)
    os.rename(key, key + ".away")
    system.finds("keys", f"{key} of a bus door: No such file")
    os.rename(key + ".away", key)
    for number in range(9):
        system.write(f"secrets/{number}.password", "x", 0o640)
    found = [text for check, text in system.bad() if check == "files"]
    assert len(found) == 6 and any("4 more secrets" in text for text in found), found
    for number in range(9):
        os.remove(system.path(f"secrets/{number}.password"))
    os.chmod(system.path("postgres/data"), 0o755)
    system.finds("files", "postgres/data is open to every user of this machine (mode 755)")
    os.chmod(system.path("postgres/data"), 0o700)


def test_settings_that_a_service_would_not_take(system):
    system.write("service/intake/env/TURUNC_INTAKE_WAIT", "soon\n", 0o644)
    system.finds("settings", "intake would not start again: ")
    assert any("TURUNC_INTAKE_WAIT" in text for _, text in system.bad())
    os.remove(system.path("service/intake/env/TURUNC_INTAKE_WAIT"))
    system.write("settings", "TURUNC_LOG_LEVEL=debug\n", 0o644)
    os.utime(system.path("settings"), (time.time() + 60, time.time() + 60))
    assert any("is not in force yet" in text for text in system.notes("settings"))
    os.remove(system.path("settings"))


@harmless
@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is made by root alone")
def test_a_disk_that_is_full(system, tmp_path):
    """In a namespace of its own, which takes the mount away with it."""
    small = tmp_path / "small"
    small.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=1m none {small} && head -c 1000000 /dev/zero > "
         f"{small}/filled && exec {MASA} doctor --json"], env=system.env(TURUNC_ATTACHMENTS_DIR=str(small)), cwd="/",
        capture_output=True, text=True, timeout=HANGS_S, check=False)
    if "mount" in done.stderr:
        pytest.skip("no file system can be mounted here")
    found = [f for f in json.loads(done.stdout)["findings"] if f["level"] == "bad" and f["check"] == "disk"]
    assert len(found) == 1 and f"of the disk of {small} is free" in found[0]["finding"]
