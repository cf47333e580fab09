from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConfigFile(_message.Message):
    __slots__ = ["content", "name"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    name: str
    def __init__(self, name: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class Grant(_message.Message):
    __slots__ = ["api_key_digest", "departments", "expires_us", "max_events", "name", "personal", "public_key", "revoked", "sources", "types", "verbs"]
    API_KEY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_US_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    VERBS_FIELD_NUMBER: _ClassVar[int]
    api_key_digest: bytes
    departments: _containers.RepeatedScalarFieldContainer[str]
    expires_us: int
    max_events: int
    name: str
    personal: int
    public_key: str
    revoked: bool
    sources: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[str]
    verbs: int
    def __init__(self, name: _Optional[str] = ..., public_key: _Optional[str] = ..., api_key_digest: _Optional[bytes] = ..., verbs: _Optional[int] = ..., sources: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[str]] = ..., departments: _Optional[_Iterable[str]] = ..., personal: _Optional[int] = ..., max_events: _Optional[int] = ..., expires_us: _Optional[int] = ..., revoked: bool = ...) -> None: ...

class NumberFile(_message.Message):
    __slots__ = ["years"]
    YEARS_FIELD_NUMBER: _ClassVar[int]
    years: _containers.RepeatedCompositeFieldContainer[NumberYear]
    def __init__(self, years: _Optional[_Iterable[_Union[NumberYear, _Mapping]]] = ...) -> None: ...

class NumberYear(_message.Message):
    __slots__ = ["end", "high_water", "next", "year"]
    END_FIELD_NUMBER: _ClassVar[int]
    HIGH_WATER_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    end: int
    high_water: int
    next: int
    year: int
    def __init__(self, year: _Optional[int] = ..., next: _Optional[int] = ..., end: _Optional[int] = ..., high_water: _Optional[int] = ...) -> None: ...

class RegistryCache(_message.Message):
    __slots__ = ["files", "grants", "hash", "log_id", "seq"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[ConfigFile]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    hash: bytes
    log_id: str
    seq: int
    def __init__(self, log_id: _Optional[str] = ..., seq: _Optional[int] = ..., hash: _Optional[bytes] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[ConfigFile, _Mapping]]] = ...) -> None: ...

class SpooledItem(_message.Message):
    __slots__ = ["account_id", "actor", "address", "answers", "arrived_us", "body", "call_agent", "call_caller", "call_client", "call_disposition", "call_id", "call_queue", "channel", "citizen_id", "client", "contact_key", "content_type", "description", "device_id", "earlier_id", "email", "event", "has_body", "has_position", "id", "identity", "information_version", "is_public", "item_id", "kind", "language", "latitude", "legal_basis", "longitude", "media_url", "name", "neighbourhood", "opens", "phone", "photos", "salt", "source", "subject_code", "tells_call", "ticket_id", "time_us", "type"]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_US_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    CALL_AGENT_FIELD_NUMBER: _ClassVar[int]
    CALL_CALLER_FIELD_NUMBER: _ClassVar[int]
    CALL_CLIENT_FIELD_NUMBER: _ClassVar[int]
    CALL_DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_QUEUE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CITIZEN_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_KEY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    EARLIER_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    HAS_BODY_FIELD_NUMBER: _ClassVar[int]
    HAS_POSITION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_PUBLIC_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_URL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURHOOD_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_CODE_FIELD_NUMBER: _ClassVar[int]
    TELLS_CALL_FIELD_NUMBER: _ClassVar[int]
    TICKET_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    actor: str
    address: str
    answers: str
    arrived_us: int
    body: bytes
    call_agent: str
    call_caller: str
    call_client: str
    call_disposition: str
    call_id: str
    call_queue: str
    channel: int
    citizen_id: bytes
    client: str
    contact_key: str
    content_type: str
    description: str
    device_id: str
    earlier_id: int
    email: str
    event: bytes
    has_body: bool
    has_position: bool
    id: str
    identity: bytes
    information_version: str
    is_public: bool
    item_id: bytes
    kind: str
    language: str
    latitude: float
    legal_basis: int
    longitude: float
    media_url: str
    name: str
    neighbourhood: str
    opens: bool
    phone: str
    photos: str
    salt: bytes
    source: str
    subject_code: str
    tells_call: bool
    ticket_id: int
    time_us: int
    type: str
    def __init__(self, client: _Optional[str] = ..., source: _Optional[str] = ..., id: _Optional[str] = ..., identity: _Optional[bytes] = ..., kind: _Optional[str] = ..., channel: _Optional[int] = ..., arrived_us: _Optional[int] = ..., language: _Optional[str] = ..., information_version: _Optional[str] = ..., name: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., description: _Optional[str] = ..., address: _Optional[str] = ..., has_position: bool = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ..., media_url: _Optional[str] = ..., answers: _Optional[str] = ..., account_id: _Optional[str] = ..., device_id: _Optional[str] = ..., ticket_id: _Optional[int] = ..., opens: bool = ..., subject_code: _Optional[str] = ..., neighbourhood: _Optional[str] = ..., legal_basis: _Optional[int] = ..., is_public: bool = ..., call_id: _Optional[str] = ..., photos: _Optional[str] = ..., earlier_id: _Optional[int] = ..., has_body: bool = ..., content_type: _Optional[str] = ..., body: _Optional[bytes] = ..., type: _Optional[str] = ..., time_us: _Optional[int] = ..., item_id: _Optional[bytes] = ..., citizen_id: _Optional[bytes] = ..., contact_key: _Optional[str] = ..., actor: _Optional[str] = ..., salt: _Optional[bytes] = ..., event: _Optional[bytes] = ..., tells_call: bool = ..., call_client: _Optional[str] = ..., call_queue: _Optional[str] = ..., call_agent: _Optional[str] = ..., call_caller: _Optional[str] = ..., call_disposition: _Optional[str] = ...) -> None: ...
