"""Every value on the wire as JSON, by msgspec over the plain dataclasses.

Commands and errors carry their class name. What a client sends is checked strictly: an unknown key, a missing one or
a wrong type is a UsageError with a sentence. What an engine sends is read by a client of the same version
(`EngineInfo.version`), so only its types are checked there; a mismatch is an EngineUnavailable.
"""

from __future__ import annotations

import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast

import msgspec

from orchtui.commands import Act, Apply, Command, Down, Rollback, Scale
from orchtui.errors import (
    DockerConflict,
    DockerDenied,
    DockerNotFound,
    DockerRefused,
    DockerUnreachable,
    DockerVersion,
    EngineUnavailable,
    NotFound,
    NotManaged,
    OrchtuiError,
    PlanRefused,
    Refused,
    StackFileError,
    StaleBase,
    UsageError,
)

T = TypeVar("T")

_COMMANDS: Mapping[str, type[Command]] = {kind.__name__: kind for kind in (Apply, Scale, Rollback, Down, Act)}

# HTTP statuses by class, most special first.
_STATUS: tuple[tuple[type[OrchtuiError], int], ...] = (
    (UsageError, 400),
    (StackFileError, 422),
    (PlanRefused, 422),
    (StaleBase, 412),
    (NotManaged, 409),
    (Refused, 409),
    (NotFound, 404),
    (DockerNotFound, 404),
    (DockerConflict, 409),
    (DockerRefused, 502),
    (DockerUnreachable, 503),
    (DockerDenied, 503),
    (DockerVersion, 503),
    (EngineUnavailable, 503),
)


class EngineStopped(EngineUnavailable):
    """The last words of an engine that somebody stopped, so that its clients do not take it for a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What a running engine says of itself. `since` is when it started; `stacks` are the ones it keeps running.

    `clients` counts the processes that hold a request open, without the one that asks.
    """

    version: str
    pid: int
    socket: str
    state_dir: str
    engine_id: str
    endpoint: str
    context: str
    since: float
    capabilities: tuple[str, ...] = ()
    clients: int = 0
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    command: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteRequest:
    """`via` is the client's claim (`console`, `command line`, `api`); the user comes from the socket's peer."""

    command: Mapping[str, Any]
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRequest:
    containers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest:
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    stack: str
    old: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecRequest:
    container: str
    argv: tuple[str, ...]
    tty: bool = True
    columns: int = 80
    rows: int = 24


def encode(value: object) -> bytes:
    """`value` as JSON on one line. Raises UsageError for text that is no Unicode and numbers that JSON cannot carry."""
    try:
        return _encoder().encode(value)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{error.object[max(0, error.start - 20) : error.end + 20]!r} is not valid UTF-8.",
            hint="Rename it, or write it in UTF-8.",
        ) from error
    except (OverflowError, TypeError) as error:
        raise UsageError(f"This cannot be sent to the engine: {error}.") from error


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(enc_hook=_plain)


def _plain(value: object) -> object:
    """Read-only views of mappings, which msgspec does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place on the wire")


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(kind: type[T], data: bytes | bytearray | memoryview) -> T:
    """A value that an engine sent. Raises EngineUnavailable: the other side is not the orchtui we think it is."""
    try:
        return cast(T, _decoder(cast(Hashable, kind)).decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EngineUnavailable(
            f"The orchtui engine sent something unexpected ({error}).",
            hint="It may be of another version: restart it with 'orchtui engine stop' and 'orchtui engine start'.",
        ) from error


def decode_request(kind: type[T], data: bytes) -> T:
    """A value that a client sent, checked strictly. Raises UsageError."""
    return _strict(kind, _json(data), "")


def encode_command(command: Command) -> dict[str, Any]:
    """The command as a plain mapping with its class name under `type`."""
    return {"type": type(command).__name__, **cast(dict[str, Any], msgspec.to_builtins(command, enc_hook=_plain))}


def decode_command(value: object) -> Command:
    """The reverse of `encode_command`. Raises UsageError for anything that is not exactly one command."""
    if not isinstance(value, dict):
        raise UsageError("A command must be an object with a 'type'.")
    name = value.get("type")
    kind = _COMMANDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UsageError(f"Unknown command {name!r}.", hint=f"Commands are: {', '.join(_COMMANDS)}.")
    return _strict(kind, {key: item for key, item in value.items() if key != "type"}, kind.__name__)


def _json(data: bytes) -> object:
    try:
        return _decoder(Any).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The request is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise UsageError("The request is nested too deeply.") from error


def _strict(kind: type[T], value: object, where: str) -> T:
    _refuse_unknown(kind, value, where)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where or kind.__name__}: {error}.") from error


def _refuse_unknown(kind: object, value: object, where: str) -> None:
    """msgspec passes over unknown keys of a dataclass; a misspelt one must not be silently without effect."""
    if isinstance(kind, UnionType) or typing.get_origin(kind) is typing.Union:
        for member in typing.get_args(kind):
            _refuse_unknown(member, value, where)
    if not isinstance(kind, type) or not is_dataclass(kind) or not isinstance(value, dict):
        return
    known = _field_types(kind)
    for key, item in value.items():
        if key not in known:
            raise UsageError(
                f"{where or kind.__name__}: unknown key {key!r}.", hint=f"Known keys are: {', '.join(known)}."
            )
        _refuse_unknown(known[key], item, f"{where}.{key}" if where else key)


@cache
def _field_types(kind: type) -> Mapping[str, object]:
    hints = typing.get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProblemDocument:
    """RFC 9457, with the class name as `code` so that the client raises the same class."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    details: tuple[str, ...] = ()
    docker_status: int | None = None


def http_status(error: OrchtuiError) -> int:
    """The status that a refused request is answered with."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def encode_error(error: OrchtuiError) -> bytes:
    """`application/problem+json` of an error."""
    kind = type(error)
    return encode(
        _ProblemDocument(
            type=f"urn:orchtui:error:{kind.__name__}",
            title=_title(kind.__name__),
            status=http_status(error),
            detail=error.message,
            code=kind.__name__,
            hint=error.hint,
            details=error.details if isinstance(error, StackFileError | PlanRefused) else (),
            docker_status=error.status if isinstance(error, DockerRefused) else None,
        )
    )


def decode_error(data: bytes) -> OrchtuiError:
    """The error of a problem document, as the class it had; OrchtuiError itself for a class that we do not know."""
    document: _ProblemDocument = decode(_ProblemDocument, data)
    kind = _error_classes().get(document.code, OrchtuiError)
    if issubclass(kind, StackFileError | PlanRefused):
        return kind(document.detail, details=document.details, hint=document.hint)
    if issubclass(kind, DockerRefused):
        return kind(document.detail, hint=document.hint, status=document.docker_status or 500)
    return kind(document.detail, hint=document.hint)


@cache
def _error_classes() -> Mapping[str, type[OrchtuiError]]:
    found: dict[str, type[OrchtuiError]] = {}
    todo: list[type[OrchtuiError]] = [OrchtuiError]
    while todo:
        kind = todo.pop()
        found[kind.__name__] = kind
        todo += kind.__subclasses__()
    return found


def _title(name: str) -> str:
    """`DockerNotFound` as `Docker not found`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()
