"""Real lines of attacks have the class that people see in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from f2b_enrich.attacks import OTHER
from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import shipped

CLASSIFIER = Classifier(shipped(), shipped_jails())

NO_CLASS = {
    "cve-2023-23397.log": "Windows' event log, which no fail2ban reads",
    "http-generic-test.log": "a test's own page, which no attacker asks for",
}
"""Logs whose lines, each for itself, show nothing."""

LEADING = {
    "ssh-password-guessing": (
        "opnsense-sshd ssh-generic-test ssh-slow-bf sshd-invalid-bf"
    ),
    "ssh-protocol-abuse": "endlessh-syslogs ssh-timeout sshd-refused-conn",
    "login-guessing": "smb-bf",
    "web-login-guessing": (
        "apache-guacamole_user_enum bitwarden-bf cpanel_bf_attempt grafana-bf "
        "litespeed-admin-bf teleport-bf vaultwarden-bf zoneminder-bf"
    ),
    "mail-password-guessing": (
        "dovecot-slow-bf-user-enum dovecot-time-based-bf-user-enum nginx-mail-bf "
        "postfix-spam"
    ),
    "spam-delivery": "exim-spam",
    "spam-relay-attempt": "postfix-relay",
    "smtp-protocol-abuse": "postfix-helo",
    "open-proxy-probe": "sshesame",
    "ftp-abuse": "proftpd-user-enum",
    "database-abuse": "mariadb-bf pgsql-user-enum",
    "voip-abuse": (
        "asterisk-user-enum freeswitch-acl-reject freeswitch-user-enumeration"
    ),
    "port-scan": "iptables-scan-multi-port",
    "user-name-enumeration": "CVE-2022-41697 http-wordpress_user-enum",
    "wordpress-probe": "http-wordpress_wpconfig",
    "web-application-probe": ("http-admin-interface-probing http-technology-probing"),
    "sensitive-file-probe": "litespeed-http-sensitive-files nginx-http-sensitive-files",
    "sql-injection": "nginx-http-sqli-probing",
    "path-traversal": "modsecurity-nginx",
    "unwanted-robot": "nginx-bad-user-agent nginx-http-w00twoot",
    "malformed-request": "nginx-http-malformed",
    "request-flood": (
        "http-dos-bypass-cache http-dos-random-uri nginx_req_limit_exceeded"
    ),
    "known-exploit": (
        "CVE-2021-4034 CVE-2022-35914 CVE-2022-44877 CVE-2023-22515 CVE-2023-4911 "
        "CVE-2024-38475 CVE-2025-0108 apache-cve-2021-41773 "
        "apache_log4j2_cve-2021-44228 cve_2022_37042 fortinet-cve-2018-13379 "
        "netgear_rce nginx-http-backdoor "
        "thinkphp-cve-2018-20062 vmware-vcenter-vmsa-2021-0027 zoneminder_cve-39290"
    ),
}
"""The leading class of each log, by its name without .log."""

LOGS = {
    f"{name}.log": attack for attack, names in LEADING.items() for name in names.split()
}

PATHS = {
    "path_traversal.txt": "path-traversal",
    "xss_probe_patterns.txt": "cross-site-scripting",
    "trendy_cves.txt": "known-exploit",
    "jira_cve_2021-26086.txt": "known-exploit",
}
ORDINARY = {
    "/global-protect/login.esp",
    "/setup.cgi",
    "/webinterface/login.html",
    "/webinterface/",
    "/guestaccess.aspx",
    "/rpc2_login",
}
"""Pages that everybody asks for where they exist: the exploit is what follows."""


def records(folder: str) -> Path:
    extra = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    if not extra or not (Path(extra) / folder).is_dir():
        pytest.skip(f"F2B_ENRICH_EXTRA_DATA has no folder {folder}")
    return Path(extra) / folder


def test_every_log_of_an_attack_has_a_class_or_a_reason() -> None:
    names = {file.name for file in records("attack-lines").glob("*.log")}

    assert names == LOGS.keys() | NO_CLASS.keys()
    assert not LOGS.keys() & NO_CLASS.keys()


@pytest.mark.parametrize("name", LOGS)
def test_a_log_of_an_attack_has_its_class_whatever_the_jail(name: str) -> None:
    lines = (records("attack-lines") / name).read_text("utf-8").splitlines()

    (found, *_) = CLASSIFIER.classify(lines, jail="unheard-of")

    assert found.attack == LOGS[name]
    if name.startswith("CVE-"):
        assert found.cves == (name.removesuffix(".log"),)


@pytest.mark.parametrize("name", NO_CLASS)
def test_a_log_whose_lines_show_nothing_has_no_class(name: str) -> None:
    lines = (records("attack-lines") / name).read_text("utf-8").splitlines()

    assert CLASSIFIER.classify(lines, jail="unheard-of")[0].attack == OTHER


def test_every_line_that_a_filter_matches_has_a_class() -> None:
    seen = 0
    for file in sorted(records("fail2ban-filter-logs").iterdir()):
        if file.name == "zzz-generic-example":  # the filter of fail2ban's own tests
            continue
        lines = iter(file.read_text("utf-8", "replace").splitlines())
        for line in lines:
            if line.startswith("# failJSON") and '"match": true' in line:
                matched = next(lines)
                (found, *_) = CLASSIFIER.classify([matched], jail=file.name)
                assert found.attack != OTHER, f"{file.name}: {matched}"
                seen += 1

    assert seen > 300


@pytest.mark.parametrize("name", PATHS)
def test_what_attackers_ask_for_has_its_class(name: str) -> None:
    lines = (records("attack-lines/path-lists") / name).read_text("utf-8").splitlines()
    for text in lines:
        if text and not text.startswith("#"):
            path = text if text.startswith("/") else f"/?x={text}"
            line = (
                "192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "
                f'"GET {path} HTTP/1.1" 404 162 "-" "-"'
            )
            (found,) = CLASSIFIER.classify([line], jail="unheard-of")
            # Asked for by its name, a file of the system takes no way upwards.
            by_name = text.startswith("/etc/")
            wanted = "sensitive-file-probe" if by_name else PATHS[name]
            wanted = "web-application-probe" if text in ORDINARY else wanted
            assert found.attack == wanted, text
