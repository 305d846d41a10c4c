"""Log lines in columns: a batch is cheap to make, to send and to append."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """Lines in true time order. `source[i]` indexes `names` (container names); `times[i]` is seconds since the epoch;
    `stderr[i]` tells the stream. `skipped` lines were dropped right before this batch because the reader lagged.
    Lines are decoded UTF-8 (bad bytes become U+FFFD), without their newline, and otherwise raw: sanitise when painting.
    """

    names: tuple[str, ...]
    times: tuple[float, ...]
    source: tuple[int, ...]
    stderr: tuple[bool, ...]
    lines: tuple[str, ...]
    skipped: int = 0
    note: str = ""
