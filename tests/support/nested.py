"""A Docker Engine 26.1 (API 1.45) in a container of this machine's engine: claims are tested on two versions.

The image is a Debian trixie tree with its docker.io, made by debootstrap from the mirror that this machine's own apt
uses, and kept under a tag of its recipe (30 s and 320 MB once; then an engine answers some seconds after its start).
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from orchtui.docker.endpoint import Endpoint
from tests.support.images import import_once
from tests.support.rawdocker import RawDocker, RawDockerError
from tests.support.until import until_sync

REPOSITORY = "orchtui-test/dockerd"
RECIPE = "1"  # raise it when anything below changes what is in the image
SUITE = "trixie"
PACKAGES = ("docker.io", "iptables", "iproute2", "ca-certificates", "procps")
# The last two would write down which mirror this machine uses.
LEFT_OUT = ("var/cache", "var/lib/apt", "usr/share/doc", "usr/share/locale", "usr/share/man", "etc/apt", "var/log/*")
BUILD_SECONDS = 300.0
START_SECONDS = 60.0
STOP_SECONDS = 20
LIFETIME = 3600  # seconds after which an engine ends by itself, should its test run have been killed


class NoNestedEngine(RuntimeError):
    """It cannot be built or does not start here; the message says why."""


@contextlib.contextmanager
def nested_engine(outer: RawDocker, share: Path) -> Iterator[Endpoint]:
    """A running Engine 26.1 in a container of the engine `outer`, which must be this machine's; gone after the block.

    `share` is a folder that it sees at the same path, as the outer engine does. Raises NoNestedEngine.
    """
    with tempfile.TemporaryDirectory(prefix="otd") as folder:  # short: a socket path has 107 bytes
        name = f"ot{uuid.uuid4().hex[:10]}-dockerd"
        try:
            yield _started(outer, name, Path(folder), share)
        finally:
            _remove(outer, name)


def _started(outer: RawDocker, name: str, folder: Path, share: Path) -> Endpoint:
    recipe = repr((RECIPE, SUITE, PACKAGES, LEFT_OUT)).encode()
    image = f"{REPOSITORY}:{hashlib.sha256(recipe).hexdigest()[:12]}"
    endpoint = Endpoint(url=f"unix://{folder}/docker.sock", source="Engine 26.1 in a container")
    try:
        import_once(outer, image, _tree)
        outer.run(name, _container(image, folder, share))
        _wait(outer, name, RawDocker(endpoint.url, timeout=10.0))
    except RawDockerError as error:
        raise NoNestedEngine(f"this Docker Engine cannot run Engine 26.1 in a container: {error}") from error
    return endpoint


def _container(image: str, folder: Path, share: Path) -> dict[str, Any]:
    """Every right that dockerd needs, but not `Privileged`: where even root lacks SYS_RESOURCE, that fails.

    It shares our cgroup namespace, since runc cannot set up cgroups of version 1 in a private one. It has no network:
    none is needed, and its own bridge cannot collide with the outer one's.
    """
    dockerd = ["dockerd", f"--host=unix://{folder}/docker.sock", f"--group={os.getgid()}"]
    return {
        "Image": image,
        "Cmd": ["timeout", f"--kill-after={STOP_SECONDS}", str(LIFETIME), *dockerd],
        "Labels": {"orchtui-test": "dockerd"},
        "Volumes": {"/var/lib/docker": {}},
        "HostConfig": {
            "AutoRemove": True,
            "Init": True,
            "CapAdd": ["ALL"],
            "CapDrop": ["SYS_RESOURCE"],
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "CgroupnsMode": "host",
            "NetworkMode": "none",
            "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup", f"{folder}:{folder}", f"{share}:{share}"],
        },
    }


def _wait(outer: RawDocker, name: str, inner: RawDocker) -> None:
    def answers() -> bool:
        try:
            return "ApiVersion" in inner.call("GET", "/version")
        except (OSError, http.client.HTTPException):
            if not any(f"/{name}" in item["Names"] for item in outer.containers()):  # AutoRemove took it away
                raise NoNestedEngine("Engine 26.1 ends at once when it is started in a container") from None
            return False

    try:
        until_sync(answers, timeout=START_SECONDS, what="Engine 26.1's first answer")
    except AssertionError as error:
        raise NoNestedEngine(f"Engine 26.1 does not come up in a container: {error}") from error


def _remove(outer: RawDocker, name: str) -> None:
    """Stopped first, not killed: its containers' cgroups lie in this machine's tree, and dockerd takes them down."""
    outer.call("POST", f"/containers/{name}/stop", params={"t": STOP_SECONDS}, allow=(404,))
    outer.call("DELETE", f"/containers/{name}", params={"force": True, "v": True}, allow=(404, 409))


def _tree() -> bytes:
    """The root file system as a tar."""
    if os.getuid() != 0:
        raise NoNestedEngine("building the image of Engine 26.1 needs root, for debootstrap")
    if not shutil.which("debootstrap") and shutil.which("apt-get"):
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap"])
    if not shutil.which("debootstrap"):
        raise NoNestedEngine("no debootstrap on this machine: run `sudo apt-get install debootstrap`")
    # In namespaces of its own: whatever happens, no /proc stays mounted in the tree and none of its processes runs on.
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    options = ["--variant=minbase", f"--include={','.join(PACKAGES)}"]
    with tempfile.TemporaryDirectory(prefix="orchtui-tree-") as tree:
        done = _run([*alone, "debootstrap", *options, SUITE, tree, _mirror()])
        if done.returncode != 0:
            complaints = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]
            raise NoNestedEngine(f"debootstrap made no {SUITE} tree: {' '.join(complaints) or done.stderr.strip()}")
        left_out = [f"--exclude=./{path}" for path in LEFT_OUT]
        tar = ["tar", "--one-file-system", *left_out, "-C", tree, "-c", "."]
        return subprocess.run(tar, capture_output=True, check=True).stdout


def _mirror() -> str:
    """The URI of the archive that this machine's apt reads; Debian's serve all suites of a time."""
    done = _run(["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"])
    for line in done.stdout.splitlines():
        release, _, uri = line.partition(" ")
        if not release.endswith(("-security", "-updates", "-backports")):
            return uri
    raise NoNestedEngine("the apt sources of this machine name no archive")


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=BUILD_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoNestedEngine(f"{argv[0]} failed: {error}") from error
