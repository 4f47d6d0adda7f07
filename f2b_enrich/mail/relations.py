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
NOBODY = "no: not an own, friend, CDN or crawler address"


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
            f"Possible lock-out: this is a proxy of {name}, not the attacker.",
            "If it stands before your web server, you are banning your proxy",
            "and everybody who comes through it: set real_ip, so that the log names",
            "the client (nginx: set_real_ip_from and real_ip_header;",
            "Apache: mod_remoteip).",
        )
    return (
        f"Possible lock-out: this is the crawler of {name}.",
        "The ban may take your pages out of its index.",
    )


def _short(text: str) -> str:
    return inert.cut(inert.printable(text), _LONGEST)
