"""`outbox`: the mails on their way out, and what to do with those that are stuck."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.listing import (
    Form,
    Listing,
    echo_records,
    echo_rest,
    with_listing,
)
from f2b_enrich.cli.opening import reading, writing
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.outbox_bounce import bounce
from f2b_enrich.cli.outbox_rows import described, table
from f2b_enrich.cli.tables import screen_width
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.tried_names import ACCOUNTS, TriedNames
from f2b_enrich.daemon.writing import Writer, known_of
from f2b_enrich.errors import AddressError, DeliveryError, F2bEnrichError
from f2b_enrich.inert import printable
from f2b_enrich.mail.addresses import route
from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import OutboxRow, OutboxState
from f2b_enrich.store import lists
from f2b_enrich.store import outbox as store_outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from email.message import EmailMessage

    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.writing import Known
    from f2b_enrich.store.lists import Mail

_ROW = tuple(field.name for field in dataclasses.fields(OutboxRow))
_COLUMNS = (*_ROW, "jail", "ip", "bounced_at", "bounce")
_LARGEST_ID = 2**63 - 1

_id_type = click.IntRange(1, _LARGEST_ID)


class OutboxError(F2bEnrichError):
    """There is no such mail, or its state does not allow what was asked."""


@click.group()
def outbox() -> None:
    """Look at mails on their way out; send them again or drop them."""


outbox.add_command(bounce)


@outbox.command(
    "list",
    epilog="\b\nExamples:\n"
    "  f2b-enrich outbox list --state dead\n"
    "  f2b-enrich outbox list --since 7d --csv",
)
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in OutboxState]),
    multiple=True,
    help="Only mails in this state; may be repeated.",
)
@click.option("--bounced", is_flag=True, help="Only mails that came back.")
@with_settings
@with_listing
def list_(
    settings: Settings, listing: Listing, *, states: tuple[str, ...], bounced: bool
) -> None:
    """List mails, newest first, with what hinders them.

    An alert that is held waits for a digest; one that is folded is told of by another
    mail, which its reason names. --since and --until are about the time when a mail
    was queued.
    """
    wanted = lists.MailQuery(
        since=listing.since, until=listing.until, states=states, bounced=bounced
    )
    with reading(settings) as store:
        found = lists.mails(store, wanted, limit=listing.limit)
        if listing.form is not Form.TABLE:
            echo_records(listing.form, _COLUMNS, map(_record, found))
            return
        mails = lists.followed(store, found)
        for line in table(mails, zone=None, width=screen_width()):
            click.echo(line)
        echo_rest(len(mails), lists.count_mails(store, wanted), "mails")


def _record(mail: Mail) -> tuple[object, ...]:
    back = mail.bounced
    return (
        *(getattr(mail.row, name) for name in _ROW),
        *(mail.jail, mail.ip),
        *(back and back.bounced_at, back and back.reason),
    )


@outbox.command("show", epilog="\b\nExample:\n  f2b-enrich outbox show 12")
@click.argument("row_id", metavar="ID", type=_id_type)
@with_settings
def show(settings: Settings, row_id: int) -> None:
    """Show one mail: its state, and its text as it would go now."""
    now = datetime.now(UTC)
    with reading(settings) as store:
        row = _existing(store, row_id)
        known = known_of(store, row)
        about = tuple(described(store, row, zone=None))
    for name, value in about:
        click.echo(f"{name:<12}{printable(str(value))}")
    click.echo()
    try:
        message = _composed(row, known, settings, now)
    except (DeliveryError, AddressError) as exc:
        click.echo(printable(f"cannot be written: {exc}"))
        return
    for line in _text(message):
        click.echo(printable(line))


def _existing(store: sqlite3.Connection, row_id: int) -> OutboxRow:
    row = store_outbox.row(store, row_id)
    if row is None:
        raise OutboxError(f"outbox: there is no mail {row_id}")
    return row


def _composed(
    row: OutboxRow,
    known: Known,
    settings: Settings,
    now: datetime,
) -> EmailMessage:
    writer = Writer(
        composer=Composer(settings.mail.templates),
        settings=settings,
        relations=relations(settings, tell=_told_apart),
        tried=TriedNames(host=settings.host_name, accounts=ACCOUNTS),
        classifier=lambda: Analysis.configured(settings).classifier,
        timezone=None,
    )
    return writer.write(row, known, now=now, form="text").message


def _told_apart(problem: str) -> None:
    click.echo(f"f2b-enrich: {printable(problem)}", err=True)


def _text(message: EmailMessage) -> Iterator[str]:
    for name, value in message.items():
        yield f"{name}: {value}"
    yield ""
    body = message.get_body(("plain",))
    yield from (body or message).get_content().split("\n")
    for part in message.iter_attachments():
        yield f"[{part.get_filename()}: {counted(len(part.as_bytes()), 'byte')}]"


@outbox.command(
    "retry",
    epilog="\b\nExamples:\n"
    "  f2b-enrich outbox retry 12\n"
    "  f2b-enrich outbox retry --all-dead",
)
@click.argument("row_id", metavar="[ID]", type=_id_type, required=False)
@click.option("--all-dead", is_flag=True, help="Every mail that was given up.")
@with_settings
def retry(settings: Settings, row_id: int | None, *, all_dead: bool) -> None:
    """Have one mail, or all that were given up, sent anew.

    One that is named by its ID leaves whatever [alerts] says: an alert that is held for
    a digest is then a mail of its own. With --all-dead alerts are sorted anew, so that
    some may wait for a digest. The daemon sends them within 15 seconds, or when it is
    started.
    """
    if (row_id is None) is not all_dead:
        raise click.UsageError("name one ID, or --all-dead")
    # A sender that was refused is taken anew from the configuration.
    sender = route(None, None, settings=settings.mail, host=settings.host_name).sender
    with writing(settings) as store:
        now = datetime.now(UTC)
        count = store_outbox.retry(store, row_id, sender=sender, now=now)
        if row_id is not None and not count:
            raise OutboxError(_why_not(_existing(store, row_id)))
    click.echo(f"{counted(count, 'mail')} due again")


@outbox.command("drop", epilog="\b\nExample:\n  f2b-enrich outbox drop 12")
@click.argument("row_id", metavar="ID", type=_id_type)
@with_settings
def drop(settings: Settings, row_id: int) -> None:
    """Give one mail up without sending it; the ban stays recorded.

    An alert that is held for a digest is left out of it. A digest takes the bans with
    it that it names: nobody is told of them.
    """
    with writing(settings) as store:
        if not store_outbox.drop(store, row_id):
            raise OutboxError(_too_late(_existing(store, row_id)))
    click.echo(f"mail {row_id} is not sent")


def _why_not(row: OutboxRow) -> str:
    if not row.recipient or not row.sender:
        return f"outbox: mail {row.id} has no usable address: {row.last_error}"
    return _too_late(row)


def _too_late(row: OutboxRow) -> str:
    if row.state is OutboxState.FOLDED:
        return f"outbox: mail {row.id} is told of by mail {row.folded_into}: name that"
    if row.state is OutboxState.HELD:
        return f"outbox: digest {row.id} is still being filled: wait a moment"
    return f"outbox: mail {row.id} is {row.state}, nothing to do"
