"""The daemon, from the first line of its life to the last."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from f2b_enrich import __version__
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.listening import listening
from f2b_enrich.daemon.loops import beside, forever
from f2b_enrich.daemon.nightly import RETRY_SECONDS, Nightly
from f2b_enrich.daemon.notify import Notifier
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.daemon.server import Limits, Server, user_numbers
from f2b_enrich.daemon.working import Daemon
from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import held_by_daemon, open_reader, open_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.world import World

log = structlog.get_logger(__name__)

_TRIES = 30
"""To open the store while a long report reads it: five minutes, in which clients leave
their bans in the spool."""


async def run(world: World) -> None:
    """Take bans until SIGTERM or SIGINT; SIGHUP reads the configuration anew.

    Raises:
        F2bEnrichError: the daemon cannot start.
    """
    settings, secrets = world.load()
    # The writing thread lets go of the interpreter at each SQL statement; with the
    # default of 5 ms it would wait that long to get it back from a busy loop.
    sys.setswitchinterval(0.0005)
    notifier = Notifier.from_environment(world.environ)
    stop, reload = asyncio.Event(), asyncio.Event()
    meanings = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    with contextlib.ExitStack() as stack:
        path = settings.store.path
        writer, reader = stack.enter_context(_opened(path, world.spans.store))
        listener = stack.enter_context(listening(settings.daemon.socket, world.environ))
        reads = Reads(reader)
        stack.callback(reads.close)
        # Before anyone hears that it is ready: a signal without a handler kills.
        stack.enter_context(_signals(meanings))
        async with Commits(writer) as commits:
            daemon = Daemon(world, settings, secrets, commits, reads)
            server = Server(daemon.take, limits=_limits(settings), now=world.now)
            nightly = _nightly(world, path, commits, reads)
            async with (
                daemon.draining(),
                _supervised(notifier, commits),
                beside(forever("nightly", nightly.step, pause=RETRY_SECONDS)),
            ):
                await server.start(listener)
                # What is loaded by now stays: no need to look for garbage in it again
                # and again (a tenth of the time that a ban takes).
                gc.collect()
                gc.freeze()
                notifier.ready()
                log.info("ready", version=__version__, host=settings.host_name)
                try:
                    await daemon.live(notifier, stop=stop, reload=reload)
                finally:
                    notifier.stopping()
                    await server.stop()
    log.info("stopped")


@contextlib.contextmanager
def _opened(
    path: Path, busy_seconds: float
) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    """Hold the store against other daemons, and open it for writing and reading."""
    with (
        held_by_daemon(path),
        open_writer(
            path, busy_seconds=busy_seconds, tries=_TRIES, on_wait=_tell_of_readers
        ) as writer,
        open_reader(path) as reader,
    ):
        yield writer, reader


def _nightly(world: World, path: Path, commits: Commits, reads: Reads) -> Nightly:
    return Nightly(
        path,
        commits,
        reads,
        now=world.now,
        wait=asyncio.sleep,
        timezone=world.timezone,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        users=user_numbers(settings.daemon.users),
        connections=settings.daemon.max_connections,
        seconds=settings.daemon.read_timeout_seconds,
    )


@contextlib.asynccontextmanager
async def _supervised(notifier: Notifier, commits: Commits) -> AsyncIterator[None]:
    """Feed the watchdog as long as the loop turns and the store can be written to."""
    if notifier.watchdog_seconds is None:
        yield
        return

    async def feed(seconds: float) -> None:
        while True:
            with contextlib.suppress(StoreError):  # locked by another, not hanging
                await commits.alive()
            notifier.alive()
            await asyncio.sleep(seconds)

    async with beside(feed(notifier.watchdog_seconds / 3)):
        yield


@contextlib.contextmanager
def _signals(events: Mapping[signal.Signals, asyncio.Event]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number, event in events.items():
        loop.add_signal_handler(number, event.set)
    try:
        yield
    finally:
        for number in events:
            loop.remove_signal_handler(number)


def _tell_of_readers() -> None:
    log.warning("store is being read, waiting for that to end")
