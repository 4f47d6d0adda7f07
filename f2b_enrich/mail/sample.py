"""Alerts to try templates on: one that knows all, one that knows nothing, odd ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from f2b_enrich.attacks import REPEAT_OFFENDER, Attack
from f2b_enrich.mail import (
    digest_sample,
    digest_view,
    flood_sample,
    flood_view,
    view,
)
from f2b_enrich.mail.alert import Alert
from f2b_enrich.mail.rendering import problems_of
from f2b_enrich.model import (
    Ban,
    Enrichment,
    History,
    LogLine,
    Neighbours,
    Relation,
    Tally,
    TriedName,
    ban_id,
)

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.mail.rendering import Kind, Shown

_AT = datetime(2026, 11, 21, 19, 14, 3, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOST, _JAIL, _IP = "web1.example.org", "sshd", "192.0.2.7"
_CLASS = "ssh-password-guessing"
_LINE = "Nov 21 20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7"


def check_templates(folder: Path) -> tuple[str, ...]:
    """Give what is wrong with the templates of a folder, each in one line."""
    alerts = (known(), unknown(), unspeakable(), repeating())
    samples: dict[Kind, tuple[Shown, ...]] = {
        "alert": tuple(map(view.view, alerts)),
        "digest": tuple(map(digest_view.view, digest_sample.digests())),
        "flood": tuple(map(flood_view.view, flood_sample.floods())),
    }
    return tuple(problems_of(folder, samples))


def unknown() -> Alert:
    """Give an alert about an address of which nothing is known but the ban."""
    ban = Ban(
        id=ban_id(_HOST, _JAIL, _IP, _AT.timestamp()),
        host=_HOST,
        jail=_JAIL,
        ip=_IP,
        ip_version=4,
        subnet="192.0.2.0/24",
        banned_at=_AT,
        banned_at_source="failure",
        bantime_seconds=None,
        expires_at=None,
        unbanned_at=None,
        failures=0,
        ban_count=1,
        received_at=_AT,
    )
    return _about(ban)


def unspeakable() -> Alert:
    """Give an alert whose commands cannot be shown, about what is no address."""
    ban = replace(unknown().ban, ip="a\nb", ip_version=None, subnet=None)
    return replace(_about(ban), relation=Relation(kind="cdn", name="x", why="y"))


def repeating() -> Alert:
    """Give an alert of a jail that watches fail2ban itself, as recidive does."""
    seen = replace(unknown().ban, failures=5, attack=_CLASS)
    ban = replace(
        seen,
        id=ban_id(_HOST, "recidive", _IP, _AT.timestamp()),
        jail="recidive",
        attack=REPEAT_OFFENDER,
        repeat_of=seen.id,
    )
    return replace(
        _about(ban),
        history=replace(_past(), repeats=1),
        attacks=(Attack(attack=REPEAT_OFFENDER),),
        repeated=seen,
        also=(digest_sample.a_ban(7, jail="postfix-sasl"),),
    )


def known() -> Alert:
    """Give an alert that has something to say in every place."""
    ban = replace(
        unknown().ban,
        bantime_seconds=86_400,
        expires_at=_AT + _DAY,
        failures=5,
        ban_count=7,
        lines_received=4,
        attack=_CLASS,
    )
    past = _past()
    return replace(
        _about(ban),
        enrichment=_found(),
        lines=tuple(LogLine(position=at, line=_LINE) for at in (0, 1, 3)),
        nth=past.nth,
        history=past,
        relation=Relation(kind="friend", name="our office", why="192.0.2.0/24"),
        names=(
            TriedName(name="root", lines=2, is_account=True),
            TriedName(name="admin", lines=1, is_account=False),
        ),
        span=timedelta(seconds=41),
        attacks=(
            Attack(attack=_CLASS, lines=3),
            Attack(attack="ssh-protocol-abuse", lines=1, cves=("CVE-2024-6387",)),
        ),
        campaigns=(digest_sample.a_walk(since=_AT - 19 * _DAY, until=_AT),),
    )


def _about(ban: Ban) -> Alert:
    return Alert(
        ban=ban,
        enrichment=None,
        lines=(),
        recipient="root",
        sender="root",
        message_id=f"<alert.{ban.id}@{_HOST}>",
        nth=1,
        bantime_known=True,
        version="1.0",
        timezone=UTC,
    )


def _found() -> Enrichment:
    return Enrichment(
        ip=_IP,
        looked_up_at=_AT,
        source="IPinfo, DNS",
        field_sources={
            "city": "IPinfo",
            "asn": "IPinfo",
            "hostname": "DNS",
            "scanner": "list of scanners of 2026-11-22",
        },
        hostname="vps7.example.net",
        hostname_confirmed=True,
        country_code="NL",
        country="Netherlands",
        region="North Holland",
        city="Amsterdam",
        location_precision="city",
        asn=64500,
        as_name="Example Hosting B.V.",
        as_domain="example.net",
        is_hosting=True,
        is_vpn=False,
        is_tor=False,
        scanner="Example Scan",
    )


def _past() -> History:
    first = _AT - 52 * _DAY
    most = tuple(
        Tally(name=f"192.0.2.{last}", bans=bans, first_at=first)
        for last, bans in ((9, 8), (13, 5), (40, 2))
    )
    return History(
        nth=7,
        records_since=_AT - 994 * _DAY,
        jails=(
            Tally(name="sshd", bans=6, first_at=first),
            Tally(name="postfix-sasl", bans=1, first_at=first + _DAY),
        ),
        first_at=first,
        previous_at=_AT - 2 * _DAY,
        imported=1,
        other_hosts=(
            Tally(name="mail1", bans=3, first_at=_AT - 48 * _DAY),
            Tally(name="web2", bans=1, first_at=_AT - 9 * _DAY),
        ),
        neighbours=Neighbours(
            subnet="192.0.2.0/24", days=30, addresses=4, bans=16, most=most
        ),
        thread_at=_AT - 2 * _DAY,
    )
