"""`reconcile`: what fail2ban did and nobody told us is brought into the store."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich import spool
from f2b_enrich.cli.opening import demand
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.reconcile_lists import beside
from f2b_enrich.cli.reconciling import Found, Reconciling
from f2b_enrich.cli.tables import json_text
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.intake import Intake
from f2b_enrich.health.check import STOCK_FOLDER
from f2b_enrich.health.check_fail2ban import ask
from f2b_enrich.health.fail2ban import PROGRAM, Fail2Ban, RefusedError
from f2b_enrich.health.held_bans import database_of, held_bans
from f2b_enrich.importing.fail2ban_db import opened_database
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.store.connection import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from f2b_enrich.cli.reconcile_lists import HeldLists
    from f2b_enrich.config import Settings
    from f2b_enrich.health.check_fail2ban import Fail2BanFacts
    from f2b_enrich.store.in_force import StandingBan


@click.command(
    epilog="\b\nExamples:\n  f2b-enrich reconcile\n  f2b-enrich reconcile --json\n"
    "  f2b-enrich reconcile --all-jails"
)
@click.option(
    "--all-jails", is_flag=True, help="Take jails, too, that lack our action."
)
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="Socket of fail2ban, where it is not the stock one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def reconcile(
    settings: Settings, *, all_jails: bool, socket_path: Path | None, as_json: bool
) -> None:
    """Record the bans, and ends of bans, that fail2ban knows of and nobody told us.

    Reads the database of the running fail2ban, and what its jails hold. No alert tells
    of what is found; the next digest does. What is younger than alerts.late_minutes is
    left to the next run, for it may still be on its way.

    Root may call it; the daemon goes on beside it. A timer does so every hour.
    """
    demand(settings.store.path)
    if waiting := _in_spool(settings):
        _end(Found(waiting=waiting), as_json=as_json)
        return
    folder = settings.own.fail2ban or STOCK_FOLDER
    socket = () if socket_path is None else ("-s", str(socket_path))
    fail2ban = Fail2Ban((*PROGRAM, "-c", str(folder), *socket))
    facts = ask(fail2ban)
    if facts.trouble is not None:
        raise facts.trouble
    intake = Intake(
        settings,
        waits_for_look_up=False,
        known_jail=Analysis.configured(settings).known_jail,
    )
    with open_writer(settings.store.path) as connection:
        run = Reconciling(
            connection,
            settings,
            intake,
            now=datetime.now(UTC),
            clock=time.monotonic,
            pause=time.sleep,
            tell=_tell,
        )
        try:
            _Server(fail2ban, facts, all_jails=all_jails).bring(run)
        except KeyboardInterrupt:
            _tell(f"interrupted: {_told(run.found)}; call it again to go on")
            raise
    _end(run.found, as_json=as_json)


def _in_spool(settings: Settings) -> int:
    """Count the reports that are yet to come in: what they tell passed nobody by."""
    folders = settings.daemon.spool, spool.beside(settings.daemon.socket)
    return sum(spool.backlog(folder).files for folder in folders)


def _end(found: Found, *, as_json: bool) -> None:
    click.echo(json_text(asdict(found)) if as_json else _told(found))


@dataclass(frozen=True, slots=True)
class _Addresses:
    """To whom, and from whom, a jail wants its bans to be told."""

    fail2ban: Fail2Ban
    facts: Fail2BanFacts
    known: dict[str, tuple[str | None, str | None]]

    def __call__(self, jail: str) -> tuple[str | None, str | None]:
        """Ask it of the server, once."""
        if jail not in self.known:
            self.known[jail] = (self._value(jail, "dest"), self._value(jail, "sender"))
        return self.known[jail]

    def _value(self, jail: str, key: str) -> str | None:
        name = self.facts.ours_in(jail)
        if name is None:
            return None
        try:
            value = self.fail2ban.send("get", jail, "action", name, key).strip()
        except RefusedError:  # one that runs inside fail2ban keeps it to itself
            return None
        return None if not value or value.startswith("<") else value


class _Server:
    """A running fail2ban, asked in an order in which nothing seems to be missing."""

    def __init__(
        self, fail2ban: Fail2Ban, facts: Fail2BanFacts, *, all_jails: bool
    ) -> None:
        self._fail2ban = fail2ban
        self._reporting = facts.reporting
        self._jails = tuple(facts.running) if all_jails else facts.reporting
        self._addresses = _Addresses(fail2ban, facts, {})

    def bring(self, run: Reconciling) -> None:
        path = database_of(self._fail2ban)
        if path is None:
            standing = run.standing(self._jails)
            lists = self._lists(run, self._jails, standing)
            run.take_held(self._jails, lists, standing, self._addresses)
        else:
            # What fail2ban would put in place at its next start stands, so a list is
            # only asked for where something lacks a row.
            standing = run.standing(self._jails, but=self._bring_rows(run, path))
            lacking = {ban.jail for ban in standing}
            asked = [jail for jail in self._jails if run.folded(jail) in lacking]
            lists = self._lists(run, asked, standing)
        run.close(standing, lists, whenever=path is None)
        run.finish(self._reporting)

    def _bring_rows(self, run: Reconciling, path: Path) -> set[int]:
        marks: set[int] = set()
        jails = frozenset(self._jails)
        with opened_database(path) as database:
            for page in database.pages():
                marks |= run.take_rows(page.records, jails, self._addresses)
        return marks

    def _lists(
        self, run: Reconciling, jails: Sequence[str], standing: Iterable[StandingBan]
    ) -> HeldLists:
        folded = {jail: run.folded(jail) for jail in jails}
        lists = beside(held_bans(self._fail2ban, jails), folded, standing)
        if lists.ahead is None:
            _tell("fail2ban tells times of several zones: none is taken from its lists")
        elif lists.ahead:
            _tell(f"the times of fail2ban's lists are taken as {_zone(lists.ahead)}")
        return lists


def _zone(ahead: int) -> str:
    hours, minutes = divmod(abs(ahead) // 60, 60)
    side = "ahead of" if ahead > 0 else "behind"
    return f"{hours}:{minutes:02} h {side} ours"


def _tell(text: str) -> None:
    click.echo(f"f2b-enrich: {printable(text)}", err=True)


def _told(found: Found) -> str:
    parts = []
    if found.bans:
        parts.append(f"{counted(found.bans, 'ban')} that nobody told us")
    if found.more:
        parts.append(f"more about {counted(found.more, 'ban')}")
    if found.ended:
        parts.append(f"{counted(found.ended, 'end')} of bans that passed us by")
    if found.waiting:
        wait = "waits" if found.waiting == 1 else "wait"
        reports = f"{counted(found.waiting, 'report')} in the spool"
        return f"nothing compared: {reports} {wait} for the daemon"
    text = f"found {', '.join(parts)}" if parts else "nothing passed us by"
    if found.young:
        text += f"; {found.young:,} may still be on the way"
    if found.others:
        text += f"; {counted(found.others, 'ban')} of jails without our action left out"
    if found.unread:
        text += f"; {counted(found.unread, 'line')} of what jails hold not read"
    return text
