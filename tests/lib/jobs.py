"""Runs test programs side by side, each within its time, and counts what they say."""
import concurrent.futures
import os
import re
import signal
import subprocess
import time
import xml.etree.ElementTree

SUMMARY = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
TAP = {word: re.compile(rf"^# {word} (\d+)$", re.M) for word in ("pass", "fail", "skipped", "cancelled")}


class Count:
    """Tests passed, failed, skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_summary(job, output):
    """The last `N passed, N failed` line of a C test program or a script."""
    found = SUMMARY.findall(output)
    return Count(*(int(n or 0) for n in found[-1])) if found else None


def count_junit(job, output):
    try:
        suites = list(xml.etree.ElementTree.parse(job.junit).getroot().iter("testsuite"))
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    total = Count()
    for suite in suites:
        tests, bad, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "skipped"))
        bad += int(suite.get("errors", 0))
        total += Count(max(0, tests - bad - skipped), bad, skipped)
    return total


def count_tap(job, output):
    found = {word: pattern.findall(output) for word, pattern in TAP.items()}
    if not found["pass"]:
        return None
    last = {word: int(values[-1]) if values else 0 for word, values in found.items()}
    return Count(last["pass"], last["fail"] + last["cancelled"], last["skipped"])


class Job:
    """One program of a suite.  may_be_empty: a -k pattern may leave it without tests.  cores: how many of
    them it keeps busy.  needs: the names of the jobs that have to have passed before it can begin.  turn:
    of those with the same word, one runs at a time."""

    def __init__(self, suite, name, argv, limit_s, count=count_summary, env=None, cwd=None,
                 junit=None, may_be_empty=False, cores=1.0, needs=(), turn=None):
        self.suite, self.name, self.argv, self.limit_s = suite, name, argv, limit_s
        self._count, self.env, self.cwd, self.junit = count, env, cwd, junit
        self.may_be_empty, self.cores, self.needs, self.turn = may_be_empty, cores, frozenset(needs), turn
        self.result = Count()
        self.output = ""
        self.seconds = 0.0

    def run(self, log_folder):
        began = time.monotonic()
        log_path = os.path.join(log_folder, f"{self.suite}-{self.name}.log")
        if self.junit and os.path.exists(self.junit):
            os.unlink(self.junit)
        try:
            with open(log_path, "wb") as log:
                code = self._run_within(log)
        except OSError as wrong:
            code = str(wrong)
        self.seconds = time.monotonic() - began
        if os.path.exists(log_path):
            with open(log_path, encoding="utf-8", errors="replace") as log:
                self.output = log.read()
        self.result = self._judge(code)
        return self

    def _run_within(self, log):
        child = subprocess.Popen(self.argv, stdout=log, stderr=subprocess.STDOUT, cwd=self.cwd,
                                 env=self.env, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return child.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            return f"not finished within {self.limit_s} s"
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()

    def _judge(self, code):
        """A program that ran nothing, died, or lied about its exit code has failed."""
        counted = self._count(self, self.output)
        if self.may_be_empty and (counted is None or counted.passed + counted.failed == 0) \
                and code in (0, 1, 5):
            return counted or Count()
        result = counted or Count()
        why = None
        if isinstance(code, str):
            why = code
        elif counted is None:
            why = f"ended with {code} and counted nothing"
        elif code != 0 and counted.failed == 0:
            why = f"ended with {code} though no test failed"
        elif counted.passed + counted.failed + counted.skipped == 0:
            why = "ran no test"
        if why:
            self.output += f"\n{self.suite}/{self.name}: {why}\n"
            result += Count(failed=1)
        return result


def run_all(jobs, log_folder, cores, on_done):
    """Runs the jobs, in their order as far as what they need has passed, as many at a time as keep no more
    than `cores` busy (one that asks for more runs when nothing else does).  on_done(job) is called as each
    ends, in no fixed order.  When one fails that another needs, nothing more is begun."""
    waiting, running, passed = list(jobs), {}, set()

    def has_room(job):
        beside = running.values()
        return not beside or (sum(other.cores for other in beside) + job.cores <= cores + 0.001
                              and (job.turn is None or job.turn not in {other.turn for other in beside}))

    with concurrent.futures.ThreadPoolExecutor(max(1, len(jobs))) as pool:
        while waiting or running:
            for job in [job for job in waiting if job.needs <= passed]:
                if has_room(job):
                    running[pool.submit(job.run, log_folder)] = job
                    waiting.remove(job)
            assert running, f"{waiting[0].name} needs {set(waiting[0].needs - passed)}, which nobody runs"
            for future in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                job = running.pop(future)
                on_done(future.result())
                if not job.result.failed:
                    passed.add(job.name)
                elif any(job.name in other.needs for other in waiting):
                    waiting.clear()
