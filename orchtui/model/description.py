"""One thing described in full for a person: already masked, still unsanitised."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    value: str
    tone: str = ""  # "", "good", "warn", "bad", "muted": what the value means, never the only sign of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """`document` is the raw inspect output as pretty JSON text, secrets masked ("" where there is none)."""

    title: str
    sections: tuple[Section, ...]
    document: str = ""
