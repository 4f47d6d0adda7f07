"""A question to a store, put as an administrator puts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli import Ran, run

if TYPE_CHECKING:
    from tests.stores import StoreBuilder


def ask(store: StoreBuilder, query: str, *words: str) -> Ran:
    return run("sql", query, *words, "--db", store.path)
