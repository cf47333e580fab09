"""A March made of nothing: a month's figures as the record keeps them, put there for the pages to show."""
import random

SUBJECTS = ("cop-alinmadi", "konteyner-hasar", "cadde-supurme", "konteyner-yikama", "esya-toplama", "evde-saglik",
            "yol-cukur", "kaldirim-hasar", "kaldirim-isgali", "gurultu", "plaj-temizligi", "bahce-atigi", "dilencilik",
            "hasta-nakil", "geri-donusum", "atik-yag", "elektronik-atik", "gone-long-ago", "-")
DEPARTMENTS = ("temizlik", "fen", "park", "zabita", "saglik", "veteriner", "iklim", "-")
NEIGHBOURHOODS = ("guzeloba", "caglayan", "sirinyali", "fener", "meydankavagi", "altindag", "balbey", "barbaros",
                  "kilincarslan", "selcuk", "tuzcular", "genclik", "deniz", "meltem", "-")
CHANNELS = {"call": 11651, "desk": 936, "web": 900, "email": 420, "cimer": 330, "open311": 110, "sms": 40, "bus": 13}
AGES = {"00": 640, "03": 310, "07": 190, "15": 88, "30": 31, "60": 9, "90": 4}
DAY_CURVE = (9, 6, 4, 3, 3, 5, 12, 30, 70, 100, 96, 90, 72, 84, 92, 88, 80, 60, 34, 28, 40, 44, 30, 18)


def shared_out(total, parts, skew=1.0):
    """total in so many parts, each smaller than the one before."""
    weights = [1 / (place + 1) ** skew for place in range(parts)]
    numbers = [int(total * weight / sum(weights)) for weight in weights]
    numbers[0] += total - sum(numbers)
    return numbers


def figures(scale=1.0, seed=7):
    """By name."""
    draw = random.Random(seed)
    calls = int(21219 * scale)
    found = {"calls.offered": int(21801 * scale), "calls.answered": calls, "calls.abandoned": int(560 * scale),
             "calls.unfinished": int(21801 * scale) - calls - int(560 * scale), "calls.recorded": int(11651 * scale),
             "calls.joined": int(412 * scale), "calls.information": int(7603 * scale),
             "calls.transferred": int(1251 * scale), "calls.nuisance": int(290 * scale),
             "calls.wait_ms": calls * 6400, "contacts.call": calls, "contacts.without_ticket.call": int(9156 * scale)}
    hours = [(weekday, hour) for weekday in range(1, 8) for hour in range(24)]
    weights = [DAY_CURVE[hour] * (1 if weekday < 6 else 0.45) for weekday, hour in hours]
    for name, total in (("answered", calls), ("offered", int(21801 * scale))):
        for weekday, hour in draw.choices(hours, weights, k=total):
            key = f"calls.{name}.w{weekday}.h{hour}"
            found[key] = found.get(key, 0) + 1
    tickets = 0
    for channel, count in CHANNELS.items():
        found[f"tickets.channel.{channel}"] = int(count * scale)
        tickets += int(count * scale)
        if channel != "call":
            found[f"contacts.{channel}"] = int(count * scale * 1.1)
            found[f"contacts.without_ticket.{channel}"] = int(count * scale * 0.04)
    found["tickets"] = tickets
    for prefix, codes in (("tickets.subject.", SUBJECTS), ("tickets.department.", DEPARTMENTS),
                          ("tickets.neighbourhood.", NEIGHBOURHOODS)):
        for code, count in zip(codes, shared_out(tickets, len(codes))):
            found[prefix + code] = count
    for day, count in enumerate(shared_out(tickets, 31, 0.05)):
        found[f"tickets.day.{day + 1}"] = count
    ended = int(13877 * scale)
    found |= {"ended": ended, "ended.resolved": int(ended * 0.8), "ended.rejected": int(ended * 0.05),
              "ended.forwarded": int(ended * 0.1), "ended.duplicate": int(ended * 0.04),
              "ended.withdrawn": int(ended * 0.01), "ended.legal.of": 1440, "ended.legal.within": 1429,
              "ended.service.of": 11031, "ended.service.within": 10012, "reopened": 388, "hops": 1211,
              "hops.tickets": 1003, "ladder.ended": int(ended * 0.95), "ladder.eligible": 10002,
              "ladder.invited": 9810, "ladder.delivered": 9700, "ladder.answered": 3216, "ladder.satisfied": 3065,
              "ladder.not_solved": 92, "ladder.rest.no_address": 2400, "ladder.rest.opted_out": 411,
              "ladder.rest.reopened": 370, "open": sum(AGES.values())}
    found |= {f"open.age.{bucket}": count for bucket, count in AGES.items()}
    return {name: count for name, count in found.items() if count}


def put(stack, months, at_us, revisions=()):
    """months: 202603 -> figures; revisions: (month, number, seq, at_us, {name: (was, now)}).  The last record
    counted is the log's last one, committed at at_us."""
    seq = stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")
    version = stack.one("select coalesce(max(fold_version), 1) from turunc.month_state")
    first, day = min(months), (at_us + 10_800_000_000) // 86_400_000_000
    stack.sql("delete from turunc.month_cell")
    stack.sql("delete from turunc.month_state")
    stack.sql("""insert into turunc.month_state (fold_version, seq, at_us, day, first, rolled, published,
        ladder_published, config_version) values (%s, %s, %s, %s, %s, %s, %s, 0, 1)""",
              version, seq, at_us, day, first, max(months), max(months))
    for month, numbers in months.items():
        stack.sql("insert into turunc.month_cell (month, name, n) select %s, * from unnest(%s::text[], %s::bigint[])",
                  month, list(numbers), list(numbers.values()))
    for month, number, of_seq, drawn_up_us, changes in revisions:
        stack.sql("insert into turunc.month_revision (month, number, seq, at_us) values (%s, %s, %s, %s)",
                  month, number, of_seq, drawn_up_us)
        for name, (was, now) in changes.items():
            stack.sql("insert into turunc.month_change (month, number, name, was, now) values (%s, %s, %s, %s, %s)",
                      month, number, name, was, now)
