"""Lengths of time and amounts of memory as Compose writes them."""

from __future__ import annotations

import math
import re

from orchtui.compose.problems import Malformed, quoted

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w)")
_BYTES = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?(?:([kmgtp])(?:i?b)?|b)?", re.IGNORECASE)
_MAXIMUM = 2**63 - 1


def parse_duration(text: str) -> int:
    """Nanoseconds in `1m30s`, `500ms`, `1.5h`, `1d` (compose-go types/duration.go). Raises Malformed."""
    hint = 'write a number with a unit: "500ms", "10s", "1m30s"'
    if text == "0":
        return 0
    total, end = 0, 0
    while end < len(text):
        part = _PART.match(text, end)
        if part is None or len(part.group(1)) > 30:
            break
        number, unit = part.groups()
        whole, _, fraction = number.partition(".")
        total += int(whole or 0) * _UNITS[unit] + int(int(fraction or 0) * _UNITS[unit] // 10 ** len(fraction))
        end = part.end()
    if not text or end < len(text):
        if text.lstrip("-") != text:
            raise Malformed(f"{quoted(text)} is negative", hint)
        raise Malformed(f"{quoted(text)} is no length of time", hint)
    if total > _MAXIMUM:
        raise Malformed(f"{quoted(text)} is too long", "292 years is the most that Docker can count")
    return total


def duration_text(nanoseconds: int) -> str:
    """The canonical form, exactly as Go's time.Duration prints: `500ms`, `1m30s`, `2h0m0s`, `1m30.5s`."""
    if nanoseconds == 0:
        return "0s"
    for limit, unit, name in ((1_000, 1, "ns"), (1_000_000, 1_000, "µs"), (1_000_000_000, 1_000_000, "ms")):
        if nanoseconds < limit:
            return _decimal(nanoseconds, unit) + name
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    seconds = _decimal(rest, 1_000_000_000) + "s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def seconds(text: str) -> float:
    """Seconds in a canonical duration. Raises Malformed."""
    return parse_duration(text) / 1e9


def parse_bytes(text: str) -> int:
    """Bytes in `64m`, `1.5gb`, `512 KiB`, `1024`; every unit is a power of 1024 (docker/go-units RAMInBytes)."""
    match = _BYTES.fullmatch(text)
    hint = 'write a number with a unit: "64m", "1.5g"'
    if match is None:
        raise Malformed(f"{quoted(text)} is no amount of memory", hint)
    number, unit = match.groups()
    size = float(number) * (1024 ** (" kmgtp".index(unit.lower())) if unit else 1)
    if not math.isfinite(size) or size > _MAXIMUM:
        raise Malformed(f"{quoted(text)} is too much memory", hint)
    return int(size)


def _decimal(count: int, unit: int) -> str:
    whole, rest = divmod(count, unit)
    if not rest:
        return str(whole)
    return f"{whole}." + str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
