"""turunc-asterisk between a player of the manager's protocol and a real intake: no real Asterisk."""
import os
import socket
import subprocess
import time

import pytest

from ami_player import Player
from intake_world import check_log
from process import Process
from servers import BUILD
from stack import Stack

LEDGER = """select queue, agent, caller, offered_us is not null, answered_us is not null, abandoned_us is not null,
                ended_us is not null, disposition from turunc.call where client = 'asterisk' and call_id = %s"""


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"]) as made:
        made.asterisk_keys = made.client("asterisk", verbs=["publish"], sources=["asterisk"], types=["call.*"])
        made.start()
        yield made


class Adapter:
    def __init__(self, stack, tmp_path, player, **env):
        agents, secret = tmp_path / "agents.csv", tmp_path / "secret"
        agents.write_text("interface,user\nPJSIP/201,ayse\nPJSIP/202,veli\n")
        secret.write_text("s3cret\n")
        secret.chmod(0o600)
        (tmp_path / "state").mkdir()
        self.env = {**os.environ, "TURUNC_ASTERISK_MANAGER": f"127.0.0.1:{player.port}", "TURUNC_ASTERISK_USER": "turunc",
                    "TURUNC_ASTERISK_SECRET_FILE": str(secret), "TURUNC_ASTERISK_AGENTS": str(agents),
                    "TURUNC_ASTERISK_KEYS": stack.asterisk_keys, "TURUNC_ASTERISK_STATE_DIR": str(tmp_path / "state"),
                    "TURUNC_ASTERISK_PING": "200ms", "TURUNC_ASTERISK_SILENCE": "60s", "TURUNC_LOG_LEVEL": "debug", **env}
        self.process = Process("asterisk", [os.path.join(BUILD, "bin", "turunc-asterisk")], self.env, str(tmp_path),
                               str(tmp_path / "asterisk.log"))
        self.process.start()

    def log(self):
        return self.process.log()


# With an adapter that soon takes the manager for silent.
impatient = pytest.mark.parametrize("adapter", [{"TURUNC_ASTERISK_SILENCE": "1s"}], indirect=True)


@pytest.fixture
def player():
    made = Player()
    yield made
    made.close()


@pytest.fixture
def adapter(request, stack, tmp_path, player):
    """request.param: more of its environment."""
    made = Adapter(stack, tmp_path, player, **getattr(request, "param", {}))
    stack.wait(lambda: player.listening, 20, "it has signed in")
    yield made
    if made.process.running():
        assert made.process.terminate() == 0, made.log()


def ledger(stack, call_id, until=None):
    def row():
        found = stack.sql(LEDGER, call_id)
        return found and (until is None or found[0] == until) and found[0]
    return stack.wait(row, 20, f"call {call_id} is in the ledger as {until}")


def test_calls_become_rows(stack, adapter, player):
    assert player.logins[-1] == ("turunc", "s3cret", "call,agent")
    player.call("1732900000.1", "05321230001")
    player.call("1732900000.2", "05321230002", ends="abandon")
    player.call("1732900000.3", "05321230003", interface="PJSIP/202", ends="transfer")
    player.call("1732900000.4", "<unknown>", interface="PJSIP/777")
    ledger(stack, "1732900000.1", ("masa", "ayse", "+905321230001", True, True, False, True, ""))
    ledger(stack, "1732900000.2", ("masa", "", "+905321230002", True, False, True, False, ""))
    ledger(stack, "1732900000.3", ("masa", "veli", "+905321230003", True, True, False, True, "transferred"))
    ledger(stack, "1732900000.4", ("masa", "", None, True, True, False, True, ""))
    assert "PJSIP/777" in adapter.log() and "s3cret" not in adapter.log() and "5321230001" not in adapter.log()
    check_log(stack)


@impatient
def test_what_came_while_it_stood_still_is_kept(stack, adapter, player):
    """A machine that is paused, or a disk that hangs, for longer than the manager may be silent."""
    adapter.process.pause()
    player.call("1732900010.1", "05321230061")
    time.sleep(1.5)
    adapter.process.resume()
    ledger(stack, "1732900010.1", ("masa", "ayse", "+905321230061", True, True, False, True, ""))


@impatient
def test_pings_and_comes_back(stack, adapter, player):
    stack.wait(lambda: player.pings >= 2, 20, "it pings")
    player.call("1732900001.1", "05321230011", ends="talking")
    ledger(stack, "1732900001.1", ("masa", "ayse", "+905321230011", True, True, False, False, ""))
    logins = len(player.logins)
    player.cut()
    stack.wait(lambda: player.listening and len(player.logins) > logins, 20, "it is back after a cut")
    player.say("Hangup", Uniqueid="1732900001.1")
    ledger(stack, "1732900001.1", ("masa", "ayse", "+905321230011", True, True, False, True, ""))
    player.close()
    stack.wait(lambda: adapter.log().count("manager lost") >= 3, 30, "it tries again and again")
    player.open()
    stack.wait(lambda: player.listening, 30, "it is back when the Asterisk is")
    player.mute = True
    lost = adapter.log().count("it is silent")
    stack.wait(lambda: adapter.log().count("it is silent") > lost, 20, "silence is noticed")
    player.mute = False
    player.cut()
    stack.wait(lambda: player.listening, 30, "and ends")


def test_garbage_and_endless_lines_are_passed_over(stack, adapter, player):
    player.raw(b"\x00\xff\xfe: \x01\r\n\r\n" + b"x" * 2_000_000 + b"\r\n\r\n" + b"A: b\r\n" * 5000 + b"\r\n\n\n: \r\n::\r\n")
    player.raw(b"Event: QueueCallerJoin\r\nUniqueid: " + b"9" * 500 + b"\r\n\r\n")
    player.call("1732900002.1", "05321230021")
    ledger(stack, "1732900002.1", ("masa", "ayse", "+905321230021", True, True, False, True, ""))
    assert "too long and passed over" in adapter.log()


def test_what_was_heard_while_intake_is_away_is_kept(stack, adapter, player):
    stack.terminate("intake")
    player.call("1732900003.1", "05321230031")
    stack.wait(lambda: adapter.log().count("published type=call.ended") >= 1, 20, "it has heard all of it")
    adapter.process.kill9()
    stack.restart("intake")
    adapter.process.start()
    ledger(stack, "1732900003.1", ("masa", "ayse", "+905321230031", True, True, False, True, ""))


def test_a_disk_that_refuses_ends_it_as_failed(stack, tmp_path, player):
    """A supervisor starts it again; what it had heard before is still there."""
    made = Adapter(stack, tmp_path, player)
    stack.wait(lambda: player.listening, 20, "it has signed in")
    assert made.process.terminate() == 0, made.log()
    small = tmp_path / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "turunc-test", str(small)], check=True)
    try:
        stack.terminate("intake")
        signed_in = len(player.logins)
        made.process.start()
        stack.wait(lambda: len(player.logins) > signed_in and player.listening, 20, "it has signed in again")
        try:
            for n in range(2000):
                player.call(f"1732900009.{n}", "05321230031")
        except OSError:
            pass  # it has gone
        stack.wait(lambda: not made.process.running(), 20, "it has ended")
        assert made.process.exit_code() == 1 and "the disk refuses" in made.log()
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)
        stack.restart("intake")


def test_a_wrong_secret_is_told_and_tried_slowly(stack, tmp_path):
    player = Player(secret="another")
    made = Adapter(stack, tmp_path, player)
    stack.wait(lambda: "refuses user and secret" in made.log(), 20)
    assert len(player.logins) == 1 and "wait_ms=30000" in made.log()
    assert made.process.terminate() == 0
    player.close()


@pytest.mark.parametrize("name,value,why", [
    ("TURUNC_ASTERISK_AGENTS", "/nowhere", "No such file"),
    ("TURUNC_ASTERISK_KEYS", "/nowhere", "cannot start"),
    ("TURUNC_ASTERISK_MANAGER", "no port", "TURUNC_ASTERISK_MANAGER"),
    ("TURUNC_ASTERISK_SECRET_FILE", "/nowhere", "TURUNC_ASTERISK_SECRET"),
    ("TURUNC_ASTERISK_TYPO", "x", "TURUNC_ASTERISK_TYPO"),
])
def test_what_is_set_wrong_is_named(stack, tmp_path, player, name, value, why):
    made = Adapter(stack, tmp_path, player, **{name: value})
    assert made.process.child.wait(20) in (1, 78)
    assert why in made.log(), made.log()


def test_half_open_the_manager_is_given_up(stack, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        class Deaf:
            port = deaf.getsockname()[1]
        made = Adapter(stack, tmp_path, Deaf)
        stack.wait(lambda: "no answer to the login" in made.log(), 30, "a manager that says nothing")
        assert made.process.terminate() == 0
