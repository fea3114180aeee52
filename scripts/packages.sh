# Sourced by ./orch and ./test: need_packages NAME… installs Debian packages that are missing, or says which are.
need_packages() {
    local missing=() name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | cut -c1-2)" = ii ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "these packages are needed and this is no Debian system: ${missing[*]}"
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "these packages are needed; install them as root: apt-get install ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "installing ${missing[*]} failed; the end of apt-get's output is above"
        exit 1
    fi
    rm -f "$log"
}
