"""What root may and the daemon may not, without a daemon at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.config import Settings
from f2b_enrich.enrich.relations import Relations
from f2b_enrich.health import check, check_mail, check_store
from f2b_enrich.health.check_process import Account
from f2b_enrich.health.fail2ban import Fail2Ban
from f2b_enrich.health.links import Level
from f2b_enrich.store.connection import open_writer
from tests.cli import run
from tests.stores import NOW

if TYPE_CHECKING:
    from f2b_enrich.health.check_store import StoreFacts

STRANGER = Account(user=4711, groups=frozenset({4711}))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    file = tmp_path / "lib" / "bans.db"
    file.parent.mkdir(mode=0o750)
    with open_writer(file):
        pass
    return file


def look(
    store: Path, account: Account | None = None, *, has_daemon: bool = False
) -> StoreFacts:
    return check_store.look(
        store,
        seconds=5,
        free_bytes=lambda _: 10**12,
        account=account,
        has_daemon=has_daemon,
    )


def test_all_that_the_daemon_may_not_write_to_is_named(store: Path) -> None:
    (link,) = check_store.links(look(store, STRANGER))

    lock = f"{store}.lock"
    assert link.level is Level.CRIT
    assert link.text.endswith("4711 may not write to lib and 2 more")
    assert link.cure == f"chown 4711: {store.parent} {store} {lock}"


def test_a_group_that_may_write_is_enough(store: Path) -> None:
    member = Account(user=4711, groups=frozenset({store.stat().st_gid}))
    store.parent.chmod(0o770)
    for file in store.parent.iterdir():
        file.chmod(0o660)

    (link,) = check_store.links(look(store, member))

    assert link.level is Level.OK


def test_a_log_is_left_to_the_next_start(store: Path) -> None:
    log = store.with_name("bans.db-wal")
    with open_writer(store) as writer:
        writer.execute("CREATE TABLE other (x)")
        content = log.read_bytes()
        (left,) = check_store.links(look(store))
        (held,) = check_store.links(look(store, has_daemon=True))

        assert log.read_bytes() == content
    assert (left.level, held.level) == (Level.OK, Level.OK)
    assert left.text.startswith("a daemon that was killed left its log, ")
    assert held.text.startswith("writable, ")


def test_a_log_is_left_where_a_link_leads(store: Path, tmp_path: Path) -> None:
    link_to_it = tmp_path / "link.db"
    link_to_it.symlink_to(store)
    with open_writer(store) as writer:
        writer.execute("CREATE TABLE other (x)")
        (left,) = check_store.links(look(link_to_it))

    assert left.text.startswith("a daemon that was killed left its log, ")


def test_rights_are_those_of_what_a_link_leads_to(store: Path, tmp_path: Path) -> None:
    link_to_it = tmp_path / "link.db"
    link_to_it.symlink_to(store)

    assert look(link_to_it, STRANGER).refusal == look(store, STRANGER).refusal


@pytest.mark.parametrize(
    ("name", "gains", "level"),
    [
        ("sendmail", True, Level.OK),
        ("sendmail", False, Level.WARN),
        ("msmtp", False, Level.OK),
    ],
)
def test_a_sendmail_that_needs_rights_is_told(
    tmp_path: Path, name: str, *, gains: bool, level: Level
) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    link_to_it = tmp_path / "link"
    link_to_it.symlink_to(program)
    mail = {"transport": "sendmail", "sendmail": str(link_to_it)}
    settings = Settings.model_validate({"host": "web1", "mail": mail})

    (link,) = check_mail.links(settings, None, seconds=1, offline=False, gains=gains)

    assert link.level is level


def test_a_credential_that_everyone_may_read_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ipinfo-token", "smtp-password"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    config = tmp_path / "config.toml"
    config.write_text(f'store.path = "{tmp_path}/bans.db"\n')

    told = json.loads(run("check", "--offline", "--json", "--config", config).out)

    found = {link["name"]: link for link in told["links"]}
    for link, name in (("ipinfo", "ipinfo-token"), ("mail", "smtp-password")):
        assert found[link]["level"] == "WARN"
        assert found[link]["cure"] == f"chmod 600 {tmp_path}/{name}"


def test_a_look_that_breaks_down_breaks_those_that_wait_for_it_only(
    tmp_path: Path,
) -> None:
    world = check.World(
        fail2ban=Fail2Ban(("fail2ban\0client",)),
        environ=os.environ,
        now=NOW,
        midnight=NOW,
        relations=Relations,
        synchronised=lambda: True,
        offline=True,
    )
    settings = Settings.model_validate({"store": {"path": f"{tmp_path}/bans.db"}})

    report = check.check(settings, world)

    odd = [link.name for link in report.links if "failed oddly" in link.text]
    assert odd == ["fail2ban", "jails", "client"]
    assert Level.OK in {link.level for link in report.links if link.name == "clock"}
