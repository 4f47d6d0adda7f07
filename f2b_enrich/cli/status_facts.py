"""What `status` tells, gathered; nothing here prints."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich import __version__, spool
from f2b_enrich.cli import status_channels, status_mail
from f2b_enrich.cli.daemon_facts import ask_daemon, uptime
from f2b_enrich.cli.opening import is_there, reading
from f2b_enrich.cli.setting_sources import SecretState, config_files, ipinfo_token
from f2b_enrich.enrich.local import open_database
from f2b_enrich.errors import GeoError, StoreError
from f2b_enrich.mail.addresses import route
from f2b_enrich.model import start_of_day
from f2b_enrich.store import figures, jails, lists, reads, retention, wishes
from f2b_enrich.store.connection import daemon_lock

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from f2b_enrich.cli.daemon_facts import DaemonFacts
    from f2b_enrich.cli.status_channels import ChannelFacts
    from f2b_enrich.cli.status_mail import MailFacts
    from f2b_enrich.config import Settings
    from f2b_enrich.mail.addresses import Route
    from f2b_enrich.model import Ban, Tally
    from f2b_enrich.store.reads import Totals

ANSWER_SECONDS = 1.0
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
_ROUNDED = timedelta(seconds=2)
"""A ban has the nearest whole second; the next one is before this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the store holds; `bans_waiting` for a look-up are those of 24 hours.

    Those are live; `imported_waiting` are others, whatever their age. Bans
    `in_the_future`, of which `last` is none, come from a clock that was wrong.
    `services` and `unknown_jails`, which nobody named, count the bans of 30 days.
    """

    bans: int
    repeats: int
    in_the_future: int
    hosts: int
    oldest_at: datetime | None
    last: Ban | None
    today: Totals
    month: Totals
    services: Mapping[str, int]
    unknown_jails: tuple[Tally, ...]
    bans_not_classed: int
    bans_of_older_rules: int
    look_ups_today: int
    look_ups_incomplete_today: int
    bans_served_today: int
    bans_served_from_store_today: int
    bans_waiting: int
    imported_waiting: wishes.Waiting
    mail: MailFacts
    channels: ChannelFacts
    last_purged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """The store's file; no `records` without a `problem` means that there is none."""

    path: Path
    size_bytes: int | None = None
    free_bytes: int | None = None
    records: Records | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFacts:
    """What lies in one spool; None is not known, for its folder cannot be read."""

    folder: Path
    files: int | None
    unreadable: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoFacts:
    """The local database, or why there is none."""

    file: Path | None
    kind: str | None = None
    built_at: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that `status` tells."""

    version: str
    host: str
    config: Path
    config_files: tuple[Path, ...]
    daemon: DaemonFacts
    store: StoreFacts
    spools: tuple[SpoolFacts, ...]
    lost: int | None
    geo: GeoFacts
    ipinfo_token: SecretState
    keyless: bool
    imported_until: int
    """Up to how many look-ups a day IPinfo is asked about imported bans."""
    route: Route
    transport: str
    log_lines_kept_days: int | None
    bans_kept_days: int | None
    """None is for ever."""


def gather(
    settings: Settings,
    config: Path,
    *,
    now: datetime,
    zone: tzinfo | None,
    environ: Mapping[str, str],
) -> Status:
    """Look at everything once; what cannot be read is told, not raised."""
    run = settings.daemon.socket.parent
    folders = (settings.daemon.spool, spool.beside(settings.daemon.socket))
    return Status(
        version=__version__,
        host=settings.host_name,
        config=config,
        config_files=config_files(config),
        daemon=ask_daemon(
            settings.daemon.socket,
            seconds=ANSWER_SECONDS,
            up_seconds=_uptime(settings.store.path),
        ),
        store=_store(settings, now=now, zone=zone),
        spools=tuple(map(_spool, folders)),
        lost=spool.lost(run),
        geo=_geo(settings.geo.database),
        ipinfo_token=ipinfo_token(settings, environ),
        keyless=settings.ipinfo.keyless,
        imported_until=settings.ipinfo.imported_until,
        route=route(None, None, settings=settings.mail, host=settings.host_name),
        transport=_transport(settings),
        log_lines_kept_days=settings.retention.lines_days or None,
        bans_kept_days=settings.retention.bans_days or None,
    )


def _store(settings: Settings, *, now: datetime, zone: tzinfo | None) -> StoreFacts:
    path = settings.store.path
    try:
        if not is_there(path):
            return StoreFacts(path=path)
        with reading(settings) as connection:
            records = _records(connection, settings, now=now, zone=zone)
        store = Path(os.path.realpath(path))  # its log is not beside a link to it
        return StoreFacts(
            path=path,
            size_bytes=_size(store),
            free_bytes=shutil.disk_usage(store.parent).free,
            records=records,
        )
    except StoreError as exc:
        return StoreFacts(path=path, problem=str(exc).removeprefix(f"store {path}: "))


def _uptime(store: Path) -> int | None:
    lock = daemon_lock(store)
    return uptime(lock, since_boot=time.clock_gettime(time.CLOCK_BOOTTIME))


def _size(path: Path) -> int:
    """Add up the store and its log, which the last writer takes away as it closes."""
    size = path.stat().st_size
    with suppress(FileNotFoundError):
        size += path.with_name(f"{path.name}-wal").stat().st_size
    return size


def _records(
    connection: sqlite3.Connection,
    settings: Settings,
    *,
    now: datetime,
    zone: tzinfo | None,
) -> Records:
    bans, repeats = lists.count_bans(connection)
    midnight, month = start_of_day(now, zone), now - MONTH
    look_ups = figures.look_ups(connection, since=midnight, until=now)
    soon = now + _ROUNDED
    future = lists.tally(connection, lists.BanQuery(since=soon))
    return Records(
        bans=bans,
        repeats=repeats,
        hosts=figures.hosts(connection),
        oldest_at=reads.oldest_ban_at(connection),
        in_the_future=future.bans + future.repeats,
        last=reads.newest_ban(connection, before=soon),
        today=lists.tally(connection, lists.BanQuery(since=midnight, until=soon)),
        month=lists.tally(connection, lists.BanQuery(since=month, until=soon)),
        services=figures.services(connection, since=month, until=soon),
        unknown_jails=jails.unknown(connection, since=month, until=soon),
        bans_not_classed=figures.bans_not_classed(connection),
        bans_of_older_rules=figures.bans_of_older_rules(connection),
        look_ups_today=look_ups.look_ups,
        look_ups_incomplete_today=look_ups.incomplete,
        bans_served_today=look_ups.served,
        bans_served_from_store_today=look_ups.from_store,
        bans_waiting=figures.bans_waiting(connection, since=now - DAY),
        imported_waiting=wishes.waiting(connection),
        mail=status_mail.gather(connection, settings, now=now, zone=zone),
        channels=status_channels.gather(connection, settings, now=now),
        last_purged_at=retention.last_purge(connection),
    )


def _spool(folder: Path) -> SpoolFacts:
    try:
        os.listdir(folder)  # noqa: PTH208 - as the spool itself does
    except FileNotFoundError:
        pass  # nothing was ever left there
    except OSError:
        return SpoolFacts(folder=folder, files=None, unreadable=None)
    found = spool.backlog(folder)
    return SpoolFacts(folder=folder, files=found.files, unreadable=found.unreadable)


def _geo(file: Path | None) -> GeoFacts:
    if file is None:
        return GeoFacts(file=None, problem="none is configured")
    try:
        with closing(open_database(file)) as database:
            return GeoFacts(file=file, kind=database.kind, built_at=database.built_at)
    except FileNotFoundError:
        problem = f"{file} is not there, `f2b-enrich geo update` gets one"
        return GeoFacts(file=file, problem=problem)
    except GeoError as exc:
        return GeoFacts(file=file, problem=str(exc))


def _transport(settings: Settings) -> str:
    mail = settings.mail
    if mail.transport == "sendmail":
        return str(mail.sendmail)
    return f"{mail.smtp.host}:{mail.smtp.port}"
