//! What must hold of any facts.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Own, agent, agent_run, closed, example, hour, pull, run, test_run, with};
use crate::delivery::kpi::facts::{AgentRun, Call, TestRun};
use crate::delivery::kpi::words::value;
use crate::delivery::kpi::{Finding, INDICATORS, Measured, Target, Unit, Verdict, judge};
use crate::money::Usd;

fn some_pull() -> impl Strategy<Value = Json> {
    (1_u64..60, 0_i64..400, any::<bool>(), any::<bool>()).prop_map(
        |(number, at, is_merged, is_agents)| {
            let row = if is_merged {
                pull(number, 0, 0, at, "c")
            } else {
                closed(number, at)
            };
            if is_agents { with(row, &agent()) } else { row }
        },
    )
}

fn some_facts() -> impl Strategy<Value = Own> {
    let outcome = prop::sample::select(vec!["complete", "partial", "failed", "stopped"]);
    let agents = (1_u64..20, 0_i64..400, outcome, any::<bool>(), 0_u8..6).prop_map(
        |(run, at, outcome, has_ended, odd)| AgentRun {
            has_ended,
            is_recorded: odd == 0,
            ..agent_run(run, at, outcome)
        },
    );
    let tests = (1_u64..80, 0_i64..400, 0_u8..5).prop_map(|(id, at, odd)| TestRun {
        is_outage: odd == 1,
        ..test_run(id, at, odd == 0)
    });
    let calls = (
        prop::option::of(1_u64..60),
        0_i64..400,
        prop::option::of(0_u32..9_000_000),
    );
    let calls = calls.prop_map(|(pull, at, usd)| Call {
        pull,
        at: hour(at),
        usd: usd.map(|usd| Usd::from_pico(u128::from(usd) * 1_000_003)),
    });
    let runs = (1_u64..60, 0_i64..400, 0_i64..60, 0_u8..40);
    let runs =
        runs.prop_map(|(id, at, took, sha)| run(id, at, took, &format!("s{sha}"), &json!({})));
    (
        prop::collection::vec(prop_oneof![some_pull(), runs], 0..70),
        any::<bool>(),
        prop::collection::vec(tests, 0..80),
        prop::collection::vec(calls, 0..60),
        prop::collection::vec(agents, 0..40),
    )
        .prop_map(|(lines, knows_unmerged, tests, calls, agents)| Own {
            lines,
            knows_unmerged,
            tests,
            calls,
            agents,
        })
}

/// The rows of facts in another order, and each that is known by its id twice. Of two readings of one row at one time the greater counts.
fn turned(own: &Own) -> Own {
    let mut other = own.clone();
    other.lines.reverse();
    other.lines.extend(own.lines.clone());
    other.tests.reverse();
    other.calls.reverse();
    other.agents.reverse();
    other.agents.extend(own.agents.clone());
    other
}

fn share_of(found: &[Finding], id: &str) -> (Measured, Option<Verdict>) {
    let place = INDICATORS.iter().position(|known| known.id == id).unwrap();
    let measured = found[place].measured;
    (measured, judge(&measured, Some(example(id))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_and_duplicates_of_facts_change_nothing(own in some_facts()) {
        prop_assert_eq!(own.all(), turned(&own).all());
    }

    #[test]
    fn what_nobody_measured_is_never_met(own in some_facts(), which in 0_usize..4) {
        let mut less = own;
        let ids: &[&str] = match which {
            0 => { less.lines.clear(); &["ci-p95", "pull-lead-time", "merge-success", "autonomous-pulls"] }
            1 => { less.tests.clear(); &["flake-rate"] }
            2 => { less.calls.clear(); &["llm-per-pull"] }
            _ => { less.lines.clear(); less.agents.clear(); &["agent-success"] }
        };
        let found = less.all();
        for id in ids {
            let (measured, verdict) = share_of(&found, id);
            prop_assert_eq!(measured.value, None);
            prop_assert_eq!(verdict, Some(Verdict::NotEnoughData));
        }
    }

    #[test]
    fn every_row_is_counted_or_has_a_reason_and_values_lie_in_their_intervals(own in some_facts()) {
        for (found, indicator) in own.all().iter().zip(&INDICATORS) {
            let counted = found.pieces.iter().filter(|piece| piece.reason.is_none()).count();
            prop_assert_eq!(counted, found.measured.n, "{}", indicator.id);
            prop_assert_eq!(found.measured.value.is_none(), found.why.is_some(), "{}", indicator.id);
            if let (Some(value), Some((low, high))) = (found.measured.value, found.measured.interval) {
                prop_assert!(low <= value + 1e-9 && value <= high + 1e-9, "{} {low} {value} {high}", indicator.id);
                prop_assert!(indicator.unit != Unit::Share || (0.0..=1.0).contains(&value));
            }
        }
    }

    #[test]
    fn a_failure_more_never_turns_missed_into_met(own in some_facts(), at in 0_i64..300) {
        let before = own.all();
        let mut worse = own;
        worse.lines.push(with(closed(900, at), &agent()));
        worse.tests.push(test_run(900, at, true));
        worse.agents.push(agent_run(900, at, "failed"));
        let after = worse.all();
        for id in ["merge-success", "flake-rate", "agent-success"] {
            let (_, old) = share_of(&before, id);
            let (_, new) = share_of(&after, id);
            prop_assert!(!(old == Some(Verdict::Missed) && new == Some(Verdict::Met)), "{id}");
        }
    }

    #[test]
    fn a_success_more_never_turns_met_into_missed(own in some_facts(), at in 0_i64..300) {
        let before = own.all();
        let mut better = own;
        better.lines.push(with(pull(900, 0, 0, at, "c"), &agent()));
        better.tests.push(test_run(900, at, false));
        let after = better.all();
        for id in ["merge-success", "flake-rate", "autonomous-pulls"] {
            let (_, old) = share_of(&before, id);
            let (_, new) = share_of(&after, id);
            prop_assert!(!(old == Some(Verdict::Met) && new == Some(Verdict::Missed)), "{id}");
        }
    }

    #[test]
    fn what_is_printed_never_contradicts_the_verdict(part in 0_usize..3000, of in 1_usize..3000, hundredths in 0_u32..=1000) {
        let share = crate::delivery::quantiles::float(part.min(of)) / crate::delivery::quantiles::float(of);
        let bound: f64 = format!("{hundredths}e-3").parse().unwrap();
        let words = value(share, Unit::Share, Some(Target::AtLeast(bound)));
        if let Some(shown) = words.strip_suffix(" %").and_then(|shown| format!("{shown}e-2").parse::<f64>().ok()) {
            prop_assert_eq!(shown >= bound, share >= bound, "{}", words);
            prop_assert_eq!(shown > bound, share > bound, "{}", words);
        }
    }

    #[test]
    fn times_never_contradict_theirs(ms in 0_u32..200_000_000, bound in 1_u32..200_000) {
        let (took, bound) = (f64::from(ms) / 1000.0, f64::from(bound));
        let words = value(took, Unit::Seconds, Some(Target::AtMost(bound)));
        let (shown, unit) = words.split_once(' ').unwrap();
        let length = match unit { "s" => 1.0, "min" => 60.0, "h" => 3600.0, _ => 86_400.0 };
        if let Ok(shown) = shown.parse::<f64>() {
            let shown = shown * length;
            let is_above = shown - bound > 1e-6;
            prop_assert_eq!(is_above, took > bound, "{}", words);
        }
    }
}
