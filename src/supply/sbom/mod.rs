//! Bills of materials: which components there are, in which versions, under which licences. One file a form.

mod cyclonedx;
mod spdx;
mod spdx_tags;
mod syft;

use std::collections::HashMap;

use super::form::Form;
use super::json::{Document, Value};
use super::package::Package;
use super::{NotRead, Wanted};

/// What somebody says about a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    /// An SPDX expression, an identifier or free words.
    pub(crate) text: String,
    /// Somebody looked at the files and came to this; otherwise it is what the author declared.
    pub(crate) is_concluded: bool,
}

/// Whether a component is in what is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Scope {
    #[default]
    Required,
    Optional,
    /// A tool of those who develop, or of tests.
    Excluded,
}

/// A part of what is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Component {
    pub(crate) package: Package,
    pub(crate) purl: Option<String>,
    /// What the document itself refers to it by.
    pub(crate) reference: Option<String>,
    pub(crate) licences: Vec<Stated>,
    pub(crate) scope: Scope,
    /// `library`, `file`…; empty where nobody says.
    pub(crate) role: String,
    /// Where it is loaded from; only lock files say that.
    pub(crate) source: Option<String>,
    /// Whether bytes other than those that were locked are refused; only lock files say that.
    pub(crate) is_pinned: Option<bool>,
}

impl Component {
    /// Returns the licences that count: what somebody concluded, or else what was declared.
    pub(crate) fn judged_licences(&self) -> Vec<&str> {
        let concluded: Vec<&str> = self
            .licences
            .iter()
            .filter(|one| one.is_concluded)
            .map(|one| one.text.as_str())
            .collect();
        if concluded.is_empty() {
            return self.licences.iter().map(|one| one.text.as_str()).collect();
        }
        concluded
    }

    /// Whether somebody else made it and it comes along; files and keys are parts of such a thing.
    pub(crate) fn is_dependency(&self) -> bool {
        !matches!(self.role.as_str(), "file" | "cryptographic-asset" | "data")
    }
}

/// One document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bill {
    /// As `CycloneDX 1.6`.
    pub(crate) form: String,
    pub(crate) tool: Option<String>,
    /// `urn:uuid:…`, by which other documents refer to it.
    pub(crate) serial: Option<String>,
    /// What it is a bill of.
    pub(crate) root: Option<Component>,
    pub(crate) components: Vec<Component>,
}

impl Bill {
    /// Returns components by what the document refers to them by.
    pub(crate) fn by_reference(&self) -> HashMap<&str, &Component> {
        let all = self.root.iter().chain(&self.components);
        all.filter_map(|one| Some((one.reference.as_deref()?, one)))
            .collect()
    }
}

/// Reads a bill of materials, whatever its form.
pub(crate) fn read(bytes: &[u8]) -> Result<Bill, NotRead> {
    let text = super::text(bytes)?;
    if spdx_tags::is_one(&text) {
        return spdx_tags::read(&text);
    }
    if text.trim_start().starts_with('<') {
        return Err(NotRead::at((1, 1), "this is XML, which is not read")
            .hint("let the tool write CycloneDX or SPDX 2.3 in JSON"));
    }
    let document = Document::parse(&text)?;
    let root = document.root();
    // GitHub's dependency graph wraps what it exports.
    let root = root
        .get("sbom")
        .filter(|inner| inner.get("spdxVersion").is_some())
        .unwrap_or(root);
    match Form::of(root, Wanted::Sbom)? {
        Form::Spdx => spdx::read(root),
        Form::Syft => syft::read(root),
        _ => cyclonedx::read(root),
    }
}

/// Reads the components of a CycloneDX document, whatever it was made for.
pub(super) fn cyclonedx(root: Value<'_>) -> Result<Bill, NotRead> {
    cyclonedx::read(root)
}

/// Returns the package that a URL names, with what else is said of it; the URL is the better witness.
fn package(purl: Option<&str>, kind: &str, name: &str, version: &str) -> Package {
    let mut package = purl
        .and_then(Package::parse)
        .unwrap_or_else(|| Package::new(kind, name, version));
    if package.version.is_empty() {
        version.clone_into(&mut package.version);
    }
    package
}

/// Whether a word for a licence says nothing.
fn says_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("NOASSERTION")
}

#[cfg(test)]
mod tests;
