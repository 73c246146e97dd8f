//! Lists of muted tests that others keep: Elasticsearch's `muted-tests.yml` and YDB's `muted_ya.txt`.

use serde::Deserialize;

use crate::stars;

/// A line of such a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Muted {
    pub(crate) suite: String,
    /// The test, perhaps with stars; none for all of the suite.
    pub(crate) test: Option<String>,
    pub(crate) issue: Option<String>,
}

impl Muted {
    /// Whether it is one test, told by its whole name.
    pub(crate) fn is_one(&self) -> bool {
        self.test.as_ref().is_some_and(|test| !test.contains('*'))
    }

    /// Whether it means a test.
    pub(crate) fn means(&self, suite: &str, test: &str) -> bool {
        let is_suite = suite == self.suite || suite.ends_with(&format!(" > {}", self.suite));
        is_suite
            && self
                .test
                .as_ref()
                .is_none_or(|pattern| stars::matches(pattern.as_bytes(), test.as_bytes()))
    }
}

/// Why a text is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoList {
    #[error("{0}")]
    Yaml(String),
    #[error("line {0} is not `SUITE TEST`")]
    Line(usize),
    #[error("it names no test")]
    Empty,
}

#[derive(Deserialize)]
struct Elastic {
    #[serde(default)]
    tests: Vec<ElasticRow>,
}

#[derive(Deserialize)]
struct ElasticRow {
    class: String,
    method: Option<String>,
    #[serde(default)]
    methods: Vec<String>,
    issue: Option<String>,
}

/// Reads a list of either kind.
pub(crate) fn read(text: &str) -> Result<Vec<Muted>, NoList> {
    let is_yaml = text
        .lines()
        .any(|line| line.trim_end() == "tests:" || line.starts_with("tests: "));
    let muted = if is_yaml {
        elastic(text)?
    } else {
        lines(text)?
    };
    if muted.is_empty() {
        return Err(NoList::Empty);
    }
    Ok(muted)
}

fn elastic(text: &str) -> Result<Vec<Muted>, NoList> {
    let file: Elastic =
        serde_yaml::from_str(text).map_err(|error| NoList::Yaml(error.to_string()))?;
    let mut muted = Vec::new();
    for row in file.tests {
        let methods: Vec<Option<String>> = if row.method.is_none() && row.methods.is_empty() {
            vec![None]
        } else {
            row.method
                .into_iter()
                .chain(row.methods)
                .map(Some)
                .collect()
        };
        muted.extend(methods.into_iter().map(|test| Muted {
            suite: row.class.clone(),
            test,
            issue: row.issue.clone(),
        }));
    }
    Ok(muted)
}

fn lines(list: &str) -> Result<Vec<Muted>, NoList> {
    let mut muted = Vec::new();
    for (number, line) in (1..).zip(list.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (suite, test) = line.split_once(' ').ok_or(NoList::Line(number))?;
        muted.push(Muted {
            suite: suite.to_owned(),
            test: Some(test.trim().to_owned()),
            issue: None,
        });
    }
    Ok(muted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn muted(suite: &str, test: Option<&str>, issue: Option<&str>) -> Muted {
        Muted {
            suite: suite.to_owned(),
            test: test.map(str::to_owned),
            issue: issue.map(str::to_owned),
        }
    }

    #[test]
    fn both_lists_are_read() {
        let yaml = "tests:\n- class: org.x.FooIT\n  method: \"test {yaml=a/b *}\"\n  issue: https://x/1\n- class: org.x.BarIT\n  methods: [a, b]\n- class: org.x.AllIT\n";
        assert_eq!(
            read(yaml).unwrap(),
            [
                muted(
                    "org.x.FooIT",
                    Some("test {yaml=a/b *}"),
                    Some("https://x/1")
                ),
                muted("org.x.BarIT", Some("a"), None),
                muted("org.x.BarIT", Some("b"), None),
                muted("org.x.AllIT", None, None),
            ]
        );
        let lines = "# muted\nydb/tests/x test_a.py.TestA.test_b[*-1]\n\nydb/core/ut Suite::Case\n";
        assert_eq!(
            read(lines).unwrap(),
            [
                muted("ydb/tests/x", Some("test_a.py.TestA.test_b[*-1]"), None),
                muted("ydb/core/ut", Some("Suite::Case"), None)
            ]
        );
        assert_eq!(read("one\n"), Err(NoList::Line(1)));
        assert_eq!(read("\n"), Err(NoList::Empty));
        assert!(matches!(read("tests:\n- klass: x\n"), Err(NoList::Yaml(_))));
    }

    #[test]
    fn stars_stand_for_anything() {
        let any = muted("s", Some("t[*-1]*"), None);
        assert!(any.means("s", "t[a-1]") && any.means("x > s", "t[-1]z"));
        assert!(!any.means("s", "t[a-2]") && !any.means("xs", "t[a-1]"));
        assert!(!any.is_one() && muted("s", Some("t"), None).is_one());
        assert!(muted("s", None, None).means("s", "whatever"));
        assert!(
            muted("s", Some("a*a"), None).means("s", "aa")
                && !muted("s", Some("a*a"), None).means("s", "a")
        );
    }
}
