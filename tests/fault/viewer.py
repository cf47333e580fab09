"""A screen with the live board: it keeps the stream of events open and puts each change into what it shows; and whether
that is the board in the end."""
import http.client
import json
import threading
import time

import board
from actors import Actor

SILENT_S = 15   # a beat comes each second


class Viewer(Actor):
    def __init__(self, name, ledger, pause_s, port):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        self.port = port
        self.lock = threading.Lock()
        self.values = {}
        self.connected = False

    @property
    def in_hand(self):
        """What is answered now will come along here."""
        return self.connected and self.ledger.in_flight() > 0

    def turn(self):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SILENT_S)
        try:
            link.request("GET", "/live/events", headers={"Accept": "text/event-stream"})
            answer = link.getresponse()
            if answer.status not in (200, 502, 503):
                raise AssertionError(f"the board said {answer.status}")
            if answer.status == 200:
                self._follow(answer)
        except (OSError, http.client.HTTPException, ValueError):
            pass        # it comes again
        finally:
            self.connected = False
            link.close()

    def _follow(self, lines):
        kind = None
        while not self.stopping():
            line = lines.readline()
            if not line:
                return
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind is not None:
                said = json.loads(line[6:])
                # A snapshot is all there is.
                with self.lock:
                    self.values = {**({} if kind == b"snapshot" else self.values), **said.get("values", {})}
                self.connected = True
                self.ledger.answered_by[self.client_name] += 1


def check_viewer(stack, viewer, limit_s=8):
    """Changes are told once a second at most."""
    end = time.monotonic() + limit_s
    while True:
        shown = dict(viewer.values)
        wanted = stack.http("metrics", "GET", "/live/state.json").json()["values"]
        # A figure that is there no more is told as none.
        different = {name: (shown.get(name), wanted.get(name)) for name in sorted({*shown, *wanted})
                     if not name.startswith(board.NOT_FIGURES) and (shown.get(name) or 0) != (wanted.get(name) or 0)}
        if not different:
            return
        if time.monotonic() > end:
            break
        time.sleep(0.3)
    for name, (shown, wanted) in different.items():
        yield "board", f"a screen that followed shows {name} as {shown}, the board {wanted}"
