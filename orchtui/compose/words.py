"""A command written as one string, split into words as Compose splits it."""

from __future__ import annotations

from orchtui.compose.problems import Malformed

_HINT = 'for shell syntax write a list: ["sh", "-c", "…"]'


def split(line: str) -> list[str]:
    """The words of `line` (mattn/go-shellwords, which is no shell: `$(…)` and backquotes are kept as text).

    Raises Malformed for an open quote, and for an unquoted `;`, `|`, `&`, `<` or `>`: Compose silently drops the
    rest of the command there, which nobody means.
    """
    words: list[str] = []
    word = ""
    started = escaped = False
    inside = ""  # the quote that is open: one of ' " ` $
    for char in line:
        if escaped:
            word, started, escaped = word + char, True, False
        elif char == "\\" and inside != "'":
            escaped = True
        elif char in " \t\r\n" and not inside:
            if started:
                words.append(word)
            word, started = "", False
        elif (char == '"' and inside in ('"', "", "`")) or (char == "'" and inside in ("'", "", "`")):
            if inside == "`":
                raise Malformed("a quote inside backquotes is ambiguous", _HINT)
            inside, started = ("" if inside else char), True
        else:
            inside = _toggled(inside, char, word)
            word, started = word + char, True
    if inside or escaped:
        raise Malformed("the command ends inside a quote", "close it, or write the command as a list")
    return [*words, word] if started else words


def _toggled(inside: str, char: str, word: str) -> str:
    """The open quote after the ordinary character `char`."""
    if inside in ("'", '"'):
        return inside
    if char == "`" and inside in ("", "`"):
        return "" if inside else "`"
    if char == "(" and not inside and word.endswith("$"):
        return "$"
    if char == ")" and inside == "$":
        return ""
    if char in "()" and inside != "`":
        raise Malformed(f"an unquoted {char} in a command", _HINT)
    if char in ";&|<>" and not inside:
        raise Malformed(f"Compose would cut the command off at the unquoted {char}", _HINT)
    return inside
