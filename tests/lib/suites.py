#!/usr/bin/python3
"""What tests/run runs: the builds, and every suite there is.  See tests/run for the options."""
import argparse
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

from jobs import Count, Job, count_junit, count_tap, run_all

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(ROOT, "build")
FUZZED = os.path.join(ROOT, "build-fuzz")  # the harnesses of tests/fuzz, with coverage as well
CHECKED = os.path.join(ROOT, "build-checked")  # clang, AddressSanitizer, UndefinedBehaviorSanitizer
LOGS = os.path.join(RELEASE, "test-logs")
CPUS = os.cpu_count() or 2

ASKED_FOR = ("deep",)  # not unless named, or --long
# What changes the machine it runs on runs apart from it.
APART = {"docker": ["/usr/bin/python3", "-B", os.path.join(ROOT, "tests", "docker", "apart.py")]}
# Cores that one file of a suite keeps busy: most wait more than they work, and run beside each other.
CORES = {"docker": 1, "fault": 0.5, "house": 1, "unit": 0.5, "fuzz": 1}
CORES_OF_OTHERS = 1 / 3
# What is timed, or starves others: when all else has ended, so many files of a row at a time and nothing beside them.
QUIET = {"attack": 2, "web": 2, "web/quick": 1, "fault": 1, "deep": 1}
NOT_QUIET = ("fault/test_failpoints",)
ONE_AT_A_TIME = ("deploy",)  # deploy/up looks which ports are free, and takes them later
# Begun before the others: what takes minutes.  After them: what keeps a core busy and takes a second, for the gaps.
FIRST = ("docker/test_docker", "fault/test_failpoints", "deploy/test_up", "daemon/test_notifier", "daemon/test_metrics",
         "daemon/test_intake_spool", "daemon/test_intake_faults", "daemon/test_masa_doctor", "daemon/test_dead_letters",
         "deploy/test_operations", "deploy/test_restore", "deploy/test_demo", "attack/test_sign_in_under_attack",
         "attack/test_bus_under_attack")
GAPS = ("house", "unit", "fuzz")
LIMIT_S = {"unit": 600, "db": 600, "daemon": 1800, "attack": 900, "e2e": 1800, "fault": 1800, "web": 1200, "house": 900,
           "docker": 3600}
LONG_LIMIT_S = 3 * 3600
FUZZ_S = {False: 1, True: 180}  # each harness, in the short and the long form
# Daemons are tested as built with sanitizers; the whole system as it will run.
BUILD_OF = {"daemon": CHECKED}


# What is made once a run, for all of its tests: a migrated PostgreSQL to copy (servers.py).
SHARED = tempfile.mkdtemp(prefix="turunc-run-", dir="/tmp")
atexit.register(shutil.rmtree, SHARED, True)


def say(line):
    print(line, flush=True)


def turkish_locale():
    """The tests run where i and I are not a pair; the locale is made for us alone."""
    home = os.path.join(RELEASE, "locale")
    name = "tr_TR.UTF-8"
    if not os.path.isdir(os.path.join(home, name)):
        os.makedirs(home, exist_ok=True)
        made = subprocess.run(["localedef", "--no-archive", "-i", "tr_TR", "-f", "UTF-8",
                               os.path.join(home, name)], capture_output=True, check=False)
        if made.returncode > 1 or not os.path.isdir(os.path.join(home, name)):
            return {}
    return {"LOCPATH": home, "LC_ALL": name}


def environment(build, long_run):
    env = dict(os.environ, TURUNC_TEST_CLUSTER=os.path.join(SHARED, "cluster"))
    env.update(turkish_locale())
    env.update(TURUNC_TEST_BUILD=build, TURUNC_TEST_LONG="1" if long_run else "",
               TURUNC_ROOT=ROOT, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1",
               ASAN_OPTIONS="abort_on_error=1:detect_leaks=1",
               UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
               LSAN_OPTIONS=f"suppressions={ROOT}/tests/lib/lsan.supp:print_suppressions=0",
               ASAN_SYMBOLIZER_PATH="/usr/bin/llvm-symbolizer-14")
    return env


def build_jobs(wanted):
    """What finds mistakes (clang, sanitizers), what will run (gcc, hardened) and the harnesses, one tree after the
    other.  The tests of the first run while the next is built, and go first: a compiler can wait."""
    trees = [("checked", CHECKED, ["-DCMAKE_C_COMPILER=clang", "-DTURUNC_SANITIZE=ON"]),
             ("release", RELEASE, ["-DCMAKE_C_COMPILER=gcc"]),
             ("fuzz", FUZZED, ["-DCMAKE_C_COMPILER=clang", "-DTURUNC_FUZZ=ON"])]
    before = ()
    for name, folder, options in trees:
        if name not in wanted:
            continue
        if os.path.exists(os.path.join(folder, "CMakeCache.txt")):
            options = []
        else:
            options = ["-G", "Ninja"] + options
        launcher = any(os.access(os.path.join(p, "ccache"), os.X_OK)
                       for p in os.environ.get("PATH", "").split(":"))
        options += ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if launcher else []
        script = ('set -e; src=$1 dir=$2 target=$3; shift 3; '
                  'cmake -S "$src" -B "$dir" -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@"; '
                  'cmake --build "$dir" --parallel "$(nproc)" --target "$target"; '
                  'echo "1 passed, 0 failed"')
        target = "fuzzers" if name == "fuzz" else "all"
        yield Job("build", name, ["nice", "bash", "-c", script, "build", ROOT, folder, target] + options,
                  2400, cores=0.5, needs=before)
        before = (name,)


def trees_of(suite):
    """The trees that its tests are of."""
    if suite in ("house", "docker"):
        return ()
    if suite == "deep":
        return ("checked", "release")
    return ("checked",) if suite in ("unit", "db", "daemon") else ("fuzz",) if suite == "fuzz" else ("release",)


def c_suite(suite, pattern, env):
    for source in sorted(glob.glob(os.path.join(ROOT, "tests", suite, "test_*.c"))):
        name = os.path.basename(source)[:-2]
        program = os.path.join(CHECKED, "tests", name)
        yield Job(suite, name, [program] + ([pattern] if pattern else []), LIMIT_S[suite],
                  env=env, cwd=ROOT, may_be_empty=bool(pattern))


def pytest_suite(suite, options):
    """One job a file: files are independent, so two run side by side."""
    env = environment(BUILD_OF.get(suite, RELEASE), options.long)
    for file in sorted(glob.glob(os.path.join(ROOT, "tests", suite, "test_*.py"))):
        name = os.path.basename(file)[:-3]
        junit = os.path.join(LOGS, f"{suite}-{name}.xml")
        argv = APART.get(suite, []) + [
                "/usr/bin/python3", "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider",
                "--rootdir", ROOT, f"--junitxml={junit}", file]
        argv += ["-k", options.k] if options.k else []
        limit = LONG_LIMIT_S if options.long and suite == "fault" else LIMIT_S.get(suite, 900)
        yield Job(suite, name, argv, limit, count_junit, env, ROOT, junit, bool(options.k))


def web_suite(options):
    """The pages in headless Chromium, one job a file; the packages are those of the lock file, fetched by whichever
    comes first."""
    folder = os.path.join(ROOT, "tests", "web")
    files = [os.path.basename(f) for f in sorted(glob.glob(os.path.join(folder, "*.test.*js")))]
    script = ('set -e; cd "$1"; shift; exec 9>"$1/web-packages.lock"; shift; flock 9; '
              'mark=node_modules/.of-$(sha256sum <package-lock.json | cut -c1-16); '
              'if [ ! -e "$mark" ]; then npm ci --no-audit --no-fund --ignore-scripts >&2 9>&-; : >"$mark"; fi; '
              'exec 9>&-; exec "$@"')
    for file in files:
        argv = ["node", "--test", "--test-reporter=tap"]
        argv += [f"--test-name-pattern={options.k}"] if options.k else []
        yield Job("web", file.split(".")[0], ["bash", "-c", script, "web", folder, LOGS] + argv + [file], LIMIT_S["web"],
                  count_tap, environment(RELEASE, options.long), ROOT, may_be_empty=bool(options.k))


def fuzz_suite(options):
    """One job a parser: its kept inputs, then new ones for a while."""
    seconds = FUZZ_S[options.long]
    for source in sorted(glob.glob(os.path.join(ROOT, "tests", "fuzz", "fuzz_*.c"))):
        name = os.path.basename(source)[len("fuzz_"):-2]
        if options.k and options.k not in name:
            continue
        yield Job("fuzz", name, ["/usr/bin/python3", "-B", os.path.join(ROOT, "tests", "fuzz", "run"),
                                 "--build", FUZZED, "--logs", LOGS, "--seconds", str(seconds), name],
                  seconds + 60, env=environment(FUZZED, options.long), cwd=ROOT)


def deep_suite(options):
    """What takes minutes: the analyzers, memcheck, ThreadSanitizer."""
    for kind in ("tidy", "analyzer", "valgrind", "threads"):
        if not options.k or options.k in kind:
            yield Job("deep", kind, ["/usr/bin/python3", "-B",
                                     os.path.join(ROOT, "tests", "lib", "deep.py"), kind],
                      LONG_LIMIT_S, env=environment(RELEASE, options.long), cwd=ROOT)


def suite_names():
    """house, deep, unit, db, fuzz and daemon; every other folder with pytest files; the pages."""
    folders = {os.path.basename(os.path.dirname(f))
               for f in glob.glob(os.path.join(ROOT, "tests", "*", "test_*.py"))} - {"lib", "bench"}
    order = ["house", "deep", "unit", "db", "fuzz", "daemon"]
    return order + sorted(folders - set(order)) + ["web"]


def suite_jobs(name, options):
    jobs = []
    if name == "house" and not options.k:
        jobs.append(Job("house", "rules", ["/usr/bin/python3", "-B",
                                           os.path.join(ROOT, "tests", "lib", "house.py")],
                        LIMIT_S["house"], env=environment(RELEASE, False), cwd=ROOT))
    if name in ("unit", "db"):
        jobs += c_suite(name, options.k, environment(CHECKED, options.long))
    if name == "web":
        jobs += web_suite(options)
    if name == "deep":
        jobs += deep_suite(options)
    if name == "fuzz":
        jobs += fuzz_suite(options)
    jobs += pytest_suite(name, options)
    for job in jobs:
        job.cores, job.needs = CORES.get(name, CORES_OF_OTHERS), frozenset(trees_of(name))
        job.turn = name if name in ONE_AT_A_TIME else None
    return jobs


def quiet_row(job):
    """The row of QUIET that it is of, if any."""
    full = f"{job.suite}/{job.name}"
    if full in NOT_QUIET:
        return None
    return full if full in QUIET else job.suite if job.suite in QUIET else None


def first_ones_first(jobs):
    place = {name: at for at, name in enumerate(FIRST)}
    return sorted(jobs, key=lambda job: place.get(f"{job.suite}/{job.name}", len(FIRST) + (job.suite in GAPS)))


class Report:
    """One line a suite, as soon as all of it has ended; what failed, whole, at once.  Builds are no tests."""

    def __init__(self, jobs):
        self.total, self.builds = Count(), Count()
        self._left, self._sums, self._began = {}, {}, {}
        for job in jobs:
            self._left[job.suite] = self._left.get(job.suite, 0) + 1
            self._sums[job.suite] = Count()

    def run(self, jobs, cores):
        run_all(jobs, LOGS, cores, self._done)

    def _done(self, job):
        now = time.monotonic()
        self._began[job.suite] = min(self._began.get(job.suite, now), now - job.seconds)
        self._sums[job.suite] += job.result
        self._left[job.suite] -= 1
        if job.suite == "build":
            self.builds += job.result
        else:
            self.total += job.result
        if job.result.failed:
            say(f"--- {job.suite}/{job.name} failed; its output:\n{job.output.rstrip()}\n---")
        else:
            for line in job.output.splitlines():
                if line.startswith("figure "):
                    say(line)
        if self._left[job.suite] == 0:
            say(f"{job.suite:<8} {self._sums[job.suite]}   ({now - self._began[job.suite]:.1f} s)")


def options_given():
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("suites", nargs="*", metavar="SUITE")
    given.add_argument("-k", metavar="PATTERN")
    given.add_argument("--long", action="store_true")
    given.add_argument("--list", action="store_true")
    options = given.parse_args()
    unknown = set(options.suites) - set(suite_names())
    if unknown:
        given.error(f"no such suite: {' '.join(sorted(unknown))}; there are: {' '.join(suite_names())}")
    return options


def main():
    options = options_given()
    names = options.suites or [name for name in suite_names() if options.long or name not in ASKED_FOR]
    if options.list:
        say("\n".join(names))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    jobs = first_ones_first(job for name in names for job in suite_jobs(name, options))
    builds = list(build_jobs(frozenset().union(*(job.needs for job in jobs))))
    report = Report(builds + jobs)
    report.run(builds + [job for job in jobs if not quiet_row(job)], CPUS)
    if report.builds.failed:
        say(f"{report.total.passed} passed, {report.total.failed + report.builds.failed} failed, "
            f"{report.total.skipped} skipped")
        return 1
    for row, at_a_time in QUIET.items():
        quiet = [job for job in jobs if quiet_row(job) == row]
        for job in quiet:
            job.cores, job.needs = 1, frozenset()
        report.run(quiet, at_a_time)
    if report.total.passed + report.total.failed == 0:
        report.total += Count(failed=1)
        say("nothing was run")
    say(str(report.total))
    return 1 if report.total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
