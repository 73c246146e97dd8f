//! OSV-Scanner's JSON (google.github.io/osv-scanner, "Output"), whose vulnerabilities are records of OSV (ossf.github.io/osv-schema).

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::{Package, kind_of};
use super::super::severity::Severity;
use super::{Fix, Scan, Vulnerability, id, rated};
use crate::order;

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    scan.tool = "osv-scanner".into();
    let mut looked_at = 0;
    for result in root.array("results")? {
        for listed in result.array("packages")? {
            looked_at += 1;
            let package = listed.get("package").unwrap_or(listed);
            let text = |name: &str| package.string(name).unwrap_or_default();
            let kind = kind_of(&text("ecosystem"));
            let package = Package::new(&kind, &text("name"), &text("version"));
            for record in listed.array("vulnerabilities")? {
                if record.get("withdrawn").is_some_and(|when| !when.is_null()) {
                    continue;
                }
                let mut added = of_record(record, &package, scan)?;
                if added.severity.is_none() {
                    added.severity = of_group(listed, added.id());
                }
                scan.found.push(added);
            }
        }
    }
    // Unless it was told to list all, it names what has a finding only: then nothing is known of the rest.
    scan.looked_at = (looked_at > 0).then_some(looked_at);
    Ok(())
}

fn of_record(record: Value<'_>, package: &Package, scan: &Scan) -> Result<Vulnerability, NotRead> {
    let mut ids = vec![id(record, "id")?];
    ids.extend(record.strings("aliases"));
    let word = record
        .path(&["database_specific", "severity"])
        .and_then(Value::text);
    let vectors = |one: Value<'_>| {
        rated(
            one.list("severity")
                .filter_map(|score| score.get("score")?.text()),
        )
    };
    let affected = |wanted: &Value<'_>| {
        let name = wanted.path(&["package", "name"]).and_then(Value::text);
        name.is_none_or(|name| Package::new(&package.kind, &name, "").is(package))
    };
    let own = || record.list("affected").filter(affected);
    let severity = word
        .and_then(|word| Severity::of_word(&word))
        .or_else(|| vectors(record))
        .or_else(|| own().filter_map(vectors).max());
    let events = own().flat_map(|one| one.list("ranges")).filter(|range| {
        // A commit is no version that could be asked for.
        range.string("type").as_deref() != Some("GIT")
    });
    let mut fixed: Vec<String> = events
        .flat_map(|range| range.list("events"))
        .filter_map(|event| event.string("fixed"))
        .collect();
    order::sort(&mut fixed);
    fixed.dedup();
    Ok(Vulnerability {
        url: Some(format!("https://osv.dev/vulnerability/{}", ids[0])),
        ids: ids.into(),
        package: package.clone(),
        purl: None,
        severity,
        fix: Fix::of(fixed, Fix::Missing),
        remark: None,
        tools: vec![scan.tool.clone()],
    })
}

/// Returns the severity of the group that a record is in.
fn of_group(listed: Value<'_>, id: &str) -> Option<Severity> {
    let group = listed
        .list("groups")
        .find(|group| group.strings("ids").iter().any(|one| one == id))?;
    let score: f64 = group.string("max_severity")?.parse().ok()?;
    Some(Severity::of_score(score))
}
