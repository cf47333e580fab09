"""The whole system with a link of tests/lib/proxy.py between any two of its parts, on a machine whose
disk and clock may go wrong.

Every part listens where it always does; whoever connects is sent through the link."""
import os
import re
import tempfile

from machine import Clock, Disk
from ports import free_port
from proxy import Links
from servers import ROOT
from stack import Stack

WRITERS = ("intake", "router", "notifier")
# Where a service, or an outside client, connects over TCP: link -> the port behind it.
TCP = {
    "citizens-intake": "intake_http",
    "publishers-intake": "publish",
    "subscribers-router": "stream",
    "notifier-router": "stream",
    "metrics-router": "stream",
    "intake-doorbell": "doorbell",
    "notifier-intake": "publish",
    "notifier-smtp": "smtp",
    "notifier-sms": "sms",
    "mail-intake": "lmtp",
    "gateway-notifier": "notifier_http",
    "desk-router": "router_http",
    "viewers-metrics": "metrics_http",
}
# What travels there only with Storm(doors=True).
AT_THE_DOORS = ("notifier-intake", "gateway-notifier", "desk-router", "viewers-metrics")
DATABASE = tuple(f"{name}-postgres" for name in WRITERS + ("metrics",))
NAMES = tuple(TCP) + DATABASE + ("metrics-redis",)


def deployed():
    """What PostgreSQL does about clients that are gone, as it is deployed."""
    with open(os.path.join(ROOT, "deploy", "postgres", "turunc.conf"), encoding="utf-8") as file:
        return [f"{name}={value}" for name, value in re.findall(
            r"^((?:client_connection|idle_in_transaction)_\w+) = '(.+)'$", file.read(), re.M)]


class WiredStack(Stack):
    def __init__(self, **options):
        self._machine = tempfile.TemporaryDirectory(prefix="turunc-machine-", dir="/tmp")
        os.chmod(self._machine.name, 0o755)     # PostgreSQL, which is somebody else, looks there
        self.disk, self.clock = Disk(self._machine.name), Clock(self._machine.name)
        os.environ["TURUNC_TEST_PRELOAD"] = self.disk.library   # for tests/lib/private_postgres
        super().__init__(own_postgres=True, postgres_settings=deployed(), **options)

    def _make_ports(self):
        super()._make_ports()
        self.links = Links()
        self.link_port = {name: free_port() for name in TCP}
        for name, port in TCP.items():
            self.links.add(name, self.link_port[name], self.port[port])
        self._host = {name: self.link_record(self.links, name) for name in DATABASE}
        self.links.add("metrics-redis", self.path("link", "redis"), self.redis.socket)

    def _link(self, name):
        return f"tcp://127.0.0.1:{self.link_port[name]}"

    def _common_env(self, name, user):
        env = super()._common_env(name, user)
        if f"{name}-postgres" in DATABASE:
            env["TURUNC_DATABASE"] = self.conninfo(user, self._host[f"{name}-postgres"])
        return env

    def _service_env(self, name):
        env = super()._service_env(name)
        through = {
            "intake": {"TURUNC_DOORBELL": self._link("intake-doorbell")},
            "router": {},
            "notifier": {
                "TURUNC_BUS_STREAM": self._link("notifier-router"),
                "TURUNC_BUS_PUBLISH": self._link("notifier-intake"),
                "TURUNC_SMTP_URL": f"smtp://127.0.0.1:{self.link_port['notifier-smtp']}",
                "TURUNC_SMS_URL": f"http://127.0.0.1:{self.link_port['notifier-sms']}/send"},
            "metrics": {"TURUNC_BUS_STREAM": self._link("metrics-router"),
                        "TURUNC_REDIS": self.path("link", "redis")},
        }[name]
        return {**env, **through, **self.clock.env}

    def client(self, name, **rights):
        folder = super().client(name, **rights)
        path = os.path.join(folder, "endpoints")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for link in ("publishers-intake", "subscribers-router"):
            text = text.replace(f":{self.port[TCP[link]]}", f":{self.link_port[link]}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return folder

    def forget_links(self):
        """The next sql() connects anew."""
        self._drop_links()

    def close(self):
        try:
            return super().close()
        finally:
            os.environ.pop("TURUNC_TEST_PRELOAD", None)
            self.links.close()
            self._machine.cleanup()
