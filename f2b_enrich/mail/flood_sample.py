"""Notices of floods to try templates on: of one that began, and of one that ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from f2b_enrich.alerts.brake import Limits
from f2b_enrich.figures import Count, NameCount, NetworkCount, Rush
from f2b_enrich.mail.flood import Flood

_HOST = "web1.example.org"
_BEGAN = datetime(2026, 11, 20, 13, 2, 9, tzinfo=UTC)


def floods() -> tuple[Flood, ...]:
    """Give both, and one of which nothing is known but that it began."""
    return began(), ended(), unknown()


def unknown() -> Flood:
    """Give a notice of a flood from nowhere that is known."""
    return Flood(
        host=_HOST,
        recipient="root",
        sender="root",
        message_id=f"<flood.1@{_HOST}>",
        version="1.0",
        timezone=UTC,
        limits=Limits(),
        rush=Rush(
            count=Count(bans=0, addresses=0, failures=0),
            jails=(),
            networks=(),
            unplaced=0,
        ),
        counted_over=timedelta(minutes=10),
        began_at=_BEGAN,
    )


def began() -> Flood:
    """Give a notice that has something to say in every place."""
    rush = Rush(
        count=Count(bans=10_000, addresses=9_120, failures=50_000),
        jails=(
            NameCount(name="sshd", count=9_000),
            NameCount(name="nginx-http-auth", count=1_000),
        ),
        networks=(
            NetworkCount(
                asn=64500,
                as_name="Example Hosting",
                scanner=None,
                addresses=4_001,
                bans=5_210,
            ),
            NetworkCount(
                asn=64501,
                as_name="Example Cloud",
                scanner=None,
                addresses=1,
                bans=12,
            ),
        ),
        unplaced=4_778,
    )
    return replace(unknown(), rush=rush)


def ended() -> Flood:
    """Give the second notice of the same flood."""
    return replace(
        began(),
        ended_at=_BEGAN + timedelta(minutes=42),
        held=9_980,
        digests=4,
        waiting=12,
    )
