"""The questions of docs/how-to/query.md, asked of a store with made-up bans."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils_cli
from sqlite_utils.plugins import pm

from f2b_enrich import sql_functions
from tests.cli import run
from tests.integration.test_readme_queries import DATABASE, ask
from tests.stores import StoreBuilder, event, filled, located

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/how-to/query.md").read_text("utf-8")
_QUESTION = re.compile(r"^([^\n]+):\n\n```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
QUESTIONS: list[tuple[str, str]] = _QUESTION.findall(PAGE)
BLOCKS = PAGE.count("```sh\n")
PLUGIN = " *(plugin)*"
FUNCTIONS = re.compile(r"\b(?:flag|country_name|subnet|ip_key)\(")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreBuilder:
    """Give a store in which every question has an answer, counted from now."""
    path = tmp_path_factory.mktemp("store") / "bans.db"
    now = datetime.now(UTC).replace(microsecond=0)
    store = filled(path, now=now)
    oracle = "sshd[7]: Invalid user oracle from 198.51.100.3"
    store.record(
        event("198.51.100.3", at=now, lines=(oracle,)),
        event("198.51.7.9", at=now - timedelta(days=9), jail="nginx-404", failures=50),
        host="web2",
    )
    placed = located("198.51.7.9", at=now - timedelta(days=9))
    german = replace(placed, country_code="DE", country="Germany", city="Berlin")
    there = replace(german, latitude=52.5, longitude=13.4)
    store.learn(replace(there, is_hosting=None, asn=64501))
    return store


@pytest.fixture
def plugin() -> Iterator[None]:
    """Register the plugin by hand where the installed package does not do it yet."""
    if pm.is_registered(sql_functions):
        yield
        return
    pm.register(sql_functions)
    yield
    pm.unregister(sql_functions)


def answer(command: str, store: StoreBuilder) -> str:
    """Ask as the reader would, but of this store."""
    name, *words = shlex.split(command)
    if name == "sqlite-utils":
        assert DATABASE in command
        return ask(command, store.path)
    assert name == "f2b-enrich"
    ran = run(*words, "--db", store.path)
    assert (ran.code, ran.err) == (0, ""), command
    return ran.out


def by_question(beginning: str) -> str:
    (command,) = (
        text for question, text in QUESTIONS if question.startswith(beginning)
    )
    return command


def test_every_block_is_a_question() -> None:
    assert len(QUESTIONS) == BLOCKS
    assert BLOCKS >= 20
    assert len({question for question, _ in QUESTIONS}) == BLOCKS


@pytest.mark.parametrize(
    "command",
    [command for _, command in QUESTIONS],
    ids=[question for question, _ in QUESTIONS],
)
def test_every_question_has_an_answer(command: str, store: StoreBuilder) -> None:
    assert answer(command, store).strip() not in {"", "[]"}


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    "command", [text for _, text in QUESTIONS if text.startswith("f2b-enrich sql ")]
)
def test_sqlite_utils_with_the_plugin_answers_the_same(
    command: str, store: StoreBuilder
) -> None:
    words = [word for word in shlex.split(command)[2:] if word != "--json"]

    ran = CliRunner().invoke(sqlite_utils_cli, ["query", str(store.path), *words])

    assert (ran.exit_code, ran.exception) == (0, None)
    ours = answer(shlex.join(["f2b-enrich", "sql", *words, "--json"]), store)
    assert json.loads(ran.stdout) == json.loads(ours)


@pytest.mark.parametrize(("question", "command"), QUESTIONS)
def test_those_that_need_the_plugin_say_so(question: str, command: str) -> None:
    assert question.endswith(PLUGIN) == bool(FUNCTIONS.search(command))


def test_the_functions_are_all_in_the_table() -> None:
    for function in ("flag", "country_name", "subnet", "ip_key"):
        assert callable(getattr(sql_functions, function))
        assert f"| `{function}(" in PAGE


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("The last seven days", [(5, 4, 25)]),
        ("What was unbanned", [("192.0.2.7", "sshd")]),
        ("The twenty addresses with the most failures", [("198.51.7.9", 50)]),
        ("Countries, with", [("\U0001f1f3\U0001f1f1", "Netherlands", 3, 1)]),
        ("Countries as a percentage", [("Netherlands", 3, 75.0), ("Germany", 1, 25.0)]),
        ("How much comes from hosting", [("not known", 4, 4), ("hosting", 3, 1)]),
        ("Who was banned by several jails", [("192.0.2.7", 2)]),
        ("Which part of all addresses came back", [(5, 1, 20.0)]),
        ("Neighbourhoods", [("192.0.2.0/24", 2, 4)]),
        ("The same for wider", [("198.51.0.0/16", 2, 2)]),
        ("Who else came from", [("192.0.2.9", "sshd")]),
        ("Which user names", [("admin", 5), ("oracle", 1)]),
        ("Which addresses were not", [("192.0.2.9",), ("198.51.100.3",)]),
        ("Bans with lines that have a word", [("nginx-404", 1), ("sshd", 4)]),
    ],
)
def test_the_answers_are_right(
    question: str, rows: list[tuple[object, ...]], store: StoreBuilder
) -> None:
    found = json.loads(answer(f"{by_question(question)} --json", store))

    for row in rows:
        beginnings = [tuple(each.values())[: len(row)] for each in found]
        assert row in beginnings


def test_the_map_is_geojson(store: StoreBuilder) -> None:
    page = json.loads(answer(by_question("A map"), store))

    assert page["type"] == "FeatureCollection"
    assert page["features"] == [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [13.4, 52.5]},
            "properties": {
                "country": "DE",
                "precision": "city",
                "bans": 1,
                "addresses": 1,
            },
        }
    ]


def test_a_question_that_fails_is_noticed(store: StoreBuilder) -> None:
    with pytest.raises(AssertionError):
        answer('f2b-enrich sql "select 1 where 0"', store)
    with pytest.raises(AssertionError):
        answer('f2b-enrich sql "select nought from bans"', store)
