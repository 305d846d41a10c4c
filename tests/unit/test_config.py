"""Paths and settings: flags over environment over defaults, short socket paths, private folders."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from orchtui import config
from orchtui.config import Settings


def test_flags_win_over_the_environment() -> None:
    environ = {"ORCHTUI_STATE_DIR": "/env", "ORCHTUI_THEME": "light", "ORCHTUI_IDLE_EXIT": "2.5"}
    settings = Settings.read(environ)
    assert (settings.state_dir, settings.theme, settings.idle_exit) == (Path("/env"), "light", 2.5)
    settings = Settings.read(environ, state_dir="/flag", theme="dark", host="unix:///x")
    assert (settings.state_dir, settings.theme, settings.host) == (Path("/flag"), "dark", "unix:///x")


def test_the_state_folder_is_absolute() -> None:
    assert Settings.read({}, state_dir="here").state_dir == Path.cwd() / "here"


def test_defaults_by_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert Settings.read({}).state_dir == Path("/var/lib/orchtui")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert Settings.read({}).state_dir == Path("/home/me/state/orchtui")


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_an_idle_time_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ORCHTUI_IDLE_EXIT must be a number of seconds"):
        Settings.read({"ORCHTUI_IDLE_EXIT": text})


def test_an_engines_folder_is_named_after_the_daemon() -> None:
    assert config.engine_dir(Path("/s"), "ZRRH:JGXX:1") == Path("/s/ZRRHJGXX1")
    uuid = "cd65211d-00cf-48f2-abcb-8c9b73a9ff90"  # since Engine 24
    assert config.engine_dir(Path("/s"), uuid) == Path("/s") / uuid
    for hostile in ("", "../up", "a/b", "a b", "-", ":", "a\n", "é"):
        with pytest.raises(ValueError, match="no Docker Engine ID"):
            config.engine_dir(Path("/s"), hostile)


def test_a_long_socket_path_becomes_a_short_one() -> None:
    assert config.socket_path(Path("/s/id"), {}) == Path("/s/id/engine.sock")
    deep = Path("/" + "d" * 120)
    short = config.socket_path(deep, {"XDG_RUNTIME_DIR": "/run/user/7"})
    assert short.parent == Path("/run/user/7/orchtui")
    assert short != config.socket_path(deep / "other", {"XDG_RUNTIME_DIR": "/run/user/7"})
    for useless in ({}, {"XDG_RUNTIME_DIR": "relative"}, {"XDG_RUNTIME_DIR": "/" + "r" * 100}):
        fallback = config.socket_path(deep, useless)
        assert fallback.parent == Path(f"/tmp/orchtui-{os.geteuid()}")
        assert len(os.fsencode(fallback)) <= 100


def test_a_private_folder_is_made_and_kept_private(tmp_path: Path) -> None:
    folder = config.private_folder(tmp_path / "state" / "id")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    folder.chmod(0o755)
    config.private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="is not a folder"):
        config.private_folder(link)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to user id"):
        config.private_folder(theirs)


def test_only_a_socket_of_ours_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s"
    assert not config.trusted_socket(path)
    path.write_text("no socket")
    assert not config.trusted_socket(path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert config.trusted_socket(path)
        os.chown(path, 4242, -1) if os.geteuid() == 0 else None
        monkeypatch.setattr(os, "geteuid", lambda: 4243)
        assert not config.trusted_socket(path)
