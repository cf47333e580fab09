"""Every failpoint fires in a system at work, with a crash, an error and a delay; nothing is lost by it,
done twice or told twice.  A minute to a minute and a half; TURUNC_TEST_LONG does it four times over, in other orders."""
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from failpoints import SLOW, Failpoints, cases, listed  # noqa: E402
from servers import BUILD, SERVICES  # noqa: E402

LONG = bool(os.environ.get("TURUNC_TEST_LONG"))
ROUNDS = 4 if LONG else 1
SEED = int(os.environ.get("TURUNC_TEST_SEED", "1"))


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_every_failpoint(tmp_path, capsys, seed):
    began = time.monotonic()
    points = Failpoints(str(tmp_path), seed, whole=LONG)
    try:
        points.begin()
        points.run()
        points.storm.calm()
        findings = points.storm.findings()
        with capsys.disabled():
            print(f"\n{points.table(findings)}\n{'seconds':<30} {time.monotonic() - began:.0f}", flush=True)
        print(*findings[:40], sep="\n")
        assert (points.wrong, points.missing(), findings) == ([], [], [])
    except BaseException:
        points.stack.keep = True
        print(points.stack.failure_report())
        raise
    finally:
        points.close()


def test_the_list_is_read_whole():
    assert len(listed()) == len(set(listed())) >= 30
    assert {program for program, _ in listed()} == {*SERVICES, "masa"}
    assert len(cases()) == len(listed()) * 2 * 3
    assert set(cases()) - set(cases(whole=False)) == {
        (*step, side, action) for step in SLOW for side in ("before", "after") for action in ("error", "delay")}


def test_what_is_installed_cannot_be_armed():
    for name in [f"turunc-{service}" for service in SERVICES] + ["masa"]:
        with open(os.path.join(BUILD, "bin", name), "rb") as program:
            assert b"TURUNC_FAILPOINTS" not in program.read(), name
        with open(os.path.join(BUILD, "failpoints", name), "rb") as program:
            assert b"TURUNC_FAILPOINTS" in program.read(), name
