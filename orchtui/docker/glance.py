"""One quick look at the containers before anything heavy is imported (standard library, synchronous)."""

from __future__ import annotations

from orchtui.docker.endpoint import Endpoint
from orchtui.docker.identify import TIMEOUT, fetch
from orchtui.docker.parse import listed_container
from orchtui.model.observed import Container


def glance(endpoint: Endpoint, timeout: float = TIMEOUT) -> tuple[Container, ...]:
    """All containers as the list call tells them. Raises DockerUnreachable, DockerDenied, DockerRefused."""
    answer = fetch(endpoint, "/containers/json?all=1", timeout)
    items = answer if isinstance(answer, list) else []
    return tuple(listed_container(item) for item in items if isinstance(item, dict))
