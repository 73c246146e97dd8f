//! What was told at the last export, so that the next one tells what was added since, and each run and event once.
//!
//! Values are compared, and not times: events of other machines arrive late, and are added all the same. What is less than before (old events were rolled
//! up) adds nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::instruments::Kind;
use super::metrics::{Buckets, Collector, Labels, Measure, Metric, Points};

use crate::json;

/// What ended longer ago is told to nobody: receivers take no old spans.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A value as it was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Held {
    Int(i64),
    Double(f64),
    Buckets { counts: Vec<u64>, sum: f64 },
}

/// What was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// When.
    pub(crate) at: Option<Timestamp>,
    #[serde(default)]
    series: BTreeMap<String, Held>,
    /// Runs and events, and when they ended.
    #[serde(default)]
    once: BTreeMap<String, Timestamp>,
}

impl Told {
    /// Reads what was told; what cannot be read was not told.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        json::read(bytes).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        json::text(self).unwrap_or_default()
    }

    /// Whether something that ended is to be told: it is not old, and was not told before.
    pub(crate) fn is_news(&self, key: &str, ended: Timestamp, now: Timestamp) -> bool {
        now.duration_since(ended) <= OLDEST && !self.once.contains_key(key)
    }

    /// Notes that something was told, and forgets what is too old to be told again.
    pub(crate) fn note(&mut self, keys: Vec<(String, Timestamp)>, now: Timestamp) {
        self.once.extend(keys);
        self.once
            .retain(|_, ended| now.duration_since(*ended) <= OLDEST);
    }

    /// Returns what was added: sums that only grow and histograms as far as they grew, all else as it is.
    pub(crate) fn added(&self, collector: &Collector) -> Vec<Metric> {
        let grown = collector.metrics().map(|metric| {
            let mut metric = metric.clone();
            if matches!(metric.instrument.kind, Kind::Counter | Kind::Histogram) {
                let name = metric.instrument.name;
                metric.series.retain(|labels, points| {
                    let held = self.series.get(&key(name, labels));
                    points.retain(|_, measure| subtract(measure, held));
                    !points.is_empty()
                });
            }
            metric
        });
        grown.filter(|metric| !metric.series.is_empty()).collect()
    }

    /// Notes what was told of sums and histograms.
    pub(crate) fn remember(&mut self, collector: &Collector, at: Timestamp) {
        self.at = Some(at);
        self.series.clear();
        for metric in collector.metrics() {
            if matches!(metric.instrument.kind, Kind::Counter | Kind::Histogram) {
                for (labels, points) in &metric.series {
                    if let Some(measure) = newest(points) {
                        let held = match measure {
                            Measure::Int(value) => Held::Int(*value),
                            Measure::Double(value) => Held::Double(*value),
                            Measure::Histogram(buckets) => Held::Buckets {
                                counts: buckets.counts.clone(),
                                sum: buckets.sum,
                            },
                        };
                        self.series
                            .insert(key(metric.instrument.name, labels), held);
                    }
                }
            }
        }
    }
}

fn newest(points: &Points) -> Option<&Measure> {
    points.last_key_value().map(|(_, measure)| measure)
}

fn key(name: &str, labels: &Labels) -> String {
    let mut text = name.to_owned();
    for (key, value) in labels {
        text.push_str(&format!("\u{1}{}={value}", key.name()));
    }
    text
}

/// Takes away what was told before; tells whether anything is left.
fn subtract(measure: &mut Measure, held: Option<&Held>) -> bool {
    match (measure, held) {
        (Measure::Int(value), Some(Held::Int(before))) => {
            *value = value.saturating_sub(*before);
            *value > 0
        }
        (Measure::Double(value), Some(Held::Double(before))) => {
            *value -= before;
            *value > 0.0
        }
        // A number without a fraction reads back as a whole one.
        (Measure::Double(value), Some(Held::Int(before))) => {
            #[expect(clippy::cast_precision_loss, reason = "it was such a number before")]
            let before = *before as f64;
            *value -= before;
            *value > 0.0
        }
        (Measure::Histogram(buckets), Some(Held::Buckets { counts, sum })) => {
            less(buckets, counts, *sum)
        }
        (Measure::Int(value), _) => *value > 0,
        (Measure::Double(value), _) => *value > 0.0,
        (Measure::Histogram(buckets), _) => buckets.count() > 0,
    }
}

fn less(buckets: &mut Buckets, counts: &[u64], sum: f64) -> bool {
    if counts.len() != buckets.counts.len() {
        return buckets.count() > 0;
    }
    for (count, before) in buckets.counts.iter_mut().zip(counts) {
        *count = count.saturating_sub(*before);
    }
    buckets.sum = (buckets.sum - sum).max(0.0);
    buckets.count() > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::instruments::{DURATIONS, LLM_SPENT, QUEUE_DURATION, RUN_SUCCESS, RUNS};
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn collector(count: u64, usd: f64, waits: &[f64]) -> Collector {
        let mut collector = Collector::default();
        collector.count(&RUNS, &[], AT, count);
        collector.number(&LLM_SPENT, &[], AT, usd);
        collector.number(&RUN_SUCCESS, &[], AT, 0.5);
        let mut buckets = Buckets::new(DURATIONS);
        for wait in waits {
            buckets.add(*wait);
        }
        collector.buckets(&QUEUE_DURATION, &[], AT, buckets);
        collector
    }

    fn value(metrics: &[Metric], name: &str) -> Option<Measure> {
        let metric = metrics
            .iter()
            .find(|metric| metric.instrument.name == name)?;
        metric.series.values().next()?.get(&AT).cloned()
    }

    #[test]
    fn only_what_was_added_is_told_again() {
        let before = collector(3, 2.0, &[1.0, 7.0]);
        let mut told = Told::default();
        assert_eq!(told.added(&before).len(), 4);
        told.remember(&before, AT);
        let told = Told::read(told.text().as_bytes());
        let added = told.added(&before);
        let names: Vec<&str> = added.iter().map(|metric| metric.instrument.name).collect();
        assert_eq!(names, ["maestro.ci.run.success"]);
        let added = told.added(&collector(5, 2.5, &[1.0, 7.0, 9.0]));
        assert_eq!(value(&added, "maestro.ci.runs"), Some(Measure::Int(2)));
        assert_eq!(
            value(&added, "maestro.llm.cost"),
            Some(Measure::Double(0.5))
        );
        let Some(Measure::Histogram(waits)) = value(&added, "maestro.ci.job.queue.duration") else {
            unreachable!("{added:?}");
        };
        assert_eq!((waits.count(), waits.sum), (1, 9.0));
    }

    #[test]
    fn what_is_less_than_before_adds_nothing() {
        let mut told = Told::default();
        told.remember(&collector(5, 2.0, &[1.0]), AT);
        assert_eq!(told.added(&collector(3, 1.0, &[])).len(), 1);
    }

    #[test]
    fn a_run_is_told_once_and_never_when_it_is_old() {
        let now = AT + OLDEST;
        let mut told = Told::default();
        assert!(told.is_news("run/1", AT, now));
        assert!(!told.is_news("run/1", AT, now + SignedDuration::from_secs(1)));
        told.note(vec![("run/1".into(), AT)], now);
        assert!(!told.is_news("run/1", AT, now));
        told.note(Vec::new(), now + SignedDuration::from_secs(1));
        assert_eq!(told.once.len(), 0);
    }

    #[test]
    fn what_is_damaged_was_not_told() {
        for text in ["", "{}", "[1]", r#"{"at":3}"#] {
            assert_eq!(Told::read(text.as_bytes()), Told::default());
        }
    }

    proptest! {
        /// However a sum grows in steps, what was told of it adds up to it.
        #[test]
        fn what_is_told_adds_up(steps in proptest::collection::vec(0_u64..1000, 1..20)) {
            let mut told = Told::default();
            let (mut all, mut sum) = (0, 0);
            for step in steps {
                all += step;
                let now = collector(all, 0.0, &[]);
                if let Some(Measure::Int(added)) = value(&told.added(&now), "maestro.ci.runs") {
                    sum += added;
                }
                told.remember(&now, AT);
                told = Told::read(told.text().as_bytes());
            }
            prop_assert_eq!(u64::try_from(sum).unwrap(), all);
        }
    }
}
