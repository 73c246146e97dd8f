//! CVSS 2 (first.org/cvss/v2/guide, section 3.2.1).

use super::Metrics;

const IMPACT: &[(&str, f64)] = &[("N", 0.0), ("P", 0.275), ("C", 0.66)];

pub(super) fn score(metrics: &Metrics<'_>) -> Option<f64> {
    let vector = metrics.weight("AV", &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let complexity = metrics.weight("AC", &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let authentication = metrics.weight("Au", &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let loss = |name| metrics.weight(name, IMPACT);
    let spared = (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = 10.41 * (1.0 - spared);
    if impact == 0.0 {
        return Some(0.0);
    }
    let exploitability = 20.0 * vector * complexity * authentication;
    let score = (0.6 * impact + 0.4 * exploitability - 1.5) * 1.176;
    Some((score * 10.0).round() / 10.0)
}
