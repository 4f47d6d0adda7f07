"""What a record of each origin contributes to the joining of bans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from f2b_enrich.importing.records import Record
from f2b_enrich.importing.sighted import sighting_of
from f2b_enrich.joining.sightings import NEVER, Sighting

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
SECONDS = 1_700_000_000
LOGGED = Record(
    kind="ban", ip="192.0.2.7", jail="SSH", at=AT, time_source="ban", origin="log"
)
KEPT = replace(LOGGED, origin="db", time_source="line", bantime_seconds=600)
MAILED = replace(LOGGED, origin="mail", time_source="mail", message_id="<1@a.example>")


def seen(record: Record) -> Sighting:
    return sighting_of(record, AT, jail="sshd")


def test_a_line_of_the_log_is_named_as_the_jail_is_folded() -> None:
    assert seen(LOGGED) == Sighting(
        kind="ban", precision="logged", origin="log", at=SECONDS, jail="sshd"
    )
    assert seen(replace(LOGGED, is_restored=True)).kind == "again"


@pytest.mark.parametrize(
    ("milliseconds", "kept", "logged"), [(400, 0, 0), (500, 0, 0), (700, 1, 0)]
)
def test_a_time_of_a_failure_is_rounded_as_in_its_id(
    milliseconds: int, kept: int, logged: int
) -> None:
    at = AT + timedelta(milliseconds=milliseconds)

    assert sighting_of(KEPT, at, jail="sshd").at == SECONDS + kept
    assert sighting_of(LOGGED, at, jail="sshd").at == SECONDS + logged


def test_a_row_of_the_database_has_the_time_of_the_failure() -> None:
    kept = seen(KEPT)

    assert (kept.precision, kept.origin) == ("failure", "fail2ban-db")
    assert kept.ends_at == SECONDS + 600


@pytest.mark.parametrize(("bantime", "end"), [(-1, NEVER), (-2, None), (None, None)])
def test_an_end_that_the_database_does_not_tell(
    bantime: int | None, end: int | None
) -> None:
    assert seen(replace(KEPT, bantime_seconds=bantime)).ends_at == end


def test_a_longer_ban_has_the_end_that_the_log_names() -> None:
    ends_at = AT + timedelta(seconds=1234)
    longer = replace(LOGGED, kind="prolong", ends_at=ends_at, bantime_seconds=1230)

    assert seen(longer).ends_at == SECONDS + 1234
    assert seen(replace(longer, ends_at=None, bantime_seconds=-1)).ends_at == NEVER
    assert seen(replace(longer, ends_at=None)).ends_at is None


def test_a_mail_is_dated_by_itself_or_by_its_return() -> None:
    mail = seen(MAILED)
    bounce = sighting_of(MAILED, AT, jail=None, is_dated_by_bounce=True)

    assert (mail.precision, mail.origin) == ("mailed", "mail")
    assert (bounce.precision, bounce.origin, bounce.jail) == ("bounced", "bounce", None)
    assert mail.message_id == bounce.message_id == "<1@a.example>"
