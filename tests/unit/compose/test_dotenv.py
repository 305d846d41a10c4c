from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchtui.compose import dotenv
from orchtui.compose.problems import Report

_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "export")
_VALUES = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


def _parse(text: str, **environ: str) -> tuple[dict[str, str], list[str]]:
    report = Report()
    values = dotenv.parse(text, ".env", environ.get, report)
    return values, [str(problem) for problem in report.problems]


@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_double_quotes_hold_any_value(values: dict[str, str]) -> None:
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())
    assert _parse(text) == (values, [])


@given(st.text(alphabet="AB=:'\"\\$#{} \n\texport", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    values, problems = _parse(text, A="a")
    assert isinstance(values, dict)
    assert all(problem.startswith(".env:") for problem in problems)


def test_problems_have_a_place() -> None:
    assert _parse("A=1\n\n  B-!=2\n")[1] == [
        '.env:3:3: error: unexpected character "!" in the variable name "B-!=2"; write NAME=value'
    ]
    assert _parse("A='x\ny")[1] == [".env:1:1: error: the value has no closing quote; end it with '"]
    assert _parse("A=1\nB=$NONE\n")[1] == [
        '.env:2:1: warning: the variable "NONE" is not set: empty text is used; set it before this line'
    ]


def test_values_cannot_multiply_for_ever() -> None:
    doubling = "A0=xxxxxxxxxxxxxxxx\n" + "".join(f"A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 60))
    assert any("larger than 4 MiB" in problem for problem in _parse(doubling)[1])


def test_a_hundred_thousand_lines() -> None:
    values, problems = _parse("A=1\n" * 100_000)
    assert (values, problems) == ({"A": "1"}, [])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
