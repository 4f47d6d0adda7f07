"""The questions of docs/how-to/query.md, asked of a store with made-up bans."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils_cli
from sqlite_utils.plugins import ensure_plugins_loaded, pm

from f2b_enrich import sql_functions
from f2b_enrich.model import Campaign, EventKind, time_text
from f2b_enrich.store import campaigns, enrichments
from tests.cli import run
from tests.stores import LINES, NOW, StoreBuilder, event, filled, located

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = (Path(__file__).parents[2] / "docs/how-to/query.md").read_text("utf-8")
_QUESTION = re.compile(r"^([^\n]+):\n\n```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
QUESTIONS: list[tuple[str, str]] = _QUESTION.findall(PAGE)
BLOCKS = PAGE.count("```sh\n")
_BLOCKS = Path(__file__).with_name("query_answers.txt").read_text("utf-8").split("\n\n")
ANSWERS = {
    heading.removeprefix("## "): lines
    for heading, *lines in (block.splitlines() for block in _BLOCKS)
}
"""Heading and rows at `NOW`, by the beginning of the question."""

PLUGIN = " *(plugin)*"
FUNCTIONS = re.compile(r"\b(?:flag|country_name|subnet|ip_key)\(")
FORMS = ("--json", "--nl", "--csv", "--tsv", "--raw-lines")
COLUMNS = ("banned_at", "host", "jail", "ip", "position", "line")
OWN_TESTS = ("Day by day", "The last seven days for", "A map")
LOCAL = "XXX-2"
"""This machine's clock: two hours before UTC."""

REQUEST = '198.51.7.9 - - [12/Nov/2026:20:13:22 +0100] "GET {} HTTP/1.1" 404 1 "-" "-"'
EVAL = "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"
WEB = tuple(map(REQUEST.format, ("/.env", "/.env", EVAL)))
WALK = Campaign(
    kind="user-name-enumeration",
    scope="address",
    who="198.51.100.3",
    first_at=NOW - timedelta(days=9),
    last_at=NOW,
    bans=7,
    addresses=1,
    names=30,
    in_order=True,
    first_name="admin",
    last_name="test",
)
SSHD = (
    "sshd[7]: Invalid user oracle from 198.51.100.3 port 4022",
    "sshd[7]: Failed password for invalid user admin from 198.51.100.3 port 4022 ssh2",
    "sshd[7]: Failed password for invalid user admin from 198.51.100.3 port 4022 ssh2",
    "sshd[7]: Invalid user  from 198.51.100.3 port 4022",
    "sshd[7]: Invalid user a from b from 198.51.100.3 port 4022",
    "sshd[7]: Invalid user 007 from 198.51.100.3 port 4022",
    "sshd[7]: Failed password for root from 198.51.100.3 port 4022 ssh2",
    "sshd[7]: Connection closed by authenticating user bin 198.51.100.3 port 4022",
    "sshd[7]: Disconnected from invalid user test 198.51.100.3 port 4022 [preauth]",
    "sshd[7]: Invalid user ghost from host.example port 4022",
    "sshd[7]: Connection closed by 198.51.100.3 port 4022",
)


def made(path: Path, *, now: datetime) -> StoreBuilder:
    """Make a store in which every question has an answer, counted from `now`."""
    store = filled(path, now=now)
    ended = event("2001:db8::8", at=now - timedelta(days=3), bantime=-1, lines=())
    unban = replace(ended, kind=EventKind.UNBAN, at=ended.at + timedelta(hours=1))
    seen = now - timedelta(days=9)
    store.record(
        event("198.51.100.3", at=now, lines=SSHD),
        event("fe80::1%eth0", at=now - timedelta(hours=1), lines=()),
        ended,
        event(at=now - timedelta(minutes=4), jail="recidive", lines=()),
    )
    store.record(unban)
    web2 = event("198.51.7.9", at=seen, jail="nginx-404", failures=50, lines=WEB)
    store.record(web2, host="web2")
    known = located("198.51.7.9", at=seen)
    german = replace(
        known,
        country_code="DE",
        country="Germany",
        city="Berlin",
        latitude=52.5,
        longitude=13.4,
        is_hosting=None,
        asn=64501,
        scanner="Example Scan",
        field_sources={**known.field_sources, "scanner": "list of scanners"},
    )
    later = replace(german, looked_up_at=now - timedelta(days=1), asn=64502)
    store.learn(german, replace(later, country_code="FR", country="France"))
    store.classify()
    with store.writing() as connection:
        day = now - timedelta(days=1)
        enrichments.attach_fresh(
            connection, "192.0.2.7", complete_since=day, incomplete_since=now
        )
        campaigns.save(connection, WALK, now=now)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreBuilder:
    """Give a store of this moment, as the questions are asked."""
    now = datetime.now(UTC).replace(microsecond=0)
    return made(tmp_path_factory.mktemp("store") / "bans.db", now=now)


@pytest.fixture(scope="module")
def old_store(tmp_path_factory: pytest.TempPathFactory) -> StoreBuilder:
    """Give a store whose present is `NOW`."""
    return made(tmp_path_factory.mktemp("old_store") / "bans.db", now=NOW)


@pytest.fixture
def local_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", LOCAL)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def plugin() -> Iterator[None]:
    """Register the plugin by hand where the installed package does not do it yet."""
    ensure_plugins_loaded()
    if pm.is_registered(sql_functions):
        yield
        return
    pm.register(sql_functions)
    yield
    pm.unregister(sql_functions)


def answer(command: str, store: StoreBuilder) -> str:
    """Ask as the reader would, but of this store."""
    name, *words = shlex.split(command)
    assert name == "f2b-enrich"
    ran = run(*words, "--db", store.path)
    assert (ran.code, ran.err) == (0, ""), command
    return ran.out


def by_question(beginning: str) -> str:
    (command,) = (
        text for question, text in QUESTIONS if question.startswith(beginning)
    )
    return command


def pinned(command: str, now: datetime) -> str:
    """Let a question be asked at another time than now."""
    for span, before in ("24h", timedelta(days=1)), ("30d", timedelta(days=30)):
        command = command.replace(span, time_text(now - before))
    return command.replace("'now'", f"'{time_text(now)}'")


def rows(command: str, store: StoreBuilder, *, now: datetime = NOW) -> list[str]:
    """Ask at `now`; give heading and rows, without what only says which ban it was."""
    for form in FORMS:
        command = command.removesuffix(f" {form}")
    text = answer(f"{pinned(command, now)} --csv", store)
    heading, *_ = found = list(csv.reader(io.StringIO(text)))
    kept: Sequence[int] = range(len(heading))
    if not command.startswith("f2b-enrich sql"):
        kept = [heading.index(name) for name in COLUMNS if name in heading]
    return ["|".join(row[i] for i in kept) for row in found]


def test_every_block_is_a_question() -> None:
    assert len(QUESTIONS) == BLOCKS
    assert BLOCKS >= 50
    assert len({question for question, _ in QUESTIONS}) == BLOCKS
    for _, command in QUESTIONS:
        # So that a shell changes nothing in them.
        assert not set("$`\\") & set(command)


def test_the_answer_to_every_question_is_compared() -> None:
    known = (*ANSWERS, *OWN_TESTS)

    for question, _ in QUESTIONS:
        assert len([each for each in known if question.startswith(each)]) == 1, question
    assert len(known) == BLOCKS


@pytest.mark.usefixtures("local_clock")
@pytest.mark.parametrize("question", ANSWERS)
def test_the_answers_are_right(question: str, old_store: StoreBuilder) -> None:
    assert rows(by_question(question), old_store) == ANSWERS[question]


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
    command: str, old_store: StoreBuilder
) -> None:
    command = pinned(command, NOW)
    words = [word for word in shlex.split(command)[2:] if word not in FORMS]

    ran = CliRunner().invoke(sqlite_utils_cli, ["query", str(old_store.path), *words])

    assert (ran.exit_code, ran.exception) == (0, None)
    ours = answer(shlex.join(["f2b-enrich", "sql", *words, "--json"]), old_store)
    assert json.loads(ran.stdout) == json.loads(ours)


@pytest.mark.parametrize(("question", "command"), QUESTIONS)
def test_those_that_need_the_plugin_say_so(question: str, command: str) -> None:
    assert question.endswith(PLUGIN) == bool(FUNCTIONS.search(command))


def test_the_functions_are_all_in_the_table() -> None:
    for function in ("flag", "country_name", "subnet", "ip_key"):
        assert callable(getattr(sql_functions, function))
        assert f"| `{function}(" in PAGE


def test_the_map_is_geojson(old_store: StoreBuilder) -> None:
    page = json.loads(answer(by_question("A map"), old_store))

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


def test_lines_reach_a_program_as_they_came(old_store: StoreBuilder) -> None:
    command = pinned(by_question("The last seven days for"), NOW)

    found = [json.loads(line) for line in answer(command, old_store).splitlines()]

    sshd, plain = "\n".join(SSHD), "\n".join(LINES)
    assert [(each["ip"], each["lines"]) for each in found] == [
        ("2001:db8::8", None),
        ("192.0.2.7", plain),
        ("2001:db8::7", plain),
        ("192.0.2.9", plain),
        ("fe80::1%eth0", None),
        ("192.0.2.7", plain),
        ("192.0.2.7", None),
        ("198.51.100.3", sshd),
    ]


def test_addresses_for_a_list_stand_alone_on_their_lines(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(*(event(ip) for ip in ("fe80::1%a\n0.0.0.0/0", "192.0.2.7", "nought")))
    command = pinned(by_question("The addresses of the last 30 days"), NOW)

    assert answer(command, store) == "192.0.2.7\n"


def test_every_day_has_a_line(old_store: StoreBuilder, tmp_path: Path) -> None:
    command = by_question("Day by day")
    days = [(NOW - timedelta(days=n)).date().isoformat() for n in range(30)]
    bans = {0: 3, 1: 2, 2: 1, 3: 1, 9: 1}

    told = [f"{day}|{bans.get(n, 0)}|{bans.get(n, 0)}" for n, day in enumerate(days)]
    assert rows(command, old_store) == ["day|bans|addresses", *told]

    young = StoreBuilder(tmp_path / "bans.db")
    young.record(event(at=NOW - timedelta(days=2)), event(at=NOW - timedelta(days=2.1)))
    told = [f"{days[0]}|0|0", f"{days[1]}|0|0", f"{days[2]}|2|1"]
    told += [f"{day}||" for day in days[3:]]
    assert rows(command, young) == ["day|bans|addresses", *told]


def test_a_silence_that_lasts_is_told(old_store: StoreBuilder) -> None:
    found = rows(by_question("The longest"), old_store, now=NOW + timedelta(days=50))

    assert found[-1] == "2026-11-21T20:14:03Z|still quiet|50.0"
    assert len(found) == 7


def test_an_ipv6_address_has_neighbours(old_store: StoreBuilder) -> None:
    command = by_question("Who else came").replace("192.0.2.7", "2001:db8::7")

    assert rows(command, old_store)[1:] == ["2001:db8::8|sshd|2026-11-18T20:14:03Z"]


def test_a_question_that_fails_is_noticed(store: StoreBuilder) -> None:
    with pytest.raises(AssertionError):
        answer('f2b-enrich sql "select 1 where 0"', store)
    with pytest.raises(AssertionError):
        answer('f2b-enrich sql "select nought from bans"', store)


PASSWORD = "hunter2"
TYPED = (
    f"sshd[7]: Failed password for invalid user {PASSWORD} from 192.0.2.7 port 9 ssh2",
    f"dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<{PASSWORD}>, "
    "method=PLAIN, rip=192.0.2.7, lip=192.0.2.1",
    "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 "
    "<b@shop.example>: Relay access denied; from=<a@shop.example> "
    "to=<b@shop.example> proto=ESMTP helo=<ylmf-pc>",
)


def test_what_is_given_away_holds_no_user_name(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(replace(event(lines=TYPED), captures={"F_USER": f"{PASSWORD}!"}))
    store.classify()
    kinds = 'f2b-enrich sql "select distinct kind from {} order by kind" --raw-lines'

    known = answer(kinds.format("observed"), store)
    public = answer(kinds.format("observed_public"), store)
    whole = answer('f2b-enrich sql "select value from observed"', store)
    given = [
        answer(f"f2b-enrich {command}", store)
        for command in (
            'sql "select * from observed_public"',
            *("bans list", "bans list --csv", "bans list --json"),
        )
    ]

    assert PASSWORD in whole
    assert set(known.split()) - set(public.split()) == {"username"}
    assert "ylmf-pc" in given[0]
    assert not [text for text in given if PASSWORD in text]
