"""A Docker engine of the tests' own: its data, its socket and its processes in one folder, and everything that
it did to this machine (links, packet filter, forwarding) taken back at the end."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from process import Process, wait_until

BRIDGE = "10.203.78.1/24"
FORWARDING = "/proc/sys/net/ipv4/ip_forward"
# What an engine leaves outside of its folder, if it was not there before.
OUTSIDE = ("/etc/docker", "/run/docker", "/run/containerd", "/var/lib/docker", "/opt/containerd", "/var/lib/containerd")


def said(*argv, **options):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def ended(pid):
    """Whether that process is no more, or waits for nothing but to be reaped."""
    try:
        return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


class Machine:
    """What of this machine an engine changes, as it is now."""

    def __init__(self):
        self.rules = {tool: said(f"{tool}-save") for tool in ("iptables", "ip6tables")}
        self.links = set(re.findall(r"^\d+: ([^:@]+)", said("ip", "-o", "link"), re.M))
        self.forwarding = read(FORWARDING)
        self.outside = {path for path in OUTSIDE if os.path.exists(path)}
        self.mounts = [line.split()[1] for line in read("/proc/self/mounts").splitlines()]

    def without_counts(self, tool):
        """Each table's rules and chains; empty tables are no difference."""
        text = re.sub(r"\[\d+:\d+\]", "", self.rules[tool])
        return [line for line in text.splitlines() if line[:1] in "-:" and not re.match(r":\S+ ACCEPT", line)]

    def differences(self, before):
        found = [f"{tool}: {line}" for tool in self.rules
                 for line in set(self.without_counts(tool)) ^ set(before.without_counts(tool))]
        found += [f"link {name}" for name in self.links - before.links]
        found += [f"folder {name}" for name in self.outside - before.outside]
        found += [f"mount {name}" for name in set(self.mounts) - set(before.mounts)]
        if self.forwarding != before.forwarding:
            found.append(f"forwarding {self.forwarding}")
        return found

    def restore(self):
        """Back to what it was: only links and rules that Docker gives names to are touched."""
        now = Machine()
        for name in now.links - self.links:
            if re.fullmatch(r"docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7}", name):
                subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
        for tool, rules in self.rules.items():
            if "DOCKER" not in rules and "DOCKER" in now.rules[tool]:
                unruled(tool, now.rules[tool], rules)
        with open(FORWARDING, "w", encoding="ascii") as file:
            file.write(self.forwarding)
        for path in now.outside - self.outside:
            shutil.rmtree(path, ignore_errors=True)


def unruled(tool, rules, before):
    """Takes Docker's rules out, then its chains, then its policy."""
    kept = set(before.splitlines())
    chains, table = [], None
    for line in rules.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A") and line not in kept and re.search(r"DOCKER|docker0|br-[0-9a-f]{12}|MASQUERADE", line):
            subprocess.run(f"{tool} -t {table} -D {line[3:]}", shell=True, check=False, capture_output=True)
        elif line.startswith(":DOCKER"):
            chains.append((table, line[1:].split()[0]))
    for table, chain in chains:
        subprocess.run([tool, "-t", table, "-F", chain], check=False, capture_output=True)
    for table, chain in chains:
        subprocess.run([tool, "-t", table, "-X", chain], check=False, capture_output=True)
    if ":FORWARD DROP" in rules and ":FORWARD DROP" not in before:
        subprocess.run([tool, "-P", "FORWARD", "ACCEPT"], check=False, capture_output=True)


class Engine:
    """dockerd, in a folder of its own.  TURUNC_TEST_DOCKER_ROOT names one that is kept, with the images in it,
    so that the next run builds what has changed."""

    def __init__(self):
        self.kept = os.environ.get("TURUNC_TEST_DOCKER_ROOT", "")
        self.folder = self.kept or tempfile.mkdtemp(prefix="turunc-docker-")
        os.makedirs(self.folder, exist_ok=True)
        self.socket = os.path.join(self.folder, "docker.sock")
        self.machine = Machine()
        path = lambda name: os.path.join(self.folder, name)  # noqa: E731
        self.process = Process("dockerd", [
            "dockerd", "--data-root", path("data"), "--exec-root", path("exec"), "--pidfile", path("pid"),
            "-H", f"unix://{self.socket}", "--bip", BRIDGE, "--default-address-pool", "base=10.203.80.0/20,size=26"],
            dict(os.environ), self.folder, path("dockerd.log"))

    @property
    def host(self):
        return f"unix://{self.socket}"

    def start(self):
        # Where nobody reaps orphans, a containerd that was killed with its engine looks alive to the next one.
        stale = os.path.join(self.folder, "exec", "containerd", "containerd.pid")
        if os.path.exists(stale):
            wait_until(lambda: ended(read(stale)), 20, "the killed engine's containerd has ended", 0.1)
            os.unlink(stale)
        self.process.start()
        wait_until(self.answers, 60, "the engine answers", 0.2)

    def answers(self):
        assert self.process.running(), self.process.log()[-3000:]
        return os.path.exists(self.socket) and subprocess.run(
            ["docker", "-H", self.host, "version"], check=False, capture_output=True).returncode == 0

    def stop(self, limit_s=90):
        """Ends it with all its containers."""
        if self.process.running():
            self.process.signal(signal.SIGTERM)
            wait_until(lambda: not self.process.running(), limit_s, "the engine has ended", 0.1)

    def kill9(self):
        self.process.kill9()

    def ours(self):
        """Processes whose command line names our folder: containerd and its shims."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0].startswith((b"containerd", b"/usr/bin/containerd", b"dockerd")) and any(
                    self.folder.encode() in word for word in words):
                found.append(int(pid))
        return found

    def close(self):
        """What is still different from before, in words."""
        try:
            self.stop()
        finally:
            for pid in self.ours():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            wait_until(lambda: not self.ours(), 20, "nothing of the engine runs", 0.1)
            for point in reversed([line.split()[1] for line in read("/proc/self/mounts").splitlines()]):
                if point.startswith(self.folder + "/"):
                    subprocess.run(["umount", point], check=False, capture_output=True)
            self.machine.restore()
            if not self.kept:
                shutil.rmtree(self.folder, ignore_errors=True)
        return Machine().differences(self.machine)
