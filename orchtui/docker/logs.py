"""Container logs: dockerd's stream, in frames or raw, into whole lines with time and origin.

dockerd cuts lines longer than 16 KiB into messages of that size (moby daemon/logger/copier.go); only the last one ends
in a newline, and each one carries a timestamp of its own. Without a TTY each message is a frame (8 bytes: stream,
3 × 0, length); with one they follow each other raw, so that a long line has timestamps inside, 16 KiB apart.
"""

from __future__ import annotations

import re
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

from orchtui.docker import parse
from orchtui.docker.connection import Connection, path

LINE_LIMIT = 1024 * 1024  # bytes of one line that are kept
CUT = " … [cut at 1 MiB]"
CUT_NOTE = "a line longer than 1 MiB was cut"
PIECE = 16 * 1024  # dockerd's copier buffer

_HEADER = struct.Struct(">B3sL")
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")
_STAMP_LIMIT = 40  # bytes within which a timestamp ends
_STDERR = frozenset((2, 3))  # 3 is dockerd's own word about a broken log file


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines in columns, oldest first: `times` in seconds since the epoch (0.0 unknown), text without its newline, bad
    UTF-8 as U+FFFD, otherwise raw. `note` tells of something that is not in the lines.
    """

    times: tuple[float, ...] = ()
    stderr: tuple[bool, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.lines)


async def read(
    client: Connection,
    container: str,
    *,
    tty: bool,
    follow: bool = False,
    since: float | None = None,
    tail: int | None = None,
) -> AsyncIterator[Lines]:
    """The container's log in batches, as they arrive. `tty` is the container's own (`Container.tty`, from inspect).

    `since` is in seconds since the epoch (inclusive), `tail` a number of lines (None: all). With `follow` it ends when
    the container does. Closing the iterator (contextlib.aclosing) closes the connection. Raises DockerNotFound,
    DockerRefused (a log driver that cannot be read), DockerUnreachable.
    """
    params = {
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "follow": str(int(follow)),
        "tail": "all" if tail is None else str(tail),
    }
    if since is not None:
        params["since"] = f"{since:.9f}"
    parser = LogParser(tty=tty)
    doing = f"show the log of container {container}"
    async with client.stream(path("containers", container, "logs"), doing=doing, params=params) as chunks:
        async for chunk in chunks:
            batch = parser.feed(chunk)
            if batch.lines or batch.note:
                yield batch
    rest = parser.finish()
    if rest.lines or rest.note:
        yield rest


class LogParser:
    """Bytes in, whole lines out, however the bytes were cut. Memory is bounded by LINE_LIMIT a stream."""

    def __init__(self, *, tty: bool, line_limit: int = LINE_LIMIT) -> None:
        self._limit = line_limit
        self._buffer = b""  # a frame's header, or timestamp, that has not come whole
        self._remaining = 0  # bytes of the current frame's payload still to come
        self._side: _Side | None = None  # the stream that the current frame belongs to
        self._sides: dict[bool, _Side] = {}
        self._out = _Columns()
        self._clock = _StampClock()
        self._raw = _RawSide(line_limit, self._clock) if tty else None

    def feed(self, data: bytes) -> Lines:
        if self._raw is None:
            data = self._frames(self._buffer + data)
        if self._raw is not None:
            self._raw.feed(data, self._out)
            data = b""
        self._buffer = data
        return self._out.take()

    def finish(self) -> Lines:
        """What is left of lines that never ended."""
        for side in (*self._sides.values(), self._raw):
            if side is not None:
                side.flush(self._out)
        return self._out.take()

    def _frames(self, data: bytes) -> bytes:
        """Take all frames that are there; the bytes to see again with the next ones."""
        position, end = 0, len(data)
        while position < end:
            if not self._remaining:
                if end - position < _HEADER.size:
                    break
                kind, zeros, length = _HEADER.unpack_from(data, position)
                if kind > 3 or zeros != b"\0\0\0":
                    # No frame at all: a raw stream, although the container claims no TTY.
                    self._raw = _RawSide(self._limit, self._clock)
                    break
                start = position + _HEADER.size
                head = data[start : start + min(length, _STAMP_LIMIT)]
                if len(head) < min(length, _STAMP_LIMIT):
                    break
                stamp = self._begin(kind in _STDERR, head)
                position, self._remaining = start + stamp, length - stamp
            piece = data[position : position + self._remaining]
            if self._side is not None:
                self._side.text(piece, self._out)
            position += len(piece)
            self._remaining -= len(piece)
        return data[position:]

    def _begin(self, stderr: bool, head: bytes) -> int:
        """A frame of a stream begins with `head`; the length of its timestamp."""
        if stderr not in self._sides:
            self._sides[stderr] = _Side(stderr, self._limit, self._clock)
        self._side = self._sides[stderr]
        return self._side.begin(head)


class _StampClock:
    """Timestamps to seconds; lines of the same second share the costly part."""

    def __init__(self) -> None:
        self._second = b""
        self._epoch = 0.0

    def __call__(self, stamp: bytes) -> float:
        stamp = stamp.strip()
        if not stamp.endswith(b"Z"):
            return parse.seconds(stamp.decode()) or 0.0
        if stamp[:19] != self._second:
            self._second = stamp[:19]
            self._epoch = parse.seconds(self._second.decode()) or 0.0
        fraction = stamp[20:-1]
        return self._epoch + int(fraction) / 10 ** len(fraction) if fraction else self._epoch


class _Columns:
    """A batch in the making."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.stderr: list[bool] = []
        self.lines: list[str] = []
        self.note = ""

    def add(self, at: float, stderr: bool, line: bytes, cut: bool) -> None:
        self.times.append(at)
        self.stderr.append(stderr)
        self.lines.append(line.decode("utf-8", "replace") + (CUT if cut else ""))

    def take(self) -> Lines:
        batch = Lines(times=tuple(self.times), stderr=tuple(self.stderr), lines=tuple(self.lines), note=self.note)
        self.times, self.stderr, self.lines, self.note = [], [], [], ""
        return batch


class _Pending:
    """A line that is being put together, never longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self.cut = False  # the rest of the line is thrown away

    def __bool__(self) -> bool:
        return bool(self._bytes)

    def append(self, part: bytes, out: _Columns) -> None:
        if self.cut:
            return
        self._bytes += part
        if len(self._bytes) > self._limit:
            del self._bytes[self._limit :]
            self.cut = True
            out.note = CUT_NOTE

    def take(self) -> tuple[bytes, bool]:
        whole, cut = bytes(self._bytes), self.cut
        self._bytes.clear()
        self.cut = False
        return whole, cut


class _Side:
    """Standard output or standard error of a framed log: each frame is one message, or a part of a long one."""

    def __init__(self, stderr: bool, limit: int, clock: _StampClock) -> None:
        self._stderr = stderr
        self._clock = clock
        self._line = _Pending(limit)
        self._at: float | None = None  # when the current line began; None between lines

    def begin(self, head: bytes) -> int:
        match = _STAMP.match(head)
        if match is None:
            return 0
        if self._at is None:
            self._at = self._clock(match.group())
        return match.end()

    def text(self, piece: bytes, out: _Columns) -> None:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._line.append(part, out)
            self._end(out)
        if rest:
            self._line.append(rest, out)

    def flush(self, out: _Columns) -> None:
        if self._line or self._at is not None:
            self._end(out)

    def _end(self, out: _Columns) -> None:
        line, cut = self._line.take()
        out.add(self._at or 0.0, self._stderr, line, cut)
        self._at = None


class _RawSide:
    """A TTY's log: one stream without frames; each line begins with a timestamp, and long ones have more inside."""

    def __init__(self, limit: int, clock: _StampClock) -> None:
        self._clock = clock
        self._line = _Pending(limit)

    def feed(self, data: bytes, out: _Columns) -> None:
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._line.append(part, out)
            self._end(out)
        if rest:
            self._line.append(rest, out)

    def flush(self, out: _Columns) -> None:
        if self._line:
            self._end(out)

    def _end(self, out: _Columns) -> None:
        line, cut = self._line.take()
        match = _STAMP.match(line)
        at = self._clock(match.group()) if match is not None else 0.0
        # A terminal turns each \n into \r\n.
        out.add(at, False, _without_stamps(line).removesuffix(b"\r"), cut)


def _without_stamps(line: bytes) -> bytes:
    pieces = []
    position = 0
    while (match := _STAMP.match(line, position)) is not None:
        pieces.append(line[match.end() : match.end() + PIECE])
        position = match.end() + PIECE
    return b"".join(pieces) + line[position:]
