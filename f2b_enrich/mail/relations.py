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
_WITH = "a network that contains "
_THIS = {
    "own": "this is one of your own addresses, {name}",
    "friend": "this address belongs to {name}",
    "cdn": "this is a proxy of {name}, not the attacker",
    "crawler": "this is the crawler of {name}",
}
_THIS_NETWORK = {
    "own": "this network contains {name}",
    "friend": "this network contains {name}",
    "cdn": "this network contains proxies of {name}",
    "crawler": "this network contains the crawler of {name}",
}
_REAL_IP = (
    "the client (nginx: set_real_ip_from and real_ip_header;",
    "Apache: mod_remoteip).",
)
_ADVICE = {
    "own": ("If the failures were yours, unban it.",),
    "friend": ("If you trust it still, unban it.",),
    "cdn": (
        "If it stands before your web server, you are banning your proxy",
        "and everybody who comes through it: set real_ip, so that the log names",
        *_REAL_IP,
    ),
    "crawler": ("The ban may take your pages out of its index.",),
}
_ADVICE_NETWORK = {
    "own": ("If the failures were yours, or you must get in from there, unban it.",),
    "friend": ("If you trust that still, unban it.",),
    "cdn": (
        "If they stand before your web server, you are banning your proxies",
        "and everybody who comes through them: set real_ip, so that the log names",
        *_REAL_IP,
    ),
    "crawler": _ADVICE["crawler"],
}
NOBODY = "no: not an own, friend, CDN or crawler address"


def whose(relation: Relation) -> str:
    """Say whose the address is, or what the network contains, and what tells so."""
    what = (_WITH if relation.contained else "") + _WHOSE[relation.kind]
    return f"{what}: {_short(relation.name)} ({_short(relation.why)})"


def warning(relation: Relation) -> tuple[str, ...]:
    """Say what the ban does to whom it does not mean, a sentence each."""
    this, advice = _THIS, _ADVICE
    if relation.contained:
        this, advice = _THIS_NETWORK, _ADVICE_NETWORK
    known = this[relation.kind].format(name=_short(relation.name))
    return (f"Possible lock-out: {known}.", *advice[relation.kind])


def _short(text: str) -> str:
    return inert.cut(inert.printable(text), _LONGEST)
