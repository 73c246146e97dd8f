//! Mocha: a root hook in a file of `--require` (mochajs.org, "Root hook plugins").

use std::path::Path;

use super::javascript::script;
use super::skip::path_in;
use super::{Runner, Skip, Unskippable};

pub(super) struct Mocha;

const FILE: &str = "maestro_quarantine.mocha.cjs";

impl Runner for Mocha {
    fn name(&self) -> &'static str {
        "mocha"
    }

    /// `--grep` takes part of a title, and `--invert` turns it round for all of them; a hook knows each test.
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let args = vec!["--require".to_owned(), path_in(folder, FILE)];
        Ok(Skip::with_file(args, FILE, script(HOOK, tests)))
    }

    /// It exits with the number of failed tests, 255 at most.
    fn failed(&self) -> &'static [i32] {
        &NUMBERS
    }
}

/// From 1 to 255.
const NUMBERS: [i32; 255] = {
    let mut numbers = [0; 255];
    let mut at = 0;
    let mut number = 1;
    while at < numbers.len() {
        numbers[at] = number;
        at += 1;
        number += 1;
    }
    numbers
};

/// Has the reporter of this run say what it will call each test, before any of them runs.
const HOOK: &str = r"
const { EventEmitter } = require('events');

// The one that loads this file.
const loaded = Object.keys(require.cache).find((file) => /[\\/]mocha[\\/]lib[\\/]mocha\.c?js$/.test(file));
const Mocha = loaded ? require.cache[loaded].exports : require('mocha');

// What the run's reporter calls a test: suites around it, class and name.
let names;

function ofJunit(Reporter, options) {
  const reporter = new Reporter(Object.assign(new EventEmitter(), { stats: {} }), options);
  return (test, suite) => {
    const { name, classname } = reporter.getTestcaseData(test).testcase[0]._attr;
    return [[reporter.getTestsuiteData(suite).testsuite[0]._attr.name], classname, name];
  };
}

function ofXunit(options) {
  const name = (options.reporterOptions || options.reporterOption || {}).suiteName || 'Mocha Tests';
  // It writes tabs as references, which stay tabs.
  return (test) => [[name], test.parent.fullTitle(), test.title, /\r\n|[\n\r]/g];
}

function namesOf(Reporter, options) {
  if (Reporter.prototype && Reporter.prototype.getTestcaseData && Reporter.prototype.getTestsuiteData) return ofJunit(Reporter, options);
  return Reporter === Mocha.reporters.XUnit ? ofXunit(options) : undefined;
}

const run = Mocha.prototype.run;
Mocha.prototype.run = function (...args) {
  names = namesOf(this._reporter, this.options);
  const { reporter, reporterOptions, reporterOption } = this.options;
  if (names && typeof reporter === 'string') {
    // The workers of --parallel have a reporter of their own.
    process.env.MAESTRO_MOCHA = JSON.stringify({ reporter, reporterOptions: reporterOptions || reporterOption });
  } else if (!names && process.env.MAESTRO_MOCHA) {
    const told = new Mocha(JSON.parse(process.env.MAESTRO_MOCHA));
    names = namesOf(told._reporter, told.options);
  }
  return run.apply(this, args);
};

function leaveOut(suite, around) {
  // mocha-junit-reporter writes no suite without a title: its tests go to the suite before.
  if (suite.root || suite.title !== '') around.suite = suite;
  for (const test of suite.tests) {
    if (isQuarantined(...names(test, around.suite))) test.pending = true;
  }
  for (const inner of suite.suites) {
    if (inner.total() > 0) leaveOut(inner, around);
  }
}

exports.mochaHooks = {
  beforeAll() {
    if (QUARANTINED.size === 0) return;
    if (!names) throw new Error('maestro knows tests by the names that mocha-junit-reporter and xunit give them: use one of them');
    let root = this.test.parent;
    while (root.parent) root = root.parent;
    leaveOut(root, {});
  },
};
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_leaves_out_what_is_meant() {
        let skip = Mocha.skip(&[("a > b", "it's")], Path::new("/out")).unwrap();
        let (name, text) = skip.file.unwrap();
        assert_eq!(
            skip.args,
            ["--require", "/out/maestro_quarantine.mocha.cjs"]
        );
        assert_eq!(name, FILE);
        assert!(
            text.contains(r#"JSON.parse('[["a > b","it\'s"]]')"#),
            "{text}"
        );
    }
}
