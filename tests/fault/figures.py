"""What a storm did to whom, as one table."""
import bisect
import collections

import ledger as ledgers

SERVICES = ("intake", "router", "notifier", "metrics")
Strike = collections.namedtuple("Strike", "kind victim began ended recovered_s")
Rate = collections.namedtuple("Rate", "scenario base recovered recovery_s")


def percentile(values, share):
    """The nearest rank; 0 of nothing."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Figures:
    def __init__(self):
        self.strikes = []
        self.idle = collections.Counter()       # kind -> found nothing in hand: not counted
        self.others_s = []                      # until the next writer wrote beside a stopped holder
        self.holders_ended = 0             # by those who waited for them
        self.rates = []
        self.peak_kib = collections.Counter()

    def struck(self, fault, began, ended, recovered_s):
        self.strikes.append(Strike(fault.kind, str(fault.victim), began, ended, recovered_s))

    def count(self, *kinds):
        """How many were struck with work in hand; of all kinds when none is named."""
        return sum(1 for strike in self.strikes if not kinds or strike.kind in kinds)

    def recoveries(self):
        return [strike.recovered_s for strike in self.strikes]

    def sample_memory(self, stack):
        for name in SERVICES:
            try:
                self.peak_kib[name] = max(self.peak_kib[name], stack.process[name].memory_pss_kib())
            except (OSError, StopIteration):
                pass    # between two lives

    def latencies(self, ledger):
        """Seconds of the answers that were waited for while something was broken or recovering,
        and of all the others."""
        windows = sorted((s.began, s.ended + s.recovered_s) for s in self.strikes)
        starts = [start for start, _ in windows]
        during, apart = [], []
        for began, answered in list(ledger.spans):
            nearest = bisect.bisect_right(starts, answered) - 1
            # Faults follow one another, so the latest that began before the answer ends last.
            struck = nearest >= 0 and windows[nearest][1] >= began
            (during if struck else apart).append(answered - began)
        return during, apart

    def table(self, ledger, findings, counts):
        """counts: further lines, (name, value)."""
        lines = [f"{'fault':<30} {'in flight':>9} {'idle':>5} {'recovery p50':>13} {'p99':>6} {'max':>6}  struck"]
        kinds = list(dict.fromkeys([s.kind for s in self.strikes] + list(self.idle)))
        for kind in sorted(kinds):
            of_kind = [s for s in self.strikes if s.kind == kind]
            victims = collections.Counter(s.victim for s in of_kind)
            names = ", ".join(f"{victim} {n}" for victim, n in sorted(victims.items()))
            lines.append(self._row(kind, of_kind, self.idle[kind]) + "  " +
                         (names if len(victims) <= 7 else f"{len(victims)} parts or links"))
        lines.append(self._row("all", self.strikes, sum(self.idle.values())))
        lines.append("")
        lines += [f"{name:<46} {value}" for name, value in
                  self._answers(ledger) + counts + list(ledgers.count(findings).items())]
        lines += self._memory() + self._slowest() + self._rates()
        return "\n".join(lines)

    @staticmethod
    def _row(kind, strikes, idle):
        seconds = [strike.recovered_s for strike in strikes]
        return (f"{kind:<30} {len(strikes):>9} {idle:>5} {percentile(seconds, 0.5):>11.2f} s"
                f" {percentile(seconds, 0.99):>6.2f} {max(seconds, default=0):>6.2f}")

    def _answers(self, ledger):
        during, apart = self.latencies(ledger)
        shown = [("answer during faults p50 / p99 / max ms", during),
                 ("answer between faults p50 / p99 / max ms", apart)]
        lines = [("attempts", len(ledger.attempts)), ("positive answers", ledger.answered())]
        lines += [(name, " / ".join(f"{1000 * value:.0f}" for value in (
            percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds, default=0)))
            + f"  ({len(seconds)} answers)") for name, seconds in shown]
        if self.others_s:
            lines.append(("lock held by a stopped writer, next write max s",
                          f"{max(self.others_s):.2f}  ({self.holders_ended} holders ended)"))
        return lines

    def _memory(self):
        return [f"{f'peak memory of {name} (PSS)':<46} {self.peak_kib[name] / 1024:.1f} MiB"
                for name in SERVICES]

    def _slowest(self, shown=6):
        slowest = sorted(self.strikes, key=lambda strike: -strike.recovered_s)[:shown]
        return [f"{'slowest recoveries':<46} " + ", ".join(
            f"{strike.kind} of {strike.victim} {strike.recovered_s:.2f} s" for strike in slowest)]

    def _rates(self):
        if not self.rates:
            return []
        lines = ["", f"{'scenario':<30} {'base/s':>8} {'recovered/s':>12} {'ratio':>6} {'recovery':>10}"]
        return lines + [f"{r.scenario:<30} {r.base:>8.0f} {r.recovered:>12.0f}"
                        f" {r.recovered / max(r.base, 1e-9):>6.2f} {r.recovery_s:>8.2f} s"
                        for r in self.rates]
