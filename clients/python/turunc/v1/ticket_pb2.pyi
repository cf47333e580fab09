from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

CHANNEL_BUS: Channel
CHANNEL_CALL: Channel
CHANNEL_CIMER: Channel
CHANNEL_DESK: Channel
CHANNEL_EMAIL: Channel
CHANNEL_OPEN311: Channel
CHANNEL_SMS: Channel
CHANNEL_UNSPECIFIED: Channel
CHANNEL_WEB: Channel
CLOCK_LEGAL: Clock
CLOCK_SERVICE: Clock
CLOCK_UNSPECIFIED: Clock
DESCRIPTOR: _descriptor.FileDescriptor
LEGAL_BASIS_INFORMATION_4982: LegalBasis
LEGAL_BASIS_KVKK_13: LegalBasis
LEGAL_BASIS_NONE: LegalBasis
LEGAL_BASIS_PETITION_3071: LegalBasis
STATUS_ACCEPTED: Status
STATUS_CLOSED: Status
STATUS_DUPLICATE: Status
STATUS_FORWARDED: Status
STATUS_IN_PROGRESS: Status
STATUS_OPENED: Status
STATUS_REJECTED: Status
STATUS_RESOLVED: Status
STATUS_ROUTED: Status
STATUS_TRIAGE: Status
STATUS_UNSPECIFIED: Status
STATUS_WAITING: Status
STATUS_WITHDRAWN: Status

class Answer(_message.Message):
    __slots__ = ["code", "values"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    code: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ["link", "media_type", "size_bytes"]
    LINK_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    link: str
    media_type: str
    size_bytes: int
    def __init__(self, link: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class Citizen(_message.Message):
    __slots__ = ["email", "masked", "name", "phone"]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    email: str
    masked: bool
    name: str
    phone: str
    def __init__(self, name: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., masked: bool = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ["latitude", "longitude"]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    latitude: float
    longitude: float
    def __init__(self, latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class TicketView(_message.Message):
    __slots__ = ["address", "answers", "arrived_us", "attachments", "channel", "citizen", "department", "description", "legal_due_us", "neighbourhood", "number", "position", "primary", "priority", "recorded_us", "service_due_us", "status", "subject_code", "version"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_US_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CITIZEN_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LEGAL_DUE_US_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURHOOD_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RECORDED_US_FIELD_NUMBER: _ClassVar[int]
    SERVICE_DUE_US_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    address: str
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    arrived_us: int
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    channel: Channel
    citizen: Citizen
    department: str
    description: str
    legal_due_us: int
    neighbourhood: str
    number: str
    position: Position
    primary: str
    priority: int
    recorded_us: int
    service_due_us: int
    status: Status
    subject_code: str
    version: int
    def __init__(self, number: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., department: _Optional[str] = ..., version: _Optional[int] = ..., channel: _Optional[_Union[Channel, str]] = ..., subject_code: _Optional[str] = ..., priority: _Optional[int] = ..., description: _Optional[str] = ..., address: _Optional[str] = ..., neighbourhood: _Optional[str] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., arrived_us: _Optional[int] = ..., recorded_us: _Optional[int] = ..., legal_due_us: _Optional[int] = ..., service_due_us: _Optional[int] = ..., attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ..., citizen: _Optional[_Union[Citizen, _Mapping]] = ..., primary: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ...) -> None: ...

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class LegalBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Clock(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
