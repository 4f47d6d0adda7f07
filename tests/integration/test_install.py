"""install.sh on a copy of this machine that is thrown away: what it leaves behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.distros.carrier import write_wheels
from tests.distros.machine import PROJECT, Machine, copy_checkout
from tests.distros.server import OLD, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]

INSTALL = ("--yes", "--no-systemd", "--offline", "/mnt/wheels")
ROOT = Path("/")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def checkout(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose requirements are met by the wheels."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(PROJECT, folder)
    runtime = folder / "requirements" / "runtime.txt"
    runtime.write_text(write_wheels(runtime, wheels))
    return folder


@pytest.fixture(scope="module")
def with_environment(checkout: Path, wheels: Path) -> Iterator[Path]:
    """A tree that holds nothing but the environment, which takes long to build."""
    # Two layers of one overlay cannot lie in each other, as all of / and /tmp do.
    tree = Path(tempfile.mkdtemp(prefix="f2b-layer-", dir="/dev/shm"))
    try:
        with Machine(ROOT, wheels=wheels, checkout=checkout) as machine:
            staged = {"DESTDIR": "/mnt/stage"}
            machine.install("--offline", "/mnt/wheels", env=staged)
            made = machine.path("/mnt/stage/opt/f2b-enrich")
            shutil.copytree(made, tree / "opt/f2b-enrich", symlinks=True)
        yield tree
    finally:
        shutil.rmtree(tree)


@pytest.fixture
def bare_machine(checkout: Path, wheels: Path) -> Iterator[Machine]:
    with Machine(ROOT, wheels=wheels, checkout=checkout) as machine:
        yield machine


@pytest.fixture
def machine(checkout: Path, wheels: Path, with_environment: Path) -> Iterator[Machine]:
    """A machine where the environment of this version is in its place already."""
    trees = (with_environment, ROOT)
    with Machine(*trees, wheels=wheels, checkout=checkout) as machine:
        yield machine


@pytest.fixture
def bare_server(bare_machine: Machine) -> Server:
    server = Server(bare_machine)
    server.set_up()
    return server


@pytest.fixture
def server(machine: Machine) -> Server:
    server = Server(machine)
    server.set_up()
    return server


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

    told = machine.install(*INSTALL)

    assert machine.path(action).read_text() == own
    assert machine.path(f"{action}.new").read_text() == shipped
    assert f"{action}; ours is {action}.new" in told
    assert not machine.path(jail).exists()
    assert f"because it was removed: {jail}" in told

    machine.path(f"{action}.new").unlink()
    assert ".new" not in machine.install(*INSTALL)
    assert not machine.path(f"{action}.new").exists()

    machine.install("--uninstall")
    assert not machine.path(action).exists()
    assert machine.path(f"{action}.saved").read_text() == own
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
    told = machine.install(*INSTALL, "--recipient", "another")

    assert "9.1" in machine.run("f2b-enrich", "--version")
    assert not old.exists()
    assert "not changed: /etc/f2b-enrich/config.toml" in told
    assert settings.read_text() == configured
    assert machine.path("/var/lib/f2b-enrich/bans.db").exists()
    assert machine.path("/var/spool/f2b-enrich/waiting").exists()
    assert not machine.path("/opt/f2b-enrich.old").exists()
    assert set(OLD) <= server.banned()


def test_an_upgrade_that_fails_leaves_the_old_version_running(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    before = machine.differences()
    version = machine.checkout / "f2b_enrich" / "__init__.py"
    version.write_text(version.read_text().replace('"0.1', '"9.1'))
    # It is found at the last file, after the new environment took its place.
    machine.write("/mnt/src/action.d/f2b-enrich.conf", "[Definition]\nactionban = %x\n")

    told = machine.install(*INSTALL, code=1)

    assert "no plan for Fail2Ban's jails" in told
    assert machine.differences() == before
    assert "0.1" in machine.run("f2b-enrich", "--version")
    assert "f2b-enrich" in server.actions()


def test_a_token_is_kept_for_the_daemon_and_never_shown(
    machine: Machine, server: Server
) -> None:
    secret = "secret-token-0123"
    machine.write("/root/token", f"{secret}\n", mode=0o600)

    told = machine.install("--token-file", "/root/token", *INSTALL)

    assert secret not in told
    kept = machine.path("/etc/f2b-enrich/ipinfo-token")
    assert kept.read_text() == f"{secret}\n"
    assert kept.stat().st_mode & 0o777 == 0o640
    shown = machine.run("f2b-enrich", "config", "check")
    assert secret not in shown
    assert "IPinfo token: set" in shown or "token: from" in shown
    assert set(OLD) <= server.banned()


def test_questions_are_asked_on_a_terminal_and_the_token_is_not_shown(
    machine: Machine, server: Server
) -> None:
    command = "/mnt/src/install.sh --no-systemd --offline /mnt/wheels"
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


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--no-systemd",), "no terminal to ask on"),
        (("--yes", "--recipient", "a b"), "is no mail address"),
        (("--yes", "--token-file", "/etc/hosts"), "does not hold one IPinfo token"),
        (("--yes", "--token-file", "/nowhere"), "there is no file /nowhere"),
    ],
)
def test_answers_that_will_not_do_change_nothing(
    machine: Machine, server: Server, options: tuple[str, ...], reason: str
) -> None:
    before = machine.differences(times=True)

    told = machine.install(*options, code=1)

    assert reason in told
    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


def test_a_sample_recipient_is_refused_and_everything_taken_back(
    bare_machine: Machine, bare_server: Server
) -> None:
    before = bare_machine.differences()

    told = bare_machine.install("--recipient", "you@mail.com", *INSTALL, code=1)

    assert "you@mail.com: a sample address" in told
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    bare_machine: Machine, bare_server: Server
) -> None:
    runtime = bare_machine.checkout / "requirements" / "runtime.txt"
    text = runtime.read_text()
    runtime.write_text(text.replace("sha256:", "sha256:0000", 1)[:-5] + "\n")
    before = bare_machine.differences()

    told = bare_machine.install(*INSTALL, code=1)

    assert "pip could not install the pinned packages" in told
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_fault_of_the_administrators_own_stops_it_before_anything(
    machine: Machine, server: Server
) -> None:
    machine.write("/etc/fail2ban/jail.d/own.local", "[sshd]\nfilter = not-there\n")
    before = machine.differences(times=True)

    told = machine.install(*INSTALL, code=1)

    assert "refuses its configuration as it is, without ours" in told
    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


@pytest.mark.parametrize(
    "place",
    [
        "/etc/fail2ban/jail.d",
        "/usr/local/bin",
        "/var/spool",
        "/var/lib",
        "/etc",
    ],
)
def test_a_place_that_cannot_be_written_to_undoes_all(
    machine: Machine, server: Server, place: str
) -> None:
    before = machine.differences()
    machine.run("mount", "--bind", place, place)
    machine.run("mount", "-o", "remount,bind,ro", place)

    told = machine.install(*INSTALL, code=1)

    machine.run("umount", place)
    assert "ead-only file system" in told or "cannot lock" in told, told
    assert machine.differences() == before
    assert "f2b-enrich" not in server.actions()
    assert set(OLD) <= server.banned()


@pytest.mark.parametrize("megabytes", [8, 40])
def test_a_disk_that_fills_up_undoes_all(
    bare_machine: Machine, bare_server: Server, megabytes: int
) -> None:
    before = bare_machine.differences()
    # Below the limit that is looked at first: it fills up under our hands.
    checks = bare_machine.checkout / "packaging" / "lib" / "checks.sh"
    text = checks.read_text()
    checks.write_text(text.replace("space_megabytes=200", "space_megabytes=1"))
    bare_machine.run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "full", "/opt")

    told = bare_machine.install(*INSTALL, code=1)

    assert "taking back" in told
    assert bare_machine.run("ls", "-A", "/opt") == ""
    bare_machine.run("umount", "/opt")
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_full_disk_is_seen_beforehand(
    bare_machine: Machine, bare_server: Server
) -> None:
    bare_machine.run("mount", "-t", "tmpfs", "-o", "size=100m", "full", "/opt")

    told = bare_machine.install(*INSTALL, code=1)

    assert "/opt has 100 MB left; this needs 200 MB" in told
    assert set(OLD) <= bare_server.banned()


def test_a_file_of_somebody_elses_is_not_overwritten(
    machine: Machine, server: Server
) -> None:
    machine.write("/usr/local/bin/f2b-enrich", "#!/bin/sh\n", mode=0o755)
    before = machine.differences()

    told = machine.install(*INSTALL, code=1)

    assert "/usr/local/bin/f2b-enrich is there and not from here" in told
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_an_action_of_the_administrators_is_not_taken_away(
    machine: Machine, server: Server
) -> None:
    own = "[DEFAULT]\naction = %(action_)s\n         no-firewall[actname=own]\n"
    machine.write("/etc/fail2ban/jail.d/custom.conf", own)
    machine.run("fail2ban-client", "reload", "--restart")
    assert "own" in server.actions()

    told = machine.install(*INSTALL)

    assert "action_f2b_enrich" in told
    machine.run("fail2ban-client", "reload", "--restart")
    assert "own" in server.actions()
    assert "f2b-enrich" not in server.actions()
    with machine.path("/etc/fail2ban/jail.d/custom.conf").open("a") as file:
        file.write("         %(action_f2b_enrich)s\n")
    machine.run("fail2ban-client", "reload", "--restart")
    assert "f2b-enrich" in server.actions()
    assert "nothing was" in machine.install("--uninstall", code=1)


def test_a_signal_in_the_middle_undoes_what_was_done(
    bare_machine: Machine, bare_server: Server
) -> None:
    before = bare_machine.differences()
    interrupted = (
        "/mnt/src/install.sh --yes --no-systemd --offline /mnt/wheels & "
        "while ! [ -e /opt/f2b-enrich.new/bin/pip ]; do sleep 0.05; done; "
        "kill -TERM $!; wait $!"
    )

    bare_machine.run("sh", "-c", interrupted, code=130)

    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_run_that_was_killed_is_mended_by_the_next(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    before = machine.differences()
    machine.run("mv", "/opt/f2b-enrich", "/opt/f2b-enrich.old")

    machine.install(*INSTALL)

    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_a_hostile_place_to_be_called_from_takes_no_part(
    machine: Machine, server: Server
) -> None:
    machine.write("/mnt/here/sh", "#!/bin/sh\ntouch /mnt/ran\n", mode=0o755)
    for name in ("venv.py", "pip.py", "sysconfig.py", "mktemp", "awk"):
        shutil.copy(machine.path("/mnt/here/sh"), machine.path(f"/mnt/here/{name}"))
    hostile = (
        "umask 077; cd /mnt/here; export PATH=/mnt/here:.:/usr/bin:/bin "
        'PYTHONPATH=/mnt/here CDPATH=/; "$0" "$@"'
    )

    machine.run("sh", "-c", hostile, "/mnt/src/install.sh", *INSTALL)

    assert not machine.path("/mnt/ran").exists()
    assert machine.path("/opt/f2b-enrich").stat().st_mode & 0o777 == 0o755
    as_user = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    assert "0.1" in machine.run(*as_user, "f2b-enrich", "--version")
    assert set(OLD) <= server.banned()


_SYSTEMCTL = """\
#!/bin/sh
# Stands for systemd, which does not run in there: notes what it is told.
echo "$*" >>/mnt/systemd/told
for unit; do :; done
case $* in
*is-enabled* | *is-active*) [ -e "/mnt/systemd/$unit" ] ;;
*enable*f2b-enrich.service) [ ! -e /mnt/systemd/bad ] && touch "/mnt/systemd/$unit" ;;
*enable*) touch "/mnt/systemd/$unit" ;;
*disable*) rm -f "/mnt/systemd/$unit" ;;
esac
"""
WITH_SYSTEMD = tuple(option for option in INSTALL if option != "--no-systemd")


@pytest.fixture
def systemd(machine: Machine) -> Path:
    machine.run("mkdir", "-p", "/run/systemd/system", "/mnt/systemd")
    machine.write("/usr/local/sbin/systemctl", _SYSTEMCTL, mode=0o755)
    return machine.path("/mnt/systemd")


def test_units_are_started_once_and_stopped_in_the_end(
    machine: Machine, server: Server, systemd: Path
) -> None:
    before = machine.differences()

    machine.install(*WITH_SYSTEMD)

    assert (systemd / "f2b-enrich.socket").exists()
    assert (systemd / "f2b-enrich.service").exists()
    unit = machine.path("/etc/systemd/system/f2b-enrich.service")
    assert unit.exists()
    assert machine.path("/etc/tmpfiles.d/f2b-enrich.conf").exists()
    (systemd / "told").unlink()
    machine.install(*WITH_SYSTEMD)
    asked = (systemd / "told").read_text().splitlines()
    assert all(line.startswith("-q is-") for line in asked), asked
    machine.install("--purge")
    assert not (systemd / "f2b-enrich.service").exists()
    assert not unit.exists()
    after = {k: v for k, v in machine.differences().items() if "/opt" not in k}
    assert after == before
    assert set(OLD) <= server.banned()


def test_a_service_that_does_not_start_undoes_all(
    machine: Machine, server: Server, systemd: Path
) -> None:
    before = machine.differences()
    (systemd / "bad").touch()

    machine.install(*WITH_SYSTEMD, code=1)

    assert machine.differences() == before
    assert not (systemd / "f2b-enrich.socket").exists()
    assert "f2b-enrich" not in server.actions()
    assert set(OLD) <= server.banned()


def test_a_staged_tree_and_another_prefix(machine: Machine) -> None:
    env = {"DESTDIR": "/mnt/stage"}
    before = machine.differences()

    machine.install("--prefix", "/usr", "--offline=/mnt/wheels", env=env)

    assert machine.differences() == before
    stage = machine.path("/mnt/stage")
    action = (stage / "etc/fail2ban/action.d/f2b-enrich.conf").read_text()
    assert "client = /usr/lib/f2b-enrich/client.py" in action
    assert "/usr/local" not in (stage / "usr/bin/f2b-enrich").read_text()
    assert (stage / "etc/systemd/system/f2b-enrich.service").exists()
    program = (stage / "opt/f2b-enrich/bin/f2b-enrich").read_text()
    assert program.startswith("#!/opt/f2b-enrich/bin/python3")
    machine.install("--purge", "--prefix", "/usr", env=env)
    assert [path for path in stage.rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--bogus",), "there is no option --bogus"),
        (("--recipient",), "--recipient needs a value"),
        (("--keyless", "--local-only"), "only one of"),
        (("--prefix", "/a b"), "plain letters"),
        (("--prefix", "relative"), "plain letters"),
        (("--prefix", "/usr/../tmp"), "plain letters"),
    ],
)
def test_wrong_usage_is_told(
    machine: Machine, options: tuple[str, ...], reason: str
) -> None:
    assert reason in machine.install(*options, code=2)


def test_what_is_not_installed_cannot_be_removed(machine: Machine) -> None:
    assert "nothing is installed here" in machine.install("--uninstall", code=1)
