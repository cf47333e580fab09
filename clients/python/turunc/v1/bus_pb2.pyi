from turunc.v1 import ticket_pb2 as _ticket_pb2
from turunc.v1 import event_pb2 as _event_pb2
from turunc.v1 import inbound_pb2 as _inbound_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
ERROR_BAD_ACK: ErrorCode
ERROR_FILTER_DIFFERS: ErrorCode
ERROR_FORBIDDEN: ErrorCode
ERROR_IN_USE: ErrorCode
ERROR_LOG_CHANGED: ErrorCode
ERROR_MALFORMED: ErrorCode
ERROR_NO_SESSION: ErrorCode
ERROR_NO_SUBSCRIPTION: ErrorCode
ERROR_PROTOCOL: ErrorCode
ERROR_REVOKED: ErrorCode
ERROR_SHUTTING_DOWN: ErrorCode
ERROR_SUPERSEDED: ErrorCode
ERROR_TOO_MUCH: ErrorCode
ERROR_UNAVAILABLE: ErrorCode
ERROR_UNSPECIFIED: ErrorCode
FROM_EARLIEST: From
FROM_LATEST: From
FROM_RESUME: From
FROM_SEQ: From
FROM_TIME: From
PUBLISH_ACCEPTED: PublishStatus
PUBLISH_DUPLICATE: PublishStatus
PUBLISH_REJECTED: PublishStatus
PUBLISH_SPOOLED: PublishStatus
PUBLISH_UNSPECIFIED: PublishStatus
REFUSAL_BAD_FIELD: RefusalCode
REFUSAL_FORBIDDEN: RefusalCode
REFUSAL_ID_REUSED: RefusalCode
REFUSAL_NOT_ALLOWED_NOW: RefusalCode
REFUSAL_NO_SUCH_TICKET: RefusalCode
REFUSAL_STALE_VERSION: RefusalCode
REFUSAL_UNAVAILABLE: RefusalCode
REFUSAL_UNSPECIFIED: RefusalCode
VIEW_FULL: View
VIEW_NONE: View

class Ack(_message.Message):
    __slots__ = ["epoch", "through_seq"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    through_seq: int
    def __init__(self, epoch: _Optional[int] = ..., through_seq: _Optional[int] = ...) -> None: ...

class Acked(_message.Message):
    __slots__ = ["through_seq"]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    through_seq: int
    def __init__(self, through_seq: _Optional[int] = ...) -> None: ...

class Busy(_message.Message):
    __slots__ = ["retry_ms"]
    RETRY_MS_FIELD_NUMBER: _ClassVar[int]
    retry_ms: int
    def __init__(self, retry_ms: _Optional[int] = ...) -> None: ...

class ClientFrame(_message.Message):
    __slots__ = ["ack", "command", "credit", "hello", "ping", "pong", "publish", "request", "snapshot", "subscribe"]
    ACK_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    ack: Ack
    command: Command
    credit: Credit
    hello: Hello
    ping: Ping
    pong: Pong
    publish: Publish
    request: int
    snapshot: Snapshot
    subscribe: Subscribe
    def __init__(self, request: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., publish: _Optional[_Union[Publish, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., snapshot: _Optional[_Union[Snapshot, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., command: _Optional[_Union[Command, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ["actor", "department", "expected_version", "id", "institution", "primary", "priority", "reason_code", "reference", "subject_code", "text", "ticket", "traceparent", "until_us", "verb"]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    actor: str
    department: str
    expected_version: int
    id: str
    institution: str
    primary: str
    priority: int
    reason_code: str
    reference: str
    subject_code: str
    text: str
    ticket: str
    traceparent: str
    until_us: int
    verb: str
    def __init__(self, id: _Optional[str] = ..., ticket: _Optional[str] = ..., expected_version: _Optional[int] = ..., verb: _Optional[str] = ..., reason_code: _Optional[str] = ..., text: _Optional[str] = ..., department: _Optional[str] = ..., until_us: _Optional[int] = ..., institution: _Optional[str] = ..., reference: _Optional[str] = ..., primary: _Optional[str] = ..., subject_code: _Optional[str] = ..., priority: _Optional[int] = ..., traceparent: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ["epoch", "records"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    records: int
    def __init__(self, epoch: _Optional[int] = ..., records: _Optional[int] = ...) -> None: ...

class Deliver(_message.Message):
    __slots__ = ["after_seq", "epoch", "log_id", "records", "through_seq"]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    after_seq: int
    epoch: int
    log_id: str
    records: _containers.RepeatedCompositeFieldContainer[Record]
    through_seq: int
    def __init__(self, log_id: _Optional[str] = ..., epoch: _Optional[int] = ..., after_seq: _Optional[int] = ..., through_seq: _Optional[int] = ..., records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ["id", "status", "version"]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: _ticket_pb2.Status
    version: int
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., status: _Optional[_Union[_ticket_pb2.Status, str]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ["code", "fatal", "last_common_seq", "retry_ms", "text"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FATAL_FIELD_NUMBER: _ClassVar[int]
    LAST_COMMON_SEQ_FIELD_NUMBER: _ClassVar[int]
    RETRY_MS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: ErrorCode
    fatal: bool
    last_common_seq: int
    retry_ms: int
    text: str
    def __init__(self, code: _Optional[_Union[ErrorCode, str]] = ..., text: _Optional[str] = ..., fatal: bool = ..., last_common_seq: _Optional[int] = ..., retry_ms: _Optional[int] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ["instance", "protocol", "software"]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    protocol: int
    software: str
    def __init__(self, protocol: _Optional[int] = ..., instance: _Optional[str] = ..., software: _Optional[str] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Pong(_message.Message):
    __slots__ = ["head_hash", "head_seq", "log_id"]
    HEAD_HASH_FIELD_NUMBER: _ClassVar[int]
    HEAD_SEQ_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    head_hash: bytes
    head_seq: int
    log_id: str
    def __init__(self, log_id: _Optional[str] = ..., head_seq: _Optional[int] = ..., head_hash: _Optional[bytes] = ...) -> None: ...

class Publish(_message.Message):
    __slots__ = ["events"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_inbound_pb2.InboundEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_inbound_pb2.InboundEvent, _Mapping]]] = ...) -> None: ...

class PublishResult(_message.Message):
    __slots__ = ["error", "id", "status", "ticket"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    error: str
    id: str
    status: PublishStatus
    ticket: str
    def __init__(self, id: _Optional[str] = ..., status: _Optional[_Union[PublishStatus, str]] = ..., ticket: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class Published(_message.Message):
    __slots__ = ["results"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PublishResult]
    def __init__(self, results: _Optional[_Iterable[_Union[PublishResult, _Mapping]]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ["committed_at_us", "event", "seq", "view"]
    COMMITTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    committed_at_us: int
    event: _event_pb2.Event
    seq: int
    view: _ticket_pb2.TicketView
    def __init__(self, seq: _Optional[int] = ..., committed_at_us: _Optional[int] = ..., event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., view: _Optional[_Union[_ticket_pb2.TicketView, _Mapping]] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ["code", "current_status", "current_version", "id", "text"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: RefusalCode
    current_status: _ticket_pb2.Status
    current_version: int
    id: str
    text: str
    def __init__(self, id: _Optional[str] = ..., code: _Optional[_Union[RefusalCode, str]] = ..., text: _Optional[str] = ..., current_version: _Optional[int] = ..., current_status: _Optional[_Union[_ticket_pb2.Status, str]] = ...) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ["acked", "busy", "deliver", "done", "error", "ping", "pong", "published", "refused", "request", "snapshot_page", "subscribed", "welcome"]
    ACKED_FIELD_NUMBER: _ClassVar[int]
    BUSY_FIELD_NUMBER: _ClassVar[int]
    DELIVER_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_PAGE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    acked: Acked
    busy: Busy
    deliver: Deliver
    done: Done
    error: Error
    ping: Ping
    pong: Pong
    published: Published
    refused: Refused
    request: int
    snapshot_page: SnapshotPage
    subscribed: Subscribed
    welcome: Welcome
    def __init__(self, request: _Optional[int] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., published: _Optional[_Union[Published, _Mapping]] = ..., busy: _Optional[_Union[Busy, _Mapping]] = ..., subscribed: _Optional[_Union[Subscribed, _Mapping]] = ..., snapshot_page: _Optional[_Union[SnapshotPage, _Mapping]] = ..., deliver: _Optional[_Union[Deliver, _Mapping]] = ..., acked: _Optional[_Union[Acked, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ["departments"]
    DEPARTMENTS_FIELD_NUMBER: _ClassVar[int]
    departments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, departments: _Optional[_Iterable[str]] = ...) -> None: ...

class SnapshotPage(_message.Message):
    __slots__ = ["as_of_seq", "last", "log_id", "tickets"]
    AS_OF_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    as_of_seq: int
    last: bool
    log_id: str
    tickets: _containers.RepeatedCompositeFieldContainer[_ticket_pb2.TicketView]
    def __init__(self, as_of_seq: _Optional[int] = ..., tickets: _Optional[_Iterable[_Union[_ticket_pb2.TicketView, _Mapping]]] = ..., last: bool = ..., log_id: _Optional[str] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ["departments", "from_seq", "from_time_us", "log_id", "name", "replace", "take_over", "types", "view"]
    DEPARTMENTS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQ_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_US_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    TAKE_OVER_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    departments: _containers.RepeatedScalarFieldContainer[str]
    from_seq: int
    from_time_us: int
    log_id: str
    name: str
    replace: bool
    take_over: bool
    types: _containers.RepeatedScalarFieldContainer[str]
    view: View
    def __init__(self, name: _Optional[str] = ..., types: _Optional[_Iterable[str]] = ..., departments: _Optional[_Iterable[str]] = ..., from_seq: _Optional[int] = ..., from_time_us: _Optional[int] = ..., log_id: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ..., replace: bool = ..., take_over: bool = ..., **kwargs) -> None: ...

class Subscribed(_message.Message):
    __slots__ = ["epoch", "from_seq"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQ_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    from_seq: int
    def __init__(self, epoch: _Optional[int] = ..., from_seq: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ["client", "credit_events", "head_seq", "log_id", "max_event_bytes", "protocol"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEAD_SEQ_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    client: str
    credit_events: int
    head_seq: int
    log_id: str
    max_event_bytes: int
    protocol: int
    def __init__(self, protocol: _Optional[int] = ..., log_id: _Optional[str] = ..., head_seq: _Optional[int] = ..., credit_events: _Optional[int] = ..., max_event_bytes: _Optional[int] = ..., client: _Optional[str] = ...) -> None: ...

class ErrorCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class PublishStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class From(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class View(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class RefusalCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
