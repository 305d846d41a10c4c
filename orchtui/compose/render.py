"""A canonical tree as text that reads back as the same tree, with our reader and with Compose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from orchtui.compose import scalars


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, quoting what go-yaml would not read as text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    plain = isinstance(scalars.resolve(value), str) and "\t" not in value
    return dumper.represent_scalar(f"{scalars.CORE}str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def render_yaml(tree: Mapping[str, Any], *, escape: bool = True) -> str:
    """YAML with sorted keys. `escape` doubles every dollar sign, since reading it back replaces variables."""
    text: str = yaml.dump(
        _escaped(tree) if escape else dict(tree),
        Dumper=_Dumper,
        sort_keys=True,
        default_flow_style=False,
        allow_unicode=True,
        width=2**31,
    )
    return text


def render_json(tree: Mapping[str, Any], *, escape: bool = True) -> str:
    """JSON as `docker compose config --format json` prints it, with sorted keys and a final line feed."""
    return json.dumps(_escaped(tree) if escape else tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _escaped(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(child) for child in value]
    return value
