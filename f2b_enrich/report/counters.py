"""Counting step by step, in this process or in several side by side."""

from __future__ import annotations

from contextlib import closing, contextmanager
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from f2b_enrich.child import Child
from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.connection import Connection

    from f2b_enrich.report.host_counting import HostsAsked
    from f2b_enrich.report.part import Part

    Asked = HostsAsked | None
    Work = Callable[[], Generator[Part, Asked, None]]
    Ask = Callable[[Asked], list[Part]]


@contextmanager
def here(work: Work) -> Iterator[Ask]:
    """Do a work in this process, a step each time; the first one takes None."""
    with closing(work()) as steps:
        yield lambda asked: [steps.send(asked)]


@contextmanager
def beside(works: Sequence[Work]) -> Iterator[Ask]:
    """Do each work in a process of its own, all of them the same step.

    Asking for a step raises:
        ChildError: one died.
        F2bEnrichError: what one raised.
    """
    counters: list[Child[Part]] = []
    try:
        for work in works:
            counters.append(Child(_serve, does="counts"))
            counters[-1].send(work)

        def ask(asked: Asked) -> list[Part]:
            for counter in counters:
                counter.send(asked)
            return _received(counters)

        yield ask
    finally:
        for counter in counters:
            counter.end()


def _received(counters: Sequence[Child[Part]]) -> list[Part]:
    busy = {counter.connection: counter for counter in counters}
    parts: list[Part] = []
    while busy:
        ready = wait(list(busy))
        parts += [busy.pop(one).receive() for one in ready]  # type: ignore[call-overload]
    return parts


def _serve(connection: Connection) -> None:
    """Do the work, a step each time; what is here runs in the other process."""
    work: Work = connection.recv()
    try:
        with here(work) as ask:
            while True:
                (part,) = ask(connection.recv())
                connection.send(part)
    except F2bEnrichError as exc:
        connection.send(exc)
