"""What `show` tells, as JSON for a program."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from f2b_enrich.cli import ban_table
from f2b_enrich.cli.tables import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.model import Ban
    from f2b_enrich.store.addresses import JailRecord
    from f2b_enrich.store.fates import Fate, Told
    from f2b_enrich.store.lists import LoggedBan


def json_lines(page: Page, now: datetime) -> Iterator[str]:
    """Write the page as one JSON object, its bans last and one at a time."""
    yield json_text(_about(page, now), indent=2).removesuffix("\n}") + ","
    yield '  "bans": ['
    for number, ban in enumerate(page.shown, 1):
        text = indent(json_text(_ban(page, ban, now), indent=2), "    ")
        yield text if number == len(page.shown) else f"{text},"
    yield "  ]\n}"


def _about(page: Page, now: datetime) -> dict[str, object]:
    """Give all but the bans; figures are of all hosts unless they name one.

    What only repeats a ban is in `total_repeats`, and in no other figure.
    """
    records = page.records
    bans = [each for each in records if not each.is_repeat]
    total = sum(each.bans for each in bans)
    return {
        "ip": page.ip,
        "in_force": _any(ban_table.stands(each.newest, now) for each in records),
        "total_bans": total,
        "total_repeats": page.listed - total,
        "total_failures": sum(each.failures for each in bans),
        "first_at": min((each.first_at for each in bans), default=None),
        "last_at": max((each.newest.banned_at for each in bans), default=None),
        "jails": [_jail(each, now) for each in records],
        "inside_banned": [
            {"network": ban.ip, **_newest(ban, now)} for ban in page.around
        ],
        "subnet": page.subnet,
        "subnet_other_30_days": _neighbours(page),
        "attacks": page.attacks,
        "observed": _observed(page),
        "campaigns": page.campaigns,
        "enrichment": page.enrichment,
    }


def _observed(page: Page) -> dict[str, dict[str, int]]:
    """Give the lines that show each value, by kind."""
    kinds: dict[str, dict[str, int]] = {}
    for each in page.observed:
        kinds.setdefault(each.kind, {})[each.value] = each.lines
    return kinds


def _any(known: Iterable[bool | None]) -> bool | None:
    """Tell whether one is true; None where that is not known."""
    found = set(known)
    return True if True in found else None if None in found else False


def _jail(each: JailRecord, now: datetime) -> dict[str, object]:
    return {
        **_newest(each.newest, now),
        "is_repeat": each.is_repeat,
        "bans": each.bans,
        "failures": each.failures,
        "first_at": each.first_at,
    }


def _newest(ban: Ban, now: datetime) -> dict[str, object]:
    return {
        "host": ban.host,
        "jail": ban.jail,
        "last_at": ban.banned_at,
        "expires_at": ban.expires_at,
        "unbanned_at": ban.unbanned_at,
        "in_force": ban_table.stands(ban, now),
    }


def _neighbours(page: Page) -> dict[str, object] | None:
    near = page.neighbours
    if near is None:
        return None
    return {
        "bans": near.bans,
        "addresses": near.addresses,
        "at_least": near.at_least,
        "most": {one.name: one.bans for one in near.most},
    }


def _ban(page: Page, ban: LoggedBan, now: datetime) -> dict[str, object]:
    whole = dict(ban.columns)
    whole["attacks"] = ban.attacks
    whole["in_force"] = ban_table.is_in_force(ban, now)
    whole["known_from"] = page.origins_of(ban.id)
    whole["mails"] = list(map(_mail, ban.fates))
    if page.lines_of is not None:
        whole["lines"] = [line.line for line in page.lines_of(ban.id)]
    return whole


def _mail(fate: Fate) -> dict[str, object]:
    row = fate.alert
    return {
        "id": row.id,
        "recipient": row.recipient,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "sent_at": row.sent_at,
        "last_error": row.last_error,
        "told_in": None if fate.instead is None else _told(fate.instead),
    }


def _told(told: Told) -> dict[str, object]:
    """Give the mail that tells of the ban instead; `period` only of a digest."""
    row = told.row
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "sent_at": row.sent_at,
        "last_error": row.last_error,
        "period": told.period,
    }
