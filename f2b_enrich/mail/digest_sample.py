"""Digests to try templates on: one that knows all, one of nothing, one of very many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from f2b_enrich.figures import (
    Count,
    FoldedBan,
    NameCount,
    NetworkCount,
    Period,
    PeriodFigures,
    Refusal,
    ServiceCount,
    SourceCount,
)
from f2b_enrich.mail.digest import Answered, Digest, LockOut, Note
from f2b_enrich.mail.digest_lists import MOST_NAMED
from f2b_enrich.model import Campaign, Relation, ban_id

_SINCE = datetime(2026, 11, 20, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOST = "web1.example.org"


def digests() -> tuple[Digest, ...]:
    """Give all of them."""
    return known(), empty(), many()


def empty() -> Digest:
    """Give a digest without a ban, from a store that is empty."""
    return Digest(
        host=_HOST,
        recipient="root",
        sender="root",
        message_id=f"<digest.1@{_HOST}>",
        version="1.0",
        timezone=UTC,
        period=Period(kind="daily", since=_SINCE, until=_SINCE + _DAY),
        figures=PeriodFigures(
            count=Count(bans=0, addresses=0, failures=0),
            before=None,
            records_since=None,
            repeats=(),
            hosts=(),
            known_hosts=0,
            fates={},
            services=(),
            in_services=0,
            in_several=0,
            sources=(),
            all_sources=0,
            networks=(),
            all_networks=0,
            unplaced=0,
            names=(),
            mails_due=0,
            refused=(),
            mails_refused=0,
            look_ups=0,
            incomplete=0,
        ),
        bans=(),
        late_after=timedelta(minutes=15),
    )


def many() -> Digest:
    """Give a digest of too many bans to name them."""
    bans = tuple(
        a_ban(number, jail=f"jail{number % 30}", asn=64500 + number % 7)
        for number in range(MOST_NAMED + 1)
    )
    return replace(empty(), bans=bans)


def known() -> Digest:
    """Give a digest that has something to say in every place."""
    ours = a_ban(20, jail="nginx-http-auth")
    late = a_ban(21, at=_SINCE - 2 * _DAY, received_at=_SINCE + _DAY / 2)
    repeat = replace(a_ban(22, jail="recidive"), is_repeat=True)
    six = replace(a_ban(23), ip="2001:db8:5::7", asn=None, as_name=None)
    return replace(
        empty(),
        period=Period(
            kind="daily", since=_SINCE, until=_SINCE + _DAY, before=_SINCE - _DAY
        ),
        figures=_figures(),
        bans=(ours, *(a_ban(7, at=_SINCE + _DAY / 4),) * 2, late, repeat, six),
        campaigns=(a_walk(since=_SINCE - 19 * _DAY, until=_SINCE + _DAY / 2),),
        lock_outs=(
            LockOut(
                ban=ours,
                relation=Relation(kind="friend", name="our office", why="192.0.2.0/24"),
            ),
        ),
        answered=(
            Answered(
                host=_HOST,
                jail="nginx-botsearch",
                ip="203.0.113.9",
                cves=("CVE-2017-9841",),
                requests=2,
            ),
        ),
        notes=(
            Note(
                host="mail2",
                words=("jail dovecot found nothing", "since 2026-11-18 04:10."),
                command="f2b-enrich check",
            ),
        ),
    )


def a_ban(
    number: int,
    *,
    jail: str = "sshd",
    asn: int = 64500,
    at: datetime = _SINCE + _DAY / 2,
    received_at: datetime | None = None,
) -> FoldedBan:
    """Make a ban of an address that ends in a number."""
    ip = f"198.51.{100 + number // 256}.{number % 256}"
    return FoldedBan(
        id=ban_id(_HOST, jail, ip, at.timestamp()),
        host=_HOST,
        jail=jail,
        service="ssh",
        ip=ip,
        banned_at=at,
        received_at=received_at or at,
        bantime_seconds=600,
        failures=5,
        attack="ssh-password-guessing",
        is_repeat=False,
        country_code="NL",
        asn=asn,
        as_name="Example Hosting",
    )


def _figures() -> PeriodFigures:
    ssh = Count(bans=771, addresses=402, failures=6_012)
    mail = Count(bans=513, addresses=218, failures=3_718)
    return PeriodFigures(
        count=Count(bans=1_284, addresses=611, failures=9_730),
        before=Count(bans=1_198, addresses=590, failures=8_001),
        records_since=_SINCE - 600 * _DAY,
        repeats=(NameCount(name="recidive", count=41),),
        hosts=("mail1", "web1.example.org"),
        known_hosts=3,
        fates={"mailed": 37, "here": 1_240, "skipped": 4, "dead": 3},
        services=(
            ServiceCount(
                service="ssh", count=ssh, most_hit="web1.example.org", most_hit_bans=96
            ),
            ServiceCount(
                service="mail", count=mail, most_hit="mail1", most_hit_bans=188
            ),
        ),
        in_services=620,
        in_several=9,
        sources=(_source(), replace(_source(), name="2001:db8:5::/64", addresses=9)),
        all_sources=600,
        networks=_networks(),
        all_networks=70,
        unplaced=12,
        names=(NameCount(name="root", count=301), NameCount(name="admin", count=188)),
        mails_due=0,
        refused=(
            Refusal(
                recipient="noc@alerts.example", mails=3, reason="550 5.1.1 no such"
            ),
        ),
        mails_refused=3,
        look_ups=611,
        incomplete=2,
    )


def _source() -> SourceCount:
    return SourceCount(
        name="192.0.2.7",
        bans=17,
        addresses=1,
        hosts=2,
        jails=("sshd", "postfix-sasl"),
        country_code="NL",
        asn=64500,
        as_name="Example Hosting",
    )


def _networks() -> tuple[NetworkCount, ...]:
    return (
        NetworkCount(
            asn=64500,
            as_name="Example Hosting",
            scanner=None,
            addresses=58,
            bans=130,
        ),
        NetworkCount(
            asn=64502,
            as_name="Example Scan",
            scanner="Example Scan",
            addresses=41,
            bans=41,
        ),
    )


def a_walk(*, since: datetime, until: datetime) -> Campaign:
    """Make a walk through the alphabet."""
    return Campaign(
        kind="user-name-enumeration",
        scope="subnet",
        who="192.0.2.0/24",
        first_at=since,
        last_at=until,
        bans=12,
        addresses=5,
        names=43,
        in_order=True,
        first_name="aaron",
        last_name="zoe",
    )
