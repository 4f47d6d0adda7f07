"""What attackers leave in logs, the jails that read it, what IPinfo knows of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JAILS = r"""
[sshd6]
enabled = true
filter = sshd
logpath = {root}/auth6.log
maxretry = 3
[postfix-sasl]
enabled = true
logpath = {root}/postfix.log
maxretry = 2
[dovecot]
enabled = true
logpath = {root}/dovecot.log
maxretry = 2
[nginx-http-auth]
enabled = true
logpath = {root}/nginx.log
maxretry = 2
[nginx-botsearch]
enabled = true
logpath = {root}/access.log
maxretry = 5
bantime = -1
[recidive]
enabled = true
logpath = {root}/fail2ban.log
maxretry = 2
# The mail about this one is looked at as it is without.
ignoreregex = Ban 192\.0\.2\.7$
# Whoever was told of a ban is not told of what repeats it.
destemail = other@alerts.example
"""

SYSLOG = time.strftime("%b %e %H:%M:%S")
LOGS = {
    "auth6.log": "".join(
        f"{SYSLOG} web1 sshd[{number}]: Failed password for invalid user oracle "
        f"from 2001:db8:5::7 port {number} ssh2\n"
        for number in (50001, 50002, 50003)
    ),
    "postfix.log": f"""\
{SYSLOG} web1 postfix/smtpd[811]: warning: unknown[203.0.113.9]: SASL LOGIN \
authentication failed: UGFzc3dvcmQ6, sasl_username=info@example.org
{SYSLOG} web1 postfix/smtpd[811]: warning: unknown[203.0.113.9]: SASL LOGIN \
authentication failed: UGFzc3dvcmQ6, sasl_username=sales@example.org
""",
    "dovecot.log": f"""\
{SYSLOG} web1 dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): \
user=<anna>, method=PLAIN, rip=198.51.100.30, lip=192.0.2.200, TLS, session=<q1+x>
{SYSLOG} web1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): \
user=<root>, method=PLAIN, rip=198.51.100.30, lip=192.0.2.200, TLS, session=<q2+x>
""",
    "nginx.log": "".join(
        f"{time.strftime('%Y/%m/%d %H:%M:%S')} [error] 911#911: *{number} "
        f'user "{user}" was not found in "/etc/htpasswd", client: 198.51.100.21, '
        'server: a, request: "GET http://evil.example/<script>/admin?token=s3cr3t '
        'HTTP/1.1", host: "www.example.org", referrer: "http://evil.example/x"\n'
        for number, user in enumerate(("admin", "grafana"))
    ),
    "access.log": "".join(
        f"192.0.2.61 - - [{time.strftime('%d/%b/%Y:%H:%M:%S %z')}] "
        f'"GET {path} HTTP/1.1" 404 153 "-" "Mozilla/5.0 (compatible; x)"\n'
        for path in (
            "/phpmyadmin/index.php",
            "/wp-login.php",
            "/cgi-bin/.%2e/.%2e/.%2e/bin/sh",
            "/phpmyadmin/index.php?id=1%20UNION%20SELECT%201",
            "/cgi-bin/../../../../etc/passwd",
        )
    ),
}

AMSTERDAM: Mapping[str, object] = {
    "hostname": "vps7.example.net",
    "city": "Amsterdam",
    "region": "North Holland",
    "country": "NL",
    "loc": "52.3740,4.8897",
    "org": "AS64500 Example Hosting B.V.",
    "privacy": {"hosting": True, "vpn": False, "tor": False, "proxy": False},
}
SAO_PAULO: Mapping[str, object] = {
    "city": "São Paulo",
    "region": "São Paulo",
    "country": "BR",
    "loc": "-23.5475,-46.6361",
    "org": "AS64501 Provedor de Acesso à Internet de Exemplo Sociedade Anônima",
}
RECORDS = {
    **dict.fromkeys(("192.0.2.7", "192.0.2.9", "2001:db8:5::7"), AMSTERDAM),
    **dict.fromkeys(("203.0.113.9", "192.0.2.61", "192.0.2.200"), SAO_PAULO),
    "198.51.100.30": {"country": "NL"},
    "203.0.113.77": {},
    "198.51.100.21": {**AMSTERDAM, "hostname": "a." * 40 + "example.net"},
    "192.0.2.44": {**AMSTERDAM, "privacy": {"hosting": True, "vpn": True}},
}


def guesses(now: float) -> Iterator[str]:
    """Write what sshd logs about five guesses, the last of them now."""
    users = ("root", "invalid user admin", "postgres", "invalid user oracle", "root")
    for number, (user, ago) in enumerate(zip(users, (41, 32, 23, 11, 0), strict=True)):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now - ago))
        yield (
            f"{stamp} web1 sshd[{4021 + 4 * number}]: Failed password for {user} "
            f"from 192.0.2.7 port {50291 + 444 * number} ssh2\n"
        )
