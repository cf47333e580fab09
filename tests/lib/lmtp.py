"""Mails as citizens and machines send them, and a mail server's side of LMTP."""
import email.message
import email.policy
import hashlib
import itertools
import socket

_COUNT = itertools.count(1)


def letter(sender=None, subject="Çöp alınmadı", text="Üç gündür alınmıyor.\n", to="masa@example",
           message_id=None, attachments=(), headers=(), name="Ayşe İnan"):
    """A whole mail as bytes with CRLF; attachments: (type, subtype, name, bytes).  Without a
    sender it is somebody who has never written before."""
    count = next(_COUNT)
    sender = f"kisi{count}@example.org" if sender is None else sender
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"] = f"{name} <{sender}>" if sender else ""
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = message_id or f"<{count}.{id(mail)}@example.org>"
    for name, value in headers:
        mail[name] = value
    mail.set_content(text)
    for kind, subtype, name, data in attachments:
        mail.add_attachment(data, maintype=kind, subtype=subtype, filename=name)
    return mail.as_bytes()


def report(action="failed", status="5.1.1", text="olmadi", message_id=None):
    """What a mail server sends when a mail did not arrive (RFC 3464)."""
    ident = message_id or f"<report.{next(_COUNT)}@mx.example>"
    return (f"From: MAILER-DAEMON@mx.example\r\nMessage-ID: {ident}\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
            f"--x\r\n\r\n{text}\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
            f"Reporting-MTA: dns; mx\r\n\r\nAction: {action}\r\nStatus: {status}\r\n--x--\r\n").encode()


class Lmtp:
    """One connection; every answer is a list of lines."""

    def __init__(self, port, timeout=90, host="127.0.0.1"):
        self.link = socket.create_connection((host, port), timeout)
        self.file = self.link.makefile("rb")
        self.greeting = self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def close(self):
        self.file.close()
        self.link.close()

    def answer(self):
        """Of one command, or [] when the door has closed."""
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return lines
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                return lines

    def raw(self, data):
        self.link.sendall(data)

    def say(self, line):
        self.raw(line.encode() + b"\r\n")
        return self.answer()[-1]

    def hello(self):
        self.raw(b"LHLO mx.test\r\n")
        return self.answer()

    def send(self, sender, recipients, mail):
        """The answers for each recipient, or the first refusal in a list."""
        answers = [self.say(f"MAIL FROM:<{sender}>")]
        if answers[-1][0] == "2":
            answers = [self.say(f"RCPT TO:<{to}>") for to in recipients]
        refused = [answer for answer in answers if answer[0] != "2"]
        if refused:
            self.say("RSET")
            return refused
        said = self.say("DATA")
        if said[0] != "3":
            return [said]
        body = mail.replace(b"\r\n.", b"\r\n..")
        body = b"." + body if body.startswith(b".") else body
        self.raw(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return [self.answer()[-1] for _ in recipients]


def send(port, mail, recipients, sender="ayse@example.org"):
    """By a connection of its own."""
    with Lmtp(port) as link:
        link.hello()
        return link.send(sender, recipients, mail)


def identity(secret, mail):
    """By which the record knows a mail again, reckoned without the product's code (mail_identity.h); secret: what
    intake keeps in identity.secret."""
    head, _, body = mail.partition(b"\r\n\r\n")
    state = hashlib.sha256()
    counts = False
    for line in (head + b"\r\n").splitlines(keepends=True):
        if line[:1] in b" \t":
            value = line
        else:
            name, _, value = line.partition(b":")
            counts = name.lower() in (b"message-id", b"from", b"date", b"subject")
            if counts:
                state.update(len(name).to_bytes(8, "big") + name.lower())
        if counts:
            state.update(value)
    state.update(body)
    content = state.digest()
    return hashlib.blake2b(len(content).to_bytes(8, "big") + content, key=secret, digest_size=32).hexdigest()
