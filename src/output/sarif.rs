//! SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), with the fields that GitHub's code scanning reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::checks::{Check, Problem};
use super::text::visible;
use crate::finding::{Location, Severity};

/// What paths are relative to.
const ROOT: &str = "SRCROOT";

/// Writes one run.
pub(super) fn write(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<Value> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results: Vec<Value> = Vec::new();
    for check in checks {
        let at = *places.entry(&check.code).or_insert_with(|| {
            rules.push(rule(check));
            rules.len() - 1
        });
        results.extend(
            check
                .problems
                .iter()
                .map(|problem| result(check, at, problem)),
        );
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "maestro",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "The top of the repository." } } },
            "results": results,
        }],
    });
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn rule(check: &Check) -> Value {
    let mut rule = json!({ "id": check.code, "name": pascal(&check.code) });
    if !check.what.is_empty() {
        rule["shortDescription"] = json!({ "text": sentence(&check.what) });
    }
    if !check.help.is_empty() {
        rule["fullDescription"] = json!({ "text": sentence(&check.help) });
        rule["help"] = json!({ "text": sentence(&check.help) });
    }
    rule
}

fn result(check: &Check, at: usize, problem: &Problem) -> Value {
    let mut text = sentence(&problem.message);
    for (name, value) in &problem.facts {
        let value = visible(value);
        let end = if value.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        // A writer into a String does not fail.
        let _ = write!(text, " {}: {value}{end}", upper(name));
    }
    let mut result = json!({
        "ruleId": check.code,
        "ruleIndex": at,
        "level": level(problem.severity),
        "message": { "text": text },
    });
    if let Some(location) = &problem.location {
        result["locations"] = json!([{ "physicalLocation": place(location) }]);
    }
    if let Some(fingerprint) = &problem.fingerprint {
        result["partialFingerprints"] = json!({ "maestro/v1": fingerprint });
    }
    let mut facts = Map::new();
    for (name, value) in &problem.facts {
        facts.insert((*name).to_owned(), json!(visible(value)));
    }
    facts.insert("entry".to_owned(), json!(check.name));
    result["properties"] = Value::Object(facts);
    if let Some(why) = &problem.forgiven {
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": visible(why) }]);
    }
    result
}

fn place(location: &Location) -> Value {
    let mut place =
        json!({ "artifactLocation": { "uri": uri(&location.path), "uriBaseId": ROOT } });
    if let Some(line) = location.line {
        let mut region = json!({ "startLine": line });
        if let Some(column) = location.column {
            region["startColumn"] = json!(column);
        }
        place["region"] = region;
    }
    place
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

/// Returns a path as a relative reference of RFC 3986: whatever is not unreserved is escaped, so that no path is an address.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    // Neither an absolute path nor one that leads out.
    let names: Vec<&str> = uri
        .split('/')
        .filter(|name| !matches!(*name, "" | "." | ".."))
        .collect();
    names.join("/")
}

/// Returns a text that ends as a sentence does.
fn sentence(text: &str) -> String {
    let text = upper(&visible(text));
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        text + "."
    }
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `policy/diff-size` as `PolicyDiffSize`.
fn pascal(code: &str) -> String {
    code.split(['/', '-', '_']).map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_an_address() {
        assert_eq!(uri("a b/ü#?.rs"), "a%20b/%C3%BC%23%3F.rs");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(uri("//evil.example/../x"), "evil.example/x");
    }
}
