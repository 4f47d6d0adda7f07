# What the administrator decides, by options or by answers. Sourced by install.sh.

is_decided() {
    [ -e "$settings/config.toml" ] || was_finished "$settings/config.toml"
}

# Once there is a configuration it answers.
decide() {
    [ -z "$root" ] || return 0
    if is_decided; then
        [ -z "$recipient$source" ] ||
            say "  not changed: $settings/config.toml, which is there already"
        return 0
    fi
    if [ -z "$yes$dry" ] && [ -t 0 ]; then
        [ -n "$recipient" ] || ask_recipient
        [ -n "$source" ] || ask_source
    elif [ -z "$yes$dry" ] && { [ -z "$recipient" ] || [ -z "$source" ]; }; then
        fail "no terminal to ask on; give --recipient and one of --token-file, --keyless, --local-only, or --yes"
    fi
    recipient=${recipient:-root}
    source=${source:-local}
    check_answers
    [ "$source" != local ] || [ ! -e "$settings/ipinfo-token" ] ||
        fail "--local-only: there is a token in $settings/ipinfo-token; remove it, or give --token-file"
}

ask_recipient() {
    printf 'Who gets the alerts? [root] '
    read -r recipient || fail "no answer"
}

ask_source() {
    cat <<'TEXT'
Where does the place of an address come from?
  1  the local database: country and network; no address leaves this server
  2  that and IPinfo's API with your token: city, and more by your plan
  3  that and IPinfo's API without a token, 1,000 addresses a day
TEXT
    printf 'Which? [1] '
    read -r answer || fail "no answer"
    case $answer in
    '' | 1) source=local ;;
    2)
        source=token
        ask_token
        ;;
    3) source=keyless ;;
    *) fail "$answer is none of 1, 2 and 3" ;;
    esac
}

ask_token() {
    printf 'IPinfo token (it is not shown): '
    terminal=$(stty -g)
    stty -echo
    read -r token || token=
    stty "$terminal"
    terminal=
    printf '\n'
    token_file=$work/token
    (umask 077 && printf '%s\n' "$token" >"$token_file")
    token=
}

# The first configuration; from then on it is the administrator's.
write_settings() {
    {
        cat <<SETTINGS
# Every key has a default: f2b-enrich config init prints them all.
host = "$(uname -n)"

[mail]
recipient = "$recipient"
SETTINGS
        case $source in
        keyless) printf '\n[ipinfo]\nkeyless = true\n' ;;
        token)
            # Where there is systemd the service gets the file as a credential.
            [ -n "$systemd" ] ||
                printf '\n[ipinfo]\ntoken_file = "%s/ipinfo-token"\n' "$settings"
            ;;
        esac
    } >"$work/config.toml"
}
