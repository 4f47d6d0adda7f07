"""What is decided of an address costs by how much there is, not by its square."""

from __future__ import annotations

from typing import ClassVar

from f2b_enrich.joining.sightings import Sighting, id_of
from f2b_enrich.store.neighbourhoods import Neighbourhood
from f2b_enrich.store.settling import _decided

HOST, IP = "web1.example.org", "192.0.2.7"
MOST = 600


class Name(str):
    """A name that counts how often it is compared with another one."""

    __slots__ = ()
    compared: ClassVar[list[str]] = []

    def __eq__(self, other: object) -> bool:
        self.compared.append(self)
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def at(number: int, *, alert_of: str | None = None) -> Sighting:
    seconds = 1_700_000_000 + 1000 * number
    return Sighting(
        kind="ban",
        precision="failure" if alert_of is None else "mailed",
        origin="log" if alert_of is None else "mail",
        at=seconds,
        jail="sshd",
        ends_at=seconds + 600,
        alert_of=alert_of,
    )


def test_thousands_of_bans_and_alerts_of_an_address_are_each_looked_up() -> None:
    told = [at(number) for number in range(MOST)]
    names = [Name(id_of(each, HOST, IP)) for each in told]
    known = Neighbourhood(
        host=HOST,
        ip=IP,
        told={name: frozenset((each,)) for name, each in zip(names, told, strict=True)},
    )
    alerts = [at(number, alert_of=name) for number, name in enumerate(names)]
    Name.compared.clear()

    late = at(MOST).at + 1
    settled = _decided(known, {*alerts, at(-1)}, None, is_changed=False, now=late)

    assert {each: settled.ban_ids[each] for each in told} == dict(
        zip(told, names, strict=True)
    )
    assert all(settled.ban_ids[each] == each.alert_of for each in alerts)
    assert len(settled.bans) == MOST + 1
    assert len(Name.compared) < 50 * MOST
