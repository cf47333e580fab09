"""A terminal for a program under test: what it would show, and whether it was given back.

It knows the few sequences that our programs use and fails on any other, so that a program that
began to use more would be seen."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

HANGS_S = 120  # a limit only against what never comes: nothing is measured here
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    def __init__(self, argv, env, width=80, height=24, cwd="/"):
        self.width, self.height = width, height
        self.lines = [" " * width] * height
        self.row = self.column = 0
        self.other = False        # the alternate screen is shown
        self.cursor = True
        self._too_large = ""      # why the picture that is being drawn does not fit
        self._not_whole = ""      # why there is no picture to look at
        self._resized = False     # a picture for the former size may be on its way
        self._left = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.master, slave = pty.openpty()
        self._resize(width, height)
        self.modes = termios.tcgetattr(slave)
        self._slave = slave
        self.program = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self.master)
        os.close(self._slave)

    # --- what is asked of it ---

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)

    def wait(self, condition, limit_s=HANGS_S, what=""):
        """Until condition(text) is true of a picture that fits; the text."""
        end = time.monotonic() + limit_s
        while True:
            if not self._not_whole and condition(self.text()):
                self._resized = False
                return self.text()
            if time.monotonic() > end:
                raise AssertionError(f"the screen never said it: {what} {self._not_whole}\n{self.text()}")
            self._read(0.1)

    def shows(self, words, limit_s=HANGS_S):
        return self.wait(lambda text: words in text, limit_s, words)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def resize(self, width, height):
        self.width, self.height = width, height
        self._resized, self._not_whole = True, "nothing was drawn since the size changed"
        self.lines = [line[:width].ljust(width) for line in (self.lines + [""] * height)[:height]]
        self._resize(width, height)
        os.killpg(self.program.pid, signal.SIGWINCH)

    def ended(self, limit_s=HANGS_S):
        """Its exit code, when all that it wrote was read."""
        end = time.monotonic() + limit_s
        while self.program.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end\n{self.text()}")
            self._read(0.05)
        self._read(0)
        return self.program.returncode

    def is_as_before(self):
        """The modes, the screen and the cursor are those that it found."""
        return termios.tcgetattr(self._slave) == self.modes and not self.other and self.cursor

    # --- how it is one ---

    def _resize(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _read(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            self._take(self._decoder.decode(data))  # a character may come in two pieces
            seconds = 0

    def _take(self, text):
        text = self._left + text
        self._left = ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                if not found:
                    assert len(text) - at < 20, f"no sequence that we use: {text[at:at + 30]!r}"
                    self._left = text[at:]
                    return
                self._do(found.group(1), found.group(2))
                at = found.end()
                continue
            self._show(text[at])
            at += 1

    def _show(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            if self.row + 1 >= self.height:
                self._does_not_fit("it scrolled")
            self.row = min(self.row + 1, self.height - 1)
        else:
            assert character.isprintable(), f"{character!r} is not shown"
            if self.column >= self.width:
                self._does_not_fit("a line is longer than the screen")
            else:
                line = self.lines[self.row]
                self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
                self.column += 1

    def _does_not_fit(self, why):
        """A mistake, but while the program cannot know the new size yet: then no picture to look at."""
        assert self._resized or not self.other, why
        self._too_large = why if self.other else ""

    def _do(self, numbers, what):
        if what == "H" and numbers == "":
            self._too_large, self._not_whole = "", "it is being drawn"
            self.row = self.column = 0
        elif what == "K" and numbers == "":
            self.lines[self.row] = self.lines[self.row][:self.column].ljust(self.width)
            if self.row == self.height - 1:
                self._not_whole = self._too_large  # all is drawn
        elif what == "J" and numbers in ("", "2"):
            first = 0 if numbers == "2" else self.row + 1
            if numbers == "":
                self._do("", "K")
            for row in range(first, self.height):
                self.lines[row] = " " * self.width
            self._not_whole = self._too_large  # what is below is wiped at the end
        elif what in "hl" and numbers == "?1049":
            self.other = what == "h"
        elif what in "hl" and numbers == "?25":
            self.cursor = what == "h"
        elif what in "hl" and numbers == "?7":
            pass
        elif what == "m":
            pass
        else:
            raise AssertionError(f"a sequence that is not ours: ESC[{numbers}{what}")
