"""The disk under PostgreSQL and the clock of the services, which a test may make go wrong.

Both are libraries of tests/fault that are preloaded; a small shared file tells them what to do."""
import mmap
import os
import shutil
import struct

from servers import BUILD

DISK_FIELDS = ("full", "wal_full", "sync_fails", "sync_ms", "hits")


class Disk:
    """Its preload is taken by the next PostgreSQL that is started, and by all its children."""

    def __init__(self, folder):
        self.library = os.path.join(folder, "bad_disk.so")
        shutil.copy(os.path.join(BUILD, "tests", "bad_disk.so"), self.library)
        self._state = _shared(f"{self.library}.state", 4 * len(DISK_FIELDS), 0o666)

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("=i", self._state, 4 * DISK_FIELDS.index(name), value)

    def hits(self):
        """Calls that were made to fail so far."""
        return struct.unpack_from("=i", self._state, 4 * DISK_FIELDS.index("hits"))[0]


class Clock:
    """The time of day of all services: so many seconds beside the real one."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock-offset")
        self.env = {"LD_PRELOAD": os.path.join(BUILD, "tests", "moved_clock.so"),
                    "TURUNC_TEST_CLOCK": self.path}
        self._state = _shared(self.path, 8, 0o644)

    def set(self, seconds):
        struct.pack_into("=q", self._state, 0, int(seconds * 1_000_000))


def _shared(path, size, mode):
    with open(path, "w+b") as file:
        file.truncate(size)
        os.chmod(path, mode)
        return mmap.mmap(file.fileno(), size)
