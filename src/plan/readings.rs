//! Which files a Rust source reads that lie outside its package: `include_str!` and its like, `#[path]`, build scripts and tests.
//!
//! Cargo knows them after compiling only; a plan is made before. What a source says of itself is found by its text, once for each
//! blob. Comments are not told from code: a file that only a comment names is taken for read, and never the other way round.

use super::assess::Reading;
use super::sources::{ancestors, folder_of, is_within, join};

/// How a literal is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum From {
    /// From the source's own folder.
    File,
    /// From the package's folder.
    Manifest,
    /// From one of both.
    Either,
    /// From a folder above the package, which the source finds while it runs.
    Above,
    /// A module in a file of its own; it counts where a package takes a source from elsewhere.
    Module,
    /// An `include_str!` whose path is built by a macro: any name in the package's sources may be it.
    Anywhere,
}

/// What a source says that it reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    pub(crate) from: From,
    pub(crate) literal: String,
}

/// No path in a source is longer.
const LONGEST: usize = 400;

/// Returns what a Rust source mentions.
pub(crate) fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    includes(text, &mut found);
    path_attributes(text, &mut found);
    upward(text, &mut found);
    above(text, &mut found);
    modules(text, &mut found);
    crate::order::sort(&mut found);
    found.dedup();
    found
}

/// `include_str!("x")`, `include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/x"))` and whatever else begins so.
fn includes(text: &str, found: &mut Vec<Mention>) {
    for (at, _) in text.match_indices("include") {
        let is_start = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &text[at..];
        let name = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let Some(arguments) = rest[name..].trim_start().strip_prefix('!') else {
            continue;
        };
        let arguments = arguments.trim_start();
        if !is_start || !arguments.starts_with(['(', '[', '{']) {
            continue;
        }
        let arguments = &arguments[..end_of_group(arguments)];
        if arguments.contains("\"OUT_DIR\"") {
            continue;
        }
        let is_manifest = arguments.contains("CARGO_MANIFEST_DIR");
        let literals = literals(arguments);
        let parts = literals
            .iter()
            .filter(|literal| !literal.starts_with("CARGO_") || literal.contains('/'));
        let path: String = parts
            .map(|part| part.replace("$CARGO_MANIFEST_DIR", ""))
            .collect();
        if path.is_empty() || arguments.contains('$') && !is_manifest {
            found.push(Mention {
                from: From::Anywhere,
                literal: String::new(),
            });
        } else if is_manifest {
            push(found, From::Manifest, path.trim_start_matches('/'));
        } else {
            push(found, From::File, &path);
        }
    }
}

/// `#[path = "x"]`, also inside `cfg_attr`.
fn path_attributes(text: &str, found: &mut Vec<Mention>) {
    for (at, _) in text.match_indices("path") {
        let before = text[..at].trim_end();
        if !before.ends_with(['[', ',', '(']) {
            continue;
        }
        let Some(value) = text[at + 4..].trim_start().strip_prefix('=') else {
            continue;
        };
        if let Some(literal) = literals(first_bytes(value.trim_start(), LONGEST)).first() {
            push(found, From::File, literal);
        }
    }
}

/// Literals that lead up: `"../../x"`, and `"../.."` with `.join("x")` behind it.
fn upward(text: &str, found: &mut Vec<Mention>) {
    for (at, _) in text.match_indices("..") {
        let Some(start) = text[..at].rfind('"') else {
            continue;
        };
        if at - start > LONGEST || text[start..at].contains('\n') {
            continue;
        }
        let rest = first_bytes(&text[start + 1..], LONGEST);
        let Some(end) = rest.find('"') else { continue };
        let literal = &rest[..end];
        if start + 1 + end < at || literal.contains('\n') {
            continue;
        }
        let literal = literal
            .rsplit_once("rerun-if-changed=")
            .map_or(literal, |(_, path)| path);
        let (is_manifest, path) = without_placeholders(literal.trim_start_matches('/'));
        if !path.split('/').any(|part| part == "..") {
            continue;
        }
        if is_manifest {
            push(found, From::Manifest, path);
        }
        let joined = joins(&text[start + 1 + end..]);
        let whole = if joined.is_empty() {
            path.to_owned()
        } else {
            format!("{path}/{joined}")
        };
        push(found, From::Either, &whole);
        push(found, From::Either, path);
    }
}

/// Returns what a literal says as far as it is known, and whether it begins with what stands for a folder: `{}/../proto/{}.x` is
/// `../proto`, from some folder.
fn without_placeholders(literal: &str) -> (bool, &str) {
    let is_open = |part: &str| part.contains(['{', '}', '$', '%']);
    let (first, rest) = literal.split_once('/').unwrap_or((literal, ""));
    let has_folder = is_open(first) && !rest.is_empty();
    let path = if has_folder { rest } else { literal };
    let mut known = 0;
    for part in path.split_inclusive('/') {
        if is_open(part) {
            break;
        }
        known += part.len();
    }
    (has_folder, path[..known].trim_end_matches('/'))
}

/// `mod x;`
fn modules(text: &str, found: &mut Vec<Mention>) {
    for (at, _) in text.match_indices("mod ") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = text[at + 4..].trim_start();
        let name = rest.strip_prefix("r#").unwrap_or(rest);
        let end = name
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(name.len());
        if end > 0 && name[end..].trim_start().starts_with(';') {
            push(found, From::Module, &name[..end]);
        }
    }
}

/// Returns where a module of a source may lie (The Rust Reference, "Module source filenames").
pub(crate) fn module_files(source: &str, name: &str) -> Vec<String> {
    let folder = folder_of(source);
    let stem = source.strip_suffix(".rs").unwrap_or(source);
    let mut files = Vec::new();
    // A source that `#[path]` names has its modules beside it, another one below a folder of its own name.
    for folder in [folder, stem] {
        files.extend(join(folder, &format!("{name}.rs")));
        files.extend(join(folder, &format!("{name}/mod.rs")));
    }
    files
}

/// What is joined to a folder that a source finds by going up from its package.
fn above(text: &str, found: &mut Vec<Mention>) {
    if !(text.contains("CARGO_MANIFEST_DIR") || text.contains("current_dir()")) {
        return;
    }
    if !(text.contains(".parent()") || text.contains(".ancestors()") || text.contains("\"..\"")) {
        return;
    }
    for (at, _) in text.match_indices("\"{") {
        let inner = first_bytes(&text[at + 1..], LONGEST);
        let literal = &inner[..inner.find('"').unwrap_or(0)];
        let (has_folder, path) = without_placeholders(literal);
        if has_folder && path.len() > 1 && !path.contains([' ', '\n', ':', '*']) {
            push(found, From::Above, path);
        }
    }
    for (at, _) in text.match_indices(".join(") {
        let joined = joins(&text[at..]);
        let is_path = joined.len() > 1 && !joined.contains(['{', '}', '*', ' ']);
        // A single word is joined to all kinds of folders: it counts where the way up stands just before it.
        let near = &text[text.floor_char_boundary(at.saturating_sub(160))..at];
        let goes_up = [".parent()", ".ancestors()", "\"..\""];
        let is_path = is_path
            && (first_word(&text[at..]).contains(['/', '.'])
                || goes_up.iter().any(|up| near.contains(up)));
        if is_path {
            push(found, From::Above, &joined);
        }
    }
}

/// Returns the first word of such a chain.
fn first_word(text: &str) -> &str {
    text.split('"').nth(1).unwrap_or_default()
}

/// Reads a chain of `.join("x")` that follows, with what little stands between.
fn joins(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let near = first_bytes(rest, 80);
        let Some(at) = near.find(".join(") else { break };
        // Another statement is another path.
        if near[..at].contains([';', '{']) {
            break;
        }
        let Some(inner) = rest[at + 6..].trim_start().strip_prefix('"') else {
            break;
        };
        let Some(end) = first_bytes(inner, LONGEST).find('"') else {
            break;
        };
        parts.push(inner[..end].trim_matches('/'));
        rest = &inner[end + 1..];
    }
    parts.join("/")
}

fn push(found: &mut Vec<Mention>, from: From, literal: &str) {
    if !literal.is_empty() && literal.len() <= LONGEST && !literal.contains(['\n', '\t', '\0']) {
        found.push(Mention {
            from,
            literal: literal.to_owned(),
        });
    }
}

/// Returns the string literals of a piece of Rust, escapes left as they are.
fn literals(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let inner = &rest[start + 1..];
        let Some(end) = inner.find('"') else { break };
        found.push(&inner[..end]);
        rest = &inner[end + 1..];
    }
    found
}

fn end_of_group(text: &str) -> usize {
    let mut depth = 0_u32;
    let mut in_string = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        if at > LONGEST {
            return at;
        }
    }
    text.len()
}

fn first_bytes(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most.min(text.len()))]
}

/// A package whose sources are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package<'a> {
    pub(crate) id: &'a str,
    pub(crate) dir: &'a str,
}

/// Returns what a source's mentions lead to, outside its package.
pub(crate) fn readings(
    package: Package<'_>,
    source: &str,
    mentions: &[Mention],
    changed: &[&str],
) -> Vec<Reading> {
    let mut found = Vec::new();
    for mention in mentions {
        let folders: &[&str] = match mention.from {
            From::File => &[folder_of(source)],
            From::Manifest => &[package.dir],
            From::Either => &[folder_of(source), package.dir],
            From::Above => {
                let above: Vec<String> = ancestors(package.dir)
                    .skip(1)
                    .filter_map(|folder| join(folder, &mention.literal))
                    .filter(|target| !is_within(package.dir, target))
                    .collect();
                let hits = changed
                    .iter()
                    .filter(|path| above.iter().any(|target| is_within(path, target)));
                found.extend(hits.map(|path| reading(package, path, source)));
                continue;
            }
            // The package's other sources are asked for names; modules of its own are its own.
            From::Anywhere | From::Module => continue,
        };
        for folder in folders {
            let Some(target) = join(folder, &mention.literal) else {
                continue;
            };
            // A folder around the package is no file to read; what is joined to it is looked at by itself.
            if !is_within(package.dir, &target) {
                found.push(reading(package, &target, source));
            }
        }
    }
    found
}

fn reading(package: Package<'_>, target: &str, source: &str) -> Reading {
    Reading {
        project: package.id.to_owned(),
        target: target.to_owned(),
        from: source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let package = Package {
            id: "cargo:crates/a",
            dir: "crates/a",
        };
        let changed = ["assets/x.json", "crates/b/assets/x.json"];
        let found = readings(package, "crates/a/src/lib.rs", &mentions(source), &changed);
        let mut targets: Vec<_> = found.iter().map(|one| one.target.as_str()).collect();
        targets.sort_unstable();
        targets.dedup();
        assert_eq!(targets, expected, "{source}");
    }

    #[test]
    fn includes_are_found_in_every_form() {
        check(
            r#"#![doc = include_str!("../README.md")]"#,
            &["crates/README.md", "crates/a/README.md"],
        );
        check(
            r#"include_bytes!("data/x.bin")"#,
            &["crates/a/src/data/x.bin"],
        );
        check(
            "include! (\n    \"../../b/gen.rs\"\n)",
            &["b/gen.rs", "crates/b/gen.rs"],
        );
        check(
            r#"include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../b/x.sql"))"#,
            &["crates/a/b/x.sql", "crates/b/x.sql"],
        );
        check(r#"include!(concat!(env!("OUT_DIR"), "/x.rs"))"#, &[]);
        check(
            r#"include_dir!("$CARGO_MANIFEST_DIR/../../assets")"#,
            &["assets", "crates/assets"],
        );
        check("let included = 1; // include me!", &[]);
        check(r#"my_include_str!("x.txt")"#, &[]);
        check(r#"include_str!("a)b.txt")"#, &["crates/a/src/a)b.txt"]);
    }

    #[test]
    fn path_attributes_are_found() {
        check(
            r#"#[path = "../../b/src/x.rs"] mod x;"#,
            &["b/src/x.rs", "crates/b/src/x.rs"],
        );
        check(
            r#"#[cfg_attr(unix, path = "unix.rs")] mod x;"#,
            &["crates/a/src/unix.rs"],
        );
        check(r#"let path = "x";"#, &[]);
    }

    #[test]
    fn what_leads_up_is_followed() {
        check(
            r#"println!("cargo:rerun-if-changed=../../proto/x.proto");"#,
            &["crates/proto/x.proto", "proto/x.proto"],
        );
        check(
            r#"Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join("assets").join("x.json")"#,
            &["assets/x.json", "crates/assets/x.json"],
        );
        check(
            r#"root.parent().unwrap(); env!("CARGO_MANIFEST_DIR"); dir.join("assets/x.json")"#,
            &["assets/x.json"],
        );
        check(
            r#"root.ancestors().last(); env!("CARGO_MANIFEST_DIR"); dir.join("assets/x.json")"#,
            &["assets/x.json"],
        );
        check(
            r#"env!("CARGO_MANIFEST_DIR"); dir.join("assets/x.json")"#,
            &[],
        );
    }

    #[test]
    fn a_folder_in_a_format_string_is_no_part_of_the_way_up() {
        check(
            r#"format!("{}/../proto/x.proto", env!("CARGO_MANIFEST_DIR"))"#,
            &["crates/a/proto/x.proto", "crates/proto/x.proto"],
        );
        check(
            r#"format!("{dir}/../../web/{name}.graphql")"#,
            &["crates/web", "web"],
        );
        check(
            r#"let up = Path::new(env!("CARGO_MANIFEST_DIR")).parent(); format!("{}/assets/{x}", up)"#,
            &["assets/x.json"],
        );
    }

    #[test]
    fn modules_are_mentioned_with_their_names() {
        let text =
            "mod a;\n#[cfg(test)] pub(crate) mod r#b ;\nmod c { mod d; }\nstruct amod; // mod\n";
        let found = mentions(text);
        let names: Vec<&str> = found.iter().map(|one| one.literal.as_str()).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(
            module_files("x/common/mod.rs", "sub"),
            [
                "x/common/sub.rs",
                "x/common/sub/mod.rs",
                "x/common/mod/sub.rs",
                "x/common/mod/sub/mod.rs"
            ]
        );
    }

    #[test]
    fn an_include_that_a_macro_builds_may_be_any_name() {
        let found = mentions("macro_rules! m { ($p:expr) => { include_str!($p) } }");
        assert_eq!(
            found,
            [Mention {
                from: From::Anywhere,
                literal: String::new()
            }]
        );
    }
}
