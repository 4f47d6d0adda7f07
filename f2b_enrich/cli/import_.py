"""`import`: old logs, databases and mails brought into the store."""

from __future__ import annotations

import functools
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from f2b_enrich.cli.import_imap import imap_options
from f2b_enrich.cli.import_progress import progress, size_of
from f2b_enrich.cli.import_text import tally_facts, tally_text
from f2b_enrich.cli.main import FAILED
from f2b_enrich.cli.opening import as_stored
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import json_text
from f2b_enrich.errors import ConfigError
from f2b_enrich.inert import printable
from f2b_enrich.intake.bringing import Bringing, processes_for
from f2b_enrich.intake.daemon_lock import seeing_daemon
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.planning import STANDARD_INPUT, Plan
from f2b_enrich.intake.remembering import reached
from f2b_enrich.intake.stopping import StoppedError, stopped_by_signals
from f2b_enrich.intake.tallies import Tally
from f2b_enrich.intake.writing import Writer
from f2b_enrich.intake.zones import zone_of
from f2b_enrich.store.connection import open_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from f2b_enrich.cli.import_imap import ImapFrom
    from f2b_enrich.config import Settings
    from f2b_enrich.intake.jobs import Job
    from f2b_enrich.intake.stopping import Stop
    from f2b_enrich.store.intake import LookUp

Kind = Literal["log", "database", "mailbox"]


@click.group(
    "import",
    epilog="\b\nExample:\n  f2b-enrich import fail2ban-log /var/log/fail2ban.log*",
)
def import_() -> None:
    """Bring old logs, databases and mails into the store.

    Nothing counts twice, whatever is imported again or in whatever order, and no mail
    is sent. It runs beside the daemon, may be interrupted, and goes on when called
    again.
    """


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """Add what all imports have in common, and gather it in one argument."""

    @click.option(
        "--host",
        metavar="NAME",
        help="The server that all of it is of, whatever the records name. Default: "
        "what they name, else the configured host.",
    )
    @click.option(
        "--enrich",
        "look_up",
        type=click.Choice(["local", "full", "none"]),
        default="local",
        show_default=True,
        help="Where the daemon looks addresses up afterwards: in the local database, "
        "also at IPinfo, or nowhere.",
    )
    @click.option(
        "--again", is_flag=True, help="Read also what an earlier run has read."
    )
    @click.option("--dry-run", is_flag=True, help="Only read and count.")
    @click.option(
        "--show-unparsed", is_flag=True, help="Show some of what could not be read."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @with_settings
    @functools.wraps(command)
    def run(settings: Settings, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401
        names = ("host", "look_up", "again", "dry_run", "show_unparsed", "as_json")
        options = {name: kwargs.pop(name) for name in names}
        return command(_Import(settings, **options), *args, **kwargs)

    return run


@import_.command(
    "fail2ban-log",
    epilog="\b\nExamples:\n"
    "  f2b-enrich import fail2ban-log /var/log/fail2ban.log*\n"
    "  f2b-enrich import fail2ban-log --host web3 --timezone Europe/Berlin logs/\n"
    "  journalctl -u fail2ban -o short-iso | f2b-enrich import fail2ban-log -",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--timezone",
    "zone",
    metavar="NAME",
    help="The time zone of the machine that wrote it, such as Europe/Berlin. Default: "
    "this machine's.",
)
@_options
def fail2ban_log(run: _Import, paths: tuple[str, ...], *, zone: str | None) -> int:
    """Import fail2ban.log, of any release since 2007.

    PATH is a file, packed or not (gz, xz, zst, bz2), a folder, or - for standard input.
    Rotated files are read from the oldest on; lines from syslog and the journal are
    understood as well.
    """
    zone_of(zone)  # an unknown name is told before anything is read
    return run.bring(
        "log", paths, lambda plan: plan.logs(paths, zone=zone), side_by_side=False
    )


@import_.command(
    "fail2ban-db",
    epilog="\b\nExample:\n"
    "  f2b-enrich import fail2ban-db /var/lib/fail2ban/fail2ban.sqlite3",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@_options
def fail2ban_db(run: _Import, files: tuple[str, ...]) -> int:
    """Import the database of a fail2ban, which mostly holds a day.

    It is only read, also while fail2ban uses it.
    """
    return run.bring(
        "database", files, lambda plan: plan.databases(files), side_by_side=False
    )


@import_.command(
    "mail",
    epilog="\b\nExamples:\n"
    "  f2b-enrich import mail fail2ban.mbox Maildir/\n"
    "  zcat reports.mbox.gz | f2b-enrich import mail -\n"
    "  f2b-enrich import mail --imap imaps://abuse@mail.example/INBOX \\\n"
    "      --password-file /etc/f2b-enrich/imap-password",
)
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@imap_options
@_options
def mail(run: _Import, paths: tuple[str, ...], imap: ImapFrom | None) -> int:
    """Import mails of fail2ban, and those that came back.

    PATH is a mailbox, packed or not, a Maildir or a folder of mails, or - for standard
    input. Mails of other kinds are counted and left alone. Of a folder of an IMAP
    server, in which nothing is marked or deleted, an earlier run's are not read again.
    """
    if (imap is None) == (not paths):
        raise click.UsageError("name either what to read or a folder with --imap")
    if imap is None:
        return run.bring(
            "mailbox", paths, lambda plan: plan.mails(paths), side_by_side=True
        )
    return run.bring(
        "mailbox",
        (),
        lambda plan: plan.imap(
            imap.place, password=imap.password, ca_file=imap.ca_file
        ),
        side_by_side=False,
        remembered="imap",
    )


@import_.command(
    "mailbox",
    epilog="\b\nExample:\n"
    "  f2b-enrich import mailbox    (f2b-enrich-mailbox.timer runs it)",
)
@_options
def mailbox(run: _Import) -> int:
    """Import what is new in the Maildir that the configuration has watched.

    Nothing in it is moved, marked or deleted. Where there was nothing new it says
    nothing, unless to a terminal.
    """
    return run.bring_watched()


class _Import:
    """An import with its options."""

    def __init__(
        self,
        settings: Settings,
        *,
        host: str | None,
        look_up: LookUp,
        again: bool,
        dry_run: bool,
        show_unparsed: bool,
        as_json: bool,
    ) -> None:
        self._settings = settings
        self._host = as_stored(host) if host else None
        self._look_up: LookUp = look_up
        self._again = again
        self._dry_run = dry_run
        self._show_unparsed = show_unparsed
        self._as_json = as_json
        self._is_terse = False

    def bring(
        self,
        kind: Kind,
        words: tuple[str, ...],
        jobs_of: Callable[[Plan], Iterable[Job]],
        *,
        side_by_side: bool,
        remembered: str = "",
    ) -> int:
        """Read what the words name, write it, and say what it came to.

        Without words nothing is known of how much it is. `remembered` is what the
        places reached before are found by, if it is not the kind.
        """
        plan = self._plan()
        tally = Tally(dry_run=self._dry_run)
        is_sized = bool(words) and STANDARD_INPUT not in words
        size = size_of(map(Path, words)) if is_sized else None
        is_interrupted = False
        with ExitStack() as stack:
            stop = stack.enter_context(stopped_by_signals())
            writer = None
            if not self._dry_run:
                store = stack.enter_context(open_writer(self._settings.store.path))
                plan.places = reached(
                    store, remembered or kind, plan.names.host_of(None)
                )
                writer = self._writer(store, plan.now, stop)
            moved = stack.enter_context(progress(size, label=kind))
            processes = 0
            if is_sized:
                processes = processes_for(size, jobs_side_by_side=side_by_side)
            run = Bringing(stop=stop, writer=writer, processes=processes, moved=moved)
            try:
                run.run(jobs_of(plan), tally)
            except StoppedError:
                is_interrupted = True
        tally.problems = plan.problems + tally.problems
        return self._tell(kind, tally, is_interrupted=is_interrupted)

    def bring_watched(self) -> int:
        """Read what is new in the watched Maildir."""
        watched = self._settings.mailbox
        path = watched.maildir
        if path is None:
            raise ConfigError(("mailbox.maildir: no mailbox is set to be read",))
        if self._host is None and watched.host is not None:
            self._host = as_stored(watched.host)
        self._is_terse = not sys.stdout.isatty()
        return self.bring(
            "mailbox",
            (),
            lambda plan: plan.maildir(path),
            side_by_side=False,
            remembered="maildir",
        )

    def _plan(self) -> Plan:
        settings = self._settings
        names = Names(
            host=settings.host_name,
            only_host=self._host,
            hosts=settings.hosts.aliases,
            jails=settings.jails.aliases,
        )
        return Plan(names=names, now=datetime.now(UTC), again=self._again)

    def _writer(self, store: sqlite3.Connection, now: datetime, stop: Stop) -> Writer:
        return Writer(
            store,
            look_up=self._look_up,
            now=now,
            is_daemon_there=seeing_daemon(self._settings.store.path),
            clock=time.monotonic,
            pause=time.sleep,
            stop=stop,
        )

    def _tell(self, kind: Kind, tally: Tally, *, is_interrupted: bool) -> int:
        for problem in tally.problems:
            _say(problem)
        if self._show_unparsed:
            for text in tally.unread:
                _say(f"unparsed: {text}")
        if is_interrupted:
            _say(
                f"interrupted: {tally.counts['new']:,} bans new; run the same command "
                "again to go on"
            )
            return FAILED
        if self._as_json:
            click.echo(json_text(tally_facts(kind, tally)))
        elif tally.sum_of("mails-") or not self._is_terse:
            click.echo("\n".join(tally_text(kind, tally)))
        return FAILED if tally.problems else 0


def _say(text: str) -> None:
    click.echo(f"f2b-enrich: {printable(text)}", err=True)
