"""Where the engine's process writes what happened: a small rotating file, private and free of control bytes."""

from __future__ import annotations

import io
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from orchtui.core.text import safe

_MAX_BYTES = 1 << 20
_KEPT = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

logger = logging.getLogger("orchtui")


class _Sanitised(logging.Formatter):
    """Names and messages from Docker are data: whoever reads the log with `cat` must not run them."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(safe, super().format(record).splitlines()))


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", errors="backslashreplace")


def log_to_file(path: Path) -> None:
    """Log to `path`, mode 0600, and keep three older files of 1 MiB each."""
    _install(_PrivateFile(path, maxBytes=_MAX_BYTES, backupCount=_KEPT))


def log_to_stderr() -> None:
    """Log to standard error: a supervisor's journal, or a person's terminal."""
    _install(logging.StreamHandler())


def _install(handler: logging.Handler) -> None:
    handler.setFormatter(_Sanitised(_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.INFO)
    sys.excepthook = _log_crash


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.critical("the engine crashed", exc_info=(kind, error, trace))
