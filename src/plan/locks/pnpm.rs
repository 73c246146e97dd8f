//! `pnpm-lock.yaml`, versions 5 to 9 (github.com/pnpm/spec, "lockfile").
//!
//! pnpm writes a small part of YAML: blocks by indentation, quoted keys, one value a line. That part is read here, thirty times as fast
//! as all of YAML; of everything else the text is kept as it stands and compared.

use super::{LockGraph, NotALock};

/// A line with what is indented below it.
struct Node<'t> {
    key: &'t str,
    value: &'t str,
    /// The whole block, for comparing.
    text: &'t str,
    children: Vec<Node<'t>>,
}

const LISTS: &[&str] = &["dependencies", "devDependencies", "optionalDependencies"];

/// Reads a lock file; members are importers, by their folder, `""` for the root.
pub(crate) fn read(text: &str) -> Result<LockGraph, NotALock> {
    if text.contains("\n<<<<<<<") {
        return Err(NotALock("it has conflict markers".into()));
    }
    let top = parse(text);
    let section = |name: &str| top.iter().find(|node| node.key == name);
    let version =
        section("lockfileVersion").ok_or_else(|| NotALock("it has no `lockfileVersion`".into()))?;
    let mut graph = LockGraph::default();
    graph
        .settings
        .insert("lockfileVersion".into(), version.value.into());
    for name in [
        "settings",
        "patchedDependencies",
        "pnpmfileChecksum",
        "packageExtensionsChecksum",
        "neverBuiltDependencies",
    ] {
        if let Some(node) = section(name) {
            graph.settings.insert(name.to_owned(), node.text.to_owned());
        }
    }
    // From version 9 on, what a package is and what it needs stand apart.
    for name in ["packages", "snapshots"] {
        for node in section(name)
            .map(|node| &node.children[..])
            .unwrap_or_default()
        {
            graph.add(node.key, node.key, node.text, None);
        }
    }
    for name in ["snapshots", "packages"] {
        for node in section(name)
            .map(|node| &node.children[..])
            .unwrap_or_default()
        {
            let Some(number) = graph.find(node.key) else {
                continue;
            };
            // What a snapshot is stands under its key without the peers.
            if let Some((plain, _)) = node.key.split_once('(')
                && let Some(plain) = graph.find(plain)
            {
                graph.need(number, plain);
            }
            needs_of(&mut graph, number, node, "")?;
        }
    }
    let own_importer;
    let importers = match section("importers") {
        Some(importers) => &importers.children[..],
        // A repository of one project has its lists at the top.
        None => {
            own_importer = [Node {
                key: ".",
                value: "",
                text: "",
                children: parse(text),
            }];
            &own_importer[..]
        }
    };
    for importer in importers {
        let folder = if importer.key == "." {
            ""
        } else {
            importer.key
        };
        let number = graph.add(
            &format!("importer {folder}"),
            folder,
            importer.text,
            Some(folder),
        );
        needs_of(&mut graph, number, importer, folder)?;
    }
    Ok(graph)
}

/// Adds what the lists of an importer or package lead to.
fn needs_of(
    graph: &mut LockGraph,
    number: usize,
    node: &Node<'_>,
    folder: &str,
) -> Result<(), NotALock> {
    for list in LISTS {
        let entries = node.children.iter().find(|child| child.key == *list);
        for entry in entries
            .map(|entries| &entries.children[..])
            .unwrap_or_default()
        {
            let version = entry.children.iter().find(|child| child.key == "version");
            let version = version.map_or(entry.value, |version| version.value);
            if version.starts_with("link:") {
                // Another importer; the graph of projects knows it.
                continue;
            }
            let name = entry.key;
            let found = graph
                .find(&format!("{name}@{version}"))
                .or_else(|| graph.find(version))
                .or_else(|| graph.find(&format!("/{name}@{version}")))
                .or_else(|| graph.find(&format!("/{name}/{version}")))
                .or_else(|| {
                    let plain = version.split('(').next().unwrap_or(version);
                    graph.find(&format!("{name}@{plain}"))
                });
            match found {
                Some(needed) => graph.need(number, needed),
                None => {
                    let whose = if folder.is_empty() { node.key } else { folder };
                    return Err(NotALock(format!(
                        "`{name}@{version}`, which `{whose}` needs, is not there"
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Reads blocks by indentation.
fn parse(text: &str) -> Vec<Node<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let bare = content.trim_start_matches(' ');
        if !bare.is_empty() && !bare.starts_with('#') && content != "---" {
            lines.push((start, content.len() - bare.len(), bare));
        }
        start += line.len();
    }
    let mut at = 0;
    block(text, &lines, &mut at, 0)
}

fn block<'t>(
    text: &'t str,
    lines: &[(usize, usize, &'t str)],
    at: &mut usize,
    indent: usize,
) -> Vec<Node<'t>> {
    let mut nodes = Vec::new();
    while let Some((start, own_indent, line)) = lines.get(*at).copied() {
        if own_indent < indent {
            break;
        }
        *at += 1;
        let (key, value) = key_and_value(line);
        let children = match lines.get(*at) {
            Some((_, next, _)) if *next > own_indent => block(text, lines, at, *next),
            _ => Vec::new(),
        };
        let end = lines.get(*at).map_or(text.len(), |(end, ..)| *end);
        nodes.push(Node {
            key,
            value,
            text: text[start..end].trim_end(),
            children,
        });
    }
    nodes
}

fn key_and_value(line: &str) -> (&str, &str) {
    let (key, rest) = match line.chars().next() {
        Some(quote @ ('\'' | '"')) => match line[1..].split_once(quote) {
            Some((key, rest)) => (key, rest),
            None => (line, ""),
        },
        // A colon may stand inside a key, as in `a@file:b`; one that ends it has a space or nothing behind it.
        _ => match line.find(": ") {
            Some(end) => (&line[..end], &line[end..]),
            None => match line.strip_suffix(':') {
                Some(key) => (key, ":"),
                None => (line, ""),
            },
        },
    };
    let value = rest.strip_prefix(':').unwrap_or(rest).trim();
    let unquoted = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''))
        .or_else(|| {
            value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
        });
    (key, unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::super::tests::users;
    use super::read;

    const NINE: &str = "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n  .:\n    devDependencies:\n      '@s/tool':\n        specifier: ^1.0.0\n        version: 1.0.0(x@1.0.0)\n\n  p/a:\n    dependencies:\n      x:\n        specifier: ^1.0.0\n        version: 1.0.0\n\n  p/b:\n    dependencies:\n      a:\n        specifier: workspace:*\n        version: link:../a\n      ali:\n        specifier: npm:y@1\n        version: y@1.0.0\n\npackages:\n\n  '@s/tool@1.0.0':\n    resolution: {integrity: t}\n\n  x@1.0.0:\n    resolution: {integrity: x}\n\n  y@1.0.0:\n    resolution: {integrity: y}\n    deprecated: |-\n      it is old: see\n\n      https://example.com\n\nsnapshots:\n\n  '@s/tool@1.0.0(x@1.0.0)':\n    dependencies:\n      x: 1.0.0\n\n  x@1.0.0: {}\n\n  y@1.0.0: {}\n";

    #[test]
    fn users_are_found_through_snapshots_and_aliases() {
        assert_eq!(
            users(read, NINE, &NINE.replace("integrity: x", "integrity: z")),
            ["", "p/a"]
        );
        assert_eq!(
            users(read, NINE, &NINE.replace("integrity: y", "integrity: z")),
            ["p/b"]
        );
        assert_eq!(
            users(read, NINE, &NINE.replace("integrity: t", "integrity: z")),
            [""]
        );
        assert_eq!(
            users(
                read,
                NINE,
                &NINE.replace("autoInstallPeers: true", "autoInstallPeers: false")
            ),
            ["!settings"]
        );
    }

    #[test]
    fn older_versions_are_read() {
        let six = "lockfileVersion: '6.0'\nimporters:\n  p/a:\n    dependencies:\n      x:\n        specifier: ^1\n        version: 1.0.0(y@2.0.0)\npackages:\n  /x@1.0.0(y@2.0.0):\n    resolution: {integrity: x}\n    dependencies:\n      y: 2.0.0\n  /y@2.0.0:\n    resolution: {integrity: y}\n";
        assert_eq!(
            users(read, six, &six.replace("integrity: y", "integrity: z")),
            ["p/a"]
        );
        let five = "lockfileVersion: 5.4\nspecifiers:\n  x: ^1\ndependencies:\n  x: 1.0.0\npackages:\n  /x/1.0.0:\n    resolution: {integrity: x}\n    dev: false\n";
        assert_eq!(
            users(read, five, &five.replace("integrity: x", "integrity: z")),
            [""]
        );
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        assert!(
            read(
                &NINE
                    .replace("  x@1.0.0:\n    resolution: {integrity: x}\n", "")
                    .replace("  x@1.0.0: {}\n", "")
            )
            .is_err()
        );
        assert!(read("<<<<<<< HEAD\n").is_err());
        assert!(read("").is_err());
    }
}
