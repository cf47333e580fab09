"""Which faults a storm brings, and in which order."""
import itertools

import faults
from wired import AT_THE_DOORS, NAMES, WRITERS

SERVICES = faults.SERVICES
KILLED = SERVICES + ("postgres", "redis")
SHORT = (200, 1)    # kills, rounds of everything else
LONG = (400, 9)
FOLLOWING = ("temizlik", "fen-masked", "park")
RATE_WINDOW_S = 2
MODES = ("cut", "delay", "frozen", "half-open")


def kills(count):
    return [faults.Kill(victim) for victim, _ in zip(itertools.cycle(KILLED), range(count))]


def others(rounds, doors):
    """Every fault that is no plain kill, rounds times."""
    made = []
    links = [name for name in NAMES if doors or name not in AT_THE_DOORS]
    for _ in range(rounds):
        made += [faults.KillPublisher("publisher-c")]
        made += [faults.KillBackend(name) for name in SERVICES]
        made += [faults.TerminateBackends(name) for name in SERVICES]
        made += [faults.Stop(name) for name in SERVICES]
        made += [faults.StopHoldingLock(name) for name in WRITERS]
        made += [faults.Disk("disk full", full=1), faults.Disk("disk of pg_wal full", wal_full=1),
                 faults.Disk("fsync fails", sync_fails=1), faults.Disk("fsync 5 ms slower", sync_ms=5, hold_s=1)]
        made += [faults.ClockJump(offset_s) for offset_s in (90, 0, -120, 0)]
        made += [fault(name) for name in FOLLOWING
                 for fault in (faults.SubscriberAway, faults.SubscriberStill, faults.SubscriberTwice)]
        made += [faults.PoolExhausted()]
        made += [faults.Network(link, mode=mode) for link in links for mode in MODES]
    return made


def plan(dice, kill_count, rounds, doors=False):
    """Shuffled, so that every order is tried some day; the seed says which."""
    made = kills(kill_count) + others(rounds, doors)
    if rounds > 1:      # longer than a session may be silent
        made += [faults.Stop(name, kind="SIGSTOP for 7 s", hold_s=7) for name in SERVICES]
    dice.shuffle(made)
    return made
