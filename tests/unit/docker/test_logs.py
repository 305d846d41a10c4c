from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from orchtui.docker.logs import CUT, CUT_NOTE, PIECE, Lines, LogParser

EPOCH = 1795415116


def stamp(second: int, nano: int = 5) -> bytes:
    return f"2026-11-23T06:25:{16 + second:02d}.{nano:09d}Z ".encode()


def frame(payload: bytes, kind: int = 1) -> bytes:
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def framed(lines: list[tuple[bool, bytes]]) -> bytes:
    """What dockerd sends for these lines: messages of 16 KiB, each with a time of its own."""
    out = b""
    for index, (stderr, line) in enumerate(lines):
        text = line + b"\n"
        for start in range(0, len(text), PIECE):
            out += frame(stamp(index % 40, start) + text[start : start + PIECE], 2 if stderr else 1)
    return out


def raw(lines: list[bytes]) -> bytes:
    out = b""
    for index, line in enumerate(lines):
        text = line + b"\r\n"
        for start in range(0, len(text), PIECE):
            out += stamp(index % 40, start) + text[start : start + PIECE]
    return out


def parse(data: bytes, cuts: list[int], *, tty: bool, limit: int | None = None) -> Lines:
    parser = LogParser(tty=tty) if limit is None else LogParser(tty=tty, line_limit=limit)
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    batches = [parser.feed(data[a:b]) for a, b in pairwise(edges)] + [parser.finish()]
    return Lines(
        times=tuple(t for b in batches for t in b.times),
        stderr=tuple(s for b in batches for s in b.stderr),
        lines=tuple(x for b in batches for x in b.lines),
        note=next((b.note for b in batches if b.note), ""),
    )


line = st.binary(max_size=40).map(lambda b: b.replace(b"\n", b" ").replace(b"\r", b" "))
long_line = st.integers(PIECE - 3, 3 * PIECE + 3).map(lambda n: (b"0123456789" * (n // 10 + 1))[:n])
cuts = st.lists(st.integers(0, 200_000), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), line | long_line), max_size=6), cuts)
def test_frames_become_lines_however_they_are_cut(lines: list[tuple[bool, bytes]], where: list[int]) -> None:
    found = parse(framed(lines), where, tty=False)
    assert list(zip(found.stderr, found.lines, strict=True)) == [(e, t.decode("utf-8", "replace")) for e, t in lines]
    assert [int(at) for at in found.times] == [EPOCH + i for i in range(len(lines))]


@settings(max_examples=150, deadline=None)
@given(st.lists(line | long_line, max_size=6), cuts)
def test_raw_bytes_become_lines_however_they_are_cut(lines: list[bytes], where: list[int]) -> None:
    found = parse(raw(lines), where, tty=True)
    assert list(found.lines) == [text.decode("utf-8", "replace") for text in lines]
    assert [int(at) for at in found.times] == [EPOCH + i for i in range(len(lines))]
    assert not any(found.stderr)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), cuts, st.booleans())
def test_any_bytes_at_all_are_survived(data: bytes, where: list[int], tty: bool) -> None:
    found = parse(data, where, tty=tty)
    assert len(found.times) == len(found.stderr) == len(found.lines)


def test_a_line_keeps_the_time_of_its_beginning_and_fractions_count() -> None:
    found = parse(frame(stamp(0, 250_000_000) + b"a" * PIECE) + frame(stamp(3) + b"b\n"), [], tty=False)
    assert found.times == (EPOCH + 0.25,)
    assert found.lines == ("a" * PIECE + "b",)


def test_both_streams_are_put_together_apart() -> None:
    data = frame(stamp(0) + b"out-") + frame(stamp(1) + b"err\n", 2) + frame(stamp(2) + b"end\n")
    found = parse(data, [], tty=False)
    assert list(zip(found.stderr, found.lines, strict=True)) == [(True, "err"), (False, "out-end")]


def test_an_unfinished_line_comes_at_the_end() -> None:
    assert parse(frame(stamp(0) + b"prompt> "), [], tty=False).lines == ("prompt> ",)
    assert parse(stamp(0) + b"prompt> ", [], tty=True).lines == ("prompt> ",)


def test_empty_lines_are_lines() -> None:
    assert parse(frame(stamp(0) + b"\n") * 2, [], tty=False).lines == ("", "")


def test_bad_utf8_is_replaced_and_escapes_stay() -> None:
    found = parse(frame(stamp(0) + b"\xff\x1b[31mred\x00\n"), [], tty=False)
    assert found.lines == ("\ufffd\x1b[31mred\x00",)


def test_a_megabyte_in_one_line_is_whole_and_more_is_cut_with_a_note() -> None:
    whole = parse(framed([(False, b"x" * 1024 * 1024), (False, b"next")]), [], tty=False)
    assert [len(text) for text in whole.lines] == [1024 * 1024, 4]
    assert whole.note == ""
    cut = parse(framed([(False, b"x" * 3 * 1024 * 1024), (False, b"next")]), [], tty=False)
    assert cut.lines == ("x" * 1024 * 1024 + CUT, "next")
    assert cut.note == CUT_NOTE


def test_raw_lines_are_cut_too() -> None:
    cut = parse(raw([b"x" * 5000, b"next"]), [], tty=True, limit=1000)
    assert cut.lines[0].endswith("x" + CUT)
    assert cut.lines[1] == "next"


def test_a_raw_stream_where_frames_were_expected_is_still_shown() -> None:
    assert parse(raw([b"hello", b"world"]), [3, 40], tty=False).lines == ("hello", "world")


def test_a_daemons_own_error_frame_counts_as_stderr() -> None:
    found = parse(frame(b"error from daemon in stream: broken\n", 3), [], tty=False)
    assert (found.stderr, found.lines) == ((True,), ("error from daemon in stream: broken",))
