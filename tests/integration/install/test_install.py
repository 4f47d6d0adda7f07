"""install.sh on a copy of this machine that is thrown away: what it leaves behind."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import INSTALL
from tests.distros.server import OLD, Server

if TYPE_CHECKING:
    from tests.distros.machine import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]


def test_a_dry_run_shows_every_file_and_changes_nothing(
    machine: Machine, server: Server
) -> None:
    before = machine.differences(times=True)

    told = machine.install(*INSTALL, "--dry-run")

    assert machine.differences(times=True) == before
    assert "f2b-enrich" not in server.actions()
    machine.install(*INSTALL)
    manifest = machine.path("/usr/local/lib/f2b-enrich/manifest").read_text()
    files = [line.split()[2] for line in manifest.splitlines() if line[:4] == "file"]
    # Which file Python keeps the compiled client in, it says when it writes it.
    assert all(f"write {file}" in told for file in files if "__pycache__" not in file)


def test_what_an_administrator_changed_below_etc_stays(
    machine: Machine, server: Server
) -> None:
    action = "/etc/fail2ban/action.d/f2b-enrich.conf"
    jail = "/etc/fail2ban/jail.d/f2b-enrich.conf"
    machine.install(*INSTALL)
    shipped = machine.path(action).read_text()
    own = shipped.replace("timeout = 10", "timeout = 20")
    machine.write(action, own)
    machine.path(jail).unlink()
    earlier = "stands for one of an earlier change"
    machine.write(f"{action}.new", earlier)

    told = machine.install(*INSTALL)

    assert machine.path(action).read_text() == own
    assert machine.path(f"{action}.new.saved").read_text() == earlier
    assert machine.path(f"{action}.new").read_text() == shipped
    assert f"{action}; ours is {action}.new" in told
    assert not machine.path(jail).exists()
    assert f"because it was removed: {jail}" in told

    machine.path(f"{action}.new").unlink()
    assert f"{action}.new" not in machine.install(*INSTALL)
    assert not machine.path(f"{action}.new").exists()

    machine.write(f"{action}.saved", earlier)
    compiled = "/etc/fail2ban/action.d/__pycache__/f2b-enrich.cpython-311.pyc"
    machine.write(compiled, "stands for what Fail2Ban's Python keeps")

    machine.install("--uninstall")
    assert not machine.path(compiled).exists()
    assert not machine.path(action).exists()
    assert machine.path(f"{action}.saved").read_text() == own
    assert machine.path(f"{action}.saved.~1~").read_text() == earlier
    server.machine.run("fail2ban-client", "-t")


def test_an_upgrade_keeps_what_was_configured_and_drops_what_is_gone(
    machine: Machine, server: Server
) -> None:
    machine.install("--recipient", "noc", "--keyless", *INSTALL[1:])
    settings = machine.path("/etc/f2b-enrich/config.toml")
    assert 'recipient = "noc"' in settings.read_text()
    assert "keyless = true" in settings.read_text()
    settings.write_text(f"{settings.read_text()}\n[dns]\nreverse = false\n")
    configured = settings.read_text()
    machine.write("/var/lib/f2b-enrich/bans.db", "stands for a store")
    machine.write("/var/spool/f2b-enrich/waiting", "stands for a ban")
    old = machine.path("/usr/local/lib/f2b-enrich/f2b-enrich-failed")
    assert old.exists()

    version = machine.checkout / "f2b_enrich" / "__init__.py"
    version.write_text(version.read_text().replace('"0.1', '"9.1'))
    (machine.checkout / "packaging" / "f2b-enrich-failed").unlink()
    action = machine.checkout / "action.d" / "f2b-enrich.conf"
    action.write_text(action.read_text().replace("timeout = 10", "timeout = 11"))
    told = machine.install(*INSTALL, "--recipient", "another")

    assert "running jails get it by: fail2ban-client reload" in told
    timeout = ("fail2ban-client", "get", "sshd", "action", "f2b-enrich", "timeout")
    machine.run("fail2ban-client", "reload")
    assert machine.run(*timeout).strip() == "11"

    assert "9.1" in machine.run("f2b-enrich", "--version")
    assert not old.exists()
    assert "not changed: /etc/f2b-enrich/config.toml" in told
    assert settings.read_text() == configured
    assert machine.path("/var/lib/f2b-enrich/bans.db").exists()
    assert machine.path("/var/spool/f2b-enrich/waiting").exists()
    assert not machine.path("/opt/f2b-enrich.old").exists()
    assert set(OLD) <= server.banned()


def test_questions_are_asked_on_a_terminal_and_the_token_is_not_shown(
    machine: Machine, server: Server
) -> None:
    command = "/mnt/src/install.sh --no-systemd --offline /mnt/wheels"
    wrong = machine.run(
        "script", "-qec", command, "/dev/null", stdin="\n2\na b\n", code=1
    )
    assert "what was typed is no IPinfo token" in wrong
    answers = "noc\n2\nsecret-token-0123\n"

    told = machine.run("script", "-qec", command, "/dev/null", stdin=answers)

    # What was typed ahead the terminal itself repeats, before it is told not to.
    _, _, asked = told.partition("Who gets the alerts? [root]")
    assert "secret-token" not in asked
    settings = machine.path("/etc/f2b-enrich/config.toml").read_text()
    assert 'recipient = "noc"' in settings
    token = machine.path("/etc/f2b-enrich/ipinfo-token")
    assert token.read_text() == "secret-token-0123\n"
    before = machine.differences(times=True)
    shown = machine.install("--purge", "--dry-run")
    assert "remove /opt/f2b-enrich" in shown
    assert "remove user and group f2b-enrich" in shown
    assert machine.differences(times=True) == before
    assert "f2b-enrich" in server.actions()


def test_a_hostile_place_to_be_called_from_takes_no_part(
    machine: Machine, server: Server
) -> None:
    machine.write("/mnt/here/sh", "#!/bin/sh\ntouch /mnt/ran\n", mode=0o755)
    for name in ("venv.py", "pip.py", "sysconfig.py", "mktemp", "awk", "dirname"):
        shutil.copy(machine.path("/mnt/here/sh"), machine.path(f"/mnt/here/{name}"))
    hostile = (
        "umask 077; cd /mnt/here; export PATH=/mnt/here:.:/usr/bin:/bin "
        'PYTHONPATH=/mnt/here CDPATH=/ TMPDIR="/mnt/a b"; "$0" "$@"'
    )
    machine.run("mkdir", "-m", "1755", "/mnt/a b")
    secret = "secret-token-0123"
    machine.write("/root/token", f"{secret}\n", mode=0o600)
    words = ("/mnt/src/install.sh", "--token-file", "/root/token", *INSTALL)

    told = machine.run("sh", "-c", hostile, *words)

    assert not machine.path("/mnt/ran").exists()
    assert machine.path("/opt/f2b-enrich").stat().st_mode & 0o777 == 0o755
    as_user = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    assert "0.1" in machine.run(*as_user, "f2b-enrich", "--version")
    assert set(OLD) <= server.banned()
    # The token is kept for the daemon, and shown nowhere.
    kept = machine.path("/etc/f2b-enrich/ipinfo-token")
    assert kept.read_text() == f"{secret}\n"
    assert kept.stat().st_mode & 0o777 == 0o640
    shown = machine.run("f2b-enrich", "config", "check")
    assert "IPinfo token: set" in shown or "token: from" in shown
    assert secret not in told + shown


def test_a_staged_tree_and_another_prefix(machine: Machine) -> None:
    env = {"DESTDIR": "/mnt/stage"}
    before = machine.differences()
    # Staged as well, and takes long to build; but it was made for another prefix.
    machine.run("mkdir", "-p", "/mnt/stage/opt")
    machine.run("cp", "-a", "/opt/f2b-enrich", "/mnt/stage/opt")
    machine.write("/mnt/stage/opt/f2b-enrich/prefix", "/usr\n")

    machine.install("--prefix", "/usr", "--offline=/mnt/wheels", env=env)

    assert machine.differences() == before
    stage = machine.path("/mnt/stage")
    action = (stage / "etc/fail2ban/action.d/f2b-enrich.conf").read_text()
    assert "client = /usr/lib/f2b-enrich/client.py" in action
    assert "/usr/local" not in (stage / "usr/bin/f2b-enrich").read_text()
    assert (stage / "etc/systemd/system/f2b-enrich.service").exists()
    program = (stage / "opt/f2b-enrich/bin/f2b-enrich").read_text()
    assert program.startswith("#!/opt/f2b-enrich/bin/python3")
    wanted = "/mnt/stage/etc/systemd/system/multi-user.target.wants"
    machine.run("mkdir", wanted)
    machine.run("ln", "-s", "../f2b-enrich.service", wanted)
    told = machine.install("--purge", env=env, code=1)
    assert "it was installed with --prefix /usr; give the same again" in told
    machine.install("--purge", "--prefix", "/usr", env=env)
    assert [path for path in stage.rglob("*") if not path.is_dir()] == []
