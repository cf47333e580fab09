"""The figures stand at the end, each on a line of its own."""
from figures import SAID


def pytest_terminal_summary(terminalreporter):
    for line in SAID:
        terminalreporter.ensure_newline()
        terminalreporter.write_line(line)
