"""One process under test: started, watched, paused, killed, and its log kept."""
import os
import signal
import subprocess
import time


class Failed(AssertionError):
    """Something did not come true within its time."""


# A limit is against what never comes, and measures no machine: a busy one may take this long for anything.  What is
# promised to be quick is measured where it is promised.
LEAST_S = 60.0


def wait_until(condition, limit_s=LEAST_S, what=None, every_s=0.02):
    """Asks until condition() is true and returns what it gave; raises Failed when time is over."""
    limit_s = max(limit_s, LEAST_S)
    value = within(condition, limit_s, every_s)
    if not value:
        raise Failed(f"not within {limit_s} s: {what or getattr(condition, '__doc__', None) or condition}")
    return value


def within(condition, limit_s, every_s=0.02):
    """Asks for so long and no longer; what condition() gave last, for whom it is no failure that it did not come true."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every_s)


class Process:
    """A program with its environment and its log; may be started again and again."""

    def __init__(self, name, argv, env, folder, log):
        self.name = name
        self.argv = argv
        self.env = env
        self.folder = folder
        self.log_path = log
        self.child = None
        self.paused = False
        self.starts = 0

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(self.argv, env=self.env, cwd=self.folder, stdout=log,
                                          stderr=log, stdin=subprocess.DEVNULL)
        self.paused = False
        self.starts += 1

    def running(self):
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self):
        return self.child.pid

    def exit_code(self):
        """None while it runs; negative: the signal that ended it."""
        return self.child.poll() if self.child else None

    def signal(self, number):
        if self.running():
            self.child.send_signal(number)

    def pause(self):
        """SIGSTOP, and returns once the kernel says it stands still."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self._state() == "T", 5, f"{self.name} stands still")
        self.paused = True

    def resume(self):
        self.signal(signal.SIGCONT)
        self.paused = False

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.child.wait(LEAST_S)

    def terminate(self, limit_s=LEAST_S):
        """SIGTERM; returns the exit code.  Raises Failed when it does not drain in time."""
        if not self.running():
            return self.exit_code()
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise Failed(f"{self.name} did not stop within {limit_s} s of SIGTERM") from None

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def memory_pss_kib(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def _state(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]


def run(argv, **options):
    """Runs a helper program to its end; its output is shown when it fails."""
    options.setdefault("timeout", 600)
    done = subprocess.run(argv, text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{os.path.basename(argv[0])} {' '.join(argv[1:3])} ended with "
                     f"{done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout
