from turunc.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Administration(_message.Message):
    __slots__ = ["config_version", "digest", "name"]
    CONFIG_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    config_version: int
    digest: bytes
    name: str
    def __init__(self, name: _Optional[str] = ..., config_version: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class CallStep(_message.Message):
    __slots__ = ["agent", "at_us", "call_id", "disposition", "queue", "ticket"]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    agent: str
    at_us: int
    call_id: str
    disposition: str
    queue: str
    ticket: str
    def __init__(self, call_id: _Optional[str] = ..., queue: _Optional[str] = ..., agent: _Optional[str] = ..., at_us: _Optional[int] = ..., disposition: _Optional[str] = ..., ticket: _Optional[str] = ...) -> None: ...

class ClockAlarm(_message.Message):
    __slots__ = ["clock", "department", "due_us", "version"]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    DUE_US_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    clock: _ticket_pb2.Clock
    department: str
    due_us: int
    version: int
    def __init__(self, clock: _Optional[_Union[_ticket_pb2.Clock, str]] = ..., due_us: _Optional[int] = ..., version: _Optional[int] = ..., department: _Optional[str] = ...) -> None: ...

class ContactRecorded(_message.Message):
    __slots__ = ["channel", "client", "contact_id", "content_digest", "kind"]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    channel: _ticket_pb2.Channel
    client: str
    contact_id: str
    content_digest: bytes
    kind: str
    def __init__(self, contact_id: _Optional[str] = ..., channel: _Optional[_Union[_ticket_pb2.Channel, str]] = ..., kind: _Optional[str] = ..., content_digest: _Optional[bytes] = ..., client: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ["actor", "administration", "alarm", "call", "contact", "foreign", "id", "notification", "opened", "source", "step", "subject", "survey", "time_us", "traceparent", "type", "viewed"]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATION_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SURVEY_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VIEWED_FIELD_NUMBER: _ClassVar[int]
    actor: str
    administration: Administration
    alarm: ClockAlarm
    call: CallStep
    contact: ContactRecorded
    foreign: Foreign
    id: str
    notification: NotificationStep
    opened: TicketOpened
    source: str
    step: TicketStep
    subject: str
    survey: SurveyStep
    time_us: int
    traceparent: str
    type: str
    viewed: TicketViewed
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., type: _Optional[str] = ..., time_us: _Optional[int] = ..., subject: _Optional[str] = ..., actor: _Optional[str] = ..., traceparent: _Optional[str] = ..., opened: _Optional[_Union[TicketOpened, _Mapping]] = ..., step: _Optional[_Union[TicketStep, _Mapping]] = ..., alarm: _Optional[_Union[ClockAlarm, _Mapping]] = ..., call: _Optional[_Union[CallStep, _Mapping]] = ..., contact: _Optional[_Union[ContactRecorded, _Mapping]] = ..., notification: _Optional[_Union[NotificationStep, _Mapping]] = ..., survey: _Optional[_Union[SurveyStep, _Mapping]] = ..., foreign: _Optional[_Union[Foreign, _Mapping]] = ..., administration: _Optional[_Union[Administration, _Mapping]] = ..., viewed: _Optional[_Union[TicketViewed, _Mapping]] = ...) -> None: ...

class Foreign(_message.Message):
    __slots__ = ["client", "content_digest", "content_type", "event_id", "event_source", "event_type", "size_bytes"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    client: str
    content_digest: bytes
    content_type: str
    event_id: str
    event_source: str
    event_type: str
    size_bytes: int
    def __init__(self, client: _Optional[str] = ..., event_source: _Optional[str] = ..., event_type: _Optional[str] = ..., event_id: _Optional[str] = ..., content_type: _Optional[str] = ..., content_digest: _Optional[bytes] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class NotificationStep(_message.Message):
    __slots__ = ["about", "about_seq", "attempt", "channel", "language", "notification_id", "reason"]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    ABOUT_SEQ_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    about: str
    about_seq: int
    attempt: int
    channel: str
    language: str
    notification_id: str
    reason: str
    def __init__(self, notification_id: _Optional[str] = ..., about: _Optional[str] = ..., about_seq: _Optional[int] = ..., channel: _Optional[str] = ..., language: _Optional[str] = ..., attempt: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SurveyStep(_message.Message):
    __slots__ = ["channel", "ended_seq", "not_solved", "reason", "score", "solved", "survey_id"]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ENDED_SEQ_FIELD_NUMBER: _ClassVar[int]
    NOT_SOLVED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SOLVED_FIELD_NUMBER: _ClassVar[int]
    SURVEY_ID_FIELD_NUMBER: _ClassVar[int]
    channel: _ticket_pb2.Channel
    ended_seq: int
    not_solved: bool
    reason: str
    score: int
    solved: bool
    survey_id: str
    def __init__(self, survey_id: _Optional[str] = ..., score: _Optional[int] = ..., solved: bool = ..., not_solved: bool = ..., channel: _Optional[_Union[_ticket_pb2.Channel, str]] = ..., ended_seq: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class TicketOpened(_message.Message):
    __slots__ = ["arrived_us", "call_id", "channel", "client", "contact_id", "content_digest", "department", "follows", "inbound_id", "language", "legal_basis", "neighbourhood", "subject_code", "told_before", "version"]
    ARRIVED_US_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    INBOUND_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURHOOD_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    TOLD_BEFORE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    arrived_us: int
    call_id: str
    channel: _ticket_pb2.Channel
    client: str
    contact_id: str
    content_digest: bytes
    department: str
    follows: str
    inbound_id: str
    language: str
    legal_basis: _ticket_pb2.LegalBasis
    neighbourhood: str
    subject_code: str
    told_before: bool
    version: int
    def __init__(self, channel: _Optional[_Union[_ticket_pb2.Channel, str]] = ..., subject_code: _Optional[str] = ..., neighbourhood: _Optional[str] = ..., contact_id: _Optional[str] = ..., legal_basis: _Optional[_Union[_ticket_pb2.LegalBasis, str]] = ..., arrived_us: _Optional[int] = ..., language: _Optional[str] = ..., content_digest: _Optional[bytes] = ..., client: _Optional[str] = ..., inbound_id: _Optional[str] = ..., version: _Optional[int] = ..., call_id: _Optional[str] = ..., follows: _Optional[str] = ..., department: _Optional[str] = ..., told_before: bool = ...) -> None: ...

class TicketStep(_message.Message):
    __slots__ = ["calendar_version", "command_id", "department", "institution", "legal_due_us", "previous_department", "priority", "reason_code", "reference", "related", "rule", "service_due_us", "status", "subject_code", "text_digest", "text_id", "until_us", "version"]
    CALENDAR_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    LEGAL_DUE_US_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    RELATED_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_DUE_US_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TEXT_ID_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    calendar_version: str
    command_id: str
    department: str
    institution: str
    legal_due_us: int
    previous_department: str
    priority: int
    reason_code: str
    reference: str
    related: str
    rule: int
    service_due_us: int
    status: _ticket_pb2.Status
    subject_code: str
    text_digest: bytes
    text_id: str
    until_us: int
    version: int
    def __init__(self, status: _Optional[_Union[_ticket_pb2.Status, str]] = ..., version: _Optional[int] = ..., department: _Optional[str] = ..., previous_department: _Optional[str] = ..., subject_code: _Optional[str] = ..., priority: _Optional[int] = ..., reason_code: _Optional[str] = ..., until_us: _Optional[int] = ..., institution: _Optional[str] = ..., reference: _Optional[str] = ..., related: _Optional[str] = ..., text_id: _Optional[str] = ..., text_digest: _Optional[bytes] = ..., legal_due_us: _Optional[int] = ..., service_due_us: _Optional[int] = ..., calendar_version: _Optional[str] = ..., rule: _Optional[int] = ..., command_id: _Optional[str] = ...) -> None: ...

class TicketViewed(_message.Message):
    __slots__ = ["department", "door", "subject_code", "version"]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    DOOR_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    department: str
    door: str
    subject_code: str
    version: int
    def __init__(self, door: _Optional[str] = ..., subject_code: _Optional[str] = ..., version: _Optional[int] = ..., department: _Optional[str] = ...) -> None: ...
