//! `yarn.lock`: version 1 (its own format) and Yarn 2 and later (YAML with a `__metadata`).
//!
//! Both are blocks by indentation: descriptors, then `version`, `resolved` or `resolution`, and what the package needs.

use std::collections::HashMap;

use super::{LockGraph, NotALock, PackageId};

struct Block<'t> {
    descriptors: Vec<&'t str>,
    text: &'t str,
    /// Name and range.
    needs: Vec<(&'t str, &'t str)>,
}

/// Reads a lock file. Yarn 2 and later know the members, by their folder; for version 1 they are given: folder, and what its manifest
/// asks for.
pub(crate) fn read(
    text: &str,
    manifests: &[(String, Vec<(String, String)>)],
) -> Result<LockGraph, NotALock> {
    if text.contains("\n<<<<<<<") || text.starts_with("<<<<<<<") {
        return Err(NotALock("it has conflict markers".into()));
    }
    let is_modern = text.contains("\n__metadata:");
    if !is_modern && !text.contains("yarn lockfile v1") {
        return Err(NotALock(
            "it is neither version 1 nor one of Yarn 2 and later".into(),
        ));
    }
    let mut graph = LockGraph::default();
    let blocks = blocks(text);
    let mut numbers = Vec::new();
    for block in &blocks {
        let first = block.descriptors.first().copied().unwrap_or_default();
        if first == "__metadata" {
            graph
                .settings
                .insert("__metadata".into(), block.text.into());
            continue;
        }
        let workspace = block
            .descriptors
            .iter()
            .find_map(|one| one.split_once("@workspace:"));
        let folder = block
            .descriptors
            .iter()
            .filter_map(|one| one.split_once("@workspace:"));
        // `a@workspace:packages/a` beside `a@workspace:*`.
        let folder = folder
            .map(|(_, folder)| folder)
            .find(|folder| !folder.contains(['*', '^', '~']));
        let member = workspace
            .and(folder)
            .map(|folder| if folder == "." { "" } else { folder });
        let mut number = None;
        for descriptor in &block.descriptors {
            match number {
                None => {
                    let name = name_of(descriptor);
                    let added = graph.add(descriptor, name, block.text, member);
                    number = Some(added);
                }
                Some(number) => {
                    graph.by_key.insert((*descriptor).to_owned(), number);
                }
            }
        }
        if let Some(number) = number {
            numbers.push((number, block));
        }
    }
    let mut by_name: HashMap<String, Vec<PackageId>> = HashMap::new();
    for (number, package) in graph.packages.iter().enumerate() {
        by_name
            .entry(package.name.clone())
            .or_default()
            .push(number);
    }
    for (number, block) in numbers {
        for (name, range) in &block.needs {
            for needed in find(&graph, &by_name, name, range) {
                graph.need(number, needed);
            }
        }
    }
    if !is_modern {
        for (folder, needs) in manifests {
            let number = graph.add(&format!("manifest {folder}"), folder, "", Some(folder));
            for (name, range) in needs {
                for needed in find(&graph, &by_name, name, range) {
                    graph.need(number, needed);
                }
            }
        }
    }
    Ok(graph)
}

fn find(
    graph: &LockGraph,
    by_name: &HashMap<String, Vec<PackageId>>,
    name: &str,
    range: &str,
) -> Vec<PackageId> {
    let keys = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
    match keys.iter().find_map(|key| graph.find(key)) {
        Some(direct) => vec![direct],
        // A resolution or patch stands under another range: then every version of the name may be meant.
        None => by_name.get(name).cloned().unwrap_or_default(),
    }
}

/// Returns the name in `name@range`; a scope begins with the sign too.
fn name_of(descriptor: &str) -> &str {
    let end = descriptor.char_indices().skip(1).find(|(_, c)| *c == '@');
    end.map_or(descriptor, |(end, _)| &descriptor[..end])
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut start = 0;
    let mut in_needs = false;
    let mut begun = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let bare = content.trim_start();
        let indent = content.len() - bare.len();
        if bare.is_empty() || bare.starts_with('#') {
        } else if indent == 0 {
            begun = start;
            in_needs = false;
            let keys = bare.trim_end_matches(':');
            blocks.push(Block {
                descriptors: keys
                    .split(", ")
                    .map(|key| key.trim_matches('"'))
                    .flat_map(|key| key.split(", "))
                    .collect(),
                text: "",
                needs: Vec::new(),
            });
        } else if let Some(block) = blocks.last_mut() {
            if indent <= 2 {
                in_needs = matches!(bare, "dependencies:" | "optionalDependencies:");
            } else if in_needs
                && let Some((name, range)) = bare.trim_matches('"').split_once([' ', ':'])
            {
                let clean = |text: &'_ str| -> (usize, usize) {
                    let trimmed = text.trim_matches([' ', '"', ':']);
                    let at = trimmed.as_ptr() as usize - bare.as_ptr() as usize;
                    (at, at + trimmed.len())
                };
                let (name, range) = (clean(name), clean(range));
                block
                    .needs
                    .push((&bare[name.0..name.1], &bare[range.0..range.1]));
            }
        }
        start += line.len();
        if let Some(block) = blocks.last_mut() {
            block.text = text[begun..start].trim_end();
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::LockGraph;
    use super::super::NotALock;
    use super::super::tests::users;

    const ONE: &str = "# yarn lockfile v1\n\n\n\"@s/x@^1.0.0\", \"@s/x@~1.0.0\":\n  version \"1.0.0\"\n  resolved \"r#x\"\n  dependencies:\n    y \"^1.0.0\"\n\ny@^1.0.0:\n  version \"1.0.0\"\n  resolved \"r#y\"\n\nz@2:\n  version \"2.0.0\"\n";

    fn one(text: &str) -> Result<LockGraph, NotALock> {
        let needs = |list: &[(&str, &str)]| {
            list.iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect()
        };
        super::read(
            text,
            &[
                ("p/a".into(), needs(&[("@s/x", "~1.0.0")])),
                ("p/b".into(), needs(&[("z", "2")])),
            ],
        )
    }

    #[test]
    fn version_one_is_read_with_what_manifests_ask_for() {
        assert_eq!(users(one, ONE, &ONE.replace("r#y", "r#y2")), ["p/a"]);
        assert_eq!(
            users(one, ONE, &ONE.replace("\"2.0.0\"", "\"2.0.1\"")),
            ["p/b"]
        );
    }

    const BERRY: &str = "__metadata:\n  version: 8\n  cacheKey: 10\n\n\"a@workspace:*, a@workspace:packages/a\":\n  version: 0.0.0-use.local\n  resolution: \"a@workspace:packages/a\"\n  dependencies:\n    x: \"npm:^1.0.0\"\n  languageName: unknown\n\n\"root@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"root@workspace:.\"\n  dependencies:\n    a: \"workspace:*\"\n\n\"x@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"x@npm:1.0.0\"\n  checksum: c\n";

    fn berry(text: &str) -> Result<LockGraph, NotALock> {
        super::read(&format!("# c\n{text}"), &[])
    }

    #[test]
    fn later_versions_name_their_members() {
        assert_eq!(
            users(berry, BERRY, &BERRY.replace("checksum: c", "checksum: d")),
            ["", "packages/a"]
        );
        assert_eq!(
            users(berry, BERRY, &BERRY.replace("cacheKey: 10", "cacheKey: 11")),
            ["!__metadata"]
        );
    }

    #[test]
    fn a_range_that_a_resolution_replaced_may_mean_every_version() {
        let version = |number: &str| {
            format!("\n\"x@npm:{number}\":\n  version: {number}\n  checksum: c{number}\n")
        };
        let text = BERRY.replace("\"x@npm:^1.0.0\":", "\"x@npm:1.4.0\":")
            + &version("1.5.0")
            + &version("2.5.0");
        for checksum in ["c1.5.0", "c2.5.0"] {
            assert_eq!(
                users(berry, &text, &text.replace(checksum, "d")),
                ["", "packages/a"]
            );
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert!(one("nonsense").is_err());
    }
}
