"""What fail2ban did to one address, and the records that are left of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.joining.sightings import NEVER, Sighting, in_order, planned_end

if TYPE_CHECKING:
    from random import Random

    from f2b_enrich.joining.sightings import Origin

DAY = 86_400
BEGIN = 1_700_000_000
BANTIMES = (60, 600, 600, 3600, DAY, 7 * DAY, -1)
ORIGINS: tuple[Origin, ...] = ("live", "fail2ban-db", "log", "mail", "bounce")


@dataclass
class TrueBan:
    """A ban as it was, `failed_at` and `began_at` with their decimals."""

    jail: str
    failed_at: float
    began_at: float
    bantime: int
    ended_at: float = 0.0
    restored_at: list[float] = field(default_factory=list)
    unbanned_at: list[float] = field(default_factory=list)
    sightings: set[Sighting] = field(default_factory=set)

    @property
    def planned(self) -> float:
        return NEVER if self.bantime < 0 else self.failed_at + self.bantime


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How often what happens, and what is kept of it, each from 0 to 1."""

    jails: int = 2
    bans: int = 6
    stops: float = 0.1
    unbans: float = 0.15
    old_logs: float = 0.05
    late: float = 0.1
    nameless: float = 0.1
    lost: float = 0.0
    kept: tuple[Origin, ...] = ORIGINS


def history(random: Random, manner: Manner) -> list[TrueBan]:
    """Invent what happened in some jails, and write down what tells of it."""
    bans = [
        ban
        for jail in ("sshd", "postfix", "dovecot")[: manner.jails]
        for ban in _of_jail(random, manner, jail)
    ]
    for ban in bans:
        ban.sightings = {
            each
            for each in sorted(_told(random, manner, ban), key=in_order)
            if each.origin in manner.kept and random.random() >= manner.lost
        }
    return bans


def _of_jail(random: Random, manner: Manner, jail: str) -> list[TrueBan]:
    bantime = random.choice(BANTIMES)
    now = BEGIN + random.uniform(0, 10 * DAY)
    bans: list[TrueBan] = []
    failures: set[int] = set()
    for _ in range(random.randint(1, manner.bans)):
        failed_at = now
        if random.random() < manner.old_logs:
            failed_at -= random.uniform(0, 0.9 * (DAY if bantime < 0 else bantime))
        if round(failed_at) in failures:
            continue
        failures.add(round(failed_at))
        ban = TrueBan(jail, failed_at, now + random.uniform(0.05, 1.2), bantime)
        bans.append(ban)
        now = _run(random, manner, ban) + _pause(random)
        now = max(now, ban.began_at + 3)
    return bans


def _pause(random: Random) -> float:
    return random.choice((random.uniform(0.3, 5), random.expovariate(1 / (2 * DAY))))


def _run(random: Random, manner: Manner, ban: TrueBan) -> float:
    """Let a ban run through restarts to its end; tell when that was."""
    at = ban.began_at
    while True:
        left = min(ban.planned - at, 30 * DAY)
        if random.random() < manner.stops:
            at += random.uniform(0, max(left, 1))
            ban.unbanned_at.append(at)
            started_at = at + random.choice((random.uniform(2, 9), 3600))
            if started_at >= ban.planned:
                ban.ended_at = at
                return started_at
            at = started_at
            ban.restored_at.append(at)
            continue
        by_hand = ban.bantime < 0 or random.random() < manner.unbans
        ban.ended_at = at + max(random.uniform(0, left) if by_hand else left, 2.0)
        ban.unbanned_at.append(ban.ended_at)
        return ban.ended_at


def _told(random: Random, manner: Manner, ban: TrueBan) -> set[Sighting]:
    return {*_of_failure(ban), *_of_log(ban), *_of_mail(random, manner, ban)}


def _of_failure(ban: TrueBan) -> set[Sighting]:
    at = round(ban.failed_at)
    live = Sighting(
        kind="ban",
        precision="failure",
        origin="live",
        at=at,
        jail=ban.jail,
        ends_at=planned_end(at, ban.bantime),
    )
    unban = live._replace(kind="unban", precision="logged", ends_at=None, failed_at=at)
    return {
        live,
        live._replace(origin="fail2ban-db"),
        *(unban._replace(at=int(each) + 1) for each in ban.unbanned_at),
    }


def _of_log(ban: TrueBan) -> set[Sighting]:
    line = Sighting(
        kind="ban",
        precision="logged",
        origin="log",
        at=int(ban.began_at),
        jail=ban.jail,
    )
    return {
        line,
        *(line._replace(kind="again", at=int(each)) for each in ban.restored_at),
        *(line._replace(kind="unban", at=int(each)) for each in ban.unbanned_at),
    }


def _of_mail(random: Random, manner: Manner, ban: TrueBan) -> set[Sighting]:
    late = random.random() < manner.late
    at = int(ban.began_at + random.uniform(0, 90 if late else 3))
    mail = Sighting(
        kind="ban",
        precision="mailed",
        origin="mail",
        at=at,
        jail=None if random.random() < manner.nameless else ban.jail,
        message_id=f"<{ban.jail}.{ban.failed_at}@web1.example>",
    )
    returned_at = at + random.choice(
        (random.uniform(0, 30), random.uniform(0, 4 * DAY))
    )
    bounce = mail._replace(origin="bounce")
    if random.random() < 0.3:  # without the copy of the mail's head
        bounce = bounce._replace(
            precision="bounced", at=int(returned_at), message_id=None
        )
    return {mail, bounce}
