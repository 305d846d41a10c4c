"""An exec session on the wire: frames in both directions, each one byte of kind, four of length, then the payload.

Client to server: OPEN (ExecRequest as JSON, first), INPUT, RESIZE. Server to client: OPEN (empty: it runs), OUTPUT,
then EXIT or PROBLEM as the last one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from orchtui.errors import UsageError

HEADER = struct.Struct(">BI")
SIZE = struct.Struct(">HH")  # columns, rows
CODE = struct.Struct(">i")  # exit code
PAYLOAD_LIMIT = 1 << 20


class Kind(IntEnum):
    OPEN = 0
    INPUT = 1
    RESIZE = 2
    OUTPUT = 3
    EXIT = 4
    PROBLEM = 5


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


class Frames:
    """Frames out of a byte stream that arrives in arbitrary pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """The frames that `data` completes. Raises UsageError for what is no frame."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            number, length = HEADER.unpack_from(self._buffer)
            if number > Kind.PROBLEM or length > PAYLOAD_LIMIT:
                raise UsageError("The exec stream is malformed.")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield Kind(number), payload


def pieces(data: bytes) -> Iterator[bytes]:
    """`data` in parts that fit a frame."""
    for start in range(0, len(data), PAYLOAD_LIMIT):
        yield data[start : start + PAYLOAD_LIMIT]
