"""Nothing that came from Docker reaches the terminal as anything but text (research/ops.md section 13, rows 1 to 6)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from orchtui.tui.safety import SafeFilter, plain, safe_lines
from tests.support.terminal import Terminal, terminal
from tests.support.until import until_sync
from tests.tui.programs import MARKUP, STAGES

BLACK = Color(0, 0, 0)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


# --- the filter


def filtered(*segments: Segment) -> list[Segment]:
    return SafeFilter().apply(list(segments), BLACK)


def test_clean_segments_pass_as_they_are() -> None:
    segments = [Segment("plain"), Segment("│ köln ✔ 東京")]
    assert SafeFilter().apply(segments, BLACK) is segments


def test_textuals_own_control_segments_pass() -> None:
    home = Segment("\x1b[H", None, [(ControlType.HOME,)])
    assert filtered(home, Segment("a\x1b[31mb"))[0] is home


def test_links_are_taken_off() -> None:
    (segment,) = filtered(Segment("text", Style(link="http://evil\x1b]0;x\x07", bold=True)))
    assert segment.style is not None
    assert segment.style.link is None
    assert segment.style.bold


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x07\x9b\u202e\u200b\n\r\t "), max_size=40))
def test_any_text_comes_out_without_controls_and_as_wide(text: str) -> None:
    (segment,) = filtered(Segment(text))
    assert not CONTROL.search(segment.text)
    assert cell_len(segment.text) == cell_len(text)


@given(st.text(max_size=60))
def test_plain_never_reads_markup(text: str) -> None:
    assert not CONTROL.search(plain(text).plain)
    assert plain(text).spans == []


def test_lines_stay_lines() -> None:
    assert safe_lines("a\r\nb\x1b[2Jc\n\td") == "a\nb␛[2Jc\n        d"


# --- at the pty


def environment() -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    return keep | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TEXTUAL_ANIMATIONS": "none"}


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with terminal([sys.executable, "-m", "tests.tui.programs", request.param], environment(), 180, 40) as opened:
        yield opened


def leaks(raw: bytes) -> list[str]:
    """What of the attack reached the terminal as bytes that act."""
    text = raw.decode("utf-8", errors="replace")
    # Textual's own: the shape of the mouse pointer, and line ends as the terminal driver makes them.
    text = re.sub(r"\x1b\]22;[a-z-]+\x07|\r\n", "", text)
    acting = ("\x1b]52", "\x1b]0;", "\x1b]8;", "\x1b[6n", "\x1b[2J", "\x1bP", "\x1b_", "\x07", "\r", "\b", "\x7f")
    unseen = re.findall("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028\ufeff]", text)
    return [attack for attack in acting if attack in text] + unseen


def painted(terminal: Terminal, needle: str, since: int) -> bool:
    terminal.pump(0.05)
    return needle.encode() in terminal.raw[since:]


@pytest.mark.parametrize("run", ["careless"], indirect=True)
def test_the_attacks_are_real(run: Terminal) -> None:
    run.wait_for("stage 0 is shown")
    until_sync(lambda: painted(run, "Zcareless", 0))
    assert {"\x1b]52", "\x1b[6n", "\x9b", "\u202e"} <= set(leaks(bytes(run.raw)))


@pytest.mark.parametrize("run", ["hostile"], indirect=True)
def test_no_screen_lets_data_act(run: Terminal) -> None:
    since = 0
    for stage, (_, mark) in enumerate(STAGES):
        if stage:
            since = len(run.raw)
            run.send("\x1b[20~")  # f9
        for needle in (f"stage {stage} is shown", mark) if stage else ("stage 0 is shown", mark, "Ztoasttitle"):
            until_sync(partial(painted, run, needle, since), what=f"{needle} in stage {stage}")
        assert leaks(bytes(run.raw)) == [], f"stage {stage}"
    # Markup is text: it stands there as it was written, and nothing was run.
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", run.raw.decode())
    assert MARKUP.split(" ")[0] in text
    assert os.waitpid(run.pid, os.WNOHANG) == (0, 0)
