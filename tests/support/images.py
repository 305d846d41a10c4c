"""The image that every Docker test runs: a busybox-static tree, imported once and kept (tagged by its content)."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import io
import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from tests.support.rawdocker import RawDocker

REPOSITORY = "orchtui-test/busybox"
RECIPE = "3"  # raise it when the tree below changes
BUSYBOX = Path("/bin/busybox")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnobody:x:65534:\n",
    "www/index.html": "hello from orchtui\n",
}
FOLDERS = ("bin", "etc", "root", "tmp", "www", "proc", "sys", "dev", "data")


class NoBusybox(RuntimeError):
    """There is no static busybox and it cannot be installed; the message says what to do."""


def demo_image(docker_url: str = "unix:///var/run/docker.sock") -> str:
    """The tag of the test image, built first if this engine does not have it (0.5 s; then some milliseconds).

    It has busybox with all its applets in /bin, /www/index.html, an empty /data, and `sh` as command. Processes that
    run until they are stopped need `init: true` or a trap: PID 1 ignores SIGTERM otherwise (feasibility.md fact 12).
    """
    tag = f"{REPOSITORY}:{_content_tag()}"
    import_once(RawDocker(docker_url), tag, _tree, ('CMD ["sh"]', "ENV PATH=/bin"))
    return tag


def import_once(docker: RawDocker, tag: str, tree: Callable[[], bytes], changes: Sequence[str] = ()) -> None:
    """Make sure that `docker` has the image `tag`: `docker import` of `tree()`, a tar, where it is missing.

    `changes` are lines of a Dockerfile. Test runs side by side import it once: `docker import` twice would make two
    images, and the tag would move.
    """
    if _present(docker, tag):
        return
    with (Path(tempfile.gettempdir()) / f"orchtui-test-image-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _present(docker, tag):
            return
        repository, _, version = tag.rpartition(":")
        params = {
            "fromSrc": "-",
            "repo": repository,
            "tag": version,
            "message": "orchtui test image",
            "changes": "\n".join([*changes, f"LABEL orchtui-test={repository.rpartition('/')[2]}"]),
        }
        answer = docker.call("POST", "/images/create", params=params, raw=tree())
        if "error" in str(answer) or not _present(docker, tag):
            raise RuntimeError(f"docker import of {tag} failed: {answer}")


def _present(docker: RawDocker, tag: str) -> bool:
    found = docker.call("GET", f"/images/{quote(tag)}/json", allow=(404,))
    return isinstance(found, dict) and "Id" in found


def _binary() -> bytes:
    for attempt in range(2):
        found = next((Path(p) for p in (BUSYBOX, shutil.which("busybox")) if p and Path(p).is_file()), None)
        if found is not None:
            data = found.read_bytes()
            if not _needs_loader(data):  # Debian's plain busybox package is linked dynamically
                return data
        if attempt == 0 and os.getuid() == 0 and shutil.which("apt-get"):
            subprocess.run(["apt-get", "install", "-y", "-qq", "busybox-static"], capture_output=True, check=False)
    raise NoBusybox("no static busybox on this machine: run `sudo apt-get install busybox-static`")


def _needs_loader(binary: bytes) -> bool:
    """Whether a 64-bit ELF file has a PT_INTERP program header, that is, wants a dynamic loader."""
    if binary[:5] != b"\x7fELF\x02":
        return True
    (offset,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    return any(struct.unpack_from("<I", binary, offset + i * size)[0] == 3 for i in range(count))


@functools.cache
def _content_tag() -> str:
    digest = hashlib.sha256(_binary())
    digest.update(repr((RECIPE, FILES, FOLDERS)).encode())
    return digest.hexdigest()[:12]


def _tree() -> bytes:
    """The root file system as an uncompressed tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder in ("tmp", "data") else 0o755
            tar.addfile(entry)
        files = {name: (text.encode(), 0o644) for name, text in FILES.items()} | {"bin/busybox": (_binary(), 0o755)}
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
        applets = subprocess.run([str(BUSYBOX), "--list"], capture_output=True, text=True, check=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                entry = tarfile.TarInfo(f"bin/{applet}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/busybox"
                tar.addfile(entry)
    return out.getvalue()
