"""The spool, emptied at the start and as files arrive."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog
from inotify_simple import INotify, flags

from f2b_enrich import spool
from f2b_enrich.daemon.commits import settle
from f2b_enrich.daemon.loops import first_of
from f2b_enrich.errors import SpoolError, StoreError, WireError
from f2b_enrich.wire import decode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.daemon.intake import Take, Taken
    from f2b_enrich.model import Event

log = structlog.get_logger(__name__)

BATCH = 100
"""Files read before their events are awaited: enough to share commits."""

BATCH_BYTES = 1024 * 1024

RESCAN_SECONDS = 30.0
"""How often to look even if the kernel reported nothing."""


@dataclass(frozen=True, slots=True)
class _Spooled:
    """A file of the spool: the event in it, or why there is none."""

    path: Path
    event: Event | None = None
    error: Exception | None = None


class Drain:
    """Take what clients left in `folders`, and clear the mark that makes them spool."""

    def __init__(
        self,
        folders: tuple[Path, ...],
        run: Path,
        take: Take,
        *,
        owners: frozenset[int],
        now: Callable[[], datetime],
        store_answers: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store_answers = store_answers
        self._folders = folders
        self._run = run
        self._take = take
        self._owners = owners
        self._now = now
        self._arrived = asyncio.Event()
        self._inotify = INotify()

    def __enter__(self) -> Self:
        """Begin to watch; a folder that is missing is made, or named in the log."""
        watched = flags.MOVED_TO | flags.CREATE
        for folder in (*self._folders, self._run):
            try:
                spool.prepare(folder)
                self._inotify.add_watch(str(folder), watched)
            except (SpoolError, OSError) as exc:
                log.warning("spool not watched", folder=str(folder), reason=str(exc))
        loop = asyncio.get_running_loop()
        loop.add_reader(self._inotify.fileno(), self._something_arrived)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._inotify.fileno())
        self._inotify.close()

    def _something_arrived(self) -> None:
        self._inotify.read(timeout=0)
        self._arrived.set()

    async def step(self) -> None:
        """Empty the folders, then wait for the next file."""
        self._arrived.clear()
        for folder in self._folders:
            await self._empty(folder)
        await self._clear_mark()
        await first_of(self._arrived, seconds=RESCAN_SECONDS)

    async def _clear_mark(self) -> None:
        """Let clients connect again as soon as they would get an answer."""
        if self._store_answers is not None:
            await self._store_answers()
        with suppress(OSError):
            (self._run / spool.SLOW).unlink()

    async def _empty(self, folder: Path) -> None:
        moment = self._now().timestamp()
        files = await asyncio.to_thread(spool.waiting, folder, now=moment)
        if files:
            log.info("draining", folder=str(folder), files=len(files))
        while files:
            batch = await asyncio.to_thread(self._read, files)
            files = files[len(batch) :]
            await self._take_batch(batch)

    def _read(self, files: tuple[Path, ...]) -> list[_Spooled]:
        """Read the next files: few enough to let live bans in between."""
        batch: list[_Spooled] = []
        size = 0
        for file in files[:BATCH]:
            try:
                request = spool.read(file, owners=self._owners)
                event = decode(request, received_at=self._now())
            except (SpoolError, WireError) as exc:
                batch.append(_Spooled(file, error=exc))
                continue
            batch.append(_Spooled(file, event=event))
            size += len(request)
            if size > BATCH_BYTES:
                break
        return batch

    async def _take_batch(self, batch: list[_Spooled]) -> None:
        """Hand events over in their order; a file goes when its event is safe."""
        events = {file.path: file.event for file in batch if file.event is not None}
        futures = [self._taking(event) for event in events.values()]
        found = await asyncio.gather(*futures, return_exceptions=True)
        outcomes = dict(zip(events, found, strict=True))
        again = [
            self._settle(file.path, file.error or outcomes.get(file.path))
            for file in batch
        ]
        for error in filter(None, again):
            raise error  # those files are tried again

    def _taking(self, event: Event) -> asyncio.Future[Taken]:
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._take(event, partial(settle, future))
        return future

    def _settle(
        self, file: Path, outcome: Taken | BaseException | None
    ) -> Exception | None:
        """Do with a file what its event came to; give the reason to try it again."""
        if isinstance(outcome, StoreError) and not outcome.permanent:
            return outcome
        if isinstance(outcome, SpoolError) and outcome.retryable:
            return outcome
        if isinstance(outcome, Exception):
            self._set_aside(file, outcome)
        elif not isinstance(outcome, BaseException):
            file.unlink(missing_ok=True)
        return None

    @staticmethod
    def _set_aside(file: Path, why: Exception) -> None:
        if not file.exists():
            return  # its client was still at it, and has finished
        log.error("spooled file set aside", file=str(file), reason=str(why))
        try:
            spool.set_aside(file)
        except SpoolError as exc:  # a full disk: the files behind it still count
            log.error("spooled file stays", file=str(file), reason=str(exc))
