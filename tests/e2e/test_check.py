"""Broken set-ups of real programs, each named by `check` with its cure."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socketserver
import sqlite3
import threading
import time
import tomllib
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from ipaddress import ip_network
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from demo.lab import PROJECT, until
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.removal import remove_bans
from tests.cli import run
from tests.e2e.lasting import lasting_site
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.site import Site

NOBODY = 65534
LONG_AGO = 1_600_000_000
OWN_JAIL = """
[own]
enabled = true
filter = sshd
backend = polling
logpath = {root}/own.log
action = %(action_)s
"""

Break: TypeAlias = "Callable[[Site], AbstractContextManager[object]]"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One server for all: each break is mended again."""
    with lasting_site() as lasting:
        (lasting.lab.root / "own.log").touch()
        yield lasting


def check(site: Site, *words: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the command; give its exit code and the links."""
    ran = run("check", "--json", "--config", site.lab.config, *words)
    assert ran.err == ""
    answer = json.loads(ran.out)
    assert answer["exit_code"] == ran.code
    return ran.code, answer["links"]


@contextmanager
def moved(path: Path) -> Iterator[Path]:
    """Have something out of the way for a while."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        yield aside
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        aside.rename(path)


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


@contextmanager
def owner(path: Path, user: int) -> Iterator[None]:
    os.chown(path, user, -1)
    try:
        yield
    finally:
        os.chown(path, 0, -1)


@contextmanager
def configured(site: Site, **sections: dict[str, object]) -> Iterator[None]:
    """Have `check` read another configuration than the daemon has."""
    site.configure(**sections)
    try:
        yield
    finally:
        site.configure()


@contextmanager
def paused(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@contextmanager
def rewritten(site: Site, name: str, change: Callable[[str], str]) -> Iterator[None]:
    """Change a file of fail2ban's, and have it read before and after."""
    file = site.lab.root / "etc" / name
    before = file.read_text()
    file.write_text(change(before))
    try:
        site.lab.fail2ban("reload")
        yield
    finally:
        file.write_text(before)
        site.lab.fail2ban("reload")


def told(site: Site, option: str, value: object) -> AbstractContextManager[None]:
    """Change what our action is told, as an administrator would."""

    def change(text: str) -> str:
        others = [line for line in text.splitlines() if not line.startswith(option)]
        return "\n".join([*others, f"{option} = {value}\n"])

    return rewritten(site, "action.d/f2b-enrich.local", change)


@contextmanager
def fail2ban_down(site: Site) -> Iterator[None]:
    site.lab.stop_fail2ban()
    pid = site.lab.root / "run" / "fail2ban.pid"
    assert until(lambda: not pid.exists())
    try:
        yield
    finally:
        site.lab.start_fail2ban()


@contextmanager
def down_without_log(site: Site) -> Iterator[None]:
    with fail2ban_down(site), moved(site.lab.log):
        yield


@contextmanager
def fail2ban_hangs(site: Site) -> Iterator[None]:
    pid = (site.lab.root / "run" / "fail2ban.pid").read_text()
    with paused(int(pid)):
        yield


@contextmanager
def no_jail_has_it(site: Site) -> Iterator[None]:
    site.lab.fail2ban("set", "sshd", "delaction", "f2b-enrich")
    try:
        yield
    finally:
        site.lab.fail2ban("restart")
        assert until(lambda: "f2b-enrich" in actions(site))


def actions(site: Site) -> str:
    with contextlib.suppress(Exception):
        return site.lab.fail2ban("get", "sshd", "actions")
    return ""


def one_jail_has_its_own(site: Site) -> AbstractContextManager[None]:
    jail = OWN_JAIL.format(root=site.lab.root)
    return rewritten(site, "jail.local", lambda text: text + jail)


@contextmanager
def action_outlived_its_file(site: Site) -> Iterator[None]:
    with moved(site.lab.root / "etc" / "jail.d" / "f2b-enrich.conf"):
        yield


@contextmanager
def client_of(site: Site, change: Callable[[str], str]) -> Iterator[None]:
    """Have the jail run a changed copy of the client."""
    folder = site.lab.root / "lib"
    folder.mkdir()
    for name in ("client.py", "handover.py"):
        shutil.copy(PROJECT / "f2b_enrich" / name, folder)
    handover = folder / "handover.py"
    handover.write_text(change(handover.read_text()))
    try:
        with told(site, "client", folder / "client.py"):
            yield
    finally:
        shutil.rmtree(folder)


@contextmanager
def daemon_down(site: Site) -> Iterator[None]:
    site.lab.stop_daemon()
    try:
        yield
    finally:
        site.lab.start_daemon()


@contextmanager
def daemon_hangs(site: Site) -> Iterator[None]:
    assert site.lab.daemon is not None
    with paused(site.lab.daemon.pid):
        yield


@contextmanager
def socket_is_a_file(site: Site) -> Iterator[None]:
    with moved(site.lab.socket):
        site.lab.socket.touch()
        yield


class _Stranger(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"220 mail.example.org ESMTP \x1b[31m\r\n")


@contextmanager
def somebody_else_listens(site: Site) -> Iterator[None]:
    path = str(site.lab.socket)
    with moved(site.lab.socket), socketserver.UnixStreamServer(path, _Stranger) as odd:
        thread = threading.Thread(target=odd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            odd.shutdown()
            thread.join()


@contextmanager
def unreadable_in_spool(site: Site) -> Iterator[None]:
    bad = site.lab.root / "spool" / "bad"
    bad.mkdir()
    (bad / "1-1-3.ban").write_bytes(b"odd")
    try:
        yield
    finally:
        shutil.rmtree(bad)


@contextmanager
def stuck_in_spool(site: Site) -> Iterator[None]:
    file = site.lab.root / "spool" / "00000000000000000001-1-3.ban"
    with daemon_hangs(site):
        file.write_bytes(b"odd")
        os.utime(file, (LONG_AGO, LONG_AGO))
        try:
            yield
        finally:
            file.unlink()


@contextmanager
def events_lost(site: Site) -> Iterator[None]:
    lost = site.lab.socket.parent / "lost"
    lost.write_text("EVENT=ban JAIL=sshd IP=192.0.2.7\n")
    try:
        yield
    finally:
        lost.unlink()


@contextmanager
def old_database(site: Site) -> Iterator[None]:
    with moved(site.lab.root / "geo.mmdb"):
        write_lite(site.lab.root / "geo.mmdb", built_at=LONG_AGO)
        yield


@contextmanager
def damaged_database(site: Site) -> Iterator[None]:
    with moved(site.lab.root / "geo.mmdb"):
        (site.lab.root / "geo.mmdb").write_bytes(b"odd" * 1000)
        yield


@contextmanager
def token(
    site: Site, word: str, *, url: str = "", quota: int = 1
) -> Iterator[FakeIpinfo]:
    file = site.lab.root / "token"
    file.write_text(word)
    file.chmod(0o600)
    with FakeIpinfo() as fake:
        fake.quotas[word] = quota
        section: dict[str, object] = {
            "token_file": str(file),
            "base_url": url or fake.url,
            "plan": "lite",
        }
        with configured(site, ipinfo=section):
            yield fake


@contextmanager
def mail_server_says(site: Site, verb: str, reply: str) -> Iterator[None]:
    site.smtp.replies[verb] = reply
    try:
        yield
    finally:
        del site.smtp.replies[verb]
        assert site.smtp.received == []


@contextmanager
def banned(site: Site, ip: str) -> Iterator[None]:
    site.lab.fail2ban("set", "sshd", "banip", ip)
    site.wait_for_row("SELECT 1 FROM bans WHERE ip = ?", ip)
    try:
        yield
    finally:
        site.lab.fail2ban("set", "sshd", "unbanip", ip)
        sent = "SELECT 1 FROM outbox WHERE state = 'sent'"
        assert until(lambda: bool(site.rows(sent)))
        with open_writer(site.lab.store) as store, transaction(store):
            assert remove_bans(store, "sshd", ip) == 1
        site.smtp.received.clear()


def of_a_cdn() -> str:
    """Take an address from the shipped list, where no documentation address is."""
    text = resources.files("f2b_enrich.enrich").joinpath("relations.toml").read_text()
    return str(ip_network(tomllib.loads(text)["cdn"][0]["networks"][0])[1])


@dataclass(frozen=True)
class Case:
    """A broken set-up, and what `check` has to say of it."""

    name: str
    make: Break
    link: str
    level: str
    text: str
    cure: str

    def fits(self, link: dict[str, Any]) -> bool:
        return (
            (link["name"], link["level"]) == (self.link, self.level)
            and self.text in link["text"]
            and self.cure in link["cure"]
        )


CASES = (
    Case("fail2ban is down", fail2ban_down, "fail2ban", "CRIT",
         "does not run", "systemctl start fail2ban"),
    Case("the journal is the only log", down_without_log, "fail2ban", "CRIT",
         "log file for sshd", '"backend = systemd" into [sshd]'),
    Case("a log went away", lambda site: moved(site.lab.log), "fail2ban", "WARN",
         "would not start again", "backend = systemd"),
    Case("fail2ban hangs", fail2ban_hangs, "fail2ban", "CRIT",
         "does not answer", "systemctl restart fail2ban"),
    Case("no jail has the action", no_jail_has_it, "jails", "CRIT",
         "sshd lacks our action: fail2ban has not taken", "f2b-enrich action add"),
    Case("one jail has its own", one_jail_has_its_own, "jails", "WARN",
         "own lacks our action: own 'action =' in",
         'append there "%(action_f2b_enrich)s"'),
    Case("the action will be gone", action_outlived_its_file, "jails", "WARN",
         "the next start of fail2ban drops it", "%(action_f2b_enrich)s"),
    Case("our jail.d file is gone", action_outlived_its_file, "jails", "CRIT",
         "jail.d/f2b-enrich.conf is not there", "run install.sh again"),
    Case("wrong client", lambda site: told(site, "client", "/none/client.py"),
         "client", "CRIT", "/none/client.py is not there (jail sshd)", "set client ="),
    Case("wrong Python", lambda site: told(site, "python", "/none/python3"),
         "client", "CRIT", "/none/python3 is not there", "set python ="),
    Case("client does not run", lambda site: client_of(site, lambda _: "("),
         "client", "CRIT", "does not run (jail sshd): SyntaxError", "install.sh"),
    Case("no client at all", lambda site: told(site, "python", "/bin/true"),
         "client", "CRIT", "nothing arrived", "install.sh"),
    Case("another version", lambda site: client_of(site, lambda code: f"{code}# old\n"),
         "client", "WARN", "handover.py beside", "run install.sh again"),
    Case("other socket", lambda site: told(site, "socket", "/run/other.sock"),
         "jails", "CRIT", "sshd: the socket is /run/other.sock", "set socket = "),
    Case("other spool", lambda site: told(site, "spool", "/var/spool/other"),
         "jails", "CRIT", "sshd: the spool is /var/spool/other", "set spool = "),
    Case("the daemon is down", daemon_down, "daemon", "CRIT",
         "f2b-enrich.sock", "systemctl restart f2b-enrich.socket f2b-enrich"),
    Case("the daemon hangs", daemon_hangs, "daemon", "CRIT",
         "no answer on", "systemctl restart f2b-enrich.socket"),
    Case("no socket", lambda site: moved(site.lab.socket), "daemon", "CRIT",
         "there is no socket", "systemctl restart f2b-enrich.socket f2b-enrich"),
    Case("the socket is a file", socket_is_a_file, "daemon", "CRIT",
         "is no socket", "remove it"),
    Case("somebody else listens", somebody_else_listens, "daemon", "CRIT",
         "another program listens", "stop that program"),
    Case("somebody else's socket", lambda site: owner(site.lab.socket, NOBODY),
         "daemon", "CRIT", f"belongs to user {NOBODY}", "remove it"),
    Case("the store is read-only", lambda site: mode(site.lab.store, 0o440),
         "store", "CRIT", "takes no writes", "chmod u+w"),
    Case("the store is another's", lambda site: owner(site.lab.store, NOBODY),
         "store", "CRIT", f"belongs to user {NOBODY}", "chown --reference="),
    Case("unreadable in the spool", unreadable_in_spool, "spool", "WARN",
         "no events", "remove them"),
    Case("the spool takes nothing", lambda site: mode(site.lab.root / "spool", 0o550),
         "spool", "CRIT", "takes no files", "-m 2770"),
    Case("no spool", lambda site: moved(site.lab.root / "spool"), "spool", "CRIT",
         "is not there", "install -d -o root -g f2b-enrich -m 2770"),
    Case("the spool is stuck", stuck_in_spool, "spool", "WARN",
         "no daemon takes them", "systemctl restart f2b-enrich.socket"),
    Case("events were lost", events_lost, "spool", "CRIT", "1 event found", "own log"),
    Case("no database", lambda site: moved(site.lab.root / "geo.mmdb"), "geo", "WARN",
         "no local database", "f2b-enrich geo update"),
    Case("an old database", old_database, "geo", "WARN",
         "(limit 35)", "f2b-enrich geo update"),
    Case("a damaged database", damaged_database, "geo", "CRIT",
         "not a database", "f2b-enrich geo update"),
    Case("the token is refused", lambda site: token(site, "unknown"), "ipinfo", "CRIT",
         "refuses the token", "compare the token"),
    Case("the quota is used up", lambda site: token(site, "tok-free", quota=0),
         "ipinfo", "WARN", "quota", "larger plan"),
    Case("IPinfo is away", lambda site: token(site, "tok-free", url=refusing_url()),
         "ipinfo", "WARN", "cannot be reached", "ipinfo.proxy"),
    Case("no database wanted", lambda site: configured(site, geo={"database": ""}),
         "geo", "WARN", "none is configured", "set geo.database"),
    Case("a sample recipient",
         lambda site: configured(site, mail={"recipient": "you@mail.com"}),
         "mail", "CRIT", "you@mail.com is refused", "set mail.recipient"),
    Case("no mail server", lambda site: configured(site, mail__smtp={"port": 1}),
         "mail", "CRIT", "127.0.0.1:1", "whether a mail server listens"),
    Case("the recipient is refused",
         lambda site: mail_server_says(site, "RCPT", "550 5.1.1 nobody here"),
         "mail", "CRIT", "nobody here", "set mail.recipient"),
    Case("the mail server wants to wait",
         lambda site: mail_server_says(site, "MAIL", "450 4.7.1 come back"),
         "mail", "WARN", "come back", "tried again"),
    Case("no sendmail",
         lambda site: configured(
             site, mail={"transport": "sendmail", "sendmail": "/none/sendmail"}
         ),
         "mail", "CRIT", "/none/sendmail", "install a mail server"),
    Case("a CDN is banned", lambda site: banned(site, of_a_cdn()), "banned", "WARN",
         "banned by sshd", "log its visitors' addresses"),
)  # fmt: skip


def batches() -> Iterator[tuple[Case, ...]]:
    """Break several things at once that know nothing of each other: it saves minutes.

    No two of one kind come together.
    """
    kinds: dict[str, list[Case]] = {}
    for case in CASES:
        kinds.setdefault(KINDS.get(case.name, KINDS[case.link]), []).append(case)
    for cases in zip_longest(*kinds.values()):
        yield tuple(filter(None, cases))


KINDS = {
    **dict.fromkeys(("fail2ban", "jails", "client", "banned"), "fail2ban"),
    **dict.fromkeys(("daemon", "the spool is stuck"), "daemon"),
    **dict.fromkeys(("ipinfo", "mail", "no database wanted"), "configuration"),
    **{link: link for link in ("store", "spool", "geo")},
}
"""By name or link: what is broken in the same place."""


@pytest.mark.parametrize(
    "cases", list(batches()), ids=lambda cases: ", ".join(case.name for case in cases)
)
def test_what_is_broken_is_named_with_its_cure(
    site: Site, cases: tuple[Case, ...]
) -> None:
    started = time.monotonic()

    with ExitStack() as broken:
        for case in cases:
            broken.enter_context(case.make(site))
        code, links = check(site)

    assert time.monotonic() - started < 60
    found = {case.name: len([*filter(case.fits, links)]) for case in cases}
    assert found == {case.name: 1 for case in cases}, links
    assert code == (2 if any(link["level"] == "CRIT" for link in links) else 1)


def test_a_sound_server_is_told_in_a_line_a_link(site: Site) -> None:
    ran = run("check", "--config", site.lab.config)

    # The clock of a container may be its host's affair.
    lines = [line for line in ran.out.splitlines() if " clock " not in line]
    assert [line.partition(" ")[0] for line in lines[:-1]] == ["ok"] * 10, ran.out
    assert "critical | bans_today=0 spool=0 due=0 dead=0 oldest_due_s=0" in lines[-1]
    assert ran.code in {0, 1}


def test_nothing_is_left_behind_and_nothing_sent(site: Site) -> None:
    verbs = len(site.smtp.verbs)

    check(site)

    assert site.smtp.verbs[verbs:][1:] == ["EHLO", "MAIL", "RCPT", "RSET", "QUIT"]
    assert site.smtp.received == []
    assert site.rows("SELECT * FROM waiting_events") == []
    assert list((site.lab.root / "spool").iterdir()) == []
    assert "request refused" not in site.lab.daemon_log()


def test_offline_asks_nobody(site: Site) -> None:
    verbs = len(site.smtp.verbs)

    with token(site, "tok-free", url=refusing_url()):
        _, links = check(site, "--offline")

    assert len(site.smtp.verbs) == verbs
    named = {link["name"]: link for link in links}
    assert named["ipinfo"]["level"] == named["mail"]["level"] == "ok"
    assert "--offline" in named["ipinfo"]["text"]


def test_a_token_that_is_taken_costs_one_request(site: Site) -> None:
    with token(site, "tok-free") as fake:
        _, links = check(site)
        asked = fake.paths()

    assert asked == ["/lite/8.8.8.8"]
    (found,) = [link for link in links if link["name"] == "ipinfo"]
    assert found["level"] == "ok"
    assert "takes the token" in found["text"]


STORES: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "corrupt": (
        lambda file: file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 65536),
        "CRIT",
        "",
        "restore it from a backup",
    ),
    "no store at all": (
        lambda file: file.write_bytes(b"odd" * 4096),
        "CRIT",
        "not a database",
        "restore it from a backup",
    ),
    "of a newer version": (
        lambda file: ask(
            file,
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('f2b-enrich', 'of_next_year', '2027')",
        ),
        "CRIT",
        "a newer f2b-enrich wrote it (of_next_year)",
        "install the newer version",
    ),
    "another program's": (
        lambda file: ask(file, "CREATE TABLE other (id INTEGER)"),
        "CRIT",
        "another program's database",
        "store.path",
    ),
    "missing": (lambda file: file.unlink(), "WARN", "there is no", "the daemon makes"),
}


def ask(file: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute(statement)
        db.commit()


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_is_of_no_use_is_named(
    site: Site, tmp_path: Path, name: str
) -> None:
    spoil, level, text, cure = STORES[name]
    file = tmp_path / "bans.db"
    if name != "another program's":
        with open_writer(file):
            pass
    spoil(file)

    _, links = check(site, "--db", file, "--offline")

    (found,) = [link for link in links if link["name"] == "store"]
    assert (found["level"], text in found["text"]) == (level, True), found
    assert cure in found["cure"]


def test_mails_that_do_not_get_away_are_told(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    with open_writer(file) as store:
        for state in ("due", "dead"):
            store.execute(
                "INSERT INTO outbox (kind, recipient, sender, state, attempts, "
                "created_at, due_at, message_id) VALUES "
                "('alert', 'a', 'b', ?, 1, '2026-01-01T00:00:00Z', "
                "'2026-01-01T00:00:00Z', 'x')",
                (state,),
            )

    _, links = check(site, "--db", file, "--offline")

    outbox = [link["text"] for link in links if link["name"] == "outbox"]
    assert outbox[0] == "1 mail given up"
    assert outbox[1].startswith("1 mail not taken yet, the oldest after ")
