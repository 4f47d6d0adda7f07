"""What was read already is known again, however much it is."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.fail2ban_seen import Seen
from f2b_enrich.importing.records import UnreadableError


@given(st.lists(st.binary(max_size=3)))
def test_a_key_is_new_once(keys: list[bytes]) -> None:
    with Seen() as seen:
        new = [seen.add(key) for key in keys]

    assert new == [key not in keys[:place] for place, key in enumerate(keys)]


def test_a_disk_without_room_is_said() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(UnreadableError, match="kept in a temporary file: "):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def fill() -> None:
    with Seen() as seen:
        for number in range(10**6):
            seen.add(number.to_bytes(8))


def test_memory_does_not_grow_with_what_was_seen() -> None:
    with Seen() as seen:
        for number in range(20_000):
            seen.add(number.to_bytes(8))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(20_000, 300_000):
            seen.add(number.to_bytes(8))

        assert not seen.add((0).to_bytes(8))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 8 * 1024
