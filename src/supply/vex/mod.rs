//! Statements about whether a vulnerability can be exploited in a product (VEX). One file a form.

mod cyclonedx;
mod openvex;

use super::form::Form;
use super::json::Document;
use super::package::Package;
use super::{NotRead, Wanted};

/// What somebody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

/// What a statement is about: a package, or what a document calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) reference: String,
    pub(crate) package: Option<Package>,
    /// What in it is meant; all of it where there is nothing.
    pub(crate) parts: Vec<Product>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The file.
    pub(crate) report: String,
    /// All names of the vulnerability.
    pub(crate) ids: Vec<String>,
    pub(crate) products: Vec<Product>,
    pub(crate) status: Status,
    /// Why: a word of the form's list, or a sentence.
    pub(crate) justification: Option<String>,
    pub(crate) author: Option<String>,
    /// RFC 3339; the latest statement counts.
    pub(crate) time: Option<String>,
}

impl Product {
    fn new(reference: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            package: Package::parse(reference),
            parts: Vec::new(),
        }
    }

    fn names(&self, package: &Package, reference: Option<&str>) -> bool {
        let same_package = self.package.as_ref().is_some_and(|own| own.is(package));
        // `urn:cdx:serial/version#reference` of another document.
        let own = self.reference.rsplit('#').next().unwrap_or_default();
        same_package || reference.is_some_and(|other| !own.is_empty() && own == other)
    }
}

/// What a package is called, and what it is a part of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) package: &'a Package,
    /// What the bill of materials refers to it by.
    pub(crate) reference: Option<&'a str>,
    /// What is delivered as a whole, with its reference.
    pub(crate) whole: Option<(&'a Package, Option<&'a str>)>,
}

impl Statement {
    /// Whether it is about a package.
    pub(crate) fn is_about(&self, asked: Asked<'_>) -> bool {
        self.products.iter().any(|product| {
            let names = |product: &Product| product.names(asked.package, asked.reference);
            if product.parts.is_empty() {
                let is_whole = asked
                    .whole
                    .is_some_and(|(whole, reference)| product.names(whole, reference));
                return names(product) || is_whole;
            }
            product.parts.iter().any(names)
        })
    }
}

/// Reads a document, whatever its form.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Statement>, NotRead> {
    let text = super::text(bytes)?;
    let document = Document::parse(&text)?;
    let root = document.root();
    let mut statements = match Form::of(root, Wanted::Vex)? {
        Form::OpenVex => openvex::read(root),
        _ => cyclonedx::read(root),
    }?;
    for statement in &mut statements {
        name.clone_into(&mut statement.report);
    }
    // The latest counts, and of one time the later one in the file.
    crate::order::sort_by(&mut statements, |one, other| one.time.cmp(&other.time));
    Ok(statements)
}

#[cfg(test)]
mod tests;
