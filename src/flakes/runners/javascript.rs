//! What the programs have in common that make runners of JavaScript leave out tests.

use super::skip::program;

/// Returns a program that knows these tests.
pub(super) fn script(body: &str, tests: &[(&str, &str)]) -> String {
    program(&[QUARANTINE, body].concat(), tests)
}

/// Tells whether a test is in quarantine, by what its report says of it: maestro's reader makes one space of each line break and tab
/// in an attribute (XML 1.0, 3.3.3), and joins the suites and the class where it adds something.
const QUARANTINE: &str = r"// Leaves out what is in quarantine. Written by maestro; do not edit.
const QUARANTINED = new Set(JSON.parse('NAMES').map((pair) => JSON.stringify(pair)));

function isQuarantined(suites, classname, name, breaks = /\r\n|[\n\t\r]/g) {
  const read = (text) => String(text).replace(breaks, ' ');
  const label = suites.map(read).filter((suite) => suite !== '');
  const [type, title] = [read(classname), read(name)];
  if (type !== '' && type !== label.at(-1) && type !== title) label.push(type);
  return QUARANTINED.has(JSON.stringify([label.join(' > '), title]));
}
";
