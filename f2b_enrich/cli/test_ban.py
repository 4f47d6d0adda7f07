"""`test-ban`: one ban made for the purpose and followed to the accepted mail."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich import spool
from f2b_enrich.cli.options import with_settings
from f2b_enrich.health import test_ban_traces as traces
from f2b_enrich.health.check import STOCK_FOLDER
from f2b_enrich.health.fail2ban import PROGRAM, Fail2Ban
from f2b_enrich.health.running import running_actions
from f2b_enrich.health.test_ban import follow
from f2b_enrich.health.test_ban_jail import (
    ADDRESSES,
    OwnJail,
    RealJail,
    TestBanError,
    our_action,
)
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from f2b_enrich.config import Settings
    from f2b_enrich.health.test_ban_jail import Way

_LOGS = Path("/var/log")
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(
    "test-ban",
    epilog="\b\nExamples:\n  f2b-enrich test-ban\n  f2b-enrich test-ban --jail sshd",
)
@click.option(
    "--jail",
    "real_jail",
    help="Ban by this jail of yours, with all of its actions, not by one made for it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before --jail.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=30.0,
    show_default=True,
    help="How long each step may take.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=_LOGS,
    show_default=True,
    help="Where the log for the test is written; fail2ban must be able to read it.",
)
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="fail2ban's socket, instead of the one that its configuration names.",
)
@with_settings
def test_ban(
    settings: Settings,
    *,
    real_jail: str | None,
    yes: bool,
    seconds: float,
    folder: Path,
    socket_path: Path | None,
) -> None:
    """Ban an address that is nobody's, and follow it to row and mail.

    A jail is made in the running fail2ban, with our action alone, and fed with failing
    log lines of a documentation address (192.0.2.0/24). The mail names the jail
    f2b-enrich-test, and leaves even where [alerts] would let it wait for a digest.
    Jail, row and log are removed however it ends; the mail stays.
    """
    etc = settings.own.fail2ban or STOCK_FOLDER
    socket = () if socket_path is None else ("-s", str(socket_path))
    fail2ban = Fail2Ban((*PROGRAM, "-c", str(etc), *socket))
    way: Way
    if real_jail is None:
        origin, action = our_action(fail2ban)
        way = OwnJail(fail2ban, origin, action, folder=folder, now=time.time)
    else:
        _agree(fail2ban, real_jail, yes=yes)
        way = RealJail(fail2ban, real_jail)
    course = traces.Course(
        ip=_nobody(settings.store.path),
        jail=settings.jails.aliases.get(way.jail, way.jail),
        jail_is_new=real_jail is None,
        store=settings.store.path,
        spools=(settings.daemon.spool, spool.beside(settings.daemon.socket)),
        seconds=seconds,
    )
    with _noting_ends() as ends:
        follow(way, course, fail2ban, tell=_tell, is_told_to_end=lambda: bool(ends))
    click.echo("all of it works; the test's jail, row and log are removed")


def _tell(text: str, seconds: float) -> None:
    click.echo(f"{seconds:6.2f} s  {printable(text)}")


def _nobody(store: Path) -> str:
    """Choose an address of which no record would be removed with the test's.

    Raises:
        TestBanError: there is none left.
    """
    for ip in random.sample(ADDRESSES, len(ADDRESSES)):
        if traces.is_unknown(store, ip):
            return ip
    raise TestBanError("all of 192.0.2.0/24 was banned already, nothing was done")


def _agree(fail2ban: Fail2Ban, jail: str, *, yes: bool) -> None:
    """List what else the jail does for a ban, and ask.

    Raises:
        TestBanError: the jail lacks our action.
    """
    actions = running_actions(fail2ban, jail)
    if not any(one.is_ours for one in actions):
        raise TestBanError(
            f"jail {printable(jail)} runs without our action: f2b-enrich check "
            "tells why"
        )
    others = [printable(one.name) for one in actions if not one.is_ours]
    if not others:
        return
    click.echo(f"other actions of {printable(jail)}: {', '.join(others)}")
    if not yes:
        click.confirm("They will run for the test's address. Go on?", abort=True)


@contextlib.contextmanager
def _noting_ends() -> Iterator[list[int]]:
    """Note SIGTERM, Ctrl-C and a closed terminal, and break nothing off by them.

    Whoever waits looks at what is noted; raised, it could break off what undoes.
    """
    ends: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        ends.append(number)

    before = {number: signal.signal(number, note) for number in _ENDS}
    try:
        yield ends
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
