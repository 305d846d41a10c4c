"""Where things are and how orchtui was asked to run: one frozen value, made once from environment and flags."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

IDLE_EXIT_SECONDS = 60.0
_SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 108 bytes; the engine binds under a name a few bytes longer first


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this run was asked for. `host` and `context` are the command line's (None: as the docker CLI decides).

    `idle_exit` is after how many seconds with no client and nothing managed a background engine ends.
    """

    state_dir: Path
    host: str | None = None
    context: str | None = None
    theme: str | None = None
    in_process: bool = False
    look: bool = False
    idle_exit: float = IDLE_EXIT_SECONDS

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        host: str | None = None,
        context: str | None = None,
        state_dir: str | Path | None = None,
        theme: str | None = None,
        in_process: bool = False,
        look: bool = False,
    ) -> Settings:
        """Flags win over ORCHTUI_STATE_DIR, ORCHTUI_THEME and ORCHTUI_IDLE_EXIT (seconds), which win over defaults.

        Raises ValueError with a sentence for an ORCHTUI_IDLE_EXIT that is no number.
        """
        chosen = state_dir or environ.get("ORCHTUI_STATE_DIR") or ""
        return cls(
            state_dir=Path(chosen).expanduser().absolute() if chosen else default_state_dir(),
            host=host,
            context=context,
            theme=theme or environ.get("ORCHTUI_THEME") or None,
            in_process=in_process,
            look=look,
            idle_exit=_seconds(environ.get("ORCHTUI_IDLE_EXIT", "")),
        )


def _seconds(text: str) -> float:
    if not text:
        return IDLE_EXIT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400 * 365:
        raise ValueError(f"ORCHTUI_IDLE_EXIT must be a number of seconds, not {text!r}.")
    return seconds


def default_state_dir() -> Path:
    """/var/lib/orchtui for root, else the user's state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/orchtui")
    from platformdirs import user_state_path  # 12 ms, which only this case should pay

    return user_state_path("orchtui")


def engine_dir(state_dir: Path, engine_id: str) -> Path:
    """The folder of one Docker Engine's state, by the daemon's own ID (DESIGN 11, Ownership)."""
    if not is_engine_id(engine_id):
        raise ValueError(f"{engine_id!r} is no Docker Engine ID.")
    return state_dir / engine_id.replace(":", "")


def is_engine_id(text: str) -> bool:
    """Whether a daemon may call itself so: twelve groups between colons, or since Engine 24 a UUID (moby daemon/id.go).

    Both are kept across upgrades. Nothing in one can lead out of a folder.
    """
    return re.fullmatch(r"[0-9A-Za-z]+([:-][0-9A-Za-z]+)*", text) is not None


def socket_path(folder: Path, environ: Mapping[str, str]) -> Path:
    """The engine's socket for a state folder: in it, or under a short hashed name where that path is too long."""
    natural = folder / "engine.sock"
    if len(os.fsencode(natural)) <= _SOCKET_PATH_LIMIT:
        return natural
    name = f"{blake2b(os.fsencode(folder), digest_size=8).hexdigest()}.sock"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    short = Path(runtime) / "orchtui" / name
    if runtime.startswith("/") and len(os.fsencode(short)) <= _SOCKET_PATH_LIMIT:
        return short
    return Path("/tmp") / f"orchtui-{os.geteuid()}" / name


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only we can enter and return it.

    Raises PermissionError with a sentence if it belongs to somebody else or is no real folder (a symbolic link in
    /tmp would let its owner choose what we talk to), OSError when it cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise PermissionError(f"{path} is not a folder.") from None
        if found.st_uid != os.geteuid():
            raise PermissionError(f"{path} belongs to user id {found.st_uid}, not to you.") from None
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path


def trusted_socket(path: Path) -> bool:
    """True if a socket at `path` is ours to talk to: it exists, and it and its folder belong to us (or to root)."""
    ours = {os.geteuid(), 0}
    try:
        found = path.lstat()
        return stat.S_ISSOCK(found.st_mode) and found.st_uid in ours and path.parent.lstat().st_uid in ours
    except OSError:
        return False
