//! What Prometheus is told, to the byte.

use super::*;
use crate::telemetry::instruments::{
    CHANGE_COUNT, INSTRUMENTS, LLM_SPENT, QUEUE_DURATION, RUN_SUCCESS, RUNS,
};
use crate::telemetry::metrics::{Buckets, Collector};
use crate::telemetry::semconv::{LLM_MODEL, PIPELINE_NAME, PIPELINE_RESULT, REPOSITORY_NAME};

fn collector() -> Collector {
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut collector = Collector::default();
    let labels = [(PIPELINE_RESULT, "success"), (PIPELINE_NAME, "a \"b\\\nc")];
    collector.count(&RUNS, &labels, at(20), 4);
    collector.count(&RUNS, &labels, at(10), 3);
    collector.number(&LLM_SPENT, &[(LLM_MODEL, "m")], at(20), 0.25);
    let mut buckets = Buckets::new(&[1.0, 2.5]);
    buckets.add(2.0);
    buckets.add(9.0);
    collector.buckets(&QUEUE_DURATION, &[], at(20), buckets);
    collector.count(&CHANGE_COUNT, &[], at(20), 1);
    collector
}

#[test]
fn the_text_format_has_the_newest_values_and_no_times() {
    let common = vec![(REPOSITORY_NAME, "r".to_string())];
    let text = write(collector().metrics(), &common, Form::Text);
    assert_eq!(
        text,
        r#"# HELP maestro_ci_runs_total Pipeline runs that ended, by result.
# TYPE maestro_ci_runs_total counter
maestro_ci_runs_total{cicd_pipeline_name="a \"b\\\nc",cicd_pipeline_result="success",vcs_repository_name="r"} 4
# HELP maestro_ci_job_queue_duration_seconds Time that jobs waited for a runner.
# TYPE maestro_ci_job_queue_duration_seconds histogram
maestro_ci_job_queue_duration_seconds_bucket{vcs_repository_name="r",le="1.0"} 0
maestro_ci_job_queue_duration_seconds_bucket{vcs_repository_name="r",le="2.5"} 1
maestro_ci_job_queue_duration_seconds_bucket{vcs_repository_name="r",le="+Inf"} 2
maestro_ci_job_queue_duration_seconds_sum{vcs_repository_name="r"} 11
maestro_ci_job_queue_duration_seconds_count{vcs_repository_name="r"} 2
# HELP maestro_llm_cost_USD_total What calls of models cost.
# TYPE maestro_llm_cost_USD_total counter
maestro_llm_cost_USD_total{maestro_llm_model="m",vcs_repository_name="r"} 0.25
"#
    );
}

#[test]
fn history_has_all_values_with_their_times_and_an_end() {
    let text = write(collector().metrics(), &Labels::new(), Form::History);
    for line in [
        "# TYPE maestro_ci_runs counter",
        "maestro_ci_runs_total{cicd_pipeline_name=\"a \\\"b\\\\\\nc\",cicd_pipeline_result=\"success\"} 3 10.000",
        "# UNIT maestro_ci_job_queue_duration_seconds seconds",
        "# UNIT maestro_llm_cost_USD USD",
    ] {
        assert!(text.lines().any(|held| held == line), "{line}\n{text}");
    }
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn a_series_without_labels_has_no_braces() {
    let mut collector = Collector::default();
    collector.number(&RUN_SUCCESS, &[], Timestamp::UNIX_EPOCH, 0.5);
    let text = write(collector.metrics(), &Labels::new(), Form::OpenMetrics);
    assert!(
        text.contains("\nmaestro_ci_run_success_ratio 0.5\n"),
        "{text}"
    );
}

#[test]
fn foreign_words_end_no_line() {
    let hostile = "x\r\u{85}\u{2028}\n# EOF\n\"} 9\n";
    let mut collector = Collector::default();
    let labels = [(PIPELINE_NAME, hostile)];
    collector.count(&RUNS, &labels, Timestamp::UNIX_EPOCH, 1);
    let text = write(collector.metrics(), &Labels::new(), Form::OpenMetrics);
    assert_eq!(text.lines().count(), 4);
    assert!(!text.contains(['\r', '\u{85}', '\u{2028}']));
}

#[test]
fn units_of_all_metrics_end_their_names() {
    for instrument in INSTRUMENTS {
        let unit = instrument.prometheus_unit();
        let family = instrument.family();
        let ends = unit.is_empty() || family.ends_with(&format!("_{unit}"));
        assert!(ends, "{family} {unit}");
    }
}

#[test]
fn a_push_goes_to_a_path_that_any_value_fits_in() {
    let grouping = vec![
        (REPOSITORY_NAME, "a/b?".to_string()),
        (PIPELINE_NAME, String::new()),
    ];
    assert_eq!(
        pushgateway_path("maestro", &grouping),
        "/metrics/job@base64/bWFlc3Rybw==/vcs_repository_name@base64/YS9iPw==/cicd_pipeline_name@base64/="
    );
}
