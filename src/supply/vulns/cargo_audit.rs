//! cargo-audit's JSON (`rustsec` crate, `report.rs`): `vulnerabilities.list` and `warnings`.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::Package;
use super::{Fix, Scan, day, id, rated};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    scan.tool = "cargo-audit".into();
    let updated = root
        .path(&["database"])
        .and_then(|database| database.string("last-updated"));
    scan.database = updated.as_deref().and_then(day);
    let count = root
        .path(&["lockfile", "dependency-count"])
        .and_then(Value::number);
    // Counts are small and whole.
    scan.looked_at = count.and_then(|count| format!("{count:.0}").parse().ok());
    let Some(vulnerabilities) = root.get("vulnerabilities") else {
        return Ok(());
    };
    for found in vulnerabilities.array("list")? {
        one(found, None, scan)?;
    }
    for (kind, list) in root
        .get("warnings")
        .map(Value::members)
        .into_iter()
        .flatten()
    {
        for found in list.items() {
            one(found, Some(&kind), scan)?;
        }
    }
    Ok(())
}

fn one(found: Value<'_>, remark: Option<&str>, scan: &mut Scan) -> Result<(), NotRead> {
    let package = found.get("package");
    let text = |name: &str| {
        package
            .and_then(|package| package.string(name))
            .unwrap_or_default()
    };
    let package = Package::new("cargo", &text("name"), &text("version"));
    let Some(advisory) = found.get("advisory").filter(|advisory| !advisory.is_null()) else {
        // A version that was taken back has no advisory.
        let Some(remark) = remark else {
            return Err(NotRead::at(found.place(), "a finding has no `advisory`"));
        };
        let name = format!("{remark}: {}", package.shown());
        scan.add(vec![name], package).remark = Some(remark.to_owned());
        return Ok(());
    };
    if advisory.string("withdrawn").is_some() {
        return Ok(());
    }
    let mut ids = vec![id(advisory, "id")?];
    ids.extend(advisory.strings("aliases"));
    let severity = rated(advisory.get("cvss").and_then(Value::text).into_iter());
    let patched = found
        .path(&["versions"])
        .map(|versions| versions.strings("patched"));
    let remark = remark
        .map(str::to_owned)
        .or_else(|| advisory.string("informational"));
    let url = Some(format!("https://rustsec.org/advisories/{}", ids[0]));
    let added = scan.add(ids, package);
    added.severity = severity;
    added.fix = Fix::of(patched.unwrap_or_default(), Fix::Missing);
    added.remark = remark;
    added.url = url;
    Ok(())
}
