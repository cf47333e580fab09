"""Checks on messages before they are sent: what a door would refuse never leaves."""

from __future__ import annotations

from google.protobuf.message import Message

from turunc.errors import Invalid


def check_text(message: Message, where: str = "") -> None:
    """No string at any depth holds a NUL (protobuf itself sees to UTF-8)."""
    for field, value in message.ListFields():
        name = f"{where}{field.name}"
        values = value if field.label == field.LABEL_REPEATED else [value]
        if field.type == field.TYPE_MESSAGE:
            for item in values:
                check_text(item, name + ".")
        elif field.type == field.TYPE_STRING and any("\0" in item for item in values):
            raise Invalid(f"{name} holds a NUL")
