//! Every variant of every error of a room, as whoever meets it hears it. `errors.txt` beside this file holds the words, hints and exit
//! codes; a variant that is not in it fails the test, and so does an error without a way out.

#![expect(
    clippy::disallowed_methods,
    reason = "the test reads the sources, and its own snapshot"
)]

mod agents;
mod money;
mod others;
mod state;

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};

use super::trouble::Reported;
use crate::error::CommandError;
use crate::ui::laid_out;

/// What each variant says, by its room, type and name.
#[derive(Default)]
struct Said(BTreeMap<String, String>);

impl Said {
    /// What ends a command with this error.
    fn ends<E: Debug>(&mut self, of: E, tell: impl FnOnce(E) -> CommandError) {
        let name = name(&of);
        let error = tell(of);
        assert!(!error.hints.is_empty(), "{name} has no way out");
        let text = laid_out(&error, &|_, word| word.to_owned());
        let code = error.kind.exit_code().code();
        self.add(name, format!("{text}exit code {code}\n"));
    }

    /// What ends a command, about the file `FILE`.
    fn reported<E: Debug + Reported>(&mut self, all: impl IntoIterator<Item = E>) {
        for one in all {
            self.ends(one, |one| one.reported("FILE"));
        }
    }

    /// What ends a command, wherever it comes from.
    fn met<E: Debug + Into<CommandError>>(&mut self, all: impl IntoIterator<Item = E>) {
        for one in all {
            self.ends(one, Into::into);
        }
    }

    /// What stands in the words of another error, on a page, or in an answer to a program: the way out is there.
    fn inside<E: Debug + Display>(&mut self, all: impl IntoIterator<Item = E>) {
        for one in all {
            self.add(name(&one), format!("{one}\n"));
        }
    }

    fn add(&mut self, name: String, text: String) {
        let before = self.0.insert(name, text);
        assert!(before.is_none(), "it is there twice: {before:?}");
    }
}

/// Returns the room, type and variant of an error, such as `state::disk::StateError::Locked`.
fn name<E: Debug>(error: &E) -> String {
    let path = type_name::<E>();
    let path = path.split('<').next().unwrap_or_default();
    let path = path.strip_prefix("maestro::").unwrap_or(path);
    let debug = format!("{error:?}");
    let is_name = |c: char| c.is_ascii_alphanumeric();
    let variant = debug.split(|c| !is_name(c)).next().unwrap_or_default();
    if path.ends_with(&format!("::{variant}")) {
        path.to_owned()
    } else {
        format!("{path}::{variant}")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the variants that a source declares, but those that say only what is inside them.
fn declared(module: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !(line.starts_with("#[derive(") && line.contains("thiserror::Error")) {
            continue;
        }
        let mut head = lines.by_ref().skip_while(|line| !line.starts_with("pub"));
        let Some(head) = head.next() else { continue };
        let mut words = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_enum = words
            .by_ref()
            .find(|word| ["enum", "struct"].contains(word))
            == Some("enum");
        let name = words.next().unwrap_or_default();
        if !is_enum {
            found.push(format!("{module}::{name}"));
            continue;
        }
        let mut is_transparent = false;
        for line in lines.by_ref().take_while(|line| *line != "}") {
            if line.starts_with("    #[error(") {
                is_transparent = line.contains("transparent");
            }
            let variant = line.strip_prefix("    ").unwrap_or_default();
            if variant.starts_with(|c: char| c.is_ascii_uppercase()) && !is_transparent {
                let end = variant.find(|c: char| !c.is_ascii_alphanumeric());
                let variant = &variant[..end.unwrap_or(variant.len())];
                found.push(format!("{module}::{name}::{variant}"));
            }
        }
    }
    found
}

/// Returns every variant of the sources.
fn all_declared() -> BTreeSet<String> {
    let root = folder();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let path = path.to_string_lossy().replace(['/', '\\'], "::");
        let module = path.strip_suffix("::mod").unwrap_or(&path);
        found.extend(declared(module, &fs::read_to_string(&file).unwrap()));
    }
    found
}

#[test]
fn declarations_are_found() {
    let text = "#[derive(Debug, thiserror::Error)]\npub(crate) enum A {\n    /// One.\n    #[error(\"b\")]\n    B(u8),\n    #[error(transparent)]\n    C(#[from] D),\n    #[error(\n        \"e\"\n    )]\n    E {\n        f: u8,\n    },\n}\n\n#[derive(Debug, thiserror::Error)]\n#[error(\"g\")]\npub(crate) struct G(String);\n";
    assert_eq!(declared("r", text), ["r::A::B", "r::A::E", "r::G"]);
}

#[test]
fn every_error_says_what_it_should_and_the_way_out() {
    let mut said = Said::default();
    agents::say(&mut said);
    money::say(&mut said);
    others::say(&mut said);
    state::say(&mut said);
    let shown: BTreeSet<String> = said.0.keys().cloned().collect();
    let declared = all_declared();
    assert!(declared.len() > 200, "{declared:?}");
    let missing: Vec<&String> = declared.difference(&shown).collect();
    assert!(
        missing.is_empty(),
        "add these errors to a file of src/cli/reported/: {missing:#?}"
    );
    let mut text = String::new();
    // One that says only what is inside it may be there as well.
    for (name, words) in &said.0 {
        for part in ["## ", name, "\n", words, "\n"] {
            text.push_str(part);
        }
    }
    let path = folder().join("cli/reported/errors.txt");
    if std::env::var_os("MAESTRO_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == text,
        "errors say something else than before; run MAESTRO_BLESS=1 cargo test --lib reported, and look at the difference"
    );
}
