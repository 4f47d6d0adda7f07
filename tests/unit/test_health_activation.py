"""What is planned for each jail, and the words that do it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from f2b_enrich.health.activation import (
    JailPlan,
    Standing,
    activation,
    plan,
    removal,
)
from f2b_enrich.health.configured import Action, Configured, Jail
from f2b_enrich.health.running import Running

FIREWALL = Action(name="iptables", settings=(("port", "ssh"),))
MAIL = Action(name="sendmail-whois")
OURS = Action(
    name="f2b-enrich",
    settings=(
        ("actionstart", ""),
        ("actionban", "exec client"),
        ("actionunban", "exec client unban"),
        ("norestored", "True"),
        ("timeout", "10"),
    ),
)
MODULE = Action(
    name="f2b-enrich", module="/e/f2b-enrich.py", settings=(("options", '{"a": "b"}'),)
)


def having(**jails: tuple[Action, ...]) -> Configured:
    return Configured(
        jails=tuple(
            Jail(name=name, backend="auto", actions=actions)
            for name, actions in jails.items()
        )
    )


def live(*actions: Action) -> tuple[Running, ...]:
    """Give actions as a server runs them."""
    return tuple(
        Running(
            name=action.name,
            is_ours=action.is_ours,
            at_a_ban=None if action.module else action.at_a_ban,
        )
        for action in actions
    )


OLDER = replace(OURS, settings=(("actionban", "exec older"),))
RENAMED = replace(OURS, name="f2b-enrich-b")


@pytest.mark.parametrize(
    ("actions", "running", "standing"),
    [
        ((FIREWALL, OURS), {"sshd": live(FIREWALL)}, Standing.ADD),
        ((FIREWALL, OURS), {"sshd": ()}, Standing.ADD),
        ((FIREWALL, OURS), {"sshd": live(FIREWALL, OURS)}, Standing.ACTIVE),
        ((FIREWALL, OURS), {"sshd": live(RENAMED)}, Standing.ADD),
        ((FIREWALL, OURS), {"sshd": live(OLDER)}, Standing.OUTDATED),
        ((FIREWALL, OURS), {"sshd": live(MODULE)}, Standing.ACTIVE),
        ((FIREWALL, OURS, RENAMED), {"sshd": live(RENAMED)}, Standing.ADD),
        ((FIREWALL, OURS, RENAMED), {"sshd": live(OURS, RENAMED)}, Standing.ACTIVE),
        ((FIREWALL, OURS), {}, Standing.LATER),
        ((FIREWALL, OURS), None, Standing.LATER),
        ((FIREWALL,), {"sshd": live(FIREWALL)}, Standing.LACKS),
        ((FIREWALL,), None, Standing.LACKS),
        ((OURS,), {"sshd": live(FIREWALL)}, Standing.LOSES),
        ((OURS,), None, Standing.LOSES),
        ((FIREWALL, MAIL, OURS), None, Standing.LOSES),
        ((FIREWALL, MODULE), {"sshd": live(FIREWALL)}, Standing.ADD),
        ((FIREWALL, MODULE), {"sshd": live(FIREWALL, MODULE)}, Standing.ACTIVE),
        ((FIREWALL, MODULE), {"sshd": live(OLDER)}, Standing.ACTIVE),
    ],
)
def test_a_jail_stands_by_its_configuration_and_what_runs(
    actions: tuple[Action, ...],
    running: dict[str, tuple[Running, ...]] | None,
    standing: Standing,
) -> None:
    found = plan(
        having(sshd=actions), without=having(sshd=(FIREWALL,)), running=running
    )

    assert [one.standing for one in found] == [standing]


def test_what_is_to_be_added_is_each_action_that_does_not_run() -> None:
    actions = (FIREWALL, OURS, RENAMED)
    [found] = plan(
        having(sshd=actions),
        without=having(sshd=actions),
        running={"sshd": live(FIREWALL, OURS)},
    )

    assert found.missing == (RENAMED,)


def test_an_action_of_another_name_is_active_under_it() -> None:
    own = Action(
        name="tell",
        settings=(
            ("actionban", "c EVENT=ban"),
            *(("client", "c"), ("socket", ""), ("spool", "")),
        ),
    )
    [found] = plan(
        having(sshd=(own,)), without=having(sshd=(own,)), running={"sshd": live(own)}
    )

    assert found.standing is Standing.ACTIVE
    assert found.others == ()


def test_an_action_with_other_options_is_lost_though_its_name_stays() -> None:
    wide = Action(name="iptables", settings=(("port", "1:65535"),))
    [found] = plan(
        having(sshd=(FIREWALL, OURS)),
        without=having(sshd=(wide, MAIL)),
        running={"sshd": live(FIREWALL)},
    )

    assert found == JailPlan(
        jail="sshd",
        standing=Standing.LOSES,
        missing=(OURS,),
        others=("iptables",),
        lost=("iptables", "sendmail-whois"),
    )


def test_a_firewall_that_our_file_brings_into_a_jail_is_told() -> None:
    [found] = plan(having(sshd=(FIREWALL, OURS)), without=having(sshd=()), running=None)

    assert (found.lost, found.gained) == ((), ("iptables",))


def test_ours_is_none_that_a_jail_could_lose() -> None:
    [found] = plan(
        having(sshd=(FIREWALL,)), without=having(sshd=(FIREWALL, OURS)), running=None
    )

    assert found.lost == ()


def test_a_jail_that_our_file_breaks_loses_all_it_has() -> None:
    found = plan(having(), without=having(sshd=(FIREWALL,)), running=None)

    assert found == (
        JailPlan(jail="sshd", standing=Standing.LOSES, lost=("iptables",)),
    )


def test_a_jail_of_the_server_alone_is_told_apart_and_sorted_in() -> None:
    found = plan(
        having(sshd=(OURS,), apache=(OURS,)),
        without=having(sshd=()),
        running={"made": live(FIREWALL, OURS), "sshd": ()},
    )

    assert [(one.jail, one.standing, one.others) for one in found] == [
        ("apache", Standing.LATER, ()),
        ("made", Standing.GONE, ("iptables",)),
        ("sshd", Standing.ADD, ()),
    ]


def test_what_runs_at_a_ban_is_set_last() -> None:
    assert list(activation("sshd", OURS)) == [
        ("set", "sshd", "addaction", "f2b-enrich"),
        ("set", "sshd", "action", "f2b-enrich", "actionstart", ""),
        ("set", "sshd", "action", "f2b-enrich", "actionunban", "exec client unban"),
        ("set", "sshd", "action", "f2b-enrich", "norestored", "True"),
        ("set", "sshd", "action", "f2b-enrich", "timeout", "10"),
        ("set", "sshd", "action", "f2b-enrich", "actionban", "exec client"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "sent"),
    [
        ("norestored", "False", ""),
        ("norestored", "0", ""),
        ("norestored", "1", "1"),
        ("dest", "False", "False"),
    ],
)
def test_a_truth_value_stays_one_on_its_way(key: str, value: str, sent: str) -> None:
    action = Action(name="f2b-enrich", settings=((key, value),))

    assert list(activation("sshd", action))[1][-1] == sent


def test_a_module_takes_its_options_in_one_piece() -> None:
    assert list(activation("own", MODULE)) == [
        ("set", "own", "addaction", "f2b-enrich", "/e/f2b-enrich.py", '{"a": "b"}')
    ]


def test_removal_names_jail_and_action() -> None:
    assert removal("sshd", "f2b-enrich") == ("set", "sshd", "delaction", "f2b-enrich")
