"""Hand one fail2ban event to the daemon, or leave it in the spool, and be gone.

    /usr/bin/python3 -I -S client.py SOCKET SPOOL KEY=value ... [MATCHES text]

Python compiles a script anew at each start, which takes longer than all that there is
to do here. What a script imports it keeps compiled: that is handover.py, beside this.
"""

import posix
import sys

if __name__ == "__main__":
    folder = __file__.rpartition("/")[0] or "."
    sys.path.insert(0, folder)
    try:
        from handover import main
    except Exception:  # a power cut can leave half of what was compiled
        with open(folder + "/handover.py") as source:
            exec(compile(source.read(), source.name, "exec"))
    posix._exit(main(sys.argv))  # the kernel cleans up faster than Python does
