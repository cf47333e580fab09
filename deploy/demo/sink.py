#!/usr/bin/python3
"""Where a demonstration's messages go instead of to people: a mail server and an SMS gateway that
only write down what they are given.

    sink.py --smtp HOST:PORT --http HOST:PORT --file FILE [--fail-rate 0.0]

SMTP takes every mail.  HTTP: POST to any path is an SMS handed to the gateway (a JSON object or a
form); GET / shows the latest messages, GET /messages?after=N gives those after number N as JSON.
Every message is a line of JSON in FILE before it is answered for; the last 2,000 are kept in memory.
"""
import argparse
import collections
import datetime
import email
import email.policy
import html
import http.server
import json
import os
import random
import signal
import sys
import threading
import urllib.parse
import uuid

from aiosmtpd.controller import Controller

KEPT = 2000
BODY_LIMIT_BYTES = 1 << 20
FILE_LIMIT_BYTES = 64 << 20


class Messages:
    """All that arrived, numbered from 1 without gaps."""

    def __init__(self, path):
        self._path = path
        self._lock = threading.Lock()
        self._latest = collections.deque(maxlen=KEPT)
        self._count = 0
        if os.path.exists(path):
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    if line.endswith("\n"):
                        self._remember(json.loads(line))
        self._file = open(path, "a", encoding="utf-8")

    def _remember(self, message):
        self._latest.append(message)
        self._count = message["number"]

    def add(self, **message):
        with self._lock:
            if self._file.tell() > FILE_LIMIT_BYTES:
                self._file.close()
                os.replace(self._path, self._path + ".old")
                self._file = open(self._path, "a", encoding="utf-8")
            message["number"] = self._count + 1
            message["time"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
            self._file.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._file.flush()
            self._remember(message)
            return message

    def after(self, number):
        with self._lock:
            return [m for m in self._latest if m["number"] > number]


class MailDoor:
    """What the SMTP server asks for each mail."""

    def __init__(self, messages, fails):
        self._messages = messages
        self._fails = fails

    async def handle_DATA(self, server, session, envelope):
        if self._fails():
            return "451 4.3.0 the sink was told to fail now and then"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = mail.get_body(("plain", "html"))
        self._messages.add(
            kind="mail", sender=envelope.mail_from, to=list(envelope.rcpt_tos),
            subject=str(mail["subject"] or ""), message_id=str(mail["message-id"] or ""),
            text=part.get_content() if part else "",
            headers={name: str(value) for name, value in mail.items()})
        return "250 2.0.0 written down"


def sms_fields(body, content_type):
    """The gateway takes what real ones take: a JSON object or a form."""
    if content_type.startswith("application/json"):
        fields = json.loads(body)
        if not isinstance(fields, dict):
            raise ValueError("not an object")
        return fields
    return dict(urllib.parse.parse_qsl(body.decode("utf-8"), strict_parsing=True))


class SmsDoor(http.server.BaseHTTPRequestHandler):
    """The gateway, and the page that shows what was taken."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    # Head and body leave as one: apart, the second waits 40 ms for the other side's kernel to
    # acknowledge the first (RFC 1122, 4.2.3.2 and 4.2.3.4), and so four connections took but 100 SMS a second.
    wbufsize = -1
    disable_nagle_algorithm = True
    messages = None
    fails = None

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_LIMIT_BYTES:
            self.close_connection = True
            return self._answer(413, {"error": "too long"})
        body = self.rfile.read(length)
        if self.fails():
            return self._answer(503, {"error": "the sink was told to fail now and then"})
        try:
            fields = sms_fields(body, self.headers.get("Content-Type", ""))
        except ValueError as wrong:
            return self._answer(400, {"error": str(wrong)})
        message = self.messages.add(kind="sms", id=str(uuid.uuid4()), path=self.path, fields=fields)
        return self._answer(200, {"id": message["id"]})

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/messages":
            after = urllib.parse.parse_qs(url.query).get("after", ["0"])[0]
            if not after.isdecimal():
                return self._answer(400, {"error": "after is a number"})
            return self._answer(200, self.messages.after(int(after)))
        if url.path == "/":
            return self._send(200, "text/html; charset=utf-8", page(self.messages.after(0)))
        return self._answer(404, {"error": "nothing here"})

    def _answer(self, status, value):
        self._send(status, "application/json", json.dumps(value, ensure_ascii=False))

    def _send(self, status, content_type, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Says nothing: every message is in the file."""


def page(messages):
    rows = []
    for m in reversed(messages[-100:]):
        if m["kind"] == "mail":
            to, text = ", ".join(m["to"]), m["subject"] + "\n" + m["text"]
        else:
            to, text = m["path"], "\n".join(f"{k}: {v}" for k, v in m["fields"].items())
        rows.append(f"<tr><td>{m['number']}<td>{m['time'][:19]}<td>{m['kind']}"
                    f"<td>{html.escape(to)}<td><pre>{html.escape(text)}</pre>")
    return ("<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=3>"
            "<title>Messages that would have been sent</title><style>"
            "body{font:15px system-ui;margin:2rem}td{vertical-align:top;padding:.3rem .8rem;"
            "border-top:1px solid #ccc}pre{margin:0;white-space:pre-wrap;font:inherit}</style>"
            f"<h1>Messages that would have been sent</h1><table>{''.join(rows)}</table>")


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    options.add_argument("--smtp", type=address, required=True)
    options.add_argument("--http", type=address, required=True)
    options.add_argument("--file", required=True)
    options.add_argument("--fail-rate", type=float, default=0.0)
    given = options.parse_args()

    messages = Messages(given.file)

    def fails():
        return random.random() < given.fail_rate

    door = type("Door", (SmsDoor,), {"messages": messages, "fails": staticmethod(fails)})
    gateway = http.server.ThreadingHTTPServer(given.http, door)
    gateway.daemon_threads = True
    mail = Controller(MailDoor(messages, fails), hostname=given.smtp[0], port=given.smtp[1],
                      ident="Turunc sink")
    mail.start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=gateway.shutdown).start())
    host, port = mail.server.sockets[0].getsockname()[:2]
    print(f"ready smtp={host}:{port} http={gateway.server_address[0]}:{gateway.server_address[1]}",
          file=sys.stderr, flush=True)
    gateway.serve_forever()
    mail.stop()


if __name__ == "__main__":
    main()
