//! What a router would have saved on questions that both models have answered.
//!
//! Measures: `RouteLLM` (Ong et al., arXiv:2406.18665, section 3.2). The performance gap recovered, PGR, is what a router gains over the weak model, as a share of what
//! the strong one does; APGR is its mean over all shares of calls to the strong model; CPT(x) is the least share of calls that recovers x. There the
//! mean is taken at ten shares, here over the whole curve. Of questions with one score any may come first, so that between two scores the curve is a line.

/// Share of calls to the strong model, and of the gap recovered, beginning with none of both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve(Vec<(f64, f64)>);

/// What a router is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Worth {
    pub(crate) apgr: f64,
    pub(crate) cpt50: f64,
    pub(crate) cpt80: f64,
}

impl Curve {
    /// Returns the curve of a router: its scores of the questions, and what the strong model gains at each. The gains must not sum to zero.
    pub(crate) fn of(scores: &[f64], gains: &[f64]) -> Self {
        let mut rows: Vec<(f64, f64)> = scores.iter().copied().zip(gains.iter().copied()).collect();
        crate::order::sort_by(&mut rows, |a, b| b.0.total_cmp(&a.0));
        let all = size(rows.len());
        let gap: f64 = gains.iter().sum();
        let mut points = vec![(0.0, 0.0)];
        let (mut calls, mut gained) = (0, 0.0);
        for group in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            calls += group.len();
            gained += group.iter().map(|row| row.1).sum::<f64>();
            points.push((size(calls) / all, gained / gap));
        }
        Self(points)
    }

    /// Returns the least share of calls to the strong model that recovers a share of the gap.
    pub(crate) fn calls(&self, gap: f64) -> f64 {
        let mut from = (0.0, 0.0);
        for point in &self.0 {
            // Sums of many fractions are a hair off.
            if point.1 >= gap - 1e-9 {
                let rise = point.1 - from.1;
                let part = if rise > 0.0 {
                    ((gap - from.1) / rise).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                return from.0 + (point.0 - from.0) * part;
            }
            from = *point;
        }
        1.0
    }

    pub(crate) fn worth(&self) -> Worth {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let area = pairs.map(|(a, b)| (b.0 - a.0) * f64::midpoint(a.1, b.1));
        Worth {
            apgr: area.sum(),
            cpt50: self.calls(0.5),
            cpt80: self.calls(0.8),
        }
    }
}

/// Returns the share of cost that routing saves against the strong model alone.
pub(crate) fn saving(calls: f64, weak: f64, strong: f64) -> f64 {
    if strong <= 0.0 {
        return 0.0;
    }
    1.0 - (calls * strong + (1.0 - calls) * weak) / strong
}

/// Returns a number of things as a number.
pub(crate) fn size(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 questions")]
    let size = count as f64;
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(scores: &[f64], gains: &[f64]) -> Worth {
        Curve::of(scores, gains).worth()
    }

    #[test]
    fn a_router_without_an_opinion_is_the_diagonal() {
        let worth = worth(&[1.0; 4], &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!((worth.apgr, worth.cpt50, worth.cpt80), (0.5, 0.5, 0.8));
    }

    #[test]
    fn the_best_order_recovers_the_gap_first() {
        let gains = [1.0, 0.0, 1.0, 0.0, 0.0];
        let best = Curve::of(&[5.0, 1.0, 4.0, 2.0, 3.0], &gains);
        assert_eq!((best.calls(0.5), best.calls(1.0)), (0.2, 0.4));
        // The rise takes two fifths, and half of it counts.
        assert!((best.worth().apgr - 0.8).abs() < 1e-12);
        let worst = worth(&[1.0, 5.0, 1.0, 4.0, 3.0], &gains);
        assert!((worst.apgr - 0.2).abs() < 1e-12 && (worst.cpt50 - 0.8).abs() < 1e-12);
    }

    #[test]
    fn questions_that_the_strong_model_loses_count_against_it() {
        // Three won, one lost: with the three alone more than the gap is recovered.
        let curve = Curve::of(&[4.0, 3.0, 2.0, 1.0], &[1.0, 1.0, 1.0, -1.0]);
        assert!((curve.calls(1.0) - 0.5).abs() < 1e-12);
        assert!(curve.worth().apgr > 0.5);
    }

    #[test]
    fn what_is_saved_is_measured_against_the_strong_model_alone() {
        assert!((saving(0.25, 1.0, 5.0) - 0.6).abs() < 1e-12);
        assert_eq!((saving(1.0, 1.0, 5.0), saving(0.5, 0.0, 0.0)), (0.0, 0.0));
    }
}
