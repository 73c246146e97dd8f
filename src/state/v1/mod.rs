//! Wire types, version 1: the envelope and the payloads of the kinds that are frozen.
//!
//! Never change the meaning of a field; add a version. A reader ignores fields that it does not know, and a rewrite keeps
//! each line's bytes, so that a newer writer's fields survive.

use crate::flakes::history::HistoryBuilder;
pub(crate) use crate::flakes::timing::Timed;

mod agent_run;
mod cursor;
mod decision;
mod delivery_row;
mod encode;
mod envelope;
mod issue_link;
mod judge;
mod kpi;
mod late;
mod notification;
mod overrides;
mod plan;
mod policy_verdict;
mod provenance_index;
mod retention;
mod spend;
mod test_list;
mod test_rollup;
mod test_run;
mod test_timing;

pub(crate) use agent_run::{decode_agent_run, encode_agent_run};
pub(crate) use cursor::{Cursor, decode_cursor, encode_cursor};
pub(crate) use decision::{decode_decision, encode_decision};
pub(crate) use delivery_row::{decode_delivery_row, encode_delivery_row};
pub(crate) use encode::{Filing, encode_neutral, encode_run};
pub(crate) use envelope::{LineProblem, StoredEvent, head, parse, write_line};
pub(crate) use issue_link::{decode_issue_link, encode_issue_link};
pub(crate) use judge::{ListShape, MOST_RESULTS, RunDemand, judge_list, judge_run, shape_of};
pub(crate) use kpi::encode_kpi;
pub(crate) use late::late_line;
pub(crate) use notification::{NotificationRecord, decode_notification, encode_notification};
pub(crate) use overrides::{OverrideRecord, decode_override, encode_override};
pub(crate) use plan::{PlanRecord, decode_plan, encode_plan};
pub(crate) use policy_verdict::{
    PolicyVerdictRecord, decode_policy_verdict, encode_policy_verdict,
};
pub(crate) use provenance_index::{decode_provenance_index, encode_provenance_index};
pub(crate) use retention::{RETENTION, Retention, RetentionProblem};
pub(crate) use spend::{decode_lease, decode_spend, encode_lease, encode_spend};
pub(crate) use test_list::{KnownLists, base_of, decode_list};
pub(crate) use test_rollup::{decode_rollup, encode_rollup};
#[cfg(any(test, feature = "bench"))]
pub(crate) use test_run::decode_run;
pub(crate) use test_run::{RunHead, has_failed, head_of_run};
pub(crate) use test_timing::{decode_timing, judge_timing};

/// The kind that says that a person let something pass.
pub(crate) const OVERRIDE: &str = "override";

pub(crate) const AGENT_RUN: &str = "agent_run";
pub(crate) const TEST_LIST: &str = "test_list";
pub(crate) const TEST_ROLLUP: &str = "test_rollup";
pub(crate) const TEST_RUN: &str = "test_run";
pub(crate) const TEST_TIMING: &str = "test_timing";
pub(crate) const CURSOR: &str = "cursor";
pub(crate) const DECISION: &str = "decision";
pub(crate) const DELIVERY_ROW: &str = "delivery_row";
pub(crate) const ISSUE_LINK: &str = "issue_link";
pub(crate) const KPI: &str = "kpi";
pub(crate) const NOTIFICATION: &str = "notification";
pub(crate) const PLAN: &str = "plan";
pub(crate) const PROVENANCE_INDEX: &str = "provenance_index";
pub(crate) const POLICY_VERDICT: &str = "policy_verdict";
pub(crate) const LEASE: &str = "lease";
pub(crate) const SPEND: &str = "spend";

/// Whether events of a kind tell how tests went.
pub(crate) fn is_about_tests(kind: &str) -> bool {
    [TEST_LIST, TEST_ROLLUP, TEST_RUN].contains(&kind)
}

/// Adds an event about tests to a history; others are passed over.
pub(crate) fn decode(
    event: &StoredEvent<'_>,
    history: &mut HistoryBuilder,
) -> Result<(), LineProblem> {
    match event.kind.as_ref() {
        TEST_LIST => decode_list(event, history),
        TEST_ROLLUP => decode_rollup(event, history),
        TEST_RUN => {
            let (run, messages) = test_run::decode(event, history.sequences())?;
            if let Some(hearing) = history.hears() {
                hearing.hear(run.id, messages);
            }
            history.run(run);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Checks that a payload can be read; one of a kind that is not known here always can.
pub(crate) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    match event.kind.as_ref() {
        TEST_LIST => test_list::check(event),
        TEST_ROLLUP => test_rollup::check(event),
        TEST_RUN => test_run::check(event),
        TEST_TIMING => test_timing::check(event),
        late::LATE => late::check(event),
        AGENT_RUN => agent_run::check(event),
        CURSOR => cursor::check(event),
        DECISION => decision::check(event),
        DELIVERY_ROW => delivery_row::check(event),
        ISSUE_LINK => issue_link::check(event),
        KPI => kpi::check(event),
        NOTIFICATION => notification::check(event),
        OVERRIDE => overrides::check(event),
        PLAN => plan::check(event),
        PROVENANCE_INDEX => provenance_index::check(event),
        POLICY_VERDICT => policy_verdict::check(event),
        LEASE => spend::check_lease(event),
        SPEND => spend::check_spend(event),
        _ => Ok(()),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function value"
)]
fn bad_payload(error: serde_json::Error) -> LineProblem {
    LineProblem::BadPayload(error.to_string())
}
