"""Addresses that say what a mail is about, made without the product's code (reply_address.h)."""
import base64
import hashlib


def _mac(secret, kind, ident):
    state = hashlib.blake2b(key=hashlib.sha256(secret.encode()).digest(), digest_size=32)
    for part in (b"turunc reply address 1", kind.encode(), ident.encode()):
        state.update(len(part).to_bytes(8, "big") + part)
    return base64.b32encode(state.digest()).decode().lower()[:13]


def _address(secret, base, kind, ident):
    local, domain = base.split("@")
    return f"{local}+{kind}.{ident}.{_mac(secret, kind, ident)}@{domain}"


def reply(secret, base, number):
    """Where an answer about that ticket (26-0012345-4) goes."""
    return _address(secret, base, "r", number)


def bounce(secret, base, notification_id):
    """Where a report goes that this message (a uuid.UUID) did not arrive."""
    ident = base64.b32encode(notification_id.bytes).decode().lower().rstrip("=")
    return _address(secret, base, "b", ident)
