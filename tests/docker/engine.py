"""A Docker engine of the tests' own: its data, its socket and its processes in one folder, in the network, mounts and
processes that apart.py made for it."""
import os
import re
import signal
import subprocess

from process import Process, wait_until

DOCKER = "/usr/bin/docker"  # Debian's, which speaks to BuildKit by itself
BRIDGE = "10.203.78.1/24"


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


class Engine:
    """dockerd.  TURUNC_TEST_DOCKER_ROOT names a folder that is kept, with the images in it, so that the next run builds
    what has changed."""

    def __init__(self):
        apart = os.environ.get("TURUNC_TEST_APART")
        assert apart, "an engine runs apart from this machine only: tests/run docker, or tests/docker/apart.py COMMAND"
        self.folder = os.path.join(apart, "docker")
        os.makedirs(self.folder)
        self.socket = os.path.join(self.folder, "docker.sock")
        path = lambda name: os.path.join(self.folder, name)  # noqa: E731
        # Control groups by the engine itself: on every machine, whoever else makes some there.
        self.process = Process("dockerd", [
            "dockerd", "--data-root", os.environ.get("TURUNC_TEST_DOCKER_ROOT") or path("data"), "--exec-root", path("exec"),
            "--pidfile", path("pid"), "-H", f"unix://{self.socket}", "--bip", BRIDGE,
            "--default-address-pool", "base=10.203.80.0/20,size=26",
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/" + os.environ["TURUNC_TEST_CGROUP"]],
            dict(os.environ), self.folder, path("dockerd.log"))

    @property
    def host(self):
        return f"unix://{self.socket}"

    def start(self):
        # A containerd that was killed with its engine must not look alive to the next one.
        stale = os.path.join(self.folder, "exec", "containerd", "containerd.pid")
        if os.path.exists(stale):
            wait_until(lambda: ended(read(stale)), 60, "the killed engine's containerd has ended", 0.1)
            os.unlink(stale)
        self.process.start()
        wait_until(self.answers, 120, "the engine answers", 0.2)

    def answers(self):
        assert self.process.running(), self.process.log()[-3000:]
        return os.path.exists(self.socket) and subprocess.run(
            [DOCKER, "-H", self.host, "version"], check=False, capture_output=True).returncode == 0

    def kill9(self):
        self.process.kill9()

    def stop(self, limit_s=180):
        """Ends it with all its containers."""
        if self.process.running():
            self.process.signal(signal.SIGTERM)
            wait_until(lambda: not self.process.running(), limit_s, "the engine has ended", 0.1)
            assert self.process.exit_code() == 0, self.process.log()[-3000:]

    def left(self):
        """In words, what there still is of its containers: processes, mounts, links and rules."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if re.fullmatch(r"(/\S+/)?(dockerd|containerd\S*|docker-proxy|docker-init)", words[0]):
                found.append(f"process {' '.join(words)}")
        # The engine's own two stay: its data's folder on itself, and the network of the machine.
        own = {os.path.join(self.folder, "data"), os.path.join(self.folder, "exec", "netns", "default")}
        mounts = {line.split()[1] for line in read("/proc/self/mounts").splitlines()}
        found += [f"mount {path}" for path in mounts - own if path.startswith(self.folder + "/")]
        found += [f"link {name}" for name in re.findall(r"^\d+: ((?:veth|br-)[^:@]+)", said("ip", "-o", "link"), re.M)]
        return found + [f"rule {line}" for line in said("iptables-save").splitlines() if "br-" in line]
