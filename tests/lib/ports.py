"""Ports nobody else takes: outside the range the kernel hands out, and marked as ours while the
process lives, so that two test runs on one machine never meet."""
import random
import socket

FIRST, LAST = 20000, 29999
_marks = []


def free_port():
    """A TCP port of 127.0.0.1, this process's own until it ends."""
    for port in random.sample(range(FIRST, LAST + 1), 500):
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0turunc-test-port-{port}")
        except OSError:
            mark.close()
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                mark.close()
                continue
        _marks.append(mark)
        return port
    raise RuntimeError("no free port found")
