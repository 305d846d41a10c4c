"""Docker's errors as ours: what aiodocker, aiohttp and the daemon raise becomes one sentence and a next step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiodocker.exceptions import DockerError as AioDockerError

from orchtui.docker.endpoint import Endpoint
from orchtui.docker.identify import connection_error
from orchtui.errors import DockerConflict, DockerDenied, DockerError, DockerNotFound, DockerRefused, DockerUnreachable

# aiodocker invents status 900 for "the connection could not be made" (aiodocker/docker.py, _do_query).
_NO_CONNECTION = 900

_HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (
            r"port is already allocated|address already in use",
            "Another container or process uses that host port: publish another one, or stop it.",
        ),
        (r"no such image", "Pull it or build it first, and check the name for typing mistakes."),
        (
            r"pull access denied|repository does not exist|manifest unknown|not found: manifest",
            "Check the image name; a private one needs `docker login` first.",
        ),
        (
            r"no such host|i/o timeout|connection refused|TLS handshake timeout",
            "Docker cannot reach the registry: check the network and proxy of the machine that Docker runs on.",
        ),
        (r"no space left on device", "The disk is full: `docker system df` shows what uses it."),
        (r"is already in use by container", "A container of that name exists: remove it or choose another name."),
        (
            r"could not find an available.*address pool|all predefined address pools",
            "Docker has no free subnet: remove unused networks with `docker network prune`.",
        ),
        (r"network with name .* already exists", "Use that network, remove it, or choose another name."),
        (r"network .* not found", "Create that network first, or correct its name."),
        (r"has active endpoints", "Containers are still attached to it: remove them first."),
        (r"volume is in use", "A container still uses it: remove that first."),
        (
            r"configured logging driver does not support reading",
            "Its log driver keeps no logs here: read them where the driver sends them.",
        ),
        (r"executable file not found|no such file or directory: unknown", "The image has no such program: check it."),
        (r"minimum memory limit allowed", "Docker gives a container at least 6 MiB: raise the limit."),
        (r"is not running", "Start it first."),
        (r"is paused", "Unpause it first."),
    )
)


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Raise orchtui.errors.DockerError subclasses for what goes wrong inside. `doing` completes "Docker refused to …".

    Cancellation and faults of our own pass through untouched.
    """
    try:
        yield
    except AioDockerError as error:
        raise refusal(endpoint, error, doing) from error
    except (aiohttp.ClientError, OSError) as error:
        raise lost(endpoint, error, doing) from error


def refusal(endpoint: Endpoint, error: AioDockerError, doing: str) -> DockerError:
    """The daemon's answer of 4xx or 5xx, or no connection at all."""
    if error.status == _NO_CONNECTION:
        cause = error.__cause__ or error.__context__ or error
        return lost(endpoint, cause, doing)
    return refused(error.status, error.message, doing)


def refused(status: int, answer: str, doing: str) -> DockerError:
    """The daemon said no, with an HTTP status or within a stream of progress."""
    text = message(answer)
    sentence = f"Docker refused to {doing}: {text.rstrip('.')}."
    if status == 401 or "authorization denied by plugin" in text:
        return DockerDenied(sentence, hint="Ask whoever runs this Docker Engine for access.")
    kind = {404: DockerNotFound, 409: DockerConflict}.get(status, DockerRefused)
    hint = next((hint for pattern, hint in _HINTS if pattern.search(text)), "")
    return kind(sentence, hint=hint, status=status)


def lost(endpoint: Endpoint, error: BaseException, doing: str) -> DockerError:
    """The connection failed, timed out, or broke in the middle."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return connection_error(endpoint, _inner(error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return connection_error(endpoint, error.os_error)
    if isinstance(error, TimeoutError):
        return DockerUnreachable(
            f"Docker did not answer in time when asked to {doing}.",
            hint="It may be overloaded or hang; what was asked for can still happen.",
        )
    return DockerUnreachable(
        f"The connection to Docker at {endpoint.url} broke while it was asked to {doing}.",
        hint="dockerd may be restarting; orchtui reconnects by itself.",
    )


def message(text: str) -> str:
    """The daemon's own words: its `message` field where aiodocker left the JSON undecoded, one line."""
    if text.lstrip().startswith("{"):
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("message"), str):
            text = answer["message"]
    return " ".join(text.split()) or "no reason given"


def _inner(error: BaseException) -> BaseException:
    certificate = getattr(error, "certificate_error", None)
    if isinstance(certificate, BaseException):
        return certificate
    os_error = getattr(error, "os_error", None)
    return os_error if isinstance(os_error, BaseException) else error
