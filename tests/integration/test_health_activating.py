"""What becomes of our action when fail2ban changes under our hands."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, TypeAlias

import pytest

from f2b_enrich.health import activating
from f2b_enrich.health.configured import Action
from f2b_enrich.health.fail2ban import DownError, Fail2Ban, RefusedError
from f2b_enrich.health.running import Running, running_ours
from tests.cli import Ran, run
from tests.fail2ban_clients import asked, client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGGED = "!2026-11-22 09:04:49,337 fail2ban [28749]: ERROR   "
DOWN = f"{LOGGED}Failed to access socket path: /run/f. Is fail2ban running?"
GONE = f"{LOGGED}Sorry but the jail 'sshd' does not exist"
NO = f"{LOGGED}No space left"
THERE = f"{LOGGED}NOK: ('Action f2b-enrich already exists',)"
OURS = Action(name="f2b-enrich", settings=(("actionban", "client EVENT=ban"),))
AT_A_BAN = "get sshd action f2b-enrich actionban"
ADDED = "set sshd addaction f2b-enrich"
SET = "set sshd action f2b-enrich actionban client EVENT=ban"
DELETED = "set sshd delaction f2b-enrich"
ACTIONS = "get sshd actions"


def status(*jails: str) -> str:
    listed = ", ".join(jails)
    return f"Status\n|- Number of jail:\t{len(jails)}\n`- Jail list:\t{listed}"


def having(*actions: str) -> str:
    return f"The jail sshd has the following actions:\n{', '.join(actions)}"


Answers: TypeAlias = "Mapping[str, str | tuple[str, ...]]"


def answering(folder: Path, answers: Answers) -> Fail2Ban:
    return Fail2Ban((str(client(folder, answers)),))


def test_a_jail_that_ends_while_it_is_asked_is_left_out(tmp_path: Path) -> None:
    fail2ban = answering(
        tmp_path,
        {
            "status": status("own", "sshd"),
            ACTIONS: having("a"),
            "get own actions": NO,
        },
    )

    assert activating.running_jails(fail2ban) == {"sshd": (Running(name="a"),)}


def test_a_half_added_action_is_none_yet(tmp_path: Path) -> None:
    fail2ban = answering(
        tmp_path,
        {
            "status": status("sshd"),
            ACTIONS: having("f2b-enrich", "f2b-enrich-py"),
            AT_A_BAN: "",
            "get sshd action f2b-enrich-py actionban": NO,
        },
    )

    assert activating.running_jails(fail2ban) == {
        "sshd": (Running(name="f2b-enrich-py", is_ours=True),)
    }


def test_without_a_server_no_jail_runs(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(tmp_path, {"status": DOWN})

    assert activating.running_jails(fail2ban) is None
    with pytest.raises(DownError):
        activating.remove(fail2ban, wait=waited.append)


def test_a_half_added_action_is_made_anew(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(
        tmp_path,
        {
            ACTIONS: having("f2b-enrich"),
            AT_A_BAN: "",
            DELETED: "None",
            ADDED: "f2b-enrich",
            SET: "client EVENT=ban",
        },
    )

    activating.add(fail2ban, "sshd", OURS, wait=waited.append)

    assert asked(tmp_path)[-3:] == [DELETED, ADDED, SET]
    assert waited == ["sshd", "sshd"]


def test_an_action_that_came_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(
        tmp_path, {ACTIONS: having("f2b-enrich"), AT_A_BAN: "exec client"}
    )

    activating.add(fail2ban, "sshd", OURS, wait=waited.append)

    assert asked(tmp_path) == [ACTIONS, AT_A_BAN]


def test_a_failure_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(
        tmp_path,
        {
            ACTIONS: (having("a"), having("a", "f2b-enrich")),
            ADDED: "f2b-enrich",
            SET: NO,
            DELETED: "None",
        },
    )

    with pytest.raises(RefusedError, match="No space left"):
        activating.add(fail2ban, "sshd", OURS, wait=waited.append)

    assert asked(tmp_path)[-1] == DELETED


def test_a_failure_at_the_beginning_takes_nothing_away(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(tmp_path, {ACTIONS: having("a"), ADDED: NO})

    with pytest.raises(RefusedError):
        activating.add(fail2ban, "sshd", OURS, wait=waited.append)

    assert DELETED not in asked(tmp_path)


@pytest.mark.parametrize("actions", [GONE, (having("a"), GONE)])
def test_a_jail_that_ends_before_or_while_it_is_changed_is_gone(
    tmp_path: Path, actions: str | tuple[str, ...]
) -> None:
    waited: list[str] = []
    fail2ban = answering(tmp_path, {ACTIONS: actions, ADDED: GONE})

    with pytest.raises(activating.JailGoneError, match=r"^jail sshd ended meanwhile$"):
        activating.add(fail2ban, "sshd", OURS, wait=waited.append)


@pytest.mark.parametrize(
    ("then", "is_told"), [("exec client EVENT=ban", False), ("", True)]
)
def test_what_somebody_else_added_meanwhile_is_left_there(
    tmp_path: Path, then: str, *, is_told: bool
) -> None:
    fail2ban = answering(
        tmp_path,
        {
            ACTIONS: (having("a"), having("a", "f2b-enrich")),
            ADDED: THERE,
            SET: "client EVENT=ban",
            AT_A_BAN: then,
        },
    )

    told = contextlib.nullcontext()
    with pytest.raises(RefusedError, match="already exists") if is_told else told:
        activating.add(fail2ban, "sshd", OURS, wait=str)

    assert DELETED not in asked(tmp_path)


def test_our_action_is_known_under_any_name(tmp_path: Path) -> None:
    hook, bare, ours = (f"get sshd action {name} " for name in ("hook", "bare", "tell"))
    fail2ban = answering(
        tmp_path,
        {
            ACTIONS: having(
                "iptables", "smtp.py", "hook", "bare", "tell", "in", "f2b-enrich"
            ),
            "get sshd action iptables actionban": "iptables -I",
            "get sshd action smtp.py actionban": NO,
            "get sshd action smtp.py __module__": "smtp",
            f"{hook}actionban": "siem EVENT=ban",
            f"{bare}actionban": "siem EVENT=ban",
            f"{bare}client": "/lib/client.py",
            f"{bare}socket": "s",
            f"{bare}spool": "p",
            f"{ours}actionban": 'exec python3 "/lib/client.py" EVENT=ban',
            f"{ours}client": "/lib/client.py",
            f"{ours}socket": "s",
            f"{ours}spool": "p",
            "get sshd action in actionban": NO,
            "get sshd action in __module__": "f2b-enrich",
            AT_A_BAN: "",
        },
    )

    found = running_ours(fail2ban, "sshd")

    assert [one.name for one in found] == ["tell", "in", "f2b-enrich"]


def test_a_jail_that_ends_has_nothing_to_be_removed(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(
        tmp_path, {"status": (status("sshd"), status()), ACTIONS: GONE}
    )

    assert activating.remove(fail2ban, wait=waited.append) == ()


def test_the_parts_of_a_name_with_a_comma_are_no_jails(tmp_path: Path) -> None:
    fail2ban = answering(
        tmp_path,
        {
            "status": status("a", "b", "sshd"),
            "get a actions": GONE.replace("sshd", "a"),
            "get b actions": GONE.replace("sshd", "b"),
            ACTIONS: having("f2b-enrich"),
            AT_A_BAN: "client",
            DELETED: "None",
        },
    )

    assert activating.remove(fail2ban, wait=str) == (("sshd", "f2b-enrich"),)


def test_a_server_that_keeps_our_action_is_told(tmp_path: Path) -> None:
    waited: list[str] = []
    fail2ban = answering(
        tmp_path,
        {
            "status": status("sshd"),
            ACTIONS: having("f2b-enrich"),
            AT_A_BAN: "client",
            DELETED: NO,
        },
    )

    with pytest.raises(RefusedError, match="No space left"):
        activating.remove(fail2ban, wait=waited.append)


class Command:
    """`f2b-enrich action` with a program in place of fail2ban-client."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        (self.etc / "jail.d").mkdir(parents=True)
        self._config = folder / "config.toml"
        self._config.write_text(f'own.fail2ban = "{self.etc}"\n')
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    def run(self, *words: str | Path) -> Ran:
        return run("action", *words, "--config", self._config)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(tmp_path, monkeypatch)


def answer(command: Command, dump: tuple[object, ...], more: Answers) -> None:
    """Give the same dump for every folder that is asked about."""
    program = client(command.folder, {"-d": "\n".join(map(repr, dump)), **more})
    text = program.read_text().replace(
        "#!/bin/sh\n", '#!/bin/sh\nwhile [ "$1" = -c ]; do shift 2; done\n', 1
    )
    program.write_text(text)


DUMP: tuple[object, ...] = (
    ["add", "sshd", "polling"],
    ["set", "sshd", "addaction", "a"],
    ["set", "sshd", "addaction", "f2b-enrich"],
    ["set", "sshd", "action", "f2b-enrich", "actionban", "client EVENT=ban"],
)


def test_what_the_server_refuses_is_one_line_and_failure(command: Command) -> None:
    answer(command, DUMP, {"status": status("sshd"), ACTIONS: having("a"), ADDED: NO})

    ran = command.run("add")
    as_json = json.loads(command.run("add", "--json").out)

    refused = f"fail2ban refuses {ADDED}: No space left"
    assert (ran.code, ran.err) == (1, f"f2b-enrich: {refused}\n")
    assert ran.out == "nothing was to be added; active in 0 jails\n"
    assert as_json["failures"] == {"sshd": refused}


def test_a_jail_that_ends_meanwhile_is_no_failure(command: Command) -> None:
    answer(
        command,
        DUMP,
        {"status": status("sshd"), ACTIONS: (having("a"), GONE)},
    )

    ran = command.run("add", "--json")

    assert ran.code == 0
    assert [jail["standing"] for jail in json.loads(ran.out)["jails"]] == ["later"]


def test_a_jail_that_is_skipped_and_one_by_hand_are_told(command: Command) -> None:
    answer(
        command,
        (["config-error", "Jail 'bad' skipped"],),
        {"status": status("sshd"), ACTIONS: having("a")},
    )

    ran = command.run("plan")

    assert (ran.code, ran.err) == (0, "f2b-enrich: Jail 'bad' skipped\n")
    assert ran.out.splitlines()[1:] == [
        "sshd  not configured  runs, and is not in the configuration",
        "jails: 1 not configured",
    ]


def test_no_jail_at_all_is_a_plan_as_well(command: Command) -> None:
    answer(command, (), {"status": DOWN})

    assert command.run("plan").out == "jails: none\n"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (None, 'append "%(action_f2b_enrich)s" to its "action ="'),
        (
            "[sshd]\naction = a\n",
            'append "%(action_f2b_enrich)s" to a copy in jail.local of the "action =" '
            "in {etc}/jail.conf:2 [sshd]",
        ),
        (
            "[DEFAULT]\naction = a\n",
            "{etc}/jail.d/f2b-enrich.conf is not there",
        ),
    ],
)
def test_who_appends_is_sent_to_a_file_of_his_own(
    command: Command, place: str | None, told: str
) -> None:
    answer(command, DUMP[:2], {"status": status("sshd"), ACTIONS: having("a")})
    if place is not None:
        (command.etc / "jail.conf").write_text(place)

    ran = command.run("add")

    assert ran.out.splitlines()[1] == f"sshd: {told.format(etc=command.etc)}"


def test_what_is_wrong_with_our_files_as_well_hinders_no_removal(
    command: Command,
) -> None:
    (command.etc / "jail.local").write_text("[x]\naction = %(action_f2b_enrich)s\n")
    wrong = (*DUMP, ["config-error", "Jail 'x' skipped"])
    answer(command, wrong, {"status": status("sshd"), ACTIONS: having("a")})

    ran = command.run("remove")

    assert (ran.code, ran.out) == (0, "no jail runs with our action\n")


def test_a_configuration_that_is_read_in_no_way_hinders_no_removal(
    command: Command,
) -> None:
    answer(command, (), {"-d": NO, "status": status("sshd"), ACTIONS: having("a")})

    assert command.run("remove").code == 0


@pytest.mark.parametrize("then", ["['config-error', 'Jail x skipped']", NO])
def test_who_needs_our_files_is_told_though_nobody_finds_the_place(
    command: Command, then: str
) -> None:
    answer(command, (), {"-d": ("", then), "status": status("sshd")})

    ran = command.run("remove")

    why = "No space left" if then == NO else "Jail x skipped"
    assert ran.code == 1
    assert ran.err == (
        "f2b-enrich: nothing was done: a file that is read needs our files, and "
        f"fail2ban would not start without ({why}); take our action out there first\n"
    )
