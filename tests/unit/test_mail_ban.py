"""What an alert says of the ban itself: whom, when, how often, and how to undo it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.alerts import T, an_alert
from tests.reading import text


@pytest.mark.parametrize(
    ("nth", "expected"),
    [(1, "First ban here."), (2, "2nd ban here."), (0, "failures.")],
)
def test_the_first_sentence_counts_bans(nth: int, expected: str) -> None:
    first, *_ = text(an_alert(nth=nth)).partition("\n\n")

    assert first.endswith(expected)


@pytest.mark.parametrize(
    ("ban", "known", "expected"),
    [
        ({}, True, "planned end   Sun 2026-11-22 20:14:03 CET (1 day)"),
        ({}, False, "planned end   at least Sun 2026-11-22 20:14:03 CET (1 day)"),
        (
            {"bantime_seconds": -1, "expires_at": None},
            False,
            "planned end   none, banned for ever",
        ),
        (
            {"bantime_seconds": 10**12, "expires_at": None},
            True,
            "planned for   11,574,074 days 1 hour",
        ),
        (
            {"unbanned_at": T + timedelta(seconds=2)},
            True,
            "unbanned      Sat 2026-11-21 20:14:05 CET",
        ),
        ({"banned_at_source": "logged"}, True, "banned        Sat 2026-11-21 20:14:03"),
    ],
)
def test_the_times_of_a_ban(
    ban: dict[str, Any],
    known: bool,  # noqa: FBT001 - a column of the table above
    expected: str,
) -> None:
    assert expected in text(an_alert(ban=ban, bantime_known=known))


def test_a_ban_time_that_is_not_known_is_left_out() -> None:
    body = text(an_alert(ban={"bantime_seconds": None, "expires_at": None}))

    assert "planned" not in body
    assert "last failure" in body


def test_a_ban_by_hand_claims_no_failures_and_no_lines() -> None:
    body = text(an_alert(ban={"failures": 0, "lines_received": 0}, lines=()))

    assert body.startswith(
        "192.0.2.7 was banned on web1.example.org by hand, in jail sshd. 7th ban here."
    )
    assert "LOG     no log lines: banned by hand\n" in body
    assert "banned        Sat 2026-11-21" in body
    assert "failure" not in body


def test_failures_without_lines_are_said_to_be_so() -> None:
    body = text(an_alert(ban={"failures": 1, "lines_received": 0}, lines=()))

    assert "after 1 failure." in body
    assert "LOG     no log lines: fail2ban handed over none\n" in body


@pytest.mark.parametrize(
    ("ip", "place", "has_page"),
    [
        ("192.0.2.7", "not looked up yet", True),
        ("2001:db8::7", "not looked up yet", True),
        ("fe80::1%eth0", "not looked up yet", False),
        ("198.51.100.0/24", "not looked up: a network, not an address", False),
        ("vps7.example.net", "not looked up: not an address", False),
        ("notanip!", "not looked up: not an address", False),
    ],
)
def test_whatever_was_banned_reads_well_without_a_look_up(
    ip: str,
    place: str,
    has_page: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    body = text(an_alert(enrichment=None, ban={"ip": ip}))

    assert body.startswith(f"{ip} was banned on ")
    assert f"WHERE   {place}\n" in body
    assert (f"https://ipinfo.io/{ip}\n" in body) is has_page


def test_commands_are_quoted_for_a_shell() -> None:
    body = text(an_alert(ban={"ip": "$(reboot)", "jail": "my jail"}))

    assert "fail2ban-client set 'my jail' unbanip '$(reboot)'\n" in body
    assert "f2b-enrich show '$(reboot)'\n" in body


@pytest.mark.parametrize(
    "ban", [{"ip": "a\nb"}, {"jail": "a\x1bb"}, {"ip": "http://1.1.1.1"}]
)
def test_a_command_that_would_be_shown_wrong_is_not_shown(ban: dict[str, Any]) -> None:
    body = text(an_alert(ban=ban))

    assert "fail2ban-client" not in body
    assert "unban now       by hand" in body
