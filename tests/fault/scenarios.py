"""The five scenarios of the public job-queue benchmark, each with the rate before it and after it.

Citizens who never pause give the load; their reports belong to a department that nobody works for
here, so that what is measured is intake, PostgreSQL and router."""
import time

import faults
from actors import Citizen
from figures import Rate
from process import wait_until

CLIENT = "defter-rush"
SUBJECT = "seyyar-satici"
CITIZENS = 8
REPEATED_KILLS = ("intake", "router", "postgres", "intake", "metrics", "notifier", "postgres")
KILL_EVERY_S = 0.3


class Restart(faults.Fault):
    kind = "PostgreSQL restart"

    def begin(self, storm):
        storm.stack.forget_links()
        storm.stack.postgres.stop()

    def end(self, storm):
        storm.stack.restart("postgres")


class RepeatedKills(faults.Fault):
    """Whatever had come up by then is killed again."""
    kind = "repeated kills"

    def begin(self, storm):
        for victim in REPEATED_KILLS[:-1]:
            storm.stack.kill9(victim)
            storm.stack.restart(victim, wait=False)
            time.sleep(KILL_EVERY_S)
        storm.stack.kill9(REPEATED_KILLS[-1])

    def end(self, storm):
        storm.stack.restart(REPEATED_KILLS[-1], wait=False)


class BackendKill(faults.KillBackend):
    kind = "backend kill"


class PoolExhaustion(faults.PoolExhausted):
    kind = "pool exhaustion"
    hold_s = 1.0


class CrashRecovery(faults.Kill):
    kind = "crash recovery"


def run(storm, window_s):
    """One row each in storm.figures.rates; the storm's own actors go on meanwhile."""
    stack = storm.stack
    key = stack.api_key(CLIENT)
    rush = [Citizen(f"rush-{n}", storm.ledger, 0, stack.link_port["citizens-intake"], key, CLIENT,
                    subjects=(SUBJECT,), contact=False) for n in range(CITIZENS)]
    storm.actors += rush
    storm.reporters += rush
    for actor in rush:
        actor.start()
    wait_until(lambda: storm.ledger.answered_by[CLIENT] > 100, 20, "the rush has begun")
    for scenario in (Restart("postgres"), BackendKill("intake"), PoolExhaustion(), CrashRecovery("postgres"),
                     RepeatedKills("postgres")):
        base = _rate(storm, window_s)
        storm.strike_until_counted(scenario)
        recovered = _rate(storm, window_s)
        storm.figures.rates.append(Rate(scenario.kind, base, recovered, storm.figures.strikes[-1].recovered_s))
    for actor in rush:
        actor.stop()
    for actor in rush:
        actor.join(30)


def _rate(storm, window_s):
    before, at = storm.ledger.answered_by[CLIENT], time.monotonic()
    time.sleep(window_s)
    return (storm.ledger.answered_by[CLIENT] - before) / (time.monotonic() - at)
