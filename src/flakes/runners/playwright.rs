//! Playwright: a reporter that marks tests before they run (playwright.dev, "Reporter", `preprocess`).

use std::path::Path;

use super::javascript::script;
use super::skip::path_in;
use super::{Runner, Skip, Unskippable};

pub(super) struct Playwright;

const FILE: &str = "maestro_quarantine.playwright.cjs";

const CONDITION: &str = "the file is among the run's reporters: `--reporter` takes the place of those of the configuration";

impl Runner for Playwright {
    fn name(&self) -> &'static str {
        "playwright"
    }

    /// `--test-list-invert` and `--grep-invert` take whatever begins alike; a reporter knows each test.
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let args = vec![format!("--reporter=list,junit,{}", path_in(folder, FILE))];
        Ok(Skip {
            condition: Some(CONDITION),
            ..Skip::with_file(args, FILE, script(REPORTER, tests))
        })
    }
}

/// Names tests as Playwright's own `junit` reporter does.
const REPORTER: &str = r"
// What its `junit` reporter drops.
const written = (text) => text.replace(/[\0-\x08\x0b-\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]/g, '');

module.exports = class {
  printsToStdio() {
    return false;
  }

  async preprocess({ config, suite, testRun }) {
    this.wasAsked = true;
    const [, options] = config.reporter.find(([name]) => name === 'junit') || [];
    const told = process.env.PLAYWRIGHT_JUNIT_INCLUDE_PROJECT_IN_TEST_NAME;
    const hasProject = told === undefined ? options && options.includeProjectInTestName : told && told !== '0' && told !== 'false';
    for (const test of suite.allTests()) {
      const [, project, file, ...titles] = test.titlePath();
      const name = (hasProject && project ? `[${project}] ` : '') + titles.join(' \u203a ');
      if (isQuarantined([written(file)], written(file), written(name))) testRun.skip(test, 'in quarantine');
    }
  }

  onBegin() {
    if (this.wasAsked) return;
    process.stderr.write('maestro: this Playwright asks no reporter which tests to leave out\n');
    process.exit(1);
  }
};
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reporter_leaves_out_what_is_meant() {
        let skip = Playwright
            .skip(&[("a.spec.ts", "d › it's")], Path::new("/out"))
            .unwrap();
        let (name, text) = skip.file.unwrap();
        assert_eq!(
            skip.args,
            ["--reporter=list,junit,/out/maestro_quarantine.playwright.cjs"]
        );
        assert_eq!(name, FILE);
        assert!(
            text.contains(r#"JSON.parse('[["a.spec.ts","d › it\'s"]]')"#),
            "{text}"
        );
        assert!(skip.condition.is_some());
    }
}
