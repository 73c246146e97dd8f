//! Known vulnerabilities, as scanners report them. One file a scanner.
//!
//! A report without findings is not yet good news: what was looked at, and how old the scanner's knowledge is, is read as well.

mod cargo_audit;
mod cyclonedx;
mod grype;
mod merge;
mod npm_audit;
mod osv;
mod pip_audit;
mod trivy;

use std::sync::Arc;

use jiff::civil::Date;

pub(crate) use merge::merge;

use super::cvss;
use super::form::Form;
use super::json::{Document, Value};
use super::package::Package;
use super::severity::Severity;
use super::{NotRead, Wanted};

/// Whether a version without the vulnerability exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Fix {
    /// Nobody says.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    /// From these versions on.
    Versions(Vec<String>),
}

impl Fix {
    /// Returns versions, or what their absence means.
    fn of(versions: Vec<String>, otherwise: Self) -> Self {
        if versions.is_empty() {
            otherwise
        } else {
            Self::Versions(versions)
        }
    }
}

/// A vulnerability of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vulnerability {
    /// All names of it, the best known one first.
    pub(crate) ids: Arc<[String]>,
    pub(crate) package: Package,
    pub(crate) purl: Option<String>,
    /// None where nobody rated it.
    pub(crate) severity: Option<Severity>,
    pub(crate) fix: Fix,
    /// No vulnerability but a word of warning: `unmaintained`, `unsound`, `yanked`.
    pub(crate) remark: Option<String>,
    /// Who found it.
    pub(crate) tools: Vec<String>,
    pub(crate) url: Option<String>,
}

impl Vulnerability {
    /// Returns the name that most know it by.
    pub(crate) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// Whether it goes by a name; names are compared without regard to case.
    pub(crate) fn is_called(&self, id: &str) -> bool {
        self.ids
            .iter()
            .any(|own| own.eq_ignore_ascii_case(id.trim()))
    }
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scan {
    /// The file.
    pub(crate) report: String,
    pub(crate) tool: String,
    pub(crate) version: Option<String>,
    /// The day of the database that it looked into.
    pub(crate) database: Option<Date>,
    /// How many packages it looked at (at least), where it says so.
    pub(crate) looked_at: Option<u64>,
    /// What it could not look at.
    pub(crate) skipped: Vec<String>,
    pub(crate) found: Vec<Vulnerability>,
}

impl Scan {
    /// Whether nothing in it says that anything was looked at, in anything.
    pub(crate) fn is_silent(&self) -> bool {
        self.found.is_empty() && self.looked_at.is_none() && self.database.is_none()
    }

    /// Adds a finding.
    fn add(&mut self, ids: impl Into<Arc<[String]>>, package: Package) -> &mut Vulnerability {
        let at = self.found.len();
        self.found.push(Vulnerability {
            ids: ids.into(),
            package,
            purl: None,
            severity: None,
            fix: Fix::Unknown,
            remark: None,
            tools: vec![self.tool.clone()],
            url: None,
        });
        &mut self.found[at]
    }
}

/// Reads a report, whoever wrote it.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Scan, NotRead> {
    let text = super::text(bytes)?;
    let document = Document::parse(&text)?;
    let root = document.root();
    let mut scan = Scan {
        report: name.to_owned(),
        ..Scan::default()
    };
    match Form::of(root, Wanted::Vulnerabilities)? {
        Form::Grype => grype::read(root, &mut scan),
        Form::OsvScanner => osv::read(root, &mut scan),
        Form::Trivy => trivy::read(root, &mut scan),
        Form::CargoAudit => cargo_audit::read(root, &mut scan),
        Form::NpmAudit => npm_audit::read(root, &mut scan),
        Form::PipAudit => pip_audit::read(root, &mut scan),
        _ => cyclonedx::read(root, &mut scan),
    }?;
    Ok(scan)
}

/// Returns the name of a finding, without which it could be neither fixed nor ignored.
fn id(value: Value<'_>, member: &str) -> Result<String, NotRead> {
    value
        .string(member)
        .ok_or_else(|| NotRead::at(value.place(), format!("a finding has no `{member}`")))
}

/// Reads the day of a time in RFC 3339.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// Returns the worst of what vectors say.
fn rated<'v>(vectors: impl Iterator<Item = std::borrow::Cow<'v, str>>) -> Option<Severity> {
    vectors
        .filter_map(|vector| Some(cvss::rate(&vector)?.1))
        .max()
}

#[cfg(test)]
mod tests;
