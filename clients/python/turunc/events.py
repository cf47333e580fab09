"""Short ways to make the events that other systems publish."""

from __future__ import annotations

import time
import uuid
from typing import Any, Optional

from turunc.v1 import inbound_pb2


def _event(
    type: str, source: str, id: Optional[str], time_us: Optional[int], **body: Any
) -> inbound_pb2.InboundEvent:
    return inbound_pb2.InboundEvent(
        id=id or str(uuid.uuid4()),
        source=source,
        type=type,
        time_us=time.time_ns() // 1000 if time_us is None else time_us,
        **body,
    )


def ticket_request(
    source: str, description: str, *, id: Optional[str] = None, time_us: Optional[int] = None,
    **fields: Any,
) -> inbound_pb2.InboundEvent:
    """A request for a ticket; fields are those of turunc.v1.TicketRequest."""
    body = inbound_pb2.TicketRequest(description=description, **fields)
    return _event("ticket.request", source, id, time_us, ticket_request=body)


def call(
    source: str, step: str, call_id: str, *, id: Optional[str] = None,
    time_us: Optional[int] = None, **fields: Any,
) -> inbound_pb2.InboundEvent:
    """A step of a phone call: offered, answered, abandoned or ended.

    Without an id the event is named by call and step, so that saying it twice is saying it once.
    """
    body = inbound_pb2.Call(call_id=call_id, **fields)
    return _event(f"call.{step}", source, id or f"{call_id}/{step}", time_us, call=body)


def sms_received(
    source: str, sender: str, text: str, *, id: Optional[str] = None,
    time_us: Optional[int] = None, gateway: str = "",
) -> inbound_pb2.InboundEvent:
    """A text message that a citizen sent."""
    body = inbound_pb2.SmsReceived(sender=sender, text=text, gateway=gateway)
    return _event("sms.received", source, id, time_us, sms=body)


def foreign(
    source: str, type: str, data: bytes, *, id: Optional[str] = None,
    time_us: Optional[int] = None, content_type: str = "application/json",
) -> inbound_pb2.InboundEvent:
    """An event of another system, passed on as it is."""
    body = inbound_pb2.ForeignBody(content_type=content_type, data=data)
    return _event(type, source, id, time_us, foreign=body)
