"""Compose files: text to a canonical tree with places, and the tree to the typed spec that the engine uses.

    load(paths, …) -> Document      read, interpolate, check and merge files; StackFileError with all problems
    check(paths, …) -> Problems     the same, for the problems only
    lower(tree) -> StackSpec        pure; what the engine works with
    render_yaml, render_json        a canonical tree as text
    find_default(folder)            the files that Compose itself would read there

Pure except for `files.py`, which reads the caller's own files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchtui.compose.lower import lower
from orchtui.compose.problems import Position, Problem

if TYPE_CHECKING:
    from orchtui.compose.document import Document, check, load
    from orchtui.compose.project import find_default
    from orchtui.compose.render import render_json, render_yaml

__all__ = [
    "Document",
    "Position",
    "Problem",
    "check",
    "find_default",
    "load",
    "lower",
    "render_json",
    "render_yaml",
]

_ON_DEMAND = {
    "Document": "document",
    "check": "document",
    "find_default": "project",
    "load": "document",
    "render_json": "render",
    "render_yaml": "render",
}


def __getattr__(name: str) -> object:
    """What needs PyYAML is imported on first use: the engine only lowers trees."""
    from importlib import import_module

    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ON_DEMAND[name]}"), name)
