"""Asking before a change, by its tier (commands.risk): what may go ahead, what wants a `y`, what wants a name typed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from orchtui.cli.output import Output, stderr, stdout
from orchtui.commands import Command, Risk, confirm_name, risk, sentence
from orchtui.core.text import count, safe
from orchtui.errors import UsageError
from orchtui.model.plan import Plan

_SHOWN_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the command line already said: `-y`, and the names given with --confirm."""

    yes: bool = False
    names: tuple[str, ...] = ()


def agree(planned: Sequence[tuple[Command, Plan]], consent: Consent) -> bool:
    """Show the plans and ask, where the tier asks. False: the person said no.

    Without a terminal tiers 0 to 2 proceed; tier 3 needs `--confirm NAME` for each, which -y never replaces, and raises
    UsageError without it.
    """
    missing = _unconfirmed(planned, consent)
    out = _conversation()
    if out is None:
        if missing:
            raise _needs_name(missing)
        return True
    highest = max(risk(command) for command, _ in planned)
    settled = not missing if highest is Risk.DESTRUCTIVE else consent.yes or highest is Risk.LOOK
    if settled:
        return True
    for _, plan in planned:
        print_plan(out, plan)
    if missing:
        return all(_typed(out, name) for name in missing)
    what = " and ".join(safe(sentence(command)) for command, _ in planned)
    return _answer(out, f"{what[:1].upper()}{what[1:]}? [y/N] ").strip().lower() in ("y", "yes")


def asks(consent: Consent) -> bool:
    """True if a reversible change is shown to a person before it is made."""
    return not consent.yes and _conversation() is not None


def _unconfirmed(planned: Sequence[tuple[Command, Plan]], consent: Consent) -> list[str]:
    needed = [confirm_name(command) for command, _ in planned if risk(command) is Risk.DESTRUCTIVE]
    return [name for name in needed if name not in consent.names]


def _conversation() -> Output | None:
    """Where to ask: whichever of stdout and stderr is a terminal, and nowhere if nobody can answer."""
    if not sys.stdin.isatty():
        return None
    return next((out for out in (stdout(), stderr()) if out.terminal), None)


def _needs_name(missing: Sequence[str]) -> UsageError:
    flags = " ".join(f"--confirm {safe(name)}" for name in missing)
    return UsageError(
        "This loses data, and there is no terminal to ask on.", hint=f"Add `{flags}` if you mean it; -y is not enough."
    )


def _typed(out: Output, name: str) -> bool:
    return _answer(out, f"This cannot be undone. Type {safe(name)} to go on: ").strip() == name


def _answer(out: Output, question: str) -> str:
    out.stream.write(question)
    out.stream.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        out.line()
    return answer


def print_plan(out: Output, plan: Plan) -> None:
    """What would be done and why, then what it risks and what it assumes."""
    out.wrapped(safe(plan.summary), tone="strong")
    subjects = max((len(f"{step.verb} {step.subject}") for step in plan.steps[:_SHOWN_STEPS]), default=0)
    for step in plan.steps[:_SHOWN_STEPS]:
        what = safe(f"{step.verb} {step.subject}")
        out.wrapped(f"  {what:<{min(subjects, 40)}}  {safe(step.cause)}".rstrip(), indent="")
    if len(plan.steps) > _SHOWN_STEPS:
        out.line(f"  … and {count(len(plan.steps) - _SHOWN_STEPS, 'more step', 'more steps')}")
    for change in plan.changes:
        what = f"{change.subject}: {change.field}".rstrip(": ")
        out.wrapped(f"{safe(what)} {change_words(change.old, change.new)}", indent="  ")
    for risk_sentence in plan.risks:
        out.wrapped(f"risk: {safe(risk_sentence)}", indent="  ", tone="warn")
    for note in plan.notes:
        out.wrapped(f"note: {safe(note)}", indent="  ")
    if plan.unchanged:
        out.wrapped(f"unchanged: {', '.join(safe(each) for each in plan.unchanged)}", indent="  ", tone="muted")


def change_words(old: str, new: str) -> str:
    if not old:
        return f"added ({safe(new)})"
    if not new:
        return f"removed ({safe(old)})"
    return f"{safe(old)} → {safe(new)}"
