"""What can go wrong, one class per thing a caller may want to do about it."""

from __future__ import annotations

from typing import Optional

from turunc.v1 import bus_pb2, ticket_pb2


class TuruncError(Exception):
    """The root of every error of this package."""


class KeyFolderError(TuruncError):
    """A key folder is incomplete, malformed, or its secret is open to everybody."""


class Invalid(TuruncError):
    """A field is missing or malformed; nothing was sent."""


class TooLarge(TuruncError):
    """Larger than an event or a frame may be; nothing was sent."""


class Full(TuruncError):
    """A bound is reached; try again when answers have come."""


class StoreError(TuruncError):
    """The store on disk is in use, damaged, or the disk refused; the event is not taken."""


class Closed(TuruncError):
    """The client or the subscription was closed, or its background thread ended."""


class Timeout(TuruncError):
    """No answer in time.

    What was asked is not undone: a stored event is still sent, and the outcome of a command is
    unknown until the same id is sent again.
    """

    def __init__(self, text: str, id: str = "") -> None:
        super().__init__(text)
        self.id = id


class Rejected(TuruncError):
    """An event was refused for good; result.error says why."""

    def __init__(self, result: object, error: str) -> None:
        super().__init__(error)
        self.result = result


class Refused(TuruncError):
    """A command was refused; code is a RefusalCode, version and status are the ticket's now."""

    def __init__(self, id: str, code: int, text: str, version: int = 0, status: int = 0) -> None:
        super().__init__(f"{bus_pb2.RefusalCode.Name(code)}: {text}")
        self.id = id
        self.code = code
        self.text = text
        self.version = version
        self.status = status

    @property
    def stale(self) -> bool:
        """Somebody changed the ticket first: look at it again, then decide again."""
        return self.code == bus_pb2.REFUSAL_STALE_VERSION

    @property
    def status_name(self) -> str:
        return ticket_pb2.Status.Name(self.status)


class DoorError(TuruncError):
    """The door answered with an Error; code is an ErrorCode."""

    def __init__(self, code: int, text: str, last_common_seq: int = 0) -> None:
        super().__init__(f"{bus_pb2.ErrorCode.Name(code)}: {text}")
        self.code = code
        self.text = text
        self.last_common_seq = last_common_seq


class Forbidden(DoorError):
    """The key's rights do not cover it."""


class Superseded(DoorError):
    """Another session took the subscription over; this one does not come back by itself."""


class FilterDiffers(DoorError):
    """The name exists with another filter: subscribe with replace=True and an explicit start."""


class LogChanged(DoorError):
    """The log has another history behind last_common_seq; what came after must be forgotten."""


class Gap(TuruncError):
    """The stream resumed behind what was acknowledged: somebody moved the cursor."""


_FINAL = {
    bus_pb2.ERROR_FORBIDDEN: Forbidden,
    bus_pb2.ERROR_SUPERSEDED: Superseded,
    bus_pb2.ERROR_FILTER_DIFFERS: FilterDiffers,
    bus_pb2.ERROR_LOG_CHANGED: LogChanged,
}


def door_error(error: Optional[bus_pb2.Error] = None, code: int = 0, text: str = "") -> DoorError:
    """The exception for an Error frame, or for one this package found itself."""
    if error is not None:
        code, text = error.code, error.text
    kind = _FINAL.get(code, DoorError)
    return kind(code, text, error.last_common_seq if error is not None else 0)
