"""Reading a stack from its files: the client's side, done as the person who runs the command."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchtui.compose import dotenv, files, yaml_nodes
from orchtui.compose.checks import Scope
from orchtui.compose.finish import Surroundings, finish
from orchtui.compose.interpolate import Lookup, Variables, interpolate
from orchtui.compose.merge import merge
from orchtui.compose.nodes import Node, plain
from orchtui.compose.problems import Malformed, Position, Problem, Report, quoted
from orchtui.compose.project import choose_name
from orchtui.compose.render import render_json, render_yaml
from orchtui.compose.schema import check_stack
from orchtui.compose.validate import validate
from orchtui.core.text import count
from orchtui.errors import StackFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One stack as its files say it. `tree` is the canonical form, `files` are absolute paths.

    `interpolated` is False when variables were left in place; such a document can be printed, not applied.
    """

    name: str
    tree: dict[str, Any]
    files: tuple[str, ...]
    working_dir: str
    warnings: tuple[Problem, ...] = ()
    interpolated: bool = True
    _root: Node = field(repr=False, compare=False)

    def position(self, path: tuple[str | int, ...]) -> Position | None:
        """Where the value at `path` in the tree is written; None when nobody wrote it."""
        node, at = self._root, self._root.at
        for step in path:
            if isinstance(step, str):
                child, at = node.entries().get(step), node.key_at(step)
            else:
                items = node.items()
                child = items[step] if 0 <= step < len(items) else None
                at = at if child is None else child.at
            if child is None:
                return None
            node = child
        return at if at.line else None

    def yaml(self) -> str:
        """The canonical tree as YAML; a dollar sign is doubled where variables were replaced, so that it reads back."""
        return render_yaml(self.tree, escape=self.interpolated)

    def json(self) -> str:
        """The canonical tree as JSON, like yaml()."""
        return render_json(self.tree, escape=self.interpolated)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    paths: Sequence[Path]
    project: str | None
    project_directory: Path | None
    profiles: Collection[str]
    env_files: Sequence[Path]
    environ: Mapping[str, str]
    interpolate: bool
    resolve_paths: bool


def load(
    paths: Sequence[Path],
    *,
    project: str | None = None,
    project_directory: Path | None = None,
    profiles: Collection[str] = (),
    env_files: Sequence[Path] = (),
    environ: Mapping[str, str],
    interpolate: bool = True,
    resolve_paths: bool = True,
) -> Document:
    """One stack from one or several files, a later one laid on the earlier ones as with Compose's -f.

    Raises StackFileError with all problems of all files.
    """
    request = _Request(
        paths=paths, project=project, project_directory=project_directory, profiles=profiles, env_files=env_files,
        environ=environ, interpolate=interpolate, resolve_paths=resolve_paths,
    )  # fmt: skip
    document, report = _load(request)
    if document is None:
        problems = report.problems
        errors = sum(problem.severity == "error" for problem in problems)
        names = ", ".join(dict.fromkeys(str(path) for path in paths)) or "the stack"
        raise StackFileError(
            f"{count(errors, 'problem')} in {names}.",
            details=tuple(str(problem) for problem in problems),
            hint="Correct the file and try again; nothing was changed.",
        )
    return document


def check(
    paths: Sequence[Path],
    *,
    project: str | None = None,
    project_directory: Path | None = None,
    profiles: Collection[str] = (),
    env_files: Sequence[Path] = (),
    environ: Mapping[str, str],
    interpolate: bool = True,
    resolve_paths: bool = True,
) -> tuple[Problem, ...]:
    """All problems of the files, warnings included; empty when the stack is good."""
    request = _Request(
        paths=paths, project=project, project_directory=project_directory, profiles=profiles, env_files=env_files,
        environ=environ, interpolate=interpolate, resolve_paths=resolve_paths,
    )  # fmt: skip
    return _load(request)[1].problems


def _load(request: _Request) -> tuple[Document | None, Report]:
    report = Report([str(path) for path in request.paths])
    if not request.paths:
        report.error(Position("compose.yaml"), "no stack file found", "name one, or go to the folder that has one")
        return None, report
    folder = os.path.abspath(request.project_directory or request.paths[0].parent)
    lookup = _variables(request, folder, report)
    documents = [node for path in request.paths for node in _read_documents(path, report)]
    name = choose_name(request.project, lookup, documents, folder, report)
    around = Surroundings(
        name=name,
        folder=folder,
        lookup=_with(lookup, {"COMPOSE_PROJECT_NAME": name}),
        read=lambda file: files.read_text(Path(file)),
        profiles=request.profiles or [part for part in (lookup("COMPOSE_PROFILES") or "").split(",") if part],
        resolve_environment=request.interpolate,
        resolve_paths=request.resolve_paths,
    )
    merged = _merged(documents, around, report, literal=not request.interpolate)
    if merged is None:
        return None, report
    root = finish(merged, around, report)
    validate(root, report, defined=merged)
    if report.failed:
        return None, report
    tree = plain(root)
    assert isinstance(tree, dict)
    return (
        Document(
            name=name,
            tree=tree,
            files=tuple(os.path.abspath(path) for path in request.paths),
            working_dir=folder,
            warnings=report.problems,
            interpolated=request.interpolate,
            _root=root,
        ),
        report,
    )


def _read_documents(path: Path, report: Report) -> list[Node]:
    try:
        text = files.read_text(path)
    except Malformed as problem:
        report.error(Position(str(path)), problem.message, problem.hint)
        return []
    return yaml_nodes.parse(text, str(path), report)


def _merged(documents: list[Node], around: Surroundings, report: Report, *, literal: bool) -> Node | None:
    scope = Scope(report, literal=literal)
    variables = Variables(around.lookup)
    merged: Node | None = None
    for document in documents:
        node = document if literal else interpolate(document, variables, report)
        checked = check_stack(scope, node)
        if checked is not None:
            merged = merge(merged or Node({}, checked.at), checked, report)
    return merged


def _variables(request: _Request, folder: str, report: Report) -> Lookup:
    """The caller's environment, then `--env-file`, COMPOSE_ENV_FILES or the project folder's `.env`."""
    environ = _readable(request.environ, report)
    chosen = [str(file) for file in request.env_files]
    chosen = chosen or [file for file in environ.get("COMPOSE_ENV_FILES", "").split(",") if file]
    sources = []
    default = os.path.join(folder, ".env")
    for file in chosen or ([default] if os.path.exists(default) else []):
        try:
            sources.append((file, files.read_text(Path(file)), False))
        except Malformed as problem:
            report.error(Position(file), problem.message, problem.hint)
    values = dotenv.merged(sources, environ.get, report)
    return lambda name: environ[name] if name in environ else values.get(name)


def _readable(environ: Mapping[str, str], report: Report) -> dict[str, str]:
    """The caller's variables without those that are no text: their bytes could not be sent on or stored."""
    kept = {}
    for name, value in environ.items():
        if any("\ud800" <= char <= "\udfff" for char in value):
            report.warning(
                Position("environment"), f"the variable {quoted(name)} is not UTF-8 text and counts as not set"
            )
        else:
            kept[name] = value
    return kept


def _with(lookup: Lookup, extra: Mapping[str, str]) -> Lookup:
    return lambda name: extra[name] if name in extra else lookup(name)
