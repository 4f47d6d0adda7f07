"""What an import leaves besides bans: lines to search, jails, names that were tried."""

from __future__ import annotations

import json
import time

from tests.cli import run
from tests.fail2ban_databases import add, lay_out
from tests.imports import Imports, imports  # noqa: F401 - a fixture

AT = int(time.time()) - 3600
DATA = json.dumps({"matches": ["Invalid user oracle"], "failures": 3, "user": "oracle"})


def a_database(imports: Imports, *rows: tuple[object, ...]) -> None:  # noqa: F811
    path = lay_out(imports.folder / "fail2ban.sqlite3")
    add(path, rows)
    imports.facts("fail2ban-db", path)


def test_lines_can_be_searched_and_jails_are_known(imports: Imports) -> None:  # noqa: F811
    a_database(
        imports,
        ("sshd", "192.0.2.7", AT, 600, 1, DATA),
        ("doors", "192.0.2.8", AT, 600, 1, DATA.encode()),
    )

    assert imports.rows("SELECT count(*) FROM log_lines_fts_docsize") == [(2,)]
    words = ("--config", imports.config, "--db", imports.store)
    assert run("search", *words, "oracle", "--json").out.count("192.0.2.7") == 1
    assert imports.rows("SELECT jail, service FROM jails ORDER BY jail") == [
        ("doors", "other"),
        ("sshd", "ssh"),
    ]


def test_what_the_filter_named_is_kept_once(imports: Imports) -> None:  # noqa: F811
    a_database(imports, ("sshd", "192.0.2.7", AT, 600, 1, DATA))

    assert imports.rows("SELECT captures FROM bans") == [('[["username", "oracle"]]',)]


def test_what_was_classed_is_classed_anew_by_a_name(imports: Imports) -> None:  # noqa: F811
    log = imports.folder / "fail2ban.log"
    logged = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(AT))
    log.write_text(f"{logged},100 fail2ban.actions [9]: NOTICE [sshd] Ban 192.0.2.7\n")
    imports.facts("fail2ban-log", log)
    words = ("--config", imports.config, "--db", imports.store)
    assert run("classify", "--all", *words).code == 0
    assert imports.rows("SELECT rule_set IS NULL FROM bans") == [(0,)]

    a_database(imports, ("sshd", "192.0.2.7", AT, 600, 1, DATA))

    assert imports.rows("SELECT captures, rule_set IS NULL FROM bans") == [
        ('[["username", "oracle"]]', 1)
    ]
