"""What a mail says when the banned address is not just anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert

if TYPE_CHECKING:
    from f2b_enrich.model import Relation

_LONGEST = 80
_WHOSE = {
    "own": "one of your own addresses",
    "friend": "an address that you called friendly",
    "cdn": "an address of a proxy",
    "crawler": "an address of a crawler",
}


def whose(relation: Relation) -> str:
    """Say whose the address is, and what tells so."""
    return f"{_WHOSE[relation.kind]}: {_short(relation.name)} ({_short(relation.why)})"


def warning(relation: Relation) -> tuple[str, ...]:
    """Say what the ban does to whom it does not mean, a sentence each."""
    name = _short(relation.name)
    if relation.kind == "own":
        return (
            f"Possible lock-out: this is one of your own addresses, {name}.",
            "If the failures were yours, unban it.",
        )
    if relation.kind == "friend":
        return (
            f"Possible lock-out: this address belongs to {name}.",
            "If you trust it still, unban it.",
        )
    if relation.kind == "cdn":
        return (
            f"This is a proxy of {name}, not the attacker:",
            "the ban shuts out everybody who comes through it.",
            "Have the web server log the client's real address",
            "(nginx: set_real_ip_from and real_ip_header; Apache: mod_remoteip).",
        )
    return (f"This is the crawler of {name}: the ban may take you out of its index.",)


def _short(text: str) -> str:
    return inert.cut(inert.printable(text), _LONGEST)
