//! The `vulnerabilities` of a `CycloneDX` document, as Trivy and Grype write them too (cyclonedx.org, 1.4 and later).

use std::sync::Arc;

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::Package;
use super::super::sbom;
use super::super::severity::Severity;
use super::{Fix, Scan, id, rated};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    let bill = sbom::cyclonedx(root)?;
    if root.get("vulnerabilities").is_none() {
        return Err(NotRead::at(
            root.place(),
            "this CycloneDX document has no `vulnerabilities`",
        )
        .hint("give a bill of materials to `--sbom`"));
    }
    scan.tool = bill.tool.clone().unwrap_or_else(|| bill.form.clone());
    scan.looked_at = u64::try_from(bill.components.len())
        .ok()
        .filter(|count| *count > 0);
    let by_reference = bill.by_reference();
    for found in root.array("vulnerabilities")? {
        let mut names = vec![id(found, "id")?];
        names.extend(found.list("references").filter_map(|one| one.string("id")));
        let words = found
            .list("ratings")
            .filter_map(|one| Severity::of_word(&one.string("severity")?));
        let vectors = || {
            rated(
                found
                    .list("ratings")
                    .filter_map(|one| one.get("vector")?.text()),
            )
        };
        let severity = words.max().or_else(vectors);
        let ids: Arc<[String]> = names.into();
        for affected in found.array("affects")? {
            let reference = affected.string("ref").unwrap_or_default();
            let component = by_reference.get(reference.as_str());
            let package = match component {
                Some(component) => component.package.clone(),
                None => {
                    Package::parse(&reference).unwrap_or_else(|| Package::new("", &reference, ""))
                }
            };
            let purl = component.and_then(|component| component.purl.clone());
            let added = scan.add(Arc::clone(&ids), package);
            added.severity = severity;
            added.purl = purl;
            added.fix = Fix::Unknown;
        }
    }
    Ok(())
}
