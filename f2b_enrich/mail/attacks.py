"""What a mail says of the attack: its classes, or the ban that it repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES, OTHER, REPEAT_OFFENDER
from f2b_enrich.mail import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.attacks import Attack
    from f2b_enrich.mail.alert import Alert

MOST = 12
"""How many classes are named."""

_MOST_CVES = 4


def is_by_hand(alert: Alert) -> bool:
    """Tell whether nothing but somebody's command made fail2ban ban."""
    return alert.ban.failures == 0 and not alert.lines


def is_repeat(alert: Alert) -> bool:
    """Tell whether the ban repeats another, so that it is counted apart.

    Of a jail that nobody calls a watcher of fail2ban the lines are read, and its bans
    count: there the class has lines.
    """
    return alert.repeated is not None or any(
        one.attack == REPEAT_OFFENDER and not one.lines for one in alert.attacks
    )


def leading(alert: Alert) -> str | None:
    """Name the class that the ban shows most, as the store has it."""
    if is_repeat(alert):
        return REPEAT_OFFENDER
    return next((one.attack for one in _known(alert)), None)


def classes(alert: Alert) -> Iterator[str]:
    """Word what the ban shows, the leading class first; nothing if nothing tells.

    Of several classes each has its number of lines.
    """
    if is_repeat(alert):
        yield CLASSES[REPEAT_OFFENDER]
        return
    known = _known(alert)
    if len(known) == 1:
        [only] = known
        doubt = "" if only.lines else " (by its jail; no line tells more)"
        yield _named(only) + doubt
        return
    for one in known[:MOST]:
        yield f"{_named(one)}: {wording.counted(one.lines, 'line')}"
    more = len(known) - MOST
    if more > 0:
        yield f"{more:,} more"


def repeats(alert: Alert) -> Iterator[str]:
    """Say which ban this one repeats, in pieces between which it may be broken."""
    seen = alert.repeated
    if seen is None:
        if is_repeat(alert):
            yield "repeats what another jail saw"
        return
    by_hand = not seen.failures and not seen.lines_received
    says_nothing = by_hand or seen.attack == OTHER
    showed = "" if says_nothing else CLASSES.get(seen.attack or "", "")
    yield f"repeats the ban by {seen.jail}"
    when = wording.moment(seen.banned_at, alert.timezone)
    yield f"of {when} ({seen.id.partition('-')[0]}){',' if showed else ''}"
    if showed:
        yield showed


def _known(alert: Alert) -> tuple[Attack, ...]:
    """Leave out what says nothing; what its jail is for tells nothing of a command."""
    by_jail = not is_by_hand(alert)
    return tuple(
        one for one in alert.attacks if one.lines or (by_jail and one.attack != OTHER)
    )


def _named(one: Attack) -> str:
    name = CLASSES.get(one.attack, one.attack)
    cves = list(one.cves[:_MOST_CVES])
    more = len(one.cves) - _MOST_CVES
    if more > 0:
        cves.append(f"{more:,} more")
    return f"{name} ({', '.join(cves)})" if cves else name
