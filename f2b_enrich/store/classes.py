"""What a ban's lines were found to show: classes of attack, and values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.attacks import Attack
from f2b_enrich.model import Observed, time_text
from f2b_enrich.store import repeats

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_JOIN = ", "

_READABLE = "rowid AS row, id, jail, lines_received, captures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A ban whose lines are to be read; `row` grows with the order of arrival.

    `captures` are the kinds and values that fail2ban's own filter named.
    """

    row: int
    id: str
    jail: str
    captures: tuple[tuple[str, str], ...]
    lines_received: int
    lines: tuple[str, ...]

    @property
    def has_lines(self) -> bool:
        """Tell whether the lines it came with, if any, are there."""
        return bool(self.lines) or not self.lines_received


def not_classed(
    connection: sqlite3.Connection, *, after: int, limit: int
) -> tuple[Unread, ...]:
    """List bans behind row `after` that were never classed, in the order of arrival."""
    rows = connection.execute(
        f"SELECT {_READABLE} FROM bans INDEXED BY bans_not_classed "
        "WHERE rule_set IS NULL AND rowid > ? ORDER BY rowid LIMIT ?",
        (after, limit),
    ).fetchall()
    return _unread(connection, rows)


def classed_otherwise(
    connection: sqlite3.Connection, rule_set: int, *, after: int, limit: int
) -> tuple[Unread, ...]:
    """List bans behind row `after` that were not classed by this set of rules."""
    rows = connection.execute(
        f"SELECT {_READABLE} FROM bans "
        "WHERE rule_set IS NOT ? AND rowid > ? ORDER BY rowid LIMIT ?",
        (rule_set, after, limit),
    ).fetchall()
    return _unread(connection, rows)


def one(connection: sqlite3.Connection, ban_id: str) -> Unread | None:
    """Read one ban by its own id."""
    rows = connection.execute(
        f"SELECT {_READABLE} FROM bans WHERE id = ?", (ban_id,)
    ).fetchall()
    return next(iter(_unread(connection, rows)), None)


def _unread(
    connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]
) -> tuple[Unread, ...]:
    found = []
    for row in rows:
        lines = connection.execute(
            "SELECT line FROM log_lines WHERE ban_id = ? ORDER BY position",
            (row["id"],),
        ).fetchall()
        found.append(
            Unread(
                row=row["row"],
                id=row["id"],
                jail=row["jail"],
                captures=_captures(row["captures"]),
                lines_received=row["lines_received"],
                lines=tuple(line["line"] for line in lines),
            )
        )
    return tuple(found)


def _captures(text: str | None) -> tuple[tuple[str, str], ...]:
    pairs = json.loads(text) if text else ()
    return tuple((kind, value) for kind, value in pairs)


def lines_received(connection: sqlite3.Connection, ban_id: str) -> int | None:
    """Tell how many lines a ban came with; None when there is no such ban."""
    row = connection.execute(
        "SELECT lines_received FROM bans WHERE id = ?", (ban_id,)
    ).fetchone()
    return None if row is None else row[0]


def count_classed_otherwise(connection: sqlite3.Connection, rule_set: int) -> int:
    """Count the bans that were not classed by this set of rules."""
    found = connection.execute(
        "SELECT count(*) FROM bans WHERE rule_set IS NOT ?", (rule_set,)
    )
    count: int = found.fetchone()[0]
    return count


def rule_set(connection: sqlite3.Connection, digest: str, *, now: datetime) -> int:
    """Give the number of a set of rules, a new one if it was never used."""
    known = "SELECT id FROM rule_sets WHERE digest = ?"
    found = connection.execute(known, (digest,)).fetchone()
    if found is None:
        found = connection.execute(
            "INSERT INTO rule_sets (digest, used_at) VALUES (?, ?) RETURNING id",
            (digest, time_text(now)),
        ).fetchone()
    number: int = found[0]
    return number


def use(connection: sqlite3.Connection, digest: str, *, now: datetime) -> int:
    """Give the number of the set of rules that bans are classed by from now on."""
    number = rule_set(connection, digest, now=now)
    connection.execute(
        "UPDATE rule_sets SET used_at = ? WHERE id = ?", (time_text(now), number)
    )
    return number


def forget_others(connection: sqlite3.Connection, rule_set: int) -> None:
    """Drop the other sets of rules, by which no ban is classed any more."""
    connection.execute("DELETE FROM rule_sets WHERE id != ?", (rule_set,))


def save(
    connection: sqlite3.Connection,
    ban_id: str,
    *,
    attacks: Sequence[Attack],
    observed: Iterable[Observed],
    rule_set: int,
) -> None:
    """Write what a ban shows, its leading class first, in place of what was found.

    Which ban it repeats, and which repeat it, is settled with it.
    """
    connection.execute("DELETE FROM ban_attacks WHERE ban_id = ?", (ban_id,))
    connection.executemany(
        "INSERT INTO ban_attacks (ban_id, attack, lines, cves) VALUES (?, ?, ?, ?)",
        [
            (ban_id, each.attack, each.lines, _JOIN.join(each.cves) or None)
            for each in attacks
        ],
    )
    connection.execute("DELETE FROM observed WHERE ban_id = ?", (ban_id,))
    connection.executemany(
        "INSERT INTO observed (ban_id, kind, value, lines) VALUES (?, ?, ?, ?)",
        [(ban_id, each.kind, each.value, each.lines) for each in observed],
    )
    connection.execute(
        "UPDATE bans SET attack = ?, rule_set = ? WHERE id = ?",
        (attacks[0].attack, rule_set, ban_id),
    )
    repeats.settle(connection, ban_id)


def keep(connection: sqlite3.Connection, ban_id: str, *, rule_set: int) -> None:
    """Leave what was found while the lines were there; note that these rules ran."""
    connection.execute("UPDATE bans SET rule_set = ? WHERE id = ?", (rule_set, ban_id))
    repeats.settle(connection, ban_id)


def attacks(connection: sqlite3.Connection, ban_id: str) -> tuple[Attack, ...]:
    """Read the classes of attack that a ban shows, the leading one first."""
    rows = connection.execute(
        "SELECT ban_attacks.attack, ban_attacks.lines, cves FROM ban_attacks "
        "JOIN bans ON bans.id = ban_id WHERE ban_id = ? "
        "ORDER BY ban_attacks.attack != bans.attack, ban_attacks.lines DESC, "
        "ban_attacks.attack",
        (ban_id,),
    )
    return tuple(
        Attack(
            attack=row["attack"],
            lines=row["lines"],
            cves=tuple(row["cves"].split(_JOIN)) if row["cves"] else (),
        )
        for row in rows
    )


def observed(connection: sqlite3.Connection, ban_id: str) -> tuple[Observed, ...]:
    """Read the values that a ban's lines show, those of most lines first."""
    rows = connection.execute(
        "SELECT kind, value, lines FROM observed WHERE ban_id = ? "
        "ORDER BY lines DESC, kind, value",
        (ban_id,),
    )
    return tuple(Observed(**dict(row)) for row in rows)
