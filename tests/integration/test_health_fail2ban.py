"""Talking to fail2ban: to the real one, and to programs that answer oddly."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, Lab
from f2b_enrich.health import trial
from f2b_enrich.health.configured import configured
from f2b_enrich.health.fail2ban import (
    DeniedError,
    DownError,
    Fail2Ban,
    Fail2BanError,
    MissingError,
    RefusedError,
    SilentError,
    parse_dump,
)
from tests.fail2ban_clients import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOGGED = "2026-11-22 09:04:49,337 fail2ban                [28749]: ERROR   "
NOBODY = 65534


def of(lab: Lab, *, timeout_seconds: float = 20.0) -> Fail2Ban:
    run = lab.root / "run"
    return Fail2Ban(
        (
            *("fail2ban-client", "-c", str(lab.root / "etc")),
            *("-s", str(run / "fail2ban.sock"), "-p", str(run / "fail2ban.pid")),
        ),
        timeout_seconds=timeout_seconds,
    )


@pytest.fixture(scope="module")
def labs() -> Iterator[Lab]:
    folder = Path(tempfile.mkdtemp(prefix="f2b-"))
    with Lab(folder) as lab:
        lab.write_fail2ban()
        lab.start_fail2ban()
        yield lab
    shutil.rmtree(folder)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A folder with a configuration and no server."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-"))
    lab = Lab(folder)
    lab.write_fail2ban()
    yield lab
    shutil.rmtree(folder)


def test_a_server_tells_its_version_jails_and_actions(labs: Lab) -> None:
    fail2ban = of(labs)

    assert fail2ban.is_running()
    assert fail2ban.version() == fail2ban.server_version()
    assert fail2ban.version()[:2] in {"0.", "1."}
    assert fail2ban.jails() == ("sshd",)
    assert fail2ban.actions("sshd") == ("lab-firewall", "f2b-enrich")
    fail2ban.check_configuration()


def test_a_server_without_jails_and_a_jail_without_actions(labs: Lab) -> None:
    fail2ban = of(labs)
    fail2ban.send("add", "bare", "polling")

    assert fail2ban.jails() == ("bare", "sshd")
    assert fail2ban.actions("bare") == ()
    fail2ban.send("stop", "bare")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("get", "none", "actions"), "Sorry but the jail 'none' does not exist"),
        (("set", "sshd", "delaction", "x"), "Invalid Action name: x"),
        (("bogus\x1b[2J",), "Invalid command"),
    ],
)
def test_what_the_server_refuses_is_told_in_its_words(
    labs: Lab, words: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        of(labs).send(*words)

    assert caught.value.reason == reason
    assert str(caught.value).endswith(f": {reason}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("end", ["", "\n"])
def test_words_arrive_as_they_are_sent(labs: Lab, end: str) -> None:
    fail2ban = of(labs)
    value = f"printf '%s' \"<ip>\" $(x) \\ é{end}# z"

    fail2ban.send_all(
        [
            ("set", "sshd", "addaction", "odd one"),
            ("set", "sshd", "action", "odd one", "actionban", value),
        ]
    )

    asked = ("get", "sshd", "action", "odd one", "actionban")
    assert fail2ban.send(*asked) == f"{value}\n"
    fail2ban.send("set", "sshd", "delaction", "odd one")


def test_a_refusal_among_several_is_told_and_the_rest_is_done(labs: Lab) -> None:
    fail2ban = of(labs)

    with pytest.raises(RefusedError, match="Invalid Action name: none"):
        fail2ban.send_all(
            [
                ("set", "sshd", "delaction", "none"),
                ("set", "sshd", "maxretry", "4"),
            ]
        )

    assert fail2ban.send("get", "sshd", "maxretry") == "4\n"
    fail2ban.send("set", "sshd", "maxretry", "3")


def test_the_server_is_known_by_its_process(labs: Lab, lab: Lab) -> None:
    number = int((labs.root / "run" / "fail2ban.pid").read_text())

    assert of(labs).server_pid() == number
    assert of(lab).server_pid() is None


def test_a_client_that_names_no_pid_file_knows_no_process(tmp_path: Path) -> None:
    assert Fail2Ban((str(client(tmp_path, {})),)).server_pid() is None


def test_a_server_that_hangs_is_told_from_none(labs: Lab) -> None:
    number = int((labs.root / "run" / "fail2ban.pid").read_text())
    fail2ban = of(labs, timeout_seconds=1.0)
    os.kill(number, signal.SIGSTOP)
    try:
        with pytest.raises(SilentError, match=r"answer ping, the limit is 1 s$"):
            fail2ban.is_running()
    finally:
        os.kill(number, signal.SIGCONT)


def test_a_server_that_was_killed_does_not_run(lab: Lab) -> None:
    lab.start_fail2ban()
    number = int((lab.root / "run" / "fail2ban.pid").read_text())
    os.kill(number, signal.SIGKILL)

    assert not of(lab).is_running()
    with pytest.raises(DownError, match="nobody listens on its socket"):
        of(lab).jails()


def test_without_a_server_the_configuration_still_speaks(lab: Lab) -> None:
    fail2ban = of(lab)

    assert not fail2ban.is_running()
    with pytest.raises(DownError, match="it has no socket"):
        fail2ban.jails()
    with pytest.raises(DownError):
        fail2ban.send_all([("ping",)])
    assert fail2ban.version()
    [sshd] = configured(fail2ban.dump()).jails
    assert [action.name for action in sshd.actions] == ["lab-firewall", "f2b-enrich"]
    assert sshd.logs == (str(lab.log),)
    assert sshd.backend == "polling"


def test_a_mistake_in_the_configuration_is_told_on_one_line(lab: Lab) -> None:
    broken = lab.root / "etc" / "jail.d" / "broken.local"
    broken.write_text("[broken]\nenabled = true\nfilter = none\n")
    fail2ban = of(lab)

    with pytest.raises(RefusedError, match=r"^fail2ban refuses -t: Found no access"):
        fail2ban.check_configuration()
    assert configured(fail2ban.dump()).mistakes == (
        "Jail 'broken' skipped, because of wrong configuration: "
        "Unable to read the filter 'none'",
    )

    broken.write_text("[sshd]\naction = %(none)s\n")
    with pytest.raises(RefusedError, match="none"):
        fail2ban.dump()


@pytest.fixture
def as_nobody(labs: Lab) -> Iterator[Fail2Ban]:
    """Ask as a user who is not root and may see the folders."""
    labs.root.chmod(0o755)
    program = of(labs).program
    yield Fail2Ban(
        ("setpriv", "--reuid", str(NOBODY), "--clear-groups", *program),
    )
    labs.root.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_socket_is_for_root(as_nobody: Fail2Ban) -> None:
    with pytest.raises(DeniedError, match=r"run this as root$"):
        as_nobody.is_running()


def test_a_program_that_is_not_there_is_no_server_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"^/none/f: there is no such program$"):
        Fail2Ban(("/none/f",)).version()
    with pytest.raises(MissingError, match="Permission denied"):
        Fail2Ban((str(tmp_path),)).version()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"{LOGGED}Failed during configuration: Have not found", "Have not found"),
        ("Traceback\n\x1b[2J here", "Traceback ␛[2J here"),
        ("", "it does not say why"),
        (f"{LOGGED}{'x' * 1000}", f"{'x' * 299}…"),
        (f"{LOGGED.replace('ERROR  ', 'WARNING')}a\n{LOGGED}b", "b"),
    ],
)
def test_a_reason_is_one_short_line(tmp_path: Path, said: str, told: str) -> None:
    program = client(tmp_path, {"-t": f"!{said}"})

    with pytest.raises(RefusedError) as caught:
        Fail2Ban((str(program),)).check_configuration()

    assert caught.value.reason == told


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_that_is_meant_for_us_does_not_end_the_program(
    tmp_path: Path, name: str
) -> None:
    program = tmp_path / "fail2ban-client"
    program.write_text(f"#!/bin/sh\nkill -{name} $$\necho done\n")
    program.chmod(0o755)

    assert Fail2Ban((str(program),)).send("stop", "x") == "done\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_status_without_a_jail_list_is_no_empty_one(tmp_path: Path) -> None:
    program = client(tmp_path, {"status": "Status"})

    with pytest.raises(RefusedError, match="it names no jail list"):
        Fail2Ban((str(program),)).jails()


def test_a_server_with_no_jails_names_none(tmp_path: Path) -> None:
    status = "Status\n|- Number of jail:\t0\n`- Jail list:\t"
    program = client(tmp_path, {"status": status})

    assert Fail2Ban((str(program),)).jails() == ()


@pytest.mark.parametrize("line", ["[", "['a', __import__('os')]", "['a'" * 10000])
def test_a_dump_is_read_and_never_run(line: str) -> None:
    with pytest.raises(RefusedError, match="no list of words"):
        parse_dump(f"['set', 'loglevel', 'INFO']\n{line}")


def test_a_dump_that_cannot_be_read_is_not_shown() -> None:
    with pytest.raises(RefusedError) as caught:
        parse_dump("['set', 'mail', [['password', 'hunter2'], __x]]")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NOK: ('smtp: Connection refused',)", RefusedError),
        ("NOK: ('Unable to contact server. Is it running?',)", RefusedError),
        ("[Errno 111] Connection refused", DownError),
        ("[[Errno 111] Connection refused] Unable to contact server. Is it", DownError),
        ("Unable to contact server. Is it running?", DownError),
    ],
)
def test_what_a_server_says_of_others_is_not_its_own_end(
    tmp_path: Path, said: str, kind: type[Fail2BanError]
) -> None:
    program = client(tmp_path, {"get x": f"!{LOGGED}{said}"})

    with pytest.raises(kind):
        Fail2Ban((str(program),)).send("get", "x")


def test_a_dump_has_texts_only() -> None:
    text = "WARNING: x\n['set', 'a', 10, True, [['timeout', 60]]]\n\n"

    assert parse_dump(text) == (("set", "a", "10", "True", (("timeout", "60"),)),)


def test_a_configuration_is_tried_with_other_files_of_ours(lab: Lab) -> None:
    etc = lab.root / "etc"
    before = sorted(path.name for path in etc.rglob("*"))

    def actions(changes: dict[str, str | Path | None]) -> list[str]:
        [sshd] = configured(trial.dump(of(lab), etc, changes)).jails
        return [action.name for action in sshd.actions]

    assert actions({}) == ["lab-firewall", "f2b-enrich"]
    assert actions({trial.JAIL_FILE: None}) == ["lab-firewall"]
    assert actions({trial.JAIL_FILE: trial.ONLY_THE_NAME}) == ["lab-firewall"]
    assert actions({trial.JAIL_FILE: PROJECT / trial.JAIL_FILE}) == [
        "lab-firewall",
        "f2b-enrich",
    ]
    assert sorted(path.name for path in etc.rglob("*")) == before


def test_a_trial_speaks_of_the_real_folder_and_leaves_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    etc = lab.root / "etc"
    shutil.copy(PROJECT / trial.MODULE_FILE, etc / "action.d")
    (etc / "jail.d" / "m.local").write_text("[sshd]\naction = f2b-enrich.py\n")

    [sshd] = configured(trial.dump(of(lab), etc, {})).jails

    assert [action.module for action in sshd.actions] == [
        str(etc / "action.d" / "f2b-enrich.py")
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_line(lab: Lab) -> None:
    missing = lab.root / "none"

    with pytest.raises(Fail2BanError, match=rf"^{missing}: No such file"):
        trial.dump(of(lab), missing, {})


@pytest.fixture
def folder_without_parts(tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        (tmp_path / "jail.conf").write_text("[DEFAULT]\n")
        return tmp_path

    return make


def test_a_folder_without_parts_can_be_tried(
    folder_without_parts: Callable[[], Path],
) -> None:
    with trial.tried(folder_without_parts(), {"jail.d/x.conf": "x"}) as folder:
        assert (folder / "jail.conf").read_text() == "[DEFAULT]\n"
        assert (folder / "jail.d" / "x.conf").read_text() == "x"


@pytest.mark.parametrize("name", ["jail.local", "filter.d/x.conf", "jail.d/a/b"])
def test_what_is_not_ours_to_change_is_not_written_through_a_link(
    tmp_path: Path, name: str
) -> None:
    for folder in ("filter.d", "jail.d/a"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / name).write_text("theirs")

    with (
        pytest.raises(ValueError, match="neither in action"),
        trial.tried(tmp_path, {name: "ours"}),
    ):
        pass

    assert (tmp_path / name).read_text() == "theirs"
