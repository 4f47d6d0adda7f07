"""The names in real lines are those that people read in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import shipped

OBSERVER = Observer(shipped())


def names(*lines: str) -> dict[str, int]:
    found = OBSERVER.observe(lines)
    return {one.value: one.lines for one in found if one.kind == "username"}


REAL: dict[str, dict[str, int]] = {
    "attack-lines/bitwarden-bf.log": {},
    "attack-lines/cpanel_bf_attempt.log": {"cscpanel": 1},
    "attack-lines/grafana-bf.log": {},
    "attack-lines/litespeed-admin-bf.log": {"asdasd": 9},
    "attack-lines/mariadb-bf.log": {"example-user": 9},
    "attack-lines/nginx-mail-bf.log": {
        "admin@example.com": 7,
        "linkinpark@example.com": 1,
        "spanish@example.com": 1,
        "relax@example.com": 1,
        "itw@example.com": 1,
    },
    "attack-lines/opnsense-sshd.log": {"tutu": 10},
    "attack-lines/pgsql-user-enum.log": dict.fromkeys(
        ("zysk", "zyrian", "zymotic", "zymometer", "zymolysis", "zymogenic"), 1
    ),
    "attack-lines/proftpd-user-enum.log": dict.fromkeys(
        ("admin", "asd", "bar", "foo", "foobar", "root"), 1
    ),
    "attack-lines/smb-bf.log": {"toto": 6},
    "attack-lines/ssh-slow-bf.log": {"hadoop": 22},
    "attack-lines/ssh-timeout.log": {},
    "attack-lines/sshd-invalid-bf.log": {"root": 6},
    "attack-lines/teleport-bf.log": {"Bekekrb": 6},
    "attack-lines/vaultwarden-bf.log": {"test@example.com": 10},
    "fail2ban-filter-logs/apache-botsearch": {},
    "fail2ban-filter-logs/centreon": {"admin": 1},
    "fail2ban-filter-logs/courier-smtp": {"admin": 1, "PlcmSpIp@example.com": 1},
    "fail2ban-filter-logs/cyrus-imap": {
        "cyrus@localdomain": 2,
        "administrator": 1,
        "mail0001": 1,
        "pressy@derry": 1,
    },
    "fail2ban-filter-logs/directadmin": {
        "test": 1,
        "admin": 1,
        "user%2Ename": 1,
        "user": 1,
    },
    "fail2ban-filter-logs/dropbear": {"root": 6},
    "fail2ban-filter-logs/drupal-auth": {"drupaladmin": 2, "Jack Sparrow": 1},
    "fail2ban-filter-logs/freeswitch": {
        "201": 3,
        "011448708752617": 1,
        "000972543480510": 1,
        "1001": 1,
        "100": 1,
        "9810972597751739": 1,
        "101": 1,
        "41801148436701961": 1,
    },
    "fail2ban-filter-logs/gitlab": {"admin": 1, "user name": 1},
    "fail2ban-filter-logs/guacamole": {"pippo": 1, "guacadmin": 1},
    "fail2ban-filter-logs/lighttpd-auth": {
        "francois": 1,
        "xxx": 1,
        "test": 2,
        "tester": 1,
        "user1": 1,
    },
    "fail2ban-filter-logs/monit": dict.fromkeys(
        ("foo", "admin", "test1", "test2", "root"), 1
    ),
    "fail2ban-filter-logs/mssql-auth": {
        "Backend": 1,
        "===)jf02h\u00fcas9\u00e4##22f": 1,
        "O'Leary": 1,
    },
    "fail2ban-filter-logs/mysqld-auth": {
        "root": 13,
        "hacker": 2,
        "user": 1,
        "global": 1,
    },
    "fail2ban-filter-logs/nginx-forbidden": {},
    "fail2ban-filter-logs/pam-generic": {
        "an8767": 2,
        "sample-user": 1,
        "root": 1,
        "mark": 1,
        "mailuser": 1,
        "test rhost=192.0.2.151": 1,
        "test rhost=192.0.2.152": 1,
    },
    "fail2ban-filter-logs/proxmox": {"root": 1, "jose": 1},
    "fail2ban-filter-logs/selinux-ssh": {"root": 3, "dan": 2, "sshd": 1},
    "fail2ban-filter-logs/softethervpn": {"bob": 1, "alice": 1},
    "fail2ban-filter-logs/traefik-auth": {"username": 3},
    "fail2ban-filter-logs/vsftpd": {
        "tester": 2,
        "user1": 1,
        "anonymous": 1,
        "test": 1,
        "guest": 1,
        "username": 1,
    },
    "fail2ban-filter-logs/wuftpd": {"root": 1},
    "fail2ban-filter-logs/xrdp": {
        "badtypist": 2,
        "loginjector ip=192.168.0.4 time=123456789\\n[20220407-12:16:59] [INFO ] "
        "AUTHFAIL: user=endinjection": 2,
        "loginjector ip=192.168.0.4 time=12345\\n[20220407-12:16:59] [INFO ] "
        "AUTHFAIL: user=endinjection": 1,
    },
    "fail2ban-filter-logs/zoneminder": {"username1": 3},
}
"""The names in real lines, counted by reading them."""


@pytest.mark.parametrize("name", REAL)
def test_real_lines_show_the_names_that_people_read_in_them(name: str) -> None:
    folder = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    if not folder:
        pytest.skip("F2B_ENRICH_EXTRA_DATA names no folder with real records")
    file = Path(folder) / name
    if not file.exists():
        pytest.skip(f"{name} is not in F2B_ENRICH_EXTRA_DATA")
    lines = file.read_text("utf-8").splitlines()

    assert names(*(line for line in lines if not line.startswith("#"))) == REAL[name]
