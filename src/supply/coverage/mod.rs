//! Which lines tests executed, as reports of coverage say it; one reader a form, recognised by what it holds.
//!
//! Only whether a line was executed is kept: counts of different tools mean different things. A report is read whole or refused with its place, and
//! one whose lines cannot be told is refused too: an empty report is not a covered one.

mod clover;
mod cobertura;
mod coverage_py;
mod go;
mod jacoco;
mod lcov;
mod llvm_cov;
mod paths;
mod simplecov;
mod xml;

use std::collections::{BTreeMap, HashMap};

use super::NotRead;
use super::json::{Document, Value};
pub(crate) use paths::Places;

/// No file of source has more lines.
const MOST_LINE: u64 = 10_000_000;

/// Lines that a report may tell of, each as often as it does.
const MOST_LINES: usize = 20_000_000;

/// Who wrote a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lcov,
    Cobertura,
    Jacoco,
    Clover,
    SimpleCov,
    CoveragePy,
    Go,
    LlvmCov,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lcov => "lcov",
            Self::Cobertura => "Cobertura",
            Self::Jacoco => "JaCoCo",
            Self::Clover => "Clover",
            Self::SimpleCov => "SimpleCov",
            Self::CoveragePy => "coverage.py",
            Self::Go => "Go",
            Self::LlvmCov => "llvm-cov",
        }
    }
}

/// A file as a report names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct File {
    pub(crate) path: String,
    /// Lines that can be executed, in order, and whether they were.
    pub(crate) lines: Vec<(u32, bool)>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) form: Form,
    /// In order of path.
    pub(crate) files: Vec<File>,
    /// Folders that paths may stand below, as Cobertura's `source` says.
    pub(crate) sources: Vec<String>,
    /// Statements that were executed, and all; Go counts those and not lines.
    pub(crate) statements: Option<(u64, u64)>,
}

impl Report {
    /// Returns how many lines were executed, and how many there are.
    #[cfg(test)]
    pub(crate) fn totals(&self) -> (usize, usize) {
        let lines = || self.files.iter().flat_map(|file| &file.lines);
        (lines().filter(|(_, hit)| *hit).count(), lines().count())
    }
}

/// Where readers put what they find.
#[derive(Debug, Default)]
struct Out {
    files: Vec<File>,
    known: HashMap<String, usize>,
    at: usize,
    lines: usize,
    sources: Vec<String>,
    statements: Option<(u64, u64)>,
}

impl Out {
    /// Begins a file, or goes on with it.
    fn begin(&mut self, path: &str) {
        self.at = match self.known.get(path) {
            Some(&at) => at,
            None => {
                self.files.push(File {
                    path: path.to_owned(),
                    lines: Vec::new(),
                });
                self.known.insert(path.to_owned(), self.files.len() - 1);
                self.files.len() - 1
            }
        };
    }

    /// Takes a line of the file at hand; tells what is wrong with it.
    fn line(&mut self, number: u64, hit: bool) -> Result<(), String> {
        if number == 0 {
            // Tools count from one; some have things before the first line, which no change can touch.
            return Ok(());
        }
        if number > MOST_LINE {
            return Err(beyond(number));
        }
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(format!("it tells of more than {MOST_LINES} lines"));
        }
        if let (Some(file), Ok(number)) = (self.files.get_mut(self.at), u32::try_from(number)) {
            file.lines.push((number, hit));
        }
        Ok(())
    }

    /// Takes lines from one to another, both included; one out of bounds is told before any is taken.
    fn span(&mut self, from: u64, to: u64, hit: bool) -> Result<(), String> {
        if to > MOST_LINE {
            return Err(beyond(to));
        }
        (from..=to).try_for_each(|number| self.line(number, hit))
    }

    fn finish(mut self, form: Form) -> Report {
        for file in &mut self.files {
            // Executed first, so that it is what stays of a line.
            file.lines
                .sort_unstable_by_key(|(line, hit)| (*line, !*hit));
            file.lines.dedup_by_key(|(line, _)| *line);
            file.lines.shrink_to_fit();
        }
        crate::order::sort_by(&mut self.files, |one, other| one.path.cmp(&other.path));
        Report {
            form,
            files: self.files,
            sources: self.sources,
            statements: self.statements,
        }
    }
}

fn beyond(number: u64) -> String {
    format!("it names the line {number}, and no file has so many")
}

/// Returns a count as tools write it: whole, with a fraction or an exponent; nothing for what is no number.
fn count(word: &str) -> Option<f64> {
    word.trim()
        .parse()
        .ok()
        .filter(|number: &f64| !number.is_nan())
}

/// Returns the number of a line.
fn line_number(word: &str) -> Option<u64> {
    let word = word.trim();
    let is_whole = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    // What does not fit is a line that no file has, and is told as that.
    is_whole.then(|| word.parse().unwrap_or(u64::MAX))
}

/// Reads a report of any form that is known.
pub(crate) fn read(bytes: &[u8]) -> Result<Report, NotRead> {
    let text = super::text(bytes)?;
    let mut out = Out::default();
    let start = text.trim_start();
    let form = match start.bytes().next() {
        None => return Err(NotRead::new("it is empty")),
        Some(b'<') => xml::read(&text, &mut out)?,
        Some(b'{') => {
            let document = Document::parse(&text)?;
            let root = document.root();
            if root.string("type").as_deref() == Some("llvm.coverage.json.export") {
                llvm_cov::read(root, &mut out)?;
                Form::LlvmCov
            } else if root.path(&["meta", "format"]).is_some()
                || root.get("files").is_some_and(Value::is_object)
            {
                coverage_py::read(root, &mut out)?;
                Form::CoveragePy
            } else {
                simplecov::read(root, &mut out)?;
                Form::SimpleCov
            }
        }
        Some(b'm') if start.starts_with("mode:") => {
            go::read(&text, &mut out)?;
            Form::Go
        }
        Some(_) if lcov::is_one(start) => {
            lcov::read(&text, &mut out)?;
            Form::Lcov
        }
        Some(_) => {
            return Err(NotRead::new("it is no report of coverage that is known")
                .hint("lcov, Cobertura, JaCoCo, Clover, SimpleCov, coverage.py (coverage json), Go (-coverprofile) and llvm-cov (export) are read"));
        }
    };
    if out.files.is_empty() {
        return Err(NotRead::new(format!(
            "it is a report of {} without any file",
            form.name()
        ))
        .hint("an empty report says nothing of what is covered: look at how it was made"));
    }
    Ok(out.finish(form))
}

/// What is known of a repository's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    files: BTreeMap<String, Vec<(u32, bool)>>,
    /// Files of reports that are none of the repository's, or might be several.
    pub(crate) unplaced: u64,
    /// Names of the forms that were read.
    pub(crate) forms: Vec<&'static str>,
}

impl Coverage {
    /// Takes a report; a line that any report has as executed was executed.
    pub(crate) fn add(&mut self, report: Report, places: &Places<'_>, checkout: &[String]) {
        let found = places.of(&report, checkout);
        if !self.forms.contains(&report.form.name()) {
            self.forms.push(report.form.name());
        }
        for (file, place) in report.files.into_iter().zip(found) {
            let Some(path) = place else {
                self.unplaced += 1;
                continue;
            };
            let lines = self.files.entry(path.to_owned()).or_default();
            lines.extend(file.lines);
            lines.sort_unstable_by_key(|(line, hit)| (*line, !*hit));
            lines.dedup_by_key(|(line, _)| *line);
        }
    }

    /// Whether a report tells of a file.
    pub(crate) fn knows(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Returns whether a line was executed; nothing for one that cannot be, or is not told of.
    pub(crate) fn line(&self, path: &str, number: u32) -> Option<bool> {
        let lines = self.files.get(path)?;
        let at = lines
            .binary_search_by_key(&number, |(line, _)| *line)
            .ok()?;
        lines.get(at).map(|(_, hit)| *hit)
    }
}

#[cfg(test)]
mod tests;
