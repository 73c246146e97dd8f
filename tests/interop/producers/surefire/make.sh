#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian default-jdk-headless maven libsurefire-java libmaven-compiler-plugin-java libmaven-resources-plugin-java junit4
dpkg-query -W -f '${Package} ${Version}\n' maven libsurefire-java junit4 >"$out/version.log"

# Debian's own repository of Maven artefacts, in a copy that Maven may write to.
cp -rs /usr/share/maven-repo "$work/repository"

mvn_test() {
    mvn -o -B -q -Dmaven.repo.local="$work/repository" -Duser.home="$work" -Dstyle.color=never \
        resources:testResources compiler:testCompile surefire:test "$@"
}
rm -f ./*.count
run 1 basic mvn_test -Dtest=BasicTest,BrokenTest
cp target/surefire-reports/TEST-demo.BasicTest.xml "$out/basic.xml"
cp target/surefire-reports/TEST-demo.BrokenTest.xml "$out/broken_class.xml"
run 1 reruns mvn_test -Dtest=FlakyTest -Dsurefire.rerunFailingTestsCount=2
cp target/surefire-reports/TEST-demo.FlakyTest.xml "$out/reruns.xml"
