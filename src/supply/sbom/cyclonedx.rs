//! `CycloneDX` in JSON, 1.2 to 1.7 (cyclonedx.org, "JSON Reference"; ECMA-424): `components`, nested, and `metadata.component`.

use super::super::NotRead;
use super::super::json::Value;
use super::{Bill, Component, Scope, Stated, package, says_nothing};

const KNOWN: &[&str] = &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

pub(super) fn read(root: Value<'_>) -> Result<Bill, NotRead> {
    let version = root.string("specVersion").unwrap_or_default();
    if !KNOWN.contains(&version.as_str()) {
        let message = if version.is_empty() {
            "it does not say which version of CycloneDX it is (`specVersion`)".to_owned()
        } else {
            format!("CycloneDX {version} is not known; 1.2 to 1.7 are")
        };
        let place = root.get("specVersion").unwrap_or(root).place();
        return Err(NotRead::at(place, message));
    }
    let mut bill = Bill {
        form: format!("CycloneDX {version}"),
        tool: tool(root),
        serial: root.string("serialNumber"),
        ..Bill::default()
    };
    if let Some(subject) = root.path(&["metadata", "component"]) {
        bill.root = Some(component(subject)?);
        // What is nested in the subject is delivered with it.
        nested(subject, &mut bill.components)?;
    }
    nested(root, &mut bill.components)?;
    Ok(bill)
}

/// Adds the components of a value and all that are nested in them; the text's depth is bounded.
fn nested(parent: Value<'_>, components: &mut Vec<Component>) -> Result<(), NotRead> {
    for value in parent.array("components")? {
        components.push(component(value)?);
        nested(value, components)?;
    }
    Ok(())
}

fn component(value: Value<'_>) -> Result<Component, NotRead> {
    let Some(name) = value.string("name") else {
        return Err(NotRead::at(value.place(), "a component has no name"));
    };
    let purl = value.string("purl");
    let name = match value.string("group") {
        Some(group) => format!("{group}/{name}"),
        None => name,
    };
    let version = value.string("version").unwrap_or_default();
    let mut licences = Vec::new();
    for choice in value.array("licenses")? {
        let licence = choice.get("license");
        let text = choice
            .string("expression")
            .or_else(|| licence?.string("id"))
            .or_else(|| licence?.string("name"));
        let acknowledgement = choice
            .string("acknowledgement")
            .or_else(|| licence?.string("acknowledgement"));
        // One that says nothing still stands there, and is unknown.
        licences.push(Stated {
            text: text.filter(|text| !says_nothing(text)).unwrap_or_default(),
            is_concluded: acknowledgement.as_deref() == Some("concluded"),
        });
    }
    Ok(Component {
        package: package(purl.as_deref(), "", &name, &version),
        purl,
        reference: value.string("bom-ref"),
        licences,
        scope: match value.string("scope").as_deref() {
            Some("optional") => Scope::Optional,
            Some("excluded") => Scope::Excluded,
            _ => Scope::Required,
        },
        role: value.string("type").unwrap_or_default(),
        source: None,
        is_pinned: None,
    })
}

/// Returns the tool that wrote it; from 1.5 on, tools may be components themselves.
fn tool(root: Value<'_>) -> Option<String> {
    let tools = root.path(&["metadata", "tools"])?;
    let modern = tools.list("components").next();
    let tool = modern.or_else(|| tools.items().next())?;
    let name = tool.string("name")?;
    Some(match tool.string("version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    })
}
