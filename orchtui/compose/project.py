"""Which project this is: its name, its folder, and the files that are meant when none are named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchtui.compose.interpolate import Lookup, Variables, substitute
from orchtui.compose.nodes import Node
from orchtui.compose.problems import Malformed, Position, Report, quoted

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


def find_default(directory: Path, environ: Mapping[str, str] | None = None) -> list[Path]:
    """The stack files that Compose would read here: COMPOSE_FILE, else the first of its default names in this folder
    or the nearest one above, with the override file beside it. Empty when there is none.
    """
    environ = environ or {}
    named = environ.get("COMPOSE_FILE", "")
    if named:
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return [directory / part for part in named.split(separator) if part]
    for folder in (directory.absolute(), *directory.absolute().parents):
        found = next((folder / name for name in _FILES if (folder / name).is_file()), None)
        if found is not None:
            override = next((folder / name for name in _OVERRIDES if (folder / name).is_file()), None)
            return [found] if override is None else [found, override]
    return []


def normalised(name: str) -> str:
    """A name as Compose makes it fit: lower case, only letters, digits, `-` and `_`, the first not one of those."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")


def choose_name(explicit: str | None, lookup: Lookup, documents: Iterable[Node], folder: str, report: Report) -> str:
    """The project's name: -p, COMPOSE_PROJECT_NAME, `name:` of the last file that has one, the folder's name.

    The first two have to be right as they are; the others are made to fit, as Compose does. "" after an error.
    """
    variable = lookup("COMPOSE_PROJECT_NAME")
    for source, given in (("-p", explicit), ("COMPOSE_PROJECT_NAME", variable)):
        if given:
            if not _NAME.fullmatch(given):
                report.error(
                    Position(source),
                    f"{quoted(given)} is no project name",
                    "use lower-case letters, digits, - and _, starting with a letter or digit",
                )
                return ""
            return given
    name, at = "", Position(folder)
    for document in documents:
        node = document.get("name")
        if node is not None and isinstance(node.value, str) and node.value:
            name, at = _substituted(node.value, lookup), node.at
    fitted = normalised(name)
    if name and not fitted:
        report.error(at, f"{quoted(name)} is no project name", "start with a letter or digit")
        return ""
    if fitted != name:
        report.warning(at, f"the name {quoted(name)} is used as {quoted(fitted)}", f"write name: {fitted}")
    fitted = fitted or normalised(os.path.basename(folder))
    if not fitted:
        report.error(at, "the folder's name gives no project name", "add `name:` to the file, or use -p NAME")
    return fitted


def _substituted(name: str, lookup: Lookup) -> str:
    try:
        return substitute(name, Variables(lookup))
    except Malformed:
        return ""  # reported where the whole file is interpolated
