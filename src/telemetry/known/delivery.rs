//! Deliveries: attempts of runs, changes, deployments, and the metrics of `maestro dora`.

use crate::delivery::metrics::{Metric, Value};
use crate::delivery::rows::{Author, Deployment, Pull, Run as Row};
use crate::telemetry::gather::{Change, Figure, Happened, Marks};
use crate::telemetry::instruments::{self as of, Instrument};
use crate::telemetry::semconv::{self as key, Outcome};
use crate::telemetry::spans::Run;

/// Returns an attempt of a run, whose jobs nobody asked for.
pub(crate) fn run(row: &Row) -> Run {
    let started = row.started.unwrap_or(row.created);
    Run {
        id: row.id,
        attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX).max(1),
        workflow: row.workflow.clone(),
        url: row.url.clone(),
        branch: row.branch.clone(),
        commit: row.sha.clone(),
        change: None,
        started,
        ended: (!row.conclusion.is_empty()).then_some(row.updated),
        result: Outcome::of_conclusion(&row.conclusion),
        jobs: Vec::new(),
    }
}

/// Returns a change.
pub(crate) fn change(pull: &Pull) -> Change {
    let merged = pull.merged.map(|at| (at, "merged"));
    Change {
        opened: pull.created,
        ended: merged.or_else(|| pull.closed.map(|at| (at, "closed"))),
        is_agents: pull.author_kind == Author::Agent,
    }
}

/// Returns a deployment that ended.
pub(crate) fn deployment(row: &Deployment) -> Option<Happened> {
    let (at, status) = match (row.first_success, row.failed_at) {
        (Some(at), _) => (at, "succeeded"),
        (None, Some(at)) => (at, "failed"),
        (None, None) => return None,
    };
    Some(Happened {
        of: &of::DEPLOYMENTS,
        labels: vec![
            (key::ENVIRONMENT_NAME, row.environment.clone()),
            (key::DEPLOYMENT_STATUS, status.into()),
        ],
        at,
        seconds: None,
    })
}

/// Returns the five metrics, as far as there are enough values for them.
pub(crate) fn figures(metrics: &[Metric]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for metric in metrics {
        let instrument: &Instrument = match metric.id {
            "lead-time-deploy" => &of::LEAD_TIME,
            "deployment-frequency" => &of::DEPLOYMENT_FREQUENCY,
            "recovery" => &of::RECOVERY_TIME,
            "change-fail-rate" => &of::CHANGE_FAIL,
            "rework-rate" => &of::REWORK,
            _ => continue,
        };
        let mut tell = |labels: Marks, value: Option<f64>| {
            figures.extend(value.map(|value| Figure {
                of: instrument,
                labels,
                value,
            }));
        };
        match &metric.value {
            Value::Spread(spread) => {
                for (word, estimate) in [("p50", spread.median), ("p90", spread.p90)] {
                    let labels = vec![(key::QUANTILE, word.to_owned())];
                    tell(labels, estimate.map(|estimate| estimate.value));
                }
            }
            Value::Share(share) => tell(Vec::new(), share.rate),
            Value::Rhythm(rhythm) if metric.rows > 0 => tell(Vec::new(), Some(rhythm.per_day)),
            Value::Rhythm(_) | Value::Undefined => {}
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::delivery::quantiles::{Share, spread};

    fn metric(id: &'static str, value: Value) -> Metric {
        Metric {
            id,
            name: "",
            value,
            business: None,
            evidence: Vec::new(),
            left_out: Vec::new(),
            rows: 0,
            counted: 0,
        }
    }

    #[test]
    fn metrics_are_told_as_they_are_and_not_where_there_are_too_few_values() {
        let share = Share {
            rate: Some(0.25),
            ..Share::default()
        };
        let told = figures(&[
            metric("lead-time-merge", Value::Spread(spread(vec![1.0; 9], 5))),
            metric("lead-time-deploy", Value::Spread(spread(vec![60.0; 9], 5))),
            metric("recovery", Value::Spread(spread(vec![1.0], 5))),
            metric("change-fail-rate", Value::Share(share)),
            metric("rework-rate", Value::Share(Share::default())),
        ]);
        let told: Vec<(&str, f64)> = told.iter().map(|one| (one.of.name, one.value)).collect();
        assert_eq!(
            told,
            [
                ("maestro.dora.lead_time", 60.0),
                ("maestro.dora.lead_time", 60.0),
                ("maestro.dora.change_fail", 0.25),
            ]
        );
    }

    #[test]
    fn a_run_that_has_no_conclusion_goes_on() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut row = Row {
            id: 1,
            attempt: 2,
            created: at(1),
            started: Some(at(5)),
            updated: at(9),
            ..Row::default()
        };
        assert_eq!(run(&row).ended, None);
        row.conclusion = "success".into();
        let run = run(&row);
        assert_eq!(
            (run.started, run.ended, run.attempt),
            (at(5), Some(at(9)), 2)
        );
        assert_eq!(run.result, Some(Outcome::Success));
    }

    #[test]
    fn a_deployment_that_failed_after_it_succeeded_had_succeeded() {
        let at = |second| Timestamp::from_second(second).ok();
        let mut row = Deployment {
            environment: "production".into(),
            failed_at: at(9),
            ..Deployment::default()
        };
        let status = |row: &Deployment| deployment(row).map(|one| one.labels[1].1.clone());
        assert_eq!(status(&row).as_deref(), Some("failed"));
        row.first_success = at(5);
        assert_eq!(status(&row).as_deref(), Some("succeeded"));
        assert_eq!(status(&Deployment::default()), None);
    }
}
