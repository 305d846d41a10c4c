from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchtui.engines.lock import EngineLock, Holder, holder
from orchtui.errors import EngineUnavailable


def test_one_at_a_time(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with EngineLock.acquire(tmp_path) as lock:
        assert holder(tmp_path) == Holder(pid=os.getpid(), uid=os.geteuid())
        lock.record(Holder(pid=1, socket="/run/x.sock", version="1.2", started_at=3.0))
        assert holder(tmp_path) == Holder(pid=1, socket="/run/x.sock", version="1.2", started_at=3.0)
        with pytest.raises(EngineUnavailable, match="process 1 holds"):
            EngineLock.acquire(tmp_path)
    assert holder(tmp_path) is None
    EngineLock.acquire(tmp_path).release()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from orchtui.engines.lock import EngineLock\n"
        "lock = EngineLock.acquire(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(EngineUnavailable, match=f"process {process.pid} holds"):
            EngineLock.acquire(tmp_path)
        process.kill()
        process.wait()
        EngineLock.acquire(tmp_path).release()


def test_a_lock_file_of_nonsense(tmp_path: Path) -> None:
    (tmp_path / "engine.lock").write_bytes(b"\xff{]")
    lock = EngineLock.acquire(tmp_path)
    (tmp_path / "engine.lock").write_text("[1]")
    assert holder(tmp_path) == Holder()
    with pytest.raises(EngineUnavailable, match="another process holds"):
        EngineLock.acquire(tmp_path)
    lock.release()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be opened"):
        EngineLock.acquire(tmp_path / "gone")
