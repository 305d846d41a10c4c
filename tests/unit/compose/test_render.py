"""What is rendered reads back as the same tree: for trees made at random, with our own reader."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchtui.compose import load, lower, render_json, render_yaml

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t$"), max_size=12)
_TRICKY = st.sampled_from(
    ["12e03", "0o7", "1_0", "yes", "~", "<<", "=", "22:22", "2024-01-01", "null", "- a", "a: b", "#"]
)
_WORDS = _TEXT | _TRICKY
_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{1,6}", fullmatch=True)
_KEYS = st.from_regex(r"[A-Za-z0-9_.]{1,8}", fullmatch=True)


@st.composite
def _services(draw: st.DrawFn) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": draw(_TEXT.filter(bool)),
        "command": draw(st.none() | st.lists(_WORDS, max_size=3)),
        "entrypoint": draw(st.none() | st.lists(_WORDS, max_size=3)),
        "networks": {"default": None},
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "environment": st.dictionaries(_KEYS, st.none() | _WORDS, min_size=1, max_size=3),
        "labels": st.dictionaries(_KEYS, _WORDS, min_size=1, max_size=3),
        "init": st.booleans(),
        "scale": st.integers(0, 1),
        "stop_grace_period": st.sampled_from(["0s", "1m30s", "500ms", "2h0m0s"]),
        "restart": st.sampled_from(["no", "always", "on-failure:3", "unless-stopped"]),
        "mem_limit": st.integers(1, 2**40).map(str),
        "cpus": st.sampled_from([1, 0.5, 2.25]),
        "tty": st.just(True),
        "healthcheck": st.fixed_dictionaries({"test": st.lists(_WORDS, max_size=2).map(lambda a: ["CMD", "x", *a])}),
        "ports": st.integers(1, 65_535).map(
            lambda port: [{"mode": "ingress", "target": port, "published": str(port), "protocol": "tcp"}]
        ),
        "x-note": st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63) | _WORDS,
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
            max_leaves=5,
        ),
    }
    for key in draw(st.sets(st.sampled_from(sorted(optional)))):
        service[key] = draw(optional[key])
    return service


@st.composite
def _trees(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(_NAMES)
    return {
        "name": name,
        "services": draw(st.dictionaries(_NAMES, _services(), min_size=1, max_size=2)),
        "networks": {"default": {"name": f"{name}_default", "ipam": {}}},
    }


@settings(max_examples=150, deadline=None)
@given(_trees())
def test_rendered_trees_read_back(tree: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for render in (render_yaml, render_json):
            path = Path(folder) / "compose.yaml"
            path.write_text(render(tree), encoding="utf-8")
            assert load([path], environ={}).tree == tree
    lower(tree)


def test_the_form_is_stable() -> None:
    tree = {"name": "x", "services": {"b": {"image": "i$"}, "a": {"image": "é", "command": None}}}
    assert render_yaml(tree) == ("name: x\nservices:\n  a:\n    command: null\n    image: é\n  b:\n    image: i$$\n")
    assert json.loads(render_json(tree, escape=False)) == tree
    assert render_yaml(tree, escape=False).endswith("image: i$\n")
