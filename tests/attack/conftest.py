"""The figures of every attack, one line each, printed when the last has run."""
from attack_world import FIGURES


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(f"figure {line}")
