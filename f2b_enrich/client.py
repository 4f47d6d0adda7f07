"""Hand one fail2ban event to the daemon, or leave it in the spool, and be gone.

    /usr/bin/python3 -I -S client.py SOCKET SPOOL KEY=value ... [MATCHES text]

Python compiles a script anew at each start, which takes longer than all that there is
to do here. What a script imports it keeps compiled: that is handover.py, beside this.
"""

import posix
import sys

if __name__ == "__main__":
    posix.umask(0o022)  # what is kept will run as root: nobody else may write it
    folder = __file__.rpartition("/")[0] or "."
    sys.path.insert(0, folder)
    try:
        import handover

        code = handover.main(sys.argv)
    except Exception:  # a power cut can leave half of what was kept
        tag = sys.implementation.cache_tag
        try:
            posix.unlink("%s/__pycache__/handover.%s.pyc" % (folder, tag))
        except OSError:
            pass
        names = {"__name__": "handover"}
        with open(folder + "/handover.py") as source:
            exec(compile(source.read(), source.name, "exec"), names)
        code = names["main"](sys.argv)
    posix._exit(code)  # the kernel cleans up faster than Python does
