"""The command that runs the daemon."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import structlog

from f2b_enrich.cli.options import config_option, db_option, read_settings
from f2b_enrich.credentials import load_secrets
from f2b_enrich.daemon.app import run
from f2b_enrich.daemon.world import World
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import EventDict

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets


@click.command(
    epilog="\b\nExample:\n  f2b-enrich daemon --config /etc/f2b-enrich/config.toml"
)
@config_option
@db_option
@click.option("--verbose", is_flag=True, help="Log every mail and every step.")
def daemon(config_path: Path, db_path: Path | None, *, verbose: bool) -> None:
    """Take bans, look addresses up, send mail; runs until SIGTERM.

    SIGHUP reads the configuration anew. systemd's socket and watchdog are used when
    there are any.
    """
    # Until it reads its configuration anew at SIGHUP, not die of it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _log_to_stderr(verbose=verbose)

    def load() -> tuple[Settings, Secrets]:
        settings = read_settings(config_path, db_path)
        return settings, load_secrets(settings, os.environ)

    world = World(
        load=load,
        now=lambda: datetime.now(UTC),
        jitter=random.random,
        environ=os.environ,
    )
    asyncio.run(run(world))


def _harmless(_: object, __: str, event: EventDict) -> EventDict:
    """Let no word of an attacker reach the terminal that shows the log as it came."""
    return {
        key: "\n".join(map(printable, value.split("\n")))
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _log_to_stderr(*, verbose: bool) -> None:
    """Write one line an event; the journal adds the time itself."""
    in_journal = "JOURNAL_STREAM" in os.environ
    stamp = [] if in_journal else [structlog.processors.TimeStamper(fmt="iso")]
    first = ["level", "event"] if in_journal else ["timestamp", "level", "event"]
    least = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *stamp,
            structlog.processors.format_exc_info,
            _harmless,
            structlog.processors.LogfmtRenderer(key_order=first, bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
