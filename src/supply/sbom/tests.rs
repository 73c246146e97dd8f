//! Bills in every form.

use super::*;

fn shown(bill: &Bill) -> Vec<String> {
    let line = |one: &Component| {
        format!(
            "{} {} {}",
            one.package.kind,
            one.package.shown(),
            one.judged_licences().join(" & ")
        )
    };
    bill.components
        .iter()
        .map(line)
        .map(|line| line.trim().to_owned())
        .collect()
}

fn read_text(text: &str) -> Result<Bill, NotRead> {
    read(text.as_bytes())
}

fn fault(text: &str) -> String {
    let fault = read_text(text).unwrap_err();
    let place = fault
        .place
        .map_or_else(String::new, |(line, column)| format!("{line}:{column}: "));
    format!("{place}{}", fault.message)
}

/// One tool, one folder, four forms.
#[test]
fn all_forms_of_one_scan_say_the_same() {
    for (text, form) in [
        (
            include_str!("../../../fixtures/supply/syft.cyclonedx.json"),
            "CycloneDX 1.6",
        ),
        (
            include_str!("../../../fixtures/supply/syft.spdx.json"),
            "SPDX 2.3",
        ),
        (
            include_str!("../../../fixtures/supply/syft.spdx"),
            "SPDX 2.3",
        ),
        (
            include_str!("../../../fixtures/supply/syft.json"),
            "Syft 16.0.18",
        ),
    ] {
        let bill = read_text(text).unwrap();
        assert_eq!(bill.form, form);
        let mut packages = shown(&bill);
        packages.retain(|line| line.starts_with("npm ") && !line.starts_with("npm shop"));
        packages.sort_unstable();
        assert_eq!(
            packages,
            [
                "npm left-pad@1.3.0 WTFPL",
                "npm lodash@4.17.15 MIT",
                "npm minimist@1.2.0 MIT"
            ],
            "{form}"
        );
        let tool = bill.tool.unwrap();
        assert!(tool.starts_with("syft"), "{tool}");
    }
    let github = include_str!("../../../fixtures/supply/syft.github.json");
    assert_eq!(
        fault(github),
        "1:1: this is a snapshot for GitHub's dependency graph"
    );
}

#[test]
fn components_are_read_however_deep() {
    let bill = read_text(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:1", "metadata": {
            "tools": [{"vendor": "v", "name": "t", "version": "2"}],
            "component": {"type": "application", "name": "shop", "bom-ref": "root"}},
        "components": [
            {"type": "library", "group": "org.acme", "name": "a", "version": "1", "purl": "pkg:maven/org.acme/a@1",
             "scope": "optional", "licenses": [{"expression": "MIT OR ISC"}],
             "components": [{"type": "library", "group": "@s", "name": "b", "version": "2",
                "components": [{"type": "file", "name": "c"}]}]},
            {"type": "framework", "name": "d", "licenses": [
                {"license": {"id": "MIT", "acknowledgement": "declared"}}, {"license": {"name": "Apache-2.0", "acknowledgement": "concluded"}}]}
        ]}"#,
    )
    .unwrap();
    assert_eq!(
        shown(&bill),
        [
            "maven org.acme:a@1 MIT OR ISC",
            "@s/b@2",
            "c",
            "d Apache-2.0"
        ]
    );
    assert_eq!(bill.root.unwrap().reference.as_deref(), Some("root"));
    assert_eq!(bill.tool.as_deref(), Some("t 2"));
    assert_eq!(bill.serial.as_deref(), Some("urn:uuid:1"));
    assert_eq!(bill.components[0].scope, Scope::Optional);
    assert!(bill.components[1].is_dependency() && !bill.components[2].is_dependency());
}

#[test]
fn a_licence_that_says_nothing_is_still_there() {
    let bill = read_text(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [{"name": "a", "licenses": [{"license": {"id": "MIT"}}, {"license": {}}]}]}"#,
    );
    assert_eq!(bill.unwrap().components[0].judged_licences(), ["MIT", ""]);
}

#[test]
fn packages_of_spdx_say_what_was_concluded() {
    let bill = read_text(
        r#"{"spdxVersion": "SPDX-2.2", "documentDescribes": ["SPDXRef-shop"], "packages": [
            {"SPDXID": "SPDXRef-shop", "name": "shop"},
            {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1", "licenseConcluded": "MIT", "licenseDeclared": "ISC"},
            {"SPDXID": "SPDXRef-b", "name": "b", "licenseConcluded": "NOASSERTION", "licenseDeclared": "ISC",
             "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": "x"}, {"referenceType": "purl", "referenceLocator": "pkg:pypi/b@3"}]},
            {"SPDXID": "SPDXRef-c", "name": "c", "licenseConcluded": "NOASSERTION"}]}"#,
    )
    .unwrap();
    assert_eq!(shown(&bill), ["a@1 MIT", "pypi b@3 ISC", "c"]);
    assert_eq!(bill.root.unwrap().package.name, "shop");
    // GitHub wraps what it exports.
    let wrapped = r#"{"sbom": {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a"}]}}"#;
    assert_eq!(shown(&read_text(wrapped).unwrap()), ["a"]);
}

#[test]
fn what_is_not_read_is_refused_with_its_place() {
    let bom = |rest: &str| format!("{{\"bomFormat\": \"CycloneDX\",\n{rest}}}");
    assert_eq!(
        fault(&bom("\"specVersion\": \"1.8\"")),
        "2:16: CycloneDX 1.8 is not known; 1.2 to 1.7 are"
    );
    assert_eq!(
        fault(&bom("\"version\": 1")),
        "1:1: it does not say which version of CycloneDX it is (`specVersion`)"
    );
    assert_eq!(
        fault(&bom("\"specVersion\": \"1.6\", \"components\": {}")),
        "2:37: `components` is no list"
    );
    assert_eq!(
        fault(&bom(
            "\"specVersion\": \"1.6\", \"components\": [{\"type\": \"library\"}]"
        )),
        "2:38: a component has no name"
    );
    assert_eq!(
        fault("{\"spdxVersion\": \"SPDX-3.0\"}"),
        "1:17: `SPDX-3.0` is not read; SPDX-2.2 and SPDX-2.3 are"
    );
    assert_eq!(
        fault("SPDXVersion: SPDX-3.0\n"),
        "1:1: `SPDX-3.0` is not read; SPDX-2.2 and SPDX-2.3 are"
    );
    assert!(
        fault(r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#)
            .contains("SPDX 3")
    );
    assert_eq!(fault("<bom/>"), "1:1: this is XML, which is not read");
    assert_eq!(fault(""), "1:1: it is empty");
    assert!(read(b"{\n\xff").unwrap_err().place == Some((2, 1)));
}

#[test]
fn a_shell_of_windows_writes_utf_16() {
    let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "ä"}]}"#;
    let little: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let big: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let marked = format!("\u{feff}{text}");
    for bytes in [&little[..], &big[..], marked.as_bytes()] {
        assert_eq!(shown(&read(bytes).unwrap()), ["ä"]);
    }
}
