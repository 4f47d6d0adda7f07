"""What was asked for, and by what program, as a web server's access log says."""

from __future__ import annotations

import re

# The common and combined formats, with a virtual host before them or not. RE2 reads a
# line in 10 us, of which its Python side takes 8; this takes half of that. No two
# neighbours here match the same character, so no line makes it go back far.
# Quotation marks in what clients sent, the user's name too, are escaped by Apache, by
# a backslash, and by nginx, as \x22: what the first `] "` ends is the stamp.
_STAMP = re.compile(rb'\[\d\d/\w{3,4}\.?/\d{4}:[^\[\]"]{1,32}\Z')
_LONGEST_STAMP = 48
# Other programs log names that attackers chose to look like a request: only what
# stands before the stamp tells an access log. It is host, ident and user, and maybe a
# virtual host or what syslog writes; then the host is an address. Nobody asks for an
# ident any more. A user's name may hold blanks, but nobody's ends a word in a colon,
# which HTTP puts after a name, and other programs after their own.
_WORD = rb"[\w.:%\[\]-]*(?:[\w.%\]-]|::) +"
_HEAD = re.compile(
    rb"(?:(?:"
    + _WORD
    + rb'){1,2}|(?:[^\s"]*[^\s":] +){0,6}[^\s":]+: +[0-9A-Fa-f.:]+ +)- '
)
_END_OF_A_WORD = re.compile(rb":\s")
_TEXT = rb'[^"\\]*(?:\\.[^"\\]*)*'
_REQUEST = re.compile(
    rb'[A-Z]{3,10} (?P<path>(?=[^ "])[^"\\ ]*(?:\\.[^"\\ ]*)*)(?: ' + _TEXT + rb')?"'
    rb'(?: \d{3} [\d-]{1,19} "' + _TEXT + rb'" "(?P<user_agent>' + _TEXT + rb')")?'
)
_ANSWER = re.compile(rb"[A-Z]{3,10} " + _TEXT + rb'" (\d{3}) ')


def requested(line: bytes) -> tuple[bytes, bytes] | None:
    """Give the target of the request and the user agent, which may be empty.

    None where the line is no such one, or holds no request in HTTP's form.
    """
    at = _request_at(line)
    found = None if at is None else _REQUEST.match(line, at)
    if found is None:
        return None
    path, user_agent = found.groups(b"")
    return path, b"" if user_agent == b"-" else user_agent


def answered(line: bytes) -> int | None:
    """Give the status that the server answered with; None where the line tells none."""
    at = _request_at(line)
    found = None if at is None else _ANSWER.match(line, at)
    return None if found is None else int(found[1])


def _request_at(line: bytes) -> int | None:
    """Find where an access log's request begins."""
    end = line.find(b'] "')
    if end < 0:
        return None
    near = max(end - _LONGEST_STAMP, 0)
    stamp = _STAMP.search(line[near:end])
    if stamp is None or not _is_head(line[: near + stamp.start()]):
        return None
    return end + 3


def _is_head(text: bytes) -> bool:
    head = _HEAD.match(text)
    return head is not None and not _END_OF_A_WORD.search(text, head.end())
