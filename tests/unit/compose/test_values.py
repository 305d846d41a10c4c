"""Scalars, lengths of time, amounts of memory, words, ports and mounts. The oracle tests hold the many single cases."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.compose import mounts, ports, quantities, scalars, words
from orchtui.compose.nodes import Timestamp
from orchtui.compose.problems import Malformed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("0440", 0o440),
        ("0o777", 0o777),
        ("1_000", 1000),
        ("0x1F", 31),
        ("12e03", 12000.0),
        ("no", "no"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("True", True),
        ("1e400", "1e400"),
        ("2024-01-01", Timestamp("2024-01-01")),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_unquoted_text(text: str, value: object) -> None:
    assert scalars.resolve(text) == value
    assert type(scalars.resolve(text)) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_from_its_go_text(value: float) -> None:
    assert float(scalars.go_text(value)) == value


@given(st.integers(min_value=0, max_value=2**62))
def test_a_duration_reads_back(nanoseconds: int) -> None:
    assert quantities.parse_duration(quantities.duration_text(nanoseconds)) == nanoseconds


@given(st.text(alphabet="0123456789.hmsdwnuµ -+e", max_size=12))
def test_durations_and_sizes_are_read_or_refused(text: str) -> None:
    for parse in (quantities.parse_duration, quantities.parse_bytes):
        with contextlib.suppress(Malformed):
            assert parse(text) >= 0


def test_words_of_a_command() -> None:
    assert words.split("""a 'b c' "d\\" e" f\\ g '' """) == ["a", "b c", 'd" e', "f g", ""]


@pytest.mark.parametrize("line", ["a 'b", 'a "b', "a \\", "a; b", "a && b", "a > b", "a (b)", "a `b", "a $(b"])
def test_commands_that_need_a_shell_or_a_quote(line: str) -> None:
    with pytest.raises(Malformed):
        words.split(line)


@given(st.lists(st.text(min_size=0, max_size=8)))
def test_quoted_words_come_back(expected: list[str]) -> None:
    line = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in expected)
    assert words.split(line) == expected


def test_port_ranges_pair_up_or_stay_a_choice() -> None:
    pairs = ports.parse_short("127.0.0.1:9090-9091:8080-8081/udp")
    assert [(p["published"], p["target"], p["host_ip"], p["protocol"]) for p in pairs] == [
        ("9090", 8080, "127.0.0.1", "udp"),
        ("9091", 8081, "127.0.0.1", "udp"),
    ]
    assert ports.parse_short("8000-8002:80") == [
        {"mode": "ingress", "protocol": "tcp", "target": 80, "published": "8000-8002"}
    ]
    assert ports.parse_short("[::1]:1:80")[0]["host_ip"] == "::1"


@pytest.mark.parametrize(
    "spec", ["", ":", "80:", "1:2:3:80", "90-80", "65536", "1-2:1-3", "a", "80/x", "::1:80:80", "-1"]
)
def test_ports_that_are_none(spec: str) -> None:
    with pytest.raises(Malformed):
        ports.parse_short(spec)


@pytest.mark.parametrize(
    "spec", ["", ":", "a:", ":/x", "v:/x", "../x", "a b:/x", "ab:/x:y", "ab:/x:ro:z", "ab:/x:rslave"]
)
def test_mounts_that_are_none(spec: str) -> None:
    with pytest.raises(Malformed):
        mounts.parse_short(spec)


def test_tmpfs_options() -> None:
    assert mounts.parse_tmpfs("/run:size=64m,mode=1770,noexec") == ("/run", 64 * 1024**2, 0o1770)
    with pytest.raises(Malformed):
        mounts.parse_tmpfs("/run:uid=1000")
