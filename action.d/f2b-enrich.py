"""Report bans to the f2b-enrich daemon from inside Fail2Ban.

The same job as f2b-enrich.conf without starting a program for each ban: an
acknowledged ban takes one or two milliseconds instead of twelve or more, and log lines
of any length, with any character, arrive. In a jail, or in [DEFAULT]:

    action = %(action_)s
             f2b-enrich.py[dest="%(destemail)s"]

It runs inside the server, on Fail2Ban's own interface for Python actions (0.11 and
newer). Use one of the two, not both. A plain reload keeps it.
"""

import os
import runpy
import socket as sockets
import threading
import time

from fail2ban.server.action import ActionBase

CLIENT = "/usr/local/lib/f2b-enrich/client.py"
SOCKET = "/run/f2b-enrich/f2b-enrich.sock"
SPOOL = "/var/spool/f2b-enrich"
NOT_CAPTURES = frozenset(("matches", "failures", "fid", "ip4", "ip6", "dns"))


class Action(ActionBase):
    """Hand every ban, unban and prolonged ban to the daemon."""

    norestored = 1
    _prolongable = True

    def __init__(
        self, jail, name, client=CLIENT, socket=SOCKET, spool=SPOOL, dest="", sender=""
    ):
        super(Action, self).__init__(jail, name)
        self._connection = None
        # A ban by hand runs in another thread than the jail's own.
        self._one_at_a_time = threading.Lock()
        self.reload(client, socket, spool, dest, sender)

    def reload(self, client=CLIENT, socket=SOCKET, spool=SPOOL, dest="", sender=""):
        """Take the options anew; having this keeps the action over a reload."""
        handover = os.path.join(os.path.dirname(client), "handover.py")
        self._client = runpy.run_path(handover)
        self._paths = [client, socket, spool]
        self._slow = os.path.join(os.path.dirname(socket), "slow")
        self._addresses = ["DEST=%s" % dest, "SENDER=%s" % sender]

    def clearAllParams(self):
        """Keep everything: `reload` follows."""

    def start(self):
        """Do nothing: the daemon hears of bans only."""

    def stop(self):
        """Let go of the connection; a stop of Fail2Ban ends no ban."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def flush(self):
        """Take the place of the unbans at a stop or restart."""
        return True

    def ban(self, aInfo):
        """Report a ban with its log lines."""
        fields = self._addresses + self._captures(aInfo)
        fields += ["MATCHES", self._text(aInfo["matches"])]
        keys = ("TIME", "BANTIME", "FAILURES", "BANCOUNT")
        self._report("ban", aInfo, keys, fields)

    def prolong(self, aInfo):
        """Report that a ban got longer."""
        self._report("prolong", aInfo, ("TIME", "BANTIME", "BANCOUNT"), [])

    def unban(self, aInfo):
        """Report that a ban ended."""
        self._report("unban", aInfo, ("TIME",), [])

    def _report(self, event, aInfo, keys, more):
        fields = ["EVENT=" + event, "JAIL=" + self._jail.name]
        fields.append("IP=" + self._text(aInfo["ip"]))
        fields += ["%s=%s" % (key, aInfo[key.lower()]) for key in keys]
        with self._one_at_a_time:
            if self._acknowledged(self._client["encode"](fields + more)):
                return
            # The client connects anew, or leaves the event in the spool.
            if self._client["main"](self._paths + fields + more):
                raise RuntimeError("no daemon and no spool took the %s" % event)

    def _acknowledged(self, request):
        """Use the connection of the ban before; the daemon ends one that is idle."""
        reply = b""
        try:
            if self._connection is None and not self._is_slow():
                self._connection = sockets.socket(sockets.AF_UNIX)
                self._connection.settimeout(self._client["DEADLINE"])
                self._connection.connect(self._paths[1])
            if self._connection is not None:
                self._connection.sendall(request)
                reply = self._connection.recv(4096)
        except sockets.timeout:
            self._client["append"](self._slow, b".")
        except OSError:
            pass
        if reply.startswith(b"ok ") and reply.endswith(b"\n"):
            return True
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return False

    def _is_slow(self):
        try:
            age = time.time() - os.stat(self._slow).st_mtime
        except OSError:
            return False
        return 0 <= age < self._client["SLOW_FOR"]

    def _captures(self, aInfo):
        found = aInfo["F-*"]
        return [
            "F_%s=%s" % (name.upper(), self._text(value)[:1000])
            for name, value in sorted(found.items())
            if name not in NOT_CAPTURES and isinstance(value, str)
        ]

    @staticmethod
    def _text(value):
        # A NUL would end the field; U+2400 shows that there was one.
        return str(value).replace("\0", "\u2400")
