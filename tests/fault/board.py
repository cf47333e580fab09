"""The figures of the live board, worked out again from PostgreSQL alone.

Nothing of the projection is used: statuses come from ticket_state, everything else from the records
of the log themselves."""
import collections
import datetime
import zoneinfo

from turunc.v1 import event_pb2, ticket_pb2

Opened = collections.namedtuple("Opened", "at_us channel")
CALL_STEPS = ("call.offered", "call.answered", "call.abandoned", "call.ended")
ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")
MINUTE_US = 60_000_000
LAST_LIVE, CLOSED = ticket_pb2.STATUS_WAITING, ticket_pb2.STATUS_CLOSED
COMES_IN = ("ticket.routed", "ticket.transferred", "ticket.reopened")
GOES_OUT = ("ticket.resolved", "ticket.rejected", "ticket.forwarded", "ticket.joined", "ticket.withdrawn")
NOT_FIGURES = ("lag_ms", "state.", "then.")  # the last two follow from others, and from what was a day ago
SOON_US, QUICK_US, WAIT_MOST_US = 5 * 86_400_000_000, 20_000_000, 3_600_000_000  # of municipality.csv, of live.lua


def differences(stack):
    """name -> (shown, counted) of every figure that is not the same, once the board has caught up;
    None while it has not."""
    state = stack.http("metrics", "GET", "/live/state.json").json()
    head = stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
    if state["state"] != "live" or state["seq"] != head:
        return None
    counted = figures(stack, state["now_us"])
    shown = {name: value for name, value in state["values"].items() if not name.startswith(NOT_FIGURES)}
    return {name: (shown.get(name, 0), counted.get(name, 0)) for name in sorted({*shown, *counted})
            if shown.get(name, 0) != counted.get(name, 0)}


def figures(stack, now_us):
    """Every figure that is not zero at that moment."""
    count = collections.Counter()
    states = stack.sql("select ticket_id, status, department, answered_us is not null,"
                       " coalesce(legal_due_us, 0), coalesce(service_due_us, 0) from turunc.ticket_state")
    opened = _log(stack, now_us, count)
    for ticket, status, department, answered, legal_due_us, service_due_us in states:
        if status == CLOSED:
            continue
        count[f"status.{_word(ticket_pb2.Status, status)}"] += 1
        if status <= LAST_LIVE:
            _open(count, department or "-", opened[ticket])
            _channel(count, opened[ticket], 0 if answered else legal_due_us, now_us)
            dues = [legal_due_us if not answered else 0,
                    service_due_us if status != ticket_pb2.STATUS_WAITING else 0]
            if any(0 < due <= now_us for due in dues):
                count[f"d.{department or '-'}.overdue"] += 1
    for ticket in opened.keys() - {row[0] for row in states}:
        count["status.opened"] += 1
        _open(count, "-", opened[ticket])
        _channel(count, opened[ticket], 0, now_us)
    count["today"] = sum(n for name, n in count.items() if name.startswith("today."))
    count["open"] = sum(n for name, n in count.items() if name.endswith(".open"))
    count["overdue"] = sum(n for name, n in count.items() if name.endswith(".overdue"))
    return {name: value for name, value in count.items() if value}


def _channel(count, opened, legal_due_us, now_us):
    """What is open of it, and how the law's clocks of these stand."""
    channel = _word(ticket_pb2.Channel, opened.channel)
    count[f"open.{channel}"] += 1
    if legal_due_us:
        due = f"due.{channel}"
        count[due] = min(count[due] or legal_due_us, legal_due_us)
        count[f"late.{channel}"] += legal_due_us <= now_us
        count[f"soon.{channel}"] += now_us < legal_due_us <= now_us + SOON_US


def _open(count, department, opened):
    opened_us = opened.at_us
    count[f"d.{department}.open"] += 1
    oldest = f"d.{department}.oldest"
    count[oldest] = min(count[oldest] or opened_us, opened_us)


def _log(stack, now_us, count):
    """Counts what happened today and in the last hour; ticket -> when it was opened, and how."""
    opened, calls, steps = {}, collections.defaultdict(set), collections.defaultdict(dict)
    first_minute = now_us // MINUTE_US - 59
    for kind, ticket, department, at_us, data in stack.sql(
            "select type, ticket_id, coalesce(department, ''), committed_at_us, event from turunc.event_log"
            " where type like 'ticket.%' or type like 'call.%' order by seq"):
        lately = first_minute <= at_us // MINUTE_US <= now_us // MINUTE_US
        if kind == "ticket.opened":
            channel = event_pb2.Event.FromString(bytes(data)).opened.channel
            opened[ticket] = Opened(at_us, channel)
            count[f"today.{_word(ticket_pb2.Channel, channel)}"] += _day(at_us) == _day(now_us)
            count["hour.opened"] += lately
        elif kind in COMES_IN:
            count[f"d.{department or '-'}.in"] += lately
        elif kind in GOES_OUT:
            count[f"d.{department or '-'}.out"] += lately
            count["hour.ended"] += lately
        elif kind.startswith("call."):
            call = event_pb2.Event.FromString(bytes(data)).call
            if not call.call_id:
                continue  # no call: such a record is set aside
            if kind in CALL_STEPS and kind not in steps[call.call_id]:
                if _day(call.at_us) == _day(now_us):
                    calls[call.call_id].add(kind)
                count["hour.offered"] += lately and not steps[call.call_id]
                if kind in ("call.answered", "call.abandoned"):
                    count[kind.replace("call.", "hour.")] += lately
                steps[call.call_id][kind] = call.at_us
                if kind in ("call.offered", "call.answered") and lately:
                    _known(count, "hour", steps[call.call_id])
    count["calls.offered"] = len(calls)
    for kind in ("call.answered", "call.abandoned"):
        count[kind.replace("call.", "calls.")] = sum(kind in seen for seen in calls.values())
    for seen in steps.values():
        _wait(count, seen, now_us)
    for when in ("calls", "hour"):
        asked = count[f"{when}.known"] + count[f"{when}.abandoned"]
        if asked:
            count[f"{when}.level"] = 1000 * count[f"{when}.quick"] // asked
    return opened


def _wait(count, seen, now_us):
    """A call that waits, or how long it did."""
    offered, answered = seen.get("call.offered"), seen.get("call.answered")
    if offered and seen.keys() == {"call.offered"} and offered >= now_us - WAIT_MOST_US:
        count["calls.waiting"] += 1
        count["calls.longest"] = min(count["calls.longest"] or offered, offered)
    if answered and _day(answered) == _day(now_us):
        _known(count, "calls", seen)


def _known(count, when, seen):
    """A wait is known as soon as its beginning and its end are, in whatever order they came."""
    offered, answered = seen.get("call.offered"), seen.get("call.answered")
    if offered and answered:
        count[f"{when}.known"] += 1
        count[f"{when}.quick"] += answered - offered < QUICK_US


def _day(at_us):
    return datetime.datetime.fromtimestamp(at_us / 1e6, ISTANBUL).date()


def _word(kind, number):
    return kind.Name(number).split("_", 1)[1].lower()
