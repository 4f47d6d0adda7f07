"""`import`: old logs, databases and mails brought into the store."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from f2b_enrich.cli.import_imap import imap_options
from f2b_enrich.cli.import_options import NAMED_HOST, import_options
from f2b_enrich.cli.import_progress import logs_in, progress, size_of
from f2b_enrich.cli.import_text import tally_facts, tally_text
from f2b_enrich.cli.main import FAILED
from f2b_enrich.cli.tables import json_text
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.errors import ConfigError
from f2b_enrich.importing.mail_boxes import files_in
from f2b_enrich.inert import printable
from f2b_enrich.intake.bringing import Bringing, processes_for
from f2b_enrich.intake.daemon_lock import seeing_daemon
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.planning import STANDARD_INPUT, Plan
from f2b_enrich.intake.remembering import reached
from f2b_enrich.intake.stopping import StoppedError, stopped_by_signals
from f2b_enrich.intake.tallies import Tally
from f2b_enrich.intake.target import Target
from f2b_enrich.intake.writing import Writer
from f2b_enrich.intake.zones import zone_of
from f2b_enrich.store.connection import open_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from f2b_enrich.cli.import_imap import ImapFrom
    from f2b_enrich.cli.import_options import ImportOptions
    from f2b_enrich.intake.jobs import Job
    from f2b_enrich.intake.stopping import Stop

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
@import_options()
def fail2ban_log(
    options: ImportOptions, paths: tuple[str, ...], *, zone: str | None
) -> int:
    """Import fail2ban.log, of any release since 2007.

    PATH is a file, packed or not (gz, xz, zst, bz2), a folder, or - for standard input.
    Rotated files are read from the oldest on; lines from syslog and the journal are
    understood as well.
    """
    _check_words(paths)
    zone_of(zone)  # an unknown name is told before anything is read
    return _Import(options).bring(
        "log", paths, lambda plan: plan.logs(paths, zone=zone), side_by_side=False
    )


@import_.command(
    "fail2ban-db",
    epilog="\b\nExample:\n"
    "  f2b-enrich import fail2ban-db /var/lib/fail2ban/fail2ban.sqlite3",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@import_options(again=None)
def fail2ban_db(options: ImportOptions, files: tuple[str, ...]) -> int:
    """Import the database of a fail2ban, which mostly holds a day.

    It is only read, also while fail2ban uses it.
    """
    _check_words(files)
    if STANDARD_INPUT in files:
        raise click.UsageError(
            "a database cannot come from standard input, name its file"
        )
    return _Import(options).bring(
        "database", files, lambda plan: plan.databases(files), side_by_side=False
    )


@import_.command(
    "mail",
    epilog="\b\nExamples:\n"
    "  f2b-enrich import mail fail2ban.mbox Maildir/\n"
    "  zcat reports.mbox.gz | f2b-enrich import mail -\n"
    "  f2b-enrich import mail --imap imaps://abuse@mail.example/INBOX",
)
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@imap_options
@import_options(
    again="Read also what an earlier run has read of a large mailbox or an IMAP "
    "folder; other mails are always read."
)
def mail(options: ImportOptions, paths: tuple[str, ...], imap: ImapFrom | None) -> int:
    """Import mails of fail2ban, and those that came back.

    PATH is a mailbox, packed or not, a Maildir or a folder of mails, or - for standard
    input. In folders links are not followed. Mails of other kinds are counted and left
    alone. Of a folder of an IMAP server, in which nothing is marked or deleted, an
    earlier run's are not read again.
    """
    if (imap is None) == (not paths):
        raise click.UsageError("name either what to read or a folder with --imap")
    _check_words(paths)
    if imap is None:
        return _Import(options).bring(
            "mailbox", paths, lambda plan: plan.mails(paths), side_by_side=True
        )
    return _Import(options).bring(
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
@import_options(host=f"mailbox.host of the configuration, else {NAMED_HOST}")
def mailbox(options: ImportOptions) -> int:
    """Import what is new in the Maildir that the configuration has watched.

    Nothing in it is moved, marked or deleted. Where there was nothing new it says
    nothing, unless to a terminal.
    """
    return _Import(options).bring_watched()


class _Import:
    """An import with its options."""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._settings = options.settings
        self._host = options.host
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
        tally = Tally(dry_run=self._options.dry_run)
        is_sized = bool(words) and STANDARD_INPUT not in words
        files = logs_in if kind == "log" else files_in
        size = size_of(map(Path, words), files=files) if is_sized else None
        is_interrupted = False
        with ExitStack() as stack:
            stop = stack.enter_context(stopped_by_signals())
            try:
                writer = None
                if not self._options.dry_run:
                    with stop.at_once():  # another import may load its bans for long
                        store = stack.enter_context(
                            open_writer(self._settings.store.path)
                        )
                    plan.places = reached(
                        store, remembered or kind, plan.names.host_of(None)
                    )
                    writer = self._writer(store, plan.now, stop)
                moved = stack.enter_context(progress(size, label=kind))
                processes = 0
                if is_sized:
                    processes = processes_for(size, jobs_side_by_side=side_by_side)
                run = Bringing(
                    stop=stop, writer=writer, processes=processes, moved=moved
                )
                run.run(jobs_of(plan), tally)
            except StoppedError:
                is_interrupted = True
        plan.problems.extend(tally.problems)
        tally.problems = plan.problems
        return self._tell(kind, tally, is_interrupted=is_interrupted)

    def bring_watched(self) -> int:
        """Read what is new in the watched Maildir."""
        watched = self._settings.mailbox
        path = watched.maildir
        if path is None:
            raise ConfigError(("mailbox.maildir: no mailbox is set to be read",))
        if self._host is None and watched.host is not None:
            self._host = watched.host
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
        return Plan(names=names, now=datetime.now(UTC), again=self._options.again)

    def _writer(self, store: sqlite3.Connection, now: datetime, stop: Stop) -> Writer:
        target = Target(
            connection=store,
            look_up=self._options.look_up,
            now=now,
            is_daemon_there=seeing_daemon(self._settings.store.path),
            stop=stop,
        )
        return Writer(
            target,
            clock=time.monotonic,
            pause=time.sleep,
            known_jail=Analysis.configured(self._settings).known_jail,
        )

    def _tell(self, kind: Kind, tally: Tally, *, is_interrupted: bool) -> int:
        for problem in tally.problems.lines():
            _say(problem)
        if self._options.show_unparsed:
            for text in tally.unread:
                _say(f"unparsed: {text}")
        if is_interrupted:
            _say(
                f"interrupted: {tally.counts['new']:,} bans new; run the same command "
                "again to go on"
            )
            return FAILED
        if self._options.as_json:
            click.echo(json_text(tally_facts(kind, tally)))
        elif tally.sum_of("mails-") or not self._is_terse:
            look_up = self._options.look_up
            click.echo("\n".join(tally_text(kind, tally, look_up=look_up)))
        return FAILED if tally.problems else 0


def _check_words(words: tuple[str, ...]) -> None:
    # An empty one is the folder that one stands in: mostly a variable of a script.
    if "" in words:
        raise click.UsageError("a path is empty, expected a file or a folder")
    if words.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read only once")


def _say(text: str) -> None:
    click.echo(f"f2b-enrich: {printable(text)}", err=True)
