from __future__ import annotations

import pytest

from orchtui.commands import Act, Apply, Command, Down, Risk, Rollback, Scale, Target, confirm_name, risk, sentence

SERVICE = Target(kind="service", key="shop/web")
CONTAINER = Target(kind="container", key="f" * 64, name="shop-web-1")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Apply(stack="shop", tree={}), "apply stack shop"),
        (Scale(service="shop/web", replicas=5), "scale shop/web to 5"),
        (Rollback(stack="shop", to="3"), "roll back shop to revision 3"),
        (Rollback(stack="shop", service="web"), "roll back shop/web to the previous revision"),
        (Down(stack="shop", volumes=True), "remove stack shop and its volumes"),
        (Act(verb="restart", target=SERVICE), "restart service shop/web"),
        (Act(verb="kill", target=CONTAINER, signal="SIGHUP"), "kill container shop-web-1 with SIGHUP"),
    ],
)
def test_every_command_has_its_sentence(command: Command, words: str) -> None:
    assert sentence(command) == words


def test_what_loses_data_needs_the_name_typed() -> None:
    assert risk(Down(stack="shop", volumes=True)) is Risk.DESTRUCTIVE
    assert risk(Act(verb="remove", target=CONTAINER)) is Risk.DESTRUCTIVE
    assert confirm_name(Down(stack="shop", volumes=True)) == "shop"
    assert confirm_name(Act(verb="remove", target=CONTAINER)) == "shop-web-1"


def test_what_one_command_undoes_is_at_most_wide() -> None:
    for command in (
        Down(stack="shop"),
        Scale(service="shop/web", replicas=0),
        Rollback(stack="shop"),
        Apply(stack="s", tree={}),
    ):
        assert risk(command) is Risk.WIDE
    assert risk(Act(verb="restart", target=CONTAINER)) is Risk.SMALL
    assert risk(Act(verb="restart", target=SERVICE)) is Risk.WIDE
