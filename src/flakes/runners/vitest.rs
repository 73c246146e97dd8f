//! Vitest: `vitest list --filesOnly`, and parts of paths (vitest.dev, "Test Filtering"). It is told files, not tests.
//!
//! A filter selects every file whose path has it as a part, in any case of letters: files that are selected with others
//! stay with them.

use super::{Known, ListProblem, Runner, Unit, files_of_json, lines, texts, tidy};

pub(super) struct Vitest;

impl Runner for Vitest {
    fn name(&self) -> &'static str {
        "vitest"
    }

    fn list_command(&self) -> &'static str {
        "npx vitest list --filesOnly"
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        // `[unit] src/a.test.ts` begins alike.
        let is_json = text.trim_start().strip_prefix('[').is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with('{') || rest.trim_end() == "]"
        });
        if is_json {
            let files = files_of_json(text)?;
            return Ok(tidy(
                files.into_iter().map(|file| Unit::new("", file)).collect(),
            ));
        }
        let files = lines(text).map(|(number, line)| {
            // `[project] path` where a workspace has several projects.
            let file = match line
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("] "))
            {
                Some((_, file)) => file,
                None => line,
            };
            if file.contains(" > ") {
                let problem = "it is a test; `--filesOnly` lists files";
                return Err(ListProblem::new(number, problem));
            }
            Ok(Unit::new("", file))
        });
        files.collect::<Result<_, _>>().map(tidy)
    }

    fn only(&self, chosen: &[&Unit], _: &[Unit]) -> Vec<Vec<String>> {
        if chosen.is_empty() {
            return vec![texts(&["no-test-of-this-shard", "--passWithNoTests"])];
        }
        vec![chosen.iter().map(|unit| unit.name.clone()).collect()]
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        known.file(&unit.name.replace('\\', "/"))
    }

    fn together(&self, all: &[Unit]) -> Vec<Vec<usize>> {
        let paths: Vec<String> = all.iter().map(|unit| unit.name.to_lowercase()).collect();
        let mut leader: Vec<usize> = (0..all.len()).collect();
        let find = |leader: &[usize], mut at: usize| {
            while leader[at] != at {
                at = leader[at];
            }
            at
        };
        // A file that another one's path is part of has that one's name as part of its own folders and name.
        let text = paths.join("\n");
        let starts: Vec<usize> = paths
            .iter()
            .scan(0, |next, path| {
                let start = *next;
                *next += path.len() + 1;
                Some(start)
            })
            .collect();
        for (number, path) in paths.iter().enumerate() {
            for suffix in parts_in_projects(path) {
                for found in memchr::memmem::find_iter(text.as_bytes(), suffix.as_bytes()) {
                    let other = starts.partition_point(|start| *start <= found) - 1;
                    if other != number && shares_project(path, suffix, &paths[other]) {
                        let (a, b) = (find(&leader, number), find(&leader, other));
                        leader[a.max(b)] = a.min(b);
                    }
                }
            }
        }
        let mut groups: std::collections::BTreeMap<usize, Vec<usize>> =
            std::collections::BTreeMap::new();
        for number in 0..all.len() {
            let first = find(&leader, number);
            groups.entry(first).or_default().push(number);
        }
        groups.into_values().collect()
    }
}

/// Returns what a filter may be compared as: the path itself, and the path from the folder of each project that it may
/// belong to.
fn parts_in_projects(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    [path]
        .into_iter()
        .chain(folders)
        .filter(|part| !part.is_empty())
}

/// Whether another file may be in the project that a path is shortened to: it begins with the same folders.
fn shares_project(path: &str, suffix: &str, other: &str) -> bool {
    let folder = &path[..path.len() - suffix.len()];
    other
        .strip_prefix(folder)
        .is_some_and(|rest| rest.contains(suffix))
}

#[cfg(test)]
mod tests {
    use super::super::tests::listed;
    use super::*;

    #[test]
    fn files_are_listed_as_lines_or_as_json() {
        let files = ["lib/a.test.ts", "src/a.test.ts"];
        assert_eq!(
            listed(&Vitest, "src/a.test.ts\n[unit] lib/a.test.ts\n"),
            files
        );
        let json = "[\n  {\n    \"file\": \"src/a.test.ts\"\n  },\n  {\"file\": \"lib/a.test.ts\", \"projectName\": \"unit\"}\n]";
        assert_eq!(listed(&Vitest, json), files);
        assert!(Vitest.read_list("src/a.test.ts > d > one\n").is_err());
        assert_eq!(Vitest.read_list("[]\n"), Ok(vec![]));
    }

    #[test]
    fn files_that_one_filter_selects_stay_together() {
        let list =
            "src/a.test.ts\nsrc/a.test.tsx\nlib/src/a.test.ts\nsrc/b.test.ts\nsrc/A.test.ts\n";
        let all = Vitest.read_list(list).unwrap();
        let groups = Vitest.together(&all);
        let names: Vec<Vec<&str>> = groups
            .iter()
            .map(|group| {
                group
                    .iter()
                    .map(|number| all[*number].name.as_str())
                    .collect()
            })
            .collect();
        assert_eq!(
            names,
            [
                vec![
                    "lib/src/a.test.ts",
                    "src/A.test.ts",
                    "src/a.test.ts",
                    "src/a.test.tsx"
                ],
                vec!["src/b.test.ts"]
            ]
        );
        assert_eq!(Vitest.only(&[&all[4]], &all), [["src/b.test.ts"]]);
    }
}
