"""How each jail stands to our action, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.health import jail_text
from f2b_enrich.health.activation import JailPlan, Standing
from f2b_enrich.health.jail_text import DEFAULT, STOCK_FILE
from f2b_enrich.health.trial import JAIL_FILE
from f2b_enrich.inert import listed
from f2b_enrich.tables import Column, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from f2b_enrich.health.jail_text import Place

APPEND = "%(action_f2b_enrich)s"
"""What the administrator appends to an `action =` of his own."""

_COLUMNS = (Column("jail"), Column("our action"), Column("what to know", limit=400))
_TO_DO = {
    Standing.ADD: "to be added",
    Standing.ACTIVE: "active",
    Standing.OUTDATED: "outdated",
    Standing.LATER: "not yet",
    Standing.LACKS: "lacking",
    Standing.LOSES: "kept out",
    Standing.GONE: "not configured",
}
_APPENDS = (Standing.LACKS, Standing.LOSES)
_TOLD = (*_APPENDS, Standing.OUTDATED)


def table(
    plans: Sequence[JailPlan], etc: Path, *, width: int | None = None
) -> Iterator[str]:
    """Lay the jails out, and count them."""
    rows = [(one.jail, _TO_DO[one.standing], _advice(one, etc)) for one in plans]
    if rows:
        yield from fit(_COLUMNS, rows, width=width)
    yield counts(plans)


def counts(plans: Sequence[JailPlan]) -> str:
    """Count the jails by how they stand, on one line."""
    found = Counter(one.standing for one in plans)
    parts = [f"{found[each]} {_TO_DO[each]}" for each in Standing if found[each]]
    return f"jails: {', '.join(parts) or 'none'}"


def advice(plans: Sequence[JailPlan], etc: Path) -> Iterator[str]:
    """Say of each jail that needs the administrator what he is to do."""
    for one in plans:
        if one.standing in _TOLD:
            yield f"{listed(one.jail)}: {_advice(one, etc)}"


def record(one: JailPlan, etc: Path) -> dict[str, object]:
    """Tell the same to a program."""
    place = _place(one, etc)
    return {
        "jail": one.jail,
        "standing": one.standing,
        "other_actions": list(one.others),
        "lost_actions": list(one.lost),
        "gained_actions": list(one.gained),
        "append": APPEND if one.standing in _APPENDS else None,
        "file": str(place.path) if place is not None else None,
        "line": place.line if place is not None else None,
    }


def _place(one: JailPlan, etc: Path) -> Place | None:
    return jail_text.action_of(etc, one.jail) if one.standing in _APPENDS else None


def _advice(one: JailPlan, etc: Path) -> str:
    match one.standing:
        case Standing.LATER:
            return "does not run; it starts with our action"
        case Standing.GONE:
            return "runs, and is not in the configuration"
        case Standing.LACKS:
            return _how_to_append(one, etc)
        case Standing.LOSES:
            return f"our jail.d file would {_changes(one)}; {_how_to_append(one, etc)}"
        case Standing.OUTDATED:
            return "runs with older settings; fail2ban-client reload takes the new ones"
        case Standing.ADD | Standing.ACTIVE:
            return ""


def _changes(one: JailPlan) -> str:
    lost, gained = (", ".join(map(listed, names)) for names in (one.lost, one.gained))
    if not gained:
        return f"take {lost or 'all'} from it"
    return f"take {lost} from it and give it {gained}" if lost else f"give it {gained}"


def _how_to_append(one: JailPlan, etc: Path) -> str:
    place = _place(one, etc)
    if place is None:
        return f'append "{APPEND}" to its "action ="'
    is_stock = place.path.name == STOCK_FILE
    if is_stock and place.section == DEFAULT and not (etc / JAIL_FILE).exists():
        return f"{etc / JAIL_FILE} is not there"
    # Not into the package's own file: an upgrade would ask about it. Nor into one that
    # is read before ours, which would go on to outdo it.
    is_early = one.standing is Standing.LOSES
    where = "a copy in jail.local of " if is_stock or is_early else ""
    return f'append "{APPEND}" to {where}the "action =" in {place}'
