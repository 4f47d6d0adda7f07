"""Install, prove, install again, remove: the whole way on one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.distros.server import OLD, STATE, Server, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.distros.machine import Machine

INSTALL = ("--yes", "--no-systemd", "--offline", "/mnt/wheels")


def whole_way(machine: Machine, told: Callable[[str], None]) -> None:
    """Go it; an AssertionError says where it ended."""
    server = Server(machine)
    server.set_up()
    # As Debian has its parent where /etc/staff-group-for-usr-local is.
    machine.run("chmod", "g+s", "/usr/local/lib")
    before = machine.differences()
    told("Fail2Ban runs with 20 bans")
    machine.install(*INSTALL)
    _nothing_was_lifted(server)
    assert "f2b-enrich" in server.actions()
    told("installed, all 20 still banned")
    server.start_mail()
    server.start_daemon()
    _a_ban_arrives(server, "198.51.100.1")
    told("a real ban: row and mail")
    machine.run("fail2ban-client", "reload")
    _a_ban_arrives(server, "198.51.100.2")
    told("after a plain reload: row and mail")
    _nothing_was_lifted(server)
    machine.run("fail2ban-client", "restart")
    _a_ban_arrives(server, "198.51.100.3")
    assert set(OLD) <= server.banned()
    told("after a restart: row and mail")
    _second_run_changes_nothing(machine)
    told("a second installation changed nothing")
    _removal(server, before)
    told("removed: every file, user and group as before")


def _nothing_was_lifted(server: Server) -> None:
    assert set(OLD) <= server.banned(), server.log()
    assert "Unban" not in server.log()


def _a_ban_arrives(server: Server, address: str) -> None:
    before = len(server.mails())
    server.attack(address)
    assert until(lambda: bool(server.rows(address))), server.log()
    assert until(lambda: len(server.mails()) > before), server.log()
    assert address in server.mails()[-1]
    assert "ERROR" not in server.log(), server.log()


def _second_run_changes_nothing(machine: Machine) -> None:
    before = machine.differences(times=True)
    told = machine.install(*INSTALL)
    after = machine.differences(times=True)
    changed = {
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
        and not path.startswith("/var/lib/f2b-enrich")  # the daemon is at work
    }
    assert not changed, changed
    assert "Nothing to change" in told


def _removal(server: Server, before: dict[str, str]) -> None:
    machine = server.machine
    assert "stop it first" in machine.install("--uninstall", code=1)
    server.stop_daemon()
    lifted = server.log().count("Unban")
    machine.install("--uninstall")
    assert "f2b-enrich" not in server.actions()
    machine.run("fail2ban-client", "reload")
    assert set(OLD) <= server.banned()
    assert server.log().count("Unban") == lifted
    after = machine.differences()
    kept = {path for path in after if path.startswith(STATE)}
    assert "/var/lib/f2b-enrich/bans.db" in kept
    assert {path: after[path] for path in after.keys() - kept} == before
    machine.install("--purge")
    assert machine.differences() == before
