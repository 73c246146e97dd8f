//! `pip-audit --format json` of pip-audit 2 (github.com/pypa/pip-audit, `_format/json.py`): `dependencies`. It knows no severities.

use super::super::NotRead;
use super::super::json::Value;
use super::super::package::Package;
use super::{Fix, Scan, id};

pub(super) fn read(root: Value<'_>, scan: &mut Scan) -> Result<(), NotRead> {
    scan.tool = "pip-audit".into();
    let mut looked_at = 0;
    for dependency in root.array("dependencies")? {
        let text = |name: &str| dependency.string(name).unwrap_or_default();
        if let Some(reason) = dependency.string("skip_reason") {
            scan.skipped.push(format!("{}: {reason}", text("name")));
            continue;
        }
        looked_at += 1;
        for found in dependency.array("vulns")? {
            let mut ids = vec![id(found, "id")?];
            ids.extend(found.strings("aliases"));
            let fixed = found.strings("fix_versions");
            let package = Package::new("pypi", &text("name"), &text("version"));
            scan.add(ids, package).fix = Fix::of(fixed, Fix::Missing);
        }
    }
    scan.looked_at = Some(looked_at);
    Ok(())
}
