#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian gcc pkg-config check
pkg-config --modversion check >"$out/version.log"
# shellcheck disable=SC2046
gcc basic.c -o "$work/basic" $(pkg-config --cflags --libs check)

run 1 basic env CK_XML_LOG_FILE_NAME="$out/basic.xml" "$work/basic"
