#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 PWTEST_CACHE_DIR="$work/cache"
npm_packages @playwright/test@1.65.1
unset NO_COLOR

# The paths of attachments are relative to the report: keep it inside the project.
junit() {
    junit_name=$1
    shift
    run 1 "$junit_name" env PLAYWRIGHT_JUNIT_OUTPUT_FILE="reports/$junit_name.xml" \
        playwright test --workers=1 --reporter=list,junit "$@"
    cp "reports/$junit_name.xml" "$out/"
}
junit basic --retries=0 basic.spec.js
junit retries --retries=1 flaky.spec.js
export PLAYWRIGHT_JUNIT_INCLUDE_RETRIES=1 PLAYWRIGHT_JUNIT_INCLUDE_PROJECT_IN_TEST_NAME=1
junit include_retries --retries=1 -c projects.config.js flaky.spec.js
