//! Syft's own JSON (github.com/anchore/syft, `schema/json`): `artifacts`; licences are objects from schema 8 on, texts before.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::kind_of;
use super::{Bill, Component, Stated, package, says_nothing};

pub(super) fn read(root: Value<'_>) -> Result<Bill, NotRead> {
    let version = root
        .path(&["schema"])
        .and_then(|schema| schema.string("version"));
    let tool = root.get("descriptor");
    let word = |name: &str| tool.and_then(|tool| tool.string(name)).unwrap_or_default();
    let mut bill = Bill {
        form: format!("Syft {}", version.unwrap_or_default())
            .trim_end()
            .to_owned(),
        tool: Some(
            format!("{} {}", word("name"), word("version"))
                .trim()
                .to_owned(),
        )
        .filter(|tool| !tool.is_empty()),
        ..Bill::default()
    };
    for value in root.array("artifacts")? {
        bill.components.push(component(value)?);
    }
    Ok(bill)
}

fn component(value: Value<'_>) -> Result<Component, NotRead> {
    let Some(name) = value.string("name") else {
        return Err(NotRead::at(value.place(), "an artifact has no name"));
    };
    let purl = value.string("purl");
    let kind = kind_of(&value.string("type").unwrap_or_default());
    let version = value.string("version").unwrap_or_default();
    let mut licences = Vec::new();
    for licence in value.array("licenses")? {
        let old = licence.text().map(|text| text.trim().to_owned());
        let text = licence
            .string("spdxExpression")
            .or_else(|| licence.string("value"))
            .or(old);
        licences.extend(text.filter(|text| !says_nothing(text)).map(|text| Stated {
            text,
            is_concluded: licence.string("type").as_deref() == Some("concluded"),
        }));
    }
    Ok(Component {
        package: package(purl.as_deref(), &kind, &name, &version),
        purl,
        reference: value.string("id"),
        licences,
        role: "library".into(),
        ..Component::default()
    })
}
