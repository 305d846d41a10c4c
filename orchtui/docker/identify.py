"""Which engine answers at an endpoint, and why none does (standard library, synchronous: the start path).

Also the one place that words "not reachable" and "not allowed": the asynchronous client uses the same sentences.
"""

from __future__ import annotations

import errno
import getpass
import http.client
import json
import os
import socket
import ssl
from contextlib import suppress
from typing import Any

from orchtui.docker.endpoint import Endpoint
from orchtui.errors import DockerDenied, DockerError, DockerRefused, DockerUnreachable

TIMEOUT = 2.0


def engine_id(endpoint: Endpoint, timeout: float = TIMEOUT) -> str:
    """The daemon's own ID (`ZRRH:JGXX:…`), which state folders are named after.

    Raises DockerUnreachable, DockerDenied, DockerRefused.
    """
    return str(_get(endpoint, "/info", timeout).get("ID") or "")


def engine_version(endpoint: Endpoint, timeout: float = TIMEOUT) -> tuple[str, str]:
    """The engine's version and its newest API version, such as ("20.10.24", "1.41")."""
    version = _get(endpoint, "/version", timeout)
    return str(version.get("Version") or ""), str(version.get("ApiVersion") or "")


def tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    """The TLS settings of an endpoint, None without TLS. Raises DockerUnreachable for unreadable certificates."""
    if not endpoint.tls:
        return None
    context = ssl.create_default_context()
    folder = endpoint.tls_dir
    try:
        if folder is not None and (folder / "ca.pem").is_file():
            context.load_verify_locations(cafile=str(folder / "ca.pem"))
        if folder is not None and (folder / "cert.pem").is_file() and (folder / "key.pem").is_file():
            context.load_cert_chain(certfile=str(folder / "cert.pem"), keyfile=str(folder / "key.pem"))
    except (OSError, ssl.SSLError) as error:
        raise DockerUnreachable(
            f"The TLS certificates in {folder} cannot be read: {error}.",
            hint="Check ca.pem, cert.pem and key.pem there (DOCKER_CERT_PATH, or the docker context's own).",
        ) from error
    if endpoint.skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connection_error(endpoint: Endpoint, error: BaseException) -> DockerError:
    """A sentence and a next step for what went wrong while connecting to `endpoint`."""
    where = f"{endpoint.url} ({endpoint.source})"
    if isinstance(error, ssl.SSLError):  # first: its errno counts OpenSSL's errors, and 1 is not EPERM
        return DockerUnreachable(
            f"The TLS handshake with {where} failed: {error}.",
            hint="Check DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the docker context's certificates.",
        )
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return _denied(endpoint)
    if isinstance(error, TimeoutError):
        return DockerUnreachable(
            f"Docker does not answer in time at {where}.", hint="Is the machine overloaded, or a firewall in between?"
        )
    if endpoint.socket_path is not None:
        return _no_socket(endpoint, number)
    return DockerUnreachable(
        f"Nothing answers at {where}: {_reason(error)}.",
        hint="Check the address, and that dockerd listens there (`docker version` with the same settings).",
    )


def _denied(endpoint: Endpoint) -> DockerDenied:
    if endpoint.socket_path is None:
        return DockerDenied(f"The system does not let us connect to {endpoint.url}.")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name, as in many containers
        user = str(os.getuid())
    return DockerDenied(
        f"User {user} may not open {endpoint.socket_path}.",
        hint=f"Join its group with `sudo usermod -aG docker {user}` and log in again, or run orchtui with sudo.",
    )


def _no_socket(endpoint: Endpoint, number: int | None) -> DockerUnreachable:
    path = endpoint.socket_path
    what = f"Docker is not running at {path}"
    match number:
        case errno.ENOENT:
            what = f"There is no Docker socket at {path}"
        case errno.ECONNREFUSED:
            what = f"Nobody listens on {path} (a stopped dockerd left it there)"
        case errno.ENOTSOCK:
            what = f"{path} is not a socket"
        case errno.ENAMETOOLONG:
            what = f"The socket path {path} is too long"
    if endpoint.source != "the default":
        return DockerUnreachable(
            f"{what}; {endpoint.source} points there.",
            hint=f"Correct {endpoint.source}, or start Docker there.",
        )
    return DockerUnreachable(
        f"{what}.",
        hint="Start it with `sudo systemctl start docker` (or `sudo dockerd`), or set DOCKER_HOST to where it listens.",
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(endpoint: Endpoint, timeout: float) -> http.client.HTTPConnection:
    if endpoint.socket_path is not None:
        return _UnixConnection(endpoint.socket_path, timeout)
    host, port = endpoint.address
    context = tls_context(endpoint)
    if context is not None:
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _get(endpoint: Endpoint, path: str, timeout: float) -> dict[str, Any]:
    answer = fetch(endpoint, path, timeout)
    if not isinstance(answer, dict):
        raise DockerUnreachable(
            f"What answers at {endpoint.url} is not a Docker Engine.", hint="Check DOCKER_HOST or the docker context."
        )
    return answer


def fetch(endpoint: Endpoint, path: str, timeout: float) -> object:
    """The JSON that a GET of `path` answers, None where it is no JSON.

    Raises DockerUnreachable, DockerDenied, DockerRefused.
    """
    connection = _connection(endpoint, timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise connection_error(endpoint, error) from error
    finally:
        connection.close()
    answer: object = None
    with suppress(ValueError):
        answer = json.loads(body)
    if response.status in (401, 403):
        raise DockerDenied(
            f"The Docker Engine at {endpoint.url} refuses us ({response.status}).",
            hint="An authorisation plugin or a proxy stands before it; ask whoever runs it for access.",
        )
    if response.status >= 400:
        text = answer.get("message", "") if isinstance(answer, dict) else body[:200].decode("utf-8", "replace")
        raise DockerRefused(f"Docker answered {response.status} to {path}: {text}", status=response.status)
    return answer
