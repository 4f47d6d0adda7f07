"""The loops beside mail: bounces are looked for, a command is told."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from f2b_enrich.daemon.bouncing import Bouncing
from f2b_enrich.daemon.loops import beside, forever
from f2b_enrich.daemon.notifying import Notifying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.mailing import Desk
    from f2b_enrich.daemon.reads import Reads


class Channels:
    """What is configured beside mail."""

    def __init__(self, settings: Settings, commits: Commits, reads: Reads) -> None:
        self.notifying = Notifying(settings, commits, reads)
        self._bounces = settings.bounces
        self._commits = commits
        self._reads = reads

    @contextlib.asynccontextmanager
    async def running(self, desk: Desk, *, pause: float) -> AsyncIterator[None]:
        """Run the loops beside the block; `pause` is in seconds, after a failure."""
        bouncing = Bouncing(self._bounces, self._commits, self._reads, now=desk.now)
        async with contextlib.AsyncExitStack() as stack:
            if bouncing.has_mailbox:
                loop = forever("bounces", bouncing.step, pause=pause)
                await stack.enter_async_context(beside(loop))
            if self.notifying.has_command:
                step = partial(self.notifying.step, desk)
                loop = forever("notify", step, pause=pause)
                await stack.enter_async_context(beside(loop))
            yield
