"""All that client.py does: hand over one event, or leave it in the spool.

fail2ban's one lock for all jails is held meanwhile: only built-in modules are imported,
and nothing waits longer than DEADLINE. Runs on Python 3.6 and newer.
"""

import _socket
import posix
import sys
import time

DEADLINE, SLOW_FOR = 0.5, 10
MAX_FILES, MAX_BYTES = 50000, 256 * 1024 * 1024
WRITE = posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC
SAFELY = WRITE | posix.O_NOFOLLOW | posix.O_NONBLOCK


def main(argv):
    """Return 0 when the daemon or a spool has the event, else 1 and say so."""
    socket, spool = argv[1:3]
    run = socket.rpartition("/")[0] or "."
    request = encode(argv[3:])
    try:
        if not hand_over(socket, request, time.monotonic() + DEADLINE, run + "/slow"):
            try:
                leave(spool, request, MAX_FILES, MAX_BYTES)
            except OSError as exc:
                if exc.errno is None:  # full by our own limit: no reason to fill /run
                    raise
                leave(run + "/spool", request, MAX_FILES // 8, MAX_BYTES // 8)
    except OSError as exc:
        what = ascii(" ".join(argv[3:7]))[1:-1][:200]
        append(run + "/lost", what.encode("ascii") + b"\n")
        line = "f2b-enrich: no daemon, no spool: %s: %s\n" % (what, exc)
        try:
            posix.write(2, line.encode("ascii", "backslashreplace"))
        except OSError:
            pass  # nobody listens
        return 1
    return 0


def encode(fields):
    """Write the fields as the wire wants them; MATCHES is followed by its value."""
    if "MATCHES" in fields:
        at = fields.index("MATCHES")
        fields = [*fields[:at], "MATCHES=" + "".join(fields[at + 1 : at + 2])]
    fields = [field for field in fields if field.partition("=")[2]]
    text = "\0".join(["V=1", "AT=%.3f" % time.time(), *fields, "", ""])
    try:  # exactly the bytes that fail2ban gave, whatever the locale
        return text.encode(sys.getfilesystemencoding(), "surrogateescape")
    except UnicodeError:  # EUC-JP and BIG5 decode more than they encode
        return text.encode("utf-8", "surrogateescape")


def hand_over(path, request, deadline, slow):
    """Tell whether the daemon acknowledged; a time-out makes the next clients spool."""
    reply = b""
    try:
        if 0 <= time.time() - posix.stat(slow).st_mtime < SLOW_FOR:
            return False
    except OSError:
        pass  # no such mark
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        for step, value in (connection.connect, path), (connection.sendall, request):
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            step(value)
        while reply[-1:] != b"\n":
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            reply += connection.recv(512) or b": cut off\n"
    except OSError as exc:  # no daemon, or one that hangs
        if isinstance(exc, _socket.timeout):
            append(slow, b".")
    connection.close()
    return reply[:3] == b"ok " and reply[-1:] == b"\n" and b":" not in reply


def leave(folder, request, max_files, max_bytes):
    """Write the request to a new file, which gets its name when it is whole."""
    at = posix.open(folder, posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    try:
        names = posix.listdir(at)
        sizes = [name.rpartition("-")[2].partition(".")[0] for name in names]
        held = sum(int(size) for size in sizes if size.isdecimal())
        if len(names) >= max_files or held + len(request) > max_bytes:
            raise OSError("spool is full: %d files, %d bytes" % (len(names), held))
        name = "%020d-%d-%d" % (time.time() * 1e9, posix.getpid(), len(request))
        file = posix.open(name + ".tmp", SAFELY | posix.O_EXCL, 0o640, dir_fd=at)
        try:
            fill(file, request)
            posix.rename(name + ".tmp", name + ".ban", src_dir_fd=at, dst_dir_fd=at)
        except OSError:
            posix.unlink(name + ".tmp", dir_fd=at)
            raise
    finally:
        posix.close(at)


def fill(file, data):
    """Write all to disk and close the file, come what may."""
    try:
        posix.fchmod(file, 0o640)  # whatever fail2ban's umask: the group reads
        while data:
            data = data[posix.write(file, data) :]
        posix.fsync(file)
    finally:
        posix.close(file)


def append(path, line):
    """Add to a file that stays small; what cannot be written is let go."""
    try:
        file = posix.open(path, SAFELY | posix.O_APPEND, 0o640)
        fill(file, line if posix.fstat(file).st_size < 1024 * 1024 else b"")
    except OSError:
        pass  # /run may be gone too
