"""`status`: how things stand, on one screen."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import status_channels, status_mail, times
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.setting_sources import told
from f2b_enrich.cli.status_facts import gather
from f2b_enrich.cli.tables import json_text
from f2b_enrich.health.sizes import size_text
from f2b_enrich.inert import cut, printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.spans import span
from f2b_enrich.store import figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from pathlib import Path

    from f2b_enrich.cli.daemon_facts import DaemonFacts
    from f2b_enrich.cli.status_facts import (
        GeoFacts,
        Records,
        SpoolFacts,
        Status,
        StoreFacts,
    )
    from f2b_enrich.config import Settings
    from f2b_enrich.model import Tally
    from f2b_enrich.store.reads import Totals
    from f2b_enrich.store.wishes import Waiting

_LABEL = 10
_MOST_JAILS = 5
_LONGEST_JAIL = 40


@click.command(epilog="\b\nExamples:\n  f2b-enrich status\n  f2b-enrich status --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def status(settings: Settings, *, as_json: bool) -> None:
    """Show how things stand: daemon, bans, spool, look-ups, mail.

    It asks nothing of the network. Exit code 1 if the store cannot be read.
    """
    context = click.get_current_context()
    config: Path = context.params["config_path"]
    now = datetime.now(UTC)
    found = gather(settings, config, now=now, zone=None, environ=os.environ)
    if as_json:
        click.echo(json_text(found, indent=2))
    else:
        for label, text in rows(found, now=now, zone=None):
            click.echo(printable(f"{label:<{_LABEL}}{text}"))
    if found.store.problem is not None:
        context.exit(1)


def rows(
    status: Status, *, now: datetime, zone: tzinfo | None
) -> Iterator[tuple[str, str]]:
    """Word it, a label and a text each."""
    up = status.daemon.up_seconds
    host = status.host if up is None else f"{status.host}, up {span(up)}"
    yield "f2b-enrich", f" {status.version} on {host}; config {told(status.config)}"
    yield "daemon", _daemon(status.daemon)
    records = status.store.records
    if records is not None:
        yield "last ban", _last_ban(records, now, zone)
        yield "bans", _bans(records)
        yield from _kinds(records)
    yield "store", _store(status.store, zone)
    yield "spool", _spool(status.spools, status.lost)
    yield "look-ups", _database(status.geo)
    yield "", f"IPinfo: {_ipinfo(status)}"
    if records is not None:
        yield "", _look_ups(records)
        yield from (("", text) for text in _imported(status, records.imported_waiting))
    yield "mail", _mail(status)
    for address, reason in status.route.refused:
        yield "", f"{address} refused: {reason}"
    if records is not None:
        mail_lines = status_mail.mail_lines(records.mail, now, zone)
        came_back = status_channels.mail_lines(records.channels, zone)
        yield from (("", text) for text in (*mail_lines, *came_back))
        brake, *digests = status_mail.brake_lines(records.mail, now, zone)
        yield "brake", brake
        yield from (("", text) for text in digests)
        notify = status_channels.notify_line(records.channels, now)
        if notify is not None:
            yield "notify", notify
    yield "retention", _retention(status, zone)


def _daemon(daemon: DaemonFacts) -> str:
    if daemon.answers:
        return f"answers on {daemon.socket}"
    if daemon.answers is None:
        return f"not known: {daemon.socket}: {daemon.detail}"
    return f"no daemon answers on {daemon.socket} ({daemon.detail})"


def _last_ban(records: Records, now: datetime, zone: tzinfo | None) -> str:
    last = records.last
    if last is None:
        return "none yet"
    when = times.moment(last.banned_at, zone)
    return f"{when}  {last.jail}  {last.ip}  ({times.ago(last.banned_at, now)})"


def _bans(records: Records) -> str:
    text = f"today {_totals(records.today)}; 30 days {_totals(records.month)}"
    if records.in_the_future:
        text += f"; {counted(records.in_the_future, 'ban')} in the future"
    return text


def _kinds(records: Records) -> Iterator[tuple[str, str]]:
    """Say what was attacked, and of which bans that is not known yet."""
    if records.services:
        counts = (f"{name} {bans:,}" for name, bans in records.services.items())
        yield "services", f"bans of 30 days: {', '.join(counts)}"
    if records.unknown_jails:
        yield "jails", _unknown(records.unknown_jails)
    waiting, older = records.bans_not_classed, records.bans_of_older_rules
    told = [f"{counted(waiting, 'ban')} not classed yet"] if waiting else []
    if older:
        least = "at least " if older == figures.MOST_OLDER else ""
        told.append(
            f"{least}{counted(older, 'ban')} classed by older rules: "
            "f2b-enrich classify --all"
        )
    if told:
        yield "classes", "; ".join(told)


def _unknown(jails: tuple[Tally, ...]) -> str:
    named = [f"{cut(jail.name, _LONGEST_JAIL)} {jail.bans:,}" for jail in jails]
    more = len(named) - _MOST_JAILS
    if more > 0:
        named[_MOST_JAILS:] = [counted(more, "more jail")]
    return f"unknown, bans of 30 days: {', '.join(named)}; name them: [jails.own.NAME]"


def _totals(totals: Totals) -> str:
    addresses = "address" if totals.addresses == 1 else "addresses"
    text = f"{counted(totals.bans, 'ban')} of {totals.addresses:,} {addresses}"
    if totals.repeats:
        text += f", {counted(totals.repeats, 'repeat')}"
    return text


def _store(store: StoreFacts, zone: tzinfo | None) -> str:
    if store.problem is not None:
        return f"{store.path}: {store.problem}"
    if store.records is None:
        return f"{store.path}: there is none yet, the daemon makes it"
    records = store.records
    total = counted(records.bans, "ban")
    if records.repeats:
        total += f", {counted(records.repeats, 'repeat')}"
    if records.hosts > 1:
        total += f" of {records.hosts:,} hosts"
    if records.oldest_at is not None:
        total += f" since {times.day(records.oldest_at, zone)}"
    return (
        f"{total}; {size_text(store.size_bytes or 0)}, "
        f"{size_text(store.free_bytes or 0)} free; {store.path}"
    )


def _spool(spools: tuple[SpoolFacts, ...], lost: int | None) -> str:
    unknown = [str(each.folder) for each in spools if each.files is None]
    files = sum(each.files or 0 for each in spools)
    unreadable = sum(each.unreadable or 0 for each in spools)
    text = f"{counted(files, 'file')} waiting, {unreadable:,} unreadable"
    if lost is not None:
        text += f"; {lost:,} lost since start"
    holding = [str(each.folder) for each in spools if each.files or each.unreadable]
    if holding:
        text += f"; in {' and '.join(holding)}"
    if unknown:
        text += f"; not known: {' and '.join(unknown)} (may not be read)"
    return text


def _database(geo: GeoFacts) -> str:
    if geo.built_at is None:
        return f"no local database: {geo.problem}"
    return f"{geo.kind} database of {geo.built_at:%Y-%m-%d}"


def _ipinfo(status: Status) -> str:
    token = status.ipinfo_token
    if token.is_set or token.problem is not None:
        return f"token {token}"
    if status.keyless:
        return "asked without a token"
    return "no token in file or environment"


def _look_ups(records: Records) -> str:
    text = (
        f"today {counted(records.look_ups_today, 'look-up')}, "
        f"{records.look_ups_incomplete_today:,} incomplete"
    )
    served = records.bans_served_today
    if served:
        share = 100 * records.bans_served_from_store_today // served
        text += f"; {share}% of {counted(served, 'ban')} answered from the store"
    if records.bans_waiting:
        text += f"; {counted(records.bans_waiting, 'ban')} of 24 h still without"
    return text


def _imported(status: Status, waiting: Waiting) -> Iterator[str]:
    """Say how many imported bans wait, and for what."""
    if waiting.local:
        wait = _waiting(waiting.local)
        if status.geo.built_at is None:
            yield f"{wait} for a local database: f2b-enrich geo update"
        else:
            yield f"{wait} for the local database"
    if waiting.full:
        wait = _waiting(waiting.full)
        token = status.ipinfo_token
        is_asked = token.is_set or token.problem is not None or status.keyless
        if is_asked and status.imported_until:
            most = counted(status.imported_until, "look-up")
            yield f"{wait} for IPinfo, asked until there were {most} in a day"
        else:
            yield f"{wait} for IPinfo, which is not asked about them"


def _waiting(count: int) -> str:
    return f"{counted(count, 'imported ban')} {'waits' if count == 1 else 'wait'}"


def _mail(status: Status) -> str:
    chosen = status.route
    to = ", ".join(chosen.recipients) or "nobody"
    return f"{chosen.sender or 'nobody'} -> {to} via {status.transport}"


def _retention(status: Status, zone: tzinfo | None) -> str:
    lines, bans = map(_days, (status.log_lines_kept_days, status.bans_kept_days))
    text = f"lines {lines}, bans {bans}"
    records = status.store.records
    if records is None:
        return text
    if records.last_purged_at is None:
        return f"{text}; never purged yet"
    return f"{text}; last purged {times.stamp(records.last_purged_at, zone)}"


def _days(count: int | None) -> str:
    return "for ever" if count is None else f"{count:,} d"
