"""A system of deploy/up in a folder of its own, and what can be seen of its processes."""
import os
import re
import subprocess
import tempfile

from servers import BUILD, ROOT, SERVICES
from web import request

PARTS = ("postgres", "redis", "edge") + SERVICES


class System:
    """One .run folder and the two commands."""

    def __init__(self, folder):
        self.run = folder
        self.env = dict(os.environ, TURUNC_RUN=folder, TURUNC_BUILD=BUILD)

    @classmethod
    def unmade(cls):
        """A folder that deploy/up is to make."""
        folder = tempfile.mkdtemp(prefix="turunc-up-", dir="/var/tmp")
        os.rmdir(folder)
        return cls(folder)

    def command(self, name, *words, **env):
        return subprocess.run([os.path.join(ROOT, "deploy", name), *words], text=True,
                              env={**self.env, **env}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=1200,
                              check=False)

    def path(self, *parts):
        return os.path.join(self.run, *parts)

    def read(self, *parts):
        with open(self.path(*parts), encoding="utf-8", errors="replace") as file:
            return file.read()

    def pid(self, name):
        text = self.read("service", name, "supervise", "pid").strip()
        return int(text) if text else None

    def pids(self):
        return {name: self.pid(name) for name in PARTS}

    def port(self, name):
        return int(re.search(rf"^{name}=(\d+)$", self.read("ports"), re.M).group(1))

    def ready(self, name):
        return request(self.port(f"{name}_http"), "GET", "/readyz").status == 200


def processes_of(folder):
    """Every process whose command line names the folder; svlogd and runsv among them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if folder.encode() in line.read():
                    found.append(int(pid))
        except OSError:
            continue
    return found


def listening(pid):
    """(address, port) of every TCP socket the process listens on."""
    try:
        links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return set()
    found = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as rows:
            for row in list(rows)[1:]:
                cells = row.split()
                if cells[3] == "0A" and f"socket:[{cells[9]}]" in links:
                    host, port = cells[1].split(":")
                    found.add((host, int(port, 16)))
    return found
