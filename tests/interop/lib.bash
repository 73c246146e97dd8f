# Shared by the judges: where things are, and what they install.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${MAESTRO_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/maestro-ci}
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "skipped: $*" >&2
    exit 77
}

# Builds the binary and says where it is.
maestro() {
    (cd "$root" && cargo build --quiet --release --locked) >&2
    echo "${CARGO_TARGET_DIR:-$root/target}/release/maestro"
}

# python PACKAGE...: a Python with these packages.
python_with() {
    local name venv
    name=$(printf '%s' "$*" | tr -c 'a-zA-Z0-9.' '-')
    venv=$cache/venv-$name
    if [ ! -f "$venv/done" ]; then
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet "$@" >&2 || skip "these Python packages cannot be installed: $*"
        touch "$venv/done"
    fi
    echo "$venv/bin/python"
}

# debian COMMAND PACKAGE: installs a Debian package when the command is missing and that is possible.
debian() {
    command -v "$1" >/dev/null && return
    command -v apt-get >/dev/null || skip "$1 is missing"
    [ "$(id -u)" = 0 ] || skip "$1 is missing (Debian: $2)"
    { apt-get install -y "$2" || { apt-get update && apt-get install -y "$2"; }; } >"$work/apt.log" 2>&1 ||
        skip "$2 cannot be installed"
}
