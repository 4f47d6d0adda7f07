"""Every problem is told at once, each with file and key; secrets are told nowhere."""

from __future__ import annotations

import os
import socket
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.config import Settings
from f2b_enrich.config_files import load
from f2b_enrich.credentials import Secrets, load_secrets
from f2b_enrich.errors import ConfigError

SECRET = "hunter2-7f3a"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def drop_in(path: Path, name: str, text: str) -> Path:
    folder = path.parent / "config.d"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder / name


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert all("\n" not in problem for problem in refused.value.problems)
    return refused.value.problems


def test_an_empty_file_works(path: Path) -> None:
    path.touch()
    assert load(path) == Settings()


def test_a_missing_file_is_a_problem_only_where_it_must_exist(path: Path) -> None:
    assert load(path, must_exist=False) == Settings()
    assert problems(path) == (f"{path}: No such file or directory",)


def test_drop_ins_are_read_without_the_file_itself(path: Path) -> None:
    drop_in(path, "host.toml", 'host = "web1"')
    assert load(path, must_exist=False).host == "web1"


def test_an_empty_name_of_a_database_is_none(path: Path) -> None:
    path.write_text('[geo]\ndatabase = ""')
    assert load(path).geo.database is None


@pytest.mark.parametrize("table", ["", "[mailbox]\n"])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (" ", "is empty, expected a name such as web1.example"),
        ("a b", "holds a blank or a character that cannot be seen"),
        ("\\u202eweb1", "holds a blank or a character that cannot be seen"),
        ("\\u001b[2J", "holds a blank or a character that cannot be seen"),
        ("a" * 256, "has 256 characters, the limit is 255"),
    ],
)
def test_a_host_has_a_name_that_can_be_seen(
    path: Path, table: str, name: str, fault: str
) -> None:
    path.write_text(f'{table}host = "{name}"')
    key = "mailbox.host" if table else "host"
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert refused.value.problems == (f"{path}: {key}: {fault}",)


def test_the_host_name_is_the_machines_unless_written(path: Path) -> None:
    assert Settings().host_name == socket.gethostname()
    path.write_text('host = "web1.example.net"')
    assert load(path).host_name == "web1.example.net"


def test_drop_ins_add_key_by_key_and_the_last_name_wins(path: Path) -> None:
    path.write_text('[mail.smtp]\nhost = "a"\nport = 26\n[jails.aliases]\nSSH = "sshd"')
    drop_in(path, "20.toml", "[mail.smtp]\nport = 28")
    drop_in(path, "10.toml", "[mail.smtp]\nport = 27\n[jails.aliases]\nssh = 'sshd'")
    settings = load(path)
    assert (settings.mail.smtp.host, settings.mail.smtp.port) == ("a", 28)
    assert settings.jails.aliases == {"SSH": "sshd", "ssh": "sshd"}


@pytest.mark.parametrize("name", ["mail.toml.swp", ".#mail.toml", "mail.conf"])
def test_an_editors_files_are_no_drop_ins(path: Path, name: str) -> None:
    path.touch()
    drop_in(path, name, "not = [toml")
    assert load(path) == Settings()


def test_all_problems_of_all_files_are_told_each_with_file_and_key(path: Path) -> None:
    path.write_text(
        "unknown = 1\n[mail]\nwait_seconds = nan\n[mail.smtp]\nport = 70000\n"
        'security = "ssl"\n[enrich]\nreserved_networks = ["10.0.0.0/8", "10.0.0.1/8"]'
    )
    second = drop_in(path, "10.toml", "[ipinfo]\nbase_url = 'ftp://x'\nkeyles = true")
    third = drop_in(path, "20.toml", "[mail\n")
    fourth = drop_in(path, "30.toml", "[jails.aliases]\nSSH = ''")
    found = problems(path)
    assert sorted(found) == sorted(
        [
            f"{path}: unknown: no such key",
            f"{path}: mail.wait_seconds: input should be less than or equal to 600",
            f"{path}: mail.smtp.port: input should be less than or equal to 65535",
            f"{path}: mail.smtp.security: input should be 'plain', 'starttls' or 'tls'",
            f"{path}: enrich.reserved_networks.1: 10.0.0.1/8 has host bits set",
            f"{second}: ipinfo.base_url: "
            r"string should match pattern '^https?://\S+$'",
            f"{second}: ipinfo.keyles: no such key",
            f"{third}: Expected ']' at the end of a table declaration "
            "(at line 1, column 6)",
            f"{fourth}: jails.aliases.SSH: string should have at least 1 character",
        ]
    )


def test_a_section_that_is_no_table_is_named(path: Path) -> None:
    path.write_text("mail = 5")
    drop_in(path, "10.toml", "[mail.smtp]\nport = 27")
    (problem,) = problems(path)
    assert problem.startswith(f"{path}: mail: input should be")


def test_bytes_that_are_no_utf8_are_a_problem(path: Path) -> None:
    path.write_bytes(b'host = "\xff"')
    (problem,) = problems(path)
    assert problem.startswith(f"{path}: 'utf-8' codec can't decode")


@given(st.binary())
def test_any_bytes_are_settings_or_problems(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_bytes(raw)
    try:
        load(path)
    except ConfigError as exc:
        found = exc.problems
    else:
        found = ("",)
    assert found


def test_a_password_is_not_sent_in_clear_over_a_network(path: Path) -> None:
    path.write_text('[mail.smtp]\nhost = "mail.example.net"\nuser = "alerts"')
    assert problems(path) == (
        f"{path}: mail: smtp.user needs smtp.security starttls or tls: the password "
        "would cross the network to mail.example.net in clear",
    )


def test_what_a_drop_in_puts_right_is_no_problem(path: Path) -> None:
    path.write_text('[mail.smtp]\nhost = "mail.example.net"\nuser = "alerts"')
    drop_in(path, "tls.toml", '[mail.smtp]\nsecurity = "tls"')
    assert load(path).mail.smtp.security == "tls"


def test_a_password_may_go_to_this_machine_in_clear(path: Path) -> None:
    path.write_text('[mail.smtp]\nuser = "alerts"')
    assert load(path).mail.smtp.user == "alerts"


def test_a_secret_in_the_wrong_place_is_not_repeated(path: Path) -> None:
    path.write_text(
        f'[mail.smtp]\npassword = "{SECRET}"\n[ipinfo]\ntoken = "{SECRET}"\n'
        f'keyless = "{SECRET}"'
    )
    with pytest.raises(ConfigError) as refused:
        load(path)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert SECRET not in told
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize("value", ["true", '"25"', "25.0"])
def test_a_number_is_a_number(path: Path, value: str) -> None:
    path.write_text(f"[mail.smtp]\nport = {value}")
    assert problems(path) == (
        f"{path}: mail.smtp.port: input should be a valid integer",
    )


def test_a_number_may_be_whole_but_not_true(path: Path) -> None:
    path.write_text("[mail]\nwait_seconds = true\nprolong_wait_seconds = 7")
    assert problems(path) == (
        f"{path}: mail.wait_seconds: input should be a valid number",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="chmod of one's own file hides nothing")
@pytest.mark.parametrize("closed", ["config.toml", "config.d"])
def test_what_may_not_be_read_is_a_problem_not_a_default(
    path: Path, short_folder: Path, closed: str
) -> None:
    path = short_folder / "config.toml"
    path.write_text('host = "web1"')
    drop_in(path, "mail.toml", '[mail]\nrecipient = "ops"')
    (short_folder / closed).chmod(0o700)
    os.seteuid(65534)
    try:
        assert problems(path) == (f"{short_folder / closed}: Permission denied",)
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="chmod of one's own file hides nothing")
def test_a_folder_that_may_not_be_entered_does_not_count_as_missing(
    short_folder: Path,
) -> None:
    inside = short_folder / "etc"
    inside.mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match="Permission denied"):
            load(inside / "config.toml", must_exist=False)
    finally:
        os.seteuid(0)


def with_files(folder: Path, mode: int = 0o640) -> Settings:
    """Give settings that name a file for each secret."""
    for name in ("token", "password"):
        (folder / name).write_text(f"{name} {SECRET}\n")
        (folder / name).chmod(mode)
    return Settings.model_validate(
        {
            "ipinfo": {"token_file": folder / "token"},
            "mail": {"smtp": {"password_file": folder / "password"}},
        }
    )


def revealed(secrets: Secrets) -> tuple[str | None, str | None]:
    token, password = secrets.ipinfo_token, secrets.smtp_password
    return (
        None if token is None else token.get_secret_value(),
        None if password is None else password.get_secret_value(),
    )


def test_secrets_come_from_named_files_without_their_line_break(tmp_path: Path) -> None:
    secrets = load_secrets(with_files(tmp_path), {})
    assert revealed(secrets) == (f"token {SECRET}", f"password {SECRET}")


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    secrets = load_secrets(with_files(tmp_path), {})
    shown = [repr(secrets), str(secrets), str(secrets.model_dump())]
    shown += [secrets.model_dump_json(), f"{secrets.ipinfo_token}"]
    assert SECRET not in "".join(shown)


def test_secrets_come_from_a_systemd_credential(tmp_path: Path) -> None:
    (tmp_path / "ipinfo-token").write_text("credential\n")
    (tmp_path / "ipinfo-token").chmod(0o400)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    environ |= {"F2B_ENRICH_IPINFO_TOKEN": "from the environment"}
    assert revealed(load_secrets(Settings(), environ)) == ("credential", None)


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "F2B_ENRICH_IPINFO_TOKEN": " token ",
        "F2B_ENRICH_SMTP_PASSWORD": "password",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    assert revealed(load_secrets(Settings(), environ)) == ("token", "password")


def test_a_named_file_comes_before_credential_and_environment(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "ipinfo-token").write_text("credential")
    environ = {"CREDENTIALS_DIRECTORY": str(folder), "F2B_ENRICH_IPINFO_TOKEN": "env"}
    secrets = load_secrets(with_files(tmp_path), environ)
    assert revealed(secrets)[0] == f"token {SECRET}"


@pytest.mark.parametrize("environ", [{}, {"F2B_ENRICH_IPINFO_TOKEN": " \n"}])
def test_a_secret_that_is_nowhere_is_none(environ: dict[str, str]) -> None:
    assert revealed(load_secrets(Settings(), environ)) == (None, None)


@pytest.mark.parametrize("mode", [0o644, 0o602, 0o641])
def test_secrets_that_everyone_may_touch_are_refused_all_at_once(
    tmp_path: Path, mode: int
) -> None:
    settings = with_files(tmp_path, mode)
    with pytest.raises(ConfigError) as refused:
        load_secrets(settings, {})
    assert refused.value.problems == tuple(
        f"{tmp_path / name}: everyone may read it, chmod o= it"
        for name in ("token", "password")
    )


def test_a_secret_file_that_is_missing_or_no_text_is_a_problem(tmp_path: Path) -> None:
    settings = with_files(tmp_path)
    (tmp_path / "token").unlink()
    (tmp_path / "password").write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(ConfigError) as refused:
        load_secrets(settings, {})
    assert refused.value.problems == (
        f"{tmp_path / 'token'}: No such file or directory",
        f"{tmp_path / 'password'}: is not UTF-8 text",
    )
    told = "".join(traceback.format_exception(refused.value))
    assert SECRET not in told
