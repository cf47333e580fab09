"""A PostgreSQL and a Redis that are there already: servers of somebody else, which a system in containers is led to
by settings.  They are containers of our images for want of others, but no part of the system."""
import contextlib
import os
import uuid

from composed import PATIENCE_S
from engine import BRIDGE
from ports import free_port
from process import wait_until

HOST = BRIDGE.split("/", maxsplit=1)[0]
DATABASE = "masa"


class Theirs:
    def __init__(self, system, folder):
        self.system, self.folder = system, str(folder)
        self.port = {"postgres": free_port(), "redis": free_port()}
        self.password = {name: uuid.uuid4().hex for name in self.port}
        self.name = {name: f"theirs-{name}" for name in self.port}

    def write(self, folder, name, text):
        path = os.path.join(self.folder, folder)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        with open(os.path.join(path, name), "w", encoding="ascii") as file:
            file.write(text)
        return path

    def run(self, name, given, *words):
        self.system.docker("run", "-d", "--name", self.name[name], "--network", "host", "--init", "-v", f"{given}:/run/turunc:ro",
                           f"turunc-{name}:{self.system.tag}", *words)

    def start(self):
        self.stop()
        given = self.write("postgres", "postgres.password", self.password["postgres"])
        self.run("postgres", given, "-c", f"port={self.port['postgres']}", "-c", f"listen_addresses={HOST}")
        given = self.write("redis", "redis.conf", f"requirepass {self.password['redis']}\nbind {HOST}\n"
                                                  f"port {self.port['redis']}\ndir /var/lib/redis\n")
        self.run("redis", given)
        wait_until(self.answer, PATIENCE_S, "the servers that are there already answer", 0.2)

    def answer(self):
        asked = ["pg_isready", "-q", "-h", HOST, "-p", str(self.port["postgres"])]
        return self.exec("postgres", *asked, "-t", "2") is not None and "PONG" in (self.redis("ping") or "")

    def exec(self, name, *words):
        """What that said; None when it failed."""
        try:
            return self.system.docker("exec", self.name[name], *words)
        except AssertionError:
            return None

    def redis(self, *words):
        return self.exec("redis", "redis-cli", "--no-auth-warning", "-h", HOST, "-p", str(self.port["redis"]),
                         "-a", self.password["redis"], *words)

    def settings(self):
        """What the operator says, and their own folder; its settings lead messages to a gateway that is not to get any."""
        for name in self.port:
            own = self.write("own", f"{name}.password", self.password[name] + "\n")
        self.write("own", "settings", "# ours\nTURUNC_NOTIFIER_IN_FLIGHT=7\nTURUNC_SMS_GATEWAY=netgsm\n"
                                      "TURUNC_SMS_USER=masa\nTURUNC_SMS_PASSWORD_FILE=/run/turunc/own/sms.password\n")
        self.write("own/notifier", "sms.password", "word\n")
        return {"TURUNC_POSTGRES_HOST": HOST, "TURUNC_POSTGRES_PORT": str(self.port["postgres"]),
                "TURUNC_POSTGRES_DATABASE": DATABASE, "TURUNC_REDIS": f"{HOST}:{self.port['redis']}",
                "TURUNC_INWARD": "false", "TURUNC_OWN": own}

    def stop(self):
        for name in self.name.values():
            self.system.docker("rm", "-f", "-v", name, check=False)


@contextlib.contextmanager
def theirs(system, folder):
    """Until the end; how the system is asked for records is changed with it."""
    servers = Theirs(system, folder)
    kept = dict(system.env)
    try:
        servers.start()
        system.env.update(servers.settings())
        system.record = (servers.name["postgres"], servers.port["postgres"], DATABASE)
        yield servers
    finally:
        system.down()
        servers.stop()
        system.record = None
        system.env.clear()
        system.env.update(kept)
