"""Rules and jails of one configuration, and what they make of a ban."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.attacks import OTHER, REPEAT_OFFENDER
from f2b_enrich.config import Settings
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.errors import ConfigError
from f2b_enrich.model import Observed
from f2b_enrich.store import classes, jails
from f2b_enrich.store.jails import KnownJail
from tests.stores import NOW, StoreBuilder, event, shipped_analysis

if TYPE_CHECKING:
    from pathlib import Path

FAILED = (
    "Nov 21 20:13:22 web1 sshd[4021]: Failed password for {} "
    "from 192.0.2.7 port {} ssh2"
)
RULE = """
[[rule]]
name = "shop-login"
attack = "web-login-guessing"
pattern = '^shop: wrong password of (?P<username>\\S+)$'
example = "shop: wrong password of anna"
shows = { username = "anna" }
"""


def configured(folder: Path, **jail_settings: object) -> Analysis:
    return Analysis.configured(
        Settings.model_validate(
            {"classify": {"rules": str(folder)}, "jails": jail_settings}
        )
    )


def test_lines_show_attacks_and_values_counted_by_lines() -> None:
    shown = shipped_analysis().show(
        [FAILED.format(name, port) for name, port in (("root", 1), ("root", 2))],
        jail="sshd",
    )

    assert [(each.attack, each.lines) for each in shown.attacks] == [
        ("ssh-password-guessing", 2)
    ]
    assert shown.observed[0] == Observed(kind="username", value="root", lines=2)
    assert Observed(kind="port", value="1", lines=1) in shown.observed


def test_what_only_the_filter_named_has_no_lines() -> None:
    captures = (("username", "root"), ("username", "anna"), ("username", "anna"))

    shown = shipped_analysis().show(
        [FAILED.format("root", 1)], jail="sshd", captures=captures
    )

    names = [one for one in shown.observed if one.kind == "username"]
    assert names == [
        Observed(kind="username", value="root", lines=1),
        Observed(kind="username", value="anna", lines=0),
    ]


@pytest.mark.parametrize("name", ["sshd", "SSHD", "ssh", "SSH", "ssh-iptables"])
def test_a_jail_is_known_by_older_names_and_in_any_case(name: str) -> None:
    known = shipped_analysis().known_jail(name)

    assert (known.jail, known.service, known.origin) == (name, "ssh", "shipped")


def test_a_jail_that_nobody_named_is_unknown() -> None:
    assert shipped_analysis().known_jail("my-shop") == KnownJail(
        jail="my-shop", service="other", attack=OTHER, origin="unknown"
    )


def test_jails_of_the_configuration_come_before_the_shipped(tmp_path: Path) -> None:
    analysis = configured(
        tmp_path,
        own={
            "My-Shop": {"service": "web", "attack": "web-login-guessing"},
            "sshd": {"service": "vpn"},
            "twice": {"attack": REPEAT_OFFENDER},
        },
    )

    assert analysis.known_jail("my-SHOP") == KnownJail(
        jail="my-SHOP",
        service="web",
        attack="web-login-guessing",
        origin="configured",
    )
    assert analysis.known_jail("sshd").service == "vpn"
    assert analysis.jail_names()[:3] == ("My-Shop", "sshd", "twice")
    (attack,) = analysis.show([FAILED.format("root", 1)], jail="TWICE").attacks
    assert attack.attack == REPEAT_OFFENDER


def test_own_rules_come_before_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(RULE)

    shown = configured(tmp_path).show(["shop: wrong password of anna"], jail="x")

    assert [each.attack for each in shown.attacks] == ["web-login-guessing"]
    assert shown.observed == (Observed(kind="username", value="anna", lines=1),)


def test_all_that_is_wrong_with_own_rules_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(RULE.replace("web-login-guessing", "theft"))
    (tmp_path / "b.toml").write_text("[[rule]\n")

    with pytest.raises(ConfigError) as caught:
        configured(tmp_path)

    assert len(caught.value.problems) == 2
    assert all(str(tmp_path) in problem for problem in caught.value.problems)


def test_the_digest_tells_rules_and_jails_apart(tmp_path: Path) -> None:
    plain, again = configured(tmp_path), configured(tmp_path)
    jail = configured(tmp_path, own={"my-shop": {"service": "web"}})
    (tmp_path / "shop.toml").write_text(RULE)
    rule = configured(tmp_path)

    assert plain.digest == again.digest
    assert len({plain.digest, jail.digest, rule.digest}) == 3


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def test_a_ban_keeps_what_was_found_when_its_lines_are_gone(
    store: StoreBuilder,
) -> None:
    (ban,) = store.record(event(lines=(FAILED.format("root", 1),)))
    store.classify()
    with store.writing() as connection:
        before = classes.observed(connection, ban)
        connection.execute("DELETE FROM log_lines")
        connection.execute("UPDATE bans SET rule_set = NULL")

    store.classify()

    with store.reading() as connection:
        assert classes.observed(connection, ban) == before != ()
        assert classes.attacks(connection, ban)[0].lines == 1
        assert classes.not_classed(connection, after=0, limit=9) == ()


def test_a_ban_that_never_had_a_class_gets_its_jails_without_lines(
    store: StoreBuilder,
) -> None:
    (ban,) = store.record(event())
    with store.writing() as connection:
        connection.execute("DELETE FROM log_lines")

    store.classify()

    with store.reading() as connection:
        (attack,) = classes.attacks(connection, ban)
    assert (attack.attack, attack.lines) == ("ssh-password-guessing", 0)


def test_a_ban_that_got_lines_meanwhile_is_left_for_later(store: StoreBuilder) -> None:
    (ban,) = store.record(event(lines=()))
    with store.reading() as connection:
        (unread,) = classes.not_classed(connection, after=0, limit=9)
    (shown,) = shipped_analysis().show_all((unread,))
    store.record(event())

    with store.writing() as connection:
        shipped_analysis().save(connection, unread, shown, now=NOW)
        left = classes.not_classed(connection, after=0, limit=9)

    assert [each.id for each in left] == [ban]


def test_every_ban_finds_its_jail_by_the_name_it_has(store: StoreBuilder) -> None:
    store.record(event(jail="SSHD"), event(jail="my-shop", at=NOW.replace(hour=3)))

    store.classify()

    with store.reading() as connection:
        services = dict(
            map(tuple, connection.execute("SELECT jail, service FROM ban_log"))
        )
        unknown = jails.unknown(
            connection, since=NOW.replace(year=2025), until=NOW.replace(year=2027)
        )
    assert services == {"SSHD": "ssh", "my-shop": "other"}
    assert [(tally.name, tally.bans) for tally in unknown] == [("my-shop", 1)]


def test_what_the_configuration_says_of_a_jail_takes_effect_again(
    store: StoreBuilder, tmp_path: Path
) -> None:
    store.record(event(jail="my-shop"))
    store.classify()
    analysis = configured(tmp_path, own={"my-shop": {"service": "web"}})

    with store.writing() as connection:
        jails.refresh(connection, analysis.jail_names(), analysis.known_jail)
        named = dict(map(tuple, connection.execute("SELECT jail, origin FROM jails")))
        plain = shipped_analysis()
        jails.refresh(connection, plain.jail_names(), plain.known_jail)
        unknown = jails.unknown(
            connection, since=NOW.replace(year=2025), until=NOW.replace(year=2027)
        )

    assert named["my-shop"] == "configured"
    assert named["sshd"] == "shipped"
    assert [tally.name for tally in unknown] == ["my-shop"]
