"""`orchtui inspect`, `history` and `diff`: one thing in full, and how a stack came to be what it is."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from orchtui.cli import names
from orchtui.cli.confirm import change_words
from orchtui.cli.output import Cell, Column, Output, display_width, plain, stdout
from orchtui.cli.session import live_snapshot, opened, run
from orchtui.commands import Target
from orchtui.config import Settings
from orchtui.core.text import age, safe
from orchtui.engine import Engine
from orchtui.errors import NotFound
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.plan import Change

_OUTCOME_TONE = {"completed": "good", "failed": "bad", "pending": "warn", "superseded": "muted"}


def inspect(arguments: argparse.Namespace, settings: Settings) -> int:
    target, description = run(_describe(arguments.target, settings))
    out = stdout()
    if arguments.json:
        out.json(
            {
                "kind": target.kind,
                "key": target.key,
                "title": description.title,
                "sections": plain(description.sections),
                "document": json.loads(description.document) if description.document else None,
            }
        )
    else:
        print_description(out, description)
    return 0


async def _describe(name: str, settings: Settings) -> tuple[Target, Description]:
    async with opened(settings, change=False) as engine:
        target = names.resolve(await live_snapshot(engine), name)
        return target, await engine.describe(target)


def print_description(out: Output, description: Description) -> None:
    out.line(safe(description.title), "strong")
    for section in description.sections:
        out.line()
        out.line(safe(section.title), "strong")
        width = min(24, max((display_width(safe(each.name)) for each in section.fields), default=0))
        for each in section.fields:
            name = safe(each.name)
            gap = " " * max(0, width - display_width(name))
            out.line(f"  {name}{gap}  {out.paint(safe(each.value), each.tone)}".rstrip())
        for line in section.lines:
            out.line(f"  {safe(line)}")


def history(arguments: argparse.Namespace, settings: Settings) -> int:
    name, revisions = run(_history(arguments.stack, settings))
    out = stdout()
    if arguments.json:
        out.json([plain(revision) for revision in revisions])
    else:
        print_history(out, revisions)
        if out.terminal:
            stack = safe(name)
            out.line(f"`orchtui diff {stack} A B` compares two, `orchtui rollback {stack} --to N` goes back.", "muted")
    return 0


async def _history(wanted: str, settings: Settings) -> tuple[str, tuple[Revision, ...]]:
    async with opened(settings, change=False) as engine:
        name = await known_stack(engine, wanted)
        return name, await engine.history(name)


async def known_stack(engine: Engine, wanted: str) -> str:
    """The name under which the engine keeps a stack's revisions, also after `down`.

    Raises NotFound with a suggestion.
    """
    name = wanted.removeprefix("stack:")
    try:
        await engine.history(name)
    except NotFound:
        stack = names.stack_of(await live_snapshot(engine), wanted)
        if stack.name == name:
            raise
        return stack.name
    return name


def print_history(out: Output, revisions: tuple[Revision, ...]) -> None:
    now = time.time()
    columns = (
        Column(title="REVISION", right=True),
        Column(title="WHEN", right=True),
        Column(title="OUTCOME"),
        Column(title="AUTHOR", least=6),
        Column(title="CAUSE", least=12),
        Column(title="NOTES", least=6),
    )
    rows = [
        (
            str(each.number),
            f"{age(now - each.created_at)} ago",
            Cell(each.outcome, _OUTCOME_TONE[each.outcome]),
            each.author,
            each.cause,
            _notes(each),
        )
        for each in revisions
    ]
    out.table(columns, rows)


def _notes(revision: Revision) -> str:
    notes = []
    if revision.current:
        notes.append("current")
    if revision.stable:
        notes.append("stable")
    if revision.rollback_of is not None:
        notes.append(f"rollback to {revision.rollback_of}")
    return ", ".join(notes)


def diff(arguments: argparse.Namespace, settings: Settings) -> int:
    changes = run(_diff(arguments.stack, arguments.old, arguments.new, settings))
    out = stdout()
    if arguments.json:
        body: list[Any] = [plain(change) for change in changes]
        out.json(body)
    else:
        print_changes(out, changes)
    return 0


async def _diff(wanted: str, old: int, new: int, settings: Settings) -> tuple[Change, ...]:
    async with opened(settings, change=False) as engine:
        return await engine.diff(await known_stack(engine, wanted), old, new)


def print_changes(out: Output, changes: tuple[Change, ...]) -> None:
    if not changes:
        out.line("No differences.")
    subject = None
    for change in changes:
        if change.subject != subject:
            subject = change.subject
            out.line(safe(subject), "strong")
        tone = "good" if not change.old else "bad" if not change.new else "warn"
        field = f"{safe(change.field)}: " if change.field else ""
        out.line(f"  {field}{change_words(change.old, change.new)}", tone)
