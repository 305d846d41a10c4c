"""What the planner may ask for: small values, one Docker call each, with their cause.

Operations of one `lane` run in order, and the first failure drops the rest of that lane; lanes are independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from orchtui.core.restart import Policy
from orchtui.model.plan import Step, Verb
from orchtui.model.spec import NetworkSpec, ServiceSpec, VolumeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    verb: ClassVar[Verb]
    cause: str
    lane: str
    service: str = ""

    @property
    def subject(self) -> str:
        raise NotImplementedError

    @property
    def step(self) -> Step:
        return Step(verb=self.verb, subject=self.subject, cause=self.cause)

    def __str__(self) -> str:
        return str(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull(_Operation):
    verb: ClassVar[Verb] = "pull"
    image: str

    @property
    def subject(self) -> str:
        return self.image


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateNetwork(_Operation):
    verb: ClassVar[Verb] = "create-network"
    spec: NetworkSpec
    labels: Mapping[str, str]

    @property
    def subject(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNetwork(_Operation):
    verb: ClassVar[Verb] = "remove-network"
    id: str
    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVolume(_Operation):
    verb: ClassVar[Verb] = "create-volume"
    spec: VolumeSpec
    labels: Mapping[str, str]

    @property
    def subject(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveVolume(_Operation):
    verb: ClassVar[Verb] = "remove-volume"
    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_Operation):
    """`image` is what Docker is asked for (a tag or an ID), `networks` maps keys to real names.

    `replaces` tells that the slot still has a container of another form: a refusal then pauses the rollout.
    """

    verb: ClassVar[Verb] = "create"
    name: str
    slot: int
    spec: ServiceSpec
    image: str
    labels: Mapping[str, str]
    networks: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    replaces: bool = False

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnContainer(_Operation):
    id: str
    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(_OnContainer):
    verb: ClassVar[Verb] = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_OnContainer):
    """`grace` None leaves the container's own stop timeout."""

    verb: ClassVar[Verb] = "stop"
    grace: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove(_OnContainer):
    verb: ClassVar[Verb] = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRestart(_OnContainer):
    verb: ClassVar[Verb] = "set-restart"
    policy: Policy

    @property
    def subject(self) -> str:
        return f"{self.name} to {self.policy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(_OnContainer):
    verb: ClassVar[Verb] = "rename"
    to: str

    @property
    def subject(self) -> str:
        return f"{self.name} to {self.to}"


Operation: TypeAlias = (
    Pull
    | CreateNetwork
    | RemoveNetwork
    | CreateVolume
    | RemoveVolume
    | Create
    | Start
    | Stop
    | Remove
    | SetRestart
    | Rename
)
