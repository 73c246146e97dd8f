//! Grype's JSON (github.com/anchore/grype, `grype/presenter/models`): `matches`.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::{Package, kind_of};
use super::super::severity::Severity;
use super::{Fix, Scan, day, id, rated};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    let descriptor = root.get("descriptor");
    let word = |name: &str| descriptor.and_then(|one| one.string(name));
    scan.tool = word("name").unwrap_or_else(|| "grype".into());
    scan.version = word("version");
    let database = descriptor.and_then(|one| one.get("db"));
    // From Grype 0.88 on it stands one level deeper.
    let built = database.and_then(|one| {
        one.string("built")
            .or_else(|| one.get("status")?.string("built"))
    });
    scan.database = built.as_deref().and_then(day);
    for found in root.array("matches")? {
        one(found, scan)?;
    }
    Ok(())
}

fn one(found: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    let (Some(vulnerability), Some(artifact)) = (found.get("vulnerability"), found.get("artifact"))
    else {
        return Err(NotRead::at(
            found.place(),
            "a match has no `vulnerability` or no `artifact`",
        ));
    };
    let mut ids = vec![id(vulnerability, "id")?];
    let related: Vec<Value<'_>> = found.list("relatedVulnerabilities").collect();
    let related_ids: Vec<String> = related.iter().filter_map(|one| one.string("id")).collect();
    // An advisory of a distribution may be about several vulnerabilities, which are not one because of that.
    if related_ids.len() == 1 {
        ids.extend(related_ids);
    }
    let text = |name: &str| artifact.string(name).unwrap_or_default();
    let purl = artifact.string("purl");
    let package = purl
        .as_deref()
        .and_then(Package::parse)
        .unwrap_or_else(|| Package::new(&kind_of(&text("type")), &text("name"), &text("version")));
    let vectors = |one: Value<'_>| {
        rated(
            one.list("cvss")
                .filter_map(|score| score.get("vector")?.text()),
        )
    };
    let word = |one: Value<'_>| Severity::of_word(&one.string("severity").unwrap_or_default());
    let others = || related.iter().filter_map(|one| word(*one)).max();
    let severity = word(vulnerability)
        .or_else(|| vectors(vulnerability))
        .or_else(others);
    let fix = vulnerability.get("fix");
    let state = fix.and_then(|fix| fix.string("state")).unwrap_or_default();
    let otherwise = match state.as_str() {
        "not-fixed" | "wont-fix" => Fix::Missing,
        _ => Fix::Unknown,
    };
    let versions = fix.map(|fix| fix.strings("versions")).unwrap_or_default();
    let url = vulnerability.string("dataSource");
    let added = scan.add(ids, package);
    added.purl = purl;
    added.severity = severity;
    added.fix = Fix::of(versions, otherwise);
    added.url = url;
    Ok(())
}
