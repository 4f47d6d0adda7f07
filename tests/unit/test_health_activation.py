"""What is planned for each jail, and the words that do it."""

from __future__ import annotations

import pytest

from f2b_enrich.health.activation import (
    JailPlan,
    Standing,
    activation,
    plan,
    removal,
)
from f2b_enrich.health.configured import Action, Configured, Jail

FIREWALL = Action(name="iptables", settings=(("port", "ssh"),))
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


@pytest.mark.parametrize(
    ("actions", "running", "standing"),
    [
        ((FIREWALL, OURS), {"sshd": ("iptables",)}, Standing.ADD),
        ((FIREWALL, OURS), {"sshd": ()}, Standing.ADD),
        ((FIREWALL, OURS), {"sshd": ("iptables", "f2b-enrich")}, Standing.ACTIVE),
        ((FIREWALL, OURS), {"sshd": ("f2b-enrich-old",)}, Standing.ACTIVE),
        ((FIREWALL, OURS), {}, Standing.LATER),
        ((FIREWALL, OURS), None, Standing.LATER),
        ((FIREWALL,), {"sshd": ("iptables",)}, Standing.LACKS),
        ((FIREWALL,), None, Standing.LACKS),
        ((OURS,), {"sshd": ("iptables",)}, Standing.LOSES),
        ((OURS,), None, Standing.LOSES),
        ((FIREWALL, MODULE), {"sshd": ("iptables",)}, Standing.ADD),
        ((FIREWALL, MODULE), {"sshd": ("iptables", "f2b-enrich")}, Standing.ACTIVE),
    ],
)
def test_a_jail_stands_by_its_configuration_and_what_runs(
    actions: tuple[Action, ...],
    running: dict[str, tuple[str, ...]] | None,
    standing: Standing,
) -> None:
    found = plan(
        having(sshd=actions), without=having(sshd=(FIREWALL,)), running=running
    )

    assert [one.standing for one in found] == [standing]


def test_an_action_of_another_name_is_active_under_it() -> None:
    own = Action(
        name="tell",
        settings=(
            ("actionban", "EVENT=ban"),
            *(("client", ""), ("socket", ""), ("spool", "")),
        ),
    )
    running = {"sshd": ("tell",)}
    [found] = plan(having(sshd=(own,)), without=having(sshd=(own,)), running=running)

    assert found.standing is Standing.ACTIVE
    assert found.action == own


def test_an_action_with_other_options_is_lost_though_its_name_stays() -> None:
    wide = Action(name="iptables", settings=(("port", "1:65535"),))
    mail = Action(name="sendmail-whois")
    [found] = plan(
        having(sshd=(FIREWALL, OURS)),
        without=having(sshd=(wide, mail)),
        running={"sshd": ("iptables",)},
    )

    assert found == JailPlan(
        jail="sshd",
        standing=Standing.LOSES,
        action=OURS,
        others=("iptables",),
        lost=("iptables", "sendmail-whois"),
    )


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
        running={"made": ("iptables", "f2b-enrich"), "sshd": ()},
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
