"""An earlier commit of this project, unpacked: what a system of today may be upgraded from."""
import os
import subprocess

from servers import ROOT

# Far enough back to have missed so many changes of the schema, and younger than the one-shots of today.
SCHEMA_CHANGES = 3
NEEDED = "deploy/docker/setup"


def git(*words, check=True):
    return subprocess.run(["git", "-c", f"safe.directory={ROOT}", *words], cwd=ROOT, check=check, capture_output=True)


def chosen():
    """The commit before the last changes of the schema; None where there is no history."""
    asked = os.environ.get("TURUNC_TEST_UPGRADE_FROM")
    if asked:
        return git("rev-parse", asked + "^{commit}").stdout.decode().strip()
    said = git("log", "--diff-filter=A", "--format=%H", "--", "deploy/schema", check=False).stdout.decode().split()
    for added in reversed(said[:SCHEMA_CHANGES]):
        before = git("rev-parse", "-q", "--verify", added + "^", check=False).stdout.decode().strip()
        if before and git("cat-file", "-e", f"{before}:{NEEDED}", check=False).returncode == 0:
            return before
    return None


def has_history():
    return chosen() is not None


def unpacked(folder):
    """The tree in a folder, and its commit.  A copy without history is brought up to date from itself: every container
    is made anew, and no change of the schema is crossed."""
    commit = chosen()
    if commit is None:
        return ROOT, "0" * 40
    # With the rights that a working copy gives: for Docker other rights are another file, and nothing would be known.
    tree = git("-c", "tar.umask=022", "archive", commit).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=tree, check=True)
    # As a clone has it; BuildKit misses it in the Dockerfiles of some commits.
    os.mkdir(os.path.join(folder, ".git"))
    with open(os.path.join(folder, ".git", "HEAD"), "w", encoding="ascii") as file:
        file.write(commit + "\n")
    return str(folder), commit
