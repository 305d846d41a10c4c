"""What a YAML scalar means to Compose.

Compose reads with go-yaml v3, which is neither YAML 1.1 nor 1.2: `no` and `22:22` are text, `0440` and `0o440` are
octal, `1_000` is a thousand, `12e03` is a float (research/orchestrators.md 2.13; go-yaml resolve.go).
"""

from __future__ import annotations

import math
import re

from orchtui.compose.nodes import Scalar, Timestamp
from orchtui.compose.problems import Malformed, quoted

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ ])[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?"
                   r"(?:Z|[-+][0-9]{2}:[0-9]{2})?)?")  # fmt: skip

CORE = "tag:yaml.org,2002:"


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "+-.0123456789":
        return text
    if _DATE.fullmatch(text):
        return Timestamp(text)
    digits = text.replace("_", "")
    number = _integer(digits)
    if number is not None:
        return number
    if _FLOAT.fullmatch(digits):
        value = float(digits)
        # Go's ParseFloat fails on overflow, so `1e400` stays text.
        return text if math.isinf(value) else value
    return text


def resolve_tagged(text: str, tag: str) -> Scalar:
    """The value of a scalar with an explicit `!!tag`. Raises Malformed where the text is not of that type."""
    kind = tag.removeprefix(CORE)
    if kind == "str":
        return text
    value = resolve(text)
    match kind, value:
        case ("null", None) | ("bool", bool()) | ("timestamp", Timestamp()):
            return value
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
    raise Malformed(f"{quoted(text)} is not a YAML !!{kind}", "remove the tag")


def go_text(value: bool | int | float | str) -> str:
    """A scalar as Go prints it (`%v`), which is what Compose puts into environment variables and labels."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1, value) < 0 else ""
    digits, power = _shortest(abs(value))
    if -4 <= power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    if 0 <= power < 6:  # Go's %v: an exponent from a million on
        whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    else:
        whole, fraction = digits[0], digits[1:]
    text = f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
    return text if 0 <= power < 6 else f"{text}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _shortest(value: float) -> tuple[str, int]:
    """The fewest digits that read back as `value`, without zeros at the ends, and the power of ten of the first."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    return (digits.rstrip("0"), power) if digits else ("0", 0)


def _integer(text: str) -> int | None:
    """Go's `ParseInt(text, 0, 64)`, then `ParseUint`: None when it is no integer or does not fit."""
    match = _INTEGER.fullmatch(text)
    if match is None or len(text) > 70:
        return None
    sign, hexadecimal, binary, octal, decimal = match.groups()
    for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)):
        if digits is not None:
            value = int(digits, base)
            break
    else:
        raise AssertionError("unreachable")
    if sign == "-":
        value = -value
    return value if -(2**63) <= value < 2**64 else None
