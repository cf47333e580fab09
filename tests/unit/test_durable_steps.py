"""Every durable step of the programs that is not a statement has a failpoint before and after it.

The steps are read from the code: calls that make a file durable, hand a message over, append to a
journal or change Redis.  A function that makes such a call says failpoint(STEP, FAILPOINT_BEFORE),
and its file the other side; or else all that use the function do.  Statements that write are looked
after by tests/db/test_*_failpoints.c.  The client library is not looked at: it is linked by other
systems, and its journal's calls count where a service makes them."""
import functools
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIST = "services/common/failpoint.h"
LUA = "services/metrics/live.lua"

DURABLE = re.compile(r"\b(fsync|fdatasync|syncfs|sync_file_range|rename|renameat2?|link|linkat"
                     r"|curl_easy_perform|tc_journal_append|tc_journal_sync"
                     r"|redis_send|redis_send_args|redis_eval|redis_transaction_exec)\s*\(")
FUNCTION = re.compile(r"^(\w+)\([^;{]*\)\n\{\n(.*?)^\}", re.M | re.S)
POINT = re.compile(r"\bfailpoint\(\s*([\w>.-]+),\s*FAILPOINT_(BEFORE|AFTER)\)")
# What looks like one and is none, with the reason.
NONE_OF_OURS = {
    ("services/masa/reach.c", "get"): "asks a service how it is; hands nothing over",
    ("services/masa/doctor_edge.c", "ask_stream"): "asks the edge; hands nothing over",
    ("services/masa/doctor_edge.c", "look_at_certificate"): "asks the edge; hands nothing over",
    # What plays a month is the world outside: a citizen's client, whoever exports from CİMER, the time.
    ("services/masa/demo_doors.c", "ask"): "a citizen's request",
    ("services/masa/demo_doors.c", "demo_doors_get"): "likewise",
    ("services/masa/demo_doors.c", "put"): "a file put into the folder of CİMER's exports",
    ("services/common/clock.c", "clock_simulation_create"): "a demonstration's clock, made before there is a system",
}
# Where Redis and PostgreSQL are spoken to; their callers are looked at, or their statements.
LIBRARIES = re.compile(r"services/common/(redis|db)_?\w*\.c")
SENDS_SQL = re.compile(r"\bPQ(exec\w*|sendQuery\w*)\s*\(")
MAY_SEND_SQL = {
    "services/common/db_unit.c": "its units reach their points in db_queue.c",
    "services/masa/masa.c": "its COMMIT is a step",
    "services/masa/cmd_db.c": "a migration, between masa_query's BEGIN and COMMIT",
    "services/masa/log_verify.c": "only reads",
    "services/masa/month_log.c": "only reads",
    "services/masa/record_link.c": "questions of masa top and masa backup; only reads",
    "services/masa/demo_pace.c": "only reads",
}
WRITES_REDIS = {"SADD", "SREM", "HSET", "HDEL", "HINCRBY", "ZADD", "ZREM", "ZREMRANGEBYSCORE", "ZINCRBY", "UNLINK", "SET"}
READS_REDIS = {"GET", "HGET", "HMGET", "HGETALL", "SMEMBERS", "ZCARD", "ZCOUNT", "ZRANGE", "ZSCORE",
               "ZRANGEBYSCORE", "ZREVRANGEBYSCORE"}


def sources():
    """path -> text, of everything the programs are made of."""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "services", "*", "*.[chl]*")):
        with open(path, encoding="utf-8") as file:
            found[os.path.relpath(path, ROOT)] = file.read()
    return found


@functools.cache
def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


@functools.cache
def functions_of(text):
    return FUNCTION.findall(without_comments(text))


def functions(texts):
    """(path, name) -> body, of every C function."""
    return {(path, name): body for path, text in texts.items() if path.endswith(".c")
            for name, body in functions_of(text)}


def complaints(texts):
    return [*uncovered(texts), *unused(texts), *other_sql(texts), *lua_steps(texts)]


# --- calls that make something durable --------------------------------------------------------------

def durable_calls(texts):
    """(path, function) -> the calls in it."""
    return {where: sorted({call.group(1) for call in DURABLE.finditer(body)})
            for where, body in functions(texts).items()
            if DURABLE.search(body) and not LIBRARIES.fullmatch(where[0])
            and where not in NONE_OF_OURS}


def uncovered(texts):
    bodies = functions(texts)
    sides = {path: set(POINT.findall(text)) for path, text in texts.items()}

    def covered(where, seen):
        """Has its points, is used by such as have, or is a part of common that no program uses."""
        path, name = where
        steps = {step for step, side in POINT.findall(bodies[where]) if side == "BEFORE"}
        if steps:
            return all((step, "AFTER") in sides[path] for step in steps)
        users = [user for user, body in bodies.items()
                 if user != where and name in body and re.search(rf"\b{name}\b", body)
                 and (user[0] == path or not re.search(rf"^static [^;]*\n?{name}\(", texts[path], re.M))]
        if not users:
            return path.startswith("services/common/") and not any(
                re.search(rf"\b{name}\b", text) for other, text in texts.items()
                if other.endswith(".c") and other != path)
        return all(user in seen or covered(user, seen | {where}) for user in users)

    for where, calls in durable_calls(texts).items():
        if not covered(where, {where}):
            yield f"{where[0]}: {where[1]}() calls {', '.join(calls)} without a failpoint on both sides"


def listed(texts):
    """The ids of FAILPOINT_CALLS."""
    return re.findall(r"X\((\w+), \"\w+\", \"\w+\"\)", texts[LIST])


def unused(texts):
    """What is in the list and nowhere in the code; an odd side."""
    ids = listed(texts)
    for step in ids:
        users = [path for path, text in texts.items() if path != LIST and f"FAILPOINT_{step}" in text
                 and re.search(rf"\bFAILPOINT_{step}\b", without_comments(text))]
        if not users:
            yield f"{LIST}: FAILPOINT_{step} is nowhere in the code"
    for path, text in texts.items():
        said = {}
        for step, side in POINT.findall(without_comments(text)):
            said.setdefault(step, set()).add(side)
        for step, both in said.items():
            if len(both) == 1 and path.endswith(".c") and not path.startswith("services/common/failpoint"):
                yield f"{path}: {step} has only the side {both.pop().lower()}"


def other_sql(texts):
    for path, text in texts.items():
        if path.endswith(".c") and path not in MAY_SEND_SQL and not path.startswith("services/common/db_conn") \
                and not path == "services/common/db_pipeline.c" and SENDS_SQL.search(without_comments(text)):
            yield f"{path}: sends SQL by itself; use db, whose units have their points"


# --- Redis: live.lua says what changes it ------------------------------------------------------------

def lua_verbs(text):
    """verb -> whether it changes anything."""
    text = re.sub(r"--.*", "", text)
    parts = {name: body for name, body in
             re.findall(r"^(?:local function (\w+)\(.*?\)|(?:run|op)\.\w+ = function\(.*?\))$(.*?)^end",
                        text, re.M | re.S) if name}
    verbs = dict(re.findall(r"^run\.(\w+) = function\(.*?\)$(.*?)^end", text, re.M | re.S))
    operations = " ".join(re.findall(r"^op\.\w+ = function\(.*?\)$(.*?)^end", text, re.M | re.S))
    unknown = set(re.findall(r"redis\.call\('(\w+)'", text)) - WRITES_REDIS - READS_REDIS
    assert not unknown, f"say of {unknown} whether they write"

    def writes(body, seen=()):
        if any(command in WRITES_REDIS for command in re.findall(r"redis\.call\('(\w+)'", body)):
            return True
        if "op[" in body and writes(operations, seen + ("op",)):
            return True
        return any(writes(parts[name], seen + (name,)) for name in parts
                   if name not in seen and re.search(rf"\b{name}\(", body))

    return {verb: writes(body) for verb, body in verbs.items()}


def lua_steps(texts):
    ids = listed(texts)
    bodies = functions(texts)
    for verb, writes in lua_verbs(texts[LUA]).items():
        step = f"METRICS_LIVE_{verb.upper()}"
        callers = [body for (path, _), body in bodies.items()
                   if path == "services/metrics/live.c" and f'{{ "{verb}",' in body]
        if not callers:
            yield f"{LUA}: nobody calls {verb}"
        for body in callers:
            if writes and (step not in ids or f"FAILPOINT_{step}" not in body):
                yield f"{LUA}: {verb} changes Redis and is not the step FAILPOINT_{step}"
            if not writes and "FAILPOINT_" in body:
                yield f"{LUA}: {verb} changes nothing, but is a step"


# --- the tests ---------------------------------------------------------------------------------------

def test_every_durable_step_has_its_points():
    texts = sources()
    assert complaints(texts) == []
    assert len(durable_calls(texts)) >= 6 and sum(lua_verbs(texts[LUA]).values()) == 5


def test_a_step_without_points_is_found():
    """Each kind of violation is put into the code once, in memory."""
    texts = sources()

    def with_change(path, old, new):
        assert old in texts[path], (path, old)
        return complaints({**texts, path: texts[path].replace(old, new)})

    fsync = "\n\nvoid\nseeded_sync(int fd)\n{\n\tif (fsync(fd) == -1)\n\t\treturn;\n}\n"
    for path in ("services/intake/accept.c", "services/router/router.c", "services/masa/print.c"):
        found = complaints({**texts, path: texts[path] + fsync})
        assert found == [f"{path}: seeded_sync() calls fsync without a failpoint on both sides"]
    # In common, as soon as a program uses it.
    clock = {**texts, "services/common/clock.c": texts["services/common/clock.c"] + fsync}
    assert complaints(clock) == []
    clock["services/router/router.c"] += "\n\nvoid\nuser(void)\n{\n\tseeded_sync(0);\n}\n"
    assert len(complaints(clock)) == 1

    assert with_change("services/notifier/channel_smtp.c", "!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_BEFORE)",
                       "true")
    assert with_change("services/notifier/channel_sms.c", "failpoint(step, FAILPOINT_AFTER)", "false")
    assert with_change("services/metrics/live.c", ".step = FAILPOINT_METRICS_LIVE_LOAD", ".step = FAILPOINT_NONE")
    assert with_change("services/metrics/live.c", "!failpoint(call->step, FAILPOINT_BEFORE)", "true")
    assert with_change(LUA, "run.position = function()\n", "run.position = function()\n  redis.call('SET', KEYS[1], '')\n")
    assert with_change(LIST, "X(ROUTER_SWEEP, ", "X(ROUTER_SWEEPER, ")
    assert with_change("services/masa/print.c", "#include", "PGresult *a(void) { return PQexec(0, 0); }\n#include")
