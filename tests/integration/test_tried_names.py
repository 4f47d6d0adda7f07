"""Names that were tried, held against a file of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.tried_names import TriedNames
from f2b_enrich.model import Observed, TriedName

if TYPE_CHECKING:
    from pathlib import Path

PASSWD = b"root:x:0:0:root:/root:/bin/bash\npostgres:x:112::/:/bin/sh\n\n:\nb\xe4r:x:1"
SHOWN = tuple(
    Observed(kind=kind, value=value, lines=lines)
    for kind, value, lines in (
        ("username", "admin", 2),
        ("port", "50291", 2),
        ("username", "root", 1),
        ("username", "root:x", 1),
        ("username", "postgres", 0),
    )
)


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_bytes(PASSWD)
    return path


def test_names_are_counted_and_accounts_marked(accounts: Path) -> None:
    tried = TriedNames(host="web1", accounts=accounts)

    assert tried.of(SHOWN, host="web1") == (
        TriedName(name="admin", lines=2, is_account=False),
        TriedName(name="root", lines=1, is_account=True),
        TriedName(name="root:x", lines=1, is_account=False),
        TriedName(name="postgres", lines=0, is_account=True),
    )


def test_nothing_is_said_of_another_hosts_accounts(accounts: Path) -> None:
    tried = TriedNames(host="web1", accounts=accounts)

    assert not any(name.is_account for name in tried.of(SHOWN, host="web2"))


@pytest.mark.parametrize("missing", ["nowhere", "."])
def test_without_a_file_of_accounts_none_is_known(tmp_path: Path, missing: str) -> None:
    tried = TriedNames(host="web1", accounts=tmp_path / missing)

    names = tried.of(SHOWN, host="web1")

    assert [name.name for name in names] == ["admin", "root", "root:x", "postgres"]
    assert not any(name.is_account for name in names)


def test_without_names_there_are_none(accounts: Path) -> None:
    tried = TriedNames(host="web1", accounts=accounts)

    assert tried.of(SHOWN[1:2], host="web1") == ()
