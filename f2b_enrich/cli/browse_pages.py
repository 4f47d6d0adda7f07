"""The pages that Datasette makes of the store, and who may see them."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from f2b_enrich.cli import browse_plugin
from f2b_enrich.cli.browse_plugin import NAME
from f2b_enrich.store.questions import QUESTIONS

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 10
"""That a question may take."""

MOST_ROWS = 1000

_HIDDEN = (
    *("waiting_events", "ban_records", "rule_sets", "chores", "mailboxes"),
    *("other_ids", "other_origins", "found_counts", "_sqlite_migrations"),
)
"""Tables that may change with any version."""

_SETTINGS = {
    "sql_time_limit_ms": SECONDS * 1000,
    "max_returned_rows": MOST_ROWS,
    "num_sql_threads": 2,
    # Each asks for all values of each column.
    "suggest_facets": False,
    # A file that is written to meanwhile would be no whole one.
    "allow_download": False,
    "default_cache_ttl": 0,
}


def pages(store: Path) -> Datasette:
    """Give what answers for a store; nobody sees it without the link."""
    if not pm.has_plugin(browse_plugin.__name__):
        pm.register(browse_plugin, name=browse_plugin.__name__)
    # Where rich is there, too, it would print all that a page has in hand.
    pm.get_plugin("datasette.handle_exception").rich = None
    shown = Datasette([], metadata=_metadata(), settings=_SETTINGS)
    shown.add_database(Database(shown, path=str(store), is_mutable=True), name=NAME)
    return shown


async def begin(shown: Datasette) -> None:
    """Prepare the pages, and read the store once as they do.

    Raises:
        sqlite3.Error: it was left in a form that its reader must write beside, and
            this one may not.
    """
    await shown.invoke_startup()
    await shown.databases[NAME].primary_keys("bans")


def link(shown: Datasette) -> str:
    """Give the path that lets a browser in, once."""
    token = shown._root_token  # noqa: SLF001 - `datasette serve --root` prints it
    return f"/-/auth-token?token={token}"


def _metadata() -> dict[str, Any]:
    file = resources.files(__package__).joinpath("browse_words.json")
    tables = json.loads(file.read_text("utf-8"))
    for name in _HIDDEN:
        tables.setdefault(name, {})["hidden"] = True
    tables["ban_log"]["sort_desc"] = "banned_at"
    queries = {
        each.name: {
            "title": each.title,
            "description": f"{each.about} From since on and before until, days or "
            "times in UTC; either may be empty.",
            "sql": each.sql,
        }
        for each in QUESTIONS
    }
    about = "What Fail2Ban banned on these hosts. Nothing can be changed here."
    return {
        "title": "f2b-enrich",
        "description": about,
        "allow": {"id": "root"},
        "databases": {NAME: {"tables": tables, "queries": queries}},
    }
