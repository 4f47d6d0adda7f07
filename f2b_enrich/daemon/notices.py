"""What the command of [notify] is told, as docs/reference/notify.md describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.mail import digest_subject, flood_view
from f2b_enrich.mail.subject import subject
from f2b_enrich.model import time_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from f2b_enrich.mail.alert import Alert
    from f2b_enrich.mail.digest import Digest
    from f2b_enrich.mail.flood import Flood
    from f2b_enrich.model import Enrichment
    from f2b_enrich.store.notifications import Folded, Notification

VERSION = 1
"""Of the form: keys are added to one, never taken from it nor given another meaning."""

MAX_LINES = 5
MAX_TEXT = 200
_FACTS = (
    *("hostname", "hostname_confirmed", "country_code", "country", "region", "city"),
    *("asn", "as_name", "as_domain", "is_hosting", "is_vpn", "is_tor", "is_proxy"),
    *("scanner", "abuse_contact", "source"),
)


def text(notice: Mapping[str, object]) -> bytes:
    """Write it as one line of ASCII."""
    return json.dumps(notice, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def of_alert(about: Notification, told: Alert) -> dict[str, object]:
    """Tell of one ban."""
    ban = told.ban
    return {
        **_head(about, host=ban.host, title=subject(told)),
        "lock_out": told.is_lock_out,
        "ban": {
            "id": ban.id,
            "jail": _inert(ban.jail),
            "ip": _inert(ban.ip),
            "ip_version": ban.ip_version,
            "subnet": ban.subnet,
            "banned_at": time_text(ban.banned_at),
            "bantime_seconds": ban.bantime_seconds,
            "expires_at": _time(ban.expires_at),
            "failures": ban.failures,
            "ban_count": ban.ban_count,
            "nth": told.nth,
            "attacks": [each.attack for each in told.attacks],
            "repeat_of": ban.repeat_of,
        },
        "address": _address(told.enrichment),
        "lines": [_inert(line.line) for line in told.lines[:MAX_LINES]],
    }


def of_digest(about: Notification, folded: Folded, told: Digest) -> dict[str, object]:
    """Tell of a digest: what it is about, and the bans that are in it alone."""
    period, count = told.period, told.figures.count
    return {
        **_head(about, host=told.host, title=digest_subject.subject(told)),
        "period": {
            "kind": period.kind,
            "since": time_text(period.since),
            "until": time_text(period.until),
            "bans": count.bans,
            "addresses": count.addresses,
        },
        "digest": _folded(folded),
    }


def of_flood(about: Notification, told: Flood) -> dict[str, object]:
    """Tell that a flood began, or that it ended."""
    return {
        **_head(about, host=told.host, title=flood_view.subject(told)),
        "flood": {
            "about": "began" if told.ended_at is None else "ended",
            "began_at": time_text(told.began_at),
            "ended_at": _time(told.ended_at),
            "bans_per_minute": flood_view.per_minute(told),
            "held": told.held,
        },
    }


def of_other(about: Notification, folded: Folded, *, host: str) -> dict[str, object]:
    """Tell of a mail of another kind."""
    title = f"[fail2ban] {_inert(host)} {about.event}"
    return {**_head(about, host=host, title=title), "digest": _folded(folded)}


def _folded(folded: Folded) -> dict[str, object]:
    return {
        "bans": folded.bans,
        "addresses": folded.addresses,
        "first_at": _time(folded.first_at),
        "last_at": _time(folded.last_at),
        "jails": {_inert(name): bans for name, bans in folded.jails.items()},
    }


def _head(about: Notification, *, host: str, title: str) -> dict[str, object]:
    return {
        "version": VERSION,
        "event": about.event,
        "id": about.id,
        "attempt": about.attempts + 1,
        "host": _inert(host),
        "queued_at": time_text(about.created_at),
        "message_id": about.mail.message_id,
        "title": title,
    }


def _address(found: Enrichment | None) -> dict[str, object] | None:
    if found is None:
        return None
    known = {name: getattr(found, name) for name in _FACTS}
    return {
        "looked_up_at": time_text(found.looked_up_at),
        **{
            name: _inert(value) if isinstance(value, str) else value
            for name, value in known.items()
        },
    }


def _inert(value: str) -> str:
    """Break links and hide secrets: chats make links of what looks like one."""
    shown = inert.without_secrets(inert.printable(value))
    return inert.cut(inert.defang(inert.cut(shown, 4 * MAX_TEXT)), MAX_TEXT)


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)
