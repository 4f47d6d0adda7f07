"""The mails that say that a flood of bans began and that it ended."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from f2b_enrich.alerts.brake import Limits
from f2b_enrich.mail.digest_sample import empty
from f2b_enrich.mail.flood import Flood
from f2b_enrich.mail.flood_sample import began, ended, unknown
from f2b_enrich.mail.flood_view import subject
from tests.digest_mail import body, sent
from tests.reading import Reader


def words(flood: Flood, kind: str) -> str:
    shown = body(sent(flood), kind)
    if kind == "html":
        reader = Reader()
        reader.feed(shown)
        shown = " ".join(reader.text)
    return re.sub(r" ([.,:])", r"\1", " ".join(shown.split()))


def test_the_subjects_say_what_has_changed() -> None:
    assert subject(began()) == (
        "[fail2ban] flood began: 1,000 bans a minute on web1, "
        "from AS64500 Example Hosting"
    )
    assert subject(unknown()) == "[fail2ban] flood began: 0 bans a minute on web1"
    assert (
        subject(ended()) == "[fail2ban] flood ended: 9,980 bans on web1 in 42 minutes"
    )


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_first_says_how_many_from_where_and_what_happens_now(kind: str) -> None:
    shown = words(began(), kind)

    for fact in (
        "1,000 bans a minute",
        "10,000 bans of 9,120 addresses within 10 minutes",
        "Single mails stop here.",
        "Fri 2026-11-20 13:02:09 UTC",
        "No ban is lost: all are recorded, and those that are not mailed are named in",
        "AS64500 Example Hosting: 5,210 bans of 4,001 addresses",
        "AS64501 Example Cloud: 12 bans of 1 address",
        "no known network: 4,778 bans",
        "sshd 9,000, nginx-http-auth 1,000",
        "burst = 20",
        "burst_minutes = 10",
        "per_day = 100",
        'policy = "digest"',
        "f2b-enrich bans list --since 2026-11-20T13:02:09",
    ):
        assert fact in shown
    assert "--until" not in shown
    assert "nded" not in shown.replace("when this has ended", "")


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_second_says_how_long_and_where_they_are_named(kind: str) -> None:
    shown = words(ended(), kind)

    for fact in (
        "after 42 minutes: 9,980 bans were not mailed singly.",
        "Single mails come again.",
        "No ban was lost. 4 digests have been sent; 12 bans will be in the next one.",
        "Fri 2026-11-20 13:44:09 UTC",
        "--since 2026-11-20T13:02:09 --until 2026-11-20T13:44:09",
    ):
        assert fact in shown


def test_one_digest_is_one() -> None:
    shown = words(replace(ended(), digests=1, waiting=0), "plain")

    assert "No ban was lost. 1 digest has been sent. FROM" in shown


def test_what_is_not_known_is_left_out() -> None:
    shown = words(unknown(), "plain")

    assert "FROM" not in shown
    assert "JAILS" not in shown


def test_the_settings_are_those_that_hold() -> None:
    limits = Limits(burst=3, window=timedelta(minutes=60), per_day=7)
    flood = replace(began(), limits=limits, counted_over=timedelta(seconds=7))

    shown = words(flood, "plain")

    assert "burst = 3 mails in burst_minutes = 60, per_day = 7;" in shown
    assert "85,715 bans a minute" in shown


def test_no_time_is_no_division_by_zero() -> None:
    flood = replace(began(), counted_over=timedelta(0))

    assert "600,000 bans a minute" in subject(flood)


def test_the_mails_about_one_flood_are_one_thread() -> None:
    digest = empty()
    period = replace(digest.period, kind="flood", since=began().began_at)
    mails = [sent(began()), sent(ended()), sent(replace(digest, period=period))]

    assert len({str(mail["References"]) for mail in mails}) == 1
    assert [mail["X-F2B-Flood"] for mail in mails] == ["began", "ended", None]
    assert mails[2]["X-F2B-Digest"] == "flood"
    later = replace(began(), began_at=began().began_at + timedelta(hours=1))
    assert str(sent(later)["References"]) != str(mails[0]["References"])


def test_lines_of_the_text_are_no_wider_than_a_terminal() -> None:
    for flood in (began(), ended(), unknown()):
        assert max(map(len, body(sent(flood), "plain").splitlines())) <= 80
