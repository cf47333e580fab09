#!/usr/bin/python3
"""Where a demonstration's messages go instead of to people: a mail server and an SMS gateway that
only write down what they are given.

    sink.py --smtp HOST:PORT --http HOST:PORT --file FILE [--fail-rate 0.0]

SMTP takes every mail.  HTTP: POST to any path is an SMS handed to the gateway (a JSON object or a
form); GET / shows the latest messages, GET /messages?after=N gives those after number N as JSON.
Every message is a line of JSON in FILE before it is answered for; the last 2,000 are kept in memory.
"""
import argparse
import asyncio
import collections
import datetime
import email
import email.header
import html
import http
import json
import os
import random
import signal
import sys
import urllib.parse
import uuid

from aiosmtpd.smtp import SMTP

KEPT = 2000
PATIENCE_S = 30
HEAD_LIMIT_BYTES = 16 << 10
BODY_LIMIT_BYTES = 1 << 20
FILE_LIMIT_BYTES = 64 << 20


class Messages:
    """All that arrived, numbered from 1 without gaps."""

    def __init__(self, path):
        self._path = path
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
        """Those that are kept, of the latest."""
        found = []
        for message in reversed(self._latest):
            if message["number"] <= number:
                break
            found.append(message)
        return found[::-1]


def header_text(value):
    """As a reader sees it: unfolded and decoded.  The email package's own reading of a header takes ten times
    as long."""
    text = "".join(str(value).splitlines()).strip()
    return str(email.header.make_header(email.header.decode_header(text))) if "=?" in text else text


def text_of(mail):
    """Of the plain part, or else of the HTML."""
    parts = {part.get_content_type(): part for part in reversed(list(mail.walk()))}
    part = parts.get("text/plain") or parts.get("text/html")
    if part is None:
        return ""
    return part.get_payload(decode=True).decode(part.get_content_charset("utf-8"), "replace")


class MailDoor:
    """What the SMTP server asks for each mail."""

    def __init__(self, messages, fails):
        self._messages = messages
        self._fails = fails

    async def handle_DATA(self, server, session, envelope):
        if self._fails():
            return "451 4.3.0 the sink was told to fail now and then"
        mail = email.message_from_bytes(envelope.content)
        headers = {name: header_text(value) for name, value in mail.items()}
        self._messages.add(
            kind="mail", sender=envelope.mail_from, to=list(envelope.rcpt_tos),
            subject=header_text(mail["subject"] or ""), message_id=header_text(mail["message-id"] or ""),
            text=text_of(mail), headers=headers)
        return "250 2.0.0 written down"


def sms_fields(body, content_type):
    """The gateway takes what real ones take: a JSON object or a form."""
    if content_type.startswith("application/json"):
        fields = json.loads(body)
        if not isinstance(fields, dict):
            raise ValueError("not an object")
        return fields
    return dict(urllib.parse.parse_qsl(body.decode("utf-8"), strict_parsing=True))


class SmsDoor(asyncio.Protocol):
    """The gateway, and the page that shows what was taken: one connection, request by request.  A month's
    messages go through here in minutes, so it is no server for the world: it knows what its clients say."""

    def __init__(self, messages, fails):
        self._messages = messages
        self._fails = fails
        self._came = bytearray()
        self._close = False
        self._transport = None
        self._patience = None

    def connection_made(self, transport):
        self._transport = transport
        self._wait()

    def connection_lost(self, why):
        self._patience.cancel()

    def _wait(self):
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._transport.close)

    def data_received(self, data):
        self._came += data
        self._wait()
        while not self._transport.is_closing() and self._take():
            pass

    def _take(self):
        """One request; False when it is not whole."""
        end = self._came.find(b"\r\n\r\n")
        if end < 0:
            if len(self._came) > HEAD_LIMIT_BYTES:
                self._answer(431, {"error": "too long"}, True)
            return False
        first, *lines = self._came[:end].decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = fields.get("content-length", "0")
        words = first.split(" ")
        if len(words) != 3 or not length.isdecimal() or "transfer-encoding" in fields:
            self._answer(400, {"error": "not understood"}, True)
            return False
        if int(length) > BODY_LIMIT_BYTES:
            self._answer(413, {"error": "too long"}, True)
            return False
        whole = end + 4 + int(length)
        if len(self._came) < whole:
            if fields.get("expect", "").lower() == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return False
        body = bytes(self._came[end + 4:whole])
        del self._came[:whole]
        self._close = words[2] == "HTTP/1.0" or fields.get("connection", "").lower() == "close"
        if words[0] == "POST":
            self._post(words[1], fields, body)
        elif words[0] == "GET":
            self._get(words[1])
        else:
            self._answer(501, {"error": "GET or POST"}, True)
        return True

    def _post(self, path, head, body):
        if self._fails():
            return self._answer(503, {"error": "the sink was told to fail now and then"})
        try:
            fields = sms_fields(body, head.get("content-type", ""))
        except ValueError as wrong:
            return self._answer(400, {"error": str(wrong)})
        message = self._messages.add(kind="sms", id=str(uuid.uuid4()), path=path, fields=fields,
                                     traceparent=head.get("traceparent", ""))
        return self._answer(200, {"id": message["id"]})

    def _get(self, target):
        url = urllib.parse.urlsplit(target)
        if url.path == "/messages":
            after = urllib.parse.parse_qs(url.query).get("after", ["0"])[0]
            if not after.isdecimal():
                return self._answer(400, {"error": "after is a number"})
            return self._answer(200, self._messages.after(int(after)))
        if url.path == "/":
            return self._send(200, "text/html; charset=utf-8", page(self._messages.after(0)))
        return self._answer(404, {"error": "nothing here"})

    def _answer(self, status, value, close=None):
        self._send(status, "application/json", json.dumps(value, ensure_ascii=False), close)

    def _send(self, status, content_type, text, close=None):
        """Head and body as one: apart, the second would wait 40 ms for the other side's kernel to acknowledge
        the first, and four connections would take but 100 SMS a second."""
        close = self._close if close is None else close
        data = text.encode()
        self._transport.write(
            (f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n"
             f"Content-Length: {len(data)}\r\n{'Connection: close' + chr(13) + chr(10) if close else ''}"
             "\r\n").encode() + data)
        if close:
            self._transport.close()


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


async def serve(given, messages, fails):
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    mail = await loop.create_server(
        lambda: SMTP(MailDoor(messages, fails), ident="Turunc sink", loop=loop), *given.smtp)
    gateway = await loop.create_server(lambda: SmsDoor(messages, fails), *given.http)
    (smtp_host, smtp_port), (host, port) = (server.sockets[0].getsockname()[:2] for server in (mail, gateway))
    print(f"ready smtp={smtp_host}:{smtp_port} http={host}:{port}", file=sys.stderr, flush=True)
    await over.wait()
    mail.close()
    gateway.close()


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

    asyncio.run(serve(given, messages, fails))


if __name__ == "__main__":
    main()
