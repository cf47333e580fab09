"""The PostgreSQL and Redis of a test: private, found by their sockets, and gone with the process.

Starting a cluster takes seconds and a database a fraction of one, so the stacks of a test file share
a cluster and have a database each, copied from a migrated one.  A test that kills PostgreSQL asks
for a cluster of its own.  The first cluster of a whole run is copied to where TURUNC_TEST_CLUSTER says,
before anything is in it but the migrated database; the others begin as copies of that."""
import atexit
import fcntl
import os
import shutil
import signal
import tempfile
import uuid

import psycopg2

from process import run, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIB = os.path.join(ROOT, "tests", "lib")
BUILD = os.environ.get("TURUNC_TEST_BUILD", os.path.join(ROOT, "build"))
SERVICES = ("intake", "router", "notifier", "metrics")
ROLES = tuple(f"turunc_{name}" for name in SERVICES + ("admin",))
MASTER = "turunc"
LIKE = os.environ.get("TURUNC_TEST_CLUSTER")


def gone(pid):
    """It has ended; whether somebody has noticed does not matter."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Postgres:
    """A cluster with a migrated master database, `turunc`, from which others are copied."""

    _shared = None

    def __init__(self, folder, settings=()):
        self.folder = folder
        self._settings = list(settings)
        if LIKE:
            with open(f"{LIKE}.lock", "w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not os.path.isdir(LIKE):
                    self._make()
                    self.stop()
                    run([f"{LIB}/private_postgres", "copy", self.folder, LIKE])
            self.start()
        else:
            self._make()

    @classmethod
    def shared(cls):
        if cls._shared is None:
            folder = tempfile.mkdtemp(prefix="turunc-pg-", dir="/tmp")
            os.chmod(folder, 0o755)
            cls._shared = cls(os.path.join(folder, "pg"), ["max_connections=200"])
            atexit.register(shutil.rmtree, folder, True)
            atexit.register(cls._shared.wipe)
        return cls._shared

    def start(self):
        """Starts it, or does nothing when it runs; after kill9() it recovers."""
        like = ["--like", LIKE] if LIKE and os.path.isdir(LIKE) else []
        self._base = run([f"{LIB}/private_postgres", "start", self.folder, "--owner",
                          str(os.getpid())] + like + self._settings).strip()

    def kill9(self):
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: gone(pid), 10, "postgres is gone")

    def pid(self):
        return int(run([f"{LIB}/private_postgres", "pid", self.folder]))

    def stop(self):
        run([f"{LIB}/private_postgres", "stop", self.folder])

    def wipe(self):
        run([f"{LIB}/private_postgres", "wipe", self.folder])

    def conninfo(self, user="postgres", database=MASTER, host=None):
        """host: where it is reached, when not where it listens."""
        parts = dict(part.split("=", 1) for part in self._base.split())
        parts.update(user=user, dbname=database, host=host or parts["host"])
        return " ".join(f"{key}={value}" for key, value in parts.items())

    def execute(self, statement, database="postgres"):
        link = psycopg2.connect(self.conninfo(database=database))
        try:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(statement)
        finally:
            link.close()

    def copy(self):
        """A new database like the migrated one; its name."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.execute(f"create database {name} template {MASTER}")
        return name

    def drop(self, name):
        self.execute(f"drop database if exists {name} with (force)")

    def _make(self):
        self.start()
        masa = os.path.join(BUILD, "bin", "masa")
        run([masa, "db", "migrate"], cwd=ROOT, env=dict(os.environ, TURUNC_DATABASE=self.conninfo()))
        for role in ROLES:
            self.execute(f"alter role {role} login")


class Redis:
    """A Redis in a folder, reached by its socket."""

    def __init__(self, folder, settings=()):
        self.folder = folder
        self._settings = list(settings)
        self.start()

    def start(self):
        self.socket = run([f"{LIB}/private_redis", "start", self.folder, "--owner",
                           str(os.getpid())] + self._settings).strip()

    def pid(self):
        return int(run([f"{LIB}/private_redis", "pid", self.folder]))

    def kill9(self):
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: gone(pid), 10, "redis is gone")

    def wipe(self):
        run([f"{LIB}/private_redis", "wipe", self.folder])

    def command(self, *words):
        """One command through redis-cli; its plain answer."""
        return run(["redis-cli", "-s", self.socket, "--raw", *map(str, words)]).rstrip("\n")

