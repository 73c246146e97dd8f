//! CVSS 4.0 (first.org/cvss/v4.0/specification-document, section 8): how far a vector is from the worst of its class, between the
//! scores of its class and of the next ones.
//!
//! Of threats and surroundings nothing is known, so the fifth class is always the worst and the fourth never.

use super::Metrics;

/// Scores of classes in tenths, by the six digits of a class (the specification's lookup table); 0 where there is none.
#[rustfmt::skip]
const SCORES: [u8; 324] = [
    100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68, 98, 95, 95, 92, 90, 84, 93, 92, 89, 81, 81, 65, 88, 80, 78, 70, 69, 48, 0, 92, 0, 82, 0, 72, 0, 79, 0, 69, 0, 50, 0, 69, 0, 55, 0, 27,
    99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53, 95, 93, 92, 85, 85, 73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30, 0, 86, 0, 75, 0, 52, 0, 71, 0, 52, 0, 29, 0, 63, 0, 29, 0, 17,
    98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49, 94, 89, 88, 77, 76, 67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25, 0, 83, 0, 70, 0, 54, 0, 65, 0, 58, 0, 26, 0, 53, 0, 21, 0, 13,
    95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30, 89, 78, 76, 67, 62, 58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16, 0, 71, 0, 59, 0, 30, 0, 58, 0, 26, 0, 15, 0, 23, 0, 13, 0, 6,
    93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22, 85, 75, 74, 55, 62, 51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8, 0, 64, 0, 51, 0, 20, 0, 47, 0, 21, 0, 11, 0, 24, 0, 9, 0, 4,
    88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11, 75, 55, 58, 45, 40, 21, 61, 51, 48, 18, 20, 9, 46, 18, 17, 7, 8, 2, 0, 53, 0, 24, 0, 14, 0, 24, 0, 12, 0, 5, 0, 10, 0, 3, 0, 1,
];

/// How bad a value is, in steps from the worst.
fn step(metrics: &Metrics<'_>, name: &str, values: &[&str]) -> Option<u32> {
    let value = metrics.value(name)?;
    let at = values.iter().position(|known| *known == value)?;
    u32::try_from(at).ok()
}

fn class_score(class: [usize; 6]) -> Option<f64> {
    const SIZES: [usize; 6] = [3, 2, 3, 3, 3, 2];
    let mut at = 0;
    for (digit, size) in class.into_iter().zip(SIZES) {
        if digit >= size {
            return None;
        }
        at = at * size + digit;
    }
    let score = *SCORES.get(at)?;
    (score > 0).then(|| f64::from(score) / 10.0)
}

/// Returns how far values are from the nearest of the worst ones of their class that is nowhere better than they are.
fn distance(steps: &[u32], worst: &[&[u32]]) -> u32 {
    let nearest = worst
        .iter()
        .find(|worst| steps.iter().zip(**worst).all(|(step, worst)| step >= worst));
    let nearest = nearest.copied().unwrap_or_default();
    steps
        .iter()
        .zip(nearest)
        .map(|(step, worst)| step - worst)
        .sum()
}

pub(super) fn score(metrics: &Metrics<'_>) -> Option<f64> {
    let levels = ["H", "L", "N"];
    let get = |name, values: &[&str]| step(metrics, name, values);
    let reach = [
        get("AV", &["N", "A", "L", "P"])?,
        get("PR", &["N", "L", "H"])?,
        get("UI", &["N", "P", "A"])?,
    ];
    let hardness = [get("AC", &["L", "H"])?, get("AT", &["N", "P"])?];
    let own = [
        get("VC", &levels)?,
        get("VI", &levels)?,
        get("VA", &levels)?,
    ];
    let others = [
        get("SC", &levels)?,
        get("SI", &levels)?,
        get("SA", &levels)?,
    ];
    if own == [2; 3] && others == [2; 3] {
        return Some(0.0);
    }
    // The classes, tables 24 to 29 of the specification, and the worst values of each.
    let (first, first_worst, first_depth): (usize, &[&[u32]], u32) = if reach == [0; 3] {
        (0, &[&[0, 0, 0]], 1)
    } else if reach.contains(&0) && reach[0] != 3 {
        (1, &[&[1, 0, 0], &[0, 1, 0], &[0, 0, 1]], 4)
    } else {
        (2, &[&[3, 0, 0], &[1, 1, 1]], 5)
    };
    let (second, second_worst, second_depth): (usize, &[&[u32]], u32) = if hardness == [0; 2] {
        (0, &[&[0, 0]], 1)
    } else {
        (1, &[&[1, 0], &[0, 1]], 2)
    };
    let (third, sixth, third_worst, third_depth): (usize, usize, &[&[u32]], u32) =
        if own[0] == 0 && own[1] == 0 {
            (0, 0, &[&[0, 0, 0]], 7)
        } else if own.contains(&0) {
            (1, 0, &[&[1, 0, 0], &[0, 1, 0]], 8)
        } else {
            (2, 1, &[&[1, 1, 1]], 10)
        };
    let (fourth, fourth_worst, fourth_depth): (usize, &[&[u32]], u32) = if others.contains(&0) {
        (1, &[&[0, 0, 0]], 5)
    } else {
        (2, &[&[1, 1, 1]], 4)
    };
    let class = [first, second, third, fourth, 0, sixth];
    let value = class_score(class)?;
    let below = |digit: usize| {
        let mut next = class;
        next[digit] += 1;
        class_score(next)
    };
    // Of the third and the sixth the less bad step is the nearer one.
    let below_third = match (third, sixth) {
        (0, 0) => below(2).into_iter().chain(below(5)).reduce(f64::max),
        (1, 0) => below(5),
        _ => None,
    };
    let steps = [
        (below(0), distance(&reach, first_worst), first_depth),
        (below(1), distance(&hardness, second_worst), second_depth),
        (below_third, distance(&own, third_worst), third_depth),
        (below(3), distance(&others, fourth_worst), fourth_depth),
        (below(4), 0, 1),
    ];
    let mut sum = 0.0;
    let mut count = 0.0;
    for (below, distance, depth) in steps {
        let Some(below) = below else { continue };
        sum += (value - below) * f64::from(distance) / f64::from(depth);
        count += 1.0;
    }
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    // A hundred-thousandth more, so that halves are rounded up whatever the last bits say.
    Some((((value - mean).clamp(0.0, 10.0) + 1e-6) * 10.0).round() / 10.0)
}
