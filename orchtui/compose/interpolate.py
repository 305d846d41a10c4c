"""Variables in stack files: `$VAR`, `${VAR}`, and Compose's operators, nested.

The language is compose-go's template package, which is not a shell: `$$` is a dollar sign, a `$` that starts nothing
is kept, the word after an operator is substituted whether or not it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from orchtui.compose.nodes import Node
from orchtui.compose.problems import Malformed, Report, quoted

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-+?]")
_MAX_NESTING = 32
_MAX_OUTPUT = 4 * 1024 * 1024

Lookup = Callable[[str], str | None]


@dataclass(slots=True)
class Variables:
    """Where values come from, which names were asked for in vain, and how much was produced (values can multiply)."""

    lookup: Lookup
    unset: dict[str, None] = field(default_factory=dict)
    produced: int = 0

    def get(self, name: str, *, quiet: bool = False) -> str | None:
        value = self.lookup(name)
        if value is None and not quiet:
            self.unset[name] = None
        return value


def substitute(template: str, variables: Variables) -> str:
    """`template` with its variables replaced. Raises Malformed for bad syntax or a missing required variable."""
    if "$" not in template:
        return template
    text, _ = _expand(template, 0, variables, 0)
    variables.produced += len(text)
    if variables.produced > _MAX_OUTPUT:
        raise Malformed("the variables make the file larger than 4 MiB", "check the values of its variables")
    return text


def interpolate(node: Node, variables: Variables, report: Report) -> Node:
    """The same tree with all text values (not keys) substituted; problems and unset variables are reported in place."""
    value = node.value
    if isinstance(value, dict):
        entries = {key: interpolate(child, variables, report) for key, child in value.items()}
        return Node(entries, node.at, node.keys, node.tag)
    if isinstance(value, list):
        return Node([interpolate(child, variables, report) for child in value], node.at, node.keys, node.tag)
    if not isinstance(value, str) or "$" not in value:
        return node
    variables.unset.clear()
    try:
        text = substitute(value, variables)
    except Malformed as problem:
        report.error(node.at, problem.message, problem.hint)
        text = value
    for name in variables.unset:
        report.warning(
            node.at, f"the variable {quoted(name)} is not set: empty text is used", f"set it, or write ${{{name}:-…}}"
        )
    return Node(text, node.at, node.keys, node.tag)


def _expand(text: str, start: int, variables: Variables, nesting: int) -> tuple[str, int]:
    """Expand from `start` to the end, or inside braces to the closing one; returns the text and where it stopped."""
    pieces: list[str] = []
    braces = 0
    position = start
    while position < len(text):
        char = text[position]
        if nesting and char == "}":
            if not braces:
                return "".join(pieces), position
            braces -= 1
        elif nesting and char == "{":
            braces += 1
        elif nesting and char == "\n":
            raise _bad(text)
        elif char == "$":
            piece, position = _variable(text, position + 1, variables, nesting)
            pieces.append(piece)
            continue
        pieces.append(char)
        position += 1
    if nesting:
        raise _bad(text)
    return "".join(pieces), position


def _variable(text: str, position: int, variables: Variables, nesting: int) -> tuple[str, int]:
    """What stands after a `$`: the replacement, and the place after it."""
    if text.startswith("$", position):
        return "$", position + 1
    if not text.startswith("{", position):
        name = _NAME.match(text, position)
        if name is None:
            return "$", position
        return variables.get(name.group()) or "", name.end()
    if nesting >= _MAX_NESTING:
        raise Malformed(f"variables nested more than {_MAX_NESTING} deep", "use fewer levels of ${…:-…}")
    name = _NAME.match(text, position + 1)
    if name is None:
        raise _bad(text)
    if text.startswith("}", name.end()):
        return variables.get(name.group()) or "", name.end() + 1
    operator = _OPERATOR.match(text, name.end())
    if operator is None:
        raise _bad(text)
    word, end = _expand(text, operator.end(), variables, nesting + 1)
    return _apply(operator.group(), name.group(), word, variables), end + 1


def _apply(operator: str, name: str, word: str, variables: Variables) -> str:
    value = variables.get(name, quiet=True)
    missing = value is None or (operator[0] == ":" and value == "")
    match operator[-1]:
        case "-":
            return word if missing else value or ""
        case "+":
            return "" if missing else word
        case _:
            if missing:
                reason = f": {word}" if word else ""
                raise Malformed(
                    f"the required variable {quoted(name)} is not set{reason}", f"set {name} or put it in .env"
                )
            return value or ""


def _bad(text: str) -> Malformed:
    return Malformed(
        f"invalid variable in {quoted(text)}", "write ${NAME} or ${NAME:-default}; a dollar sign itself is $$"
    )
