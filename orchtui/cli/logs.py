"""`orchtui logs`: lines of containers, services and stacks; made safe on a terminal, as they are into a pipe."""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchtui.cli import names
from orchtui.cli.output import Output, stderr, stdout
from orchtui.cli.session import closing, live_snapshot, opened, run
from orchtui.config import Settings
from orchtui.core.text import count, safe
from orchtui.engine import Engine, LogRequest
from orchtui.errors import OrchtuiError, UsageError
from orchtui.model.logs import LogBatch

_SGR = re.compile(r"\x1b\[[0-9;:]*m")  # colours of the program: harmless, and unreadable as pictures
_NAME_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
_BACKLOG = 16  # batches read ahead while the output is slow


def logs(arguments: argparse.Namespace, settings: Settings) -> int:
    pattern = None
    if arguments.grep is not None:
        try:
            pattern = re.compile(arguments.grep)
        except re.error as error:
            raise UsageError(
                f"--grep: `{safe(arguments.grep)}` is no regular expression: {error}.",
                hint="Quote what is meant as it is.",
            ) from error
    return run(_logs(arguments, pattern, settings))


async def _logs(arguments: argparse.Namespace, pattern: re.Pattern[str] | None, settings: Settings) -> int:
    async with opened(settings, change=False) as engine:
        snapshot = await live_snapshot(engine)
        targets = list(dict.fromkeys(names.resolve(snapshot, name) for name in arguments.targets))
        printer = Printer(
            out=stdout(),
            prefixed=len(targets) > 1 or targets[0].kind != "container",
            timestamps=arguments.timestamps,
            json=arguments.json,
            pattern=pattern,
        )
        requests = [
            LogRequest(target=target, follow=arguments.follow, since=arguments.since, tail=arguments.tail)
            for target in targets
        ]
        if len(requests) == 1:
            async with closing(engine.logs(requests[0])) as batches:
                async for batch in batches:
                    printer.batch(batch)
        elif arguments.follow:
            await _together(engine, requests, printer)
        else:
            await _merged(engine, requests, printer)
    return 0


async def _together(engine: Engine, requests: Sequence[LogRequest], printer: Printer) -> None:
    """Follow several targets: whatever comes first is printed first."""
    queue: asyncio.Queue[LogBatch | None] = asyncio.Queue(_BACKLOG)

    async def read(request: LogRequest) -> None:
        async with closing(engine.logs(request)) as batches:
            async for batch in batches:
                await queue.put(batch)
        await queue.put(None)

    try:
        async with asyncio.TaskGroup() as readers:
            for request in requests:
                readers.create_task(read(request))
            ended = 0
            while ended < len(requests):
                batch = await queue.get()
                if batch is None:
                    ended += 1
                else:
                    printer.batch(batch)
    except* OrchtuiError as group:
        raise group.exceptions[0] from None


async def _merged(engine: Engine, requests: Sequence[LogRequest], printer: Printer) -> None:
    """Print several targets' lines in true time order, holding one batch of each."""
    streams = [engine.logs(request) for request in requests]
    try:
        heads = {index: head for index, stream in enumerate(streams) if (head := await _next(stream)) is not None}
        while heads:
            # The batch that ends first can be printed as far as no other begins earlier.
            index = min(heads, key=lambda each: heads[each].times[0])
            others = [head.times[0] for each, head in heads.items() if each != index]
            printed, rest = _split(heads[index], min(others, default=float("inf")))
            printer.batch(printed)
            following = rest if rest is not None else await _next(streams[index])
            if following is None:
                del heads[index]
            else:
                heads[index] = following
    finally:
        for stream in streams:
            async with closing(stream):
                pass


async def _next(stream: AsyncIterator[LogBatch]) -> LogBatch | None:
    async for batch in stream:
        if batch.lines:
            return batch
    return None


def _split(batch: LogBatch, until: float) -> tuple[LogBatch, LogBatch | None]:
    """The lines up to and including `until` (at least one), and the rest."""
    at = next((index for index, time in enumerate(batch.times) if time > until), len(batch.times)) or 1
    if at == len(batch.times):
        return batch, None
    return _part(batch, slice(0, at), batch.skipped), _part(batch, slice(at, None), 0)


def _part(batch: LogBatch, part: slice, skipped: int) -> LogBatch:
    return LogBatch(
        names=batch.names,
        times=batch.times[part],
        source=batch.source[part],
        stderr=batch.stderr[part],
        lines=batch.lines[part],
        skipped=skipped,
    )


@dataclass(slots=True, kw_only=True)
class Printer:
    """Writes batches as text or as one JSON object a line."""

    out: Output
    prefixed: bool
    timestamps: bool
    json: bool
    pattern: re.Pattern[str] | None
    _width: int = 0

    def batch(self, batch: LogBatch) -> None:
        if batch.skipped:
            stderr().line(f"… {count(batch.skipped, 'line')} skipped: the output is slower than the log", "muted")
        if batch.note:
            stderr().line(safe(batch.note), "muted")
        prefixes = [self._prefix(name) for name in batch.names]
        write = self._json_line if self.json else self._text_line
        for index, line in enumerate(batch.lines):
            line = line.removesuffix("\r")
            if self.pattern is None or self.pattern.search(line):
                write(batch, index, line, prefixes[batch.source[index]])
        self.out.stream.flush()

    def _prefix(self, name: str) -> str:
        if not self.prefixed:
            return ""
        self._width = max(self._width, len(name))
        text = f"{safe(name):<{self._width}} | "
        if not self.out.colour:
            return text
        colour = _NAME_COLOURS[sum(name.encode()) % len(_NAME_COLOURS)]
        return f"\x1b[{colour}m{text}\x1b[0m"

    def _text_line(self, batch: LogBatch, index: int, line: str, prefix: str) -> None:
        when = f"{_time(batch.times[index])} " if self.timestamps else ""
        if self.out.terminal:
            line = safe(_SGR.sub("", line).expandtabs())
        self.out.stream.write(f"{prefix}{when}{line}\n")

    def _json_line(self, batch: LogBatch, index: int, line: str, prefix: str) -> None:
        import json

        entry = {
            "time": batch.times[index],
            "container": batch.names[batch.source[index]],
            "stream": "stderr" if batch.stderr[index] else "stdout",
            "line": line,
        }
        self.out.stream.write(json.dumps(entry) + "\n")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")
