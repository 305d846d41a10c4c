"""The filter language of the tables: words that must all match, `!word`, `field:value`, `label:key=value`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIELDS = ("state", "stack", "service", "image", "owner", "name")


@dataclass(frozen=True, slots=True)
class Term:
    """One word. `field` "" looks at everything a row shows, `label` at a container's labels."""

    field: str
    value: str
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What a filter looks at; all texts in lower case."""

    text: str
    fields: Mapping[str, str]
    labels: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter; an empty one matches everything."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, subject: Subject) -> bool:
        return all(_matches(term, subject) != term.inverse for term in self.terms)


EVERYTHING = Filter()


def parse(text: str) -> Filter:
    """`web !old state:unhealthy -l tier=front` as a Filter. Unknown `field:` prefixes are words like any other."""
    terms: list[Term] = []
    words = iter(text.split())
    for word in words:
        inverse = word.startswith("!") and len(word) > 1
        if inverse:
            word = word[1:]
        if word in ("-l", "--label"):
            word = "label:" + next(words, "")
        name, colon, value = word.partition(":")
        if colon and name.lower() == "label":
            terms.append(Term("label", value, inverse))
        elif colon and name.lower() in FIELDS:
            terms.append(Term(name.lower(), value.lower(), inverse))
        else:
            terms.append(Term("", word.lower(), inverse))
    return Filter(tuple(term for term in terms if term.value))


def _matches(term: Term, subject: Subject) -> bool:
    if term.field == "":
        return term.value in subject.text
    if term.field == "label":
        key, equals, value = term.value.partition("=")
        return any(labels.get(key) == value if equals else key in labels for labels in subject.labels)
    if term.field in ("state", "stack", "owner"):
        # A whole word, so that `state:healthy` leaves out `unhealthy`.
        return term.value in subject.fields.get(term.field, "").split()
    return term.value in subject.fields.get(term.field, "")
