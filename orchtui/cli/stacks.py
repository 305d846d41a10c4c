"""Stack files on the command line: `config`, `plan` and `up`. The client reads the files; the engine gets the tree."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchtui.cli.output import plain, stderr, stdout
from orchtui.config import Settings
from orchtui.core.text import count, safe
from orchtui.errors import StackFileError, UsageError

if TYPE_CHECKING:
    from orchtui.cli.changes import Manner
    from orchtui.commands import Apply
    from orchtui.compose import Document
    from orchtui.compose import Problem as FileProblem
    from orchtui.model.plan import Plan

NOTHING, REFUSED, CHANGES = 0, 1, 2


def paths_of(files: Sequence[str], directory: str | None = None) -> list[Path]:
    """The files as given; none means Compose's own lookup, from here (or `directory`) upwards."""
    if files:
        return [Path(each).expanduser() for each in files]
    from orchtui.compose import find_default

    start = Path(directory).expanduser() if directory else Path.cwd()
    found = find_default(start, os.environ)
    if not found:
        raise UsageError(
            f"There is no stack file: neither an argument nor a compose.yaml in {safe(str(start))} or above.",
            hint="Name one, such as `orchtui up hello.yaml`.",
        )
    return found


def load(arguments: argparse.Namespace) -> Document:
    """Read, interpolate and check the files as the person who runs this. Warnings go to stderr."""
    from orchtui import compose

    document = compose.load(
        paths_of(arguments.files, arguments.project_directory),
        project=arguments.project_name,
        project_directory=_path(arguments.project_directory),
        profiles=tuple(arguments.profile),
        env_files=tuple(Path(each).expanduser() for each in arguments.env_file),
        environ=os.environ,
        interpolate=not getattr(arguments, "no_interpolate", False),
        resolve_paths=not getattr(arguments, "no_path_resolution", False),
    )
    out = stderr()
    for warning in document.warnings:
        out.line(safe(str(warning)), "warn")
    return document


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def apply_command(document: Document, base: int | None = None) -> Apply:
    from orchtui.commands import Apply

    return Apply(
        stack=document.name,
        tree=document.tree,
        working_dir=document.working_dir,
        config_files=document.files,
        base=base,
    )


def config(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the canonical form of the caller's own files, or with --check every problem (exit 1 if one is an error)."""
    if arguments.check:
        return _check(arguments)
    document = load(arguments)
    text = document.json() if arguments.json else document.yaml()
    out = stdout()
    # A file can hold escape sequences in its strings: to a pipe it goes as it is, to a terminal as pictures.
    for line in text.rstrip("\n").split("\n"):
        out.stream.write((safe(line) if out.terminal else line) + "\n")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    problems = _problems(arguments)
    errors = sum(problem.severity == "error" for problem in problems)
    out = stdout()
    if arguments.json:
        out.json([plain(problem) for problem in problems])
    else:
        for problem in problems:
            out.line(safe(str(problem)), "bad" if problem.severity == "error" else "warn")
        warnings = len(problems) - errors
        out.line(f"{count(errors, 'error')}, {count(warnings, 'warning')}." if problems else "No problems.")
    return 1 if errors else 0


def _problems(arguments: argparse.Namespace) -> tuple[FileProblem, ...]:
    from orchtui import compose

    return compose.check(
        paths_of(arguments.files, arguments.project_directory),
        project=arguments.project_name,
        project_directory=_path(arguments.project_directory),
        profiles=tuple(arguments.profile),
        env_files=tuple(Path(each).expanduser() for each in arguments.env_file),
        environ=os.environ,
        interpolate=not arguments.no_interpolate,
        resolve_paths=not arguments.no_path_resolution,
    )


def plan(arguments: argparse.Namespace, settings: Settings) -> int:
    """What `up` would do. Exit 0 nothing, 2 changes, 1 refused."""
    from orchtui.cli.confirm import print_plan
    from orchtui.cli.session import run

    document = load(arguments)
    planned = run(_plan(apply_command(document), settings))
    out = stdout()
    if arguments.json:
        body: dict[str, Any] = {"stack": document.name, **plain(planned)}
        out.json(body)
    else:
        print_plan(out, planned)
    return NOTHING if planned.empty else CHANGES


async def _plan(command: Apply, settings: Settings) -> Plan:
    from orchtui.cli.session import live_snapshot, opened

    async with opened(settings, change=False) as engine:
        await live_snapshot(engine)
        return await engine.plan(command)


def up(arguments: argparse.Namespace, settings: Settings) -> int:
    from orchtui.cli.changes import Manner
    from orchtui.cli.session import run

    document = load(arguments)
    _refuse_empty(document)
    return run(_up(document, Manner.of(arguments, settings), settings))


async def _up(document: Document, manner: Manner, settings: Settings) -> int:
    from orchtui.cli.changes import perform
    from orchtui.cli.confirm import asks
    from orchtui.cli.session import live_snapshot, opened
    from orchtui.cli.wait import stack_named

    async with opened(settings, change=True) as engine:
        snapshot = await live_snapshot(engine)
        stack = stack_named(snapshot, document.name)
        # While a person reads the plan somebody else may change the stack: then the answer was about something else.
        base = stack.revision if stack is not None and asks(manner.consent) else None
        return await perform(engine, [apply_command(document, base)], manner, stdout())


def _refuse_empty(document: Document) -> None:
    if not document.tree.get("services"):
        raise StackFileError(
            f"Stack {safe(document.name)} has no services with these profiles.",
            hint="Add --profile, or remove the stack with `orchtui down`.",
        )
