#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian perl libtap-formatter-junit-perl
dpkg-query -W -f '${Package} ${Version}\n' libtap-formatter-junit-perl >"$out/version.log"

# The order of the attributes is that of a hash.
export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0

run 1 basic prove t/basic.t t/nested.t t/skipped.t t/exits.t t/plan.t
run 1 basic.junit sh -c 'exec prove --formatter TAP::Formatter::JUnit t/basic.t t/nested.t t/skipped.t t/exits.t t/plan.t >"$1"' sh "$out/basic.xml"
run 1 control_characters sh -c 'exec prove --formatter TAP::Formatter::JUnit t/control.t >"$1"' sh "$out/control_characters.xml"
