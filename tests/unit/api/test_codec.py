"""Every value survives the wire; what does not belong there is refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchtui import errors
from orchtui.api import codec
from orchtui.api.codec import EngineInfo
from orchtui.commands import Act, Apply, Command, Down, Receipt, Rollback, Scale, Target
from orchtui.engine import LogRequest
from orchtui.errors import DockerConflict, EngineUnavailable, OrchtuiError, PlanRefused, StackFileError, UsageError
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TREES = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)

st.register_type_strategy(str, TEXT)
st.register_type_strategy(int, INTEGERS)
st.register_type_strategy(float, FLOATS)

COMMANDS = st.one_of(
    st.builds(Apply, tree=TREES),
    st.builds(Scale),
    st.builds(Rollback),
    st.builds(Down),
    st.builds(Act),
)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(COMMANDS)
def test_a_command_survives(command: Command) -> None:
    sent = codec.encode(codec.PlanRequest(command=codec.encode_command(command)))
    assert codec.decode_command(codec.decode_request(codec.PlanRequest, sent).command) == command


@pytest.mark.parametrize("kind", [Receipt, Plan, Description, LogBatch, Usage, Snapshot, Revision, EngineInfo])
def test_what_an_engine_sends_survives(kind: type[object]) -> None:
    @QUICK
    @given(st.from_type(kind))
    def check(value: object) -> None:
        assert codec.decode(kind, codec.encode(value)) == value

    check()


@pytest.mark.parametrize("kind", [Target, LogRequest, codec.ExecRequest, codec.UsageRequest, codec.DiffRequest])
def test_what_a_client_sends_survives(kind: type[object]) -> None:
    @QUICK
    @given(st.from_type(kind))
    def check(value: object) -> None:
        assert codec.decode_request(kind, codec.encode(value)) == value

    check()


def test_collections_survive() -> None:
    changes = (Change(subject="web", field="image", old="a", new="b"),)
    assert codec.decode(tuple[Change, ...], codec.encode(changes)) == changes
    sample = {"c1": Usage(container="c1", at=1.0, cpu=None, memory=5)}
    assert codec.decode(dict[str, Usage], codec.encode(sample)) == sample


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([], "A command must be an object"),
        ({}, "Unknown command None"),
        ({"type": "Explode"}, "Unknown command 'Explode'. Commands are: Apply, Scale"),
        ({"type": ["Scale"]}, "Unknown command"),
        (
            {"type": "Scale", "service": "a/b", "replcas": 3},
            "Scale: unknown key 'replcas'. Known keys are: service",
        ),
        ({"type": "Scale", "service": "a/b"}, "missing required field `replicas`"),
        ({"type": "Scale", "service": "a/b", "replicas": "3"}, "Expected `int`, got `str`"),
        ({"type": "Scale", "service": "a/b", "replicas": True}, "Expected `int`, got `bool`"),
        ({"type": "Act", "verb": "explode", "target": {"kind": "stack", "key": "a"}}, "Invalid enum value 'explode'"),
        (
            {"type": "Act", "verb": "stop", "target": {"kind": "stack", "key": "a", "nmae": "x"}},
            "Act.target: unknown key 'nmae'",
        ),
    ],
)
def test_a_malformed_command_is_refused(value: object, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        codec.decode_command(value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"text"', b"[" * 100_000])
def test_a_request_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError):
        codec.decode_request(codec.HistoryRequest, body)


@pytest.mark.parametrize("value", [{"name": "\ud800"}, {"n": object()}])
def test_what_json_cannot_carry_is_refused(value: Mapping[str, object]) -> None:
    with pytest.raises(UsageError):
        codec.encode(value)


def test_an_engine_of_another_version_is_no_traceback() -> None:
    with pytest.raises(EngineUnavailable, match="Object missing required field"):
        codec.decode(Receipt, b"{}")


def all_errors() -> list[type[OrchtuiError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OrchtuiError)]


@pytest.mark.parametrize("kind", [*all_errors(), codec.EngineStopped])
def test_an_error_keeps_its_class_and_words(kind: type[OrchtuiError]) -> None:
    back = codec.decode_error(codec.encode_error(kind("It broke.", hint="Mend it.")))
    assert (type(back), back.message, back.hint) == (kind, "It broke.", "Mend it.")


def test_an_error_keeps_its_details() -> None:
    for kind in (StackFileError, PlanRefused):
        back = codec.decode_error(codec.encode_error(kind("No.", details=("a:1:2: error: b", "c"))))
        assert isinstance(back, StackFileError | PlanRefused)
        assert back.details == ("a:1:2: error: b", "c")
    conflict = codec.decode_error(codec.encode_error(DockerConflict("Taken.", status=409)))
    assert isinstance(conflict, DockerConflict)
    assert conflict.status == 409


def test_an_unknown_error_is_still_an_error() -> None:
    problem = codec.encode_error(UsageError("New.")).replace(b'"UsageError"', b'"FutureError"')
    assert type(codec.decode_error(problem)) is OrchtuiError
