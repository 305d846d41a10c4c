from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.core.text import age, count, duration, percent, safe, size


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain name", "plain name"),
        ("grün 日本 🚢", "grün 日本 🚢"),
        ("\x1b]52;c;aGFjaw==\x07", "␛]52;c;aGFjaw==␇"),
        ("a\r\nb", "a␍␊b"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\x7f", "␡"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_become_pictures(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@given(st.text())
def test_nothing_unsafe_is_left(text: str) -> None:
    shown = safe(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202a\u202e\u2066\u2069" for c in shown)
    shown.encode()
    assert safe(shown) == shown


def test_long_text_is_cut_before_it_is_examined() -> None:
    assert safe("x" * 10_000_000, 8) == "xxxxxxx…"
    assert safe("12345678", 8) == "12345678"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.0K"),
        (1536, "1.5K"),
        (10 * 1024, "10K"),
        (64 << 20, "64M"),
        (5 << 40, "5.0T"),
    ],
)
def test_sizes(number: int, shown: str) -> None:
    assert size(number) == shown


@given(st.integers(min_value=0, max_value=1 << 59))
def test_sizes_stay_short(number: int) -> None:
    assert len(size(number)) <= 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (86_399, "23h"), (86_400, "1d"), (1e8, "3y")],
)
def test_ages(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.3, "300ms"), (5, "5s"), (90, "1m30s"), (60, "1m0s"), (7200, "2h0m0s"), (3661.5, "1h1m1.5s")],
)
def test_durations_read_as_go_prints_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "0%"), (0.004, "0.4%"), (0.37, "37%"), (4.12, "412%")])
def test_percentages(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_counts() -> None:
    assert count(1, "container") == "1 container"
    assert count(2, "container") == "2 containers"
    assert count(0, "replica is", "replicas are") == "0 replicas are"
