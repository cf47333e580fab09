#!/usr/bin/python3
"""A private system for the tests of the pages: prints one line of JSON when it is ready, then does
what it is told on standard input (pause metrics, resume metrics, state, user NAME ROLE [DEPARTMENT],
sql STATEMENT, a client's key: key NAME VERB), one answer a line, until that ends."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from stack import Stack  # noqa: E402


def obey(stack, words):
    if words[0] in ("pause", "resume"):
        getattr(stack, words[0])(words[1])
        return True
    if words[0] == "restart":
        stack.kill9(words[1])
        stack.restart(words[1])
        return True
    if words[0] == "user":
        return stack.user(*words[1:])
    if words[0] == "sql":
        stack.sql(" ".join(words[1:]))
        return True
    if words[0] == "key":
        return json.loads(stack.masa("client", "add", words[1], "--http", "--verbs", words[2], "--json"))["api_key"]
    return stack.http("metrics", "GET", "/live/state.json").json()


def main():
    with Stack(services=["intake", "router", "metrics", "edge"],
               env={"intake": {"TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0"}}) as stack:
        stack.start()
        print(json.dumps({"origin": f"http://127.0.0.1:{stack.port['edge']}",
                          "key": stack.api_key("page-tests")}), flush=True)
        for line in sys.stdin:
            print(json.dumps(obey(stack, line.split())), flush=True)
        stack.resume("metrics")


if __name__ == "__main__":
    main()
