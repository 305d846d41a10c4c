"""Docker's HTTP API with the standard library alone: set-up, clean-up and a second opinion on what orchtui did.

Independent of orchtui.docker on purpose, so that a fault there cannot hide itself.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit


class RawDockerError(AssertionError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class RawDocker:
    """One call, one connection. `url` is unix:///path or tcp://host:port (no TLS)."""

    def __init__(self, url: str = "unix:///var/run/docker.sock", timeout: float = 60.0) -> None:
        self.url = url
        self.timeout = timeout

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path, self.timeout)
        return http.client.HTTPConnection(parts.hostname or "localhost", parts.port or 2375, timeout=self.timeout)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: Any = None,
        raw: bytes | None = None,
        allow: tuple[int, ...] = (),
    ) -> Any:
        """The decoded JSON answer (text when it is not JSON, None when empty). Statuses >= 400 raise unless allowed."""
        query = {
            k: json.dumps(v) if isinstance(v, dict | list) else str(v).lower() if isinstance(v, bool) else v
            for k, v in (params or {}).items()
        }
        connection = self._connection()
        try:
            headers = {"Content-Type": "application/x-tar" if raw is not None else "application/json"}
            data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
            connection.request(method, f"{path}?{urlencode(query)}" if query else path, body=data, headers=headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            if response.status >= 400 and response.status not in allow:
                raise RawDockerError(response.status, text)
            try:
                return json.loads(text) if text else None
            except ValueError:
                return text
        finally:
            connection.close()

    def containers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/containers/json", params={"all": True})
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/containers/{quote(container)}/json")
        return found

    def run(self, name: str, config: dict[str, Any]) -> str:
        """Create and start a container from API JSON; its ID."""
        created = self.call("POST", "/containers/create", params={"name": name}, body=config)
        self.call("POST", f"/containers/{created['Id']}/start")
        return str(created["Id"])

    def sweep(self, prefix: str) -> list[str]:
        """Remove containers, networks and volumes whose name or Compose project starts with `prefix`; what failed."""
        failed: list[str] = []
        for method, path in self._owned(prefix):
            try:
                self.call(method, path, allow=(404, 409))
            except RawDockerError as error:
                failed.append(f"{path}: {error}")
        return failed

    def _owned(self, prefix: str) -> Iterator[tuple[str, str]]:
        def ours(names: list[str], labels: dict[str, str] | None) -> bool:
            labels = labels or {}
            project = labels.get("com.docker.compose.project") or labels.get("orchtui.stack") or ""
            return project.startswith(prefix) or any(name.lstrip("/").startswith(prefix) for name in names)

        for item in self.containers():
            if ours(item.get("Names") or [], item.get("Labels")):
                yield "DELETE", f"/containers/{item['Id']}?force=true&v=true"
        for item in self.call("GET", "/networks"):
            if ours([item["Name"]], item.get("Labels")):
                yield "DELETE", f"/networks/{item['Id']}"
        for item in self.call("GET", "/volumes")["Volumes"] or []:
            if ours([item["Name"]], item.get("Labels")):
                yield "DELETE", f"/volumes/{quote(item['Name'])}"
