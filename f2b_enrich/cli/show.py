"""`show`: all that is known about one address."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import ban_table, times
from f2b_enrich.cli.opening import reading
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.show_facts import gather
from f2b_enrich.cli.tables import Column, beside, fit, json_text, screen_width
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import read_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.config import Settings
    from f2b_enrich.model import Enrichment
    from f2b_enrich.store.lists import LoggedBan

FEW = 10
"""Bans shown unless all are asked for."""

_TRAITS = {
    "hosting": "is_hosting",
    "VPN": "is_vpn",
    "Tor": "is_tor",
    "proxy": "is_proxy",
}


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich show 192.0.2.7\n"
    "  f2b-enrich show 2001:db8::7 --all --lines\n"
    "  f2b-enrich show 5f0c2a9e --json"
)
@click.argument("key", metavar="IP")
@click.option("--all", "show_all", is_flag=True, help=f"Every ban, not only {FEW}.")
@click.option("--lines", "with_lines", is_flag=True, help="The log lines of each ban.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def show(
    settings: Settings,
    key: str,
    *,
    show_all: bool,
    with_lines: bool,
    as_json: bool,
) -> None:
    """Show all that is recorded about IP.

    IP is an address, a network or other text that was banned; or the id of a ban, its
    first eight characters are enough. Exit code 1 if nothing is recorded.
    """
    now = datetime.now(UTC)
    most = None if show_all else FEW
    with reading(settings) as store:
        page = gather(store, key, most=most, with_lines=with_lines, now=now)
    if as_json:
        click.echo(json_text(_record(page, now), indent=2))
        return
    for line in told(page, now=now, zone=None, width=screen_width()):
        click.echo(line)


def _record(page: Page, now: datetime) -> dict[str, object]:
    return {
        "ip": page.ip,
        "in_force": any(ban_table.is_in_force(ban, now) for ban in page.bans),
        "total_bans": len(page.bans),
        "total_failures": sum(ban.failures for ban in page.bans),
        "subnet": page.subnet,
        "subnet_other_30_days": page.neighbours,
        "enrichment": page.enrichment,
        "bans": [_ban_record(page, ban) for ban in page.shown],
    }


def _ban_record(page: Page, ban: LoggedBan) -> dict[str, object]:
    record = dict(ban.columns)
    if ban.id in page.lines:
        record["lines"] = [line.line for line in page.lines[ban.id]]
    return record


def told(
    page: Page, *, now: datetime, zone: tzinfo | None, width: int | None
) -> Iterator[str]:
    """Word the page for people."""
    yield beside((page.ip, *_known(page, zone)), width=width)
    yield printable(_in_force(page.bans, now, zone))
    yield beside(_history(page, zone), width=width)
    yield from _table(page, now=now, zone=zone)
    yield from _notes(page)


def _known(page: Page, zone: tzinfo | None) -> Iterator[str]:
    found = page.enrichment
    if found is None:
        yield _not_asked(page.ip)
        return
    reason = found.raw.get("not looked up")
    if reason is not None:
        yield f"not looked up: {reason}"
        return
    yield _place(found)
    yield " ".join(filter(None, (_as_number(found), found.as_name)))
    yield found.as_domain or ""
    yield ", ".join(_traits(found))
    if found.hostname:
        doubt = "confirmed" if found.hostname_confirmed else "not confirmed"
        known = f" ({doubt})" if found.hostname_confirmed is not None else ""
        yield f"{found.hostname}{known}"
    if found.scanner:
        yield f"scanner: {found.scanner}"
    yield f"[{found.source}, {times.day(found.looked_up_at, zone)}]"


def _not_asked(ip: str) -> str:
    address = read_address(ip)
    if address.is_network:
        return "not looked up: a whole network"
    if address.version is None:
        return "not looked up: not an IP address"
    return "not looked up yet"


def _place(found: Enrichment) -> str:
    names = (found.city, found.region, found.country or found.country_code)
    known = ", ".join(dict.fromkeys(name for name in names if name))
    if not known:
        return "place not known"
    precision = found.location_precision
    return f"{known} ({precision} level)" if precision else known


def _as_number(found: Enrichment) -> str | None:
    return None if found.asn is None else f"AS{found.asn}"


def _traits(found: Enrichment) -> Iterator[str]:
    for name, field in _TRAITS.items():
        answer = getattr(found, field)
        if answer is not None:
            yield f"{name}: {'yes' if answer else 'no'}"


def _in_force(bans: Sequence[LoggedBan], now: datetime, zone: tzinfo | None) -> str:
    # One jail bans an address once at a time: of several the newest stands.
    standing: dict[tuple[str, str], LoggedBan] = {}
    for ban in bans:
        if ban_table.is_in_force(ban, now):
            standing.setdefault((ban.host, ban.jail), ban)
    if standing:
        told = "; ".join(_standing(ban, zone) for ban in standing.values())
        return f"in force: {told}"
    newest = bans[0]
    if newest.unbanned_at is not None:
        return f"not in force: unbanned {times.moment(newest.unbanned_at, zone)}"
    if newest.expires_at is not None:
        return f"not in force: planned end {times.moment(newest.expires_at, zone)}"
    return "not known whether in force: fail2ban named no ban time"


def _standing(ban: LoggedBan, zone: tzinfo | None) -> str:
    if not ban_table.has_end(ban):
        end = "for ever"
    elif ban.expires_at is None:
        end = "beyond the year 9999"
    else:
        end = f"planned end {times.moment(ban.expires_at, zone)}"
    return f"{ban.jail} on {ban.host}, {end}"


def _history(page: Page, zone: tzinfo | None) -> Iterator[str]:
    own, others = _counts(page.bans, zone), _neighbourhood(page)
    yield f"{own};" if others else own
    yield others


def _counts(bans: Sequence[LoggedBan], zone: tzinfo | None) -> str:
    failures = sum(ban.failures for ban in bans)
    first, last = (times.day(ban.banned_at, zone) for ban in (bans[-1], bans[0]))
    days = first if first == last else f"{first} to {last}"
    return (
        f"{counted(len(bans), 'ban')}, {counted(failures, 'failure')}, {days}; "
        f"{_tally(ban.jail for ban in bans)} on {_tally(ban.host for ban in bans)}"
    )


def _tally(names: Iterator[str]) -> str:
    """Name each with its count; one alone needs none."""
    counts = Counter(names).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{name} {count:,}" for name, count in counts)


def _neighbourhood(page: Page) -> str:
    if page.neighbours is None:
        return ""
    others = page.neighbours
    if not others.addresses:
        return f"{page.subnet}: no other address in 30 days"
    noun = "other address" if others.addresses == 1 else "other addresses"
    bans = counted(others.bans, "ban")
    return f"{page.subnet}: {others.addresses:,} {noun}, {bans} in 30 days"


def _table(page: Page, *, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    columns = (
        ban_table.banned_column(page.shown, zone),
        Column("host", limit=24),
        Column("jail", limit=24),
        Column("failures", right=True),
        Column("for"),
        Column("ended"),
        Column("origin"),
        Column("mail"),
        Column("ban"),
    )
    rows = [
        (
            times.stamp(ban.banned_at, zone),
            host,
            ban.jail,
            ban.failures,
            ban_table.length(ban),
            ban_table.ended(ban, now, zone),
            ban.origins,
            ban_table.mail(ban, zone),
            ban.id.partition("-")[0],
        )
        for ban, host in zip(page.shown, ban_table.host_cells(page.shown), strict=True)
    ]
    heading, *lines = fit(columns, rows)
    yield f"  {heading}"
    for ban, line in zip(page.shown, lines, strict=True):
        yield f"  {line}"
        yield from _log(page, ban)
    if any(str(row[5] or "").startswith(ban_table.PLANNED) for row in rows):
        yield f"  {ban_table.PLANNED_NOTE}"


def _log(page: Page, ban: LoggedBan) -> Iterator[str]:
    if ban.id not in page.lines:
        return
    shown = 0
    for line in page.lines[ban.id]:
        yield from _gap(line.position - shown)
        yield f"      {printable(line.line.rstrip())}"
        shown = line.position + 1
    yield from _gap(ban.lines_received - shown)
    if not ban.lines_received:
        yield "      no log lines"


def _gap(missing: int) -> Iterator[str]:
    if missing > 0:
        yield f"      ... {counted(missing, 'line')} not kept ..."


def _notes(page: Page) -> Iterator[str]:
    more = len(page.bans) - len(page.shown)
    hints = []
    if more:
        hints.append(f"{more:,} more: f2b-enrich show {page.ip} --all")
    if not page.lines:
        hints.append("log lines: --lines")
    if hints:
        yield printable(f"  {'; '.join(hints)}")
