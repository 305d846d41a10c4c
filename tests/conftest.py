"""The gate to real Docker, and fixtures that every kind of test may use."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from hypothesis import settings

from orchtui.docker.endpoint import Endpoint, resolve
from orchtui.docker.identify import engine_id
from orchtui.errors import DockerError
from tests.support.images import NoBusybox, demo_image
from tests.support.nested import NoNestedEngine, nested_engine
from tests.support.rawdocker import RawDocker

if TYPE_CHECKING:
    from orchtui.docker.client import DockerClient

# A deadline is a timing assertion, and this machine may be busy.
settings.register_profile("orchtui", deadline=None)
settings.load_profile("orchtui")

REQUIRED = os.environ.get("ORCHTUI_REQUIRE_DOCKER") == "1"
DOCKER_FIXTURES = {"docker_endpoint", "docker", "image", "sweep"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses a Docker fixture is a Docker test, so `-m "not docker"` never misses one."""
    for item in items:
        if DOCKER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.docker)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """With ORCHTUI_REQUIRE_DOCKER=1 no Docker test may be skipped, whatever its reason."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("docker"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"ORCHTUI_REQUIRE_DOCKER=1, but this test was skipped: {reason}"


@pytest.fixture(scope="session")
def host_endpoint() -> Endpoint:
    """The Docker Engine of this machine, as `docker` would find it. Skips the test where there is none."""
    try:
        endpoint = resolve(os.environ)
        engine_id(endpoint, timeout=10.0)
    except DockerError as error:
        pytest.skip(f"no Docker Engine: {error}")
    if endpoint.tls:
        pytest.skip("the tests' own set-up speaks no TLS; point DOCKER_HOST at a unix socket")
    return endpoint


@pytest.fixture(scope="session")
def engine_26(host_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A Docker Engine 26.1 of this test run's own, which sees the tests' `tmp_path` at the same place."""
    if host_endpoint.socket_path is None:
        pytest.skip("Engine 26.1 runs beside the tests only: point DOCKER_HOST at a unix socket")
    with contextlib.ExitStack() as stack:
        try:
            engine = nested_engine(RawDocker(host_endpoint.url), share=tmp_path_factory.getbasetemp())
            endpoint = stack.enter_context(engine)
        except NoNestedEngine as error:
            pytest.skip(str(error))
        yield endpoint


@pytest.fixture(scope="session")
def docker_endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """The engine to test on: this machine's, unless the test is marked with `on_engines` (tests/support/engines.py)."""
    endpoint: Endpoint = request.getfixturevalue(getattr(request, "param", "host_endpoint"))
    return endpoint


@pytest.fixture(scope="session")
def image(docker_endpoint: Endpoint) -> str:
    """The tag of the busybox test image; see tests/support/images.py."""
    try:
        return demo_image(docker_endpoint.url)
    except NoBusybox as error:
        pytest.skip(str(error))


@pytest.fixture
def run_id() -> str:
    """A prefix of this test's own for names and Compose projects; fit for both (lower case, starts with a letter)."""
    return f"ot{uuid.uuid4().hex[:10]}"


@pytest.fixture
def sweep(docker_endpoint: Endpoint, run_id: str) -> Iterator[RawDocker]:
    """After the test, removes what is named after `run_id` or belongs to a Compose project that is."""
    raw = RawDocker(docker_endpoint.url)
    yield raw
    failed = raw.sweep(run_id)
    assert not failed, f"left behind: {failed}"


@pytest_asyncio.fixture
async def docker(docker_endpoint: Endpoint, sweep: RawDocker) -> AsyncIterator[DockerClient]:
    """A connected client; what the test leaves behind under `run_id` is swept away after it."""
    from orchtui.docker.client import DockerClient

    client = await DockerClient.connect(docker_endpoint)
    try:
        yield client
    finally:
        await client.aclose()
