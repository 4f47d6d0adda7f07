"""`config`: check, show, init, and the pages written from the model."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.cli import toml_text
from f2b_enrich.cli.config_text import sample
from f2b_enrich.cli.described import sections
from f2b_enrich.config import OwnJail, Settings
from f2b_enrich.config_files import load
from tests.cli import run

TOKEN = "do-not-show-this"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('host = "web1"\n[mail]\nrecipient = "noc@admins.net"\n')
    return path


def test_a_sound_configuration_is_ok(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F2B_ENRICH_SMTP_PASSWORD", TOKEN)

    ran = run("config", "check", "--config", file)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"ok     {file}",
        "ok     IPinfo token: not set",
        "ok     SMTP password: set, from the environment",
        "ok     mail: root@web1 -> noc@admins.net",
    ]


def test_all_problems_of_the_files_are_told_at_once(file: Path) -> None:
    file.write_text("hots = 1\n[mail.smtp]\nport = 0\n")

    ran = run("config", "check", "--config", file)

    assert ran.code == 1
    assert ran.out.splitlines() == [
        f"WRONG  {file}: mail.smtp.port: input should be greater than or equal to 1",
        f"WRONG  {file}: hots: no such key",
    ]


def test_own_templates_and_scanners_are_tried(file: Path, tmp_path: Path) -> None:
    templates, scanners = tmp_path / "templates", tmp_path / "scanners.toml"
    file.write_text(
        'host = "web1"\n[mail]\nrecipient = "root"\n'
        f'templates = "{templates}"\n[enrich]\nscanners = "{scanners}"\n'
    )
    assert "templates: " not in run("config", "check", "--config", file).out

    templates.mkdir()
    scanners.write_text(
        'as_of = 2026-11-22\n[[scanners]]\nname = "Ours"\n'
        'home = "https://scan.example"\nhostnames = ["scan.example"]\n'
    )
    sound = run("config", "check", "--config", file)
    assert f"ok     templates: those in {templates} render\n" in sound.out
    assert f"ok     scanners: {scanners} adds to the shipped list\n" in sound.out

    (templates / "alert.txt.jinja").write_text("{{ nobody_knows }}")
    scanners.write_text("as_of = 7")
    wrong = run("config", "check", "--config", file)
    assert wrong.code == 1
    assert "WRONG  " in wrong.out
    assert "nobody_knows" in wrong.out
    assert f"WRONG  enrich.scanners: {scanners}: " in wrong.out


RULE = """
[[rule]]
name = "{name}"
attack = "{attack}"
pattern = "knock"
example = "knock knock"
"""


def test_own_rules_are_compiled_and_counted(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rules.d"
    file.write_text(f'host = "web1"\n[classify]\nrules = "{folder}"\n')
    assert "rules: " not in run("config", "check", "--config", file).out

    folder.mkdir()
    (folder / "a.toml").write_text(RULE.format(name="own-one", attack="port-scan"))
    (folder / "b.toml").write_text(RULE.format(name="own-two", attack="other"))
    sound = run("config", "check", "--config", file)

    assert sound.code == 0
    assert f"ok     rules: 2 in {folder} before the shipped ones\n" in sound.out


def test_every_problem_of_own_rules_is_told(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rules.d"
    folder.mkdir()
    file.write_text(f'host = "web1"\n[classify]\nrules = "{folder}"\n')
    (folder / "a.toml").write_text(RULE.format(name="own-one", attack="nought"))
    (folder / "b.toml").write_text("[[rule]\n")

    wrong = run("config", "check", "--config", file)

    told = [line for line in wrong.out.splitlines() if line.startswith("WRONG")]
    assert wrong.code == 1
    assert [str(folder / name) in line for name, line in zip("ab", told, strict=True)]
    assert "nought" in told[0]


def test_problems_of_own_jails_are_one_line_each(file: Path) -> None:
    file.write_text(
        '[jails.own.shop]\nservice = "shop"\nattack = "nought"\nserves = "web"\n'
        '[jails.own]\nplain = "web"\n"" = { service = "web" }\n'
    )

    ran = run("config", "check", "--config", file)

    assert ran.code == 1
    services = (
        "'ssh', 'mail', 'web', 'ftp', 'database', 'voip', 'dns', 'vpn' or 'other'"
    )
    assert ran.out.splitlines() == [
        f"WRONG  {file}: jails.own.shop.service: input should be {services}",
        f"WRONG  {file}: jails.own.shop.attack: 'nought' is no class of attack, "
        "such as 'other'",
        f"WRONG  {file}: jails.own.shop.serves: no such key",
        f"WRONG  {file}: jails.own.plain: input should be a valid dictionary or "
        "instance of OwnJail",
        f"WRONG  {file}: jails.own..[key]: string should have at least 1 character",
    ]


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    ran = run("config", "check", "--config", tmp_path / "none.toml")

    assert ran.code == 1
    assert ran.out == f"WRONG  {tmp_path}/none.toml: No such file or directory\n"


def test_secrets_addresses_and_users_are_checked_too(
    file: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    file.write_text(
        f'ipinfo.token_file = "{token}"\n'
        'daemon.users = ["nobody-of-this-name"]\n'
        "[mail]\n"
        'recipient = "you@mail.com, noc@admins.net"\n'
        'sender = "a b"\n'
        'smtp.user = "f2b"\n'
    )

    ran = run("config", "check", "--config", file)

    assert ran.code == 1
    assert TOKEN not in ran.out
    assert [line[:40] for line in ran.out.splitlines()] == [
        f"ok     {file}"[:40],
        f"WRONG  IPinfo token: {token}"[:40],
        "ok     SMTP password: not set",
        "WRONG  mail.smtp.user is f2b, but there is no password for it"[:40],
        "WRONG  daemon.users: there is no user 'nobody-of-this-name'"[:40],
        "WRONG  mail: you@mail.com: a sample address"[:40],
        "WRONG  mail: a, b: a mail has one sender, not several"[:40],
    ]
    assert "everyone may read it, chmod o= it" in ran.out


def test_a_credential_of_the_unit_counts(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = tmp_path / "ipinfo-token"
    credential.write_text(TOKEN)
    credential.chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    out = run("config", "check", "--config", file).out

    assert "ok     IPinfo token: set, from a systemd credential\n" in out


@pytest.mark.parametrize("token", [f"{TOKEN}\n{TOKEN}", f"{TOKEN} b", f"{TOKEN}\u00e9"])
def test_a_token_that_the_daemon_refuses_is_wrong(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    reason = "the IPinfo token is not one word of printable ASCII"
    monkeypatch.setenv("F2B_ENRICH_IPINFO_TOKEN", token)
    environment = run("config", "check", "--config", file)
    (tmp_path / "ipinfo-token").write_text(token)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "ipinfo-token").chmod(0o400)
    credential = run("config", "check", "--config", file)

    for ran, origin in (
        (environment, "the environment"),
        (credential, "a systemd credential"),
    ):
        assert ran.code == 1
        assert f"WRONG  IPinfo token: {reason}, from {origin}\n" in ran.out
        assert TOKEN not in ran.out


def test_a_folder_of_credentials_that_cannot_be_reached_is_wrong(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(loop))

    out = run("config", "check", "--config", file).out

    reason = "Too many levels of symbolic links"
    assert f"WRONG  IPinfo token: {loop}/ipinfo-token: {reason}\n" in out
    assert f"WRONG  SMTP password: {loop}/smtp-password: {reason}\n" in out


def test_a_folder_of_credentials_that_is_not_there_holds_none(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path / "none", file):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

        out = run("config", "check", "--config", file).out
        assert "ok     IPinfo token: not set\n" in out


def test_show_is_a_configuration_that_means_the_same(file: Path) -> None:
    file.write_text(
        'host = "web\\"1\\""\n'
        'geo.database = ""\n'
        'enrich.reserved_networks = ["10.0.0.0/8", "fd00::/8"]\n'
        "ipinfo.keyless = true\n"
        'mail.smtp.user = "f2b \\u001b"\n'
        '[hosts.aliases]\n"old name" = "web1"\n[jails.aliases]\nSSH = "sshd"\n'
        '[jails.own."my shop.1"]\nservice = "web"\n[jails.own.two]\n'
        '[classify]\nrules = "/srv/rules"\n'
    )

    ran = run("config", "show", "--config", file)

    assert (ran.code, ran.err) == (0, "")
    again = Settings.model_validate(tomllib.loads(ran.out))
    assert again == load(file)


def test_show_masks_secrets_and_says_where_from(file: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    file.write_text(f'ipinfo.token_file = "{token}"\n')

    ran = run("config", "show", "--config", file, "--db", tmp_path / "other.db")

    lines = ran.out.splitlines()
    assert TOKEN not in ran.out
    assert lines[0] == f"# In effect: {file}"
    assert f"# ipinfo_token: set, from {token}" in lines
    assert "# smtp_password: not set" in lines
    assert "# host: not set" in lines
    assert f'path = "{tmp_path}/other.db"' in lines


def test_show_masks_what_is_secret_in_the_words_of_a_command(file: Path) -> None:
    words = (
        *(
            "/usr/local/bin/hook",
            "--retry",
            "https://hooks.chat.example/T0/B1/topsecret",
        ),
        *(
            "https://me:topsecret@ntfy.example/alerts?auth=topsecret",
            "password=topsecret",
        ),
        *("Authorization: Bearer topsecret", "/etc/hook.conf", "http://web.example"),
    )
    file.write_text(f"notify.command = {json.dumps(words)}\n")

    out = run("config", "show", "--config", file).out

    assert "topsecret" not in out
    assert tomllib.loads(out)["notify"]["command"] == [
        *("/usr/local/bin/hook", "--retry", "https://hooks.chat.example/***"),
        *("https://me:***@ntfy.example/***", "password=***"),
        *("Authorization: Bearer ***", "/etc/hook.conf", "http://web.example"),
    ]


def test_init_writes_a_sample_for_root_and_the_daemons_group(tmp_path: Path) -> None:
    target = tmp_path / "config.toml"

    ran = run("config", "init", target)

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"{target}: written\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.stat().st_gid == tmp_path.stat().st_gid
    assert load(target) == Settings()


def test_init_takes_the_file_that_config_names(tmp_path: Path) -> None:
    target = tmp_path / "config.toml"

    assert run("config", "init", "--config", target).code == 0
    assert target.read_text() == sample()


def test_init_keeps_what_is_there_unless_forced(file: Path) -> None:
    before = file.read_text()

    ran = run("config", "init", file)

    assert ran.code == 1
    assert ran.err == f"f2b-enrich: {file}: is there already, --force overwrites\n"
    assert file.read_text() == before
    assert run("config", "init", "--force", file).code == 0
    assert file.read_text() == sample()
    assert file.stat().st_mode & 0o777 == 0o640


def test_init_follows_no_link(tmp_path: Path) -> None:
    link, target = tmp_path / "config.toml", tmp_path / "elsewhere"
    target.touch()
    link.symlink_to(target)

    ran = run("config", "init", "--force", link)

    assert ran.code == 1
    assert ran.err == f"f2b-enrich: {link}: Too many levels of symbolic links\n"
    assert target.read_text() == ""


def test_init_says_when_a_folder_is_missing(tmp_path: Path) -> None:
    ran = run("config", "init", tmp_path / "none" / "config.toml")

    assert ran.code == 1
    assert ran.err.endswith("/none/config.toml: No such file or directory\n")


def test_the_sample_parses_and_holds_nothing_but_comments() -> None:
    values = tomllib.loads(sample())

    assert Settings.model_validate(values) == Settings()


def test_every_key_of_the_sample_can_be_uncommented(tmp_path: Path) -> None:
    text = re.sub(r"^#(?=\S)", "", sample(), flags=re.MULTILINE)
    path = tmp_path / "config.toml"
    path.write_text(text)

    settings = load(path)

    set_keys = {
        f"{section.name}.{key.name}" for section in sections() for key in section.keys
    }
    assert {key for key in set_keys if _at(settings, key) is None} == set()
    assert settings.jails.aliases == {"ssh-iptables": "sshd"}
    assert settings.jails.own == {
        "my-shop": OwnJail(service="web", attack="web-login-guessing")
    }
    assert settings.store == Settings().store
    assert settings.daemon == Settings().daemon


def _at(settings: Settings, path: str) -> Any:
    value: Any = settings
    for name in filter(None, path.split(".")):
        value = getattr(value, name)
    return value


def test_the_model_is_described_completely() -> None:
    described = [section.name for section in sections()]

    assert described == [
        "",
        *("store", "daemon", "enrich", "dns", "geo", "ipinfo", "mail", "mail.smtp"),
        *("alerts", "alerts.rules", "digest", "bounces", "mailbox", "notify", "own"),
        *("hosts.aliases", "jails.aliases", "jails.own", "classify", "retention"),
        *("report", "report.notes"),
    ]
    assert all(section.description for section in sections() if section.name)


@given(st.text().filter(lambda text: text.isprintable() or text.isascii()))
def test_any_text_survives_as_toml(text: str) -> None:
    written = f"{toml_text.key(text)} = {toml_text.value(text)}"

    assert tomllib.loads(written) == {text: text}


@given(st.lists(st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(0, 1e9)))
def test_any_numbers_survive_as_toml(values: list[bool | int | float]) -> None:
    assert tomllib.loads(f"a = {toml_text.value(values)}") == {"a": values}
