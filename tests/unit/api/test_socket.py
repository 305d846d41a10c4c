"""The server and the client over a real unix socket, in front of a small engine."""

from __future__ import annotations

import asyncio
import getpass
import os
import stat
import subprocess
import sys
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from orchtui.api.client import RemoteEngine, shut_down
from orchtui.api.http import Connection
from orchtui.commands import Actor, Scale, Target
from orchtui.engine import Capability, LogRequest
from orchtui.errors import (
    DockerConflict,
    DockerUnreachable,
    EngineUnavailable,
    NotFound,
    OrchtuiError,
    PlanRefused,
    StaleBase,
)
from orchtui.model.logs import LogBatch
from orchtui.model.observed import Container, Owner
from orchtui.model.plan import Plan, Step
from orchtui.model.snapshot import Snapshot, Stack, Status
from orchtui.model.usage import Usage
from tests.support.stub_engine import StubEngine, served
from tests.support.until import until

ACTOR = Actor(name="mallory", via="console")
TARGET = Target(kind="container", key="c1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "e.sock"


def containers(count: int, state: int = 0) -> dict[str, Container]:
    return {
        f"c{number}": Container(
            id=f"c{number}", name="n" * 200, image="i", image_id="x", state="running", restart_count=state
        )
        for number in range(count)
    }


async def test_calls_reach_the_engine_and_come_back(path: Path) -> None:
    engine = StubEngine()
    engine.answer = Plan(summary="scale", steps=(Step(verb="create", subject="web-1", cause="1 of 2"),))
    async with served(engine, path) as remote:
        scale = Scale(service="a/web", replicas=2)
        assert await remote.plan(scale) == engine.answer
        receipt = await remote.execute(scale, ACTOR)
        assert (receipt.serial, receipt.message) == (1, "scale a/web to 2")
        assert await remote.history("shop") == ()
        assert (await remote.diff("shop", 1, 2))[0].new == "2"
        assert (await remote.describe(TARGET)).title == "container c1"
        assert engine.asked == [scale, "shop", TARGET]
        assert remote.capabilities == frozenset(Capability)


async def test_the_actor_is_whom_the_kernel_names(path: Path) -> None:
    engine = StubEngine()
    async with served(engine, path) as remote:
        await remote.execute(Scale(service="a/b", replicas=1), ACTOR)
    assert engine.executed[0][1] == Actor(name=getpass.getuser(), via="console")


async def test_the_socket_is_private_and_goes_with_the_server(path: Path) -> None:
    async with served(StubEngine(), path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert path.name not in os.listdir(path.parent)
    with pytest.raises(EngineUnavailable, match="No orchtui engine is running"):
        await RemoteEngine.connect(path)


async def test_a_dead_engines_socket_is_replaced(path: Path) -> None:
    import socket

    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(path))
    left_over.close()
    with pytest.raises(EngineUnavailable):
        await RemoteEngine.connect(path)
    async with served(StubEngine(), path) as remote:
        assert remote.info.pid == 4711


@pytest.mark.parametrize(
    "error",
    [
        NotFound("No such stack.", hint="Look at 'orchtui ls'."),
        PlanRefused("No.", details=("because",)),
        StaleBase("Changed."),
        DockerUnreachable("Away."),
        DockerConflict("Taken.", status=409),
        OrchtuiError("Hm."),
    ],
)
async def test_a_refusal_is_the_same_error_here(path: Path, error: OrchtuiError) -> None:
    engine = StubEngine()
    engine.refusal = error
    async with served(engine, path) as remote:
        for call in (
            remote.plan(Scale(service="a/b", replicas=1)),
            remote.execute(Scale(service="a/b", replicas=1), ACTOR),
            remote.history("a"),
            remote.diff("a", 1, 2),
            remote.describe(TARGET),
            remote.open_exec("c1", ("sh",)),
        ):
            with pytest.raises(type(error)) as caught:
                await call
            assert type(caught.value) is type(error)
            assert (caught.value.message, caught.value.hint) == (error.message, error.hint)


async def raw(path: Path, method: str, target: str, body: bytes = b"") -> tuple[int, str, bytes]:
    async with Connection(path) as connection:
        await connection.send(method, target, body)
        await connection.read_head()
        return connection.status, connection.content_type, await connection.read_all()


async def test_what_no_client_of_ours_sends_is_a_problem_document(path: Path) -> None:
    async with served(StubEngine(), path):
        for method, target, body, status in (
            ("GET", "/", b"", 404),
            ("GET", "/engine/v1/plan", b"", 405),
            ("POST", "/engine/v1/plan", b"{", 400),
            ("POST", "/engine/v1/plan", b'{"command":{"type":"Scale","x":1}}', 400),
            ("POST", "/engine/v1/plan", b'{"command":{},"extra":1}', 400),
            ("POST", "/engine/v1/exec", b"\x01\x00\x00\x00\x00", 400),
            ("POST", "/engine/v1/logs", b"{}", 400),
            ("POST", "/engine/v1/plan", b" " * ((2 << 20) + 1), 413),
        ):
            answer = await raw(path, method, target, body)
            assert answer[:2] == (status, "application/problem+json"), answer


async def test_watch_sends_changes_and_keeps_what_stayed(path: Path) -> None:
    engine = StubEngine()
    first = engine.show(1, containers(3))
    async with served(engine, path) as remote:
        seen: list[Snapshot] = []
        async with aclosing(remote.watch()) as snapshots:
            async for snapshot in snapshots:
                seen.append(snapshot)
                if len(seen) == 2:
                    break
                changed = replace(first.containers["c1"], state="exited")
                engine.show(2, {**first.containers, "c1": changed})
        assert seen == [first, engine.snapshots.value]
        assert seen[1].containers["c0"] is seen[0].containers["c0"]
        await until(lambda: engine.closed.count("watch") == 2, what="both watches closed (info looked once, too)")


async def test_a_slow_reader_skips_snapshots(path: Path) -> None:
    engine = StubEngine()
    many = 400
    engine.show(0, containers(many))
    async with served(engine, path) as remote, aclosing(remote.watch()) as snapshots:
        await anext(snapshots)
        for seq in range(1, 101):  # 100 changes of 200 KB each while nobody reads
            engine.show(seq, containers(many, seq))
            await asyncio.sleep(0)
        received = 0
        async for snapshot in snapshots:
            received += 1
            if snapshot.seq == 100:
                break
        assert snapshot == engine.snapshots.value
        assert received < 50


async def test_the_reader_conflates_what_piled_up_for_it(path: Path) -> None:
    """Small changes fit into buffers, so the server never sees a slow reader: the client must skip by itself."""
    engine = StubEngine()
    engine.show(0, containers(1))
    async with served(engine, path) as remote, aclosing(remote.watch()) as snapshots:
        await anext(snapshots)
        async with aclosing(remote.watch()) as others:  # a second reader tells when all were sent
            for seq in range(1, 51):
                engine.show(seq, containers(1, seq))
                async for other in others:
                    if other.seq == seq:
                        break
        received = []
        async for snapshot in snapshots:
            received.append(snapshot.seq)
            if snapshot.seq == 50:
                break
        assert len(received) <= 3


async def test_a_reader_that_leaves_ends_its_streams_at_once(path: Path) -> None:
    engine = StubEngine()
    engine.batches_end = False
    engine.batches = [batch(0)]
    engine.samples = [{"c1": Usage(container="c1", at=1.0, cpu=0.5, memory=7)}]
    async with served(engine, path) as remote:
        async with aclosing(remote.watch()) as snapshots:
            await anext(snapshots)
        await until(lambda: engine.closed.count("watch") == 2)
        async with aclosing(remote.usage(frozenset({"c1"}))) as samples:
            assert await anext(samples) == engine.samples[0]
        await until(lambda: "usage" in engine.closed)
        async with aclosing(remote.logs(LogRequest(target=TARGET, follow=True))) as batches:
            assert await anext(batches) == batch(0)
        await until(lambda: "logs" in engine.closed)
        session = await remote.open_exec("c1", ("sh",))
        await session.aclose()
        await until(lambda: "exec" in engine.closed)
    assert frozenset({"c1"}) in engine.asked


async def test_a_change_goes_on_when_its_client_leaves(path: Path) -> None:
    engine = StubEngine()
    engine.gate = asyncio.Event()
    async with served(engine, path) as remote:
        asking = asyncio.ensure_future(remote.execute(Scale(service="a/b", replicas=3), ACTOR))
        await engine.entered.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        engine.gate.set()
        await until(lambda: len(engine.executed) == 1, what="the change is carried out")


async def test_a_defect_in_a_change_leaves_the_engine_running(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = StubEngine()
    engine.defect = True
    async with served(engine, path) as remote:
        with pytest.raises(OrchtuiError, match="a defect of its own"):
            await remote.execute(Scale(service="a/b", replicas=3), ACTOR)
        assert await remote.history("a") == ()
    assert "ZeroDivisionError" in caplog.text


def batch(number: int, at: float = 1.0, size: int = 10) -> LogBatch:
    return LogBatch(names=("a",), times=(at,), source=(0,), stderr=(False,), lines=(f"{number}".ljust(size),))


async def test_logs_arrive_whole_and_end(path: Path) -> None:
    engine = StubEngine()
    engine.batches = [batch(number, size=5000) for number in range(2000)]  # 10 MB, more than any buffer
    async with served(engine, path) as remote:
        received = [item async for item in remote.logs(LogRequest(target=TARGET))]
    assert received == engine.batches


async def test_a_follower_that_stalls_is_told_how_much_it_missed(path: Path) -> None:
    engine = StubEngine()
    live = time.time() + 3600
    engine.batches = [batch(number, at=live, size=5000) for number in range(4000)]  # 20 MB
    request = LogRequest(target=TARGET, follow=True)
    async with served(engine, path) as remote, aclosing(remote.logs(request)) as batches:
        received = [await anext(batches)]
        await until(lambda: engine.given == 4000, what="the engine was never held up")
        received += [item async for item in batches]
    missed = sum(item.skipped for item in received)
    assert missed > 0
    assert missed + len(received) == 4000
    assert received[-1].lines == engine.batches[-1].lines


async def test_an_error_ends_a_stream_as_itself(path: Path) -> None:
    engine = StubEngine()
    engine.log_failure = NotFound("No such container.")
    async with served(engine, path) as remote:
        with pytest.raises(NotFound, match="No such container"):
            await anext(remote.logs(LogRequest(target=TARGET)))


async def test_exec_is_full_duplex(path: Path) -> None:
    engine = StubEngine()
    big = os.urandom(1 << 16) * 40  # 2.6 MB: more than one frame and more than the sockets hold
    async with served(engine, path) as remote:
        session = await remote.open_exec("c1", ("sh", "-i"), tty=False, columns=100, rows=30)
        assert engine.asked == [("c1", ("sh", "-i"), False, 100, 30)]
        await session.write(b"hello")
        assert await session.read() == b"hello"
        await session.resize(120, 40)
        assert await session.read() == b"120x40"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.write(big))
            received = bytearray()
            while len(received) < len(big):
                received += await session.read()
        assert received == big
        await session.write(b"exit 7")
        assert await session.read() == b""
        assert await session.exit_code() == 7
        await session.aclose()
        await until(lambda: "exec" in engine.closed)


async def test_an_exec_session_that_breaks_says_why(path: Path) -> None:
    async with served(StubEngine(), path) as remote:
        session = await remote.open_exec("c1", ("sh",))
        await session.write(b"boom")
        with pytest.raises(OrchtuiError, match="the container is gone"):
            await session.read()
        await session.aclose()


async def test_watch_bridges_a_restart_of_the_engine(path: Path) -> None:
    engine = StubEngine()
    engine.show(5, containers(2))
    async with served(engine, path) as remote:
        watch = remote.watch()
        first = await anext(watch)
    stale = await anext(watch)
    assert stale.connection.state == "stale"
    assert stale.connection.reason == "The orchtui engine was stopped."
    assert stale.containers is first.containers
    again = StubEngine()
    again.show(1, containers(2))
    async with served(again, path):
        back = await anext(watch)
        assert (back.seq, back.connection.state) == (1, "live")
        assert back.containers["c0"] is first.containers["c0"]
        await watch.aclose()


async def test_a_crashed_engine_is_revived_but_not_a_stopped_one(path: Path) -> None:
    revivals: list[str] = []

    async def revive() -> None:
        revivals.append("asked")
        raise EngineUnavailable("It cannot start.", hint="Free the disk.")

    async def crash(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"full":{"seq":1,"at":1.0,"connection":{"state":"live","since":1.0}}}\n'
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body))
        writer.close()

    server = await asyncio.start_unix_server(crash, str(path))
    async with server:
        async with served(StubEngine(), path.with_name("other.sock")) as real:
            remote = RemoteEngine(path, real.info, revive=revive, clock=lambda: 42.0)
        async with aclosing(remote.watch()) as watch:
            assert (await anext(watch)).connection.state == "live"
            gone = (await anext(watch)).connection
            assert (gone.state, gone.since, gone.reason) == ("stale", 42.0, "The orchtui engine is not answering.")
            assert (await anext(watch)).connection.reason == "It cannot start."
    assert revivals == ["asked"]

    async with served(StubEngine(), path) as remote:
        stopped = RemoteEngine(path, remote.info, revive=revive)
        calm = stopped.watch()
        await anext(calm)
    assert (await anext(calm)).connection.reason == "The orchtui engine was stopped."
    async with served(StubEngine(), path):
        assert (await anext(calm)).connection.state == "live"
        await calm.aclose()
    assert revivals == ["asked"]


async def test_watch_of_nothing_says_so(path: Path) -> None:
    async with served(StubEngine(), path) as remote:
        pass
    with pytest.raises(EngineUnavailable):
        await anext(remote.watch())


async def test_an_engine_that_is_stopped_ends_calls_with_an_error(path: Path) -> None:
    engine = StubEngine()
    engine.gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, served(engine, path) as remote:
        asking = tasks.create_task(_failure(remote))
        await engine.entered.wait()
    assert isinstance(asking.result(), EngineUnavailable)


async def _failure(remote: RemoteEngine) -> OrchtuiError | None:
    try:
        await remote.execute(Scale(service="a/b", replicas=3), ACTOR)
    except OrchtuiError as error:
        return error
    return None


async def test_info_counts_other_processes_and_names_managed_stacks(path: Path) -> None:
    engine = StubEngine()
    stacks = {
        name: Stack(key=name, name=name, owner=owner, status=Status.HEALTHY)
        for name, owner in (("shop", Owner.MANAGED), ("other", Owner.COMPOSE))
    }
    snapshot = engine.show(1, {})
    engine.snapshots.set(replace(snapshot, stacks=stacks))
    async with served(engine, path) as remote, aclosing(remote.watch()) as mine:
        await anext(mine)
        assert remote.info.clients == 0
        child = await asyncio.create_subprocess_exec(
            *(_PYTHON, "-c", _WATCHER, str(path)), stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        await child.stdout.readline()
        info = (await RemoteEngine.connect(path)).info
        child.kill()
        await child.communicate()
    assert (info.clients, info.stacks) == (1, ("shop",))


_PYTHON = sys.executable
_WATCHER = """
import asyncio, sys
from pathlib import Path
from orchtui.api.client import RemoteEngine, shut_down
async def main():
    async for _ in (await RemoteEngine.connect(Path(sys.argv[1]))).watch():
        print("seen", flush=True)
asyncio.run(main())
"""


async def test_an_idle_engine_ends_but_not_under_a_client_or_with_work(path: Path) -> None:
    engine = StubEngine()
    engine.managing = True
    stop = asyncio.Event()
    async with served(engine, path, idle_exit=0.05, stop=stop) as remote:
        async with aclosing(remote.watch()) as snapshots:
            await anext(snapshots)
            engine.managing = False
            assert not await _within(0.2, stop)
        await asyncio.wait_for(stop.wait(), 10)


async def test_an_engine_that_manages_something_stays(path: Path) -> None:
    engine = StubEngine()
    engine.managing = True
    stop = asyncio.Event()
    async with served(engine, path, idle_exit=0.02, stop=stop):
        assert not await _within(0.2, stop)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def test_shutdown_by_a_client(path: Path) -> None:
    stop = asyncio.Event()
    async with served(StubEngine(), path, stop=stop):
        assert (await shut_down(path)).pid == 4711
        await asyncio.wait_for(stop.wait(), 10)


def test_the_client_imports_none_of_the_heavy_packages() -> None:
    code = (
        "import sys, orchtui.api.client, orchtui.cli.attach, orchtui.cli.engine\n"
        "heavy = ('aiohttp', 'aiodocker', 'docker', 'textual', 'sqlite3', 'yaml')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
