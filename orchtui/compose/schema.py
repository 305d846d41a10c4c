"""Which keys a stack file may have, and what each has to be: one table for each kind of mapping.

A key that is to be supported moves from a `later` list to its table. The `later` lists hold the rest of the Compose
Specification, so that `not supported yet` and `no such key` are different answers.
"""

from __future__ import annotations

from orchtui.compose import service_keys
from orchtui.compose.checks import (
    Check,
    Scope,
    boolean,
    choice,
    duration,
    each,
    extension,
    integer,
    mapping,
    memory,
    named,
    number,
    only_empty,
    pairs,
    text,
)
from orchtui.compose.mounts import tmpfs, volumes
from orchtui.compose.nodes import Node, wrap
from orchtui.compose.ports import ports

_MILLISECOND = 1_000_000


def _nullable(check: Check) -> Check:
    def checked(scope: Scope, node: Node, where: str) -> Node | None:
        return None if node.value is None else check(scope, node, where)

    return checked


def _external(scope: Scope, node: Node, where: str) -> Node | None:
    """`external: true`; the old `external: {name: …}` is understood with a warning."""
    if isinstance(node.value, dict):
        scope.report.warning(
            node.at, f"{where}: a name under external is obsolete", "write `external: true` and `name:`"
        )
        return mapping({"name": text})(scope, node, where)
    return boolean(scope, node, where)


def _resource(check: Check) -> Check:
    """A network or volume; the obsolete external name is moved to where it belongs."""

    def checked(scope: Scope, node: Node, where: str) -> Node | None:
        found = check(scope, node, where)
        external = None if found is None else found.get("external")
        if found is None or external is None or not isinstance(external.value, dict):
            return found
        return found.replace({"external": wrap(True, external.at), "name": external.get("name") or found.get("name")})

    return checked


def _driver_options(scope: Scope, node: Node, where: str) -> Node | None:
    for key, value in node.entries().items():
        if value.value is None or isinstance(value.value, bool):
            scope.wrong_type(value, f"{where}.{key}", "text or a number")
    if isinstance(node.value, dict):
        return pairs(empty="")(scope, node, where)
    scope.wrong_type(node, where, "a mapping")
    return None


def _orchtui(scope: Scope, node: Node, where: str) -> Node | None:
    """orchtui's own settings on a service."""
    return _X_ORCHTUI(scope, node, where)


_X_ORCHTUI = mapping(
    {"ready_after": duration()}, later=("autoscale", "canary", "policy", "progress_deadline", "routes", "takeover")
)
_HEALTHCHECK = mapping(
    {
        "test": service_keys.health_test,
        "interval": duration(_MILLISECOND),
        "timeout": duration(_MILLISECOND),
        "start_period": duration(_MILLISECOND),
        "start_interval": duration(_MILLISECOND),
        "retries": integer(),
        "disable": boolean,
    }
)
_LIMITS = {"cpus": number, "memory": memory(numbers=False)}
_DEPLOY = mapping(
    {
        "mode": choice("replicated"),
        "replicas": integer(0, 10_000),
        "resources": mapping(
            {
                "limits": mapping({**_LIMITS, "pids": integer()}),
                "reservations": mapping(_LIMITS, later=("devices", "generic_resources", "pids")),
            }
        ),
        "update_config": mapping(
            {"order": choice("start-first", "stop-first"), "parallelism": integer(), "delay": duration()},
            later=("failure_action", "max_failure_ratio", "monitor"),
        ),
        "placement": only_empty,
    },
    later=("endpoint_mode", "labels", "restart_policy", "rollback_config"),
)
_SERVICE = mapping(
    {
        "image": text,
        "command": service_keys.command,
        "entrypoint": service_keys.command,
        "environment": pairs(empty=None),
        "env_file": service_keys.env_file,
        "ports": ports,
        "volumes": volumes,
        "tmpfs": tmpfs,
        "networks": service_keys.networks,
        "healthcheck": _HEALTHCHECK,
        "depends_on": service_keys.depends_on,
        "init": boolean,
        "stop_signal": service_keys.signal_name,
        "stop_grace_period": duration(),
        "restart": service_keys.restart,
        "labels": pairs(empty=""),
        "mem_limit": memory(numbers=True),
        "mem_reservation": memory(numbers=True),
        "cpus": number,
        "pids_limit": integer(-1),
        "deploy": _nullable(_DEPLOY),
        "scale": integer(0, 10_000),
        "profiles": each(text),
        "hostname": text,
        "user": text,
        "working_dir": text,
        "tty": boolean,
        "stdin_open": boolean,
        "read_only": boolean,
        "x-orchtui": _orchtui,
    },
    later=(
        "annotations", "attach", "blkio_config", "build", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "configs",
        "container_name", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
        "cpu_shares", "cpuset", "credential_spec", "develop", "device_cgroup_rules", "devices", "dns", "dns_opt",
        "dns_search", "domainname", "expose", "extends", "external_links", "extra_hosts", "gpus", "group_add", "ipc",
        "isolation", "label_file", "links", "logging", "mac_address", "mem_swappiness", "memswap_limit", "models",
        "network_mode", "oom_kill_disable", "oom_score_adj", "pid", "platform", "post_start", "pre_start", "pre_stop",
        "privileged", "provider", "pull_policy", "pull_refresh_after", "runtime", "secrets", "security_opt", "shm_size",
        "storage_opt", "sysctls", "ulimits", "use_api_socket", "userns_mode", "uts", "volumes_from",
    ),
)  # fmt: skip
_NETWORK = _resource(
    mapping(
        {
            "name": text,
            "driver": text,
            "driver_opts": _driver_options,
            "internal": boolean,
            "attachable": boolean,
            "external": _external,
            "labels": pairs(empty=""),
            "ipam": only_empty,
        },
        later=("enable_ipv4", "enable_ipv6"),
    )
)
_VOLUME = _resource(
    mapping(
        {
            "name": text,
            "driver": text,
            "driver_opts": _driver_options,
            "external": _external,
            "labels": pairs(empty=""),
        }
    )
)


def _version(scope: Scope, node: Node, where: str) -> Node | None:
    if text(scope, node, where) is not None:
        scope.report.warning(node.at, "version is obsolete and ignored", "remove it")
    return None


_STACK = mapping(
    {
        "name": text,
        "version": _version,
        "services": named(_SERVICE, "service"),
        "networks": named(_NETWORK, "network", nullable=True),
        "volumes": named(_VOLUME, "volume", nullable=True),
        "x-orchtui": extension,
    },
    later=("configs", "include", "models", "secrets"),
)


def check_stack(scope: Scope, node: Node) -> Node | None:
    """One document in canonical form, all its problems reported; None where it is no mapping at all."""
    if not isinstance(node.value, dict):
        scope.wrong_type(node, "a stack file", "a mapping", "start with `services:`")
        return None
    return _STACK(scope, node, "")
