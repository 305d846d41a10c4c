from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.core.redact import (
    MASK,
    Json,
    is_masked,
    looks_secret,
    mask_command,
    mask_document,
    mask_env,
    mask_known,
    mask_labels,
    mask_pair,
    mask_text,
    secret_values,
    spellings,
)


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD", "DB_PASSWORD", "DBPASSWORD", "MYSQL_ROOT_PASSWORD", "DB_PASS", "pgpassword", "SECRET",
        "client-secret", "clientSecret", "API_KEY", "apikey", "STRIPE_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN",
        "accessToken", "SENTRY_DSN", "AUTH", "BASIC_AUTH", "GITHUB_PAT", "SESSION_COOKIE", "JoinTokens", "UnlockKey",
        "--requirepass", "PWD_HASH_SALT",
    ],
)  # fmt: skip
def test_secret_names(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "KEYBOARD",
        "MONKEY",
        "AUTHOR",
        "COMPASS",
        "PUBLIC_KEY",
        "SandboxKey",
        "KEY_COUNT",
        "PORT",
        "",
        "_",
    ],
)
def test_harmless_names(name: str) -> None:
    assert not looks_secret(name)


def test_env() -> None:
    assert mask_env("DB_PASSWORD", "hunter2") == MASK
    assert mask_env("DB_PASSWORD", "x" * 400) == MASK
    assert mask_env("DB_PASSWORD", "") == ""
    assert mask_env("DB_PASSWORD_FILE", "/run/secrets/db") == "/run/secrets/db"
    assert mask_env("DB_PASSWORD_FILE", "hunter2") == MASK
    assert mask_env("DATABASE_URL", "postgres://app:hunter2@db/shop") == f"postgres://app:{MASK}@db/shop"
    assert mask_env("LANG", "C.UTF-8") == "C.UTF-8"
    assert mask_pair("TOKEN=a=b") == f"TOKEN={MASK}"
    assert mask_pair("NAME_ONLY") == "NAME_ONLY"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:p%40ss@cache:6379/0", f"redis://:{MASK}@cache:6379/0"),
        ("amqp://a:b@c, mongodb://d:e@f", f"amqp://a:{MASK}@c, mongodb://d:{MASK}@f"),
        ("postgres://app:p@ss@db/shop", f"postgres://app:{MASK}@db/shop"),
        ("https://abcdefghij0123456789@host/x.git", f"https://{MASK}@host/x.git"),
        ("ssh://git@host/x.git", "ssh://git@host/x.git"),
        ("http://host:8080/path@x", "http://host:8080/path@x"),
        ("server --password=hunter2 --port=80", f"server --password={MASK} --port=80"),
        ("server --password hunter2 --port 80", f"server --password {MASK} --port 80"),
        ("curl -H 'Authorization: Bearer abc.def' http://x", f"curl -H 'Authorization: {MASK}' http://x"),
        ("curl -H 'X-Api-Key: abc' http://x", f"curl -H 'X-Api-Key: {MASK}' http://x"),
        ("Server=db;User Id=sa;Password=hunter2;Timeout=3", f"Server=db;User Id=sa;Password={MASK};Timeout=3"),
        ("https://x/y?token=abc&page=2", f"https://x/y?token={MASK}&page=2"),
        ('{"password": "hunter2", "port": 80}', f'{{"password": {MASK}, "port": 80}}'),
        ("ghp_0123456789abcdefghij0123", MASK),
        ("plain text - nothing to hide", "plain text - nothing to hide"),
        ("", ""),
    ],
)
def test_text(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_private_key_is_hidden_even_when_cut() -> None:
    assert mask_text("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n") == f"a {MASK}"


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("srv", "--token", "abc", "-v"), ("srv", "--token", MASK, "-v")),
        (("srv", "--token=abc", "run"), ("srv", f"--token={MASK}", "run")),
        (("srv", "--use-token", "--verbose"), ("srv", "--use-token", "--verbose")),
        (("redis-cli", "-a", "abc", "ping"), ("redis-cli", "-a", MASK, "ping")),
        (("/usr/bin/mysqladmin", "-psecret", "ping"), ("/usr/bin/mysqladmin", f"-p{MASK}", "ping")),
        (("ssh", "-p2222"), ("ssh", "-p2222")),
        (("sh", "-c", "PGPASSWORD=x psql"), ("sh", "-c", f"PGPASSWORD={MASK} psql")),
        ((), ()),
    ],
)
def test_command(argv: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert mask_command(argv) == shown


def test_known_values_leave_dictionary_words_alone() -> None:
    values = secret_values(["A_TOKEN=hunter22", "POSTGRES_PASSWORD=postgres", "B_SECRET=abc", "HOME=/root"])
    assert values == {"hunter22"}


def test_known_values_in_all_their_spellings() -> None:
    known = spellings(secret_values(['TOKEN=p@ss "word"']))
    for line in ('pw p@ss "word" ok', "u=p%40ss%20%22word%22", '{"pw": "p@ss \\"word\\""}', "Basic cEBzcyAid29yZCI="):
        assert MASK in mask_known(line, known), line
    assert mask_known("token=abc", known) == "token=abc"


def test_labels() -> None:
    plain = {"team": "blue", "path": "/x"}
    assert mask_labels(plain) is plain
    assert mask_labels({"team": "blue", "api-key": "x"}) == {"team": "blue", "api-key": MASK}
    assert mask_labels({"o": "addr=nas,username=me,password=pw1"}) == {"o": f"addr=nas,username=me,password={MASK}"}


def test_document_of_an_inspect_answer() -> None:
    document: Json = {
        "Image": "postgres:16",
        "Config": {
            "Env": ["DB_PASSWORD=hunter2", "LANG=C", "URL=http://a:b@c/"],
            "Cmd": ["srv", "--password", "hunter2"],
            "Labels": {"app.token": "abc", "version": "1"},
            "Healthcheck": {"Test": ["CMD-SHELL", "curl -u admin:hunter2 http://x"]},
        },
        "NetworkSettings": {"SandboxKey": "/var/run/docker/netns/1"},
        "JoinTokens": {"Worker": "w", "n": 3, "on": True, "none": None},
    }
    assert mask_document(document) == {
        "Image": "postgres:16",
        "Config": {
            "Env": [f"DB_PASSWORD={MASK}", "LANG=C", f"URL=http://a:{MASK}@c/"],
            "Cmd": ["srv", "--password", MASK],
            "Labels": {"app.token": MASK, "version": "1"},
            "Healthcheck": {"Test": ["CMD-SHELL", f"curl -u admin:{MASK} http://x"]},
        },
        "NetworkSettings": {"SandboxKey": "/var/run/docker/netns/1"},
        "JoinTokens": {"Worker": MASK, "n": MASK, "on": True, "none": None},
    }


def test_document_of_a_compose_tree() -> None:
    tree: Json = {
        "services": {
            "web": {"environment": {"TOKEN": "abc", "MODE": "x", "GONE": None}, "secrets": [{"source": "db_key"}]}
        },
        "secrets": {"db_key": {"file": "/srv/db"}, "inline": {"content": "abc", "name": "p_inline"}},
    }
    assert mask_document(tree) == {
        "services": {
            "web": {"environment": {"TOKEN": MASK, "MODE": "x", "GONE": None}, "secrets": [{"source": "db_key"}]}
        },
        "secrets": {"db_key": {"file": "/srv/db"}, "inline": {"content": MASK, "name": "p_inline"}},
    }


def test_masked_text_is_recognised() -> None:
    assert is_masked(mask_env("TOKEN", "abc"))
    assert not is_masked("abc")


@given(st.text(min_size=6).filter(lambda value: not value.startswith("/")))
def test_no_secret_variable_survives(value: str) -> None:
    document: Json = {"Env": [f"APP_SECRET={value}"]}
    assert mask_document(document) == {"Env": [f"APP_SECRET={MASK}"]}


@given(st.text())
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
