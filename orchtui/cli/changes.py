"""Every command that changes something: resolve, plan, ask, execute, wait."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from orchtui.cli import names
from orchtui.cli.confirm import Consent, agree, print_plan
from orchtui.cli.output import Output, stdout
from orchtui.cli.session import actor, live_snapshot, opened, run
from orchtui.cli.wait import settle
from orchtui.commands import Act, ActVerb, Command, Down, Receipt, Rollback, Scale
from orchtui.config import Settings
from orchtui.core.text import safe
from orchtui.engine import Engine
from orchtui.errors import NotFound, OrchtuiError
from orchtui.model.observed import Owner
from orchtui.model.snapshot import Snapshot

_VERBS: dict[str, ActVerb] = {"restart": "restart", "start": "start", "stop": "stop", "kill": "kill", "rm": "remove"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a change is carried out: what was agreed beforehand, and how long to wait (None: do not)."""

    consent: Consent
    timeout: float | None = None

    @classmethod
    def of(cls, arguments: argparse.Namespace, settings: Settings) -> Manner:
        """An in-process engine ends with this command, so the command always waits for it."""
        can_wait = hasattr(arguments, "wait")
        wait = can_wait and (arguments.wait or settings.in_process)
        return cls(
            consent=Consent(yes=arguments.yes, names=tuple(arguments.confirm)),
            timeout=float(arguments.timeout) if wait else None,
        )


Commands = Callable[[Snapshot], Sequence[Command]]


def down(arguments: argparse.Namespace, settings: Settings) -> int:
    def commands(snapshot: Snapshot) -> Sequence[Command]:
        stack = names.stack_of(snapshot, arguments.stack)
        return [Down(stack=stack.name if stack.owner is Owner.MANAGED else stack.key, volumes=arguments.volumes)]

    return change(commands, arguments, settings)


def scale(arguments: argparse.Namespace, settings: Settings) -> int:
    def commands(snapshot: Snapshot) -> Sequence[Command]:
        return [
            Scale(service=names.service_of(snapshot, name).key, replicas=number) for name, number in arguments.counts
        ]

    return change(commands, arguments, settings)


def act(arguments: argparse.Namespace, settings: Settings) -> int:
    """restart, start, stop, kill and rm."""
    verb = _VERBS[arguments.command]

    def commands(snapshot: Snapshot) -> Sequence[Command]:
        targets = dict.fromkeys(names.resolve(snapshot, name) for name in arguments.targets)
        signal: str | None = getattr(arguments, "signal", None)
        return [
            Act(verb=verb, target=each, signal=signal, force=getattr(arguments, "force", False)) for each in targets
        ]

    return change(commands, arguments, settings)


def rollback(arguments: argparse.Namespace, settings: Settings) -> int:
    return run(_rollback(arguments, Manner.of(arguments, settings), settings))


async def _rollback(arguments: argparse.Namespace, manner: Manner, settings: Settings) -> int:
    async with opened(settings, change=True) as engine:
        stack, service = await _rollback_target(engine, await live_snapshot(engine), arguments.target)
        command = Rollback(stack=stack, to=arguments.to, service=service, replicas=arguments.replicas)
        return await perform(engine, [command], manner, stdout())


async def _rollback_target(engine: Engine, snapshot: Snapshot, name: str) -> tuple[str, str | None]:
    """The stack's name, and the service's where only one is meant. A stack that is down still has its revisions."""
    try:
        target = names.resolve(snapshot, name, ("stack", "service"))
    except NotFound:
        stack, _, service = name.removeprefix("stack:").removeprefix("service:").partition("/")
        with suppress(NotFound):
            await engine.history(stack)
            return stack, service or None
        raise
    if target.kind == "stack":
        return snapshot.stacks[target.key].name, None
    found = snapshot.services[target.key]
    return snapshot.stacks[found.stack].name, found.name


def change(commands: Commands, arguments: argparse.Namespace, settings: Settings) -> int:
    return run(_change(commands, Manner.of(arguments, settings), settings))


async def _change(commands: Commands, manner: Manner, settings: Settings) -> int:
    async with opened(settings, change=True) as engine:
        snapshot = await live_snapshot(engine)
        return await perform(engine, commands(snapshot), manner, stdout())


async def perform(engine: Engine, commands: Sequence[Command], manner: Manner, out: Output) -> int:
    """Plan, ask, execute and wait for `commands`, one answer for all of them. Exit 0 done, 1 declined."""
    planned = [(command, await engine.plan(command)) for command in commands]
    if manner.timeout is None and all(plan.empty for _, plan in planned):
        for _, plan in planned:
            print_plan(out, plan)
        return 0
    if not agree(planned, manner.consent):
        out.line("Nothing was changed.")
        return 1
    receipts = await _execute(engine, [command for command, _ in planned], out)
    if manner.timeout is not None and any(receipt.serial for receipt in receipts):
        removing = any(isinstance(command, Down) for command in commands)
        await settle(engine, receipts, timeout=manner.timeout, out=out, removing=removing)
    return 0


async def _execute(engine: Engine, commands: Sequence[Command], out: Output) -> list[Receipt]:
    receipts: list[Receipt] = []
    who = actor()
    for command in commands:
        try:
            receipt = await engine.execute(command, who)
        except OrchtuiError:
            if receipts:
                out.line("What is above was done; the rest was not.")
            raise
        receipts.append(receipt)
        out.wrapped(safe(receipt.message))
        out.stream.flush()
    return receipts
