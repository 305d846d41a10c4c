"""What a container consumes at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`cpu` is in cores used since the previous sample (None for the first), `memory` without page cache, in bytes.

    `rx` and `tx` are bytes since the container started. `memory_limit` 0 means the host's memory.
    """

    container: str
    at: float
    cpu: float | None
    memory: int
    memory_limit: int = 0
    rx: int = 0
    tx: int = 0
    pids: int = 0
