"""Every jail that fail2ban ships has a service and a class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from f2b_enrich.attacks import CLASSES, known
from f2b_enrich.classify.jails import shipped_jails

JAILS = shipped_jails()
STOCK = Path("/etc/fail2ban/jail.conf")
SHIPPED_BY_FAIL2BAN = """
3proxy apache-auth apache-badbots apache-botsearch apache-fakegooglebot
apache-modsecurity apache-nohome apache-noscript apache-overflows apache-shellshock
assp asterisk bitwarden centreon counter-strike courier-auth courier-smtp cyrus-imap
dante directadmin domino-smtp dovecot dropbear drupal-auth ejabberd-auth exim
exim-spam freeswitch froxlor-auth gitlab grafana groupoffice gssftpd guacamole
haproxy-http-auth horde kerio lighttpd-auth mongodb-auth monit monitorix mssql-auth
murmur mysqld-auth nagios named-refused nginx-bad-request nginx-botsearch
nginx-forbidden nginx-http-auth nginx-limit-req nsd openhab-auth openwebmail
oracleims pam-generic pass2allow-ftp perdition php-url-fopen phpmyadmin-syslog
portsentry postfix postfix-rbl postfix-sasl proftpd proxmox pure-ftpd qmail-rbl
recidive roundcube-auth routeros-auth scanlogd screensharingd selinux-ssh
sendmail-auth sendmail-reject sieve slapd softethervpn sogo-auth solid-pop3d squid
squirrelmail sshd stunnel suhosin tine20 traefik-auth uwimap-auth vsftpd webmin-auth
wuftpd xinetd-fail znc-adminlog zoneminder
"""
"""The sections of fail2ban 1.0.2's jail.conf, as Debian 12 installs it, and the jails
of the filters that came after it: dante, nginx-forbidden, proxmox, routeros-auth."""


def test_each_jail_has_a_class_and_a_name_of_its_own() -> None:
    names = Counter(
        name.casefold() for jail in JAILS for name in (jail.name, *jail.aliases)
    )

    assert [name for name, times in names.items() if times > 1] == []
    assert all(jail.attack in CLASSES for jail in JAILS)


@pytest.mark.parametrize("name", SHIPPED_BY_FAIL2BAN.split())
def test_the_jails_that_fail2ban_ships_have_a_service_and_a_class(name: str) -> None:
    jails = {jail.name: jail for jail in JAILS}

    assert jails[name].service
    assert jails[name].attack in CLASSES


def test_the_jails_of_the_installed_fail2ban_are_known() -> None:
    if not STOCK.exists():
        pytest.skip("fail2ban is not installed")
    sections = {
        line.strip()[1:-1]
        for line in STOCK.read_text("utf-8").splitlines()
        if line.startswith("[") and line.strip().endswith("]")
    }

    assert sections - {"INCLUDES", "DEFAULT"} <= {jail.name for jail in JAILS}
    assert len(sections) > 80


def test_services_are_told_apart() -> None:
    services = {jail.name: jail.service for jail in JAILS}

    assert services["sshd"] == "ssh"
    assert services["postfix"] == "mail"
    assert services["recidive"] == "other"
    assert len(set(services.values())) == 9


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^'ssh' is no class of attack, such as "):
        known("ssh")
