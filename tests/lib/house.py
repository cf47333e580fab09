#!/usr/bin/python3
"""The rules of the house that a program can check; each file or script checked is one test.

Places, format (clang-format 14), sizes, leftovers, shell scripts (shellcheck), Python that compiles, and
committed files that are generated from others."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES_MAX = 600
# What stands at the top of the tree; anything else there was left by somebody's program.
TOP = {"CHANGELOG.md", "CMakeLists.txt", "LICENSE", "README.md", "clients", "deploy", "docker-compose.yml", "docs",
       "proto", "services", "tests"}
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX)\b")
# The file that names the leftovers may hold them.
SELF = "tests/lib/house.py"


def tracked():
    """Files of the work tree that git knows or would take; without git, all but the built ones."""
    if os.path.isdir(os.path.join(ROOT, ".git")):
        listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached",
                                 "--others", "--exclude-standard"],
                                cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return sorted(f for f in listed.split("\0") if f and os.path.isfile(os.path.join(ROOT, f)))
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in ("node_modules", ".run") and
                      not f.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return sorted(found)


def text_of(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read()


def first_line(path):
    return text_of(path)[:80].split(b"\n", 1)[0]


def complaint_of(argv, path):
    done = subprocess.run(argv + [path], cwd=ROOT, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip() if done.returncode else None


def check_format(path):
    """By its text and not its name: an @ in a header's comment makes clang-format see Objective-C."""
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", "--ferror-limit=3",
                           "--assume-filename=" + re.sub(r"\.h$", ".c", path)], cwd=ROOT,
                          input=text_of(path), capture_output=True, check=False)
    return done.stderr.decode("utf-8", "replace").strip() if done.returncode else None


def check_size(path):
    lines = text_of(path).count(b"\n")
    return f"{lines} lines, over {LINES_MAX}" if lines > LINES_MAX else None


def check_leftovers(path):
    for number, line in enumerate(text_of(path).decode("utf-8", "replace").splitlines(), 1):
        if LEFTOVERS.search(line):
            return f"line {number}: {line.strip()}"
    return None


def is_placed(path):
    top = path.split("/", 1)[0]
    return top in TOP or top.startswith(".")


def check_place(path):
    return None if is_placed(path) else "belongs to none of the folders of this tree"


def check_shell(path):
    return complaint_of(["shellcheck", "-x", "-S", "warning"], path)


def check_python(path):
    try:
        compile(text_of(path), path, "exec")
    except SyntaxError as wrong:
        return str(wrong)
    return None


def check_generated(path):
    """Python messages that are committed are what protoc makes of the .proto files today."""
    package = re.sub(r"_pb2\.py$", ".proto", path)
    start = package.find("turunc/v1/")
    proto = package[start:]
    with tempfile.TemporaryDirectory() as folder:
        wrong = complaint_of(["protoc", f"--python_out={folder}", "-I", "proto"], proto)
        if wrong:
            return wrong
        with open(os.path.join(folder, re.sub(r"\.proto$", "_pb2.py", proto)), "rb") as fresh:
            same = fresh.read() == text_of(path)
    return None if same else "is stale: generate it again with protoc"


def check_migration(path):
    """Numbers run on without a gap, each given once: two people may take the next at the same time."""
    name = os.path.basename(path)
    numbers = [other[:4] for other in os.listdir(os.path.join(ROOT, os.path.dirname(path)))]
    if numbers.count(name[:4]) > 1:
        return f"{name[:4]} is another's number as well"
    return None if name[:4] == "0001" or f"{int(name[:4]) - 1:04}" in numbers else "the number before it is missing"


def rules_for(path):
    """The checks that a file asks for."""
    is_c = path.endswith((".c", ".h"))
    is_python = path.endswith(".py") or first_line(path) == b"#!/usr/bin/python3"
    is_shell = path.endswith(".sh") or first_line(path).startswith((b"#!/bin/bash", b"#!/bin/sh"))
    generated = "_pb2" in path
    rules = [] if is_placed(path) else [check_place]
    if is_c:
        rules.append(check_format)
    if is_c or is_python or is_shell:
        rules += [] if generated else [check_size]
        rules += [check_leftovers] if path != SELF else []
    if is_shell:
        rules.append(check_shell)
    if is_python:
        rules.append(check_python)
    if path.endswith("_pb2.py"):
        rules.append(check_generated)
    if path.startswith("deploy/schema/"):
        rules.append(check_migration)
    return rules


def main():
    for tool in ("clang-format-14", "shellcheck", "protoc"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing\n0 passed, 1 failed")
            return 1
    passed = failed = 0
    for path in tracked():
        for rule in rules_for(path):
            wrong = rule(path)
            if wrong:
                failed += 1
                print(f"{path}: {rule.__name__[6:]}: {wrong}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
