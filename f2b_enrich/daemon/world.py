"""All that the daemon has from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.daemon.digesting import LOOK_SECONDS
from f2b_enrich.daemon.enriching import SWEEP_SECONDS
from f2b_enrich.daemon.loops import PAUSE_SECONDS
from f2b_enrich.daemon.tried_names import ACCOUNTS
from f2b_enrich.store.connection import BUSY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo
    from pathlib import Path

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Waits, in seconds, that no setting changes.

    `store` is for a writer to wait for another, `pause` for a loop after a failure,
    `sweep` between two looks for what was never looked up, `digests` between two for
    digests that are due, `last_mail` for the mail under way once the daemon is told to
    stop.
    """

    store: float = BUSY_SECONDS
    pause: float = PAUSE_SECONDS
    sweep: float = SWEEP_SECONDS
    digests: float = LOOK_SECONDS
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
