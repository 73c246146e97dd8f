# Sourced by every make.sh. Sets:
#   here  the tool's folder            out   where the raw XML goes
#   work  a temporary folder           demo  a copy of the sources, the current folder
# A tool that cannot be installed ends with status 77 ("skipped").
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tool=$(basename -- "$here")
mkdir -p -- "$1"
out=$(CDPATH='' cd -- "$1" && pwd -P)
# normalise.py knows this folder by its name.
work=$(mktemp -d "${TMPDIR:-/tmp}/maestro-producer.XXXXXX")
work=$(CDPATH='' cd -- "$work" && pwd -P)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM
demo=$work/demo
cp -R -- "$here/src" "$demo"
cd -- "$demo"

export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1
unset CI GITHUB_ACTIONS FORCE_COLOR CLICOLOR_FORCE RUST_BACKTRACE RUSTFLAGS || true

skip() { echo "SKIPPED $tool: $*" >&2; exit 77; }

# have COMMAND...: all of the commands exist
have() { for have_c in "$@"; do command -v "$have_c" >/dev/null 2>&1 || return 1; done; }

# debian PACKAGE...: the packages are installed, or get installed when root
debian() {
    have dpkg-query apt-get || skip "needs the Debian packages $*"
    debian_missing=
    for debian_p in "$@"; do
        dpkg-query -W -f '${Status}' "$debian_p" 2>/dev/null | grep -q ' installed$' ||
            debian_missing="$debian_missing $debian_p"
    done
    [ -n "$debian_missing" ] || return 0
    [ "$(id -u)" -eq 0 ] || skip "needs root to install the Debian packages$debian_missing"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $debian_missing \
        >"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log" >&2; skip "cannot install$debian_missing"; }
}

# pypi REQUIREMENT...: a virtual environment, first in PATH
pypi() {
    have python3 || skip "needs python3"
    python3 -m venv "$work/venv" || skip "needs the venv module"
    "$work/venv/bin/python" -m pip install -q --disable-pip-version-check "$@" \
        >"$work/pip.log" 2>&1 || { tail -n 5 "$work/pip.log" >&2; skip "cannot install $*"; }
    PATH=$work/venv/bin:$PATH
}

# npm_packages SPEC...: installed in node_modules of the current folder, its programs in PATH
npm_packages() {
    have node npm || skip "needs node and npm"
    npm install --no-save --no-audit --no-fund --loglevel=error "$@" \
        >"$work/npm.log" 2>&1 || { tail -n 5 "$work/npm.log" >&2; skip "cannot install $*"; }
    PATH=$PWD/node_modules/.bin:$PATH
}

# run STATUS LOG COMMAND...: output goes to $out/LOG.log, and the status must be STATUS
run() {
    run_want=$1 run_log=$out/$2.log
    shift 2
    run_got=0
    "$@" >"$run_log" 2>&1 </dev/null || run_got=$?
    if [ "$run_got" -ne "$run_want" ]; then
        tail -n 40 "$run_log" >&2
        echo "FAILED $tool: status $run_got instead of $run_want: $*" >&2
        exit 1
    fi
}
