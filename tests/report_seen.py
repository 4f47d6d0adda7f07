"""Bans of any kind, by chance, and what is known of their addresses."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import Phase, settings
from hypothesis import strategies as st

from tests.report_events import (
    DAY,
    OCTOBER,
    SERVICES,
    ReportStore,
    Told,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.model import Enrichment

IPS = (
    *("198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.1.1", "198.18.12.0/25"),
    *("198.18.12.9", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "no address"),
)
HOSTS = ("web1", "web2", "mail1")
JAILS = (*SERVICES, "nobody-knows")
COUNTRIES = (("NL", "Netherlands"), ("DE", "Germany"), ("US", "United States"))
NETWORKS = (
    *((64500, "Example"), (64501, "Example"), (64502, "Other")),
    *((64500, "Renamed"), (0, "Nameless"), (0, "")),
)
ATTACKS = ("mail-password-guessing", "phpunit-probe", "ssh-protocol-abuse", None)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Eucla",
    "America/St_Johns",
)
# Without the explanation, which traces every line of what is called.
SLOW_STORE = settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Bans, and look-ups of their addresses."""

    told: tuple[Told, ...]
    known: tuple[Enrichment, ...] = ()


def _bans(*, ips: Sequence[str] = IPS) -> st.SearchStrategy[Told]:
    return st.builds(
        Told,
        ip=st.sampled_from(ips),
        # Some before the month and some behind it.
        at=st.integers(-3 * 86_400, 34 * 86_400).map(
            lambda seconds: OCTOBER + timedelta(seconds=seconds)
        ),
        jail=st.sampled_from(JAILS),
        host=st.sampled_from(HOSTS),
        failures=st.integers(0, 9),
        bantime=st.sampled_from((600, 3600, -1, None)),
        number=st.integers(1, 12),
        attack=st.sampled_from(ATTACKS),
        shown=st.dictionaries(
            st.sampled_from(ATTACKS[:3]), st.integers(1, 5), max_size=2
        ).map(lambda shown: tuple(shown.items())),
        names=st.sets(st.sampled_from(("root", "admin", "Zoë, x")), max_size=2).map(
            tuple
        ),
    )


_PLACES = st.builds(
    place,
    st.sampled_from(IPS),
    st.sampled_from((*COUNTRIES, ("", ""))),
    st.sampled_from(NETWORKS),
    city=st.sampled_from(("", "Springfield", "Amsterdam")),
    region=st.sampled_from(("", "North")),
    position=st.sampled_from((None, (52.4, 4.9), (52.37, 4.89), (-33.5, 151.0))),
    scanner=st.sampled_from(("", "", "Censys")),
    at=st.integers(-40, 40).map(lambda days: OCTOBER + days * DAY),
    source=st.sampled_from(("IPinfo", "local")),
)

SEEN = st.builds(
    Seen,
    st.sampled_from((0, 20)).flatmap(
        lambda least: st.lists(
            _bans(),
            min_size=least,
            max_size=2 * least + 5,
            unique_by=lambda told: (told.ip, told.at, told.jail, told.host),
        ).map(tuple)
    ),
    st.lists(_PLACES, max_size=12).map(tuple),
)


@contextmanager
def stored(seen: Seen) -> Iterator[ReportStore]:
    """Put bans into a store, the first of the look-ups between them."""
    with TemporaryDirectory() as folder:
        store = ReportStore(Path(folder) / "bans.db")
        half, some = len(seen.told) // 2, len(seen.known) // 2
        store.add(seen.told[:half], seen.known[:some])
        store.add(seen.told[half:], seen.known[some:])
        yield store


def counted(seen: Seen) -> list[Told]:
    """Give the bans that count in October."""
    until = OCTOBER + 31 * DAY
    return [
        told
        for told in seen.told
        if OCTOBER <= told.at < until and told.jail != "recidive"
    ]
