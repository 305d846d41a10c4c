"""The lines of a log pane in a ring, bounded in lines and bytes, with a filter kept up to date. Pure, no textual."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from orchtui.core.text import safe
from orchtui.model.logs import LogBatch

MAX_LINES = 20_000
MAX_BYTES = 16 * 2**20
MAX_LINE = 64 * 2**10
"""Characters kept of one line: a 10 MB line would otherwise be examined at each paint."""

# CSI (colours), OSC (titles, links, clipboard), DCS and the like; then lone two-byte escapes.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]"
)


class LogLine(NamedTuple):
    """One line as it came. `source` indexes `LogRing.names`; -1 marks a line of ours (skipped lines, notes)."""

    at: float
    source: int
    stderr: bool
    text: str


def clean(text: str) -> str:
    """A log line as it may be painted: escape sequences gone, tabs as blanks, other controls as pictures."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\t" in text:
        text = text.expandtabs(8)
    # A carriage return inside a line is a progress bar repainting itself: its last state is what counts.
    if "\r" in text:
        text = text.rstrip("\r").rpartition("\r")[2]
    return safe(text)


@dataclass(frozen=True, slots=True)
class Search:
    """What `/` asks for: text, or a regular expression between slashes; `!` in front shows the lines without it."""

    pattern: re.Pattern[str]
    inverse: bool = False

    def matches(self, text: str) -> bool:
        return (self.pattern.search(text) is not None) != self.inverse


def parse_search(text: str) -> Search | None:
    """None for an empty search. Letters match in either case unless one is a capital. Raises re.error."""
    inverse = text.startswith("!")
    if inverse:
        text = text[1:]
    if not text:
        return None
    flags = re.IGNORECASE if text == text.lower() else re.NOFLAG
    regex = len(text) > 2 and text.startswith("/") and text.endswith("/")
    return Search(re.compile(text[1:-1] if regex else re.escape(text), flags), inverse)


class LogRing:
    """Lines by sequence number: `first` is the oldest one kept, `end` one past the newest.

    `shown` holds the sequence numbers that pass the filter, in order; None when there is no filter.
    """

    def __init__(self, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._keep: Callable[[str], bool] | None = None
        self.clear()

    def clear(self) -> None:
        """Forget all lines and sources; the filter stays."""
        self.names: list[str] = []
        self._sources: dict[str, int] = {}
        self._lines: list[LogLine] = []
        self._gone = 0
        self._base = 0
        self.bytes = 0
        self.shown: list[int] | None = None if self._keep is None else []

    @property
    def first(self) -> int:
        return self._base + self._gone

    @property
    def end(self) -> int:
        return self._base + len(self._lines)

    def __len__(self) -> int:
        return len(self._lines) - self._gone

    def __getitem__(self, sequence: int) -> LogLine:
        return self._lines[sequence - self._base]

    def append(self, batch: LogBatch) -> None:
        """Add a batch; of one that is larger than the ring only the tail is ever looked at."""
        if batch.skipped:
            self._add(LogLine(batch.times[0] if batch.times else 0.0, -1, False, f"⚠ {batch.skipped} lines skipped"))
        sources = [self._source(name) for name in batch.names]
        start = max(0, len(batch.lines) - self._max_lines)
        rows = zip(batch.times, batch.source, batch.stderr, batch.lines, strict=True)
        for at, source, stderr, line in islice(rows, start, None):
            if len(line) > MAX_LINE:
                line = f"{line[:MAX_LINE]}… (+{len(line) - MAX_LINE} characters)"
            self._add(LogLine(at, sources[source], stderr, line))
        if batch.note:
            self.note(batch.note)
        self._evict()

    def note(self, text: str) -> None:
        """A line of our own."""
        self._add(LogLine(0.0, -1, False, text))

    def filter(self, keep: Callable[[str], bool] | None) -> None:
        """Show only lines whose cleaned text `keep` accepts; None shows all."""
        self._keep = keep
        if keep is None:
            self.shown = None
        else:
            self.shown = [
                sequence
                for sequence, line in enumerate(islice(self._lines, self._gone, None), self.first)
                if line.source < 0 or keep(clean(line.text))
            ]

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._sources[name] = len(self.names)
            self.names.append(name)
        return self._sources[name]

    def _add(self, line: LogLine) -> None:
        if self.shown is not None and self._keep is not None and (line.source < 0 or self._keep(clean(line.text))):
            self.shown.append(self.end)
        self._lines.append(line)
        self.bytes += _weight(line)

    def _evict(self) -> None:
        while len(self) > self._max_lines or (self.bytes > self._max_bytes and len(self) > 1):
            self.bytes -= _weight(self._lines[self._gone])
            self._gone += 1
        if self._gone > self._max_lines:
            del self._lines[: self._gone]
            self._base += self._gone
            self._gone = 0
        if self.shown is not None and len(self.shown) > 2 * self._max_lines:
            self.shown = [sequence for sequence in self.shown if sequence >= self.first]


def _weight(line: LogLine) -> int:
    """Bytes in memory, near enough: the characters and what Python keeps around a tuple and a string."""
    return 150 + len(line.text) * (1 if line.text.isascii() else 2)


def tags(names: list[str]) -> list[str]:
    """Short names that still tell sources apart: `shop-web-1`, `shop-web-2` become `web-1`, `web-2`."""
    parts = [re.split(r"(?<=[-_.])", name) for name in names]
    common = 0
    while all(len(part) > common + 2 for part in parts) and len({part[common] for part in parts}) == 1:
        common += 1
    return ["".join(part[common:]) for part in parts]
