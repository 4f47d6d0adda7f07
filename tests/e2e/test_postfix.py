"""The mail leaves: Debian's Postfix, and a daemon that is a user of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab, until
from tests import own_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

MAILBOX = 64323
"""Whose the delivered mail is; a number that no system gives to anybody."""

# Nothing of the system's instance: own configuration, queue, log and port, no alias
# file, no user. Mail for `root` goes to root@localhost, as on every server.
MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log/maillog
maillog_file_prefixes = {root}
myhostname = web1.example.org
mydestination =
alias_maps =
alias_database =
virtual_mailbox_domains = localhost, web1.example.org
virtual_mailbox_maps = inline:{{ root@localhost=root/ }}
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:{mailbox}
virtual_gid_maps = static:{mailbox}
virtual_minimum_uid = {mailbox}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = error:nothing leaves this machine
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """An instance of its own, in a folder."""

    root: Path
    port: int

    def mails(self) -> list[EmailMessage]:
        """Read what was delivered to root's mailbox."""
        return [
            message_from_bytes(file.read_bytes(), policy=policy.default)
            for file in sorted((self.root / "mail" / "root" / "new").glob("*"))
        ]

    def log(self) -> str:
        return (self.root / "log" / "maillog").read_text("utf-8", "replace")


@pytest.fixture
def postfix(short_folder: Path) -> Iterator[Postfix]:
    root = short_folder / "postfix"
    for name in ("etc", "queue", "data", "mail", "log"):
        (root / name).mkdir(parents=True)
    shutil.chown(root / "data", "postfix")
    os.chown(root / "mail", MAILBOX, MAILBOX)
    port = free_port()
    (root / "etc" / "main.cf").write_text(MAIN.format(root=root, mailbox=MAILBOX))
    (root / "etc" / "master.cf").write_text(MASTER.format(port=port))
    command = ("postfix", "-c", str(root / "etc"))
    subprocess.run((*command, "start"), check=True, capture_output=True)
    try:
        assert until(lambda: answers(port))
        yield Postfix(root, port)
    finally:
        subprocess.run((*command, "stop"), check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=5) as peer,
    ):
        return peer.recv(3) == b"220"
    return False


@pytest.fixture
def lab(short_folder: Path, as_nobody: tuple[str, ...]) -> Iterator[Lab]:
    """Give a server whose daemon is a user of its own, without new privileges."""
    del as_nobody  # it says why this cannot be tested where it cannot
    with Lab(short_folder, python=str(own_user.python(short_folder))) as lab:
        own_user.lay_out(lab)
        yield lab


def test_a_real_ban_becomes_a_mail_in_roots_mailbox(lab: Lab, postfix: Postfix) -> None:
    lab.write_config(
        store={"path": str(lab.store)},
        geo={"database": ""},
        mail={"allow_domains": ["example.org"]},
        mail__smtp={"host": "127.0.0.1", "port": postfix.port},
    )
    own_user.start(lab)
    assert lab.daemon is not None
    status = (lab.root / f"/proc/{lab.daemon.pid}/status").read_text()
    assert f"Uid:\t{own_user.DAEMON}\t{own_user.DAEMON}\t" in status
    assert "NoNewPrivs:\t1\n" in status
    lab.write_fail2ban()
    lab.start_fail2ban()

    lab.attack("192.0.2.7")

    assert until(lambda: bool(postfix.mails()), seconds=60), (
        f"{lab.daemon_log()[-2000:]}\n{postfix.log()[-2000:]}"
    )
    (mail,) = postfix.mails()
    assert "banned 192.0.2.7" in mail["Subject"]
    assert mail["Return-Path"] == "<root@web1.example.org>"
    assert mail["X-Original-To"] == "root@localhost"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Failed password for root from 192.0.2.7" in text.get_content()
    assert "status=sent (delivered to maildir)" in postfix.log()
