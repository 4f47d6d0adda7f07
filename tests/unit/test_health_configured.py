"""What fail2ban's dump says about jails and actions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.health.configured import (
    Action,
    Configured,
    Jail,
    configured,
    is_our_name,
)
from f2b_enrich.health.fail2ban import Word

OURS = (
    ("actionban", 'exec python3 "c" EVENT=ban'),
    ("client", "c"),
    ("socket", "s"),
    ("spool", "p"),
)
words: st.SearchStrategy[Word] = st.recursive(
    st.sampled_from(
        ["add", "set", "multi-set", "sshd", "addaction", "action", "addlogpath", "x"]
    ),
    lambda word: st.lists(word, max_size=3).map(tuple),
)


def test_jails_have_their_actions_logs_and_backends_in_order() -> None:
    found = configured(
        [
            ("set", "loglevel", "INFO"),
            ("add", "sshd", "polling"),
            ("set", "sshd", "addlogpath", "/var/log/auth.log", "head"),
            ("set", "sshd", "addlogpath", "/var/log/secure", "head"),
            ("set", "sshd", "addaction", "iptables"),
            ("multi-set", "sshd", "action", "iptables", (("actionban", "a"),)),
            ("set", "sshd", "addaction", "f2b-enrich", "/e/f2b-enrich.py", "{}"),
            ("add", "own", "systemd"),
            ("set", "own", "addaction", "mail"),
            ("set", "own", "action", "mail", "actionban", "b"),
            ("start", "sshd"),
        ]
    )

    assert found.jails == (
        Jail(
            name="sshd",
            backend="polling",
            logs=("/var/log/auth.log", "/var/log/secure"),
            actions=(
                Action(name="iptables", settings=(("actionban", "a"),)),
                Action(
                    name="f2b-enrich",
                    module="/e/f2b-enrich.py",
                    settings=(("options", "{}"),),
                ),
            ),
        ),
        Jail(
            name="own",
            backend="systemd",
            actions=(Action(name="mail", settings=(("actionban", "b"),)),),
        ),
    )
    assert found.mistakes == ()


def test_a_jail_with_a_mistake_is_told_and_is_none() -> None:
    found = configured([("config-error", "Jail 'bad' skipped")])

    assert found.jails == ()
    assert found.mistakes == ("Jail 'bad' skipped",)


@given(st.lists(st.lists(words, max_size=6).map(tuple)))
def test_no_dump_is_too_odd_to_read(commands: list[tuple[Word, ...]]) -> None:
    for jail in configured(commands).jails:
        assert isinstance(jail.backend, str)


@pytest.mark.parametrize(
    ("action", "is_ours"),
    [
        (Action(name="f2b-enrich"), True),
        (Action(name="f2b-enrich-sshd"), True),
        (Action(name="second", settings=OURS), True),
        (Action(name="second", module="/etc/action.d/f2b-enrich.py"), True),
        (Action(name="second", module="/etc/action.d/smtp.py"), False),
        (Action(name="second", settings=OURS[1:]), False),
        (Action(name="second", settings=OURS[:-1]), False),
        (
            Action(name="second", settings=(("client", "other"), *OURS[:1], *OURS[2:])),
            False,
        ),
        (Action(name="second", settings=(("client", ""), *OURS[:1], *OURS[2:])), False),
        (Action(name="f2b-enricher"), False),
        (Action(name="iptables"), False),
    ],
)
def test_our_action_is_known_by_name_file_or_what_it_runs(
    action: Action, *, is_ours: bool
) -> None:
    assert action.is_ours is is_ours


def test_a_jail_knows_our_action_among_its_own() -> None:
    ours = Action(name="mine", settings=OURS)
    jail = Jail(name="x", backend="auto", actions=(Action(name="iptables"), ours))

    assert jail.our_action is ours
    assert jail.our_actions == (ours,)
    assert Jail(name="x", backend="auto").our_action is None
    assert not is_our_name("mine")


def test_the_jails_that_have_our_action_are_named_with_the_first_one() -> None:
    first, second = Action(name="f2b-enrich"), Action(name="f2b-enrich-b")
    found = Configured(
        jails=(
            Jail(name="bare", backend="auto"),
            Jail(name="two", backend="auto", actions=(first, second)),
        )
    )

    assert list(found.ours()) == [("two", first)]
