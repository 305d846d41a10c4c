"""What the options' values mean: durations, times, counts, revisions. Wrong ones raise argparse.ArgumentTypeError."""

from __future__ import annotations

import argparse
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def seconds(text: str) -> float:
    """A duration such as `90`, `90s`, `1h30m`, `2d`, in seconds."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not text or _PART.sub("", text):
        raise argparse.ArgumentTypeError(f"`{text}` is no duration; write 30s, 10m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def since(text: str) -> float:
    """Seconds since the epoch: of a duration back from now, of an ISO time, or as given."""
    import time
    from datetime import datetime

    if re.fullmatch(r"\d{9,}(\.\d+)?", text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        return time.time() - seconds(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"`{text}` is no time; write 10m, 2h or 2026-01-31T12:00") from error


def tail(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"`{text}` is no number of lines; write 100, or all")
    return int(text)


def service_count(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not number.isdigit():
        raise argparse.ArgumentTypeError(f"`{text}` is not SERVICE=N; write for example web=3")
    return name, int(number)


def revision(text: str) -> str:
    if text in ("previous", "stable") or (text.isdigit() and int(text) > 0):
        return text
    raise argparse.ArgumentTypeError(f"`{text}` is no revision; write a number, previous or stable")
