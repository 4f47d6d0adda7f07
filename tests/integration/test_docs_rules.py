"""The example of docs/how-to/rules.md does what the page says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.classify.rules import KINDS, Rule
from f2b_enrich.cli.tables import json_text
from tests.cli import run
from tests.stores import StoreBuilder, event

if TYPE_CHECKING:
    from tests.cli import Ran

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-to/rules.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS: list[tuple[str, str]] = _BLOCK.findall(PAGE)
LOG, TRIED = (text for kind, text in BLOCKS if kind == "text")
RULE, JAIL = (text for kind, text in BLOCKS if kind == "toml")
SHELL = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with the page's files and a configuration."""
    (tmp_path / "shop.log").write_text(LOG)
    (tmp_path / "shop.toml").write_text(RULE)
    (tmp_path / "config.toml").write_text(
        f"store.path = '{tmp_path / 'bans.db'}'\n"
        f"classify.rules = '{tmp_path / 'rules.d'}'\n{JAIL}"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(line: str) -> Ran:
    """Run a line of the page."""
    assert line in SHELL
    program, *words = line.split()
    assert program == "f2b-enrich"
    return run(*words, "--config", "config.toml")


@pytest.mark.usefixtures("place")
def test_nothing_is_told_before() -> None:
    ran = called("f2b-enrich classify shop.log")

    rows, verdict = ran.out.split("\n\n")
    assert [row.split()[1:] for row in rows.splitlines()[1:]] == [["-"] * 3] * 4
    assert verdict.splitlines()[-1].split()[0] == "other"


@pytest.mark.usefixtures("place")
def test_the_rule_gives_what_the_page_shows() -> None:
    ran = called("f2b-enrich classify shop.log --rules shop.toml --jail shop")

    # How wide a column is depends on the longest name of a shipped rule.
    shown, page = (
        [line.split() for line in text.splitlines()] for text in (ran.out, TRIED)
    )
    assert (ran.code, shown, ran.err) == (0, page, "")


def told(rule: str, *lines: str) -> list[dict[str, str] | None]:
    """Give what lines show by another rule; None where it does not match."""
    Path("other.toml").write_text(rule)
    Path("other.log").write_text("\n".join(lines))
    ran = run(
        *("classify", "other.log", "--config", "config.toml", "--json"),
        *("--rules", "other.toml"),
    )
    found = map(json.loads, ran.out.splitlines()[:-1])
    return [one["observed"] if one["rule"] == "shop-login" else None for one in found]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("careless", [".*?", '[^"]*'])
def test_a_name_ends_where_the_attacker_wants_when_a_pattern_lets_him(
    careless: str,
) -> None:
    imitating = LOG.splitlines()[2]
    rule = RULE.replace(r"\S+$'", r"\S+'").replace(">.*)", f">{careless})")

    assert told(RULE, imitating) == [{"username": 'x" refused from 198.51.100.9'}]
    assert told(rule, imitating) == [{"username": "x"}]


@pytest.mark.usefixtures("place")
def test_any_program_may_hold_what_imitates_another() -> None:
    imitating = (
        "Nov 21 20:13:22 web1 mta[7]: unknown user "
        'shop[1]: log-in of "bob" refused from 192.0.2.7'
    )
    rule = RULE.replace(r"""^(?:[^\s"]*[^\s":] +){0,6}""", "")

    assert told(RULE, imitating) == [None]
    assert told(rule, imitating) == [{"username": "bob"}]


def test_in_its_place_it_classes_new_bans_and_old(place: Path) -> None:
    store = StoreBuilder(place / "bans.db")
    store.record(event(jail="shop", lines=tuple(LOG.splitlines())))
    store.classify()
    folder = place / "rules.d"
    folder.mkdir()
    (folder / "shop.toml").write_text(RULE)

    ran = called("f2b-enrich classify --all")

    assert ran.out == "classed 1 ban anew, 1 with another leading class\n"
    with store.reading() as connection:
        found = connection.execute(
            "SELECT attack, service FROM ban_log, observed ON ban_id = id "
            "WHERE kind = 'username'"
        ).fetchall()
    assert [tuple(row) for row in found] == [("web-login-guessing", "web")] * 3


def test_every_key_and_kind_is_on_the_page() -> None:
    (rule,) = tomllib.loads(RULE)["rule"]
    keys = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))

    assert rule.keys() <= keys == set(json.loads(json_text(_one(rule))))
    for kind in KINDS:
        assert f"`{kind}`" in PAGE


def _one(rule: dict[str, object]) -> Rule:
    return Rule(**rule)  # type: ignore[arg-type]
