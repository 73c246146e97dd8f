//! CVSS 3.0 and 3.1 (first.org/cvss/v3.1/specification-document, section 7.1 and appendix A).

use super::Metrics;

const LOSS: &[(&str, f64)] = &[("N", 0.0), ("L", 0.22), ("H", 0.56)];

pub(super) fn score(metrics: &Metrics<'_>, is_first: bool) -> Option<f64> {
    let is_changed = match metrics.value("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let vector = metrics.weight("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = metrics.weight("AC", &[("L", 0.77), ("H", 0.44)])?;
    let privileges = if is_changed {
        [("N", 0.85), ("L", 0.68), ("H", 0.5)]
    } else {
        [("N", 0.85), ("L", 0.62), ("H", 0.27)]
    };
    let privileges = metrics.weight("PR", &privileges)?;
    let interaction = metrics.weight("UI", &[("N", 0.85), ("R", 0.62)])?;
    let loss = |name| metrics.weight(name, LOSS);
    let base = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if is_changed {
        7.52 * (base - 0.029) - 3.25 * (base - 0.02).powi(15)
    } else {
        6.42 * base
    };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let exploitability = 8.22 * vector * complexity * privileges * interaction;
    let factor = if is_changed { 1.08 } else { 1.0 };
    let score = (factor * (impact + exploitability)).min(10.0);
    Some(if is_first {
        (score * 10.0).ceil() / 10.0
    } else {
        round_up(score)
    })
}

/// Rounds up to one digit, whatever the last bits of a float say.
fn round_up(score: f64) -> f64 {
    let whole = (score * 100_000.0).round();
    if whole % 10_000.0 == 0.0 {
        whole / 100_000.0
    } else {
        ((whole / 10_000.0).floor() + 1.0) / 10.0
    }
}
