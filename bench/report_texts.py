"""What the mail actions of fail2ban's releases put into a report of one ban."""

from __future__ import annotations

from dataclasses import dataclass

_GREETING = "Hi,\n\n"
_BANNED = (
    "The IP {ip} has just been banned by Fail2Ban after\n"
    "{failures} attempts against {jail}.\n"
)
_BANNED_FOR = (
    "The IP {ip} has just been banned for 600 seconds\n"
    "by Fail2Ban after {failures} attempts against {jail}.\n"
)
_REGARDS = "\n\nRegards,\n\nFail2Ban\n"
_SHORT_REGARDS = "\nRegards,\nFail2Ban\n"
_WHOIS = """

Here are more information about {ip}:

inetnum:        {ip}
netname:        EXAMPLE-NET
descr:          Example network for documentation
country:        ZZ
abuse-mailbox:  abuse@network.example
"""
_WHOIS_OF_TODAY = _WHOIS.replace("are more", "is more").replace("{ip}:\n", "{ip} :\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One release's words; `heading` stands above log lines."""

    title: str
    sentence: str
    heading: str
    whois: str = ""
    regards: str = _REGARDS

    def subject(self, *, ip: str, jail: str, host: str) -> str:
        """Write the subject of a report."""
        return self.title.format(ip=ip, jail=jail, host=host)

    def text(self, *, ip: str, jail: str, failures: int, lines: tuple[str, ...]) -> str:
        """Write the text of a report, with log lines or without them."""
        named = {"ip": ip, "jail": jail, "failures": failures}
        parts = [_GREETING, self.sentence.format(**named)]
        if lines:
            parts += [self.whois.format(**named), "\n", self.heading.format(**named)]
            parts += [f"\n{line}" for line in lines]
            parts.append("\n")
        return "".join((*parts, self.regards))


_OLD = "[Fail2Ban] {jail}: banned {ip}"
_WITH_HOST = "[Fail2Ban] {jail}: banned {ip} from {host}"

ERAS = (
    Era(
        title=_OLD,
        sentence=_BANNED,
        heading="Lines containing IP:{ip} in /var/log/auth.log\n",
        whois=_WHOIS,
    ),
    Era(
        title=_WITH_HOST,
        sentence=_BANNED,
        heading="Lines containing IP:{ip} in /var/log/auth.log\n",
        whois=_WHOIS,
    ),
    Era(
        title=_WITH_HOST,
        sentence=_BANNED,
        heading="Lines containing failures of {ip} (max 1000)",
        whois=_WHOIS_OF_TODAY,
    ),
    Era(
        title=_WITH_HOST,
        sentence=_BANNED,
        heading="Matches for {jail} with {failures} failures IP:{ip}\n",
        whois=_WHOIS_OF_TODAY,
    ),
    Era(title=_WITH_HOST, sentence=_BANNED, heading="Matches:\n", whois=_WHOIS),
    Era(
        title=_WITH_HOST,
        sentence=_BANNED_FOR,
        heading="Matches for this ban:",
        regards=_SHORT_REGARDS,
    ),
)
