#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
have node || skip "needs node"
# The newest release that takes this version of Node.js.
case $(node -p 'process.versions.node.split(".")[0]') in
    20) npm_packages vitest@4.1.12 ;;
    *) npm_packages vitest@5.1.1 ;;
esac

junit() {
    junit_name=$1
    shift
    run 1 "$junit_name" vitest run --no-file-parallelism --reporter=default --reporter=junit \
        --outputFile.junit="$out/$junit_name.xml" "$@"
}
junit basic basic.test.js
junit retry --retry=1 flaky.test.js
junit suite_error broken.test.js
