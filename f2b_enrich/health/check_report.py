"""Whether the month's report is mailed: its timer, its pictures, its last mail."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.health import check_units
from f2b_enrich.health.links import ok, warn
from f2b_enrich.model import OutboxState
from f2b_enrich.store import report_mails
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from f2b_enrich.health.links import Link
    from f2b_enrich.model import OutboxRow

TIMER, SERVICE = "f2b-enrich-report.timer", "f2b-enrich-report.service"

_DRAWS = ("altair", "vl_convert")
"""What the extra `report` brings."""


def has_extra() -> bool:
    """Tell whether what draws pictures is installed."""
    return all(find_spec(name) is not None for name in _DRAWS)


def links(
    path: Path,
    *,
    shown: Callable[..., dict[str, dict[str, str]]] = check_units.shown,
    draws: Callable[[], bool] = has_extra,
) -> Iterator[Link]:
    """Say what keeps a report from whoever waits for it; nothing where nobody does.

    A store that cannot be read is told of by another link.
    """
    units = shown("ActiveState,Result", TIMER, SERVICE)
    is_wanted = units.get(TIMER, {}).get("ActiveState") == "active"
    result = units.get(SERVICE, {}).get("Result", "success")
    last = _last(path)
    if last is not None and last.state is OutboxState.DEAD:
        text = f"the one of {last.about} was given up: {last.last_error}"
        yield warn("report", text, f"f2b-enrich outbox retry {last.id}")
    elif is_wanted and result != "success":
        text = f"the last one was not made ({result})"
        yield warn("report", text, f"journalctl -u {SERVICE} tells why")
    elif is_wanted and not draws():
        text = f"{TIMER} runs, and what draws the pictures is not installed"
        yield warn("report", text, "./install.sh --with report")
    elif is_wanted:
        yield ok("report", "the month's is mailed on the first of the next")


def _last(path: Path) -> OutboxRow | None:
    try:
        with open_reader(path) as connection:
            return report_mails.last(connection)
    except StoreError:
        return None
