"""A clock that all services of a test share, and that the test moves."""
import os
import struct


class StandingClock:
    """A simulated clock (services/common/clock.h) that moves only when told to."""

    LAYOUT = struct.Struct("<8sQqqIIqqII")

    def __init__(self, path, at_us):
        self.path = path
        self.at_us = at_us
        self.generation = 0
        self._write()

    def advance(self, by_us):
        self.at_us += by_us
        self.generation += 1
        self._write()

    def _write(self):
        slot = (0, self.at_us, 0, 1)
        data = self.LAYOUT.pack(b"TURCLK01", self.generation, *slot, *slot)
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        # Both slots say the same, so it does not matter which one a reader finds.
        os.pwrite(fd, data, 0)
        os.close(fd)
