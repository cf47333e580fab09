"""Which faults a storm brings, and in which order."""
import itertools

import faults
from wired import NAMES, WRITERS

SERVICES = faults.SERVICES
KILLED = SERVICES + ("postgres", "redis")
SHORT = (200, 1)    # kills, rounds of everything else
LONG = (400, 9)
MODES = ("cut", "delay", "frozen", "half-open")


def kills(count):
    return [faults.Kill(victim) for victim, _ in zip(itertools.cycle(KILLED), range(count))]


def others(rounds):
    """Every fault that is no plain kill, rounds times."""
    made = []
    for _ in range(rounds):
        made += [faults.KillPublisher("publisher-c")]
        made += [faults.KillBackend(name) for name in SERVICES]
        made += [faults.TerminateBackends(name) for name in SERVICES]
        made += [faults.Stop(name) for name in SERVICES]
        made += [faults.StopHoldingLock(name) for name in WRITERS]
        made += [faults.Network(link, mode=mode) for link in NAMES for mode in MODES]
    return made


def plan(dice, kill_count, rounds):
    """Shuffled, so that every order is tried some day; the seed says which."""
    made = kills(kill_count) + others(rounds)
    dice.shuffle(made)
    return made
