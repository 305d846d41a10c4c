from __future__ import annotations

import pytest

from orchtui.compose import yaml_nodes
from orchtui.compose.nodes import Node, plain
from orchtui.compose.problems import Position, Report


def _parse(text: str) -> tuple[list[Node], list[str]]:
    report = Report()
    documents = yaml_nodes.parse(text, "f.yaml", report)
    return documents, [str(problem) for problem in report.problems]


def _refused(text: str) -> str:
    documents, problems = _parse(text)
    assert len(problems) == 1, problems
    assert documents == []
    return problems[0]


def test_every_node_knows_its_place() -> None:
    documents, problems = _parse("a:\n  - b\n  - {c: d}\n")
    assert not problems
    root = documents[0]
    assert root.key_at("a") == Position("f.yaml", 1, 1)
    assert [item.at for item in root.items("a")] == [Position("f.yaml", 2, 5), Position("f.yaml", 3, 5)]
    inner = root.items("a")[1].get("c")
    assert inner is not None
    assert inner.at == Position("f.yaml", 3, 9)


def test_a_byte_order_mark_and_several_documents() -> None:
    documents, problems = _parse("\ufeffa: 1\n---\nb: 2\n")
    assert not problems
    assert [plain(document) for document in documents] == [{"a": 1}, {"b": 2}]


def test_a_duplicate_key_names_both_places() -> None:
    _, problems = _parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert problems == [
        'f.yaml:4:3: error: the key "c" is already defined at f.yaml:3:3; remove one of the two',
        'f.yaml:5:1: error: the key "a" is already defined at f.yaml:1:1; remove one of the two',
    ]


def test_merge_keys_keep_what_is_written_and_where() -> None:
    documents, problems = _parse("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 9\n")
    assert not problems
    merged = documents[0].get("z")
    assert merged is not None
    assert plain(merged) == {"a": 9, "b": 2, "c": 4}
    assert merged.key_at("c") == Position("f.yaml", 2, 14)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "f.yaml:1:6: error: YAML syntax: expected ',' or ']'"),
        ("a:\n\tb: 1", "f.yaml:2:1: error: YAML syntax: found character '\\t' that cannot start any token"),
        ("a: b: c", "f.yaml:1:5: error: YAML syntax: mapping values are not allowed here"),
        ('a: "b', "f.yaml:1:6: error: YAML syntax: found unexpected end of stream"),
        ("a: *b", "f.yaml:1:4: error: undefined alias *b"),
        ("a: &b [*b]", "f.yaml:1:8: error: *b stands inside its own anchor &b"),
        ("a: \0", "f.yaml:1:4: error: a control character (U+0000); remove it from the file"),
        ("%YAML 1.2\n---\na: 1", "f.yaml:1:1: error: Compose reads YAML 1.1 only"),
        ('a: "\\UFFFFFFFF"', "f.yaml:1:7: error: an escape sequence names no character"),
        ("a: 1\n b: 2", "f.yaml:2:3: error: YAML syntax: mapping values are not allowed here"),
        ("", "f.yaml: error: the file is empty"),
    ],
)
def test_what_cannot_be_read(text: str, problem: str) -> None:
    assert _refused(text).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1: a", "a key has to be text, not the number 1; put it in quotes"),
        ("? [a]\n: b", "a key has to be text, not a list; use text as the key"),
        ("a: !secret b", 'unknown tag "!secret"'),
        ("a: !!int b", '"b" is not a YAML !!int'),
        ("a: [!reset b]", "!reset on a list item"),
        ("a: {<<: 1}", "<< merges mappings, not the number 1"),
        ('a: "b\\0c"', "an escape sequence for a character that no text may hold"),
        ('a: "\\ud800"', "an escape sequence for a character that no text may hold"),
    ],
)
def test_what_compose_has_no_use_for(text: str, problem: str) -> None:
    _, problems = _parse(text)
    assert len(problems) == 1
    assert f"error: {problem}" in problems[0]


def test_ten_thousand_values_and_no_more() -> None:
    inside = "a: [" + "1," * (yaml_nodes.MAX_NODES - 3) + "]"
    assert not _parse(inside)[1]
    assert "more than 10,000 values" in _refused("a: [" + "1," * yaml_nodes.MAX_NODES + "]")


def test_an_alias_bomb_is_counted_where_it_is_used() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    assert "more than 10,000 values" in _refused("\n".join(levels))


def test_nesting_is_limited_before_anything_is_built() -> None:
    assert "nested more than 64 levels deep" in _refused("a: " + "[" * 200_000)
    assert "nested more than 64 levels deep" in _refused("- " * 200_000)
    assert "nested more than 64 levels deep" in _refused("{a: " * 100_000)
    chain = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))])
    assert "nested more than 64 levels deep" in _refused(chain)


def test_a_mebibyte_is_the_most() -> None:
    assert _refused("#" * (yaml_nodes.MAX_BYTES + 1)) == (
        "f.yaml: error: larger than 1 MiB; split the file; several files are one stack"
    )
