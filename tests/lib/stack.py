"""The whole system, privately, for one test: its own database, Redis, keys, ports and folder.

    with Stack() as stack:
        stack.start()                                  # everything, ready
        stack.http("intake", "GET", "/open311/v2/services.json").json()
        stack.sql("select count(*) from turunc.ticket")
        stack.kill9("router"); stack.restart("router")

Stack(services=["intake"]) starts a part.  Names: intake router notifier metrics, edge (Caddy), sink
(the mail server and SMS gateway that write down what they get), postgres and redis.  What is left
running is ended by pid; the folder is removed unless keep is set (the pytest fixtures set it when a
test failed), and every log is then where failure_report() says."""
import json
import os
import re
import shutil
import subprocess
import tempfile

import psycopg2
import zmq

from ports import free_port
from process import LEAST_S, Failed, Process, run, wait_until
from servers import BUILD, ROOT, SERVICES, Postgres, Redis
from web import request

EVERYTHING = ("sink",) + SERVICES + ("edge",)
CONFIG = os.path.join(ROOT, "deploy", "config", "muratpasa")
# Of the addresses that reply_address.py makes.
MAIL_SECRET = "a secret of the test stack"
SANITIZERS = {"ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:handle_abort=1",
              "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}

# Rights of our own services on the bus: verbs, personal data (0 none, 2 full).
INTERNAL = {
    "intake": (["internal"], 0),
    "router": (["internal"], 0),
    "notifier": (["publish", "subscribe", "snapshot", "internal"], 2),
    "metrics": (["subscribe", "snapshot", "internal"], 0),
}


class Stack:
    def __init__(self, services=EVERYTHING, config=CONFIG, env=None, own_postgres=False,
                 postgres_settings=(), redis_settings=(), keep=False):
        """env: extra variables, for all (a dict) or by name ({"intake": {...}} beside others)."""
        self.services = tuple(services)
        self.folder = tempfile.mkdtemp(prefix="turunc-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.keep = keep
        self.port = {}
        self.process = {}
        self._env = env or {}
        own = own_postgres or postgres_settings
        self._own_postgres = bool(own)
        self.postgres = (Postgres(self.path("pg"), postgres_settings) if own else Postgres.shared())
        self.database = self.postgres.copy()
        self._redis_settings = redis_settings
        self.redis = Redis(self.path("redis"), redis_settings)
        self.keys = self.path("keys")
        self._links = {}
        self._make_ports()
        self._make_keys()
        with open(self.path("mail.secret"), "w", encoding="ascii") as file:
            file.write(MAIL_SECRET + "\n")
        if config:
            self.masa("config", "apply", config)
        for name in self.services:
            self.process[name] = self._process(name)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.keep = True
        self.close()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    # --- life and death ---

    def start(self, *names, wait=True):
        """Starts the named (all, when none is) and waits until they are ready."""
        for name in names or self.services:
            if not self.process[name].running():
                self.process[name].start()
        if wait:
            self.wait_ready(*names)

    def wait_ready(self, *names, limit_s=LEAST_S):
        for name in names or self.services:
            wait_until(lambda n=name: self._ready_or_dead(n), limit_s, f"{name} is ready")

    def ready(self, name):
        if name == "sink":
            return "ready smtp=" in self.process["sink"].log()
        if name == "edge":
            return request(self.port["edge"], "GET", "/readyz", timeout=20).status == 404
        return request(self.port[f"{name}_http"], "GET", "/readyz", timeout=20).status == 200

    def kill9(self, name):
        """kill -9: a service, postgres (only one's own) or redis."""
        if name == "postgres":
            assert self._own_postgres, "ask for own_postgres before killing it"
            self._drop_links()
            self.postgres.kill9()
        elif name == "redis":
            self.redis.kill9()
        else:
            self.process[name].kill9()

    def terminate(self, name, limit_s=LEAST_S):
        """SIGTERM and wait; the exit code."""
        return self.process[name].terminate(limit_s)

    def pause(self, name):
        self.process[name].pause()

    def resume(self, name):
        self.process[name].resume()

    def restart(self, name, wait=True, env=None):
        """Starts what was killed or terminated, or terminates first what runs.  env: of a service, from
        now on its variables beside those it had at first."""
        if name in ("postgres", "redis"):
            getattr(self, name).start()
            return
        self.process[name].terminate()
        if env is not None:
            had = self._env.get(name, {})
            self._env[name] = {**had, **env}
            self.process[name] = self._process(name)
            self._env[name] = had
        self.start(name, wait=wait)

    def close(self):
        """Ends everything.  True: each service that still ran stopped cleanly at SIGTERM."""
        clean = True
        for name in reversed(self.services):
            try:
                was_running = self.process[name].running()
                code = self.process[name].terminate()
                clean = clean and (not was_running or code == 0)
            except Failed:
                clean = False
        self._drop_links()
        self.redis.wipe()
        if self._own_postgres:
            self.postgres.wipe()
        else:
            self.postgres.drop(self.database)
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        return clean

    # --- asking it ---

    def http(self, service, method, path, **more):
        """service: a daemon's own port, or "edge"."""
        port = self.port["edge" if service == "edge" else f"{service}_http"]
        return request(port, method, path, **more)

    def sql(self, query, *parameters, user="postgres"):
        """Rows as tuples; [] for what gives none.  Each call is its own transaction."""
        link = self._links.get(user)
        if link is None or link.closed:
            link = psycopg2.connect(self.conninfo(user))
            link.autocommit = True
            self._links[user] = link
        with link.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, query, *parameters):
        """The first column of the first row, None without one."""
        rows = self.sql(query, *parameters)
        return rows[0][0] if rows else None

    def conninfo(self, user="postgres", host=None):
        return self.postgres.conninfo(user, self.database, host)

    def link_record(self, links, link="record"):
        """Puts a link before PostgreSQL; the folder that is its host there."""
        home = dict(part.split("=", 1) for part in self.conninfo().split())
        folder, name = self.path("link", link), f".s.PGSQL.{home['port']}"
        os.makedirs(folder)
        links.add(link, os.path.join(folder, name), os.path.join(home["host"], name), speaks="postgres")
        return folder

    def waiting(self, query):
        """The backends that wait for a lock in a statement like this (SQL's LIKE)."""
        return [pid for pid, in self.sql("select pid from pg_stat_activity where datname = current_database()"
                                         " and wait_event_type = 'Lock' and query like %s", query)]

    def masa(self, *words, check=True, user="turunc_admin", text=True):
        """The command line; its standard output, or with check=False the finished process (text=False: in bytes)."""
        argv = [os.path.join(BUILD, "bin", "masa"), *map(str, words)]
        env = {**self._common_env("masa", user), "TURUNC_BUS_PUBLISH": self._door("publish"),
               "TURUNC_BUS_STREAM": self._door("stream"), "TURUNC_DOORBELL": self._door("doorbell"),
               "TURUNC_REDIS": self.redis.socket,
               **{f"TURUNC_URL_{name.upper()}": f"http://127.0.0.1:{self.port[f'{name}_http']}"
                  for name in SERVICES}}
        if check:
            return run(argv, cwd=self.folder, env=env)
        return subprocess.run(argv, cwd=self.folder, env=env, text=text, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=600, check=False)

    def client(self, name, verbs=("publish", "subscribe", "snapshot", "command"), sources=("*",),
               types=("*",), departments=("*",), personal="full", max_events=1024):
        """Admits an outside system as an administrator would; its key folder, for
        turunc.Client(folder) and for programs.  The services learn of it by the log."""
        folder = self.path(f"client-{name}")
        self.masa("client", "add", name, "--out", folder, "--verbs", ",".join(verbs),
                  "--sources", ",".join(sources), "--types", ",".join(types), "--departments",
                  ",".join(departments), "--personal", personal, "--max-events", max_events)
        return folder

    def api_key(self, name):
        """A new key for Open311 posts, known to intake when that runs."""
        key = json.loads(self.masa("client", "add", name, "--http", "--json"))["api_key"]
        if "intake" in self.process:
            form = {"api_key": key, "service_code": "none"}
            self.wait(lambda: self.http("intake", "POST", "/open311/v2/requests.json",
                                        form=form).status not in (403, 429), 10, "intake knows the API key")
        return key

    def user(self, name, roles, departments="", password="four small words here"):
        """Somebody who can sign in, as people.Browser does; their password."""
        argv = [os.path.join(BUILD, "bin", "masa"), "user", "add", name, "--shown-as", name.title(),
                "--roles", roles, "--departments", departments, "--stdin"]
        done = subprocess.run(argv, cwd=self.folder, env=self._common_env("masa", "turunc_admin"),
                              input=password + "\n", text=True, capture_output=True, timeout=600, check=False)
        if done.returncode != 0:
            raise Failed(f"masa user add ended with {done.returncode}: {done.stderr}")
        return password

    def bus(self, door):
        """(endpoint, the server's public key) of "publish" or "stream"."""
        owner = {"publish": "intake", "stream": "router"}[door]
        with open(os.path.join(self.keys, f"{owner}.pub"), encoding="ascii") as key:
            return f"tcp://127.0.0.1:{self.port[door]}", key.read().strip()

    def messages(self, after=0):
        """What the sink has taken, mail and SMS, in order."""
        return request(self.port["sms"], "GET", f"/messages?after={after}").json()

    def log(self, name):
        return self.process[name].log()

    def metric(self, service, name):
        """A sample of /metrics by its name with labels, as a float; None when it is not there."""
        pattern = re.compile(rf"^{re.escape(name)} (\S+)$", re.M)
        found = pattern.search(self.http(service, "GET", "/metrics").text)
        return float(found.group(1)) if found else None

    def wait(self, condition, limit_s=LEAST_S, what=None):
        return wait_until(condition, limit_s, what)

    def failure_report(self, lines=40):
        parts = [f"the stack's folder is kept: {self.folder}"]
        for name, process in self.process.items():
            tail = "\n".join(process.log().splitlines()[-lines:])
            parts.append(f"--- {name} (exit {process.exit_code()}):\n{tail}")
        return "\n".join(parts)

    # --- how it is made ---

    def _ready_or_dead(self, name):
        process = self.process[name]
        if not process.running():
            raise Failed(f"{name} ended with {process.exit_code()}:\n{process.log()[-4000:]}")
        return self.ready(name)

    def _make_ports(self):
        for name in ("edge", "publish", "stream", "doorbell", "lmtp", "smtp", "sms"):
            self.port[name] = free_port()
        for name in SERVICES:
            self.port[f"{name}_http"] = free_port()

    def _make_keys(self):
        os.mkdir(self.keys)
        for name, (verbs, personal) in INTERNAL.items():
            public, secret = zmq.curve_keypair()
            for suffix, text, mode in (("key", secret, 0o600), ("pub", public, 0o644)):
                path = os.path.join(self.keys, f"{name}.{suffix}")
                with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode), "wb") as file:
                    file.write(text + b"\n")
            self.sql("""insert into turunc.client_grant (name, public_key, verbs, sources, types,
                            departments, personal, max_events, created_us)
                        values (%s, %s, %s, '{*}', '{*}', '{*}', %s, 4096, 0)""",
                     f"turunc.{name}", public.decode(), verbs, personal)

    def env(self, name, user):
        """What a service or the command line is told of the system."""
        return self._common_env(name, user)

    def _common_env(self, name, user):
        state = self.path("state", name)
        os.makedirs(state, exist_ok=True)
        kept = {key: os.environ[key] for key in ("PATH", "LC_ALL", "LOCPATH", "LANG",
                                                    "LSAN_OPTIONS", "TSAN_OPTIONS",
                                                    "ASAN_SYMBOLIZER_PATH")
                if key in os.environ}
        everyone = {key: value for key, value in self._env.items() if not isinstance(value, dict)}
        return {**SANITIZERS, **kept, "TURUNC_DATABASE": self.conninfo(user),
                "TURUNC_REDIS": self.redis.socket, "TURUNC_KEYS_DIR": self.keys,
                "TURUNC_STATE_DIR": state, "TURUNC_LOG_LEVEL": "debug",
                **everyone, **self._env.get(name, {})}

    def _door(self, name):
        return f"tcp://127.0.0.1:{self.port[name]}"

    def _service_env(self, name):
        env = {"TURUNC_HTTP_LISTEN": f"127.0.0.1:{self.port[f'{name}_http']}"}
        if name in ("intake", "router"):
            env["TURUNC_PEOPLE_SECURE"] = "no"
        if name in ("intake", "notifier"):
            env["TURUNC_MAIL_SECRET_FILE"] = self.path("mail.secret")
        env.update({
            "intake": {"TURUNC_BUS_PUBLISH_LISTEN": self._door("publish"),
                       "TURUNC_DOORBELL": self._door("doorbell"),
                       "TURUNC_LMTP_LISTEN": f"127.0.0.1:{self.port['lmtp']}"},
            "router": {"TURUNC_BUS_STREAM_LISTEN": self._door("stream"),
                       "TURUNC_DOORBELL": self._door("doorbell")},
            "notifier": {"TURUNC_BUS_PUBLISH": self._door("publish"),
                         "TURUNC_BUS_STREAM": self._door("stream"),
                         "TURUNC_DOORBELL": self._door("doorbell"),
                         # Digests depend on the time of day; who tests them sets this.
                         "TURUNC_REMINDERS_LOOK": "0",
                         # Everybody is new in a test; who tests the limit sets one.
                         "TURUNC_NOTIFIER_FIRST_MAILS": "0",
                         "TURUNC_SMTP_URL": f"smtp://127.0.0.1:{self.port['smtp']}",
                         "TURUNC_SMS_URL": f"http://127.0.0.1:{self.port['sms']}/send"},
            "metrics": {"TURUNC_BUS_STREAM": self._door("stream")},
        }[name])
        return env

    def _process(self, name):
        log = self.path(f"{name}.log")
        if name == "sink":
            argv = ["/usr/bin/python3", os.path.join(ROOT, "deploy", "demo", "sink.py"),
                    "--smtp", f"127.0.0.1:{self.port['smtp']}",
                    "--http", f"127.0.0.1:{self.port['sms']}", "--file", self.path("sink.jsonl")]
            env = dict(os.environ, PYTHONUNBUFFERED="1")
        elif name == "edge":
            home = self.path("edge")
            os.makedirs(home, exist_ok=True)
            argv = ["caddy", "run", "--adapter", "caddyfile", "--config",
                    os.path.join(ROOT, "deploy", "edge", "Caddyfile")]
            env = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home,
                       TURUNC_EDGE_PORT=str(self.port["edge"]))
            for service in SERVICES:
                env[f"TURUNC_EDGE_{service.upper()}"] = f"127.0.0.1:{self.port[f'{service}_http']}"
        else:
            argv = [os.path.join(BUILD, "bin", f"turunc-{name}")]
            env = {**self._common_env(name, f"turunc_{name}"), **self._service_env(name),
                   **self._env.get(name, {})}
        return Process(name, argv, env, self.folder, log)

    def _drop_links(self):
        for link in self._links.values():
            link.close()
        self._links = {}
