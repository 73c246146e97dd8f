#!/usr/bin/env bash
# Puts one verified maestro on the path of the steps that follow. It runs in GitHub's runners on Linux, macOS (Bash 3.2) and Windows (Git's Bash).
#
# What is installed has the SHA-256 that stands in checksums.txt, of the same commit as this file, whoever delivered it: the releases, a mirror, a
# file of this machine, or the cache of tools, which other jobs may have written to. Nothing is run before that is seen.
set -euo pipefail

# Processes are dear on Windows: what the shell can do by itself it does.
here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)

# Says what is wrong and what helps, and ends. A line of an input would be a command to the runner: there is one line only.
fail() {
    local words=${1//[$'\r\n']/ } hint=${2//[$'\r\n']/ }
    echo "error: $words" >&2
    echo "hint: $hint" >&2
    echo "::error title=maestro::${words//%/%25}; ${hint//%/%25}"
    exit 1
}

notice() { echo "::notice title=maestro::$1"; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

sha256_of() {
    local sum
    if command -v sha256sum >/dev/null; then
        sum=$(sha256sum <"$1")
    else
        sum=$(shasum -a 256 <"$1")
    fi
    echo "${sum%% *}"
}

# Which of the builds this machine runs.
platform() {
    case "${RUNNER_OS:-}/${RUNNER_ARCH:-}" in
    Linux/X64) echo linux-x64 ;;
    Linux/ARM64) echo linux-arm64 ;;
    macOS/X64) echo macos-x64 ;;
    macOS/ARM64) echo macos-arm64 ;;
    Windows/X64) echo windows-x64 ;;
    *) echo none ;;
    esac
}

# Lines of checksums.txt, without comments: `SHA256 FILE`.
listed=$(tr -d '\r' <"$here/checksums.txt" | sed -e 's/#.*//' -e '/^[[:space:]]*$/d')

# The versions in it, newest first.
versions=$(sed -n 's/^[0-9a-f]*  *\*\{0,1\}maestro-\([0-9][^ ]*\)-[a-z]*-[a-z0-9]*\.tar\.gz$/\1/p' <<<"$listed" | awk '!seen[$0]++')

# The SHA-256 that a file has to have; nothing when it is not listed.
expected_of() {
    local digest name
    while read -r digest name; do
        if [ "${name#\*}" = "$1" ]; then
            echo "$digest"
            return 0
        fi
    done <<<"$listed"
}

# The folder that goes on the path, as steps of this system write it.
announce() {
    local folder=$1 native
    native=$folder
    if command -v cygpath >/dev/null; then native=$(cygpath -w "$folder"); fi
    printf '%s\n' "$native" >>"$GITHUB_PATH"
    output path "$folder/$program"
    output version "$2"
    output cache-hit "$3"
    echo "maestro $2 is on the path: $folder/$program"
}

# Tells what the file has to be, and stops unless it is.
verify() {
    local file=$1 wanted=$2 what=$3 found
    found=$(sha256_of "$file")
    [ "$found" = "$wanted" ] || fail "$what has the SHA-256 $found, and $wanted was expected: nothing was installed" \
        "if nobody tampered with it, the download was cut or the mirror has another build of this version"
}

# Takes the program out of an archive, and nothing else.
unpack() {
    local archive=$1 into=$2
    mkdir -p "$into"
    tar -xzOf "$archive" "$program" >"$into/$program.part" 2>/dev/null && [ -s "$into/$program.part" ] ||
        fail "there is no \`$program\` in $archive" "an archive of a release has it at its top"
    chmod +x "$into/$program.part"
    mv -f "$into/$program.part" "$into/$program"
}

# Fetches a file, three times at most.
fetch() {
    local url=$1 into=$2 try protocols='=https'
    case $url in
    https://*) ;;
    # A mirror inside somebody's walls: the hash says whether it told the truth.
    http://*) protocols='=http,https' ;;
    *) fail "\`$url\` is no address of a file" "base-url begins with https://" ;;
    esac
    for try in 1 2 3; do
        if curl --fail --silent --show-error --location --proto "$protocols" --proto-redir "$protocols" \
            --connect-timeout 15 --max-time 300 --output "$into" "$url"; then
            return 0
        fi
        [ "$try" = 3 ] || sleep "$((try * ${MAESTRO_RETRY_WAIT:-2}))"
    done
    fail "$url could not be fetched, after three tries" \
        "see the lines above; behind a proxy or without a network, name a mirror with base-url, or a file with path"
}

# Asks GitHub who built it.
attest() {
    local archive=$1 why='' help=''
    [ "$attestation" != off ] || return 0
    if [ "$SERVER_URL" != https://github.com ]; then
        why="$SERVER_URL has no attestations"
    elif ! command -v gh >/dev/null; then
        why="there is no gh on this machine"
    elif ! help=$(gh attestation verify --help 2>/dev/null); then
        why="this gh knows no attestations"
    elif [ -z "${GH_TOKEN:-}" ]; then
        why="there is no token"
    fi
    if [ -n "$why" ]; then
        [ "$attestation" != require ] || fail "who built it cannot be asked: $why" "attestation: auto installs by the SHA-256 alone"
        notice "who built it was not asked ($why); its SHA-256 is the one of this action's commit"
        return 0
    fi
    # A gh that is older does not know the last one: a workflow of another branch could have signed then, but not changed the SHA-256.
    case $help in *--source-ref*) set -- --source-ref refs/heads/main ;; *) set -- ;; esac
    gh attestation verify "$archive" --repo "$ACTION_REPOSITORY" --signer-workflow "$ACTION_REPOSITORY/.github/workflows/release.yml" \
        --deny-self-hosted-runners ${1+"$@"} >/dev/null ||
        fail "GitHub does not confirm that $ACTION_REPOSITORY's release workflow built it" \
            "see the lines above; with attestation: off the SHA-256 alone decides"
}

from_source() {
    [ "$attestation" != require ] || fail "nobody attests to what is built here" "attestation: require is for files of a release"
    command -v cargo >/dev/null || fail "from-source needs cargo, which is not on this machine" "install Rust in a step before"
    echo "Building maestro from $here/.. (this takes minutes)"
    cargo install --locked --quiet --force --root "$temp/maestro" --path "$here/.."
    announce "$temp/maestro/bin" "$("$temp/maestro/bin/$program" --version | cut -d' ' -f2)" false
}

# A file of this machine: an archive, or the program.
from_file() {
    local file=$INPUT_PATH wanted=$INPUT_CHECKSUM into=$temp/maestro
    [ -f "$file" ] || fail "there is no file $file" "path names the archive of a release or the program itself"
    [ -n "$wanted" ] || wanted=$(expected_of "$(basename "$file")")
    [ -n "$wanted" ] || fail "nobody says which SHA-256 $(basename "$file") has to have" \
        "give it as checksum, or keep the file's name as the release has it"
    # A copy that nobody else can change is what is looked at, and taken.
    cp -f "$file" "$temp/given"
    verify "$temp/given" "$(tr 'A-F' 'a-f' <<<"$wanted")" "$file"
    # Who has a file may have no network.
    [ "$attestation" != require ] || attest "$temp/given"
    case $file in
    *.tar.gz | *.tgz) unpack "$temp/given" "$into" ;;
    *)
        mkdir -p "$into"
        mv -f "$temp/given" "$into/$program"
        chmod +x "$into/$program"
        ;;
    esac
    announce "$into" "$("$into/$program" --version | cut -d' ' -f2)" true
}

from_release() {
    local version=$INPUT_VERSION platform file wanted cache base hit=true
    version=${version#v}
    platform=$(platform)
    if [ -z "$versions" ]; then
        fail "this commit of the action knows no release" "use the commit of a release's tag, or from-source: true"
    fi
    [ -n "$version" ] || version=${versions%%$'\n'*}
    case $'\n'$versions$'\n' in
    *$'\n'"$version"$'\n'*) ;;
    *) fail "version $version is not in action/checksums.txt" "this commit of the action knows: $versions" ;;
    esac
    [ "$platform" != none ] || fail "there is no build for ${RUNNER_OS:-an unknown system} on ${RUNNER_ARCH:-an unknown processor}" \
        "from-source: true builds it"
    file=maestro-$version-$platform.tar.gz
    wanted=$(expected_of "$file")
    [ -n "$wanted" ] || fail "version $version has no build for $platform" "from-source: true builds it, or take another version"
    # The archive is kept, not the program: what is in a cache is looked at each time.
    cache=${RUNNER_TOOL_CACHE:-$temp}/maestro/$version/$platform/$wanted.tar.gz
    if [ -f "$cache" ] && [ "$(sha256_of "$cache")" != "$wanted" ]; then
        notice "the cache of tools had something else for $file; it is fetched anew"
        rm -f "$cache"
    fi
    if [ -f "$cache" ]; then
        # A copy that nobody else can change is what is unpacked.
        cp -f "$cache" "$temp/$file"
        verify "$temp/$file" "$wanted" "$file"
        [ "$attestation" != require ] || attest "$temp/$file"
    else
        hit=false
        base=${INPUT_BASE_URL:-${MAESTRO_BASE_URL:-$SERVER_URL/$ACTION_REPOSITORY/releases/download}}
        fetch "${base%/}/v$version/$file" "$temp/$file"
        verify "$temp/$file" "$wanted" "$file"
        attest "$temp/$file"
        mkdir -p "${cache%/*}"
        # Two jobs of one machine may do so at once.
        cp -f "$temp/$file" "$cache.$$"
        mv -f "$cache.$$" "$cache"
    fi
    unpack "$temp/$file" "$temp/maestro"
    announce "$temp/maestro" "$version" "$hit"
}

# Runner paths of Windows have backslashes.
temp=${RUNNER_TEMP:?}
if command -v cygpath >/dev/null; then temp=$(cygpath -u "$temp"); fi
temp=$temp/maestro-action
mkdir -p "$temp"
program=maestro
[ "${RUNNER_OS:-}" != Windows ] || program=maestro.exe

attestation=${INPUT_ATTESTATION:-auto}
case $attestation in
auto | require | off) ;;
*) fail "\`attestation: $attestation\` is none of auto, require and off" "leave it out for auto" ;;
esac
case ${INPUT_FROM_SOURCE:-false} in
true) from_source ;;
false | '') if [ -n "${INPUT_PATH:-}" ]; then from_file; else from_release; fi ;;
*) fail "\`from-source: $INPUT_FROM_SOURCE\` is neither true nor false" "leave it out for a release" ;;
esac
