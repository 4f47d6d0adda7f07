# Look before anything is changed. Sourced by install.sh.

space_megabytes=200 # an environment beside the old one: twice 60 MB, and the database

check_all() {
    say "Checking this server"
    [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); only Linux is supported"
    for program in awk cmp find sed sha256sum tac; do
        have "$program" || fail "there is no program $program on this system"
    done
    check_python
    [ -n "$root" ] || check_root
    [ -z "$offline" ] || [ -d "$offline" ] || fail "--offline: there is no folder $offline"
    check_space
    check_prefix
    check_environment
    check_places
    [ -n "$root" ] || check_fail2ban
}

check_python() {
    [ -x "$python" ] || fail "there is no $python; it has to be 3.11 or newer"
    found=$("$python" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
        fail "$python does not run"
    "$python" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$python is Python $found; it has to be 3.11 or newer (Debian 12, Ubuntu 24.04)"
    "$python" -I -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv; Debian's package is python3-venv"
    case $("$python" -I -c \
        'import sysconfig; print(sysconfig.get_config_var("HOST_GNU_TYPE"))') in
    *musl*) fail "$python is made for musl; the pinned packages are for glibc only" ;;
    esac
}

check_root() {
    for program in flock getent groupadd groupdel useradd userdel setpriv; do
        have "$program" || fail "there is no program $program on this system"
    done
    [ -n "$dry" ] || is_root
    lock
}

is_root() {
    [ "$(id -u)" -eq 0 ] || fail "this needs root"
}

# Two at a time would take back each other's steps.
lock() {
    [ -z "$root$dry" ] || return 0
    have flock || fail "there is no program flock on this system"
    exec 9>>/run/f2b-enrich-install.lock
    flock -n 9 || fail "another install.sh is at work"
}

check_space() {
    place=$root$environment
    while [ ! -d "$place" ]; do
        place=$(dirname -- "$place")
    done
    free=$(df -Pm -- "$place" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$space_megabytes" ] ||
        fail "$place has $free MB left; this needs $space_megabytes MB"
}

check_places() {
    program=$prefix/bin/f2b-enrich
    [ ! -e "$root$program" ] || was_listed "$program" ||
        cmp -s "$here/packaging/f2b-enrich" "$root$program" ||
        fail "$program is there and not from here; move it away"
    for path in "$lib" "$state" "$state/geo" "$spool" "$settings" "$run" "$run/spool"; do
        [ ! -L "$root$path" ] || fail "$path is a link; this needs a folder of its own"
        [ ! -e "$root$path" ] || [ -d "$root$path" ] ||
            fail "$path is no folder; move it away"
    done
}

# What the wheels do not settle: whom to tell, and who may be asked about an address.
check_answers() {
    case $recipient in
    *[!A-Za-z0-9@._+=%-]* | -* | @*) fail "--recipient: $recipient is no mail address" ;;
    esac
    [ -z "$token_file" ] || check_token "$token_file"
}

# Says which file, never what is in it.
check_token() {
    [ -f "$1" ] || fail "--token-file: there is no file $1"
    [ -r "$1" ] || fail "--token-file: cannot read $1"
    # Each byte that is in no token counts, and so does a second line.
    strange=$(LC_ALL=C tr -d 'A-Za-z0-9._\n-' <"$1" | wc -c)
    lines=$(LC_ALL=C grep -c . "$1") || lines=0
    if [ "$strange" -eq 0 ] && [ "$lines" -eq 1 ] && [ "$(wc -c <"$1")" -le 256 ]; then
        return 0
    fi
    [ "$1" != "$work/token" ] || fail "what was typed is no IPinfo token"
    fail "--token-file: $1 does not hold one IPinfo token and nothing else"
}
