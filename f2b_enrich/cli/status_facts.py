"""What `status` tells, gathered; nothing here prints."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich import __version__, spool
from f2b_enrich.cli.opening import is_there, reading
from f2b_enrich.cli.setting_sources import SecretState, config_files, ipinfo_token
from f2b_enrich.cli.times import start_of_day
from f2b_enrich.enrich.local import open_database
from f2b_enrich.errors import GeoError, StoreError
from f2b_enrich.mail.addresses import route
from f2b_enrich.store import lists, reads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime, tzinfo
    from pathlib import Path

    from f2b_enrich.config import Settings
    from f2b_enrich.mail.addresses import Route
    from f2b_enrich.model import Ban
    from f2b_enrich.store.lists import Mail
    from f2b_enrich.store.reads import Totals

ANSWER_SECONDS = 1.0
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonFacts:
    """Whether a daemon answers; None is not known, and `detail` says why."""

    socket: Path
    answers: bool | None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the store holds."""

    bans: int
    oldest_at: datetime | None
    last: Ban | None
    today: Totals
    month: Totals
    look_ups_today: int
    mails: Mapping[str, int]
    mails_sent_today: int
    newest_dead: Mail | None


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
    lost: int
    geo: GeoFacts
    ipinfo_token: SecretState
    keyless: bool
    route: Route
    transport: str


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
        daemon=ask_daemon(settings.daemon.socket, seconds=ANSWER_SECONDS),
        store=_store(settings, now=now, zone=zone),
        spools=tuple(map(_spool, folders)),
        lost=spool.lost(run),
        geo=_geo(settings.geo.database),
        ipinfo_token=ipinfo_token(settings, environ),
        keyless=settings.ipinfo.keyless,
        route=route(None, None, settings=settings.mail, host=settings.host_name),
        transport=_transport(settings),
    )


def ask_daemon(path: Path, *, seconds: float) -> DaemonFacts:
    """Connect, say that nothing follows, and see whether it hangs up as it should.

    A daemon that was stopped still has the kernel take connections for it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(os.fspath(path))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except PermissionError as exc:
            return DaemonFacts(socket=path, answers=None, detail=exc.strerror)
        except (TimeoutError, BlockingIOError):
            silent = f"it takes connections, but no answer came within {seconds:g} s"
            return DaemonFacts(socket=path, answers=False, detail=silent)
        except OSError as exc:
            detail = exc.strerror or str(exc)
            return DaemonFacts(socket=path, answers=False, detail=detail)
    return DaemonFacts(socket=path, answers=True)


def _store(settings: Settings, *, now: datetime, zone: tzinfo | None) -> StoreFacts:
    path = settings.store.path
    try:
        if not is_there(path):
            return StoreFacts(path=path)
        with reading(settings) as connection:
            records = _records(connection, now=now, zone=zone)
        return StoreFacts(
            path=path,
            size_bytes=_size(path),
            free_bytes=shutil.disk_usage(path.parent).free,
            records=records,
        )
    except StoreError as exc:
        return StoreFacts(path=path, problem=str(exc).removeprefix(f"store {path}: "))


def _size(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _records(
    connection: sqlite3.Connection, *, now: datetime, zone: tzinfo | None
) -> Records:
    midnight = start_of_day(now, zone)
    dead = lists.mails(connection, lists.MailQuery(states=("dead",)), limit=1)
    return Records(
        bans=lists.count_bans(connection),
        oldest_at=reads.oldest_ban_at(connection),
        last=reads.newest_ban(connection),
        today=lists.tally(connection, lists.BanQuery(since=midnight)),
        month=lists.tally(connection, lists.BanQuery(since=now - MONTH)),
        look_ups_today=lists.look_ups(connection, since=midnight),
        mails=reads.outbox_states(connection),
        mails_sent_today=lists.mails_sent(connection, since=midnight),
        newest_dead=next(dead, None),
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
