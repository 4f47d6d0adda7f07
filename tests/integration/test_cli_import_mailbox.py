"""`import mailbox` and `import mail --imap`: what is new, once."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import trustme

from f2b_enrich.cli import import_imap
from tests.cli import Ran, run
from tests.imap_server import CAN_RUN, PASSWORD, Dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def report(ip: str, host: str = "web1.example") -> bytes:
    return (
        f"Subject: [Fail2Ban] sshd: banned {ip} from {host}\r\n"
        f"Date: Sat, 21 Nov 2026 19:14:03 +0000\r\n"
        f"From: Fail2Ban <root@{host}>\r\n"
        f"Message-ID: <{ip}@{host}>\r\n\r\n"
        f"Hi,\r\n\r\nThe IP {ip} has just been banned by Fail2Ban after\r\n"
        "5 attempts against sshd.\r\n\r\nRegards,\r\n\r\nFail2Ban\r\n"
    ).encode()


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    maildir = tmp_path / "Maildir"
    for part in ("tmp", "new", "cur"):
        (maildir / part).mkdir(parents=True)
    return maildir


@pytest.fixture
def config(tmp_path: Path, maildir: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f'host = "hub.example"\n[store]\npath = "{tmp_path}/bans.db"\n'
        f'[mailbox]\nmaildir = "{maildir}"\n'
        '[hosts.aliases]\n"old.example" = "web1.example"\n'
    )
    return path


def deliver(maildir: Path, name: str, content: bytes) -> None:
    (maildir / "new" / name).write_bytes(content)


def mailbox(config: Path, *words: str) -> Ran:
    return run("import", "mailbox", "--config", config, *words)


def bans(config: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(config.with_name("bans.db"))) as store:
        found = store.execute("SELECT host, jail, ip FROM bans ORDER BY host, ip")
        return [(str(row[0]), str(row[1]), str(row[2])) for row in found]


def test_what_is_new_comes_in_under_the_names_that_are_kept(
    config: Path, maildir: Path
) -> None:
    deliver(maildir, "1", report("192.0.2.7"))
    deliver(maildir, "2", report("192.0.2.8", "old.example"))
    deliver(maildir, "3", report("192.0.2.9", "mail1.example"))

    ran = mailbox(config)

    assert (ran.code, ran.err) == (0, "")
    assert "3 mails" in ran.out
    assert bans(config) == [
        ("mail1.example", "sshd", "192.0.2.9"),
        ("web1.example", "sshd", "192.0.2.7"),
        ("web1.example", "sshd", "192.0.2.8"),
    ]
    assert sorted(file.name for file in (maildir / "new").iterdir()) == ["1", "2", "3"]


def test_the_next_run_reads_what_has_come_since(config: Path, maildir: Path) -> None:
    deliver(maildir, "1", report("192.0.2.7"))
    mailbox(config)
    quiet = mailbox(config)
    deliver(maildir, "2", report("192.0.2.8"))

    ran = mailbox(config)

    assert quiet == Ran(0, "", "")
    assert "1 mail " in ran.out
    assert "1 new, 0 already there" in ran.out
    again = mailbox(config, "--again")
    assert "2 mails" in again.out
    assert "0 new, 2 already there" in again.out


def test_a_maildir_is_gone_on_with_whatever_its_path(
    config: Path, maildir: Path
) -> None:
    named = maildir.rename(maildir.with_name("Reports of web1 of 2026"))
    config.write_text(config.read_text().replace(str(maildir), str(named)))
    deliver(named, "1", report("192.0.2.7"))
    assert "1 mail " in mailbox(config).out

    assert mailbox(config) == Ran(0, "", "")


def test_a_dry_run_remembers_nothing(config: Path, maildir: Path) -> None:
    deliver(maildir, "1", report("192.0.2.7"))

    assert "nothing is stored" in mailbox(config, "--dry-run").out
    assert "1 new" in mailbox(config).out


def test_all_of_one_server(config: Path, maildir: Path) -> None:
    config.write_text(
        config.read_text().replace("[mailbox]\n", '[mailbox]\nhost = "only.example"\n')
    )
    deliver(maildir, "1", report("192.0.2.7"))
    mailbox(config)

    assert bans(config) == [("only.example", "sshd", "192.0.2.7")]


def test_what_cannot_be_read_is_one_line(config: Path, maildir: Path) -> None:
    (maildir / "new").rmdir()
    gone = mailbox(config)
    config.write_text(f'[store]\npath = "{config.with_name("bans.db")}"\n')
    unset = mailbox(config)

    assert gone.code == unset.code == 1
    assert gone.err == (f"f2b-enrich: {maildir / 'new'}: No such file or directory\n")
    assert unset.err == ("f2b-enrich: mailbox.maildir: no mailbox is set to be read\n")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "name either what to read or a folder with --imap"),
        (("x.mbox", "--imap", "imap://a@localhost/"), "name either what to read"),
        (("x.mbox", "--plain"), "belong to --imap"),
        (("--imap", "https://a@localhost/"), "is no URL like"),
        (("--imap", "imaps://a:hunter2@localhost/"), "holds a password"),
    ],
)
def test_wrong_usage(
    config: Path,
    words: tuple[str, ...],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("F2B_ENRICH_IMAP_PASSWORD", "secret")
    ran = run("import", "mail", "--config", config, *words)

    assert ran.code == 2
    assert problem in ran.err
    assert "hunter2" not in ran.err


def test_a_password_is_needed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_imap, "USUAL_FILE", tmp_path / "none")
    url = "imaps://a@localhost/"
    ran = run("import", "mail", "--config", config, "--imap", url)

    assert ran.code == 2
    assert "--imap needs a password" in ran.err


def test_the_usual_file_is_read_where_nothing_else_tells_the_password(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "imap-password"
    usual.write_text("secret\n")
    usual.chmod(0o600)
    monkeypatch.setattr(import_imap, "USUAL_FILE", usual)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"imaps://a@127.0.0.1:{port}/"
    words = ("import", "mail", "--config", config, "--imap", url)

    asked = run(*words)
    usual.chmod(0o644)
    refused = run(*words)
    monkeypatch.setenv("F2B_ENRICH_IMAP_PASSWORD", "other")
    not_read = run(*words)

    assert asked.err.endswith("Connection refused\n")
    assert refused.err == f"f2b-enrich: {usual}: everyone may read it, chmod o= it\n"
    assert not_read == asked


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Dovecot]:
    if not CAN_RUN:
        pytest.skip("needs Dovecot, and root")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Dovecot(certificate=authority.issue_cert("localhost")) as server:
        yield server


def test_a_folder_of_a_server_is_gone_on_with(
    server: Dovecot, config: Path, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    words = ("import", "mail", "--json", "--config", config)
    imap = ("--imap", server.url("reports"), "--ca-file", tmp_path / "ca.pem")
    for number in (7, 8):
        server.deliver(report(f"192.0.2.{number}"), folder="reports")
    first = run(*words, *imap, "--password-file", password)
    server.deliver(report("192.0.2.9"), folder="reports")

    second = run(*words, *imap, "--password-file", password)
    third = run(*words, *imap, "--password-file", password)

    assert (first.code, first.err) == (0, "")
    facts = [json.loads(ran.out) for ran in (first, second, third)]
    assert [fact["read"] for fact in facts] == [2, 1, 0]
    assert [ip for _, _, ip in bans(config)] == [f"192.0.2.{n}" for n in (7, 8, 9)]
    password.write_text("wrong")
    refused = run(*words, *imap, "--password-file", password)
    assert refused.code == 1
    assert refused.err.endswith(": refuses the name or password\n")
    assert refused.err.count("\n") == 1
