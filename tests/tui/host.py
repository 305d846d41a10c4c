"""A small app to put one screen into, and values that fill it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from orchtui.commands import Target
from orchtui.model.description import Description, Field, Section
from orchtui.model.history import Revision
from orchtui.model.observed import Container, Owner
from orchtui.model.plan import Change, Plan, Step
from orchtui.model.snapshot import Service, Status
from orchtui.tui import theme
from orchtui.tui.safety import SafeApp

NOW = 1_760_000_000.0
SHOP = "registry.example.com/shop"


class Host(SafeApp[None]):
    """Pushes the screen that `make` gives and keeps what it was dismissed with in `answers`."""

    def __init__(self, make: Callable[[], Screen[Any]], theme_name: str = theme.DEFAULT) -> None:
        super().__init__()
        self._make = make
        for one in theme.themes().values():
            self.register_theme(one.theme)
        self.theme = theme_name
        self.answers: list[Any] = []

    def compose(self) -> ComposeResult:
        yield Static("the console stands behind")

    def on_mount(self) -> None:
        self.push_screen(self._make(), self.answers.append)


SCALE_PLAN = Plan(
    summary="3 to 5 replicas of hello/web, revision 4 as it is",
    steps=(
        Step(verb="create", subject="hello-web-4", cause="5 replicas are wished and slot 4 has none"),
        Step(verb="start", subject="hello-web-4", cause="created"),
        Step(verb="create", subject="hello-web-5", cause="5 replicas are wished and slot 5 has none"),
        Step(verb="start", subject="hello-web-5", cause="created"),
    ),
    notes=("restart policy: always, because the file has no restart key",),
    unchanged=("hello/db",),
)

ROLLBACK_PLAN = Plan(
    summary="hello becomes what revision 2 was, as revision 5",
    steps=tuple(
        step
        for slot in (1, 2, 3)
        for step in (
            Step(verb="create", subject=f"hello-web-{slot}.0d8e11ac", cause="image differs from revision 2"),
            Step(verb="start", subject=f"hello-web-{slot}.0d8e11ac", cause="created"),
            Step(verb="stop", subject=f"hello-web-{slot}", cause="its replacement is healthy"),
            Step(verb="remove", subject=f"hello-web-{slot}", cause="stopped"),
            Step(verb="rename", subject=f"hello-web-{slot}.0d8e11ac", cause=f"to hello-web-{slot}, which is free"),
        )
    ),
    changes=(
        Change(subject="web", field="image", old=f"{SHOP}/web:1.15.0", new=f"{SHOP}/web:1.14.2"),
        Change(subject="web", field="environment.LOG_LEVEL", old="debug", new="info"),
        Change(subject="web", field="environment.API_TOKEN", old="********", new="********"),
        Change(subject="web", field="healthcheck.interval", old="", new="5s"),
    ),
    risks=("hello/db publishes port 5432 once: it is stopped before its replacement starts, about 3 s without it.",),
    notes=("Scale overrides stay: web keeps 3 replicas.",),
    unchanged=("cache",),
)  # fmt: skip

CONTAINER = Container(
    id="3f2a91bc12de" + "0" * 52, name="hello-web-1", image="busybox:1.36", image_id="sha256:" + "ab" * 32,
    state="running", health="unhealthy", owner=Owner.MANAGED, stack="hello", service="web", slot=1,
)  # fmt: skip

SERVICE = Service(
    key="hello/web", stack="hello", name="web", owner=Owner.MANAGED, image="busybox:1.36", status=Status.DEGRADED,
    desired=3, running=3, ready=2,
)  # fmt: skip

TARGET = Target(kind="container", key=CONTAINER.id, name=CONTAINER.name)

DESCRIPTION = Description(
    title="container hello-web-1",
    sections=(
        Section(
            title="State",
            fields=(
                Field(name="state", value="running since 3h (started 2 times)", tone="good"),
                Field(name="health", value="unhealthy: 4 probes in a row failed", tone="bad"),
                Field(name="last exit", value="137: killed by SIGKILL (out of memory)", tone="warn"),
                Field(name="restart policy", value="always"),
            ),
        ),
        Section(
            title="Probes",
            fields=(Field(name="test", value="CMD-SHELL wget -qO- http://127.0.0.1:8080/health || exit 1"),),
            lines=(
                "12:04:11  exit 1 in 0.2s  wget: can't connect to remote host (127.0.0.1): Connection refused",
                "12:04:16  exit 1 in 0.2s  wget: can't connect to remote host (127.0.0.1): Connection refused",
            ),
        ),
        Section(
            title="Place",
            fields=(
                Field(name="stack", value="hello, managed, revision 4"),
                Field(name="service", value="web, slot 1 of 3"),
                Field(name="id", value=CONTAINER.id),
                Field(name="image", value=f"{SHOP}/web:1.15.0"),
                Field(name="digest", value=f"{SHOP}/web@sha256:" + "9f" * 32),
                Field(name="command", value="httpd -f -v -p 8080 -h /www -c /etc/httpd.conf -r 'hello, all out there'"),
            ),
        ),
        Section(
            title="Environment",
            fields=(
                Field(name="PATH", value="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                Field(name="LOG_LEVEL", value="debug"),
                Field(name="API_TOKEN", value="********", tone="muted"),
            ),
        ),
        Section(
            title="Mounts",
            fields=(
                Field(name="/data", value="volume hello_data, read-write"),
                Field(name="/www", value="bind /srv/www, read-only"),
            ),
        ),
        Section(title="Ports", fields=(Field(name="8080/tcp", value="0.0.0.0:18080"),)),
        Section(
            title="Labels",
            fields=(
                Field(name="com.docker.compose.project", value="hello"),
                Field(name="com.docker.compose.service", value="web"),
                Field(name="orchtui.revision", value="4"),
                Field(name="orchtui.spec", value="v1:" + "c0ffee" * 10),
            ),
        ),
    ),
    document='{\n  "Id": "3f2a91bc12de",\n  "State": {\n    "Running": true,\n    "ExitCode": 137,\n'
    '    "Health": {\n      "Status": "unhealthy"\n    }\n  },\n  "Args": [\n    "-f",\n    "-v"\n  ]\n}',
)  # fmt: skip

REVISIONS = (
    Revision(stack="hello", number=4, created_at=NOW - 240, author="alice", cause="up hello.yaml", outcome="failed",
             current=True, images={"web": "sha256:" + "9f" * 32, "db": "sha256:" + "11" * 32}),
    Revision(stack="hello", number=3, created_at=NOW - 7200, author="alice", cause="up hello.yaml", outcome="completed",
             stable=True, images={"web": "sha256:" + "5c" * 32, "db": "sha256:" + "11" * 32}),
    Revision(stack="hello", number=2, created_at=NOW - 90_000, author="bob", cause="rollback", outcome="superseded",
             rollback_of=1, images={"web": "sha256:" + "ab" * 32, "db": "sha256:" + "11" * 32}),
    Revision(stack="hello", number=1, created_at=NOW - 900_000, author="deploy-bot", outcome="completed",
             cause="up from CI run 4711: upgrade of the web tier with new health checks", stable=True,
             images={"web": "sha256:" + "ab" * 32}),
)  # fmt: skip
