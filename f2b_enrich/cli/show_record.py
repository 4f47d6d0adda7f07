"""What `show` tells, as values for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import ban_table

if TYPE_CHECKING:
    from datetime import datetime

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.model import Ban, OutboxRow
    from f2b_enrich.store.addresses import JailRecord
    from f2b_enrich.store.lists import LoggedBan


def record(page: Page, now: datetime) -> dict[str, object]:
    """Give the page as one object; figures are of all hosts unless they name one."""
    records = page.records
    return {
        "ip": page.ip,
        "in_force": any(ban_table.stands(each.newest, now) for each in records),
        "total_bans": page.bans,
        "total_failures": sum(each.failures for each in records),
        "first_at": min((each.first_at for each in records), default=None),
        "last_at": max((each.newest.banned_at for each in records), default=None),
        "jails": [_jail(each, now) for each in records],
        "inside_banned": [
            {"network": ban.ip, **_newest(ban, now)} for ban in page.around
        ],
        "subnet": page.subnet,
        "subnet_other_30_days": _neighbours(page),
        "names": {each.value: each.lines for each in page.names},
        "enrichment": page.enrichment,
        "bans": [_ban(page, ban, now) for ban in page.shown],
    }


def _jail(each: JailRecord, now: datetime) -> dict[str, object]:
    return {
        **_newest(each.newest, now),
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
        "most": {one.name: one.bans for one in near.most},
    }


def _ban(page: Page, ban: LoggedBan, now: datetime) -> dict[str, object]:
    whole = dict(ban.columns)
    whole["in_force"] = ban_table.is_in_force(ban, now)
    whole["mails"] = list(map(_mail, page.alerts[ban.id]))
    if ban.id in page.lines:
        whole["lines"] = [line.line for line in page.lines[ban.id]]
    return whole


def _mail(row: OutboxRow) -> dict[str, object]:
    return {
        "id": row.id,
        "recipient": row.recipient,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "sent_at": row.sent_at,
        "last_error": row.last_error,
    }
