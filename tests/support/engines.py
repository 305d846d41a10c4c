"""Which Docker Engines a test runs on."""

from __future__ import annotations

import pytest

ENGINES = {"host": "host_endpoint", "26.1": "engine_26"}  # test id: fixture in tests/conftest.py


def on_engines(*names: str) -> pytest.MarkDecorator:
    """A mark for tests that use `docker_endpoint`, directly or not: run each on all of these engines."""
    fixtures = [ENGINES[name] for name in names]
    return pytest.mark.parametrize("docker_endpoint", fixtures, indirect=True, ids=names, scope="session")


BOTH = on_engines("host", "26.1")
