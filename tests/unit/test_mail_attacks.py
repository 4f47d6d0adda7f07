"""What an alert says of the attack, and of a ban that repeats another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from f2b_enrich.attacks import CLASSES, Attack
from f2b_enrich.mail.attacks import MOST, classes, leading, repeats
from f2b_enrich.mail.sample import repeating, unknown
from f2b_enrich.model import Ban
from tests.alerts import ALERT, an_alert
from tests.reading import part, words

PROBES = (
    Attack(attack="wordpress-probe", lines=12),
    Attack(attack="credentials-probe", lines=2),
    Attack(attack="known-exploit", lines=2, cves=("CVE-2021-41773", "CVE-2021-42013")),
    Attack(attack="phpunit-probe", lines=1, cves=("CVE-2017-9841",)),
    Attack(attack="path-traversal", lines=1),
)
BY_JAIL = (Attack(attack="ssh-password-guessing"),)
REPEAT = (Attack(attack="repeat-offender"),)


def test_five_kinds_of_probe_are_five_classes() -> None:
    alert = an_alert(attacks=PROBES)

    assert (
        part(alert, "plain")
        .partition("\n\n")[2]
        .startswith(
            """\
WHAT    WordPress probe: 12 lines;
        probe for cloud credentials (.aws, .env): 2 lines;
        web shell or known exploit (CVE-2021-41773, CVE-2021-42013): 2 lines;
        PHPUnit probe (CVE-2017-9841): 1 line; path traversal: 1 line
        last failure  Sat 2026-11-21 20:14:03 CET
        planned end """
        )
    )
    assert (
        "What WordPress probe: 12 lines probe for cloud credentials (.aws, "
        in words(alert)
    )
    assert part(alert, "html").count(" lines<br>") == 3


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (PROBES[0], "WordPress probe"),
        (PROBES[3], "PHPUnit probe (CVE-2017-9841)"),
        (BY_JAIL[0], "SSH password guessing (by its jail; no line tells more)"),
        (Attack(attack="other", lines=1), "other"),
        (Attack(attack="of a later version", lines=1), "of a later version"),
    ],
)
def test_one_class_needs_no_number(only: Attack, told: str) -> None:
    alert = an_alert(attacks=(only,))

    assert f"\n\nWHAT    {told}\n        last failure" in part(alert, "plain")
    assert f" What {told} Last failure" in words(alert)
    assert leading(alert) == only.attack


@pytest.mark.parametrize("attacks", [(), (Attack(attack="other"),)])
def test_where_nothing_tells_nothing_is_said(attacks: tuple[Attack, ...]) -> None:
    alert = an_alert(attacks=attacks)

    assert "\n\nWHAT    last failure  Sat" in part(alert, "plain")
    assert "What and where from Last failure" in words(alert)
    assert leading(alert) is None


def test_what_a_jail_is_for_is_not_said_of_a_ban_by_hand() -> None:
    by_hand = replace(unknown(), attacks=BY_JAIL)

    assert list(classes(by_hand)) == []
    assert leading(by_hand) is None


def test_beyond_a_dozen_classes_the_others_are_counted() -> None:
    attacks = tuple(Attack(attack=name, lines=1) for name in CLASSES)

    told = list(classes(an_alert(attacks=attacks)))

    assert len(told) == MOST + 1
    assert told[-1] == f"{len(CLASSES) - MOST} more"


def test_of_many_known_holes_the_first_are_named() -> None:
    cves = tuple(f"CVE-2021-{number}" for number in range(1000, 1006))
    alert = an_alert(attacks=(replace(PROBES[0], cves=cves),))

    assert list(classes(alert)) == [
        "WordPress probe "
        "(CVE-2021-1000, CVE-2021-1001, CVE-2021-1002, CVE-2021-1003, 2 more)"
    ]


@pytest.mark.parametrize("nth", [0, 7])
def test_a_repetition_names_the_ban_that_it_repeats(nth: int) -> None:
    alert = replace(repeating(), nth=nth)
    told = (
        "repeats the ban by sshd of Sat 2026-11-21 19:14:03 UTC (304dbcbe), "
        "SSH password guessing"
    )

    text = " ".join(part(alert, "plain").split())
    assert text.startswith(
        "192.0.2.7 was banned on web1.example.org by jail recidive after 5 failures. "
        f"WHAT repeat offender: {told} last failure"
    )
    assert f"What repeat offender: {told} Last failure" in words(alert)
    for shown in (text, words(alert)):
        assert "7 bans here: sshd 6" in shown
        assert "; 1 repeat by a jail that watches fail2ban" in shown
        assert "th ban here" not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"attack": None},
        {"attack": "other"},
        {"attack": "of a later version"},
        {"failures": 0},  # somebody banned by hand
    ],
)
def test_a_repeated_ban_may_have_no_class(changes: dict[str, Any]) -> None:
    seen = repeating().repeated
    assert seen is not None

    said = repeats(replace(repeating(), repeated=replace(seen, **changes)))

    assert " ".join(said).endswith("19:14:03 UTC (304dbcbe)")


@pytest.mark.parametrize("ban", [None, ALERT.ban])
def test_a_repetition_is_one_by_its_class_or_by_what_it_repeats(
    ban: Ban | None,
) -> None:
    alert = an_alert(attacks=REPEAT if ban is None else (), repeated=ban)

    text = " ".join(part(alert, "plain").split())
    assert "ban here" not in text
    what = "the ban by sshd of" if ban else "what another jail saw last failure"
    assert f"after 5 failures. WHAT repeat offender: repeats {what}" in text
    assert leading(alert) == "repeat-offender"


def test_a_jail_that_nobody_calls_a_watcher_has_bans_that_count() -> None:
    alert = an_alert(attacks=(Attack(attack="repeat-offender", lines=5),))

    text = part(alert, "plain")
    assert "\n7th ban here.\n\nWHAT    repeat offender\n" in text


def test_no_line_about_the_attack_is_wider_than_a_terminal() -> None:
    attacks = tuple(
        Attack(attack=name, lines=10**6, cves=("CVE-2021-41773",) * 9)
        for name in CLASSES
    )
    text = part(an_alert(attacks=attacks), "plain")

    what = text[text.index("WHAT") : text.index("        last failure")]
    assert max(map(len, what.splitlines())) <= 80
    assert what.count(": 1,000,000 lines") == MOST
