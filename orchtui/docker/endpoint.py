"""Which Docker Engine is meant: resolved exactly as the docker CLI does it (standard library only: the start path).

Order (docker/cli cli/command/cli.go, resolveContextName): `--host` and `--context` exclude each other; then
DOCKER_HOST, then DOCKER_CONTEXT, then `currentContext` of config.json, then the default context. The default context
is what DOCKER_HOST and the DOCKER_TLS* variables say, also when it is named explicitly; a host given in any way goes
by the name `default`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchtui.errors import DockerUnreachable, UsageError

DEFAULT_CONTEXT = "default"
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
_TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the engine listens. `url` is unix:///path or tcp://host:port; `context` the docker context's name.

    `tls_dir` holds ca.pem, cert.pem and key.pem (each optional); `tls` asks for TLS, `skip_verify` for no check of the
    server's certificate. `source` says in words where the choice came from (`DOCKER_HOST`, `--context prod`, …).
    """

    url: str
    context: str = DEFAULT_CONTEXT
    tls_dir: Path | None = None
    tls: bool = False
    skip_verify: bool = False
    source: str = "the default"

    @property
    def socket_path(self) -> str | None:
        """The unix socket's path, None for TCP."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a TCP endpoint."""
        parts = urlsplit(self.url)
        return parts.hostname or "localhost", parts.port or 2375


def resolve(environ: Mapping[str, str], *, host: str | None = None, context: str | None = None) -> Endpoint:
    """The endpoint that `docker` would use here. `host` and `context` are the command line's `--host` and `--context`.

    Raises UsageError when both are given and DockerUnreachable for an unknown context, an unreadable one, or a kind of
    address (ssh://, npipe://, …) that orchtui does not speak.
    """
    if host and context:
        raise UsageError("--host and --context cannot be used together.", hint="Give one of them.")
    folder = config_folder(environ)
    name, source = _context_name(environ, folder, host=host, context=context)
    if name != DEFAULT_CONTEXT:
        return _from_context(folder, name, source)
    return _default(environ, folder, host=host, source=source)


def config_folder(environ: Mapping[str, str]) -> Path:
    """The docker CLI's configuration folder: DOCKER_CONFIG, else ~/.docker."""
    if configured := environ.get("DOCKER_CONFIG"):
        return Path(configured)
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".docker"


def known_contexts(folder: Path) -> tuple[str, ...]:
    """The names of all contexts, `default` first."""
    names = []
    for meta in sorted((folder / "contexts" / "meta").glob("*/meta.json")):
        name = _read_json(meta).get("Name")
        if isinstance(name, str):
            names.append(name)
    return (DEFAULT_CONTEXT, *sorted(names))


def _context_name(
    environ: Mapping[str, str], folder: Path, *, host: str | None, context: str | None
) -> tuple[str, str]:
    if context:
        return context, f"--context {context}"
    if host:
        return DEFAULT_CONTEXT, "--host"
    if environ.get("DOCKER_HOST"):
        return DEFAULT_CONTEXT, "DOCKER_HOST"
    if name := environ.get("DOCKER_CONTEXT"):
        return name, "DOCKER_CONTEXT"
    current = _read_json(folder / "config.json").get("currentContext")
    if isinstance(current, str) and current:
        return current, f"the current context of {folder / 'config.json'}"
    return DEFAULT_CONTEXT, "the default"


def _default(environ: Mapping[str, str], folder: Path, *, host: str | None, source: str) -> Endpoint:
    # docker/cli cli/flags/options.go: any non-empty DOCKER_TLS_VERIFY or DOCKER_TLS turns TLS on.
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    tls = verify or bool(environ.get("DOCKER_TLS"))
    address = host or environ.get("DOCKER_HOST") or ("tcp://localhost:2376" if tls else DEFAULT_SOCKET)
    if not host and environ.get("DOCKER_HOST"):
        source = "DOCKER_HOST"  # also for `--context default`
    url = _normalise(address.strip(), source)
    if not url.startswith("tcp://"):
        return Endpoint(url=url, source=source)
    certificates = Path(environ["DOCKER_CERT_PATH"]) if environ.get("DOCKER_CERT_PATH") else folder
    return Endpoint(
        url=url, tls=tls, tls_dir=certificates if tls else None, skip_verify=tls and not verify, source=source
    )


def _from_context(folder: Path, name: str, source: str) -> Endpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta_file = folder / "contexts" / "meta" / key / "meta.json"
    if not meta_file.is_file():
        known = ", ".join(known_contexts(folder))
        raise DockerUnreachable(
            f"There is no docker context {name!r} (chosen by {source}).",
            hint=f"Known contexts: {known}. Choose one with `docker context use NAME` or `--context NAME`.",
        )
    docker = _read_json(meta_file).get("Endpoints", {}).get("docker")
    if not isinstance(docker, dict):
        raise DockerUnreachable(
            f"The docker context {name!r} has no Docker endpoint ({meta_file}).",
            hint=f"Look at it with `docker context inspect {name}` and give it a host.",
        )
    url = _normalise(str(docker.get("Host") or DEFAULT_SOCKET), source)
    tls_dir = folder / "contexts" / "tls" / key / "docker"
    skip_verify = bool(docker.get("SkipTLSVerify"))
    tls = url.startswith("tcp://") and (skip_verify or any((tls_dir / file).is_file() for file in _TLS_FILES))
    return Endpoint(
        url=url, context=name, tls=tls, tls_dir=tls_dir if tls else None, skip_verify=skip_verify, source=source
    )


def _normalise(address: str, source: str) -> str:
    """unix:///path or tcp://host:port (docker/cli opts/hosts.go: a bare path is a socket, else bare means TCP)."""
    if "://" not in address:
        address = f"unix://{address}" if address.startswith(("/", "./")) else f"tcp://{address}"
    scheme, _, rest = address.partition("://")
    match scheme:
        case "unix":
            return f"unix://{rest or '/var/run/docker.sock'}"
        case "tcp":
            try:
                parts = urlsplit(f"tcp://{rest}")
                host, port = parts.hostname or "localhost", parts.port or 2375
            except ValueError as error:
                raise DockerUnreachable(
                    f"{source} names {address!r}, which is not a host and a port.",
                    hint="Use an address such as tcp://host:2376.",
                ) from error
            return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
        case "ssh":
            raise DockerUnreachable(
                f"{source} names {address}, and orchtui does not speak ssh:// yet.",
                hint="Run orchtui on that machine, or forward its socket with"
                " `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST` and use `--host unix:///tmp/docker.sock`.",
            )
        case _:
            raise DockerUnreachable(
                f"{source} names {address!r}, and orchtui speaks only unix:// and tcp://.",
                hint="Use an address such as unix:///var/run/docker.sock or tcp://host:2376.",
            )


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; {} when there is none. The docker CLI, too, warns and goes on without it."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
