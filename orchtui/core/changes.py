"""What differs between two versions of a stack, field by field, as it may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchtui.core.redact import mask_document
from orchtui.model.plan import Change

Tree = Mapping[str, Any]


def tree_changes(old: Tree, new: Tree) -> tuple[Change, ...]:
    """All services, then networks and volumes. Secret-looking values are compared raw and shown masked."""
    found: list[Change] = []
    for kind, word in (("services", ""), ("networks", "network "), ("volumes", "volume ")):
        before, after = old.get(kind) or {}, new.get(kind) or {}
        for name in sorted({*before, *after}):
            found += _changes(f"{word}{name}", before.get(name, _MISSING), after.get(name, _MISSING))
    return tuple(found)


def image_changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """Services whose image resolved to another ID."""
    return tuple(
        Change(subject=name, field="image ID", old=old[name][:19], new=new[name][:19])
        for name in sorted(old)
        if old[name] and new.get(name) and old[name] != new[name]
    )


class _Missing:
    pass


_MISSING = _Missing()


def _changes(subject: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, _Missing) or isinstance(new, _Missing):
        gone = isinstance(new, _Missing)
        kept = old if gone else new
        image = str(kept.get("image", "")) if isinstance(kept, Mapping) else ""
        text = image or "defined"
        yield Change(subject=subject, field="", old=text if gone else "", new="" if gone else text)
        return
    raw_old, raw_new = dict(_leaves(old)), dict(_leaves(new))
    shown_old, shown_new = dict(_leaves(mask_document(old))), dict(_leaves(mask_document(new)))
    for path in sorted({*raw_old, *raw_new}):
        if raw_old.get(path) != raw_new.get(path):
            yield Change(subject=subject, field=path, old=_text(shown_old.get(path)), new=_text(shown_new.get(path)))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its dotted path. A list of plain values is one leaf: that reads better than a field each."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif _is_list(value) and any(isinstance(one, Mapping) for one in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    elif _is_list(value):
        yield path, list(value)
    else:
        yield path, value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if _is_list(value):
        return " ".join(_text(one) for one in value)
    return str(value)
