"""One wrong file, one clear sentence: place, what is wrong, what to do."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.unit.compose.stackfiles import problems, service

CASES = [
    (
        "deploy:\n  replcas: 3",
        'compose.yaml:6:7: error: unknown key "replcas" in services.web.deploy; did you mean "replicas"?',
    ),
    (
        "imagee: x",
        'compose.yaml:5:5: error: unknown key "imagee" in services.web; did you mean "image"?',
    ),
    (
        "zzz: x",
        'compose.yaml:5:5: error: unknown key "zzz" in services.web; keys of your own start with x-',
    ),
    (
        "build: .",
        'compose.yaml:5:5: error: "build" in services.web is not supported yet; build the image first and name it with '
        "`image:`",
    ),
    (
        "privileged: true",
        'compose.yaml:5:5: error: "privileged" in services.web is not supported yet; remove it to run this stack with '
        "orchtui",
    ),
    (
        "deploy: {restart_policy: {condition: any}}",
        'compose.yaml:5:14: error: "restart_policy" in services.web.deploy is not supported yet; use `restart:` on the '
        "service",
    ),
    (
        "deploy: {replicas: 3}\nports: ['8080:80']",
        "compose.yaml:6:13: error: services.web: 3 replicas cannot share the host port 8080; publish a range: "
        '"8080-8082:80"',
    ),
    (
        "scale: 2\nports: ['65535:80']",
        "compose.yaml:6:13: error: services.web: 2 replicas cannot share the host port 65535; publish a range: "
        '"65534-65535:80"',
    ),
    (
        "scale: 4\nports: ['8080-8082:80']",
        "compose.yaml:6:13: error: services.web: 4 replicas cannot share the host port 8080-8082; publish a range: "
        '"8080-8083:80"',
    ),
    (
        "scale: 2\nnetworks: {default: {ipv4_address: 10.0.0.2}}",
        "compose.yaml:6:40: error: services.web: 2 replicas cannot share one ipv4_address on default; remove "
        "the address",
    ),
    (
        "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}",
        "compose.yaml:6:43: error: services.web: deploy.resources.limits.memory is 2147483648 but mem_limit is "
        "1073741824 at compose.yaml:5:16; keep one of the two",
    ),
    (
        "deploy: {resources: {limits: {memory: 1g}, reservations: {memory: 2g}}}",
        "compose.yaml:5:71: error: services.web: the reservation of memory is above its limit; raise the limit",
    ),
    (
        "networks: [defualt]",
        'compose.yaml:5:16: error: services.web uses the network "defualt", which is not defined; define it under '
        "`networks:`",
    ),
    (
        "volumes: ['data:/data']",
        'compose.yaml:5:15: error: services.web uses the volume "data", which is not defined; define it under '
        "`volumes:`",
    ),
    (
        "depends_on: [wbe]",
        'compose.yaml:5:18: error: services.web depends on "wbe", which is not defined; did you mean "web"?',
    ),
    (
        "depends_on: [web]",
        "compose.yaml:5:18: error: depends_on goes in a circle: web -> web; remove one dependency",
    ),
    (
        "restart: unless-stoped",
        'compose.yaml:5:14: error: services.web.restart cannot be "unless-stoped"; did you mean "unless-stopped"?',
    ),
    (
        "healthcheck: {test: x, interval: 5}",
        "compose.yaml:5:38: error: services.web.healthcheck.interval has to be a length of time, not the number 5; add "
        'the unit: "10s", "1m30s"',
    ),
    (
        "healthcheck: {test: x, interval: 5us}",
        "compose.yaml:5:38: error: services.web.healthcheck.interval is below 1ms, the shortest that Docker takes",
    ),
    (
        "environment: {A: 2024-01-01}",
        "compose.yaml:5:22: error: services.web.environment.A has to be text, not the date 2024-01-01; "
        "put it in quotes",
    ),
    (
        "env_file: none.env",
        'compose.yaml:5:15: error: services.web.env_file "none.env": the file does not exist; check the path',
    ),
    (
        "x-orchtui: {ready_aftr: 1s}",
        'compose.yaml:5:17: error: unknown key "ready_aftr" in services.web.x-orchtui; did you mean "ready_after"?',
    ),
    (
        "init: yes",
        'compose.yaml:5:11: warning: services.web.init: "yes" is no boolean in YAML 1.2; write true',
    ),
    (
        "command: echo $NAME",
        'compose.yaml:5:14: warning: the variable "NAME" is not set: empty text is used; set it, or write ${NAME:-…}',
    ),
    (
        "volumes: ['./x:/x:Z']",
        'compose.yaml:5:15: error: services.web.volumes[0]: "./x:/x:Z": SELinux labels are not supported yet; '
        "remove the option Z",
    ),
]


@pytest.mark.parametrize(("body", "expected"), CASES, ids=[body for body, _ in CASES])
def test_one_problem(body: str, expected: str, tmp_path: Path) -> None:
    assert problems(tmp_path, service(body)) == [expected]


def test_a_circle_is_drawn_once(tmp_path: Path) -> None:
    text = (
        "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: [c]}\n"
        "  c: {image: i, depends_on: [b]}\nname: x\n"
    )
    assert problems(tmp_path, text) == [
        "compose.yaml:4:30: error: depends_on goes in a circle: b -> c -> b; remove one dependency"
    ]


def test_a_long_chain_of_dependencies_is_fine(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(1200)]
    entries = [f"  {name}: {{image: i, depends_on: [{other}]}}\n" for name, other in itertools.pairwise(names)]
    assert problems(tmp_path, "name: x\nservices:\n" + "".join(entries) + f"  {names[-1]}: {{image: i}}\n") == []


def test_all_problems_of_all_files_in_order(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "name: x\nservices:\n  a:\n    imag: i\n    ports: [x]\n  b: {image: 5, restart: never}\nfoo: 1\n",
        "services:\n  a: [\n",
        "services: {c: {}}\nnetworks: {n: {drivr: x}}\n",
    )
    assert [problem.split(" error: ")[0] for problem in found] == [
        "compose.yaml:3:3:",
        "compose.yaml:4:5:",
        "compose.yaml:5:13:",
        "compose.yaml:6:14:",
        "compose.yaml:6:26:",
        "compose.yaml:7:1:",
        "override1.yaml:3:1:",
        "override2.yaml:1:12:",
        "override2.yaml:2:16:",
    ]


def test_a_wrong_service_is_not_also_undefined(tmp_path: Path) -> None:
    text = "name: x\nservices:\n  a: {image: i, depends_on: [b], networks: [n]}\n  b: 5\nnetworks:\n  n: 5\n"
    assert [problem.split(" error: ")[1] for problem in problems(tmp_path, text)] == [
        "services.b has to be a mapping, not the number 5",
        "networks.n has to be a mapping, not the number 5",
    ]


def test_waiting_for_a_disabled_health_check(tmp_path: Path) -> None:
    text = (
        "name: x\nservices:\n  a: {image: i, depends_on: {b: {condition: service_healthy}}}\n"
        "  b: {image: i, healthcheck: {disable: true}}\n"
    )
    assert problems(tmp_path, text) == [
        'compose.yaml:3:30: error: services.a waits until "b" is healthy, but its health check is disabled; '
        "use condition: service_started"
    ]


def test_hostile_names_are_shown_safely(tmp_path: Path) -> None:
    found = problems(tmp_path, service('"\\e]0;x\\a\\u202e": 1'))
    assert len(found) == 1
    assert found[0].isprintable()


def test_many_unknown_keys_are_quick_and_all_reported(tmp_path: Path) -> None:
    body = "\n".join(f"replica_{number}: 1" for number in range(4000))
    assert len(problems(tmp_path, service(body))) == 4000


def test_ports_cannot_be_published_without_end(tmp_path: Path) -> None:
    assert "is more than 10,000 ports" in problems(tmp_path, service("ports: ['1-65535:1-65535']"))[0]
    body = "ports:\n" + "\n".join(f"- 127.0.0.{number}:1-5000:1-5000" for number in range(1, 200))
    (problem,) = problems(tmp_path, service(body))
    assert "the stack publishes more than 10,000 ports" in problem
