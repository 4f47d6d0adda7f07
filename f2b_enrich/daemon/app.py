"""The daemon, from the first line of its life to the last."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich import __version__, spool
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.channels import Channels
from f2b_enrich.daemon.classifying import Classifying
from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.draining import Drain
from f2b_enrich.daemon.enriching import SWEEP_SECONDS, LookUps
from f2b_enrich.daemon.intake import Intake
from f2b_enrich.daemon.listening import listening
from f2b_enrich.daemon.loops import PAUSE_SECONDS, beside, first_of, forever
from f2b_enrich.daemon.mailing import Desk, Mailing
from f2b_enrich.daemon.nightly import RETRY_SECONDS, Nightly
from f2b_enrich.daemon.notify import Notifier
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.daemon.server import Limits, Server, user_numbers
from f2b_enrich.daemon.sorting import Rules, Sorting
from f2b_enrich.daemon.tried_names import ACCOUNTS, TriedNames
from f2b_enrich.enrich import enricher
from f2b_enrich.errors import ConfigError, StoreError
from f2b_enrich.mail import deliver
from f2b_enrich.mail.compose import Composer
from f2b_enrich.store.connection import (
    BUSY_SECONDS,
    held_by_daemon,
    open_reader,
    open_writer,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from datetime import datetime, tzinfo
    from pathlib import Path

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets
    from f2b_enrich.daemon.intake import Answer, Taken
    from f2b_enrich.enrich.enricher import Enricher
    from f2b_enrich.model import Event

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Waits, in seconds, that no setting changes.

    `store` is for a writer to wait for another, `pause` for a loop after a failure,
    `sweep` between two looks for what was never looked up, `last_mail` for the mail
    under way once the daemon is told to stop.
    """

    store: float = BUSY_SECONDS
    pause: float = PAUSE_SECONDS
    sweep: float = SWEEP_SECONDS
    last_mail: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that the daemon has from outside: files, clock, chance, environment.

    `load` reads the configuration, at the start and on SIGHUP. `timezone` is the one
    that mails are written in; None is the machine's.
    """

    load: Callable[[], tuple[Settings, Secrets]]
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    environ: Mapping[str, str]
    timezone: tzinfo | None = None
    spans: Spans = Spans()
    accounts: Path = ACCOUNTS


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
        stack.enter_context(held_by_daemon(path))
        writer = stack.enter_context(open_writer(path, busy_seconds=world.spans.store))
        reader = stack.enter_context(open_reader(path))
        listener = stack.enter_context(listening(settings.daemon.socket, world.environ))
        reads = Reads(reader)
        stack.callback(reads.close)
        # Before anyone hears that it is ready: a signal without a handler kills.
        stack.enter_context(_signals(meanings))
        async with Commits(writer) as commits:
            daemon = _Daemon(world, settings, secrets, commits, reads)
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


class _Daemon:
    """What lives longer than one reading of the configuration."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        secrets: Secrets,
        commits: Commits,
        reads: Reads,
    ) -> None:
        self._world = world
        self._lasting = (settings.store, settings.daemon)
        self._commits = commits
        self._reads = reads
        self._look_ups = LookUps(
            commits,
            changed=self._mail_changed,
            sweep_seconds=world.spans.sweep,
            pause_seconds=world.spans.pause,
        )
        self._mailing: Mailing | None = None
        self._classifying: Classifying | None = None
        self._adopt(settings, secrets, Analysis.configured(settings))

    def _adopt(self, settings: Settings, secrets: Secrets, analysis: Analysis) -> None:
        """Go by these settings from now on, or raise ConfigError and go by the old."""
        look = enricher.build(settings, secrets, now=self._world.now)
        self._settings, self._secrets, self._look = settings, secrets, look
        self._analysis = analysis
        self._intake = Intake(
            settings,
            waits_for_look_up=bool(look.sources),
            known_jail=analysis.known_jail,
        )

    def take(self, event: Event, answer: Answer, *, alone: bool = False) -> None:
        """Write an event as `Take` says."""
        # Whole seconds, as the store keeps them: the same few are written many times.
        now = self._world.now().replace(microsecond=0)
        write = self._intake.writing(event, now=now)
        self._commits.hand_in(write, partial(self._taken, answer), alone=alone)

    def _taken(self, answer: Answer, taken: Taken | Exception) -> None:
        answer(taken)
        if isinstance(taken, Exception):
            return
        if taken.to_look_up is not None:
            self._look_ups.ask(taken.to_look_up)
        if self._classifying is not None:
            self._classifying.arrived()
        self._mail_changed()

    def _mail_changed(self) -> None:
        if self._mailing is not None:
            self._mailing.changed()

    @contextlib.asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """Watch and empty the spools for the time of the block."""
        run = self._settings.daemon.socket.parent
        folders = (
            self._settings.daemon.spool,
            spool.beside(self._settings.daemon.socket),
        )
        pause = self._world.spans.pause
        with Drain(
            folders,
            run,
            self.take,
            owners=user_numbers(self._settings.daemon.users),
            now=self._world.now,
            store_answers=self._commits.alive,
        ) as drain:
            async with beside(forever("drain", drain.step, pause=pause)):
                yield

    async def live(
        self, notifier: Notifier, *, stop: asyncio.Event, reload: asyncio.Event
    ) -> None:
        """Look up and mail until told to stop; begin anew at each new configuration."""
        while not stop.is_set():
            async with self._working():
                await first_of(stop, reload)
            if reload.is_set():
                reload.clear()
                notifier.reloading()
                await self._reload()
                notifier.ready()

    async def _reload(self) -> None:
        try:
            settings, secrets = self._world.load()
            # It takes tens of milliseconds, in which no ban would be taken.
            analysis = await asyncio.to_thread(Analysis.configured, settings)
            self._adopt(settings, secrets, analysis)
        except ConfigError as exc:
            for problem in exc.problems:
                log.error("configuration kept as it was", problem=problem)
            return
        if (settings.store, settings.daemon) != self._lasting:
            log.warning("[store] and [daemon] change at the next start only")
        log.info("configuration read")

    @contextlib.asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """Run the loops that depend on the configuration; finish the mail under way."""
        look = self._look
        known = await asyncio.to_thread(relations, self._settings)  # it reads files
        classifying = self._classifying = Classifying(
            self._analysis,
            self._commits,
            self._reads,
            now=self._world.now,
            sweep_seconds=self._world.spans.sweep,
        )
        channels = Channels(self._settings, self._commits, self._reads)
        desk = Desk(
            courier=deliver.build(self._settings, self._secrets),
            composer=Composer(self._settings.mail.templates),
            relations=known,
            tried=TriedNames(
                host=self._settings.host_name, accounts=self._world.accounts
            ),
            classify=classifying.now,
            notifying=channels.notifying,
            settings=self._settings.mail,
            timezone=self._world.timezone,
            now=self._world.now,
            jitter=self._world.jitter,
        )
        rules = Rules.configured(self._settings, timezone=self._world.timezone)
        sorting = Sorting(rules, self._commits, self._reads, now=self._world.now)
        mailing = self._mailing = Mailing(desk, sorting, self._commits, self._reads)
        pause = self._world.spans.pause
        try:
            async with (
                beside(self._look_up(look)),
                beside(forever("classes", classifying.step, pause=pause)),
                channels.running(desk, pause=pause),
                _mailing(mailing, self._world.spans),
            ):
                yield
        finally:
            await desk.courier.aclose()
            await look.aclose()

    async def _look_up(self, look: Enricher) -> None:
        if look.sources:
            await self._look_ups.run(look)


@contextlib.asynccontextmanager
async def _mailing(mailing: Mailing, spans: Spans) -> AsyncIterator[None]:
    """Send mail beside the block; at its end the one under way may still leave."""
    task = asyncio.create_task(
        forever("mail", mailing.step, until=mailing.stopping, pause=spans.pause),
        name="mail",
    )
    try:
        yield
    finally:
        mailing.stop()
        await asyncio.wait([task], timeout=spans.last_mail)
        task.cancel()
        await asyncio.wait([task])


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
