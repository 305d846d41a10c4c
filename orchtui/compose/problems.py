"""What is wrong in a stack file, and where: every problem of all files is collected, never only the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchtui.core.text import safe

Severity = Literal["error", "warning"]

# A suggestion costs about a millisecond; a hostile file may hold thousands of unknown keys.
_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file as the user named it; lines and columns count from 1, line 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        name = safe(self.file)
        return f"{name}:{self.line}:{self.column}" if self.line else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. As text: `file:line:column: error: what is wrong; what to do`."""

    severity: Severity
    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{Position(self.file, self.line, self.column)}: {self.severity}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class Malformed(ValueError):
    """A piece of text that is not what its place needs; the caller knows the place and reports it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Report:
    """Collects the problems of one load, each once. `files` are named in the order in which they shall be shown."""

    files: Sequence[str] = ()
    _found: dict[Problem, None] = field(default_factory=dict)
    _subjects: set[str] = field(default_factory=set)
    _suggested: int = 0

    def error(self, at: Position, message: str, hint: str = "") -> None:
        self._add("error", at, message, hint)

    def warning(self, at: Position, message: str, hint: str = "") -> None:
        self._add("warning", at, message, hint)

    def malformed(self, at: Position, where: str, problem: Malformed) -> None:
        """Report what a parser of one value raised, naming the key `where` it stands under."""
        self.error(at, f"{where}: {problem.message}", problem.hint)

    def suggestion(self, word: str, known: Iterable[str]) -> str:
        """`did you mean "replicas"?`, or nothing when no known word is close."""
        if len(word) > 40 or self._suggested >= _SUGGESTIONS:
            return ""
        self._suggested += 1
        close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
        return f'did you mean "{close[0]}"?' if close else ""

    def speaks_of(self, *keys: str) -> bool:
        """Whether an error about one of `keys` was reported already, so that what follows from it need not be."""
        return any(key in self._subjects for key in keys)

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self._found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems in the order of the files, and by place within a file."""
        order = {file: place for place, file in enumerate(self.files)}
        for problem in self._found:
            order.setdefault(problem.file, len(order))
        return tuple(sorted(self._found, key=lambda p: (order[p.file], p.line, p.column)))

    def _add(self, severity: Severity, at: Position, message: str, hint: str) -> None:
        problem = Problem(severity=severity, file=at.file, line=at.line, column=at.column, message=message, hint=hint)
        self._found[problem] = None
        if severity == "error":
            self._subjects.add(message.partition(" ")[0].rstrip(":"))


def quoted(text: str) -> str:
    """A piece of the user's text inside a message: made safe, cut to a readable length, in double quotes."""
    return f'"{safe(text, 60)}"'
