//! What a `CycloneDX` document says about vulnerabilities (cyclonedx.org, `vulnerabilities[].analysis`, 1.4 and later).

use super::super::NotRead;
use super::super::json::Value;
use super::super::sbom;
use super::{Product, Statement, Status};

pub(super) fn read(root: Value<'_>) -> Result<Vec<Statement>, NotRead> {
    let bill = sbom::cyclonedx(root)?;
    if root.get("vulnerabilities").is_none() {
        return Err(NotRead::at(
            root.place(),
            "this CycloneDX document has no `vulnerabilities`",
        ));
    }
    let by_reference = bill.by_reference();
    let time = root
        .get("metadata")
        .and_then(|metadata| metadata.string("timestamp"));
    let mut statements = Vec::new();
    for value in root.array("vulnerabilities")? {
        let Some(analysis) = value.get("analysis") else {
            continue;
        };
        let Some(status) = status(analysis)? else {
            continue;
        };
        let Some(id) = value.string("id") else {
            return Err(NotRead::at(value.place(), "a vulnerability has no `id`"));
        };
        let mut ids = vec![id];
        ids.extend(value.list("references").filter_map(|one| one.string("id")));
        let products = value.array("affects")?.filter_map(|one| one.string("ref"));
        let products = products.map(|reference| {
            let mut product = Product::new(&reference);
            if let Some(component) = by_reference.get(reference.as_str()) {
                product.package = Some(component.package.clone());
            }
            product
        });
        statements.push(Statement {
            report: String::new(),
            ids,
            products: products.collect(),
            status,
            justification: analysis
                .string("justification")
                .or_else(|| analysis.string("detail")),
            author: bill.tool.clone(),
            time: analysis
                .string("lastUpdated")
                .or_else(|| value.string("updated"))
                .or_else(|| time.clone()),
        });
    }
    Ok(statements)
}

fn status(analysis: Value<'_>) -> Result<Option<Status>, NotRead> {
    let Some(word) = analysis.string("state") else {
        return Ok(None);
    };
    Ok(Some(match word.as_str() {
        "resolved" | "resolved_with_pedigree" => Status::Fixed,
        "exploitable" => Status::Affected,
        "in_triage" => Status::UnderInvestigation,
        "false_positive" | "not_affected" => Status::NotAffected,
        _ => {
            let place = analysis.get("state").unwrap_or(analysis).place();
            return Err(NotRead::at(
                place,
                format!("`{word}` is no state of CycloneDX"),
            ));
        }
    }))
}
