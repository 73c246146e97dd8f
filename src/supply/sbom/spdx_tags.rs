//! SPDX 2.2 and 2.3 as tags and values, a line each (spdx.github.io/spdx-spec, clause 4 and 7).

use super::super::NotRead;
use super::spdx::{known_version, licences, refusal, take_subject};
use super::{Bill, Component, package};
use crate::order;

/// Whether a text is in this form.
pub(super) fn is_one(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("SPDXVersion:"))
}

#[derive(Default)]
struct Open {
    name: String,
    id: String,
    version: String,
    purl: Option<String>,
    concluded: Option<String>,
    declared: Option<String>,
    role: String,
}

pub(super) fn read(text: &str) -> Result<Bill, NotRead> {
    let mut bill = Bill::default();
    let mut open: Option<Open> = None;
    let mut described = Vec::new();
    let mut in_text = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if in_text {
            in_text = !line.contains("</text>");
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        in_text = value.contains("<text>") && !value.contains("</text>");
        let said = || Some(value.to_owned());
        match (tag, open.as_mut()) {
            ("SPDXVersion", _) => {
                let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
                bill.form =
                    known_version(value).ok_or_else(|| NotRead::at((number, 1), refusal(value)))?;
            }
            ("DocumentNamespace", _) => bill.serial = said(),
            ("Creator", _) if bill.tool.is_none() => {
                bill.tool = value
                    .strip_prefix("Tool:")
                    .map(|tool| tool.trim().to_owned());
            }
            ("PackageName", _) => {
                bill.components.extend(open.take().map(close));
                open = Some(Open {
                    name: value.to_owned(),
                    ..Open::default()
                });
            }
            ("FileName" | "SnippetSPDXID" | "LicenseID", _) => {
                bill.components.extend(open.take().map(close));
            }
            ("Relationship", _) => {
                let words: Vec<&str> = value.split_whitespace().collect();
                if let ["SPDXRef-DOCUMENT", "DESCRIBES", subject] = words[..] {
                    described.push(subject.to_owned());
                }
            }
            ("SPDXID", Some(open)) => value.clone_into(&mut open.id),
            ("PackageVersion", Some(open)) => value.clone_into(&mut open.version),
            ("PackageLicenseConcluded", Some(open)) => open.concluded = said(),
            ("PackageLicenseDeclared", Some(open)) => open.declared = said(),
            ("PrimaryPackagePurpose", Some(open)) => open.role = value.to_lowercase(),
            ("ExternalRef", Some(open)) => {
                let mut words = value.split_whitespace().skip(1);
                if words.next() == Some("purl") && open.purl.is_none() {
                    open.purl = words.next().map(str::to_owned);
                }
            }
            _ => {}
        }
    }
    bill.components.extend(open.take().map(close));
    order::sort(&mut described);
    described.dedup();
    take_subject(&mut bill, &described);
    Ok(bill)
}

fn close(open: Open) -> Component {
    Component {
        package: package(open.purl.as_deref(), "", &open.name, &open.version),
        purl: open.purl,
        reference: Some(open.id).filter(|id| !id.is_empty()),
        licences: licences(open.concluded, open.declared),
        role: open.role,
        ..Component::default()
    }
}
