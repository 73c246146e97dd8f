//! OpenVEX 0.0.1 to 0.2.0 (github.com/openvex/spec, `OPENVEX-SPEC.md`).

use super::super::NotRead;
use super::super::json::Value;
use super::{Product, Statement, Status};

const JUSTIFICATIONS: &[&str] = &[
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

pub(super) fn read(root: Value<'_>) -> Result<Vec<Statement>, NotRead> {
    let author = root.string("author");
    let time = root.string("timestamp");
    let mut statements = Vec::new();
    for value in root.array("statements")? {
        let status = status(value)?;
        let mut ids = Vec::new();
        // In the first version it is a text, and so it is for some tools today.
        match value.get("vulnerability") {
            Some(one) if one.is_object() => {
                ids.extend(one.string("name"));
                ids.extend(one.string("@id").map(|id| last(&id)));
                ids.extend(one.strings("aliases"));
            }
            Some(one) => ids.extend(one.text().map(|text| text.trim().to_owned())),
            None => {}
        }
        ids.retain(|id| !id.is_empty());
        if ids.is_empty() {
            return Err(NotRead::at(
                value.place(),
                "a statement names no vulnerability",
            ));
        }
        let listed = value.string("justification");
        if let Some(word) = &listed
            && !JUSTIFICATIONS.contains(&word.as_str())
        {
            let place = value.get("justification").unwrap_or(value).place();
            return Err(
                NotRead::at(place, format!("`{word}` is no justification of OpenVEX"))
                    .hint(format!("they are {}", JUSTIFICATIONS.join(", "))),
            );
        }
        let words = || {
            ["impact_statement", "status_notes", "action_statement"]
                .iter()
                .find_map(|name| value.string(name))
        };
        let mut products = Vec::new();
        for product in value.array("products")? {
            products.push(self::product(product)?);
        }
        statements.push(Statement {
            report: String::new(),
            ids,
            products,
            status,
            justification: listed.or_else(words),
            author: value.string("supplier").or_else(|| author.clone()),
            time: value.string("timestamp").or_else(|| time.clone()),
        });
    }
    Ok(statements)
}

fn status(value: Value<'_>) -> Result<Status, NotRead> {
    let word = value.string("status").unwrap_or_default();
    Ok(match word.as_str() {
        "not_affected" => Status::NotAffected,
        "affected" => Status::Affected,
        "fixed" => Status::Fixed,
        "under_investigation" => Status::UnderInvestigation,
        _ => {
            let place = value.get("status").unwrap_or(value).place();
            return Err(NotRead::at(
                place,
                format!("`{word}` is no status of OpenVEX"),
            ));
        }
    })
}

fn product(value: Value<'_>) -> Result<Product, NotRead> {
    let named = |value: Value<'_>| -> Result<Product, NotRead> {
        let bare = value.text().map(|text| text.trim().to_owned());
        let purl = value.get("identifiers").and_then(|one| one.string("purl"));
        let reference = purl.or_else(|| value.string("@id")).or(bare);
        let reference =
            reference.ok_or_else(|| NotRead::at(value.place(), "a product has no `@id`"))?;
        Ok(Product::new(&reference))
    };
    let mut product = named(value)?;
    for part in value.array("subcomponents")? {
        product.parts.push(named(part)?);
    }
    Ok(product)
}

/// Returns the last part of an address, as `CVE-2024-1` in `https://nvd.nist.gov/vuln/detail/CVE-2024-1`.
fn last(address: &str) -> String {
    address.rsplit('/').next().unwrap_or_default().to_owned()
}
