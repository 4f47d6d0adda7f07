"""Many jails, and jails that read what nobody writes any more."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health import check_fail2ban, check_logs
from f2b_enrich.health.activation import activation
from f2b_enrich.health.configured import configured
from f2b_enrich.health.fail2ban import Fail2Ban, RefusedError
from tests.e2e.lasting import lasting_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.site import Site

JAILS = 12
_JAIL = """
[jail{number}]
enabled = true
filter = sshd
backend = polling
logpath = {root}/{log}
"""
_COUNTING = """\
#!/bin/sh
echo once >>{count}
exec {client} "$@"
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with lasting_site() as lasting:
        for log in ("secure", "access.log"):
            (lasting.lab.root / log).touch()
        logs = ["secure", "access.log", *["auth.log"] * (JAILS - 2)]
        lasting.lab.write_fail2ban(
            "".join(
                _JAIL.format(number=number, root=lasting.lab.root, log=log)
                for number, log in enumerate(logs)
            )
        )
        lasting.lab.fail2ban("restart")
        yield lasting


@pytest.fixture
def count(tmp_path: Path) -> Path:
    return tmp_path / "count"


@pytest.fixture
def fail2ban(site: Site, tmp_path: Path, count: Path) -> Fail2Ban:
    """Give the real client, whose starts are counted."""
    program = tmp_path / "fail2ban-client"
    client = shutil.which("fail2ban-client")
    program.write_text(_COUNTING.format(count=count, client=client))
    program.chmod(0o755)
    root = site.lab.root
    options = ("-c", str(root / "etc"), "-s", str(root / "run" / "fail2ban.sock"))
    return Fail2Ban((str(program), *options))


def test_many_jails_cost_no_more_than_one(fail2ban: Fail2Ban, count: Path) -> None:
    facts = check_fail2ban.look(fail2ban)

    assert len(facts.running) == len(facts.reporting) == JAILS + 1
    assert set(facts.handings) == set(facts.running) == set(facts.configured or ())
    assert len(count.read_text().splitlines()) == 6


def test_a_client_without_readline_is_asked_again_and_again(
    fail2ban: Fail2Ban, tmp_path: Path
) -> None:
    program, *options = fail2ban.program
    (tmp_path / "client").write_text(
        f'#!/bin/sh\n[ "$5" != -i ] || exit 255\nexec {program} "$@"\n'
    )
    (tmp_path / "client").chmod(0o755)
    other = Fail2Ban((str(tmp_path / "client"), *options))

    with pytest.raises(RefusedError):
        other.answers([("version",)])
    assert check_fail2ban.look(other) == check_fail2ban.look(fail2ban)


def test_each_question_gets_its_own_answer(fail2ban: Fail2Ban) -> None:
    questions = [("version",), ("get", "nope", "actions"), ("get", "jail0", "actions")]

    version, refusal, actions = fail2ban.answers(questions)

    assert version == fail2ban.server_version()
    assert "does not exist" in refusal
    assert actions.splitlines() == [
        "The jail jail0 has the following actions:",
        "lab-firewall, f2b-enrich",
    ]
    assert fail2ban.answers([]) == ()
    with pytest.raises(RefusedError):
        fail2ban.answers([("echo", "one\nfail2ban> two")])


def test_a_log_of_long_ago_is_told_where_it_means_something(
    site: Site, fail2ban: Fail2Ban
) -> None:
    facts = check_fail2ban.look(fail2ban)
    now = time.time()
    long_ago = now - 40 * 86_400
    for name in ("secure", "access.log"):
        os.utime(site.lab.root / name, (long_ago, long_ago))

    (link,) = check_logs.links(facts, now=now)

    log = site.lab.root / "secure"
    assert (
        link.text == f"jail0 bans nobody: its log {log} was last written to 40 days ago"
    )
    assert '"backend = systemd" into [jail0]' in link.cure
    log.unlink()
    assert list(check_logs.links(facts, now=now)) == []
    log.touch()


def test_our_action_is_seen_under_another_name(site: Site, fail2ban: Fail2Ban) -> None:
    jail, action = next(
        (jail, action)
        for jail, action in configured(fail2ban.dump()).ours()
        if jail == "jail3"
    )
    fail2ban.send("set", jail, "delaction", action.name)
    fail2ban.send_all(activation(jail, replace(action, name="tell")))
    try:
        facts = check_fail2ban.look(fail2ban)
    finally:
        site.lab.fail2ban("restart")

    assert facts.renamed == {"jail3": "tell"}
    assert "jail3" in facts.reporting
    assert "jail3" in facts.handings
