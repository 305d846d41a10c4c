"""Fixtures of the tests on real Docker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from orchtui.docker.endpoint import Endpoint
from tests.support.proxy import SocketProxy


@pytest_asyncio.fixture
async def proxy(docker_endpoint: Endpoint) -> AsyncIterator[SocketProxy]:
    """A way to Docker that the test can cut."""
    async with SocketProxy(docker_endpoint.socket_path or pytest.skip("needs a unix socket")) as proxy:
        yield proxy
