"""A daemon classes what it takes, soon and without holding anything up."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import shipped
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.classifying import Classifying
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.store.connection import open_reader, open_writer
from tests.daemons import living
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from f2b_enrich.daemon.analysis import Shown
    from f2b_enrich.store.classes import Unread
    from tests.daemons import Daemon

PROBES = (
    "GET /wp-login.php",
    "GET /.git/config",
    "GET /.env",
    "GET /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "GET /phpmyadmin/index.php",
)
FIVE = "\n".join(
    f'192.0.2.7 - - [21/Nov/2026:20:13:2{at} +0100] "{probe} HTTP/1.1" 404 162 "-" "-"'
    for at, probe in enumerate(PROBES)
)
RULE = """
[[rule]]
name = "shop-login"
attack = "web-login-guessing"
pattern = '^shop: wrong password of (?P<username>\\S+)$'
example = "shop: wrong password of anna"
shows = { username = "anna" }
"""


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


def refuse_classes(daemon: Daemon, *, when: str = "TRUE") -> None:
    """Have the store take no class of a ban, or only some."""
    with sqlite3.connect(daemon.lab.store, isolation_level=None) as store:
        store.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON ban_attacks WHEN {when} "
            "BEGIN SELECT RAISE(ABORT, 'not today'); END"
        )


async def test_a_ban_with_five_kinds_of_probe_shows_five(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()

    await daemon.ban("192.0.2.7", JAIL="nginx-botsearch", MATCHES=FIVE)
    (mail,) = await daemon.mails(1)

    (row,) = daemon.rows("SELECT attack, attacks, service FROM ban_log")
    assert len(row["attacks"].split(", ")) == 5
    assert row["service"] == "web"
    body = mail.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    for words in ("WordPress", ".git", "cloud credentials", "PHPUnit", "phpMyAdmin"):
        assert words in text


async def test_what_fail2bans_filter_named_is_a_name(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()

    await daemon.ban("192.0.2.7", MATCHES="a line of no rule", F_USER="postgres")
    (mail,) = await daemon.mails(1)

    found = daemon.rows("SELECT kind, value, lines FROM observed")
    assert found == [{"kind": "username", "value": "postgres", "lines": 0}]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "\nNAMES   postgres" in body.get_content()


async def test_old_bans_are_classed_at_the_next_start(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban("192.0.2.7", MATCHES=FIVE)
    await daemon.mails(1)
    await daemon.stop()
    with sqlite3.connect(daemon.lab.store) as store:
        store.execute("UPDATE bans SET attack = NULL, rule_set = NULL")
        store.execute("DELETE FROM ban_attacks")
        store.execute("DELETE FROM observed")

    await daemon.start()

    left = "SELECT * FROM bans WHERE rule_set IS NULL"
    await daemon.until(lambda: not daemon.rows(left))
    assert len(daemon.rows("SELECT * FROM ban_attacks")) == 5
    assert len(await daemon.mails(1)) == 1


async def test_new_rules_count_from_the_reload_on(daemon: Daemon) -> None:
    rules = daemon.lab.root / "rules.d"
    rules.mkdir()
    daemon.configure(classify={"rules": str(rules)})
    await daemon.start()
    await daemon.ban("192.0.2.1", MATCHES="shop: wrong password of anna")
    await daemon.mails(1)
    (rules / "shop.toml").write_text(RULE)
    daemon.configure(
        classify={"rules": str(rules)}, jails__own__shop={"service": "web"}
    )

    await daemon.reload()
    await daemon.ban("192.0.2.2", JAIL="shop", MATCHES="shop: wrong password of anna")
    await daemon.mails(2)

    rows = daemon.rows("SELECT ip, attack, service FROM ban_log ORDER BY ip")
    assert [(row["attack"], row["service"]) for row in rows] == [
        ("ssh-password-guessing", "ssh"),
        ("web-login-guessing", "web"),
    ]


async def test_wrong_rules_leave_the_old_ones_in_place(daemon: Daemon) -> None:
    rules = daemon.lab.root / "rules.d"
    rules.mkdir()
    (rules / "shop.toml").write_text(RULE)
    daemon.configure(classify={"rules": str(rules)})
    await daemon.start()
    (rules / "shop.toml").write_text(RULE.replace("web-login-guessing", "theft"))

    await daemon.reload()

    problem = daemon.logged("configuration kept as it was")[0]["problem"]
    assert "shop.toml: rule 'shop-login': attack: 'theft' is no class" in problem
    await daemon.ban("192.0.2.2", MATCHES="shop: wrong password of anna")
    await daemon.mails(1)
    (row,) = daemon.rows("SELECT attack FROM bans")
    assert row["attack"] == "web-login-guessing"


async def test_a_jail_that_watches_fail2ban_repeats_the_ban_before_it(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    seen = await daemon.ban("192.0.2.7", TIME="1795291000.2")

    again = await daemon.ban("192.0.2.7", JAIL="recidive", TIME="1795291001.7")
    await daemon.until_states("sent", "folded")
    classed = "SELECT * FROM bans WHERE jail = 'recidive' AND attack IS NOT NULL"
    await daemon.until(lambda: bool(daemon.rows(classed)))

    (row,) = daemon.rows(classed)
    assert (row["id"], row["repeat_of"]) == (again, seen)
    assert row["attack"] == "repeat-offender"


async def test_a_mail_leaves_although_its_ban_cannot_be_classed(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    refuse_classes(daemon)

    await daemon.ban("192.0.2.7", MATCHES=FIVE)
    (mail,) = await daemon.mails(1)

    assert "192.0.2.7" in mail["Subject"]
    await daemon.until_logged("mail does not name the attack")
    await daemon.until_logged("ban not classed")
    assert daemon.rows("SELECT * FROM ban_attacks") == []


async def test_a_ban_that_cannot_be_written_does_not_keep_others_back(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    refuse_classes(daemon, when="new.attack = 'ssh-password-guessing'")

    await daemon.ban("192.0.2.1", MATCHES="nothing known")
    await daemon.ban("192.0.2.2", JAIL="nginx-botsearch", MATCHES=FIVE)

    classed = "SELECT ip FROM bans WHERE attack IS NOT NULL"
    await daemon.until(lambda: daemon.rows(classed) == [{"ip": "192.0.2.2"}])
    assert len(daemon.rows("SELECT * FROM bans")) == 2


class Poisoned(Analysis):
    """Cannot read the lines of one ban, as a mistake in the program would have it."""

    def show_all(self, bans: Iterable[Unread]) -> tuple[Shown, ...]:
        bans = tuple(bans)
        if any("poison" in ban.lines for ban in bans):
            raise RuntimeError("no such state")
        return super().show_all(bans)


async def test_a_ban_whose_lines_cannot_be_read_does_not_keep_others_back(
    tmp_path: Path,
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(lines=("poison",)), event("192.0.2.8"))
    poisoned = Poisoned(shipped(), (), shipped_jails())
    with open_writer(store.path) as writer, open_reader(store.path) as reader:
        reads = Reads(reader)
        async with Commits(writer) as commits:
            classifying = Classifying(poisoned, commits, reads, now=lambda: NOW)
            with capture_logs() as logs:
                await classifying.step()
        reads.close()
        rows = writer.execute("SELECT ip FROM bans WHERE attack IS NOT NULL").fetchall()

    assert [row["ip"] for row in rows] == ["192.0.2.8"]
    assert [entry["event"] for entry in logs] == ["ban not classed"]


async def test_a_repetition_is_counted_apart_before_it_is_classed(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    refuse_classes(daemon)

    await daemon.ban("192.0.2.7", JAIL="Recidive")

    (row,) = daemon.rows("SELECT attack, is_repeat FROM ban_log")
    assert (row["attack"], row["is_repeat"]) == (None, 1)
