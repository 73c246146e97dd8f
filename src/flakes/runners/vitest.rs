//! Vitest: `vitest list --filesOnly`, and parts of paths (vitest.dev, "Test Filtering"). It is told files, not tests.
//!
//! A filter selects every file whose path has it as a part, in any case of letters: files that are selected with others
//! stay with them.

use std::path::Path;

use super::javascript::script;
use super::skip::path_in;
use super::{
    Known, ListProblem, Runner, Sharded, Skip, Unit, Unskippable, files_of_json, lines, texts, tidy,
};

pub(super) struct Vitest;

impl Runner for Vitest {
    fn name(&self) -> &'static str {
        "vitest"
    }

    /// `-t` knows no file, so a configuration around the repository's own adds a hook (vitest.dev, "setupFiles", "globalSetup").
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let args = vec!["--config".to_owned(), path_in(folder, FILE)];
        Ok(Skip::with_file(args, FILE, script(CONFIG, tests)))
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for Vitest {
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

const FILE: &str = "maestro_quarantine.vitest.mjs";

/// The configuration, the global setup and the setup of each test file in one file.
const CONFIG: &str = r"
import { fileURLToPath, pathToFileURL } from 'node:url';

const FILE_PATH = fileURLToPath(import.meta.url);

// What Vitest's reporter drops.
const forbidden = /[\0-\x08\v\f\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd\ufffe\uffff\ufdd0-\ufdef]/g;

// In a worker: asked before each test.
if (globalThis.__vitest_worker__) {
  const { beforeEach, inject } = await import('vitest');
  const { root, template } = inject('maestro-quarantine');
  const { relative } = await import('node:path');
  const nameOf = (task) => (task.suite && task.suite !== task.file ? `${nameOf(task.suite)} > ${task.name}` : task.name);
  const written = (text) => text.replace(forbidden, '');
  beforeEach((context) => {
    const { task } = context;
    const file = relative(root, task.file.filepath);
    const classname = template === undefined ? file : template.replace(/\{filename\}/g, task.file.name).replace(/\{filepath\}/g, task.file.filepath);
    if (isQuarantined([written(file)], written(classname), written(nameOf(task)))) context.skip('in quarantine');
  });
}

// Before the first worker: every project gets the hook, also one that has a configuration of its own.
function prepare({ vitest }) {
  if (!vitest) throw new Error('maestro needs Vitest 3 or newer to leave tests out');
  const junit = vitest.config.reporters.find((reporter) => Array.isArray(reporter) && reporter[0] === 'junit');
  const template = junit && junit[1] ? junit[1].classnameTemplate : undefined;
  if (typeof template === 'function') throw new Error('maestro cannot tell what a function of `classnameTemplate` calls tests');
  for (const project of vitest.projects) {
    project.provide('maestro-quarantine', { root: vitest.config.root, template });
    project.config.setupFiles.unshift(FILE_PATH);
  }
}

async function configuration(given) {
  const { createRequire } = await import('node:module');
  const { existsSync } = await import('node:fs');
  const { resolve } = await import('node:path');
  const inVitest = createRequire(createRequire(resolve('package.json')).resolve('vitest/package.json'));
  const vite = await import(pathToFileURL(inVitest.resolve('vite')).href);
  const names = ['vitest', 'vite'].flatMap((name) => ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((end) => `${name}.config.${end}`));
  const file = process.env.MAESTRO_VITEST_CONFIG || names.find((name) => existsSync(name));
  const own = file ? (await vite.loadConfigFromFile(given, resolve(file))).config : {};
  return vite.mergeConfig(own, { test: { globalSetup: [FILE_PATH] } });
}

export default (given) => (given && given.provide ? prepare(given) : configuration(given));
";

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

    #[test]
    fn a_program_leaves_out_what_is_meant() {
        let skip = Vitest
            .skip(&[("a > b", "it's")], Path::new("/out"))
            .unwrap();
        let (name, text) = skip.file.unwrap();
        assert_eq!(
            skip.args,
            ["--config", "/out/maestro_quarantine.vitest.mjs"]
        );
        assert_eq!(name, FILE);
        assert!(
            text.contains(r#"JSON.parse('[["a > b","it\'s"]]')"#),
            "{text}"
        );
    }
}
