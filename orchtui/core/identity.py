"""Who a container is: labels, never names (DESIGN 11, Names and labels).

The spec hash is taken from the canonical Compose tree, never from our own classes, so an upgrade of orchtui changes
no hash. Its prefix is the version of the recipe; a label of another version is recomputed, not taken for a change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.restart import Policy
from orchtui.model.observed import Container
from orchtui.model.spec import DependencySpec

ENGINE = "orchtui.engine"
STACK = "orchtui.stack"
SERVICE = "orchtui.service"
SLOT = "orchtui.slot"
REVISION = "orchtui.revision"
SPEC = "orchtui.spec"
GENERATION = "orchtui.generation"
RESTART = "orchtui.restart"  # the policy it was made with: a retired one carries `no` in Docker
FAILURES = "orchtui.failures"  # failures in a row of its slot before it: the back-off survives us

PROJECT = "com.docker.compose.project"
COMPOSE_SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONEOFF = "com.docker.compose.oneoff"
CONFIG_HASH = "com.docker.compose.config-hash"
IMAGE = "com.docker.compose.image"
DEPENDS_ON = "com.docker.compose.depends_on"
WORKING_DIR = "com.docker.compose.project.working_dir"
CONFIG_FILES = "com.docker.compose.project.config_files"
VERSION = "com.docker.compose.version"

OUR_VERSION = "orchtui"  # what we write where Compose writes its version
SPEC_VERSION = "v1:"
# Keys of a service that say how many there are, when and in which order, not what one container is.
_NOT_SPEC = frozenset({"scale", "depends_on", "profiles"})
_NOT_DEPLOY = frozenset({"replicas", "update_config"})
_NOT_EXTENSION = frozenset({"ready_after"})


def canonical(value: object) -> str:
    """JSON text that is the same for equal documents."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def spec_hash(tree: Mapping[str, Any], service: str) -> str:
    """`v1:` and 64 hex digits over all that makes one container of `service` what it is.

    The subtree of the service without replicas, update_config, scale, depends_on, profiles and x-orchtui.ready_after,
    and the real names of the networks and volumes that it uses.
    """
    subtree = {key: value for key, value in tree["services"][service].items() if key not in _NOT_SPEC}
    for key, dropped in (("deploy", _NOT_DEPLOY), ("x-orchtui", _NOT_EXTENSION)):
        if isinstance(inner := subtree.pop(key, None), Mapping):
            kept = {name: value for name, value in inner.items() if name not in dropped}
            if kept:
                subtree[key] = kept
    volumes = [one.get("source") for one in subtree.get("volumes") or () if isinstance(one, Mapping)]
    used = {
        "service": subtree,
        "networks": _real_names(tree, "networks", subtree.get("networks") or ()),
        "volumes": _real_names(tree, "volumes", [name for name in volumes if isinstance(name, str)]),
    }
    return SPEC_VERSION + hashlib.sha256(canonical(used).encode()).hexdigest()


def _real_names(tree: Mapping[str, Any], kind: str, keys: Any) -> dict[str, str]:
    top = tree.get(kind) or {}
    return {key: str((top[key] or {}).get("name", key)) for key in keys if key in top}


def final_name(stack: str, service: str, slot: int) -> str:
    """The name of a slot's container, as Compose builds it."""
    return f"{stack}-{service}-{slot}"


def replacement_name(stack: str, service: DesiredService, slot: int, taken: frozenset[str]) -> str:
    """The name of a container that is to take over a slot; `taken` are the names in use there."""
    short = service.spec_hash.removeprefix(SPEC_VERSION)[:8]
    base = f"{final_name(stack, service.spec.name, slot)}.{short}"
    if service.generation:
        base += f"-{service.generation}"
    name, turn = base, 1
    while name in taken:
        turn += 1
        name = f"{base}.{turn}"
    return name


def container_labels(
    stack: DesiredStack, service: DesiredService, *, slot: int, image_id: str, policy: Policy, failures: int = 0
) -> dict[str, str]:
    """All labels of a new container: the user's, the complete Compose set, ours, and the opt-out of other keepers."""
    spec = service.spec
    return {
        **spec.labels,
        PROJECT: stack.name,
        COMPOSE_SERVICE: spec.name,
        NUMBER: str(slot),
        ONEOFF: "False",
        CONFIG_HASH: service.spec_hash.partition(":")[2],
        IMAGE: image_id,
        DEPENDS_ON: ",".join(_dependency(one) for one in spec.depends_on),
        WORKING_DIR: stack.working_dir,
        CONFIG_FILES: ",".join(stack.config_files),
        VERSION: OUR_VERSION,
        ENGINE: stack.engine_id,
        STACK: stack.name,
        SERVICE: spec.name,
        SLOT: str(slot),
        REVISION: str(service.revision),
        SPEC: service.spec_hash,
        GENERATION: str(service.generation),
        RESTART: str(policy),
        FAILURES: str(failures),
        "com.centurylinklabs.watchtower.enable": "false",
        "autoheal": "false",
    }


def _dependency(one: DependencySpec) -> str:
    return f"{one.service}:{one.condition}:{str(one.restart).lower()}"


def network_labels(stack: DesiredStack, key: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {
        **labels,
        PROJECT: stack.name,
        "com.docker.compose.network": key,
        VERSION: OUR_VERSION,
        ENGINE: stack.engine_id,
        STACK: stack.name,
    }


def volume_labels(stack: DesiredStack, key: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {
        **labels,
        PROJECT: stack.name,
        "com.docker.compose.volume": key,
        VERSION: OUR_VERSION,
        ENGINE: stack.engine_id,
        STACK: stack.name,
    }


def number(text: str | None) -> int | None:
    """Labels are data: what is no small decimal number is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def is_ours(container: Container, engine_id: str) -> bool:
    """Made by us, and still what we made: with copied labels on another image it is somebody else's (DESIGN 11)."""
    labels = container.labels
    if labels.get(ENGINE) != engine_id:
        return False
    image = labels.get(IMAGE, "")
    return not image or not container.image_id or image == container.image_id


def is_foreign(container: Container, stack: str, engine_id: str) -> bool:
    """Of the project, not ours, and not a one-off (`docker compose run`)."""
    labels = container.labels
    return labels.get(PROJECT) == stack and not is_ours(container, engine_id) and labels.get(ONEOFF) != "True"


def is_wanted_form(container: Container, service: DesiredService) -> bool:
    """Whether spec, generation and image are the desired ones; if not, the container is to be replaced.

    A spec label of another version is looked up by the container's revision; unknown there, it counts as changed.
    """
    labels = container.labels
    spec = labels.get(SPEC, "")
    if not spec.startswith(SPEC_VERSION):
        spec = service.known_specs.get(number(labels.get(REVISION)) or 0, "")
    if spec != service.spec_hash or (number(labels.get(GENERATION)) or 0) != service.generation:
        return False
    return not service.image_id or not container.image_id or container.image_id == service.image_id


def same_identity(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Whether a container that is already there is the one that a repeated create meant."""
    return all(old.get(key) == new.get(key) for key in (ENGINE, STACK, SERVICE, SLOT, SPEC, GENERATION))
