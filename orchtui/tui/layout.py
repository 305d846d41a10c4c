"""Lines of styled text for dialogs and detail views. Pure: a line is cells of (text, style token), already safe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from rich.cells import cell_len, chop_cells

from orchtui.core.text import safe
from orchtui.model.description import Description, Section
from orchtui.model.plan import Change, Plan, Step
from orchtui.tui.columns import Cell

Line: TypeAlias = tuple[Cell, ...]

# What a tone looks like besides its colour.
SIGNS = {"good": "● ", "warn": "▲ ", "bad": "✖ "}
BLANK: Line = ()
# Characters of one value that are laid out.
LONGEST = 20_000


def line_width(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def pad(text: str, width: int) -> str:
    """`text` with spaces up to `width` cells (never cut)."""
    return text + " " * max(0, width - cell_len(text))


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells, its end replaced by `…` where it is longer."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    return chop_cells(text, width - 1)[0] + "…"


def wrap(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` cells, broken after a space or a comma where one is near enough.

    Nothing is lost: the pieces, joined, are `text`. A wide character has its own piece where `width` is 1.
    """
    width = max(1, width)
    pieces: list[str] = []
    at = 0
    while len(text) - at > width or cell_len(text[at:]) > width:
        # One character more than fits, and never the whole rest: a label may have ten million of them.
        ahead = text[at : at + width + 1]
        head = ahead if cell_len(ahead) <= width else chop_cells(ahead, width)[0] or ahead[0]
        end = at + len(head)
        if end >= len(text):
            break
        if not text[end].isspace():
            near = max(head.rfind(" "), head.rfind(",") if len(head) > 24 else -1)
            if near >= len(head) // 3:
                head = head[: near + 1]
        pieces.append(head)
        at += len(head)
    pieces.append(text[at:])
    return pieces


def clean(text: str) -> str:
    """`text` on one safe line, cut where no one reads on: the inspect document and the command line have all of it."""
    return safe(text[: LONGEST + 1].expandtabs(8), LONGEST)


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def hanging(head: Line, text: str, token: str, width: int) -> list[Line]:
    """`head` followed by `text`, whose further lines stand below its first one."""
    indent = line_width(head)
    first, *rest = wrap(text, max(16, width - indent))
    return [(*head, (first, token)), *(((" " * indent, ""), (piece.lstrip(" "), token)) for piece in rest)]


def heading(title: str, note: str = "") -> Line:
    return ((title, "heading"), (f"  {note}" if note else "", "muted"))


# --- describe

_USUAL_NAME = 16


def describe_lines(description: Description, width: int) -> list[Line]:
    """Sections one below the other, names and values in two aligned columns; nothing is cut."""
    names = [[cell_len(clean(field.name)) for field in section.fields] for section in description.sections]
    # One column for all sections, unless a section has long names of its own, as labels have.
    usual = max((length for lengths in names for length in lengths if length <= _USUAL_NAME), default=0)
    lines: list[Line] = []
    for section, lengths in zip(description.sections, names, strict=True):
        if lines:
            lines.append(BLANK)
        column = min(max([usual, *lengths]), max(_USUAL_NAME, width // 2))
        lines.extend(_section_lines(section, column, width))
    return lines


def _section_lines(section: Section, column: int, width: int) -> Iterator[Line]:
    yield heading(clean(section.title))
    for field in section.fields:
        name = pad(clip(clean(field.name), column), column)
        head: Line = (("  ", ""), (name, "muted"), ("  ", ""))
        sign = SIGNS.get(field.tone, "")
        first, *rest = cut(field.value).split("\n")
        yield from hanging((*head, (sign, field.tone)), clean(first), field.tone, width)
        below: Line = ((" " * line_width(head), ""),)
        for line in rest:
            yield from hanging(below, clean(line), field.tone, width)
    for line in section.lines:
        yield from hanging((("  ", ""),), clean(line), "", width)


_JSON = re.compile(r'(?P<indent>\s*)(?P<key>"(?:[^"\\]|\\.)*")?(?P<colon>: ?)?(?P<rest>.*)', re.DOTALL)


def document_lines(document: str) -> list[Line]:
    """Pretty JSON line by line, names apart from values; long lines are scrolled, not wrapped."""
    lines: list[Line] = []
    for text in document.split("\n"):
        text = clean(text)
        match = _JSON.fullmatch(text)
        if match is None or not match["colon"]:
            lines.append(((text, ""),))
        else:
            lines.append(
                ((match["indent"], ""), (match["key"] or "", "info"), (match["colon"], "muted"), (match["rest"], ""))
            )
    return lines


# --- plans and differences


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """Risks first, then what changes, then each step with its cause, then what is assumed and what stays."""
    lines = hanging((), clean(plan.summary), "strong", width)
    if plan.empty:
        lines += [BLANK, (("Nothing to do: everything is already as wished.", "good"),)]
    if plan.risks:
        lines.append(BLANK)
        for risk in plan.risks:
            lines += hanging((("▲ ", "warn"),), clean(risk), "warn", width)
    if plan.changes:
        lines += [BLANK, heading("Changes"), *change_lines(plan.changes, width)]
    if plan.steps:
        lines += [BLANK, heading("Steps", _steps_note(plan.steps)), *_step_lines(plan.steps, width)]
    if plan.notes:
        lines += [BLANK, heading("Good to know")]
        for note in plan.notes:
            lines += hanging((("  · ", "muted"),), clean(note), "", width)
    if plan.unchanged:
        lines += [BLANK, *hanging((("Unchanged  ", "muted"),), ", ".join(map(clean, plan.unchanged)), "muted", width)]
    return lines


def _steps_note(steps: Sequence[Step]) -> str:
    return "in this order, as far as readiness allows" if len(steps) > 1 else ""


_VERB_TOKENS = {
    "create": "good", "start": "good", "create-network": "good", "create-volume": "good", "pull": "info",
    "stop": "warn", "kill": "warn", "remove": "bad", "remove-network": "bad", "remove-volume": "bad",
}  # fmt: skip


def _step_lines(steps: Sequence[Step], width: int) -> Iterator[Line]:
    number = len(str(len(steps)))
    verb = max(len(step.verb) for step in steps)
    subject = min(max(cell_len(clean(step.subject)) for step in steps), max(12, width // 3))
    for place, step in enumerate(steps, 1):
        head: Line = (
            (f"  {place:>{number}} ", "muted"),
            (pad(step.verb.replace("-", " "), verb), _VERB_TOKENS.get(step.verb, "info")),
            ("  ", ""),
        )
        name = clean(step.subject)
        if cell_len(name) > subject:
            yield from hanging(head, name, "", width)
            head = ((" " * line_width(head), ""), (" " * subject, ""), ("  ", ""))
        else:
            head = (*head, (pad(name, subject), ""), ("  ", ""))
        yield from hanging(head, clean(step.cause), "muted", width)


def change_lines(changes: Iterable[Change], width: int) -> Iterator[Line]:
    """Grouped by subject: `field  old → new`, on two lines where they do not fit on one."""
    shown = list(changes)
    column = min(max((cell_len(clean(change.field)) for change in shown), default=0), max(10, width // 3))
    subject: str | None = None
    for change in shown:
        if change.subject != subject:
            subject = change.subject
            yield (("  ", ""), (clean(subject), "title"))
        name = pad(clip(clean(change.field), column), column)
        head: Line = (("    ", ""), (name, "muted"), ("  ", ""))
        old, new = clean(change.old), clean(change.new)
        if old == new:
            yield (*head, (old, "muted"), ("  differs, both are hidden", "muted"))
            continue
        if line_width(head) + cell_len(old) + cell_len(new) + 3 <= width and old and new:
            yield (*head, (old, "bad"), (" → ", "muted"), (new, "good"))
            continue
        below: Line = ((" " * line_width(head), ""),)
        if old:
            yield from hanging((*head, ("- ", "bad")), old, "bad", width)
            head = below
        if new or not old:
            yield from hanging((*head, ("+ ", "good")), new or "(empty)", "good", width)
