//! Jest: `jest --listTests`, and `--runTestsByPath` (jestjs.io, "CLI options"). It is told files, not tests.

use super::{Known, ListProblem, Runner, Unit, files_of_json, lines, texts, tidy};

pub(super) struct Jest;

impl Runner for Jest {
    fn name(&self) -> &'static str {
        "jest"
    }

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
}
