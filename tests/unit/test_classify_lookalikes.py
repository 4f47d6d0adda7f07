"""Attacks are told from the ordinary lines that look like them."""

from __future__ import annotations

import pytest

from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.rules import shipped

CLASSIFIER = Classifier(shipped())


@pytest.mark.parametrize(
    ("asked", "status", "attack"),
    [
        ("/a?id=1'+union+select+1,2--+", 200, "sql-injection"),
        ("/a?id=-1+union+select+user,pass+from+users", 200, "sql-injection"),
        ("/a?id=1+UNION/**/SELECT/**/null", 200, "sql-injection"),
        ("/a?id=1%20or%20sleep(5)%23", 200, "sql-injection"),
        ("/a?id=1'XOR(if(now()=sysdate(),sleep(15),0))XOR'Z", 200, "sql-injection"),
        ("/a?id=1;select+sleep(5)", 200, "sql-injection"),
        ("/a?id=1'||sleep(5)", 200, "sql-injection"),
        ("/a?f=....//....//etc/x", 200, "path-traversal"),
        ("/..././..././x", 200, "path-traversal"),
        ("../../x", 400, "path-traversal"),
        ("/a?f=C:%5cwindows%5cwin.ini", 200, "path-traversal"),
        ("/a?f=/var/log/auth.log", 200, "path-traversal"),
        ("/.gitignore", 200, "repository-probe"),
        ("/shop/.gitignore", 404, "repository-probe"),
        ("/CVS/Root", 200, "repository-probe"),
        ("/wp-json/wp/v2/users", 200, "user-name-enumeration"),
        ("/wp-json/wp/v2/users/1", 200, "user-name-enumeration"),
        ("/wp-json/wp/v2/users?per_page=100", 200, "user-name-enumeration"),
        ("/?rest_route=/wp/v2/users", 200, "user-name-enumeration"),
        ("/?x=%3Cbr%20onload=a()%3E", 200, "cross-site-scripting"),
        ("/?x=%3Csvg/onload=a()%3E", 200, "cross-site-scripting"),
        ("/a?p=http://198.51.100.9/a?", 200, "known-exploit"),
        ("/a?p=http://files.example/a.txt?", 200, "known-exploit"),
        ("/a?p=http://files.example/a??", 200, "known-exploit"),
        ("/c99.php", 200, "known-exploit"),
        ("/mini.php", 404, "known-exploit"),
        ("/remote/fgt_lang?lang=/../../x", 200, "known-exploit"),
        ("/setup.cgi?todo=syscmd&cmd=id", 200, "known-exploit"),
        ("/server-info.action?bootstrapStatusProvider.x=1", 200, "known-exploit"),
        ("/setup.cgi", 404, "web-application-probe"),
        ("/global-protect/login.esp", 404, "web-application-probe"),
        ("/WebInterface/login.html", 404, "web-application-probe"),
        ("/admin", 404, "web-application-probe"),
        ("/admin.php", 404, "web-application-probe"),
        ("/adminer-5.php", 404, "web-application-probe"),
        ("/manager/html", 404, "web-application-probe"),
        ("/vendor/autoload.php", 404, "web-application-probe"),
    ],
)
def test_the_mark_of_an_attack_is_seen(asked: str, status: int, attack: str) -> None:
    line = (
        "192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "
        f'"GET {asked} HTTP/1.1" {status} 162 "-" "Mozilla/5.0"'
    )

    assert CLASSIFIER.lines([line])[0].attack == attack


@pytest.mark.parametrize(
    ("asked", "cve"),
    [
        ("/etc/passwd%3f", "CVE-2024-38475"),
        ("/list.php%3fa", "CVE-2024-38475"),
        ("/list.php?back=%2Fa.php%3Fb", None),
        ("/list?back=/a.php%3Fb", None),
    ],
)
def test_an_encoded_question_mark_is_a_mark_before_the_first_one(
    asked: str, cve: str | None
) -> None:
    line = f'192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET {asked} HTTP/1.1" 403 1'

    assert CLASSIFIER.lines([line])[0].cve == cve


@pytest.mark.parametrize(
    ("prefix", "attack"),
    [
        ("", "port-scan"),
        ("[UFW BLOCK] ", "port-scan"),
        ("[FW-BLACKLIST] ", "port-scan"),
        ("INVALID PACKET: ", "port-scan"),
        ("[DENY-ALL] ", "port-scan"),
        ("DROP-ALL ", "port-scan"),
        ("fw [DROP] a ", "port-scan"),
        ("[UFW AUDIT] ", None),
        ("[UFW ALLOW] ", None),
        ("[ACCEPT-IN] ", None),
        ("[IN accepted] ", None),
        ("ALACCEPT ", None),
        ("fw allow: ", None),
        ("fw allow: [DROP] ", None),
        ("[DROP] allow ", None),
    ],
)
def test_a_packet_that_was_let_through_is_no_scan(
    prefix: str, attack: str | None
) -> None:
    line = (
        f"Nov 21 20:13:22 host kernel: [ 1.1] {prefix}IN=eth0 OUT= SRC=192.0.2.7 "
        "DST=203.0.113.4 LEN=44 PROTO=TCP SPT=52220 DPT=443"
    )

    assert CLASSIFIER.lines([line])[0].attack == attack
