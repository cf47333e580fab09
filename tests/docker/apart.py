#!/usr/bin/python3
"""apart COMMAND... - runs it as root in a network, mounts and processes of its own, which end with it.

A Docker engine changes the machine it runs on: links, packet filter, forwarding, folders in /etc and /run, control
groups.  In here it finds a machine of its own: a network that leads out through slirp4netns and in from nowhere, copies
of /etc, /run, /opt and /var/lib that nobody else sees, and a process 1 with whose end everything is ended by the
kernel, however this ends.  So two runs never meet, and none has to know what was there before.  What remains is a
folder and a control group, which are taken away here, or, when this was killed, by the next who comes.

The command is told its folder by TURUNC_TEST_APART, and its control group by TURUNC_TEST_CGROUP."""
import contextlib
import fcntl
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PREFIX = "turunc-docker-"
NEEDED = {"dockerd": "docker.io", "slirp4netns": "slirp4netns", "ip": "iproute2", "iptables": "iptables",
          "mmdebstrap": "mmdebstrap", "docker-compose": "docker-compose"}
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
WITH_US = ("setpriv", "--pdeathsig", "KILL")  # whoever kills this kills what it started
COPIED = ("/etc", "/run", "/opt", "/var/lib")
NAME_SERVER = "10.0.2.3"  # slirp4netns's, which asks whomever this machine asks
CANNOT = "no Docker engine can run here, so docker-compose.yml is not tested: {}"


class Cannot(Exception):
    """Why no engine can run here, for people."""


def hierarchies():
    """Where control groups are made: one place in the second version, one for each controller in the first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        fields = [line.split(" - ") for line in lines]
    return [before.split()[4] for before, after in fields if after.split()[0] in ("cgroup", "cgroup2")]


def groups(name):
    return [os.path.join(at, name) for at in hierarchies() if os.path.isdir(os.path.join(at, name))]


def remove_groups(name):
    """Empty ones only: the kernel refuses others."""
    for top in groups(name):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def busy_seconds(name):
    """What the processor has done for that group, by now; None where nobody counts it."""
    for file, unit in (("cpuacct.usage", 1e9), ("cpu.stat", 1e6)):
        for top in groups(name):
            with contextlib.suppress(OSError, ValueError):
                with open(os.path.join(top, file), encoding="ascii") as said:
                    return int(re.search(r"^(?:usage_usec )?(\d+)$", said.read(), re.M).group(1)) / unit
    return None


def sweep():
    """What runs left that were killed: the folder of one that lives is locked."""
    for folder in glob.glob(os.path.join(tempfile.gettempdir(), PREFIX + "*")):
        with contextlib.suppress(OSError), open(os.path.join(folder, "lock"), "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_groups(os.path.basename(folder))
            if not groups(os.path.basename(folder)):
                shutil.rmtree(folder, ignore_errors=True)


def tried(what, *argv):
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Cannot(f"{what}: {' '.join(argv)}: {(done.stderr or done.stdout).strip() or done.returncode}")


def check():
    """A machine where no engine can run is told so before anything is begun."""
    if os.geteuid() != 0:
        raise Cannot("it takes root")
    for program, package in NEEDED.items():
        if shutil.which(program) is None:
            raise Cannot(f"{program} is not here (package {package}: deploy/dependencies install docker)")
    if not hierarchies():
        raise Cannot("control groups are not mounted (/sys/fs/cgroup)")
    if not os.path.exists("/dev/net/tun"):
        raise Cannot("there is no /dev/net/tun")
    tried("no network, mounts and processes of its own", *UNSHARE, "true")
    tried("the packet filter cannot be used", "unshare", "--net", "iptables", "-t", "nat", "-S")


# --- outside ---

class Apart:
    """The folder, the control group, and what leads out."""

    def __init__(self, stack):
        # It gets its name when it is locked: before, it would be taken for one that was left.
        made = tempfile.mkdtemp(prefix="turunc-apart-")
        lock = stack.enter_context(open(os.path.join(made, "lock"), "wb"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.folder = made.replace("turunc-apart-", PREFIX)
        os.rename(made, self.folder)
        self.name = os.path.basename(self.folder)
        stack.callback(self.remove)
        self.inner = None
        self.stack = stack

    def start(self, command):
        """The command's process waits for the line that says it may begin: there is no network before."""
        place = os.path.join(self.folder, "tmp")
        os.mkdir(place)
        env = {**os.environ, "TURUNC_TEST_APART": self.folder, "TURUNC_TEST_CGROUP": self.name, "TMPDIR": place}
        told, tell = os.pipe()
        self.inner = subprocess.Popen(
            [*WITH_US, *UNSHARE, sys.executable, "-B", os.path.abspath(__file__), "--inside", str(told), *command],
            env=env, pass_fds=(told,))
        os.close(told)
        self.stack.callback(self.end)
        mine = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.inner.pid}/ns/net") == mine:
            if self.inner.poll() is not None:
                raise Cannot("unshare has ended")
            time.sleep(0.01)
        self.lead_out()
        os.write(tell, b"go\n")
        os.close(tell)

    def lead_out(self):
        ready, is_ready = os.pipe()
        with open(os.path.join(self.folder, "slirp.log"), "wb") as log:
            slirp = subprocess.Popen([*WITH_US, "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback",
                                      f"--ready-fd={is_ready}", str(self.inner.pid), "tap0"],
                                     pass_fds=(is_ready,), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.stack.callback(slirp.wait)
        self.stack.callback(slirp.kill)
        os.close(is_ready)
        said = os.read(ready, 1)
        os.close(ready)
        if not said:
            with open(os.path.join(self.folder, "slirp.log"), encoding="utf-8", errors="replace") as log:
                raise Cannot(f"no way out: slirp4netns: {log.read().strip()}")

    def end(self):
        """With unshare its child goes, process 1 in there, and with it all others."""
        if self.inner.poll() is None:
            self.inner.kill()
        self.inner.wait()

    def remove(self):
        """The folder last: it tells the next who comes that there is something to be taken away."""
        end = time.monotonic() + 60
        while groups(self.name) and time.monotonic() < end:
            remove_groups(self.name)
            time.sleep(0.05)
        if not groups(self.name):
            subprocess.run(["rm", "-rf", "--one-file-system", self.folder], check=False)

    def left(self):
        """In words, what of all this there still is."""
        with open("/proc/self/mounts", encoding="utf-8") as lines:
            found = [f"mount {line.split()[1]}" for line in lines if self.folder in line]
        found += [f"folder {self.folder}"] if os.path.exists(self.folder) else []
        return found + [f"control group {path}" for path in groups(self.name)]


def outside(command):
    began = time.monotonic()
    check()
    sweep()
    with contextlib.ExitStack() as stack:
        apart = Apart(stack)
        apart.start(command)
        code = apart.inner.wait()
        busy = busy_seconds(apart.name)
    left = apart.left()
    if left:
        print("left behind: " + ", ".join(left), flush=True)
    if busy is not None:
        print(f"figure docker cpu_s={busy:.0f} wall_s={time.monotonic() - began:.0f} of={os.path.basename(command[-1])}",
              flush=True)
    return code or (1 if left else 0)


# --- inside, as process 1 ---

def furnish():
    """What an engine writes outside of its folder goes into copies, which nobody else sees."""
    folder = os.environ["TURUNC_TEST_APART"]
    for path in COPIED:
        upper, work = (os.path.join(folder, kind + path.replace("/", "-")) for kind in ("upper", "work"))
        os.makedirs(upper)
        os.makedirs(work)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={path},upperdir={upper},workdir={work}", "turunc-docker",
                        path], check=True)
    with contextlib.suppress(OSError):
        os.unlink("/etc/resolv.conf")
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.write(f"nameserver {NAME_SERVER}\n")
    for at in hierarchies():
        has = set(os.listdir(at))
        if not has & {"cpu.shares", "cpuacct.usage", "cgroup.controllers"}:
            continue
        # The engine's own work is counted with that of its containers.
        top = os.path.join(at, os.environ["TURUNC_TEST_CGROUP"])
        os.makedirs(os.path.join(top, "engine"), exist_ok=True)
        # To others a group counts as one process, however many it holds.
        for file, weight in (("cpu.shares", 4 * 1024), ("cpu.weight", 4 * 100)):
            if os.path.exists(os.path.join(top, file)):
                write(os.path.join(top, file), weight)
        write(os.path.join(top, "engine", "cgroup.procs"), 0)


def write(path, number):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(number))


def inside(told, command):
    """Runs the command, reaps whatever loses its parent meanwhile, and ends when the command has."""
    if os.read(told, 3) != b"go\n":
        return 1
    os.close(told)
    try:
        furnish()
    except (OSError, subprocess.CalledProcessError) as why:
        print(CANNOT.format(why), flush=True)
        return 1
    child = subprocess.Popen(command)
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return abs(os.waitstatus_to_exitcode(status))


def main():
    if sys.argv[1] == "--inside":
        os._exit(inside(int(sys.argv[2]), sys.argv[3:]))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    try:
        return outside(sys.argv[1:])
    except Cannot as why:
        print(CANNOT.format(why), flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
