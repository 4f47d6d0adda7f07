"""`outbox bounce`: a mail that came back, handed over by the mail system."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from f2b_enrich.cli.opening import writing
from f2b_enrich.cli.options import config_option, db_option, read_settings
from f2b_enrich.daemon.bouncing import returned
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import printable
from f2b_enrich.mail.bounces import MAX_BYTES
from f2b_enrich.store import bounces

if TYPE_CHECKING:
    from pathlib import Path

EX_TEMPFAIL = 75
"""Of sysexits.h: the mail system keeps the bounce and tries again."""


@click.command(
    "bounce",
    epilog="\b\nExamples:\n"
    "  f2b-enrich outbox bounce - < returned.eml\n"
    '  "|/usr/local/bin/f2b-enrich outbox bounce -"     (in a .forward)',
)
@click.argument("mail", metavar="FILE", type=click.File("rb"))
@config_option
@db_option
def bounce(mail: IO[bytes], *, config_path: Path, db_path: Path | None) -> None:
    """Note a mail of ours that came back; FILE - is the standard input.

    For a pipe of the mail system, run as the daemon's user. What is no bounce, or of
    no mail of ours, is passed over. Exit code 75, on which mail systems try again, if
    it could not be noted.
    """
    found = returned(mail.read(MAX_BYTES))
    deque(iter(lambda: mail.read(MAX_BYTES), b""), maxlen=0)  # else it sees EPIPE
    if found is None:
        click.echo("no mail that came back for good")
        return
    try:
        with writing(read_settings(config_path, db_path)) as store:
            noted = bounces.note(store, found, now=datetime.now(UTC))
    except F2bEnrichError as exc:
        click.echo(f"f2b-enrich: {printable(str(exc))}", err=True)
        click.get_current_context().exit(EX_TEMPFAIL)
    if noted is None:
        click.echo("of no mail in the outbox")
        return
    known = "" if noted.is_new else ", which was known"
    click.echo(f"mail {noted.row_id} came back{known}")
