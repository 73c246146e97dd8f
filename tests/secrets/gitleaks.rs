//! gitleaks' own lines hold the detector to account.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    reason = "a corpus by others is found by a variable, and its score told"
)]

use super::Detector;

/// gitleaks' own lines: true ones and false ones of its rules. Seven of the true ones are `Content-Type: application/json` and the like, which
/// stand beside a secret there; two of the false ones stand among the true ones as well.
#[test]
fn lines_of_gitleaks() {
    use base64::Engine as _;
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return;
    };
    let path = std::path::Path::new(&corpus).join("secrets/lines.json.b64");
    let text = std::fs::read_to_string(path).unwrap();
    let text: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    let lines: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let detector = Detector::new();
    let count = |kind: &str| {
        let rows = lines[kind].as_array().unwrap();
        let found = rows.iter().filter(|row| {
            let text = row[1].as_str().unwrap();
            let is_found = text
                .lines()
                .any(|line| !detector.line(line.as_bytes()).is_empty());
            if is_found != (kind == "tp") {
                eprintln!("{kind}: {text:.120}");
            }
            is_found
        });
        (found.count(), rows.len())
    };
    let ((found, all), (alarms, _)) = (count("tp"), count("fp"));
    let score = 2.0 * found as f64 / (found + alarms + all) as f64;
    eprintln!("{found} of {all} found, {alarms} false alarms, F1 {score:.3}");
    assert!(
        score >= 0.9,
        "{found} of {all} found, {alarms} false alarms, F1 {score:.3}"
    );
}
