//! Which files to read: names, folders and globs made into a sorted list.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::ports::{FileKind, Files};

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Input {
    /// As it can be opened from the working folder.
    pub(in crate::cli) path: PathBuf,
    /// Whether somebody named this very file: then it must be a report.
    pub(in crate::cli) named: bool,
}

/// What was found, and what was not.
#[derive(Debug, Default)]
pub(in crate::cli) struct Found {
    pub(in crate::cli) inputs: Vec<Input>,
    pub(in crate::cli) failures: Vec<CommandError>,
    /// Folders and globs that nothing was found for.
    pub(super) vain: Vec<PathBuf>,
}

/// Names that are looked into when a folder is searched.
pub(super) const ENDINGS: [&str; 12] = [
    ".xml",
    ".xml.gz",
    ".ndjson",
    ".ndjson.gz",
    ".jsonl",
    ".jsonl.gz",
    ".trx",
    ".trx.gz",
    ".json",
    ".json.gz",
    ".tap",
    ".tap.gz",
];

/// Finds what the patterns mean, seen from a folder.
pub(in crate::cli) fn find(session: &Session<'_>, patterns: &[PathBuf], from: &Path) -> Found {
    let cwd = session.world.environment.current_dir().ok();
    let mut finder = Finder {
        files: session.world.files.as_ref(),
        failures: Vec::new(),
        named: BTreeSet::new(),
        met: BTreeSet::new(),
        is_vain: true,
    };
    let mut vain = Vec::new();
    for pattern in patterns {
        finder.is_vain = true;
        finder.pattern(pattern, &from.join(pattern));
        if finder.is_vain {
            vain.push(pattern.clone());
        }
    }
    let Finder {
        failures,
        named,
        mut met,
        ..
    } = finder;
    met.retain(|path| !named.contains(path));
    let all = named.into_iter().map(|path| (path, true));
    let mut inputs: Vec<Input> = all
        .chain(met.into_iter().map(|path| (path, false)))
        .map(|(path, named)| Input {
            path: from_here(&path, cwd.as_deref()),
            named,
        })
        .collect();
    crate::order::sort(&mut inputs);
    Found {
        inputs,
        failures,
        vain,
    }
}

/// Returns the path as short as it can be opened from the working folder.
fn from_here(path: &Path, cwd: Option<&Path>) -> PathBuf {
    let tidy: PathBuf = path.components().collect();
    match cwd.and_then(|cwd| tidy.strip_prefix(cwd).ok()) {
        Some(short) if !short.as_os_str().is_empty() => short.to_path_buf(),
        _ => tidy,
    }
}

struct Finder<'w> {
    files: &'w dyn Files,
    failures: Vec<CommandError>,
    named: BTreeSet<PathBuf>,
    met: BTreeSet<PathBuf>,
    /// Whether the pattern that is looked at has found nothing so far.
    is_vain: bool,
}

impl Finder<'_> {
    fn pattern(&mut self, asked: &Path, path: &Path) {
        match self.files.kind(path) {
            Ok(FileKind::Folder) => self.folder(path, &|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let name = name.to_ascii_lowercase();
                ENDINGS.iter().any(|ending| name.ends_with(ending))
            }),
            // A pipe (`<(...)`) is read like a file.
            Ok(FileKind::File | FileKind::Other) => {
                self.is_vain = false;
                self.named.insert(path.components().collect());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_glob(asked) => {
                self.glob(asked, path);
            }
            Err(error) => {
                self.is_vain = false;
                self.failures.push(CommandError::reading(asked, error));
            }
        }
    }

    fn glob(&mut self, asked: &Path, path: &Path) {
        let text = path.to_string_lossy().into_owned();
        let matcher = match GlobBuilder::new(&text).literal_separator(true).build() {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                let failure = CommandError::message(
                    ErrorKind::Usage,
                    format!("`{}` is not a glob: {}", asked.display(), error.kind()),
                );
                self.failures.push(failure.hint(
                    "`*` is any name, `**` any folders, `[ab]` one of these, `{a,b}` either",
                ));
                return;
            }
        };
        // Only what stands before the first special character can be searched from.
        let root: PathBuf = path
            .components()
            .take_while(|part| !matches!(part, Component::Normal(name) if is_glob(Path::new(name))))
            .collect();
        if self.files.kind(&root).is_ok() {
            self.folder(&root, &|path| matcher.is_match(path));
        }
    }

    fn folder(&mut self, folder: &Path, wanted: &dyn Fn(&Path) -> bool) {
        let skip = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name == ".git" || name == "node_modules")
        };
        for found in self.files.walk(folder, &skip) {
            match found {
                Ok(path) => {
                    let path: PathBuf = path.components().collect();
                    if wanted(&path) {
                        self.is_vain = false;
                        self.met.insert(path);
                    }
                }
                Err((path, error)) => self.failures.push(CommandError::reading(&path, error)),
            }
        }
    }
}

fn is_glob(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{'))
}
