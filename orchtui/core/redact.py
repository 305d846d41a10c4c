"""Secrets kept out of everything a person or a log sees: by key name, by shape and by known value (DESIGN 11).

Masking errs on the side of hiding: a value that merely looks secret costs a reader one `docker inspect`, a leaked one
costs a rotation. The mask is the same whatever it hides, so it shows neither content nor length; whoever reads a
document back refuses text for which `is_masked` holds, so that a mask can never be applied.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import quote

from orchtui.model.observed import Container

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

MASK = "••••••"

# A name is secret when one of these stands anywhere in it (`DBPASSWORD`, `accessToken`) …
_STEMS = (
    "password", "passwd", "passphrase", "passcode", "requirepass", "masterauth", "secret", "token", "credential",
    "apikey", "accesskey", "privatekey", "authkey", "authorization", "bearer", "connectionstring", "htpasswd",
)  # fmt: skip
# … or when one of these is a whole word of it (`DB_PASS`, `SENTRY_DSN`), the last word being `key` included.
_WORDS = frozenset({"pass", "pw", "pwd", "auth", "cookie", "pat", "dsn", "pin", "otp", "salt", "creds", "cred", "jwt"})
_LAST_WORDS = frozenset({"key", "keys", "keyring"})
_HARMLESS = frozenset({"sandboxkey", "publickey", "sshauthsock", "pubkey"})  # Docker's own and public halves

_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_SQUEEZE = re.compile(r"[^a-z0-9]+")

_URL = re.compile(r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?P<user>[^\s/:@?#'\"]*):(?P<password>[^\s/'\"]+)@")
_URL_TOKEN = re.compile(r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?P<token>[^\s/:@?#'\"]{20,})@")
_HEADER = re.compile(
    r"(?i)(?P<head>\b(?:authorization|cookie|x-[a-z-]*(?:key|token|auth))\s*:\s*)(?P<value>[^'\"\r\n]+)"
)
_SCHEME = re.compile(r"(?i)(?P<head>\b(?:bearer|basic)\s+)(?P<value>[A-Za-z0-9+/=._~-]{8,})")
_PAIR = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,80})(?P<sign>\s?=\s?|\"\s?:\s?|\s?:\s?(?=\"))"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s&;,'\"]+)"
)
_OPTION = re.compile(
    r"(?P<name>(?<![\w-])--?[A-Za-z][A-Za-z0-9-]{0,60})(?P<sign>\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s'\"-]\S*)"
)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bSWMTKN-[A-Za-z0-9-]{20,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    re.DOTALL,
)
_MYSQL = re.compile(r"(?:^|/)(?:mysql|mariadb)[a-z_-]*$")

_COMMANDS = frozenset({"cmd", "entrypoint", "args", "command", "test"})


def looks_secret(name: str) -> bool:
    """Whether a variable, label, option or JSON key of this name is likely to hold a secret."""
    squeezed = _SQUEEZE.sub("", name.lower())
    if squeezed in _HARMLESS:
        return False
    if any(stem in squeezed for stem in _STEMS):
        return True
    words = [word.lower() for word in _BREAK.split(name) if word]
    if not words:
        return False
    return not _WORDS.isdisjoint(words) or (words[-1] in _LAST_WORDS and "public" not in words)


def is_masked(text: str) -> bool:
    """Whether the text holds a mask: it is for reading and must never be applied."""
    return MASK in text


def mask_env(name: str, value: str) -> str:
    """The value of an environment variable as it may be shown. Empty stays empty; `*_FILE` keeps its path."""
    if not value:
        return value
    if looks_secret(name) and not (name.upper().endswith("_FILE") and value.startswith("/")):
        return MASK
    return mask_text(value)


def mask_pair(entry: str) -> str:
    """The same of one `NAME=value` entry."""
    name, sign, value = entry.partition("=")
    return f"{name}{sign}{mask_env(name, value)}" if sign else entry


def mask_text(text: str, known: Iterable[str] = ()) -> str:
    """Free text with the secrets in it masked: known values, credentials in URLs, headers, options, token shapes."""
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, MASK)
    if len(text) < 4:
        return text
    if "://" in text:
        text = _URL.sub(rf"\g<head>\g<user>:{MASK}@", text)
        text = _URL_TOKEN.sub(rf"\g<head>{MASK}@", text)
    if ":" in text:
        text = _HEADER.sub(rf"\g<head>{MASK}", text)
    text = _SCHEME.sub(rf"\g<head>{MASK}", text)
    text = _SHAPES.sub(MASK, text)
    if "=" in text or '"' in text:
        text = _PAIR.sub(_mask_match, text)
    if "-" in text:
        text = _OPTION.sub(_mask_match, text)
    return text


def _mask_match(match: re.Match[str]) -> str:
    if not looks_secret(match["name"]) or is_masked(match["value"]):
        return match.group()
    return f"{match['name']}{match['sign']}{MASK}"


def mask_command(argv: Sequence[str], known: Iterable[str] = ()) -> tuple[str, ...]:
    """An argument list, the argument after a secret-looking option (`--password x`, redis `-a x`) included."""
    known = tuple(known)
    shown: list[str] = []
    hide = False
    mysql = bool(argv) and _MYSQL.search(argv[0]) is not None
    redis = bool(argv) and argv[0].endswith("redis-cli")
    for argument in argv:
        if hide and not argument.startswith("-"):
            shown.append(MASK)
            hide = False
            continue
        name, sign, _ = argument.partition("=")
        option = name.startswith("-") and looks_secret(name)
        hide = (option and not sign) or (redis and argument == "-a")
        if mysql and argument.startswith("-p") and len(argument) > 2:
            shown.append(f"-p{MASK}")
            hide = False
        elif option and sign:
            shown.append(f"{name}={MASK}")
        else:
            shown.append(mask_text(argument, known))
    return tuple(shown)


def secret_values(entries: Iterable[str]) -> frozenset[str]:
    """The secret values among `NAME=value` entries, to be masked wherever else they show up.

    Short and dictionary-like ones are left out: `POSTGRES_PASSWORD=postgres` must not mask every `postgres`.
    """
    found = set()
    for entry in entries:
        name, _, value = entry.partition("=")
        if looks_secret(name) and not value.startswith("/") and len(value) >= 6:
            if len(value) < 16 and value.isalpha() and value.islower():
                continue
            found.add(value)
    return frozenset(found)


def spellings(values: Iterable[str]) -> tuple[str, ...]:
    """Known values as they turn up in logs: plain, in a URL, in JSON, in base64. The longest first."""
    found = set()
    for value in values:
        plain = value.encode("utf-8", "surrogatepass")
        coded = base64.b64encode(plain).decode()
        found |= {value, quote(plain, safe=""), json.dumps(value)[1:-1], coded, coded.rstrip("=")}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def mask_known(line: str, known: Sequence[str]) -> str:
    """A line with known values masked and nothing else touched: logs are evidence, and there are many of them."""
    for value in known:
        if value in line:
            line = line.replace(value, MASK)
    return line


def mask_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Labels (or a volume's options) as they may be shown; the very same mapping where nothing is hidden."""
    shown = {name: mask_env(name, value) for name, value in labels.items()}
    return labels if shown == labels else shown


def shown(container: Container) -> Container:
    """A container without secrets: what is in a snapshot may be shown anywhere."""
    return replace(
        container,
        command=mask_text(container.command),
        error=mask_text(container.error),
        labels=mask_labels(container.labels),
    )


def mask_document(document: Json) -> Json:
    """A JSON document (an inspect answer, a Compose tree) as it may be shown; its shape is kept.

    Values of secret-looking variables are masked wherever else they occur in it too.
    """
    return _mask(document, "", secret_values(_env_entries(document)))


def _env_entries(document: Json) -> Iterable[str]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            if key.lower() in ("env", "environment"):
                if isinstance(value, Mapping):
                    yield from (f"{name}={text}" for name, text in value.items() if isinstance(text, str))
                elif isinstance(value, Sequence) and not isinstance(value, str):
                    yield from (entry for entry in value if isinstance(entry, str))
            else:
                yield from _env_entries(value)
    elif isinstance(document, Sequence) and not isinstance(document, str):
        for item in document:
            yield from _env_entries(item)


def _mask(value: Json, key: str, known: frozenset[str]) -> Json:
    """`key` is the lower-case name under which the value stands."""
    if isinstance(value, str):
        return mask_text(value, known)
    if isinstance(value, Mapping):
        return {name: _mask_entry(name, inner, key, known) for name, inner in value.items()}
    if isinstance(value, Sequence):
        if key in ("env", "environment"):
            return [mask_pair(entry) if isinstance(entry, str) else _mask(entry, "", known) for entry in value]
        if key in _COMMANDS:
            strings = [entry for entry in value if isinstance(entry, str)]
            if len(strings) == len(value):
                return list(mask_command(strings, known))
        return [_mask(entry, key, known) for entry in value]
    return value


def _mask_entry(name: str, value: Json, parent: str, known: frozenset[str]) -> Json:
    lowered = name.lower()
    if lowered in ("secrets", "configs"):  # Compose and Swarm: references, and at most inline content
        return _mask(value, lowered, known)
    if parent in ("secrets", "configs"):  # a user's own name for a reference, whatever it is called
        return _mask(value, "reference", known)
    if (parent == "reference" and lowered in ("content", "data")) or looks_secret(name):
        if isinstance(value, str) and parent in ("env", "environment"):
            return mask_env(name, value)
        return _blank(value)
    return _mask(value, lowered, known)


def _blank(value: Json) -> Json:
    """Every leaf masked; None, booleans and empty text stay, they hide nothing."""
    if isinstance(value, Mapping):
        return {name: _blank(inner) for name, inner in value.items()}
    if isinstance(value, str):
        return MASK if value else value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Sequence):
        return [_blank(entry) for entry in value]
    return MASK
