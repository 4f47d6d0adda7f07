"""What attackers write, through all that an administrator reads."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f2b_enrich import wire
from f2b_enrich.mail.compose import Composer
from tests.alerts import KNOWN
from tests.cli import Ran, run
from tests.hostile import (
    UNSEEN,
    alert_about,
    check_mail,
    harmless,
    read,
    read_text,
    real_lines,
    reported,
    rows_but_names,
    tells,
)
from tests.stores import StoreBuilder, located

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.model import Enrichment

COMPOSER = Composer()
[WALK] = KNOWN.campaigns
AT_ONCE = 20
"""Lines of one ban; a mail shows twice as many before it leaves some out."""


def log_files() -> Iterator[Path]:
    """Name every real log, or the folder that lacks them."""
    folder = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""))
    if folder == Path():
        yield Path("F2B_ENRICH_EXTRA_DATA")
        return
    for pattern in (
        "fail2ban-filter-logs/*",
        "attack-lines/**/*.log",
        "attack-lines/path-lists/*.txt",
    ):
        found = [path for path in folder.glob(pattern) if path.name != "expected.csv"]
        yield from sorted(found) or [folder / pattern.partition("/*")[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A store, and the lines that were handed over for each ban and address."""

    store: StoreBuilder
    bans: dict[str, tuple[str, ...]]
    ips: list[str]

    def ask(self, *words: str) -> Ran:
        """Run a command on the store; it must succeed without a word of complaint."""
        ran = run(*words, "--db", self.store.path)
        assert (ran.code, ran.err) == (0, "")
        assert not UNSEEN.search(ran.out)
        return ran


@pytest.fixture(scope="module", params=log_files(), ids=lambda path: path.name)
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Told:
    """Fill a store with the lines of one file, some lines a ban."""
    file: Path = request.param
    if file.name == "F2B_ENRICH_EXTRA_DATA":
        pytest.skip("F2B_ENRICH_EXTRA_DATA names no folder with real logs")
    if not file.is_file():
        pytest.skip(f"{file.name} is not in F2B_ENRICH_EXTRA_DATA")
    lines = real_lines(file)
    starts = range(0, len(lines), AT_ONCE)
    ips = [f"192.0.2.{number + 1}" for number, _ in enumerate(starts)]
    events = [
        reported(lines[start : start + AT_ONCE], ip=ip, user="root")
        for start, ip in zip(starts, ips, strict=True)
    ]
    store = StoreBuilder(tmp_path_factory.mktemp("store") / "bans.db")
    ids = store.record(*events)
    store.learn(*map(located, ips))
    bans = {ban: event.lines for ban, event in zip(ids, events, strict=True)}
    return Told(store=store, bans=bans, ips=ips)


def test_an_alert_of_real_lines_is_one_of_harmless_words(told: Told) -> None:
    for ban, lines in told.bans.items():
        alert = alert_about(told.store, ban)
        mail = read(COMPOSER, alert)
        twin = read(COMPOSER, harmless(alert, by_hand=False))

        check_mail(mail, twin, lines)
        assert read_text(COMPOSER, alert) == mail.text
        assert rows_but_names(mail.text) == rows_but_names(twin.text)
        assert mail.names == twin.names
        own = {"Content-Type"}  # it names a boundary by chance
        assert [each for each in mail.headers if each[0] not in own] == [
            each for each in twin.headers if each[0] not in own
        ]


def test_real_lines_are_shown_on_a_terminal_without_moving_its_cursor(
    told: Told,
) -> None:
    for ip, lines in zip(told.ips, told.bans.values(), strict=True):
        check_page(told.ask("show", ip, "--lines").out, lines)
        page = json.loads(told.ask("show", ip, "--lines", "--json").out)
        assert [tuple(ban["lines"]) for ban in page["bans"]] == [lines]


def check_page(out: str, lines: tuple[str, ...]) -> None:
    """Find every line, and nothing else, where `show` indents them."""
    margin = " " * 6
    head, _, table = out.partition("\n  banned (")
    assert head.count("\n") == 2 + ("\nnames: " in head)
    rows = [row for row in table.split("\n") if row.startswith(margin)]
    assert len(rows) == max(len(lines), 1)
    for row, line in zip(rows, lines, strict=False):
        assert tells(row.removeprefix(margin), line.rstrip())


def words_of(lines: tuple[str, ...]) -> Iterator[str]:
    """Take the longest word of the last line, if it has one."""
    words = re.findall(r"[^\W_]+", lines[-1])
    if words and lines[-1].isascii():
        yield max(words, key=len)


def test_real_lines_are_found_by_their_words(told: Told) -> None:
    for ban, lines in told.bans.items():
        for word in words_of(lines):
            rows = json.loads(told.ask("search", word, "--json").out)
            own = {row["position"]: row["line"] for row in rows if row["ban_id"] == ban}
            wanted = {at for at, line in enumerate(lines) if holds(line, word)}
            assert wanted <= own.keys()
            assert all(lines[at] == line for at, line in own.items())
            table = told.ask("search", word, "--limit", "0").out
            assert table.count("\n") == 1 + len(rows)


def holds(line: str, word: str) -> bool:
    return line.isascii() and word.lower() in re.findall(r"[^\W_]+", line.lower())


def test_real_lines_come_out_of_lists_and_sql_as_data(told: Told) -> None:
    listed = csv.DictReader(io.StringIO(told.ask("bans", "list", "--csv").out))
    assert sorted(row["id"] for row in listed) == sorted(told.bans)

    query = "select line from log_lines order by ban_id, position"
    lines = [line for ban in sorted(told.bans) for line in told.bans[ban]]
    assert [
        row["line"] for row in json.loads(told.ask("sql", query, "--json").out)
    ] == lines
    head, *rows = csv.reader(io.StringIO(told.ask("sql", query, "--csv").out))
    assert head == ["line"]
    for row, line in zip(rows, lines, strict=True):
        # An empty value alone in its row is written as "", which is not read as none.
        [cell] = row
        assert not cell.startswith(("=", "+", "-", "@"))
        assert tells(cell.removeprefix("'"), line.removeprefix("'"))


SHREDS = (
    *("\x1b[31m", "\x1b]0;x\x07", "\x9b2J", "\x85", "\x7f", "\0", "\t", "\n", "\r"),
    *("\u202e", "\u2066", "\u200e", "\u2028", "\ufeff", "\u200b", "\xa0", "\xad"),
    *("<script>", "</script>", "</code></main>", "<!--", "]]>", "<?php ", "</title>"),
    *("<img src=//b.example/x>", "<a href=", "\" onload='x", "'", '"', "<", "&lt;"),
    *("&#60;", "&", "\r\nBcc: x@foo.example\r\n\r\n", "=?utf-8?q?=0D=0ABcc=3A?=", "=?"),
    *("?=", "{{ 7*7 }}", "{% raw %}", "{#", "%s", "%(x)s", "\\", "--", "\n.\n"),
    *("http://", "HTTPS://", "ftp://", "svn://", "www.", "WWW.", "mailto:"),
    *("javascript:", "x@b.example", "@", "a.b", ".", "/", "//", ":", "[.]", "[:]//"),
    *("hxxp://", "password=", "?token=", "anna:pw@", "***", "=", "\u2026", " "),
    *("a" * 190, "." * 90, "\u00e9" * 60, "e\u0301\u0323" * 30),
    "\U0001f469\u200d\U0001f4bb",
    *("2026-11-21 ", "\nDO      unban now       ", "\nFrom ", "      ", "\u4e2d\u6587"),
)  # fmt: skip
hostile = st.lists(st.sampled_from(SHREDS) | st.text(max_size=6), max_size=14).map(
    "".join
)
name = hostile.map(lambda text: shortened(text.replace("\0", "\u2400"))).filter(bool)


def shortened(text: str) -> str:
    """Cut a name to what the wire takes."""
    return text.encode()[: wire.MAX_VALUE].decode("utf-8", "ignore")


def described(ip: str, facts: tuple[str, str, str, str]) -> Enrichment:
    names = ("hostname", "as_name", "city", "country")
    return replace(located(), ip=ip, **dict(zip(names, facts, strict=True)))  # type: ignore[arg-type]


@settings(max_examples=80)
@given(
    jail=st.just("sshd") | name,
    ip=st.just("192.0.2.7") | name,
    user=hostile.map(lambda text: text[:200]),
    facts=st.tuples(hostile, hostile, hostile, hostile),
    log=st.lists(hostile, max_size=AT_ONCE).map("\n".join),
)
@example(
    jail="a\r\nBcc: x@foo.example",
    ip="<b>192.0.2.7</b>",
    user="",
    facts=("http://www.b.example", "{{ 7*7 }}", "\x1b[31m\u202e", "%s"),
    log="<script>\n=?utf-8?q?=0D=0ABcc=3A?=\r\nhttp://anna:pw@b.example/?token=x",
)
def test_nothing_that_anybody_writes_works(
    jail: str, ip: str, user: str, facts: tuple[str, str, str, str], log: str
) -> None:
    event = reported(log.split("\n")[:AT_ONCE], jail=jail, ip=ip, user=user)
    with tempfile.TemporaryDirectory() as folder:
        store = StoreBuilder(Path(folder) / "bans.db")
        [ban] = store.record(event)
        store.learn(described(event.ip, facts))
        alert = alert_about(store, ban)
        told = Told(store=store, bans={ban: event.lines}, ips=[ip])
        out = told.ask("show", ban, "--lines").out
        page = json.loads(told.ask("show", ban, "--lines", "--json").out)

    check_page(out, event.lines)
    assert [(each["jail"], tuple(each["lines"])) for each in page["bans"]] == [
        (event.jail, event.lines)
    ]
    mail = read(COMPOSER, alert)
    twin = read(COMPOSER, harmless(alert, by_hand=mail.unban_by_hand))
    check_mail(mail, twin, event.lines, typed=event.jail)
    assert read_text(COMPOSER, alert) == mail.text
    check_headers(mail.headers, twin.names, {"Jail": jail, "Address": ip})


@settings(max_examples=40)
@given(jail=name, first=name, last=name, who=name)
@example(
    jail="<b>a\r\nBcc: x@foo.example",
    first="https://anna:pw@b.example/?token=x",
    last="</li><script>",
    who="\x1b[31m\u202e",
)
def test_nothing_works_that_a_repetition_or_a_walk_names(
    jail: str, first: str, last: str, who: str
) -> None:
    events = reported((), jail=jail), reported((), jail="recidive")
    with tempfile.TemporaryDirectory() as folder:
        store = StoreBuilder(Path(folder) / "bans.db")
        ids = store.record(*events)
        store.learn(located())
        alert = alert_about(store, ids[-1])
    walk = replace(WALK, who=who, first_name=first, last_name=last)
    alert = replace(alert, campaigns=(walk,))

    mail = read(COMPOSER, alert)
    twin = read(COMPOSER, harmless(alert, by_hand=mail.unban_by_hand))
    assert alert.repeated is not None
    assert alert.repeated.jail == events[0].jail
    assert "repeats the ban by sshd of Sat" in " ".join(twin.text.split())
    check_mail(mail, twin, (), typed="recidive")
    check_headers(mail.headers, twin.names, {})
    assert ("X-F2B-Attack", "repeat-offender") in mail.headers


def check_headers(
    headers: list[tuple[str, str]], expected: list[str], values: dict[str, str]
) -> None:
    """See that no header came in; one is left out only if it had nothing to say."""
    names = [name for name, _ in headers]
    missing = [name for name in expected if name not in names]
    assert names == [name for name in expected if name not in missing]
    assert all(not values[name.removeprefix("X-F2B-")].strip() for name in missing)
    assert all(value and value.isprintable() for _, value in headers)
