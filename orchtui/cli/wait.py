"""`--wait`: follow a stack until the engine has finished with the change, and say how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchtui.cli.output import Output, cut
from orchtui.cli.session import closing
from orchtui.commands import Receipt
from orchtui.core.text import count, duration, safe
from orchtui.engine import Engine
from orchtui.errors import OrchtuiError, Refused
from orchtui.model.observed import Owner
from orchtui.model.snapshot import Service, Snapshot, Stack, Status

_FAILED = (Status.FAILED, Status.PAUSED, Status.DEGRADED, Status.TAKEN_OVER)
_MOVING = (Status.STARTING, Status.UPDATING, Status.ROLLING_BACK, Status.REMOVING)


class Progress:
    """One line that is rewritten on a terminal; elsewhere a line whenever something changed."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._shown = ""

    def show(self, text: str) -> None:
        if text == self._shown:
            return
        self._shown = text
        if self._out.moving:
            width = (self._out.width or 80) - 1
            self._out.stream.write(f"\r\x1b[K{cut(text, width)}")
        else:
            self._out.stream.write(text + "\n")
        self._out.stream.flush()

    def clear(self) -> None:
        """Leave the terminal's line free for what comes next."""
        if self._out.moving and self._shown:
            self._out.stream.write("\r\x1b[K")
            self._out.stream.flush()
        self._shown = ""


async def settle(
    engine: Engine, receipts: Sequence[Receipt], *, timeout: float, out: Output, removing: bool = False
) -> None:
    """Wait until every receipt's stack has settled (`removing`: until it is gone).

    `timeout` is in seconds. Raises OrchtuiError with the reason when the engine gave up or the time is over. Cancelled,
    it says that the change goes on.
    """
    # Serials of a stack only grow: its newest receipt stands for all of them.
    newest = {each.stack: each for each in sorted(receipts, key=lambda each: each.serial) if each.serial}
    waiting = list(newest.values())
    progress = Progress(out)
    last = "the first snapshot"
    try:
        async with asyncio.timeout(timeout), closing(engine.watch()) as snapshots:
            async for snapshot in snapshots:
                pending = [each for each in waiting if not _settled(snapshot, each, removing=removing)]
                if not pending:
                    progress.clear()
                    _outcome(snapshot, waiting, out)
                    return
                last = "; ".join(_progress(snapshot, receipt) for receipt in pending)
                progress.show(last)
    except TimeoutError:
        progress.clear()
        raise OrchtuiError(
            f"Not done after {duration(timeout)}; still waiting for {last}.",
            hint="The change goes on in the background; `orchtui status` shows it, --timeout waits longer.",
        ) from None
    except asyncio.CancelledError:
        progress.clear()
        out.line("The change goes on in the background; `orchtui status` shows it.")
        out.stream.flush()
        raise
    progress.clear()
    raise OrchtuiError("The engine ended while it was being waited for.", hint="`orchtui engine status` says more.")


def stack_named(snapshot: Snapshot, name: str) -> Stack | None:
    """The managed stack of this name; its key can carry a prefix when names collide."""
    stack = snapshot.stacks.get(name)
    if stack is not None and stack.owner is Owner.MANAGED:
        return stack
    return next((each for each in snapshot.stacks.values() if each.name == name and each.owner is Owner.MANAGED), None)


def _settled(snapshot: Snapshot, receipt: Receipt, *, removing: bool) -> bool:
    if snapshot.connection.state != "live":
        return False
    stack = stack_named(snapshot, receipt.stack)
    if stack is None:
        return removing
    return stack.settled >= receipt.serial


def _outcome(snapshot: Snapshot, receipts: Sequence[Receipt], out: Output) -> None:
    for receipt in receipts:
        stack = stack_named(snapshot, receipt.stack)
        if stack is None:
            out.line(f"{safe(receipt.stack)} is gone.", "good")
            continue
        services = [snapshot.services[key] for key in stack.services]
        if stack.status in _FAILED:
            raise _failure(stack, services)
        ready = ", ".join(_words(each) for each in services)
        state = stack.status.value.replace("_", " ")
        out.wrapped(f"{safe(stack.key)} is {state}" + (f": {ready}." if ready else "."), tone="good")


def _failure(stack: Stack, services: Sequence[Service]) -> OrchtuiError:
    reasons = [f"{each.key}: {each.reason}" for each in services if each.status in _FAILED and each.reason]
    if stack.reason:  # of one service it says it all; of several it only counts them
        reasons = [stack.reason, *(reasons if len(reasons) > 1 else [])]
    reason = "; ".join(reasons) or "no reason was given"
    state = stack.status.value.replace("_", " ")
    back = "" if (stack.revision or 0) < 2 else f" `orchtui rollback {safe(stack.key)}` goes back."
    return Refused(
        f"{safe(stack.key)} is {state}: {safe(reason)}.".replace("..", "."),
        hint=f"{_look(reason, services)}{back}",
    )


def _look(reason: str, services: Sequence[Service]) -> str:
    """Where to look next: the logs of what `reason` is about, as far as any of it ever ran."""
    failed = [each for each in services if each.status in _FAILED]
    named = [each for each in failed if each.reason and each.reason in reason] or failed
    ran = next((each for each in named if each.containers), None)
    if ran is None:
        return "`orchtui status` shows every problem."
    return f"`orchtui logs {safe(ran.key)} --tail 50` shows what it said."


def _progress(snapshot: Snapshot, receipt: Receipt) -> str:
    if snapshot.connection.state != "live":
        return f"Docker ({safe(snapshot.connection.reason or 'connecting')})"
    stack = stack_named(snapshot, receipt.stack)
    if stack is None:
        return f"{safe(receipt.stack)} to appear"
    services = [snapshot.services[key] for key in stack.services]
    if stack.status is Status.REMOVING:
        left = sum(len(each.containers) for each in services)
        return f"{safe(stack.key)} removing, {count(left, 'container')} left"
    moving = [each for each in services if each.status in _MOVING or each.ready != (each.desired or 0)]
    return ", ".join(_words(each) for each in moving or services) or f"{safe(stack.key)} to settle"


def _words(service: Service) -> str:
    name = safe(service.name)
    rollout = service.rollout
    if rollout is not None and rollout.state != "completed":
        paused = " paused" if rollout.state == "paused" else ""
        return f"{name} {rollout.ready}/{rollout.total} updated{paused}"
    if service.status is Status.COMPLETED:
        return f"{name} completed"
    wanted = service.ready if service.desired is None else service.desired
    return f"{name} {service.ready}/{wanted} ready"
