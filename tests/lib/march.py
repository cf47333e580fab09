"""A demonstration whose month is played: the whole system on one standing clock, with the keys,
outlets and settings that deploy/march gives it."""
import csv
import json
import os
import subprocess

from municipality import config_copy
from servers import BUILD, ROOT
from stack import CONFIG, SERVICES, Stack
from standing_clock import StandingClock

START_US = (1772312400 - 3600) * 10**6  # an hour before March 2026 begins in Istanbul


def settings(service):
    """As deploy/lib/march.sh gives them, and the rest of a demonstration beside it."""
    script = f'REAL=. march=yes demo=yes RUN=.; . "$1/march.sh"; march_env {service}'
    said = subprocess.run(["bash", "-c", script, "bash", os.path.join(ROOT, "deploy", "lib")], text=True,
                          capture_output=True, check=True).stdout
    given = dict(line.split("=", 1) for line in said.splitlines())
    del given["TURUNC_CLOCK_FILE"]  # the test's own
    return given


# First mails: as services.sh has it for every demonstration.
SETTINGS = {"intake": {**settings("intake"), "TURUNC_CIMER_DIR": "cimer"},
            "notifier": {**settings("notifier"), "TURUNC_NOTIFIER_FIRST_MAILS": "0"}}
REPLY_NUMBER = "3346"


class March:
    """demo=False: the record of a system that is none, which must not be played with."""

    def __init__(self, folder, demo=True, services=("sink",) + SERVICES, **more):
        os.chmod(folder, 0o755)
        self.clock = StandingClock(os.path.join(folder, "clock"), START_US)
        config = config_copy(os.path.join(folder, "config"), sms_reply_to=REPLY_NUMBER)
        self.stack = Stack(services=services, config=config,
                           env={"TURUNC_CLOCK_FILE": self.clock.path, "TURUNC_LOG_LEVEL": "info", **SETTINGS},
                           **more)
        self.stack.sql("update turunc.log_history set demo = %s", demo)
        os.mkdir(self.stack.path("cimer"))
        self.stack.start()
        self.keys = os.path.join(folder, "keys")
        self._make_keys()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stack.__exit__(*why)

    def _make_keys(self):
        os.makedirs(os.path.join(self.keys, "departments"))
        everything = ("--types", "*", "--personal", "full", "--verbs", "subscribe,command", "--departments")
        self._add("calls", "--verbs", "publish", "--sources", "demo.calls", "--types",
                  "call.*,ticket.request,sms.received", "--max-events", 4096)
        self._add("operator", *everything, "*")
        with open(os.path.join(CONFIG, "departments.csv"), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self._add(f"departments/{row['code']}", *everything, row["code"])
        with open(f"{self.keys}/player.api_key", "w", encoding="ascii") as file:
            file.write(self.stack.api_key("demo.player") + "\n")

    def _add(self, folder, *rights):
        self.stack.masa("client", "add", f"demo.{os.path.basename(folder)}", "--out",
                        os.path.join(self.keys, folder), *rights)

    def play(self, *words, limit_s=900):
        """The finished process of masa demo."""
        stack = self.stack
        env = {**stack.env("masa", "turunc_admin"), "TURUNC_DEMO_KEYS": self.keys,
               "TURUNC_BUS_PUBLISH": stack.bus("publish")[0], "TURUNC_BUS_STREAM": stack.bus("stream")[0],
               "TURUNC_URL_INTAKE": f"http://127.0.0.1:{stack.port['intake_http']}",
               "TURUNC_DEMO_SINK": f"http://127.0.0.1:{stack.port['sms']}",
               "TURUNC_DEMO_LMTP": f"127.0.0.1:{stack.port['lmtp']}", "TURUNC_CIMER_DIR": stack.path("cimer")}
        return subprocess.run([os.path.join(BUILD, "bin", "masa"), "demo", "--json", *map(str, words)], env=env,
                              cwd=stack.folder, text=True, capture_output=True, timeout=limit_s, check=False)

    def played(self, *words):
        """What it says it has played."""
        done = self.play("--month", "2026-03", "--speed", "max", *words)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)
