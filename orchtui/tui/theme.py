"""Themes from files: Textual's own tokens for borders and dialogs, and style tokens for everything painted by line.

No colour stands anywhere in the code: cells name a token (`good`, `muted`, `replica-3`) and the theme decides.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rich.style import Style
from textual.app import App
from textual.theme import Theme

DEFAULT = "orchtui-dark"
REPLICAS = 8


@dataclass(frozen=True, slots=True)
class Palette:
    """The style of every token; an unknown one is plain text, so that a cell can never fail to paint."""

    styles: Mapping[str, Style]

    def __getitem__(self, token: str) -> Style:
        return self.styles.get(token) or self.styles["text"]

    def replica(self, index: int) -> Style:
        """The colour of the n-th source of a merged log; colours repeat after eight."""
        return self.styles[f"replica-{index % REPLICAS}"]


@dataclass(frozen=True, slots=True)
class ConsoleTheme:
    theme: Theme
    palette: Palette


def folder() -> Path:
    """Where the theme files are: in the installed package, else at the top of the source checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


@cache
def themes() -> Mapping[str, ConsoleTheme]:
    """All themes by name, the default first."""
    found = [read(path) for path in sorted(folder().glob("*.toml"))]
    found.sort(key=lambda one: (one.theme.name != DEFAULT, not one.theme.name.startswith("orchtui"), one.theme.name))
    return {one.theme.name: one for one in found}


def read(path: Path) -> ConsoleTheme:
    """One theme file. Raises KeyError, TypeError or ValueError where it is not one."""
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    written = values.pop("styles")
    replicas = written.pop("replica")
    styles = {token: Style.parse(style) for token, style in written.items()}
    styles |= {f"replica-{index}": Style.parse(replicas[index]) for index in range(REPLICAS)}
    styles[""] = styles["text"]
    return ConsoleTheme(Theme(**values), Palette(styles))


def palette_of(app: App[Any]) -> Palette:
    """The palette of the app's present theme; the default's where the theme is none of ours."""
    known = themes()
    return (known.get(app.theme) or known[DEFAULT]).palette
