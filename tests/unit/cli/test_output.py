"""Tables, widths, colours, JSON."""

from __future__ import annotations

import pytest

from orchtui.cli.output import Cell, Column, Output, cut, display_width
from tests.unit.cli.conftest import Stream

ESC = "\x1b"


def output(terminal: bool = False, **environ: str) -> tuple[Output, Stream]:
    stream = Stream(terminal=terminal)
    return Output(stream, {"TERM": "xterm", "COLUMNS": "40", **environ}), stream


@pytest.mark.parametrize(("text", "width"), [("web", 3), ("ウェブ", 6), ("e\u0301", 1), ("", 0)])
def test_display_width(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"), [("web", 3, "web"), ("website", 4, "web…"), ("ウェブサイト", 5, "ウェ…")]
)
def test_cut(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


def test_columns_align_by_display_width() -> None:
    out, stream = output()
    out.table((Column(title="NAME"), Column(title="N", right=True)), [("ウェブ", "1"), ("db", "12")])
    assert stream.getvalue() == "NAME     N\nウェブ   1\ndb      12\n"


def test_a_table_is_cut_to_the_terminal_only() -> None:
    columns = (Column(title="NAME", least=8), Column(title="IMAGE", least=8), Column(title="STATE"))
    row = ("a-container-with-a-long-name", "registry.example.com/team/image:tag", "running")
    out, stream = output(terminal=True, NO_COLOR="1")
    out.table(columns, [row])
    assert max(display_width(line) for line in stream.getvalue().splitlines()) <= 40
    assert "running" in stream.getvalue()
    out, stream = output()
    out.table(columns, [row])
    assert all(cell in stream.getvalue() for cell in row)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escapes_where_none_are_wanted(environ: dict[str, str]) -> None:
    out, stream = output(terminal=True, **environ)
    out.line("degraded", "bad")
    assert ESC not in stream.getvalue()


def test_colour_on_a_terminal_and_never_off_it() -> None:
    out, stream = output(terminal=True)
    out.line("degraded", "bad")
    assert stream.getvalue() == f"{ESC}[31mdegraded{ESC}[0m\n"
    out, stream = output()
    out.line("degraded", "bad")
    assert stream.getvalue() == "degraded\n"


def test_cells_are_made_safe() -> None:
    out, stream = output(terminal=True, NO_COLOR="1")
    out.table((Column(title="NAME"),), [(Cell(f"evil{ESC}[2J\r\n"),)])
    assert "evil␛[2J␍␊" in stream.getvalue()
    assert ESC not in stream.getvalue()


def test_json_is_ascii() -> None:
    out, stream = output()
    out.json({"name": "ウェブ\x9b31m"})
    assert stream.getvalue().isascii()
