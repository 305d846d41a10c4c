"""Every error a person can meet, as a tree.

    OrchtuiError                 message: what is wrong; hint: what to do next
    ├── UsageError               the command line or an argument is off (exit 64)
    ├── StackFileError           a stack file has problems; carries all of them
    ├── Refused                  the engine will not do it: plan, precondition or policy
    │   ├── PlanRefused          the plan cannot be carried out; carries the reasons
    │   ├── StaleBase            somebody else changed the stack since it was read (If-Match)
    │   └── NotManaged           the target belongs to somebody else (Compose, Swarm, another engine)
    ├── NotFound                 no such stack, service, container or revision
    ├── EngineUnavailable        the background engine cannot be reached or started (exit 69)
    └── DockerError              the Docker Engine
        ├── DockerUnreachable    nothing answers at the endpoint (exit 69)
        ├── DockerDenied         the socket or API refuses us (exit 69)
        ├── DockerVersion        its API is too old or too new for us (exit 69)
        └── DockerRefused        it answered a call with an error; `status` is the HTTP status
            ├── DockerNotFound   404
            └── DockerConflict   409

`message` and `hint` are sentences for a person. They may quote strings that came from Docker: whoever shows
them passes them through `orchtui.core.text.safe` first.
"""

from __future__ import annotations

from typing import ClassVar


class OrchtuiError(Exception):
    """The root. `message` says what is wrong, `hint` what to do next (may be empty)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(OrchtuiError):
    exit_code = 64


class StackFileError(OrchtuiError):
    """`details` holds one formatted problem a line: `file:line:column: error: what; what to write instead`."""

    def __init__(self, message: str, *, details: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.details = details


class Refused(OrchtuiError):
    pass


class PlanRefused(Refused):
    def __init__(self, message: str, *, details: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.details = details


class StaleBase(Refused):
    pass


class NotManaged(Refused):
    pass


class NotFound(OrchtuiError):
    pass


class EngineUnavailable(OrchtuiError):
    exit_code = 69


class DockerError(OrchtuiError):
    pass


class DockerUnreachable(DockerError):
    exit_code = 69


class DockerDenied(DockerError):
    exit_code = 69


class DockerVersion(DockerError):
    exit_code = 69


class DockerRefused(DockerError):
    def __init__(self, message: str, *, hint: str = "", status: int = 500) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class DockerNotFound(DockerRefused):
    pass


class DockerConflict(DockerRefused):
    pass
