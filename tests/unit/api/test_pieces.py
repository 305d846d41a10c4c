"""The byte level: chunks and frames in arbitrary pieces, and the bounded backlog of a log reader."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.api.backlog import Backlog
from orchtui.api.frames import PAYLOAD_LIMIT, Frames, Kind, frame, pieces
from orchtui.api.http import Dechunker
from orchtui.errors import UsageError
from orchtui.model.logs import LogBatch


def in_parts(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@given(st.lists(st.binary(min_size=1, max_size=40)), st.lists(st.integers(0, 10_000), max_size=8))
def test_chunks_in_any_pieces(payloads: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(b"%X;note=1\r\n%b\r\n" % (len(payload), payload) for payload in payloads) + b"0\r\n\r\n"
    dechunker = Dechunker()
    assert b"".join(dechunker.feed(part) for part in in_parts(wire, cuts)) == b"".join(payloads)
    assert dechunker.ended


def test_what_is_no_chunk_is_refused() -> None:
    for wire in (b"hello\r\n", b"1\r\nabc"):
        with pytest.raises(ValueError, match=r".+"):
            Dechunker().feed(wire)


@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=30))), st.lists(st.integers(0, 10_000), max_size=8))
def test_frames_in_any_pieces(sent: list[tuple[Kind, bytes]], cuts: list[int]) -> None:
    wire = b"".join(frame(kind, payload) for kind, payload in sent)
    frames = Frames()
    assert [found for part in in_parts(wire, cuts) for found in frames.feed(part)] == sent


@pytest.mark.parametrize("wire", [b"\x09\x00\x00\x00\x00", b"\x01\xff\xff\xff\xff"])
def test_what_is_no_frame_is_refused(wire: bytes) -> None:
    with pytest.raises(UsageError):
        list(Frames().feed(wire))


def test_long_input_is_cut_into_frames() -> None:
    data = b"x" * (2 * PAYLOAD_LIMIT + 1)
    assert [len(piece) for piece in pieces(data)] == [PAYLOAD_LIMIT, PAYLOAD_LIMIT, 1]


def batch(number: int, at: float) -> LogBatch:
    return LogBatch(names=("a",), times=(at,), source=(0,), stderr=(False,), lines=(f"line {number}",))


async def test_live_lines_are_dropped_oldest_first_and_counted() -> None:
    backlog = Backlog(live_from=100.0, limit=250)  # room for three short lines
    for number in range(10):
        await backlog.put(batch(number, 200.0))
    backlog.end()
    taken = []
    while (item := await backlog.get()) is not None:
        taken.append(item)
    assert [item.lines for item in taken] == [("line 7",), ("line 8",), ("line 9",)]
    assert [item.skipped for item in taken] == [7, 0, 0]


async def test_history_waits_for_the_reader_and_loses_nothing() -> None:
    backlog = Backlog(live_from=100.0, limit=150)

    async def fill() -> None:
        for number in range(10):
            await backlog.put(batch(number, 50.0))
        backlog.end()

    taken: list[LogBatch] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fill())
        while (item := await backlog.get()) is not None:
            taken.append(item)
    assert [item.lines[0] for item in taken] == [f"line {number}" for number in range(10)]
    assert sum(item.skipped for item in taken) == 0


async def test_a_batch_larger_than_the_limit_passes_alone() -> None:
    backlog = Backlog(live_from=0.0, limit=10)
    await backlog.put(batch(1, 50.0))
    assert await asyncio.wait_for(backlog.get(), 10) == batch(1, 50.0)
