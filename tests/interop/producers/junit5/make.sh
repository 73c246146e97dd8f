#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian default-jdk-headless junit5
dpkg-query -W -f '${Package} ${Version}\n' junit5 >"$out/version.log"
java -version 2>>"$out/version.log"

jars=
for j in junit-platform-console junit-platform-commons junit-platform-engine junit-platform-launcher \
    junit-platform-reporting junit-jupiter-api junit-jupiter-engine junit-jupiter-params \
    opentest4j apiguardian-api picocli univocity-parsers; do
    [ ! -e "/usr/share/java/$j.jar" ] || jars=$jars:/usr/share/java/$j.jar
done
mkdir "$work/classes"
javac -encoding UTF-8 -cp "$jars" -d "$work/classes" demo/*.java

# The JVM's system properties are in the report.
junit() {
    junit_name=$1
    shift
    run 1 "$junit_name" java -Dfile.encoding=UTF-8 -XX:MaxJavaStackTraceDepth=4 -cp "$jars:$work/classes" \
        org.junit.platform.console.ConsoleLauncher --disable-banner --disable-ansi-colors \
        --reports-dir "$work/reports" "$@"
    cp "$work/reports/TEST-junit-jupiter.xml" "$out/$junit_name.xml"
}
junit basic --select-class demo.BasicTest
junit control_characters --select-class demo.ControlTest
