# What install.sh does in a checkout, for developers: --demo and --deps. It is sourced.

demo() {
    system_packages
    build_environment
    cd "$here"
    exec "$here/build/demo/bin/python" -m demo.run
}

# Install what is missing; say so first, for it is the only change to the system.
# Where systemd runs, Debian starts the service fail2ban after installing it.
system_packages() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "needs $python of version 3.11 or newer (Debian 12, Ubuntu 24.04)"
    missing=
    have fail2ban-server || missing="$missing fail2ban"
    "$python" -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    for wanted; do # a program, and =PACKAGE where that is not its name
        have "${wanted%%=*}" || missing="$missing ${wanted#*=}"
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
    made=$here/build/demo
    cmp -s "$pins" "$made/requirements.txt" && return 0
    say "Building the Python environment in build/demo ..."
    rm -rf "$made"
    mkdir -p "$here/build"
    "$python" -m venv "$made"
    "$made/bin/python" -m pip -qq --disable-pip-version-check install \
        --no-deps --require-hashes --only-binary :all: -r "$pins"
    cp "$pins" "$made/requirements.txt"
}
