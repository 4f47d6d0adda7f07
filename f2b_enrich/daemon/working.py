"""The daemon's work, begun anew at each reading of the configuration."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich import spool
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.catching_up import CatchingUp, Measure
from f2b_enrich.daemon.channels import Channels
from f2b_enrich.daemon.classifying import Classifying
from f2b_enrich.daemon.digesting import Digesting
from f2b_enrich.daemon.digests_due import Plan
from f2b_enrich.daemon.draining import Drain
from f2b_enrich.daemon.enriching import LookUps
from f2b_enrich.daemon.intake import Intake
from f2b_enrich.daemon.loops import beside, first_of, forever
from f2b_enrich.daemon.mailing import Desk, Mailing
from f2b_enrich.daemon.server import user_numbers
from f2b_enrich.daemon.sorting import Rules, Sorting
from f2b_enrich.daemon.tried_names import TriedNames
from f2b_enrich.daemon.writing import Writer
from f2b_enrich.enrich import enricher
from f2b_enrich.errors import ConfigError
from f2b_enrich.mail import deliver
from f2b_enrich.mail.compose import Composer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.intake import Answer, Taken
    from f2b_enrich.daemon.notify import Notifier
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.daemon.world import Spans, World
    from f2b_enrich.enrich.enricher import Enricher
    from f2b_enrich.model import Event

log = structlog.get_logger(__name__)


class Daemon:
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
        classifying = self._classifying = Classifying(
            self._analysis,
            self._commits,
            self._reads,
            now=self._world.now,
            sweep_seconds=self._world.spans.sweep,
        )
        channels = Channels(self._settings, self._commits, self._reads)
        desk = await self._desk(classifying, channels)
        rules = Rules.configured(self._settings, timezone=self._world.timezone)
        sorting = Sorting(rules, self._commits, self._reads, now=self._world.now)
        mailing = self._mailing = Mailing(desk, sorting, self._commits, self._reads)
        digesting = Digesting(
            Plan.configured(self._settings, timezone=self._world.timezone),
            self._commits,
            self._reads,
            now=self._world.now,
            queued=mailing.changed,
            look_seconds=self._world.spans.digests,
        )
        pause = self._world.spans.pause
        try:
            async with (
                beside(self._look_up(look)),
                beside(forever("classes", classifying.step, pause=pause)),
                beside(forever("digests", digesting.step, pause=pause)),
                channels.running(desk, pause=pause),
                _mailing(mailing, self._world.spans),
            ):
                yield
        finally:
            await desk.courier.aclose()
            await look.aclose()

    async def _desk(self, classifying: Classifying, channels: Channels) -> Desk:
        settings, analysis = self._settings, self._analysis
        writer = Writer(
            composer=Composer(settings.mail.templates),
            settings=settings,
            relations=await asyncio.to_thread(relations, settings),  # it reads files
            tried=TriedNames(host=settings.host_name, accounts=self._world.accounts),
            classifier=lambda: analysis.classifier,
            timezone=self._world.timezone,
        )
        return Desk(
            courier=deliver.build(settings, self._secrets),
            writer=writer,
            classify=classifying.now,
            notifying=channels.notifying,
            now=self._world.now,
            jitter=self._world.jitter,
        )

    async def _look_up(self, look: Enricher) -> None:
        if not look.sources:
            return
        catching_up = CatchingUp(
            self._commits,
            self._reads,
            measure=Measure.configured(self._settings),
            live_done=self._look_ups.until_idle,
            now=self._world.now,
            sweep_seconds=self._world.spans.sweep,
            pause_seconds=self._world.spans.pause,
        )
        async with beside(catching_up.run(look)):
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
