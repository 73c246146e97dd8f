//! Jest: `jest --listTests`, and `--runTestsByPath` (jestjs.io, "CLI options"). It is told files, not tests.

use std::path::Path;

use super::javascript::script;
use super::skip::path_in;
use super::{
    Known, ListProblem, Runner, Sharded, Skip, Unit, Unskippable, files_of_json, lines, texts, tidy,
};

pub(super) struct Jest;

impl Runner for Jest {
    fn name(&self) -> &'static str {
        "jest"
    }

    /// `-t` knows no file and no case of letters, so a test runner around Jest's own does it (jestjs.io, "testRunner").
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let args = vec![format!("--testRunner={}", path_in(folder, FILE))];
        Ok(Skip::with_file(args, FILE, script(RUNNER, tests)))
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for Jest {
    fn list_command(&self) -> &'static str {
        "npx jest --listTests"
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        let files: Vec<String> = if text.trim_start().starts_with('[') {
            files_of_json(text)?
        } else {
            lines(text).map(|(_, line)| line.to_owned()).collect()
        };
        Ok(tidy(
            files.into_iter().map(|file| Unit::new("", file)).collect(),
        ))
    }

    fn only(&self, chosen: &[&Unit], _: &[Unit]) -> Vec<Vec<String>> {
        if chosen.is_empty() {
            return vec![texts(&["--listTests"])];
        }
        let files = chosen.iter().map(|unit| unit.name.clone());
        vec![
            ["--runTestsByPath".to_owned()]
                .into_iter()
                .chain(files)
                .collect(),
        ]
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        known.file(&unit.name.replace('\\', "/"))
    }
}

const FILE: &str = "maestro_quarantine.jest.cjs";

/// Has jest-junit say what it will call each test, with the options of this run, before any of them runs.
const RUNNER: &str = r"
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

// Tests may go to other folders.
const START = fs.realpathSync(process.cwd());

function find(root, ...chain) {
  let from = path.join(root, 'package.json');
  for (const name of chain) from = createRequire(from).resolve(name);
  return from;
}

function first(attempts) {
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
  }
  return undefined;
}

function reporter(globalConfig, root) {
  for (const [file, options] of globalConfig.reporters || []) {
    if (/[\\/]jest-junit[\\/]/.test(file)) return [file, options];
  }
  const file = first([() => find(root, 'jest-junit'), () => find(START, 'jest-junit')]);
  if (file === undefined) throw new Error('maestro knows tests by the names that jest-junit gives them, and it is not installed');
  return [file, {}];
}

function testsOf(block, titles, found) {
  for (const child of block.children) {
    if (child.type === 'describeBlock') testsOf(child, [...titles, child.name], found);
    else found.push({ test: child, ancestorTitles: titles, title: child.name });
  }
  return found;
}

function leaveOut(globalConfig, config, testFilePath, root) {
  const found = testsOf(root, [], []);
  if (found.length === 0) return;
  const [file, given] = reporter(globalConfig, config.rootDir);
  const inside = createRequire(file);
  const options = inside('./utils/getOptions').options(given);
  const testResults = found.map(({ ancestorTitles, title }) => ({ ancestorTitles, title, status: 'passed', duration: 0, failureMessages: [] }));
  const suite = { testFilePath, testResults, displayName: config.displayName, perfStats: { start: 0, end: 0 }, numFailingTests: 0, numPassingTests: 0, numPendingTests: 0 };
  const [, { testsuite }] = inside('./utils/buildJsonResults')({ startTime: 0, testResults: [suite] }, START, options, config.rootDir).testsuites;
  const cases = testsuite.filter((part) => part.testcase).map((part) => part.testcase[0]._attr);
  if (cases.length !== found.length) throw new Error('maestro could not learn from jest-junit how it calls the tests');
  found.forEach(({ test }, number) => {
    if (isQuarantined([testsuite[0]._attr.name], cases[number].classname, cases[number].name)) test.mode = 'skip';
  });
}

module.exports = async (globalConfig, config, environment, runtime, testPath, ...rest) => {
  const chain = ['jest', 'jest-cli', 'jest-config', 'jest-circus/runner'];
  const file = first([config.rootDir, START].flatMap((root) => [() => find(root, 'jest-circus/runner'), () => find(root, ...chain)]));
  if (file === undefined) throw new Error('maestro found no jest-circus');
  const circus = require(file);
  const handle = environment.handleTestEvent;
  environment.handleTestEvent = function (event, state) {
    if (event.name === 'run_start') leaveOut(globalConfig, config, testPath, state.rootDescribeBlock);
    return handle ? handle.call(this, event, state) : undefined;
  };
  return (circus.default || circus)(globalConfig, config, environment, runtime, testPath, ...rest);
};
";

#[cfg(test)]
mod tests {
    use super::super::tests::listed;
    use super::*;

    #[test]
    fn files_are_listed_as_lines_or_as_json() {
        let lines = "/r/src/b.test.js\n/r/src/a (1).test.js\n";
        let json = r#"["/r/src/b.test.js","/r/src/a (1).test.js"]"#;
        let files = ["/r/src/a (1).test.js", "/r/src/b.test.js"];
        assert_eq!(listed(&Jest, lines), files);
        assert_eq!(listed(&Jest, json), files);
        assert!(Jest.read_list("[1]").is_err());
    }

    #[test]
    fn files_are_named_by_path() {
        let all = Jest.read_list("/r/a.js\n/r/b.js\n").unwrap();
        assert_eq!(
            Jest.only(&[&all[1]], &all),
            [["--runTestsByPath", "/r/b.js"]]
        );
    }

    #[test]
    fn a_program_leaves_out_what_is_meant() {
        let skip = Jest.skip(&[("a > b", "it's")], Path::new("/out")).unwrap();
        let (name, text) = skip.file.unwrap();
        assert_eq!(skip.args, ["--testRunner=/out/maestro_quarantine.jest.cjs"]);
        assert_eq!(name, FILE);
        assert!(
            text.contains(r#"JSON.parse('[["a > b","it\'s"]]')"#),
            "{text}"
        );
    }
}
