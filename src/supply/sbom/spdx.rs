//! SPDX 2.2 and 2.3 in JSON (spdx.github.io/spdx-spec, clause 7 and annex with the JSON schema): `packages`, and which of them the document describes.

use super::super::NotRead;
use super::super::json::Value;
use super::{Bill, Component, Stated, package, says_nothing};
use crate::order;

pub(super) fn read(root: Value<'_>) -> Result<Bill, NotRead> {
    let version = root.string("spdxVersion").unwrap_or_default();
    let form = known_version(&version).ok_or_else(|| {
        NotRead::at(
            root.get("spdxVersion").unwrap_or(root).place(),
            refusal(&version),
        )
    })?;
    let mut bill = Bill {
        form,
        serial: root.string("documentNamespace"),
        tool: root.path(&["creationInfo"]).and_then(|info| {
            info.strings("creators")
                .into_iter()
                .find_map(|one| Some(one.strip_prefix("Tool:")?.trim().to_owned()))
        }),
        ..Bill::default()
    };
    for value in root.array("packages")? {
        bill.components.push(component(value)?);
    }
    take_subject(&mut bill, &described(root));
    Ok(bill)
}

/// Returns the name of a version that is read.
pub(super) fn known_version(version: &str) -> Option<String> {
    let bare = version.strip_prefix("SPDX-")?;
    matches!(bare, "2.1" | "2.2" | "2.3").then(|| format!("SPDX {bare}"))
}

pub(super) fn refusal(version: &str) -> String {
    format!("`{version}` is not read; SPDX-2.2 and SPDX-2.3 are")
}

/// Returns the elements that the document is about.
fn described(root: Value<'_>) -> Vec<String> {
    let mut described = root.strings("documentDescribes");
    for relation in root.list("relationships") {
        let end = |name: &str| relation.string(name).unwrap_or_default();
        match end("relationshipType").as_str() {
            "DESCRIBES" if end("spdxElementId") == "SPDXRef-DOCUMENT" => {
                described.push(end("relatedSpdxElement"));
            }
            "DESCRIBED_BY" if end("relatedSpdxElement") == "SPDXRef-DOCUMENT" => {
                described.push(end("spdxElementId"));
            }
            _ => {}
        }
    }
    order::sort(&mut described);
    described.dedup();
    described
}

/// Takes the one package that a document describes out of its components; some tools describe every package, and then none is the subject.
pub(super) fn take_subject(bill: &mut Bill, described: &[String]) {
    let [subject] = described else { return };
    let found = bill
        .components
        .iter()
        .position(|one| one.reference.as_ref() == Some(subject));
    if let Some(found) = found
        && bill.components.len() > 1
    {
        bill.root = Some(bill.components.remove(found));
    }
}

fn component(value: Value<'_>) -> Result<Component, NotRead> {
    // Syft calls what it scanned by an empty name where it does not know one.
    let Some(name) = value.get("name").and_then(Value::text) else {
        return Err(NotRead::at(value.place(), "a package has no name"));
    };
    let id = value.string("SPDXID");
    let name = match name.trim() {
        "" => id.clone().unwrap_or_default(),
        name => name.to_owned(),
    };
    let purl = value.list("externalRefs").find_map(|reference| {
        let is_purl = reference.string("referenceType").as_deref() == Some("purl");
        is_purl
            .then(|| reference.string("referenceLocator"))
            .flatten()
    });
    let version = value.string("versionInfo").unwrap_or_default();
    Ok(Component {
        package: package(purl.as_deref(), "", &name, &version),
        purl,
        reference: id,
        licences: licences(
            value.string("licenseConcluded"),
            value.string("licenseDeclared"),
        ),
        role: value
            .string("primaryPackagePurpose")
            .unwrap_or_default()
            .to_lowercase(),
        ..Component::default()
    })
}

/// Returns what is said about the licence of a package.
pub(super) fn licences(concluded: Option<String>, declared: Option<String>) -> Vec<Stated> {
    let stated = [(concluded, true), (declared, false)];
    let stated = stated.into_iter().filter_map(|(text, is_concluded)| {
        let text = text.filter(|text| !says_nothing(text))?;
        Some(Stated { text, is_concluded })
    });
    stated.collect()
}
