"""Mails that tell of several bans: one record each, with the time that it names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from f2b_enrich.importing.mail_summaries import MOST_ENTRIES
from tests.old_mails import AT, IP, bounced, read_both, report

SUBJECT = "[Fail2Ban] ssh: summary from web1.example"


def summary(*entries: str, subject: str = SUBJECT, date: str | None = None) -> str:
    shown = "\n".join(entries)
    body = (
        "Hi,\n\nThese hosts have been banned by Fail2Ban.\n\n"
        f"{shown}\nRegards,\n\nFail2Ban\n"
    )
    return report(subject, body, date=date or "Thu, 01 Jul 2010 10:11:10 +0200")


def test_each_line_is_a_ban() -> None:
    mail = summary(
        f"Thu Jul  1 10:01:02 CEST 2010: {IP} (6 failures)",
        "Thu Jul  1 10:04:05 CEST 2010: 2001:db8::7 (1 failures)",
    )
    for found in (read_both(mail), read_both(bounced(mail))):
        first, second = found.bans
        assert (first.ip, first.failures, first.jail) == (IP, 6, "ssh")
        assert (second.ip, second.failures, second.jail) == ("2001:db8::7", 1, "ssh")
        assert first.at == datetime(2010, 7, 1, 8, 1, 2, tzinfo=UTC)
        assert {first.time_source, second.time_source} == {"ban"}
        assert {first.host, second.host} == {"web1.example"}
        assert found.unread == 0


@pytest.mark.parametrize(
    "subject",
    [
        "[Fail2Ban] Summary from web1.example",
        "[Fail2Ban] report from web1.example",
        "Own",
    ],
)
def test_a_jail_that_is_not_named_stays_unknown(subject: str) -> None:
    mail = summary(
        f"Thu Jul  1 10:01:02 CEST 2010: {IP} (6 failures)",
        f"Thu Jul  1 10:01:03 CEST 2010: dovecot ban {IP} after 2 failure(s)",
        subject=subject,
    )
    first, second = read_both(mail).bans
    assert (first.jail, first.failures) == (None, 6)
    assert (second.jail, second.failures) == ("dovecot", 2)


@pytest.mark.parametrize(
    "date",
    [
        "Thu Jul  1 08:01:02 UTC 2010",
        "Thu Jul  1 10:01:02 CEST 2010",
        "Thu Jul  1 11:01:02 +03 2010",
        "Thu 1 Jul 2010 10:01:02 AM CEST",
        "Thu Jul  1 10:01:02 AM CEST 2010",
        "Thu 01 Jul 2010 08:01:02 GMT",
    ],
)
def test_the_time_is_that_of_the_clock_that_wrote_it(date: str) -> None:
    (only,) = read_both(summary(f"{date}: {IP} (6 failures)")).bans
    assert only.at == datetime(2010, 7, 1, 8, 1, 2, tzinfo=UTC)
    assert only.time_source == "ban"


def test_noon_and_midnight_are_told_apart() -> None:
    late = "Fri, 02 Jul 2010 10:11:10 +0000"
    for twelve, hour in (("12:01:02 PM", 12), ("12:01:02 AM", 0), ("01:01:02 PM", 13)):
        mail = summary(f"Thu Jul  1 {twelve} UTC 2010: {IP} (6 failures)", date=late)
        (only,) = read_both(mail).bans
        assert only.at == datetime(2010, 7, 1, hour, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        *("jeudi 1 juillet 2010, 10:01:02 (UTC+0200)", "Thu Jul  1 10:01:02 2010"),
        *("Thu Jux  1 08:01:02 UTC 2010", "Thu Feb 31 08:01:02 UTC 2010"),
        *("Thu Jul  1 08:01:02 UTC", "Thu Jul  1 08:01:02 UTC 0000"),
        *("Thu Jul  1 08:01:02 UTC 2000", "Thu Jul  1 09:01:02 UTC 2010"),
        *("Thu Jul  1 08:01:02 UTC 9999", "Thu Jul  1 25:01:02 UTC 2010"),
        "Thu Jan  1 00:01:02 +09 0001",
    ],
)
def test_a_time_that_cannot_be_is_left_to_the_mail(date: str) -> None:
    (only,) = read_both(summary(f"{date}: {IP} (6 failures)")).bans
    assert only.at == AT
    assert only.time_source == "mail"


def test_a_local_time_needs_the_zone_of_the_mail() -> None:
    mail = summary(f"Thu Jul  1 10:01:02 CEST 2010: {IP} (6 failures)", date="none")
    (only,) = read_both(mail).bans
    assert (only.at, only.time_source) == (AT, "mail")
    undated = mail.replace("id EADBA761; Thu, 01 Jul 2010 10:11:10 +0200", "id E")
    (only,) = read_both(undated).bans
    assert (only.at, only.time_source) == (None, "mail")


def test_a_mail_without_a_date_has_those_of_its_bans() -> None:
    entry = f"Thu Jul  1 08:01:02 UTC 2010: {IP} (6 failures)"
    undated = summary(entry, date="none").replace("761; Thu, 01 Jul 2010", "761")
    (only,) = read_both(undated).bans
    assert only.at == datetime(2010, 7, 1, 8, 1, 2, tzinfo=UTC)
    for year in ("2003", "2027"):
        (only,) = read_both(undated.replace("UTC 2010", f"UTC {year}")).bans
        assert (only.at, only.time_source) == (None, "mail")


def test_lines_that_name_no_address_are_counted() -> None:
    date = "Thu Jul  1 10:01:02 CEST 2010"
    mail = summary(
        f"{date}: {IP} (6 failures)",
        f"{date}: x (6 failures)",
        f"{date}:  (6 failures)",
    )
    found = read_both(mail)
    assert len(found.bans) == 1
    assert found.unread == 2
    assert read_both(summary(f"{date}: x (6 failures)")).what == "unparsed"


def test_a_summary_that_does_not_end_is_read_so_far() -> None:
    at = AT - timedelta(minutes=1)
    entry = f"{at:%a %b %d %H:%M:%S UTC %Y}: 192.0.2.7 (6 failures)"
    found = read_both(summary(*[entry] * (MOST_ENTRIES - 1)))
    assert 0 < len(found.bans) < MOST_ENTRIES  # the limit of a mail comes first
    short = ": 192.0.2.7 (6 failures)"
    found = read_both(summary(*[f"x{short}"] * (MOST_ENTRIES + 10)))
    assert len(found.bans) == MOST_ENTRIES
