"""One container, service or stack in full, in the order in which a person on call asks; secrets masked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from orchtui.core.exits import explain
from orchtui.core.problems import container_trouble
from orchtui.core.redact import looks_secret, mask_command, mask_document, mask_env, mask_text, secret_values
from orchtui.core.text import age, duration, size
from orchtui.docker.document import ContainerDocument, Probe
from orchtui.model.description import Description, Field, Section
from orchtui.model.history import StackStanding
from orchtui.model.observed import Container, MountPoint, Owner, PortBinding
from orchtui.model.snapshot import Service, Snapshot, Stack, Status

_OWNERS = {
    Owner.MANAGED: "orchtui", Owner.OTHER_ENGINE: "another orchtui engine", Owner.SWARM: "Swarm",
    Owner.COMPOSE: "Compose", Owner.PLAIN: "nobody (a plain container)",
}  # fmt: skip
_GOOD = (Status.HEALTHY, Status.COMPLETED)
_BAD = (Status.FAILED, Status.DEGRADED)
_QUIET = (Status.STOPPED, Status.SCALED_TO_ZERO)


def describe_container(document: ContainerDocument, placed: Container | None, now: float) -> Description:
    """`placed` is the same container as the snapshot shows it (None when the snapshot has not seen it yet)."""
    known = secret_values(document.env)
    sections = [
        Section(title="State", fields=_state(document, placed, now)),
        _probes(document, known, now),
        Section(title="Process", fields=_process(document, known)),
        Section(title="Image", fields=_image(document)),
        Section(title="Ports", lines=ports(document.container.ports)),
        Section(title="Mounts", lines=tuple(_mount(one) for one in document.container.mounts)),
        Section(title="Networks", lines=_networks(document)),
        Section(title="Limits", fields=_limits(document)),
        Section(title="Environment", fields=_environment(document.env)),
        Section(title="Labels", fields=_labels(document.container.labels)),
    ]
    return Description(
        title=f"container {document.container.name}",
        sections=tuple(section for section in sections if section.fields or section.lines),
        document=json.dumps(mask_document(document.raw), indent=2, ensure_ascii=False),
    )


def describe_service(snapshot: Snapshot, service: Service, now: float) -> Description:
    containers = [snapshot.containers[id] for id in service.containers if id in snapshot.containers]
    fields = [
        Field(name="Status", value=_status(service.status, service.reason), tone=_tone(service.status)),
        Field(name="Kept running by", value=_OWNERS[service.owner]),
        Field(name="Stack", value=service.stack),
        Field(name="Desired", value="–" if service.desired is None else str(service.desired)),
        Field(name="Running", value=str(service.running)),
        Field(name="Ready", value=str(service.ready)),
    ]
    if service.unhealthy:
        fields.append(Field(name="Unhealthy", value=str(service.unhealthy), tone="bad"))
    images = sorted({one.image for one in containers}) or [service.image]
    fields.append(Field(name="Image", value=", ".join(image for image in images if image)))
    if service.revision is not None:
        fields.append(Field(name="Revision", value=str(service.revision)))
    if service.created_at:
        fields.append(Field(name="Created", value=f"{age(now - service.created_at)} ago"))
    if service.updated_at:
        fields.append(Field(name="Newest container", value=f"{age(now - service.updated_at)} ago"))
    sections = [Section(title="Service", fields=tuple(fields))]
    if (rollout := service.rollout) is not None:
        moving = (
            Field(
                name="State", value=rollout.state, tone={"paused": "warn", "completed": "good"}.get(rollout.state, "")
            ),
            Field(name="To revision", value=str(rollout.revision) if rollout.revision else "–"),
            Field(name="Ready", value=f"{rollout.ready} of {rollout.total}"),
            Field(name="Began", value=f"{age(now - rollout.started_at)} ago"),
            Field(name="Message", value=rollout.message),
        )
        sections.append(Section(title="Update", fields=tuple(field for field in moving if field.value)))
    sections += [
        Section(title="Containers", fields=tuple(_container_line(one, now) for one in containers)),
        Section(title="Ports", lines=ports(service.ports)),
        Section(title="Mounts", lines=_distinct(_mount(mount) for one in containers for mount in one.mounts)),
        Section(title="Networks", lines=_distinct(end.network for one in containers for end in one.networks)),
    ]
    return Description(
        title=f"service {service.key}", sections=tuple(one for one in sections if one.fields or one.lines)
    )


def describe_stack(snapshot: Snapshot, stack: Stack, standing: StackStanding | None, now: float) -> Description:
    services = [snapshot.services[key] for key in stack.services if key in snapshot.services]
    fields = [
        Field(name="Status", value=_status(stack.status, stack.reason), tone=_tone(stack.status)),
        Field(name="Kept running by", value=_OWNERS[stack.owner]),
    ]
    if stack.revision is not None:
        fields.append(Field(name="Revision", value=str(stack.revision)))
    if standing is not None and standing.created_at:
        fields.append(Field(name="First applied", value=f"{age(now - standing.created_at)} ago"))
    if standing is not None and standing.updated_at:
        fields.append(Field(name="Last applied", value=f"{age(now - standing.updated_at)} ago"))
    if stack.working_dir:
        fields.append(Field(name="Folder", value=stack.working_dir))
    project = {"com.docker.compose.project": stack.name, "com.docker.stack.namespace": stack.name}

    def ours(labels: Mapping[str, str]) -> bool:
        return stack.owner is not Owner.PLAIN and any(labels.get(key) == name for key, name in project.items())

    sections = (
        Section(title="Stack", fields=tuple(fields)),
        Section(title="Files", lines=stack.config_files),
        Section(title="Services", fields=tuple(_service_line(one) for one in services)),
        Section(
            title="Networks",
            lines=tuple(f"{one.name} ({one.driver})" for one in snapshot.networks.values() if ours(one.labels)),
        ),
        Section(
            title="Volumes",
            lines=tuple(f"{one.name} ({one.driver})" for one in snapshot.volumes.values() if ours(one.labels)),
        ),
    )
    return Description(title=f"stack {stack.key}", sections=tuple(one for one in sections if one.fields or one.lines))


# -- a container's sections ------------------------------------------------------------------------------------------


def _state(document: ContainerDocument, placed: Container | None, now: float) -> tuple[Field, ...]:
    one = document.container
    trouble = container_trouble(one, now) is not None
    calm = one.state == "running" and not trouble
    fields = [Field(name="State", value=one.state, tone="good" if calm else "bad" if trouble else "muted")]
    if words := explain(one):
        failed = trouble or one.exit_code not in (None, 0)
        fields.append(Field(name="Why", value=words, tone="bad" if trouble else "warn" if failed else ""))
    if one.health != "none":
        tone = {"healthy": "good", "unhealthy": "bad"}.get(one.health, "warn")
        fields.append(Field(name="Health", value=one.health, tone=tone))
    if placed is not None:
        fields += _belonging(placed)
    fields.append(Field(name="ID", value=one.id))
    fields.append(Field(name="Created", value=f"{age(now - one.created_at)} ago"))
    if one.started_at is not None:
        fields.append(Field(name="Started", value=f"{age(now - one.started_at)} ago"))
    if one.finished_at is not None and one.state != "running":
        fields.append(Field(name="Ended", value=f"{age(now - one.finished_at)} ago{_life(one)}"))
    policy = one.restart_policy or "no"
    if document.restart_max:
        policy += f", at most {document.restart_max} times"
    fields.append(Field(name="Restart policy", value=policy))
    fields.append(Field(name="Restarts", value=str(one.restart_count), tone="warn" if one.restart_count else ""))
    if one.pid:
        fields.append(Field(name="PID", value=str(one.pid)))
    return tuple(fields)


def _life(one: Container) -> str:
    """How long it had run when it ended."""
    if one.started_at is None or one.finished_at is None or one.finished_at < one.started_at:
        return ""
    return f", after {duration(round(one.finished_at - one.started_at))}"


def _belonging(placed: Container) -> list[Field]:
    fields = [Field(name="Kept running by", value=_OWNERS[placed.owner])]
    if placed.owner is not Owner.PLAIN:
        where = f"{placed.stack}/{placed.service}" + (f", slot {placed.slot}" if placed.slot is not None else "")
        fields.append(Field(name="Service", value=where))
    if placed.revision is not None:
        fields.append(Field(name="Revision", value=str(placed.revision)))
    if placed.foreign:
        fields.append(
            Field(name="Foreign", value="carries the stack's labels, but orchtui did not make it", tone="warn")
        )
    if placed.previous:
        fields.append(Field(name="Previous", value="its slot has a newer container", tone="muted"))
    return fields


def _probes(document: ContainerDocument, known: frozenset[str], now: float) -> Section:
    if not document.healthcheck or document.healthcheck == ("NONE",):
        return Section(title="Health")
    fields = [Field(name="Probe", value=_command(document.healthcheck[1:] or document.healthcheck, known))]
    if document.container.failing_streak:
        fields.append(Field(name="Failed in a row", value=str(document.container.failing_streak), tone="bad"))
    fields += [_probe(one, known, now) for one in reversed(document.probes)]
    return Section(title="Health", fields=tuple(fields))


def _probe(probe: Probe, known: frozenset[str], now: float) -> Field:
    when = f"{age(now - probe.started)} ago" if probe.started is not None else "?"
    took = ""
    if probe.started is not None and probe.ended is not None:
        took = f" in {duration(round(max(0.0, probe.ended - probe.started), 3))}"
    output = mask_text(" ".join(probe.output.split()), known)
    words = f"exit {probe.exit_code}{took}" + (f": {output}" if output else "")
    return Field(name=when, value=words, tone="good" if probe.exit_code == 0 else "bad")


def _process(document: ContainerDocument, known: frozenset[str]) -> tuple[Field, ...]:
    stop = document.stop_signal + (f", {document.stop_timeout}s grace" if document.stop_timeout is not None else "")
    fields = (
        Field(name="Entrypoint", value=_command(document.entrypoint, known)),
        Field(name="Command", value=_command(document.command, known)),
        Field(name="Folder", value=document.working_dir),
        Field(name="User", value=document.user),
        Field(name="Host name", value=document.hostname),
        Field(name="Stop", value=stop.removeprefix(", ")),
        Field(name="Init", value="yes" if document.init else ""),
        Field(name="Privileged", value="yes" if document.privileged else "", tone="warn"),
        Field(name="Terminal", value="yes" if document.container.tty else ""),
        Field(name="Log driver", value=document.log_driver),
    )
    return tuple(field for field in fields if field.value)


def _image(document: ContainerDocument) -> tuple[Field, ...]:
    fields = [Field(name="Image", value=document.container.image)]
    fields += [Field(name="Digest", value=digest) for digest in document.image_digests]
    if not document.image_digests:
        fields.append(Field(name="Digest", value="none (built or imported here)", tone="muted"))
    fields.append(Field(name="Image ID", value=document.container.image_id))
    return tuple(fields)


def _limits(document: ContainerDocument) -> tuple[Field, ...]:
    one = document.container
    return (
        Field(name="Memory", value=size(one.memory_limit) if one.memory_limit else "no limit"),
        Field(name="CPUs", value=f"{one.cpu_limit:g}" if one.cpu_limit else "no limit"),
    )


def _environment(entries: Iterable[str]) -> tuple[Field, ...]:
    pairs = sorted(entry.partition("=")[::2] for entry in entries)
    return tuple(
        Field(name=name, value=mask_env(name, value), tone="muted" if looks_secret(name) else "")
        for name, value in pairs
    )


def _labels(labels: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name=name, value=mask_env(name, labels[name])) for name in sorted(labels))


def _networks(document: ContainerDocument) -> tuple[str, ...]:
    lines = []
    for end in document.container.networks:
        aliases = f" as {', '.join(end.aliases)}" if end.aliases else ""
        lines.append(f"{end.network}{' ' + end.ip if end.ip else ''}{aliases}")
    return tuple(lines) or ((f"mode {document.network_mode}",) if document.network_mode else ())


# -- shared lines ----------------------------------------------------------------------------------------------------


def ports(bindings: Iterable[PortBinding]) -> tuple[str, ...]:
    """`0.0.0.0:8080 → 80/tcp`; `80/tcp` where it is not published."""
    lines = []
    for port in bindings:
        inner = f"{port.container_port}/{port.protocol}"
        host = port.host_ip or "*"
        outer = f"[{host}]" if ":" in host else host
        lines.append(f"{outer}:{port.host_port} → {inner}" if port.host_port else inner)
    return tuple(lines)


def _mount(mount: MountPoint) -> str:
    source = mount.name or mount.source
    words = f"{mount.kind} {source} → {mount.target}" if source else f"{mount.kind} {mount.target}"
    return words + (" (read-only)" if mount.read_only else "")


def _command(argv: Sequence[str], known: frozenset[str]) -> str:
    return " ".join(_quoted(argument) for argument in mask_command(argv, known))


def _quoted(argument: str) -> str:
    """Readable rather than exact: quotes only where words would run together."""
    if argument and not any(character in argument for character in " \t\n\"'"):
        return argument
    return json.dumps(argument, ensure_ascii=False)


def _container_line(one: Container, now: float) -> Field:
    trouble = container_trouble(one, now)
    words = one.state + (f" ({one.health})" if one.health != "none" else "")
    if one.started_at is not None and one.state == "running":
        words += f", up {age(now - one.started_at)}"
    reason = explain(one)
    if reason and reason != one.state:
        words += f", {reason}"
    if one.foreign:
        words += ", foreign"
    if one.previous:
        words += ", previous"
    return Field(name=one.name, value=words, tone="bad" if trouble else "good" if one.state == "running" else "muted")


def _service_line(service: Service) -> Field:
    wanted = "–" if service.desired is None else str(service.desired)
    value = f"{service.ready}/{wanted} ready, {_status(service.status, service.reason)}"
    return Field(
        name=service.name, value=f"{value}, {service.image}" if service.image else value, tone=_tone(service.status)
    )


def _status(status: Status, reason: str) -> str:
    word = status.value.replace("_", " ")
    return f"{word}: {reason}" if reason else word


def _tone(status: Status) -> str:
    return "good" if status in _GOOD else "bad" if status in _BAD else "muted" if status in _QUIET else "warn"


def _distinct(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
