#!/usr/bin/python3
"""A private system for the tests of satisfaction's pages: tickets that have ended and whose citizens were
invited, one of them closed since.  Prints one line of JSON when it is ready; runs until its standard input ends."""
import json
import os
import pathlib
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "lib"), os.path.join(ROOT, "daemon"),
                os.path.join(os.path.dirname(ROOT), "clients", "python")]

from survey_world import DAY_US, SurveyWorld  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = SurveyWorld(pathlib.Path(folder), ("intake", "router", "notifier", "metrics", "edge"))
        numbers = [world.ended(email=f"b{n}@ornek.example") for n in range(9)]
        world.clock.advance(DAY_US)
        tokens = [world.token(number) for number in numbers]
        for score, token in zip((5, 5, 4, 4, 1), tokens[4:]):
            assert world.answer(token, score).status == 200
        closed = world.token(numbers[0])
        world.clock.advance(10 * DAY_US)
        world.stack.wait(lambda: world.status(numbers[0]) == "closed", 20)
        fresh = [world.ended(email=f"c{n}@ornek.example") for n in range(3)]
        world.clock.advance(DAY_US)
        print(json.dumps({"origin": f"http://127.0.0.1:{world.stack.port['edge']}", "closed": closed,
                          "tokens": [world.token(number) for number in fresh], "numbers": fresh,
                          "stop": world.stop_token(fresh[2])}), flush=True)
        sys.stdin.read()
        world.close()


if __name__ == "__main__":
    main()
