"""What an engine runs in: apart from this machine, and gone when it ends, however it ends."""
import glob
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from apart import PREFIX
from process import wait_until

APART = [sys.executable, "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)), "apart.py")]
LIMIT_S = 300


def begun(*command):
    return subprocess.Popen([*APART, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said(*command):
    done = subprocess.run([*APART, *command], check=False, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def folders():
    return set(glob.glob(os.path.join(tempfile.gettempdir(), PREFIX + "*")))


def test_what_is_done_in_there_is_not_done_here():
    before = folders()
    output = said("sh", "-ec", "echo only here >/etc/turunc-apart; cat /etc/turunc-apart; ip link add name br-apart type bridge; "
                               "iptables -t nat -N TURUNC_APART; ip -o link | grep -c br-apart; ls /proc | grep -c '^1$'")
    assert output.split()[:4] == ["only", "here", "1", "1"]
    assert not os.path.exists("/etc/turunc-apart") and not os.path.exists("/sys/class/net/br-apart")
    assert folders() <= before


def test_how_it_ends_is_told():
    assert subprocess.run([*APART, "sh", "-c", "exit 7"], check=False, capture_output=True, timeout=LIMIT_S).returncode == 7


def test_two_at_once_do_not_meet():
    """Each has the same address and the same port."""
    script = ("import socket, sys; door = socket.create_server(('127.0.0.1', 8443)); print('mine', flush=True); "
              "sys.stdin.readline()")
    both = [begun(sys.executable, "-c", script) for _ in range(2)]
    assert [one.stdout.readline() for one in both] == ["mine\n"] * 2
    for one in both:
        one.communicate("\n", timeout=LIMIT_S)
    assert [one.returncode for one in both] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_it_ends_all_that_it_began(number):
    """Even what has made itself a session of its own; what SIGKILL leaves of the folder is taken away by the next."""
    mark = f"turunc-apart-{os.getpid()}-{number}"
    before = folders()
    one = begun("sh", "-c", f"setsid sh -c 'sleep 1000; : {mark}' & echo begun; wait")
    assert one.stdout.readline() == "begun\n"
    one.send_signal(number)
    one.wait(LIMIT_S)
    one.stdout.close()
    wait_until(lambda: not [line for line in commands() if mark in line], LIMIT_S, "nothing of it runs")
    said("true")
    assert folders() <= before


def commands():
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                yield file.read().decode("utf-8", "replace")
        except OSError:
            pass


def test_a_machine_that_cannot_is_told_why():
    """Nothing is skipped: who cannot prove it hears so."""
    env = {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run([*APART, "true"], env=env, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 1
    assert done.stdout == ("no Docker engine can run here, so docker-compose.yml is not tested: dockerd is not here "
                           "(package docker.io: deploy/dependencies install docker)\n")
