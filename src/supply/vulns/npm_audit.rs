//! `npm audit --json` of npm 7 and later (`@npmcli/metavuln-calculator`, `npm-audit-report`): `vulnerabilities` by package. What is
//! vulnerable because of what it uses is the same finding again, and is left out.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::Package;
use super::super::severity::Severity;
use super::{Fix, Scan, rated};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    scan.tool = "npm-audit".into();
    let version = root.get("auditReportVersion").and_then(Value::number);
    if version != Some(2.0) {
        return Err(NotRead::at(
            root.place(),
            "an npm audit report of another version than 2 is not known",
        ));
    }
    let total = root
        .path(&["metadata", "dependencies", "total"])
        .and_then(Value::number);
    scan.looked_at = total.and_then(|total| format!("{total:.0}").parse().ok());
    for (name, package) in root
        .get("vulnerabilities")
        .map(Value::members)
        .into_iter()
        .flatten()
    {
        for via in package.array("via")? {
            if via.is_object() {
                one(&name, package, via, scan)?;
            }
        }
    }
    Ok(())
}

fn one(name: &str, package: Value<'_>, via: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    let url = via.string("url");
    let advisory = url
        .as_deref()
        .and_then(|url| url.rsplit('/').next())
        .filter(|last| last.starts_with("GHSA-"));
    let number = via.get("source").and_then(Value::number);
    let id = match (advisory, number) {
        (Some(advisory), _) => advisory.to_owned(),
        (None, Some(number)) => format!("npm-{number:.0}"),
        (None, None) => {
            return Err(NotRead::at(
                via.place(),
                "an advisory has neither `url` nor `source`",
            ));
        }
    };
    let word = via.string("severity").unwrap_or_default();
    let vector = via.path(&["cvss", "vectorString"]).and_then(Value::text);
    let severity = Severity::of_word(&word).or_else(|| rated(vector.into_iter()));
    let fix = match package.get("fixAvailable") {
        Some(fix) if fix.is_object() => {
            let text = |name: &str| fix.string(name).unwrap_or_default();
            Fix::Versions(vec![format!("{}@{}", text("name"), text("version"))])
        }
        // `npm audit fix` finds one.
        Some(fix) if fix.is_true() => Fix::Versions(vec![format!(
            "any outside {}",
            via.string("range").unwrap_or_default()
        )]),
        Some(_) => Fix::Missing,
        None => Fix::Unknown,
    };
    // Which version is installed it does not say: the SBOM or the lock file does.
    let added = scan.add(vec![id], Package::new("npm", name, ""));
    added.severity = severity;
    added.fix = fix;
    added.url = url;
    Ok(())
}
