"""`f2b-enrich geo` as an administrator types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from f2b_enrich.cli.geo import _database_path
from f2b_enrich.cli.main import cli
from f2b_enrich.config import GeoSettings, Settings
from f2b_enrich.errors import F2bEnrichError, GeoError, ProviderError
from tests.fake_ipinfo import FakeIpinfo
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

BUILT = 1793001823  # 2026-10-26


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as fake:
        fake.database = write_lite(tmp_path / "fake.mmdb", built_at=BUILT).read_bytes()
        yield fake


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "geo" / "ipinfo_lite.mmdb"


@pytest.fixture
def placed(database: Path) -> Path:
    database.parent.mkdir()
    return write_lite(database, built_at=BUILT)


class Shell:
    """Runs `f2b-enrich geo …` with a configuration of its own."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._config = folder / "config.toml"
        self._base_url = base_url

    def configure(self, database: Path | None, more: str = "") -> None:
        path = f'database = "{database}"' if database else ""
        self._config.write_text(
            '[enrich]\nreserved_networks = ["192.0.2.0/24"]\n'
            "[dns]\nreverse = false\n"
            f"[geo]\n{path}\n"
            f'[ipinfo]\nbase_url = "{self._base_url}"\n{more}\n'
        )

    def run(self, *words: str, token: str | None = None) -> Result:
        return CliRunner().invoke(
            cli,
            ["geo", *words, "--config", str(self._config)],
            env={"F2B_ENRICH_IPINFO_TOKEN": token, "CREDENTIALS_DIRECTORY": None},
        )

    def works(self, *words: str, token: str | None = None) -> Result:
        result = self.run(*words, token=token)
        assert result.exit_code == 0, (result.output, result.exception)
        return result

    def fails(self, *words: str, token: str | None = None) -> F2bEnrichError:
        result = self.run(*words, token=token)
        assert isinstance(result.exception, F2bEnrichError), result.exception
        return result.exception


@pytest.fixture
def shell(tmp_path: Path, server: FakeIpinfo, database: Path) -> Shell:
    shell = Shell(tmp_path, server.url)
    shell.configure(database)
    return shell


def test_update_with_a_token_asks_ipinfo(shell: Shell, database: Path) -> None:
    first = shell.works("update", token="tok-legacy")
    second = shell.works("update", token="tok-legacy")

    assert first.stdout.startswith(f"{database}: IPinfo Lite of 2026-10-26, from http")
    assert "kept, IPinfo Lite of 2026-10-26" in second.stdout
    assert database.exists()


def test_update_without_a_token_asks_pip(
    shell: Shell, server: FakeIpinfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    error = shell.fails("update")

    assert isinstance(error, GeoError)
    assert "pip: " in str(error)
    assert server.requests == []


def test_update_from_a_file_asks_nobody(
    shell: Shell, server: FakeIpinfo, database: Path, tmp_path: Path
) -> None:
    result = shell.works("update", "--from", str(tmp_path / "fake.mmdb"))

    assert result.stdout == (
        f"{database}: IPinfo Lite of 2026-10-26, from the file fake.mmdb\n"
    )
    assert server.requests == []


def test_update_from_a_bad_file_is_one_line(shell: Shell, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mmdb"
    bad.write_text("<html>")

    error = shell.fails("update", "--from", str(bad))

    assert "of no use" in str(error)
    assert "\n" not in str(error)


def test_status_shows_what_is_in_place(shell: Shell, tmp_path: Path) -> None:
    shell.works("update", "--from", str(tmp_path / "fake.mmdb"))

    result = shell.works("status")

    assert "IPinfo Lite" in result.stdout
    assert "2026-10-26T08:03:43Z" in result.stdout
    assert "as_domain, as_name, asn" in result.stdout
    assert "CC BY-SA 4.0" in result.stdout


def test_status_as_json(shell: Shell, placed: Path) -> None:
    whole = json.loads(shell.works("status", "--json").stdout)

    assert whole["file"] == str(placed)
    assert whole["built_at"] == "2026-10-26T08:03:43Z"
    assert whole["database"] == "IPinfo Lite"
    assert whole["attribution"] == "not known"
    assert whole["age_days"] >= 0
    assert "asn" in whole["fields"]


def test_status_without_a_database_says_how_to_get_one(shell: Shell) -> None:
    assert "geo update" in str(shell.fails("status"))


def test_without_a_configured_database_there_is_nothing_to_update() -> None:
    # TOML has no null, so only a program can switch the database off.
    with pytest.raises(GeoError, match="names no file"):
        _database_path(Settings(geo=GeoSettings(database=None)))


@pytest.mark.usefixtures("placed")
def test_lookup_names_the_source_of_each_fact(shell: Shell, server: FakeIpinfo) -> None:
    result = shell.works("lookup", "192.0.2.7")

    assert "Germany  [IPinfo Lite database of 2026-10-26]" in result.stdout
    assert "64496  [IPinfo Lite" in result.stdout
    assert "50.96  [Natural Earth]" in result.stdout
    assert result.stderr == ""
    assert server.requests == []


@pytest.mark.usefixtures("placed")
def test_lookup_asks_ipinfo_when_it_is_configured(
    shell: Shell, server: FakeIpinfo
) -> None:
    result = shell.works("lookup", "192.0.2.1", "--json", token="tok-legacy")

    found = json.loads(result.stdout)
    assert (found["city"], found["field_sources"]["city"]) == ("Berlin", "IPinfo")
    assert found["as_domain"] == "hosting.example"
    assert found["source"] == "IPinfo, IPinfo Lite database of 2026-10-26"
    # Which plan the token is for is found out first.
    assert server.paths() == ["/lookup/192.0.2.1", "/192.0.2.1"]


def test_lookup_keyless(shell: Shell, database: Path, server: FakeIpinfo) -> None:
    shell.configure(database, "keyless = true")

    result = shell.works("lookup", "192.0.2.1")

    assert "Berlin  [IPinfo]" in result.stdout
    assert "no database there" in result.stderr
    assert server.requests[0].auth == "none"


@pytest.mark.usefixtures("placed")
def test_lookup_tells_who_did_not_answer(shell: Shell, server: FakeIpinfo) -> None:
    server.script("403")

    result = shell.works("lookup", "192.0.2.1", token="tok-legacy")

    assert "IPinfo: IPinfo refuses the token (HTTP 403)" in result.stderr
    assert "Germany" in result.stdout
    assert "tok-legacy" not in result.output


def test_lookup_without_any_answer_fails(shell: Shell) -> None:
    assert isinstance(shell.fails("lookup", "192.0.2.1"), ProviderError)


@pytest.mark.parametrize("text", ["10.0.0.1", "198.51.100.0/24", "notanip!"])
def test_lookup_says_why_an_address_is_not_asked_about(
    shell: Shell, server: FakeIpinfo, text: str
) -> None:
    result = shell.works("lookup", text, token="tok-legacy")

    assert "not looked up" in result.stdout
    assert server.requests == []


def test_lookup_says_when_nobody_knows(shell: Shell, database: Path) -> None:
    database.parent.mkdir()
    write_lite(database, {"198.51.100.0/24": {"country_code": "DE"}})

    assert "no source has a record" in shell.works("lookup", "192.0.2.1").stdout


def test_no_control_character_reaches_the_terminal(
    shell: Shell, server: FakeIpinfo, database: Path
) -> None:
    shell.configure(database, "keyless = true")
    server.records["192.0.2.1"] = {
        "ip": "192.0.2.1",
        "country": "DE",
        "hostname": "a\x1b]0;owned\x07\u202eb\r\n.example",
    }

    for words in (["lookup", "192.0.2.1"], ["lookup", "192.0.2.1", "--json"]):
        result = shell.works(*words)
        assert all(char.isprintable() or char == "\n" for char in result.output)
    result = shell.works("lookup", "\x1b[31m")
    assert "\x1b" not in result.output


@pytest.mark.parametrize("command", ["update", "status", "lookup"])
def test_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(cli, ["geo", command, "--help"])

    assert f"f2b-enrich geo {command}" in result.stdout
