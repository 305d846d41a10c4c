"""What stands on the screen of a running app, cell by cell."""

from __future__ import annotations

import re
from typing import Any

from rich.segment import Segment
from textual.app import App

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def segments(app: App[Any]) -> list[list[Segment]]:
    """The painted segments, line by line, as they go to the terminal (filters included)."""
    return [list(strip) for strip in app.screen._compositor.render_strips()]


def lines(app: App[Any]) -> list[str]:
    return ["".join(segment.text for segment in line) for line in segments(app)]


def text(app: App[Any]) -> str:
    return "\n".join(lines(app))


def line_with(app: App[Any], part: str) -> str:
    """The first line that contains `part`; an AssertionError shows the screen otherwise."""
    for line in lines(app):
        if part in line:
            return line
    raise AssertionError(f"{part!r} is not on the screen:\n{text(app)}")


def assert_harmless(app: App[Any]) -> None:
    """No control or bidi character and no link is on the screen."""
    for line in segments(app):
        for segment in line:
            assert not UNSAFE.search(segment.text), segment
            assert segment.style is None or segment.style.link is None, segment
