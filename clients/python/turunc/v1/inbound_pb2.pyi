from turunc.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Call(_message.Message):
    __slots__ = ["agent", "call_id", "caller", "disposition", "queue", "ticket"]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    agent: str
    call_id: str
    caller: str
    disposition: str
    queue: str
    ticket: str
    def __init__(self, call_id: _Optional[str] = ..., queue: _Optional[str] = ..., agent: _Optional[str] = ..., caller: _Optional[str] = ..., disposition: _Optional[str] = ..., ticket: _Optional[str] = ...) -> None: ...

class ForeignBody(_message.Message):
    __slots__ = ["content_type", "data"]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    data: bytes
    def __init__(self, content_type: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class InboundEvent(_message.Message):
    __slots__ = ["call", "foreign", "id", "sms", "source", "ticket_request", "time_us", "traceparent", "type"]
    CALL_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SMS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TICKET_REQUEST_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    call: Call
    foreign: ForeignBody
    id: str
    sms: SmsReceived
    source: str
    ticket_request: TicketRequest
    time_us: int
    traceparent: str
    type: str
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., type: _Optional[str] = ..., time_us: _Optional[int] = ..., traceparent: _Optional[str] = ..., call: _Optional[_Union[Call, _Mapping]] = ..., ticket_request: _Optional[_Union[TicketRequest, _Mapping]] = ..., sms: _Optional[_Union[SmsReceived, _Mapping]] = ..., foreign: _Optional[_Union[ForeignBody, _Mapping]] = ...) -> None: ...

class SmsReceived(_message.Message):
    __slots__ = ["gateway", "sender", "text", "ticket"]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    sender: str
    text: str
    ticket: str
    def __init__(self, sender: _Optional[str] = ..., text: _Optional[str] = ..., gateway: _Optional[str] = ..., ticket: _Optional[str] = ...) -> None: ...

class TicketRequest(_message.Message):
    __slots__ = ["address", "answers", "arrived_us", "call_id", "channel", "description", "email", "language", "legal_basis", "media_url", "name", "neighbourhood", "phone", "position", "subject_code"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_US_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_URL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURHOOD_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    address: str
    answers: _containers.RepeatedCompositeFieldContainer[_ticket_pb2.Answer]
    arrived_us: int
    call_id: str
    channel: _ticket_pb2.Channel
    description: str
    email: str
    language: str
    legal_basis: _ticket_pb2.LegalBasis
    media_url: str
    name: str
    neighbourhood: str
    phone: str
    position: _ticket_pb2.Position
    subject_code: str
    def __init__(self, subject_code: _Optional[str] = ..., description: _Optional[str] = ..., address: _Optional[str] = ..., neighbourhood: _Optional[str] = ..., position: _Optional[_Union[_ticket_pb2.Position, _Mapping]] = ..., name: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., language: _Optional[str] = ..., channel: _Optional[_Union[_ticket_pb2.Channel, str]] = ..., call_id: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[_ticket_pb2.Answer, _Mapping]]] = ..., legal_basis: _Optional[_Union[_ticket_pb2.LegalBasis, str]] = ..., arrived_us: _Optional[int] = ..., media_url: _Optional[str] = ...) -> None: ...
