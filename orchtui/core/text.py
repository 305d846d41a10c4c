"""Text for people: strings from Docker made safe, and times, sizes and shares in a few characters."""

from __future__ import annotations

import re

# What must never reach a terminal from data: C0 and C1 controls, DEL, bidi overrides and isolates, zero-width and
# line-separator characters (research/ops.md section 13, row 1).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udfff]"
)
_PICTURES = {0x7F: "␡"}


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code in _PICTURES:
        return _PICTURES[code]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe(text: str, limit: int | None = None) -> str:
    """`text` on one line with every control character shown as a picture (`␛`, `\\x9b`, `\\u202e`).

    With `limit`, longer text is cut before it is examined and ends in `…`, so a 10 MB label costs nothing.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…"
    if text.isprintable() and text.isascii():
        return text
    return _UNSAFE.sub(_picture, text)


def size(count: float) -> str:
    """Bytes in at most 5 characters: `0B`, `512B`, `1.5K`, `64M`, `1.2G`."""
    if count < 1024:
        return f"{int(count)}B"
    for unit in "KMGTP":
        count /= 1024
        if count < 9.95:
            return f"{count:.1f}{unit}"
        if count < 999.5 or unit == "P":
            return f"{count:.0f}{unit}"
    raise AssertionError("unreachable")


def age(seconds: float) -> str:
    """An age in at most 4 characters, coarse as it grows: `3s`, `4m`, `7h`, `12d`, `3y`."""
    seconds = max(0.0, seconds)
    for limit, divisor, unit in (
        (60, 1, "s"),
        (3600, 60, "m"),
        (86_400, 3600, "h"),
        (86_400 * 1000, 86_400, "d"),
    ):
        if seconds < limit:
            return f"{int(seconds // divisor)}{unit}"
    return f"{int(seconds // (86_400 * 365))}y"


def duration(seconds: float) -> str:
    """A length of time as Go prints it, which is how Compose files say it: `300ms`, `5s`, `1m30s`, `2h0m0s`."""
    if seconds == 0:
        return "0s"
    if abs(seconds) < 1:
        return f"{seconds * 1000:g}ms"
    whole, rest = divmod(seconds, 60)
    tail = f"{rest:g}s"
    if not whole:
        return tail
    hours, minutes = divmod(int(whole), 60)
    return f"{hours}h{minutes}m{tail}" if hours else f"{minutes}m{tail}"


def percent(share: float) -> str:
    """A share of one as a percentage in at most 4 characters: `0%`, `0.4%`, `37%`, `412%`."""
    value = share * 100
    if 0 < value < 0.95:
        return f"{value:.1f}%"
    return f"{value:.0f}%"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 container`, `3 containers`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
