"""What was measured: told at the end of the run, whatever became of the test that measured it."""
SAID = []


def figure(text):
    SAID.append(f"figure docker {text}")
