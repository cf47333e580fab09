"""Speak with a Turunç system over its bus: publish events, follow the log, act on tickets.

    import turunc
    with turunc.Client("keys/parks", store="parks.db") as client:
        print(client.publish(turunc.ticket_request("parks", "Ağaç devrildi")).ticket)

See docs/bus.md.
"""

from turunc.client import Client
from turunc.errors import (
    Closed,
    DoorError,
    FilterDiffers,
    Forbidden,
    Full,
    Gap,
    Invalid,
    KeyFolderError,
    LogChanged,
    Refused,
    Rejected,
    StoreError,
    Superseded,
    Timeout,
    TooLarge,
    TuruncError,
)
from turunc.events import call, foreign, sms_received, ticket_request
from turunc.folder import Keys
from turunc.publishing import Result
from turunc.requests import Done, Snapshot
from turunc.session import Timing
from turunc.store import SqliteStore
from turunc.subscription import Subscription

__version__ = "1.0.0"
__all__ = [
    "Client", "Closed", "DoorError", "Done", "FilterDiffers", "Forbidden", "Full", "Gap",
    "Invalid", "KeyFolderError", "Keys", "LogChanged", "Refused", "Rejected", "Result",
    "Snapshot", "SqliteStore", "StoreError", "Subscription", "Superseded", "Timeout", "Timing",
    "TooLarge", "TuruncError", "call", "foreign", "sms_received", "ticket_request",
]
