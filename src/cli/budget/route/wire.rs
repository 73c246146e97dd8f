//! The documents of `budget route`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::llm::router::cascade::Next;
use crate::llm::router::tiers::Tiers;
use crate::llm::router::{CALLS, Score, Tier, Verdict, Worst};
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};

/// What is said about a prompt.
pub(super) struct Advice {
    pub(super) score: Score,
    pub(super) wanted: Tier,
    /// What is left, what calls cost at worst, and what follows.
    pub(super) money: Option<(Usd, Worst, Verdict)>,
}

/// Which model a prompt is for. Advice: nothing was called, and nothing is kept from being called.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.route/v1"))]
pub(crate) struct RouteDocument {
    /// `maestro.route/v1`
    schema: &'static str,
    /// The `id` of the batch's line.
    id: Value,
    /// How much the prompt asks of a model, the sum of the reasons' points: a higher score wants a stronger model.
    score: f64,
    /// `small`, `medium` or `large`; nothing when what is left pays no call.
    tier: Option<&'static str>,
    /// Who runs the tier's model.
    provider: Option<String>,
    /// The tier's model.
    model: Option<String>,
    /// The tier that the score alone wants.
    wanted: &'static str,
    /// What added to the score, the most first.
    reasons: Vec<ReasonRow>,
    /// What money says, where it is known how much is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetRow>,
    /// What follows after the attempts that were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<NextRow>,
}

/// What a feature of the prompt adds to the score.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReasonRow {
    /// `words`, `clauses`, `ratios`, `comparisons`, `symbols`, `names`, `steps`, `code` or `demands`.
    feature: &'static str,
    /// How many there are.
    count: u64,
    points: f64,
}

/// What money says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct BudgetRow {
    remaining_usd: String,
    /// What a call of the tier costs at worst; of the wanted tier where there is none.
    worst_usd: Option<String>,
    /// `wanted`, `down` (a weaker tier, so that there is enough for three calls), `last` (enough for one), `stop`, or `unpriced`.
    verdict: &'static str,
}

/// What follows after attempts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NextRow {
    /// `done`, `try` or `stop`.
    action: &'static str,
    /// `passed`, `again` (there was no answer), `escalate` (the check failed), `exhausted` (the strongest tier failed), `out_of_money` or `unpriced`.
    why: &'static str,
    /// What to try, or what cannot be paid for.
    tier: Option<&'static str>,
    model: Option<String>,
}

impl RouteDocument {
    pub(super) fn new(id: Value, advice: Advice, tiers: &Tiers) -> Self {
        let Advice {
            score,
            wanted,
            money,
        } = advice;
        let tier = match &money {
            Some((_, _, verdict)) => verdict.tier(),
            None => Some(wanted),
        };
        let model = tier.map(|tier| tiers.model(tier));
        let reasons = score.reasons.iter().map(|reason| ReasonRow {
            feature: reason.feature.name(),
            count: reason.count,
            points: reason.points.as_f64(),
        });
        Self {
            schema: "maestro.route/v1",
            id,
            score: score.points.as_f64(),
            tier: tier.map(Tier::name),
            provider: model.map(|model| model.provider.clone()),
            model: model.map(|model| model.model.clone()),
            wanted: wanted.name(),
            reasons: reasons.collect(),
            budget: money.map(|(remaining, worst, verdict)| BudgetRow {
                remaining_usd: remaining.to_string(),
                worst_usd: worst[tier.unwrap_or(wanted) as usize].map(|usd| usd.to_string()),
                verdict: match verdict {
                    Verdict::Wanted(_) => "wanted",
                    Verdict::Down(_) => "down",
                    Verdict::Last(_) => "last",
                    Verdict::Stop => "stop",
                    Verdict::Unpriced => "unpriced",
                },
            }),
            next: None,
        }
    }

    /// Adds what follows after attempts.
    pub(super) fn follow(&mut self, next: Next, tiers: &Tiers) {
        let (action, why, tier) = match next {
            Next::Done => ("done", "passed", None),
            Next::Start(tier) => ("try", "start", Some(tier)),
            Next::Again(tier) => ("try", "again", Some(tier)),
            Next::Escalate(tier) => ("try", "escalate", Some(tier)),
            Next::Exhausted => ("stop", "exhausted", None),
            Next::OutOfMoney(tier) => ("stop", "out_of_money", Some(tier)),
            Next::Unpriced(tier) => ("stop", "unpriced", Some(tier)),
        };
        self.next = Some(NextRow {
            action,
            why,
            tier: tier.map(Tier::name),
            model: tier.map(|tier| tiers.model(tier).model.clone()),
        });
    }

    /// Returns what money says, in words.
    fn money(&self) -> Option<String> {
        let budget = self.budget.as_ref()?;
        let left = &budget.remaining_usd;
        let worst = budget.worst_usd.as_deref().unwrap_or("?");
        let wanted = self.wanted;
        Some(match budget.verdict {
            "wanted" => format!("${left} is left, and a call costs at most ${worst}."),
            "down" => format!(
                "{wanted} is wanted, but ${left} does not pay {CALLS} calls of it; a call of this one costs at most ${worst}."
            ),
            "last" => format!("${left} pays no {CALLS} calls; one costs at most ${worst}."),
            "stop" => format!("${left} pays no call."),
            _ => format!("${left} is left, and no tier up to {wanted} has a price."),
        })
    }
}

impl Report for RouteDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(match (self.tier, &self.model) {
            (Some(tier), Some(model)) => format!("{tier}: {model}. Score {:.1}.", self.score),
            _ => format!("No model. Score {:.1}.", self.score),
        });
        if let Some(money) = self.money() {
            page.text(money);
        }
        if let Some(next) = &self.next {
            let model = next.model.as_deref().unwrap_or_default();
            page.text(match next.why {
                "passed" => "Next: nothing, an answer passed.".to_owned(),
                "again" => format!("Next: {model} once more, since there was no answer."),
                "escalate" => format!("Next: {model}, since the check failed."),
                "exhausted" => "Next: nothing, since the strongest tier failed.".to_owned(),
                "unpriced" => format!("Next: nothing, since {model} has no price."),
                _ => format!("Next: nothing, since what is left does not pay {model}."),
            });
        }
        let rows = self.reasons.iter().map(|reason| {
            vec![
                Cell::plain(reason.feature),
                Cell::plain(reason.count.to_string()),
                Cell::plain(format!("{:.1}", reason.points)),
            ]
        });
        page.table(
            vec![
                Column::left("Feature"),
                Column::right("Count"),
                Column::right("Points"),
            ],
            rows.collect(),
        );
        page
    }
}

/// A line of a batch, routed or not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub(crate) enum Row {
    Routed(Box<RouteDocument>),
    Failed(RouteFailedRow),
}

/// A line that is no prompt.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct RouteFailedRow {
    /// `maestro.route-failed/v1`
    schema: &'static str,
    /// The line of the batch.
    line: u64,
    /// Why.
    error: String,
}

impl Row {
    pub(super) fn failed(line: u64, error: &str) -> Self {
        Self::Failed(RouteFailedRow {
            schema: "maestro.route-failed/v1",
            line,
            error: error.to_owned(),
        })
    }
}

/// Which models many prompts are for.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.route-batch/v1"))]
pub(crate) struct RouteBatchDocument {
    /// `maestro.route-batch/v1`
    schema: &'static str,
    /// In order of the batch's lines.
    rows: Vec<Row>,
    /// Lines that are no prompts.
    failed: u64,
}

impl RouteBatchDocument {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let failed = rows.iter().filter(|row| matches!(row, Row::Failed(_)));
        Self {
            schema: "maestro.route-batch/v1",
            failed: failed.count() as u64,
            rows,
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed
    }
}

impl Report for RouteBatchDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows
            .iter()
            .try_for_each(|row| crate::output::json_line(out, row))
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let count = |tier: &str| {
            let is_tier = |row: &&Row| matches!(row, Row::Routed(one) if one.tier == Some(tier));
            self.rows.iter().filter(is_tier).count()
        };
        page.text(format!(
            "{} prompts: {} small, {} medium, {} large.",
            self.rows.len(),
            count("small"),
            count("medium"),
            count("large"),
        ));
        let rows = self.rows.iter().map(|row| match row {
            Row::Routed(one) => vec![
                Cell::code(match &one.id {
                    Value::String(id) => id.clone(),
                    other => other.to_string(),
                }),
                Cell::plain(format!("{:.1}", one.score)),
                Cell::plain(one.tier.unwrap_or("–")),
            ],
            Row::Failed(one) => vec![
                Cell::code(format!("line {}", one.line)),
                Cell::plain(""),
                Cell::code(&one.error),
            ],
        });
        page.table(
            vec![
                Column::left("Prompt"),
                Column::right("Score"),
                Column::left("Tier"),
            ],
            rows.collect(),
        );
        page
    }
}
