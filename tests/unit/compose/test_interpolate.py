from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.compose.interpolate import Variables, substitute
from orchtui.compose.problems import Malformed

VALUES = {"SET": "val", "EMPTY": ""}
_TEXT = st.text(alphabet=st.characters(exclude_characters="$\n"), max_size=20)
_TEMPLATES = st.recursive(
    st.sampled_from(["$SET", "${SET}", "$$", "$", "x", "{", " ", "é"]),
    lambda inner: st.builds(
        lambda name, operator, parts: f"${{{name}{operator}{''.join(parts)}}}",
        st.sampled_from(["SET", "EMPTY", "UNSET"]),
        st.sampled_from(["-", ":-", "+", ":+", "?", ":?"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


def _substitute(template: str) -> str:
    return substitute(template, Variables(VALUES.get))


@given(st.text())
def test_a_doubled_dollar_is_one(text: str) -> None:
    assert _substitute(text.replace("$", "$$")) == text


@given(_TEXT, _TEXT.filter(lambda text: "{" not in text and "}" not in text))
def test_a_default_stands_in(around: str, default: str) -> None:
    assert _substitute(f"{around}${{UNSET:-{default}}}") == around + default
    assert _substitute(f"{around}${{SET:-{default}}}") == f"{around}val"


@given(st.text(alphabet="${}:-+?SETUN \n", max_size=40) | _TEMPLATES)
def test_any_text_is_replaced_or_refused(template: str) -> None:
    with contextlib.suppress(Malformed):
        assert "${SET" not in _substitute(template) or "$${SET" in template


def test_only_missing_variables_are_named() -> None:
    variables = Variables(VALUES.get)
    assert substitute("$SET $A ${B} ${C:-c} ${D+d} ${EMPTY}", variables) == "val   c  "
    assert list(variables.unset) == ["A", "B"]


def test_a_required_variable_says_why() -> None:
    with pytest.raises(Malformed, match=re.escape('required variable "UNSET" is not set: ask the val team')):
        _substitute("${UNSET:?ask the $SET team}")


def test_nesting_and_growth_are_limited() -> None:
    with pytest.raises(Malformed, match="nested more than"):
        _substitute("${A:-" * 100_000)
    large = Variables({"A": "x" * 100_000}.get)
    with pytest.raises(Malformed, match="larger than 4 MiB"):
        substitute("$A" * 100, large)
