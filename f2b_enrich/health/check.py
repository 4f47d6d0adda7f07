"""The whole way of a ban looked over, each link at the same time as the others."""

from __future__ import annotations

import errno
import os
import shutil
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich import __version__, credentials, spool
from f2b_enrich.errors import ConfigError, StoreError
from f2b_enrich.health import (
    check_banned,
    check_channels,
    check_client,
    check_clock,
    check_daemon,
    check_fail2ban,
    check_geo,
    check_held,
    check_ipinfo,
    check_jails,
    check_logs,
    check_mail,
    check_mailbox,
    check_reconcile,
    check_report,
    check_spool,
    check_store,
    figures,
)
from f2b_enrich.health.cures import command
from f2b_enrich.health.links import crit, unknown, warn
from f2b_enrich.health.probing import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from f2b_enrich.config import Settings
    from f2b_enrich.enrich.relations import Relations
    from f2b_enrich.health.check_fail2ban import Fail2BanFacts
    from f2b_enrich.health.check_process import Account, Process
    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.figures import Figures
    from f2b_enrich.health.links import Link

STOCK_FOLDER = Path("/etc/fail2ban")
SECONDS = 8.0
"""All looks together; each has less."""

_SHARE = 4.0
_ANSWER_SECONDS = 1.0
_LEAVING = 0.5
"""What a trial needs to clean up behind itself, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is asked besides files: fail2ban, the network, clocks, this machine.

    `midnight` is when today began. `up_seconds` is how long the daemon runs, None if
    that is not known. `relations` brings together what is known of this machine.
    `process` is the daemon's, None where none is seen, `account` whose it is or, as
    far as that is known, would be.
    """

    fail2ban: Fail2Ban
    environ: Mapping[str, str]
    now: datetime
    midnight: datetime
    relations: Callable[[], Relations]
    synchronised: Callable[[], bool | None]
    up_seconds: int | None = None
    process: Process | None = None
    account: Account | None = None
    offline: bool = False
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All links in the order of a ban's way, and the numbers beside them."""

    links: tuple[Link, ...]
    figures: Figures


def check(settings: Settings, world: World, *, seconds: float = SECONDS) -> Report:
    """Look at every link; what fails or takes too long is told as not known."""
    chain = _Chain(settings, world, seconds)
    links = together(
        {
            "fail2ban": chain.fail2ban,
            "jails": chain.jails,
            "client": chain.client,
            "daemon": chain.daemon,
            "spool": chain.spool,
            "store": chain.store,
            "reconcile": chain.reconcile,
            "clock": chain.clock,
            "mail": chain.mail,
            "held": chain.held,
            "notify": chain.channels,
            "mailbox": chain.mailbox,
            "report": chain.report,
            "geo": chain.geo,
            "ipinfo": chain.ipinfo,
            "banned": chain.banned,
        },
        seconds=seconds,
    )
    held = sum(spool.backlog(folder).files for folder in chain.spools)
    path = settings.store.path
    counted = figures.read(path, midnight=world.midnight, now=world.now, spool=held)
    return Report(links=(*links, *check_mail.waiting(counted)), figures=counted)


def without_settings(error: ConfigError) -> Report:
    """Tell why there is nothing to look at; no daemon starts with that, either."""
    links = tuple(_unset(problem) for problem in error.problems)
    return Report(links=links, figures=figures.Figures())


def _unset(problem: str) -> Link:
    if os.geteuid() and os.strerror(errno.EACCES) in problem:
        return unknown("config", problem, "run this as root")
    cure = "mend it; f2b-enrich config check tells when it is right"
    return crit("config", problem, cure)


class _Chain:
    """Each link's look, with what it needs of settings and surroundings."""

    def __init__(self, settings: Settings, world: World, seconds: float) -> None:
        self._settings = settings
        self._world = world
        self._share = min(_SHARE, seconds / 2)
        self._until = time.monotonic() + seconds
        self._facts: Future[Fail2BanFacts] = Future()
        listener = settings.daemon.socket
        self.spools = (settings.daemon.spool, spool.beside(listener))

    def fail2ban(self) -> Iterator[Link]:
        try:
            facts = check_fail2ban.look(self._world.fail2ban)
        except Exception as exc:
            self._facts.set_exception(exc)  # jails and client wait for it
            raise
        self._facts.set_result(facts)
        yield from check_fail2ban.links(facts)

    def jails(self) -> Iterator[Link]:
        daemon = self._settings.daemon
        folder = self._settings.own.fail2ban or STOCK_FOLDER
        yield from check_jails.files(folder)
        facts = self._facts.result()
        yield from check_jails.links(
            facts, folder=folder, socket=daemon.socket, spool=daemon.spool
        )
        yield from check_logs.links(facts, now=self._world.now.timestamp())

    def client(self) -> Iterator[Link]:
        facts = self._facts.result()
        if facts.inside_only:
            return  # nothing is started for a ban
        left = max(self._until - time.monotonic() - _LEAVING, 0.1)
        yield from check_client.links(
            facts.handings, seconds=min(self._share, left), version=__version__
        )

    def daemon(self) -> Iterator[Link]:
        facts = check_daemon.look(self._settings.daemon.socket, seconds=_ANSWER_SECONDS)
        owners = {0, *_owner(self._settings.store.path)}
        yield from check_daemon.links(
            facts, owners=frozenset(owners), is_outdated=self._is_outdated()
        )

    def _is_outdated(self) -> bool | None:
        up = self._world.up_seconds
        if up is None:
            return None
        installed = Path(check_daemon.__file__).stat().st_mtime
        return self._world.now.timestamp() - up < installed

    def spool(self) -> Iterator[Link]:
        now = self._world.now.timestamp()
        first, second = (
            check_spool.look(
                folder,
                now=now,
                account=self._world.account,
                free_bytes=self._world.free_bytes,
            )
            for folder in self.spools
        )
        lost = spool.lost(self._settings.daemon.socket.parent) or 0
        yield from check_spool.links(first, second, lost=lost)

    def store(self) -> Iterator[Link]:
        yield from check_store.links(
            check_store.look(
                self._settings.store.path,
                seconds=self._share,
                free_bytes=self._world.free_bytes,
                account=self._world.account,
                has_daemon=self._world.process is not None,
            )
        )

    def reconcile(self) -> Iterator[Link]:
        yield from check_reconcile.links(self._settings.store.path, now=self._world.now)

    def clock(self) -> Iterator[Link]:
        yield from check_clock.links(synchronised=self._world.synchronised())

    def mail(self) -> Iterable[Link]:
        settings = self._settings
        file = settings.mail.smtp.password_file
        try:
            password = self._secret("smtp-password", file)
        except ConfigError as exc:
            return (self._unread("mail", exc, file),)
        process = self._world.process
        return check_mail.links(
            settings,
            password,
            seconds=self._share,
            offline=self._world.offline,
            gains=process is None or process.gains,
        )

    def held(self) -> Iterator[Link]:
        yield from check_held.links(self._settings, now=self._world.now)

    def channels(self) -> Iterator[Link]:
        yield from check_channels.links(self._settings, now=self._world.now)

    def mailbox(self) -> Iterator[Link]:
        yield from check_mailbox.links(
            self._settings.mailbox.maildir, account=self._world.account
        )

    def report(self) -> Iterator[Link]:
        yield from check_report.links(self._settings.store.path)

    def geo(self) -> Iterator[Link]:
        ipinfo = self._settings.ipinfo
        try:
            has_token = self._secret("ipinfo-token", ipinfo.token_file) is not None
        except ConfigError:
            has_token = True  # set, though not for this user
        yield from check_geo.links(
            self._settings.geo.database,
            now=self._world.now,
            has_other_source=has_token or ipinfo.keyless,
        )

    def ipinfo(self) -> Iterable[Link]:
        ipinfo = self._settings.ipinfo
        try:
            token = self._secret("ipinfo-token", ipinfo.token_file)
        except ConfigError as exc:
            return (self._unread("ipinfo", exc, ipinfo.token_file),)
        return check_ipinfo.links(
            ipinfo, token, seconds=self._share, offline=self._world.offline
        )

    def banned(self) -> Iterable[Link]:
        try:
            yield from check_banned.links(
                self._settings.store.path,
                self._world.relations(),
                now=self._world.now,
                seconds=self._share,
            )
        except StoreError:
            yield unknown("banned", "the store cannot be read")

    def _secret(self, name: str, file: Path | None) -> SecretStr | None:
        return credentials.read_secret(name, file, self._world.environ)

    @staticmethod
    def _unread(name: str, error: ConfigError, file: Path | None) -> Link:
        """Tell a secret that is not for this user from one that the daemon refuses."""
        text = str(error)
        if os.strerror(errno.EACCES) in text:
            return unknown(name, text, "run this as root")
        if file is not None:
            return crit(name, text, "make it root:f2b-enrich's, mode 0640")
        # systemd reads it as root and hands it over, whatever its mode.
        credential, _, _ = text.partition(": ")
        return warn(name, text, command("chmod", "600", credential))


def _owner(file: Path) -> tuple[int, ...]:
    """Give the user whose store it is, who is the daemon's."""
    try:
        return (file.stat().st_uid,)
    except OSError:
        return ()
