#!/usr/bin/env bash
# Puts one verified maestro on the path of the steps that follow. It runs in GitHub's runners on Linux, macOS (Bash 3.2) and Windows (Git's Bash).
#
# What is installed has the SHA-256 that stands in checksums.txt, of the same commit as this file, whoever delivered it: the releases, a mirror, a
# file of this machine, or the cache of tools, which other jobs may have written to. Nothing is run before that is seen.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checksums=$here/checksums.txt

# Says what is wrong and what helps, and ends.
fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    echo "::error title=maestro::${1//%/%25}; ${2//%/%25}"
    exit 1
}

notice() { echo "::notice title=maestro::$1"; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

sha256_of() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1" | cut -d' ' -f1
    else
        shasum -a 256 <"$1" | cut -d' ' -f1
    fi
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
listed() { tr -d '\r' <"$checksums" | sed -e 's/#.*//' -e '/^[[:space:]]*$/d'; }

# The versions in it, newest first.
versions() { listed | sed -n 's/^[0-9a-f]*  *\*\{0,1\}maestro-\([0-9][^ ]*\)-[a-z]*-[a-z0-9]*\.tar\.gz$/\1/p' | awk '!seen[$0]++'; }

# The SHA-256 that a file has to have; nothing when it is not listed.
expected_of() { listed | awk -v file="$1" '{ sub(/^\*/, "", $2) } $2 == file && !found { print $1; found = 1 }'; }

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
    local archive=$1 why=
    case ${INPUT_ATTESTATION:-auto} in
    off) return 0 ;;
    auto | require) ;;
    *) fail "\`attestation: $INPUT_ATTESTATION\` is none of auto, require and off" "leave it out for auto" ;;
    esac
    if [ "$SERVER_URL" != https://github.com ]; then
        why="$SERVER_URL has no attestations"
    elif ! command -v gh >/dev/null; then
        why="there is no gh on this machine"
    elif ! gh attestation verify --help >/dev/null 2>&1; then
        why="this gh knows no attestations"
    elif [ -z "${GH_TOKEN:-}" ]; then
        why="there is no token"
    fi
    if [ -n "$why" ]; then
        [ "${INPUT_ATTESTATION:-auto}" != require ] || fail "who built it cannot be asked: $why" "attestation: auto installs by the SHA-256 alone"
        notice "who built it was not asked ($why); its SHA-256 is the one of this action's commit"
        return 0
    fi
    gh attestation verify "$archive" --repo "$ACTION_REPOSITORY" --signer-workflow "$ACTION_REPOSITORY/.github/workflows/release.yml" >/dev/null ||
        fail "GitHub does not confirm that $ACTION_REPOSITORY's release workflow built it" \
            "see the lines above; with attestation: off the SHA-256 alone decides"
}

from_source() {
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
    verify "$file" "$(printf '%s' "$wanted" | tr 'A-F' 'a-f')" "$file"
    case $file in
    *.tar.gz | *.tgz) unpack "$file" "$into" ;;
    *)
        mkdir -p "$into"
        cp -f "$file" "$into/$program"
        chmod +x "$into/$program"
        ;;
    esac
    announce "$into" "$("$into/$program" --version | cut -d' ' -f2)" true
}

from_release() {
    local version=$INPUT_VERSION platform file wanted cache base hit=true
    version=${version#v}
    platform=$(platform)
    if [ -z "$(versions)" ]; then
        fail "this commit of the action knows no release" "use the commit of a release's tag, or from-source: true"
    fi
    [ -n "$version" ] || version=$(versions | sed -n 1p)
    versions | grep -xF "$version" >/dev/null || fail "version $version is not in action/checksums.txt" \
        "this commit of the action knows: $(versions | tr '\n' ' ')"
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
    if [ ! -f "$cache" ]; then
        hit=false
        base=${INPUT_BASE_URL:-${MAESTRO_BASE_URL:-$SERVER_URL/$ACTION_REPOSITORY/releases/download}}
        fetch "${base%/}/v$version/$file" "$temp/$file"
        verify "$temp/$file" "$wanted" "$file"
        attest "$temp/$file"
        mkdir -p "$(dirname "$cache")"
        # Two jobs of one machine may do so at once.
        cp -f "$temp/$file" "$cache.$$"
        mv -f "$cache.$$" "$cache"
    fi
    # From the cache again: a copy that nobody else can change is what is unpacked.
    cp -f "$cache" "$temp/$file"
    verify "$temp/$file" "$wanted" "$file"
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

case ${INPUT_FROM_SOURCE:-false} in
true) from_source ;;
false | '') if [ -n "${INPUT_PATH:-}" ]; then from_file; else from_release; fi ;;
*) fail "\`from-source: $INPUT_FROM_SOURCE\` is neither true nor false" "leave it out for a release" ;;
esac
