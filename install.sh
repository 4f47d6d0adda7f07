#!/bin/sh
# Install f2b-enrich. For now: show what it does, in a throw-away folder.
#
#   ./install.sh --demo     run the main job once; nothing is installed on this server
#   ./install.sh --deps [PROGRAM ...]   install only Debian's packages that are missing

set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=/usr/bin/python3
environment=$here/build/demo

main() {
    option=${1-}
    [ $# -eq 0 ] || shift
    case $option in
    --demo) demo ;;
    --deps) system_packages "$@" ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

usage() {
    cat <<'TEXT'
usage: ./install.sh --demo | --deps [PROGRAM ...]

  --demo   run the main job once in a throw-away folder: a real Fail2Ban bans an
           address out of a log, and you see the row and the mail that come of it
  --deps   install only the Debian packages that are missing; a PROGRAM is one more
           that must be there, from the package of the same name

Installing onto this server is not part of this version yet. Nothing was changed.
TEXT
}

demo() {
    system_packages
    build_environment
    cd "$here"
    exec "$environment/bin/python" -m demo.run
}

# Install what is missing; say so first, for it is the only change to the system.
# Where systemd runs, Debian starts the service fail2ban after installing it.
system_packages() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "needs $python of version 3.11 or newer (Debian 12, Ubuntu 24.04)"
    missing=
    have fail2ban-server || missing="$missing fail2ban"
    "$python" -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    for program; do
        have "$program" || missing="$missing $program"
    done
    [ -n "$missing" ] || return 0
    have apt-get || fail "missing:$missing; this system has no apt-get to install them"
    [ "$(id -u)" -eq 0 ] || fail "missing:$missing; install them, or run this as root"
    say "Installing from Debian:$missing"
    say "(Where systemd runs, Debian starts the service of what it installs.)"
    log=$(mktemp)
    # The word splitting is wanted: one package a word.
    # shellcheck disable=SC2086
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install:$missing; its log is $log"
    fi
    rm -f "$log"
}

# The checkout's own environment; made anew when the requirements changed.
build_environment() {
    pins=$here/requirements/demo.txt
    cmp -s "$pins" "$environment/requirements.txt" && return 0
    say "Building the Python environment in build/demo ..."
    rm -rf "$environment"
    mkdir -p "$here/build"
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip -qq --disable-pip-version-check install \
        --no-deps --require-hashes --only-binary :all: -r "$pins"
    cp "$pins" "$environment/requirements.txt"
}

have() {
    command -v "$1" >/dev/null 2>&1
}

say() {
    printf '%s\n' "$1"
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

main "$@"
