//! Values of metrics, on their way out: series by their labels, points by their times.
//!
//! What does not fit the table is left out and counted: a label that the metric does not have, a number that is none, a series too many.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::attributes::cut;
use super::instruments::{INSTRUMENTS, Instrument, Kind};
use super::semconv::Key;

/// No label's value is longer, in bytes.
const LONGEST_LABEL: usize = 128;

/// No metric has more series.
const MOST_SERIES: usize = 500;

/// Labels, sorted by name.
pub(crate) type Labels = Vec<(Key, String)>;

/// Points of a series, by their times.
pub(crate) type Points = BTreeMap<Timestamp, Measure>;

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measure {
    Int(i64),
    Double(f64),
    Histogram(Buckets),
}

/// How many values lie where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buckets {
    /// Upper bounds, which belong to what is below them.
    pub(crate) bounds: &'static [f64],
    /// One number more than there are bounds.
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: f64,
}

impl Buckets {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// Adds a value; what is negative or no number is left out.
    pub(crate) fn add(&mut self, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let at = self.bounds.partition_point(|&bound| bound < value);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
            self.sum += value;
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A metric with its series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) instrument: &'static Instrument,
    pub(crate) series: BTreeMap<Labels, Points>,
}

/// Metrics as they are collected, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collector {
    metrics: BTreeMap<usize, Metric>,
    /// How many values were left out.
    pub(crate) left_out: usize,
}

impl Collector {
    /// Takes a whole number.
    pub(crate) fn count(
        &mut self,
        instrument: &'static Instrument,
        labels: &[(Key, &str)],
        at: Timestamp,
        value: u64,
    ) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.take(instrument, labels, at, Measure::Int(value));
    }

    /// Takes a number.
    pub(crate) fn number(
        &mut self,
        instrument: &'static Instrument,
        labels: &[(Key, &str)],
        at: Timestamp,
        value: f64,
    ) {
        if value.is_finite() && (value >= 0.0 || instrument.kind == Kind::Gauge) {
            self.take(instrument, labels, at, Measure::Double(value));
        } else {
            self.left_out += 1;
        }
    }

    /// Takes a histogram.
    pub(crate) fn buckets(
        &mut self,
        instrument: &'static Instrument,
        labels: &[(Key, &str)],
        at: Timestamp,
        buckets: Buckets,
    ) {
        self.take(instrument, labels, at, Measure::Histogram(buckets));
    }

    /// Returns what was taken.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.values()
    }

    fn take(
        &mut self,
        instrument: &'static Instrument,
        labels: &[(Key, &str)],
        at: Timestamp,
        measure: Measure,
    ) {
        let place = INSTRUMENTS.iter().position(|known| *known == instrument);
        let is_histogram = matches!(measure, Measure::Histogram(_));
        let known = |(key, _): &(Key, &str)| instrument.labels.contains(key);
        let (Some(place), true) = (place, labels.iter().all(known)) else {
            self.left_out += 1;
            return;
        };
        if is_histogram != (instrument.kind == Kind::Histogram) {
            self.left_out += 1;
            return;
        }
        let metric = self.metrics.entry(place).or_insert_with(|| Metric {
            instrument,
            series: BTreeMap::new(),
        });
        let labels = sorted(labels);
        if metric.series.len() >= MOST_SERIES && !metric.series.contains_key(&labels) {
            self.left_out += 1;
            return;
        }
        let points = metric.series.entry(labels).or_default();
        // Names that were cut may have become one: their counts are added up.
        match (points.get_mut(&at), &measure) {
            (Some(Measure::Int(held)), Measure::Int(more)) if instrument.kind != Kind::Gauge => {
                *held = held.saturating_add(*more);
            }
            (Some(Measure::Double(held)), Measure::Double(more))
                if instrument.kind != Kind::Gauge =>
            {
                *held += more;
            }
            _ => {
                points.insert(at, measure);
            }
        }
    }
}

/// Returns labels sorted by name, without empty ones, which Prometheus holds for none.
fn sorted(labels: &[(Key, &str)]) -> Labels {
    let mut map = BTreeMap::new();
    for &(key, value) in labels {
        if !value.is_empty() {
            map.insert(key, cut(value, LONGEST_LABEL).to_string());
        }
    }
    map.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::instruments::{
        BUDGET_USED, DURATIONS, POLICY_VIOLATIONS, RUN_DURATION, RUNS,
    };
    use super::super::semconv::{COMMAND, PIPELINE_NAME, POLICY_RULE};
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_bound_belongs_to_what_is_below_it() {
        let mut buckets = Buckets::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 3.0, f64::NAN, -1.0] {
            buckets.add(value);
        }
        assert_eq!(buckets.counts, [2, 1, 1]);
        assert_eq!(buckets.count(), 4);
    }

    #[test]
    fn what_the_table_does_not_have_is_left_out_and_counted() {
        let mut collector = Collector::default();
        collector.count(&RUNS, &[(COMMAND, "x")], AT, 1);
        collector.number(&BUDGET_USED, &[], AT, f64::INFINITY);
        collector.buckets(&RUNS, &[], AT, Buckets::new(DURATIONS));
        collector.count(&RUN_DURATION, &[], AT, 1);
        assert_eq!(collector.left_out, 4);
        assert_eq!(collector.metrics().count(), 0);
    }

    #[test]
    fn series_are_bounded() {
        let mut collector = Collector::default();
        for rule in 0..2 * MOST_SERIES {
            let rule = rule.to_string();
            collector.count(&POLICY_VIOLATIONS, &[(POLICY_RULE, &rule)], AT, 1);
        }
        assert_eq!(collector.left_out, MOST_SERIES);
    }

    #[test]
    fn names_that_are_one_when_cut_are_added_up() {
        let mut collector = Collector::default();
        for end in ["a", "b"] {
            let name = "n".repeat(LONGEST_LABEL) + end;
            collector.count(&RUNS, &[(PIPELINE_NAME, &name)], AT, 2);
        }
        let metric = collector.metrics().next().unwrap();
        let points = metric.series.values().next().unwrap();
        assert_eq!(metric.series.len(), 1);
        assert_eq!(points[&AT], Measure::Int(4));
    }
}
