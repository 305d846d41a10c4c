from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchtui.compose import Position, check, find_default, load
from orchtui.errors import StackFileError
from tests.unit.compose.stackfiles import ENVIRON, loaded, problems, service, written


def test_a_document_knows_its_files_and_places(tmp_path: Path) -> None:
    document = loaded(tmp_path, service("ports: ['80']\ndeploy: {replicas: 2}"), "services: {web: {ports: ['81']}}\n")
    first, second = (str(tmp_path / name) for name in ("compose.yaml", "override1.yaml"))
    assert (document.name, document.working_dir, document.files) == ("shop", str(tmp_path), (first, second))
    assert document.position(("services", "web")) == Position(first, 3, 3)
    assert document.position(("services", "web", "deploy", "replicas")) == Position(first, 6, 14)
    assert document.position(("services", "web", "ports", 0, "target")) == Position(first, 5, 13)
    assert document.position(("services", "web", "ports", 1)) == Position(second, 1, 26)
    assert document.position(("services", "nope")) is None
    assert document.position(("services", "web", "ports", 7)) is None


def test_errors_carry_every_problem_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StackFileError) as raised:
        loaded(tmp_path, service("foo: 1\nbar: 2"))
    assert raised.value.message == f"2 problems in {tmp_path}/compose.yaml."
    assert len(raised.value.details) == 2
    assert "nothing was changed" in raised.value.hint


def test_the_caller_wins_over_dotenv_and_env_file_replaces_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=dotenv\nB=dotenv\n")
    (tmp_path / "other.env").write_text("A=other\n")
    text = service("environment: {X: '$A ${B:-none}', A: }")
    document = loaded(tmp_path, text, environ={"A": "caller"})
    assert document.tree["services"]["web"]["environment"] == {"X": "caller dotenv", "A": "caller"}
    document = loaded(tmp_path, text, environ={}, env_files=[tmp_path / "other.env"])
    assert document.tree["services"]["web"]["environment"] == {"X": "other none", "A": "other"}
    named = loaded(tmp_path, text, environ={"COMPOSE_ENV_FILES": str(tmp_path / "other.env")})
    assert named.tree == document.tree


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    document = loaded(tmp_path, "version: '3'\n" + service("hostname: $NONE"))
    assert [problem.severity for problem in document.warnings] == ["warning", "warning"]
    assert "hostname" not in document.tree["services"]["web"]


@pytest.mark.parametrize(
    ("text", "options", "environ", "name"),
    [
        ("name: T_Bad", {}, {}, "t_bad"),
        ("name: ${X:-foo}", {}, {}, "foo"),
        ("name: file", {"project": "flag"}, {"COMPOSE_PROJECT_NAME": "variable"}, "flag"),
        ("name: file", {}, {"COMPOSE_PROJECT_NAME": "variable"}, "variable"),
        ("x-a: 1", {}, {}, "my_dirx"),
    ],
)
def test_the_project_name(
    text: str, options: dict[str, str], environ: dict[str, str], name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "My_Dir.x"
    folder.mkdir()
    body = "\nservices: {a: {image: i, environment: ['N=$COMPOSE_PROJECT_NAME']}}\n"
    document = load(written(folder, text + body), project=options.get("project"), environ=environ)
    assert document.name == document.tree["name"] == name
    assert document.tree["services"]["a"]["environment"] == {"N": name}
    assert document.tree["networks"]["default"]["name"] == f"{name}_default"


@pytest.mark.parametrize(
    ("text", "options", "environ", "problem"),
    [
        ("x-a: 1", {"project": "Foo"}, {}, '-p: error: "Foo" is no project name'),
        ("x-a: 1", {}, {"COMPOSE_PROJECT_NAME": "_x"}, 'COMPOSE_PROJECT_NAME: error: "_x" is no project name'),
        ("name: '***'", {}, {}, 'compose.yaml:1:7: error: "***" is no project name'),
    ],
)
def test_no_project_name(
    text: str, options: dict[str, str], environ: dict[str, str], problem: str, tmp_path: Path
) -> None:
    found = problems(tmp_path, text + "\nservices: {a: {image: i}}\n", environ=environ, **options)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_profiles(tmp_path: Path) -> None:
    text = (
        "name: x\nservices:\n  a: {image: i, depends_on: {b: {condition: service_started, required: false}}}\n"
        "  b: {image: i, profiles: [extra], networks: [n]}\nnetworks: {n: }\n"
    )
    tree = loaded(tmp_path, text).tree
    assert list(tree["services"]) == ["a"]
    assert "depends_on" not in tree["services"]["a"]
    assert list(tree["networks"]) == ["default"]
    for profiles, environ in ((["extra"], {}), (["*"], {}), ([], {"COMPOSE_PROFILES": "x,extra"})):
        tree = loaded(tmp_path, text, profiles=profiles, environ=environ).tree
        assert set(tree["services"]) == {"a", "b"}
        assert "b" in tree["services"]["a"]["depends_on"]


def test_a_dependency_that_no_profile_enables(tmp_path: Path) -> None:
    text = "name: x\nservices:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, profiles: [extra]}\n"
    assert problems(tmp_path, text) == [
        'compose.yaml:3:30: error: services.a depends on "b", which no profile enables; enable it with --profile extra'
    ]


def test_paths_are_those_of_the_project_folder(tmp_path: Path) -> None:
    text = service("volumes: ['./a:/a', '~/b:/b', '/c:/c']\nenv_file: x.env")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.env").write_text("A=1\n")
    document = loaded(tmp_path, text, project_directory=elsewhere)
    mounts = document.tree["services"]["web"]["volumes"]
    assert [mount["source"] for mount in mounts] == [f"{elsewhere}/a", "/home/me/b", "/c"]
    assert document.tree["services"]["web"]["environment"] == {"A": "1"}
    document = loaded(tmp_path, text, project_directory=elsewhere, resolve_paths=False)
    assert [mount["source"] for mount in document.tree["services"]["web"]["volumes"]] == ["./a", "~/b", "/c"]


def test_without_interpolation_variables_stay_where_they_are(tmp_path: Path) -> None:
    body = (
        "command: run $A\ninit: ${B}\nports: ['${P}:80', '81:81']\nenvironment: ['X=$A', Y]\n"
        "deploy: {replicas: '${N:-3}', update_config: {delay: $D, order: $O}}\nvolumes: ['$V:/x']\nmem_limit: $M\n"
        "env_file: nope.env\nhealthcheck: {test: $T, interval: $I}\nrestart: $R\nstop_signal: $S\ncpus: $C\ntmpfs: $TMP"
    )
    document = loaded(tmp_path, service(body), interpolate=False)
    web = document.tree["services"]["web"]
    assert web["command"] == "run $A"
    assert web["ports"][0] == "${P}:80"
    assert web["ports"][1]["published"] == "81"
    assert web["environment"] == {"X": "$A", "Y": None}
    assert web["deploy"]["replicas"] == "${N:-3}"
    assert web["volumes"] == ["$V:/x"]
    assert "$$" not in document.yaml()
    assert "$$" not in document.json()


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    latin = tmp_path / "latin"
    latin.write_bytes(b"a: 1\nb: \xe9\n")
    large = tmp_path / "large"
    large.write_bytes(b"#" * (1024 * 1024 + 1))
    cases = {
        pipe: "this is a pipe, not a file",
        tmp_path: "this is a directory, not a file",
        Path("/dev/zero"): "this is a device, not a file",
        tmp_path / "none": "the file does not exist",
        latin: "not UTF-8 text (byte 8, line 2)",
        large: "the file is larger than 1 MiB",
    }
    for path, expected in cases.items():
        (found,) = [str(problem) for problem in check([path], environ=ENVIRON)]
        assert found.startswith(f"{path}: error: {expected}; ")
    for path, expected in cases.items():
        (line,) = problems(tmp_path, service(f"env_file: {path}"))
        assert f'services.web.env_file "{path}'[:80] in line or str(tmp_path) in str(path)
        assert expected in line
    (line,) = problems(tmp_path, service("init: true"), env_files=[Path("/dev/zero")])
    assert line == "/dev/zero: error: this is a device, not a file; name a regular file"


def test_an_optional_env_file_may_be_missing_but_not_be_a_pipe(tmp_path: Path) -> None:
    text = service("env_file: [{path: a.env, required: false}]")
    assert problems(tmp_path, text) == []
    os.mkfifo(tmp_path / "a.env")
    assert "this is a pipe" in problems(tmp_path, text)[0]


def test_a_variable_that_is_not_text_counts_as_not_set(tmp_path: Path) -> None:
    found = problems(tmp_path, service("environment: [A]"), environ={"A": os.fsdecode(b"\xff")})
    assert found == ['environment: warning: the variable "A" is not UTF-8 text and counts as not set']


def test_no_files_at_all() -> None:
    (problem,) = check([], environ={})
    assert "no stack file found" in problem.message


def test_where_compose_looks(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "docker-compose.yml").touch()
    assert find_default(inner) == [tmp_path / "docker-compose.yml"]
    (tmp_path / "compose.yml").touch()
    (tmp_path / "compose.override.yaml").touch()
    assert find_default(inner) == [tmp_path / "compose.yml", tmp_path / "compose.override.yaml"]
    assert find_default(inner, {"COMPOSE_FILE": "x.yaml:/y.yaml"}) == [inner / "x.yaml", Path("/y.yaml")]


def test_shapes_that_do_not_merge_name_both_places(tmp_path: Path) -> None:
    found = problems(tmp_path, service("x-a: {b: 1}"), "services: {web: {x-a: [1]}}\n")
    assert found == [
        "override1.yaml:1:23: error: services.web.x-a is a list here and a mapping at "
        f"{tmp_path}/compose.yaml:5:10; write both the same way, or put !override before this value".replace(
            f"{tmp_path}/", ""
        )
    ]
