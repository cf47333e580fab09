"""What every pytest suite here has: the vocabulary of tests/lib, and stacks that tell what they
were doing when a test failed."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "clients", "python"))

from stack import Stack  # noqa: E402  (the path must be there first)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test's report ends with the last lines of every process it had."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for value in getattr(item, "funcargs", {}).values():
        for one in getattr(value, "made", [value]):
            if isinstance(one, Stack):
                one.keep = True
                report.sections.append(("the stack", one.failure_report()))


@pytest.fixture
def make_stack():
    """make_stack(services=[...], ...) gives a Stack that ends with the test."""
    made = []

    def make(**options):
        made.append(Stack(**options))
        return made[-1]

    make.made = made
    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def stack():
    """The whole system, started, shared by the tests of one file."""
    with Stack() as whole:
        whole.start()
        yield whole
