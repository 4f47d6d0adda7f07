from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.health.links import Level, crit, exit_code, ok, unknown, warn
from f2b_enrich.health.probing import together, until_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.health.links import Link

OK, WARN = ok("a", "fine"), warn("b", "old", "renew it")
CRIT, UNKNOWN = crit("c", "gone", "bring it back"), unknown("d", "no right")


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ((), 0),
        ((OK, OK), 0),
        ((OK, WARN), 1),
        ((WARN, CRIT, UNKNOWN), 2),
        ((OK, UNKNOWN), 3),
        ((UNKNOWN, WARN), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_link(
    links: tuple[Link, ...], code: int
) -> None:
    assert exit_code(links) == code


def test_a_link_is_told_with_its_cure() -> None:
    assert str(OK) == "fine"
    assert str(WARN) == "old; renew it"
    assert str(UNKNOWN) == "not known: no right"


def test_what_fails_or_takes_too_long_hides_nothing_else() -> None:
    hang = threading.Event()

    def refuse() -> list[Link]:
        raise StoreError("store x: locked")

    def break_down() -> Iterator[Link]:
        yield WARN
        raise ZeroDivisionError("by zero")

    def wait() -> Iterator[Link]:
        yield CRIT
        hang.wait(30)
        yield OK

    found = together(
        {
            "late": wait,
            "refused": refuse,
            "broken": break_down,
            "well": lambda: [OK, WARN],
            "silent": list,
        },
        seconds=0.2,
    )
    hang.set()

    known, late, refused, warned, broken, *others = found
    assert (known, warned, *others) == (CRIT, WARN, OK, WARN)
    assert {link.level for link in (late, refused, broken)} == {Level.UNKNOWN}
    assert late.text == "not known: looking at it took longer than 0.2 s"
    assert refused.text == "not known: store x: locked"
    assert "ZeroDivisionError: by zero" in broken.text


def test_what_was_given_up_is_not_waited_for() -> None:
    hang = threading.Event()

    async def give_up() -> str:
        try:
            async with asyncio.timeout(0.05):
                await asyncio.to_thread(hang.wait, 30)
        except TimeoutError:
            return "late"
        return "in time"

    started = time.monotonic()
    said = until_done(give_up())
    took = time.monotonic() - started
    hang.set()

    assert (said, took < 15) == ("late", True)
