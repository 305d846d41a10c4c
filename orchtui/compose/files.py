"""The one place where stack files and env files are read: as the person who runs the command, within limits."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchtui.compose.problems import Malformed
from orchtui.compose.yaml_nodes import MAX_BYTES

_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


def read_text(path: Path) -> str:
    """The text of a regular file of at most 1 MiB. Never blocks; raises Malformed for the rest."""
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Malformed("the file does not exist", "check the path") from None
    except PermissionError:
        raise Malformed("the file cannot be read: permission denied", "check its owner and mode") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Malformed(f"the file cannot be opened: {reason}", "check the path") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "is no regular file")
        raise Malformed(f"this {kind}, not a file", "name a regular file")
    try:
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Malformed(f"the file cannot be read: {error.strerror}", "check the file system") from None
    if len(content) > MAX_BYTES:
        raise Malformed("the file is larger than 1 MiB", "split it; several files are one stack")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Malformed(f"not UTF-8 text (byte {error.start}, line {line})", "save the file as UTF-8") from None
