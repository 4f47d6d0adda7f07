"""`browse`: the store in a browser, on this machine alone, for whoever has the link."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.opening import asking
from f2b_enrich.cli.options import with_settings
from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from f2b_enrich.config import Settings

ADDRESS = "127.0.0.1"
PORT = 8001

_WITHOUT = "browse needs Datasette: ./install.sh --with browse"
_NICENESS = 10


class BrowseError(F2bEnrichError):
    """There is nothing to show pages with, or no port to show them at."""


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich browse\n"
    "  f2b-enrich browse --port 0\n"
    "  ssh -t -L 8001:127.0.0.1:8001 web1.example.org f2b-enrich browse"
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    metavar="PORT",
    help="The port of 127.0.0.1 to answer at; 0 for any that is free.",
)
@with_settings
def browse(settings: Settings, /, *, port: int) -> None:
    """Show the store in a browser: tables, questions, SQL, nothing to write.

    Datasette answers at 127.0.0.1 until Ctrl-C, and only to the browser that opened the
    printed link, which can be opened once. From another machine: an SSH tunnel, as in
    the last example.
    """
    if find_spec("datasette") is None:
        raise BrowseError(_WITHOUT)
    with asking(settings):
        pass  # else each page would say what is wrong with it
    with contextlib.closing(_listening(port)) as listener:
        _serve(settings, listener)


def _listening(port: int) -> socket.socket:
    """Take the port.

    Raises:
        BrowseError: another program has it, or it is not for this user.
    """
    try:
        return socket.create_server((ADDRESS, port))
    except OSError as exc:
        # Python adds to its words which address it is.
        reason = os.strerror(exc.errno) if exc.errno else exc
        raise BrowseError(
            f"browse: {ADDRESS}:{port}: {reason}; --port 0 takes any that is free"
        ) from exc


def _serve(settings: Settings, listener: socket.socket) -> None:
    """Show the pages until somebody ends it.

    Raises:
        BrowseError: the pages cannot read the store as a daemon left it.
    """
    # Only here: all of it is of the extra, and large.
    from f2b_enrich.cli.browse_pages import begin, link, pages  # noqa: PLC0415
    from f2b_enrich.cli.browse_server import Server  # noqa: PLC0415

    os.nice(_NICENESS)  # bans come first
    shown = pages(settings.store.path)
    try:
        asyncio.run(begin(shown))
    except sqlite3.Error as exc:
        raise BrowseError(
            f"browse: store {settings.store.path}: {exc}; it can be browsed while the "
            "daemon runs"
        ) from exc
    port = listener.getsockname()[1]
    with contextlib.suppress(KeyboardInterrupt):
        click.echo(f"http://{ADDRESS}:{port}{link(shown)}")
        click.echo("f2b-enrich: the link opens once; Ctrl-C ends it", err=True)
        Server(shown).answer(listener)
