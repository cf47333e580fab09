"""What can go wrong, one class a kind.

A fault begins, is held for a while and ends; the storm does that only while the part it strikes has
work in hand, and then waits until that part has done something new."""
import os
import re
import signal
import time

import psycopg2

from process import wait_until
from wired import TCP, WRITERS

SERVICES = ("intake", "router", "notifier", "metrics")
# Which part's work travels on a link.
WORK_ON = {**{name: name.split("-")[0] for name in TCP}, "citizens-intake": "intake",
           "publishers-intake": "publisher", "subscribers-router": "subscribers",
           "intake-doorbell": "router", "metrics-redis": "redis",
           "notifier-smtp": "mail", "notifier-sms": "sms", "notifier-intake": "texts",
           "mail-intake": "letters", "gateway-notifier": "gateway", "desk-router": "desk", "viewers-metrics": "viewers",
           **{f"{name}-postgres": name for name in SERVICES}, "intake-postgres": "record"}
# The statements that take the log's lock, by service.
APPENDS = {"intake": ["accept"], "router": ["append"], "notifier": ["settle"]}


class Fault:
    kind = ""           # the row of the table it is counted in
    hold_s = 0.0

    def __init__(self, victim, **more):
        self.victim = victim
        self.__dict__.update(more)

    def __str__(self):
        return f"{self.kind} of {self.victim}"

    def part(self):
        """Whose work has to be in hand, and whose next deed ends the recovery."""
        return self.victim

    def busy(self, storm):
        return storm.busy(self.part())

    def begin(self, storm):
        raise NotImplementedError

    def end(self, storm):
        pass

    def after(self, storm):
        """The part works again; what else has to be true by now?"""


class Kill(Fault):
    """kill -9, and started again."""
    kind = "kill -9"

    def begin(self, storm):
        storm.stack.kill9(self.victim)

    def end(self, storm):
        storm.stack.restart(self.victim, wait=False)


class KillPublisher(Fault):
    """kill -9 of a publisher written in C; its successor sends what the store holds."""
    kind = "kill -9"

    def part(self):
        return "publisher-c"

    def begin(self, storm):
        storm.c_system.kill9()

    def end(self, storm):
        storm.c_system.start_again()


class Backends(Fault):
    """What becomes of a service's connections; intake answers from its spool meanwhile, so that it is
    the record that has to go on."""

    def part(self):
        return "record" if self.victim == "intake" else self.victim


class KillBackend(Backends):
    """kill -9 of one PostgreSQL process that serves the service: PostgreSQL ends all and recovers."""
    kind = "kill -9 of a backend"

    def begin(self, storm):
        pid = storm.stack.one(
            "select pid from pg_stat_activity where usename = %s and datname = current_database()"
            " order by state = 'active' desc, query_start desc limit 1", f"turunc_{self.victim}")
        os.kill(pid, signal.SIGKILL)
        # Our own connection ends with all the others; until then PostgreSQL has not noticed.
        wait_until(lambda: storm.one("select 1") is None, 5, "PostgreSQL ends everybody", 0.002)

    def end(self, storm):
        storm.database_back()


class TerminateBackends(Backends):
    """Every connection of the service is ended by the administrator."""
    kind = "backends terminated"

    def begin(self, storm):
        storm.stack.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s"
                        " and datname = current_database()", f"turunc_{self.victim}")


class Stop(Fault):
    """SIGSTOP, and SIGCONT after a while."""
    kind = "SIGSTOP"
    hold_s = 0.3

    def begin(self, storm):
        storm.stack.pause(self.victim)

    def end(self, storm):
        storm.stack.resume(self.victim)


class StopHoldingLock(Backends):
    """SIGSTOP between taking the log's lock and the end of the transaction; how long the next writer
    then needs is what is measured."""
    kind = "SIGSTOP with the log's lock"

    def begin(self, storm):
        link = f"{self.victim}-postgres"
        head = "select coalesce(max(last_seq), 0) from turunc.log_batch"
        self.hold(storm)
        try:
            wait_until(lambda: self.holds(storm), 10, f"{self.victim} holds the lock", 0.002)
            storm.stack.pause(self.victim)
            before, at = storm.stack.one(head), time.monotonic()
            wait_until(lambda: storm.stack.one(head) > before, 15,
                       f"others write while {self.victim} stands still with the lock", 0.01)
            storm.figures.others_s.append(time.monotonic() - at)
            wait_until(lambda: self.released(storm) > self.before, 5, "the holder's end is counted")
            storm.figures.holders_ended += 1
        finally:
            storm.stack.links.set(link, "pass")

    def holds(self, storm):
        """It has the lock and its Sync is held back.  Not every one of those statements appends: one
        that has the lock not after a moment may go on."""
        link = f"{self.victim}-postgres"
        if not storm.stack.links.state(link)["held"]:
            return False
        for _ in range(20):
            if storm.stack.one("select exists (select from pg_locks l join pg_stat_activity a using (pid)"
                               " where l.locktype = 'advisory' and l.objid = 7301 and l.granted"
                               " and a.usename = %s and a.wait_event = 'ClientRead')", f"turunc_{self.victim}"):
                return True
            time.sleep(0.002)
        storm.stack.links.set(link, "pass")
        self.hold(storm)
        return False

    def hold(self, storm):
        """On a slow machine the holder may be ended before anybody has looked: what was counted before is read first."""
        self.before = self.released(storm)
        storm.stack.links.set(f"{self.victim}-postgres", "hold", statements=APPENDS[self.victim])

    def released(self, storm):
        """Holders of the lock ended by those who can still say so."""
        return sum(sum(float(value) for value in re.findall(
            r"^turunc_db_released_total\S* (\S+)$", storm.stack.http(name, "GET", "/metrics").text, re.M))
            for name in WRITERS if name != self.victim)

    def end(self, storm):
        storm.stack.resume(self.victim)


class Network(Fault):
    """victim is a link; mode is one of proxy.py's."""
    hold_s = 0.25

    @property
    def kind(self):
        return {"cut": "network cut", "delay": "network delay", "frozen": "network frozen",
                "half-open": "network half-open"}[self.mode]

    def part(self):
        return WORK_ON[self.victim]

    def begin(self, storm):
        storm.stack.links.set(self.victim, self.mode, delay_ms=80)

    def end(self, storm):
        storm.stack.links.set(self.victim, "pass")


class Disk(Fault):
    """what: the fields of machine.Disk that are set.  It counts when a call has really failed.  What
    PostgreSQL cannot go on after (panics) ends all its processes, and it recovers."""

    def __init__(self, kind, hold_s=0.2, **what):
        super().__init__("postgres")
        self.kind, self.hold_s, self.what = kind, hold_s, what
        self.panics = "wal_full" in what or "sync_fails" in what

    def begin(self, storm):
        hits = storm.stack.disk.hits()
        storm.stack.disk.set(**self.what)
        if "sync_ms" not in self.what:
            wait_until(lambda: storm.stack.disk.hits() > hits, 10, f"{self.kind} is met", 0.005)
        if self.panics:
            wait_until(lambda: storm.one("select 1") is None, 5, "PostgreSQL gives up", 0.002)

    def end(self, storm):
        storm.stack.disk.set(full=0, wal_full=0, sync_fails=0, sync_ms=0)
        storm.database_back()


class ClockJump(Fault):
    """The machine's time of day is set; it stays so until the next jump."""
    kind = "clock jump"
    hold_s = 0.1

    def __init__(self, offset_s):
        super().__init__(f"{offset_s:+d} s")
        self.offset_s = offset_s

    def part(self):
        return "intake"

    def begin(self, storm):
        storm.stack.clock.set(self.offset_s)


class SubscriberAway(Fault):
    """A subscriber ends without a word, misses what comes meanwhile, and returns."""
    kind = "subscriber away"
    hold_s = 0.5

    def part(self):
        return f"subscriber {self.victim}"

    def begin(self, storm):
        storm.department[self.victim].leave()

    def end(self, storm):
        storm.department[self.victim].come_back()


class SubscriberStill(SubscriberAway):
    """A subscriber takes nothing for a while, and nobody else is kept waiting by that."""
    kind = "subscriber stands still"

    def begin(self, storm):
        before = storm.ledger.newest["seyirci"]
        with storm.department[self.victim].lock:
            wait_until(lambda: storm.ledger.newest["seyirci"] > before, 5, "the others receive")

    def end(self, storm):
        pass


class SubscriberTwice(SubscriberAway):
    """A second live replica under the same name is told IN_USE; it takes over, and the first one is
    superseded."""
    kind = "subscriber twice"
    hold_s = 0

    def begin(self, storm):
        # The first one lives: after the fault before, its session may only be on its way back.
        before = storm.ledger.newest[self.victim]
        wait_until(lambda: storm.ledger.newest[self.victim] > before, 10, f"{self.victim} receives")
        storm.department[self.victim].taken_over()

    def end(self, storm):
        pass


class PoolExhausted(Fault):
    """Others hold every connection PostgreSQL has, and the services have just lost theirs."""
    kind = "connections used up"
    hold_s = 0.5

    def __init__(self):
        super().__init__("postgres")
        self.taken = []

    def begin(self, storm):
        # Those of the services are ended one after another, and taken as they fall free.
        end = time.monotonic() + 60
        storm.stack.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = any(%s)",
                        [f"turunc_{name}" for name in SERVICES])
        quiet = 0  # looks, one after the other, at which there was no room and no service had any
        while quiet < 20 and time.monotonic() < end:
            try:
                self.taken.append(psycopg2.connect(storm.stack.conninfo("turunc_admin")))
                quiet = 0
            except psycopg2.OperationalError:
                left, = storm.stack.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity"
                                        " where usename = any(%s)", [f"turunc_{name}" for name in SERVICES])[0]
                quiet = quiet + 1 if left == 0 else 0
                time.sleep(0.005)
        assert quiet >= 20, "services find room all the time"

    def end(self, storm):
        for link in self.taken:
            link.close()
        self.taken = []
