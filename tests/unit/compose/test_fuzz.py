"""Whatever a file holds, it is loaded or refused with problems: no other error, with and without variables replaced."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchtui.compose import load, lower, render_yaml
from orchtui.errors import StackFileError
from tests.oracle.corpus import LARGE, SERVICE

_KEYS = sorted(
    {
        "name",
        "services",
        "networks",
        "volumes",
        "web",
        "default",
        "x-orchtui",
        "ready_after",
        "<<",
        "external",
        "limits",
    }
    | {
        word
        for body in (*SERVICE, LARGE)
        for word in body.replace(":", " ").replace("{", " ").split()
        if word.islower()
    }
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "$A", "${", "1s", "80:80", "/a:/b", "web"])
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4)
)
_STACKS = st.fixed_dictionaries(
    {"name": st.just("x"), "services": st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=2)},
    optional={"networks": _VALUES, "volumes": _VALUES},
)


def _load(*texts: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.yaml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8", errors="surrogatepass")
        for interpolate in (True, False):
            with contextlib.suppress(StackFileError):
                document = load(paths, project="p", environ={"HOME": "/root"}, interpolate=interpolate)
                assert render_yaml(document.tree)
                if interpolate:
                    lower(document.tree)


@settings(max_examples=150, deadline=None)
@given(st.lists(_STACKS, min_size=1, max_size=2))
def test_any_structure(stacks: list[dict[str, Any]]) -> None:
    _load(*(json.dumps(stack) for stack in stacks))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(LARGE)),
    st.integers(0, 40),
    st.text(max_size=6) | st.sampled_from(["\t", "&a ", "*a", "!x ", "- "]),
)
def test_a_file_with_a_hole(start: int, length: int, patch: str) -> None:
    _load(LARGE[:start] + patch + LARGE[start + length :])


@settings(max_examples=150, deadline=None)
@given(_STACKS | _VALUES)
def test_any_tree_sent_to_the_engine(tree: Any) -> None:
    with contextlib.suppress(StackFileError):
        lower(tree)
