//! Trivy's JSON, schema 2 (trivy.dev, "Reporting"; `pkg/types/report.go`): `Results[].Vulnerabilities`.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::{Package, kind_of};
use super::super::severity::Severity;
use super::{Fix, Scan, id, rated};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    let version = root.get("SchemaVersion").and_then(Value::number);
    if version != Some(2.0) {
        return Err(NotRead::at(
            root.place(),
            "a Trivy report of another schema than 2 is not known",
        ));
    }
    scan.tool = "trivy".into();
    scan.version = root
        .path(&["Trivy"])
        .and_then(|trivy| trivy.string("Version"));
    let mut targets = 0;
    for result in root.array("Results")? {
        // Licences, secrets and settings are results as well.
        let class = result.string("Class").unwrap_or_default();
        if matches!(class.as_str(), "os-pkgs" | "lang-pkgs" | "") {
            targets += 1;
        }
        let kind = kind_of(&result.string("Type").unwrap_or_default());
        for found in result.array("Vulnerabilities")? {
            one(found, &kind, scan)?;
        }
    }
    // It says how many packages only when it lists them, else there is one at least in each target; none at all means that it found nothing
    // to look at.
    let packages = root
        .list("Results")
        .map(|result| result.list("Packages").count())
        .sum::<usize>();
    scan.looked_at = u64::try_from(packages.max(targets)).ok();
    Ok(())
}

fn one(found: Value<'_>, kind: &str, scan: &mut Scan) -> Result<(), NotRead> {
    let text = |name: &str| found.string(name).unwrap_or_default();
    let mut ids = vec![id(found, "VulnerabilityID")?];
    let vendor = found.strings("VendorIDs");
    // An advisory of a distribution may be about several vulnerabilities.
    ids.extend(
        vendor
            .into_iter()
            .filter(|id| id.starts_with("GHSA-") || id.starts_with("CVE-")),
    );
    let purl = found
        .path(&["PkgIdentifier"])
        .and_then(|one| one.string("PURL"));
    let mut package = purl
        .as_deref()
        .and_then(Package::parse)
        .unwrap_or_else(|| Package::new(kind, &text("PkgName"), ""));
    package.version = text("InstalledVersion");
    let scores = found.get("CVSS").map(Value::members).into_iter().flatten();
    let vectors = scores.flat_map(|(_, score)| {
        ["V40Vector", "V3Vector", "V2Vector"]
            .into_iter()
            .filter_map(move |name| score.get(name)?.text())
    });
    let severity = Severity::of_word(&text("Severity")).or_else(|| rated(vectors));
    let fixed = text("FixedVersion");
    let fixed = fixed
        .split(',')
        .map(str::trim)
        .filter(|version| !version.is_empty());
    let otherwise = match text("Status").as_str() {
        "under_investigation" | "unknown" => Fix::Unknown,
        // `affected`, `will_not_fix`, `end_of_life`; before Trivy 0.42 nothing.
        _ => Fix::Missing,
    };
    let fix = Fix::of(fixed.map(str::to_owned).collect(), otherwise);
    let url = found.string("PrimaryURL");
    let added = scan.add(ids, package);
    added.purl = purl;
    added.severity = severity;
    added.fix = fix;
    added.url = url;
    Ok(())
}
