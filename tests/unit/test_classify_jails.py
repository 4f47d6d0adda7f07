"""Every jail that fail2ban ships has a service and a class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from f2b_enrich.attacks import CLASSES, known
from f2b_enrich.classify.jails import shipped_jails

JAILS = shipped_jails()
STOCK = Path("/etc/fail2ban/jail.conf")


def test_each_jail_has_a_class_and_a_name_of_its_own() -> None:
    names = Counter(
        name.casefold() for jail in JAILS for name in (jail.name, *jail.aliases)
    )

    assert [name for name, times in names.items() if times > 1] == []
    assert all(jail.attack in CLASSES for jail in JAILS)


def test_the_jails_of_the_installed_fail2ban_are_known() -> None:
    if not STOCK.exists():
        pytest.skip("fail2ban is not installed")
    sections = {
        line.strip()[1:-1]
        for line in STOCK.read_text("utf-8").splitlines()
        if line.startswith("[") and line.strip().endswith("]")
    }

    assert sections - {"INCLUDES", "DEFAULT"} <= {jail.name for jail in JAILS}


def test_services_are_told_apart() -> None:
    services = {jail.name: jail.service for jail in JAILS}

    assert services["sshd"] == "ssh"
    assert services["postfix"] == "mail"
    assert services["recidive"] == "other"
    assert len(set(services.values())) == 9


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^'ssh' is no class of attack, such as "):
        known("ssh")
