#!/usr/bin/python3
"""What takes minutes to look at and so belongs to the long form of the tests.

    deep.py tidy       clang-tidy and clang's analyzer by the rules of .clang-tidy, each file a test
    deep.py analyzer   gcc -fanalyzer on each file
    deep.py valgrind   the unit tests of the release build under memcheck
    deep.py threads    ThreadSanitizer on the tests of what has threads

The last line is "N passed, N failed"; the one before it the figure."""
import concurrent.futures
import glob
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHECKED = os.path.join(ROOT, "build-checked")
RELEASE = os.path.join(ROOT, "build")
THREADS = os.path.join(ROOT, "build-tsan")
WORKERS = max(2, os.cpu_count() or 2)
LIMIT_S = 600

# Programs with threads of their own: notifier's channels, and names looked up beside the loop.
# libzmq's threads are its own affair, and it is not built with the sanitizer.
THREADED = ("test_notifier_channel", "test_worker", "test_address", "test_passwords")

# Not under memcheck, which makes everything twenty times slower: those that fork, measure time, or
# stop processes.  All of them run under AddressSanitizer.
TIMED = ("test_bus_abuse", "test_check")

# What gcc 12 cannot follow in C: it reports leaks of what was given to another to keep, and
# descriptors that a struct holds.
ANALYZER = ["-fanalyzer", "-Wno-analyzer-malloc-leak",
            "-Wno-analyzer-file-leak"]


def sources():
    return sorted(glob.glob(os.path.join(ROOT, "services", "*", "*.c"))
                  + glob.glob(os.path.join(ROOT, "clients", "c", "src", "*.c")))


def run(argv, **more):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False,
                              timeout=LIMIT_S, stdin=subprocess.DEVNULL, cwd=ROOT, **more)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return 1, f"not finished within {LIMIT_S} s"


def tidy():
    for path in sources():
        yield path, ["clang-tidy", "--quiet", "-p", CHECKED, path], None


def analyzer():
    with open(os.path.join(RELEASE, "compile_commands.json"), encoding="utf-8") as commands:
        by_file = {entry["file"]: entry for entry in json.load(commands)}
    for path in sources():
        entry = by_file[path]
        argv = shlex.split(entry["command"])
        if os.path.basename(argv[0]) == "ccache":
            argv = argv[1:]
        argv[argv.index("-o") + 1] = os.devnull
        yield path, argv + ANALYZER, None


def valgrind():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "unit", "test_*.c"))):
        name = os.path.basename(path)[:-2]
        if name not in TIMED:
            yield path, ["valgrind", "-q", "--error-exitcode=99", "--fair-sched=yes",
                         "--trace-children=yes",
                         os.path.join(RELEASE, "tests", name)], dict(os.environ, TURUNC_ROOT=ROOT)


def threads():
    made = ["cmake", "-S", ROOT, "-B", THREADS, "-G", "Ninja", "-DCMAKE_C_COMPILER=clang",
            "-DTURUNC_TSAN=ON", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
    for argv in (made, ["cmake", "--build", THREADS, "--target", *THREADED]):
        code, output = run(argv)
        if code:
            sys.exit(f"{output}\n0 passed, 1 failed")
    options = "halt_on_error=1:suppressions=" + os.path.join(ROOT, "tests", "lib", "tsan.supp")
    for name in THREADED:
        yield name, [os.path.join(THREADS, "tests", name)], dict(os.environ, TSAN_OPTIONS=options)


KINDS = {"tidy": tidy, "analyzer": analyzer, "valgrind": valgrind, "threads": threads}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind = sys.argv[1]
    todo = list(KINDS[kind]())
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda one: run(one[1], env=one[2]), todo)
        for (path, _, _), (code, output) in zip(todo, results):
            if code:
                failed += 1
                print(f"--- {os.path.relpath(path, ROOT) if path.startswith('/') else path}\n"
                      f"{output.strip()[-6000:]}")
    print(f"figure {kind} looked_at={len(todo)} findings={failed}")
    print(f"{len(todo) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
