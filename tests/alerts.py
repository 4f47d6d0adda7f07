"""Alerts for tests: the sample's own, without its past and its relations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from f2b_enrich.mail.sample import known
from f2b_enrich.model import Enrichment

if TYPE_CHECKING:
    from f2b_enrich.mail.alert import Alert


KNOWN = known()
"""An alert that has something to say in every place."""

assert KNOWN.enrichment is not None
T = KNOWN.ban.banned_at

CITY = replace(
    KNOWN.enrichment,
    looked_up_at=T + timedelta(seconds=1),
    field_sources={
        **dict.fromkeys(("country_code", "city", "latitude", "asn"), "IPinfo"),
        "hostname": "DNS",
    },
    scanner=None,
)
"""What is known of an address where it can be told from its country."""

COUNTRY = Enrichment(
    ip="192.0.2.7",
    looked_up_at=T,
    source="IPinfo Lite 2026-10",
    field_sources={"country_code": "IPinfo Lite 2026-10", "latitude": "elsewhere"},
    country_code="BR",
    country="Brazil",
    latitude=-10.0,
    longitude=-55.0,
    location_precision="country",
)
"""What is known where a database has countries only."""

ALERT = replace(
    KNOWN,
    ban=replace(KNOWN.ban, lines_received=2),
    enrichment=CITY,
    lines=KNOWN.lines[:2],
    recipient="noc@corp.example",
    sender="root@web1.example.org",
    timezone=ZoneInfo("Europe/Amsterdam"),
    history=None,
    relation=None,
    names=(),
    span=None,
    attacks=(),
    campaigns=(),
)


def an_alert(*, ban: dict[str, Any] | None = None, **changes: Any) -> Alert:
    """Give an alert about 192.0.2.7, with changes to its ban and the rest."""
    return replace(ALERT, ban=replace(ALERT.ban, **(ban or {})), **changes)
