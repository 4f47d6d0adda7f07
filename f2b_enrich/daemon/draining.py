"""The spool, emptied at the start and as files arrive."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import structlog
from inotify_simple import INotify, flags

from f2b_enrich import spool
from f2b_enrich.daemon.loops import first_of
from f2b_enrich.errors import SpoolError, StoreError, WireError
from f2b_enrich.wire import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.daemon.intake import Taken
    from f2b_enrich.model import Event

log = structlog.get_logger(__name__)

BATCH = 100
"""Files read before their events are awaited: enough to share commits."""

RESCAN_SECONDS = 30.0
"""How often to look even if the kernel reported nothing."""


class Drain:
    """Take what clients left in `folders`, and clear the mark that makes them spool."""

    def __init__(
        self,
        folders: tuple[Path, ...],
        run: Path,
        take: Callable[[Event], asyncio.Future[Taken]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._folders = folders
        self._run = run
        self._take = take
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
        # Clients made it when this daemon did not answer; it does now.
        with suppress(OSError):
            (self._run / spool.SLOW).unlink()
        self._arrived.set()

    async def step(self) -> None:
        """Empty the folders, then wait for the next file."""
        self._arrived.clear()
        for folder in self._folders:
            await self._empty(folder)
        await first_of(self._arrived, seconds=RESCAN_SECONDS)

    async def _empty(self, folder: Path) -> None:
        moment = self._now().timestamp()
        files = await asyncio.to_thread(spool.waiting, folder, now=moment)
        if files:
            log.info("draining", folder=str(folder), files=len(files))
        for start in range(0, len(files), BATCH):
            await self._take_files(files[start : start + BATCH])

    async def _take_files(self, files: tuple[Path, ...]) -> None:
        """Hand over a batch in the order of its events; a file goes when it is safe."""
        taken = []
        for file in files:
            try:
                request = spool.read(file)
                event = decode(request, received_at=self._now())
            except (SpoolError, WireError) as exc:
                self._set_aside(file, exc)
                continue
            taken.append((file, self._take(event)))
        outcomes = await asyncio.gather(
            *(future for _, future in taken), return_exceptions=True
        )
        not_stored = None
        for (file, _), outcome in zip(taken, outcomes, strict=True):
            if isinstance(outcome, StoreError):
                not_stored = outcome
            elif isinstance(outcome, Exception):
                log.error("event not recorded", file=str(file), exc_info=outcome)
                self._set_aside(file, outcome)
            elif not isinstance(outcome, BaseException):
                file.unlink(missing_ok=True)
        if not_stored is not None:
            raise not_stored  # those files are tried again

    @staticmethod
    def _set_aside(file: Path, why: Exception) -> None:
        if not file.exists():
            return  # its client was still at it, and has finished
        log.error("spooled file set aside", file=str(file), reason=str(why))
        try:
            spool.set_aside(file)
        except SpoolError as exc:  # a full disk: the files behind it still count
            log.error("spooled file stays", file=str(file), reason=str(exc))
