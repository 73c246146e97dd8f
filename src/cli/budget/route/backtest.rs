//! `maestro budget route --backtest`: what routing would have saved.

use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{Desk, RouteArgs};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::llm::router::backtest::{Curve, Worth, saving, size};
use crate::llm::router::dataset::Dataset;
use crate::llm::router::dataset::DatasetProblem;
use crate::llm::router::{self, Tier};
use crate::output::{Cell, Column, Page, Report};

/// What routing would have saved on questions that a weak and a strong model have answered.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.route-backtest/v1"))]
pub(crate) struct BacktestDocument {
    /// `maestro.route-backtest/v1`
    schema: &'static str,
    questions: u64,
    weak: ModelRow,
    strong: ModelRow,
    /// `maestro`, `length` (of the prompt in bytes), `random` and `oracle` (who knows both answers before).
    routers: Vec<RouterRow>,
    /// What the router saves against the strong model alone, at a quality.
    savings: Vec<SavingRow>,
    /// What an average call costs, at a token for four bytes of a prompt and 300 tokens of answer; nothing where a tier has no price.
    call: Option<CallRow>,
}

/// A model of the questions.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ModelRow {
    /// Its column.
    name: String,
    /// The share of answers that are right.
    quality: f64,
}

/// What a router is worth (RouteLLM, arXiv:2406.18665).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RouterRow {
    name: &'static str,
    /// The mean share of the gap between both models that is recovered, over all shares of calls to the strong one.
    apgr: f64,
    /// The share of calls to the strong model that recovers half of the gap.
    cpt50: f64,
    /// The share of calls to the strong model that recovers four fifths of the gap.
    cpt80: f64,
}

/// What is saved at a quality.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SavingRow {
    /// The share of the gap that is recovered; at 1 the quality is the strong model's.
    gap: f64,
    quality: f64,
    /// The share of calls that go to the strong model.
    strong_calls: f64,
    /// The score from which on they do.
    from_score: f64,
    /// The share of the strong model's bill that is saved, at the prices of the tiers small and large.
    saved: Option<f64>,
    /// The same by random routing.
    saved_random: Option<f64>,
}

/// What an average call costs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CallRow {
    /// The model of the tier small.
    weak: String,
    weak_usd: String,
    /// The model of the tier large.
    strong: String,
    strong_usd: String,
}

/// Tokens of an answer, for the bill.
const ANSWER: u64 = 300;

/// Bytes of a prompt that are a token, for the bill.
const BYTES: u64 = 4;

/// Shares of the gap at which savings are shown.
const GAPS: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 1.0];

impl Reported for DatasetProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}")).hint(
            "the form is CSV with a header: `prompt`, and one column for each model with True, False or a number from 0 to 1",
        )
    }
}

pub(super) fn run(
    session: &mut Session<'_>,
    desk: &Desk<'_>,
    path: &Path,
    args: &RouteArgs,
) -> CommandResult {
    let text = super::super::read(session, path)?;
    let set = Dataset::read(&text, args.weak.as_deref(), args.strong.as_deref());
    let set = set.map_err(|problem| problem.reported(&path.display().to_string()))?;
    session.render(&BacktestDocument::new(&set, desk))?;
    Ok(ExitCode::Success)
}

/// Returns a share with as many places as mean something.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

impl BacktestDocument {
    fn new(set: &Dataset<'_>, desk: &Desk<'_>) -> Self {
        let questions = &set.questions;
        let gains: Vec<f64> = questions.iter().map(|one| one.strong - one.weak).collect();
        let scores: Vec<f64> = questions
            .iter()
            .map(|one| router::score(&one.prompt).points.as_f64())
            .collect();
        let lengths: Vec<f64> = questions.iter().map(|one| size(one.prompt.len())).collect();
        let own = Curve::of(&scores, &gains);
        let random = Curve::of(&vec![0.0; gains.len()], &gains);
        let all = size(questions.len());
        let weak = questions.iter().map(|one| one.weak).sum::<f64>() / all;
        let strong = questions.iter().map(|one| one.strong).sum::<f64>() / all;
        let bytes: u64 = questions.iter().map(|one| one.prompt.len() as u64).sum();
        let input = bytes / (questions.len() as u64).max(1) / BYTES;
        let cost = |tier| desk.cost(tier, input, ANSWER);
        let costs = cost(Tier::Small).zip(cost(Tier::Large));
        let saved = |calls: f64| {
            let (weak, strong) = costs?;
            let number = |usd: crate::money::Usd| usd.to_string().parse::<f64>().ok();
            Some(rounded(saving(calls, number(weak)?, number(strong)?)))
        };
        let mut ranked = scores.clone();
        crate::order::sort_numbers(&mut ranked);
        ranked.reverse();
        let savings = GAPS.into_iter().map(|gap| {
            let calls = own.calls(gap);
            SavingRow {
                gap,
                quality: rounded(weak + gap * (strong - weak)),
                strong_calls: rounded(calls),
                from_score: at(&ranked, calls),
                saved: saved(calls),
                saved_random: saved(random.calls(gap)),
            }
        });
        Self {
            schema: "maestro.route-backtest/v1",
            questions: questions.len() as u64,
            weak: ModelRow {
                name: set.weak.clone(),
                quality: rounded(weak),
            },
            strong: ModelRow {
                name: set.strong.clone(),
                quality: rounded(strong),
            },
            routers: vec![
                RouterRow::new("maestro", own.worth()),
                RouterRow::new("length", Curve::of(&lengths, &gains).worth()),
                RouterRow::new("random", random.worth()),
                RouterRow::new("oracle", Curve::of(&gains, &gains).worth()),
            ],
            savings: savings.collect(),
            call: costs.map(|(weak, strong)| CallRow {
                weak: desk.tiers.model(Tier::Small).model.clone(),
                weak_usd: weak.to_string(),
                strong: desk.tiers.model(Tier::Large).model.clone(),
                strong_usd: strong.to_string(),
            }),
        }
    }
}

/// Returns the lowest of the scores that a share of calls has.
fn at(ranked: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of questions is one"
    )]
    let calls = (share * size(ranked.len())).ceil() as usize;
    let last = ranked.get(calls.saturating_sub(1)).or(ranked.last());
    last.copied().unwrap_or_default()
}

impl RouterRow {
    fn new(name: &'static str, worth: Worth) -> Self {
        Self {
            name,
            apgr: rounded(worth.apgr),
            cpt50: rounded(worth.cpt50),
            cpt80: rounded(worth.cpt80),
        }
    }
}

/// Returns a share in hundredths.
fn percent(share: f64) -> Cell {
    Cell::plain(format!("{:.1} %", share * 100.0))
}

impl Report for BacktestDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "{} questions: {} is right on {:.1} %, {} on {:.1} %.",
            self.questions,
            self.weak.name,
            self.weak.quality * 100.0,
            self.strong.name,
            self.strong.quality * 100.0,
        ));
        let routers = self.routers.iter().map(|row| {
            vec![
                Cell::plain(row.name),
                Cell::plain(format!("{:.3}", row.apgr)),
                percent(row.cpt50),
                percent(row.cpt80),
            ]
        });
        page.table(
            vec![
                Column::left("Router"),
                Column::right("APGR"),
                Column::right("CPT50"),
                Column::right("CPT80"),
            ],
            routers.collect(),
        );
        let savings = self.savings.iter().map(|row| {
            let saved = |share: Option<f64>| share.map_or(Cell::plain("?"), percent);
            vec![
                percent(row.gap),
                percent(row.quality),
                percent(row.strong_calls),
                Cell::plain(format!("{:.1}", row.from_score)),
                saved(row.saved),
                saved(row.saved_random),
            ]
        });
        page.table(
            vec![
                Column::right("Of the gap"),
                Column::right("Right"),
                Column::right("Strong calls"),
                Column::right("From score"),
                Column::right("Saved"),
                Column::right("Saved at random"),
            ],
            savings.collect(),
        );
        page.text(match &self.call {
            Some(call) => format!(
                "Saved of the bill if all went to {}: ${} a call, against ${} of {}.",
                call.strong, call.strong_usd, call.weak_usd, call.weak
            ),
            None => "What is saved is not known: a tier has no price.".to_owned(),
        });
        page
    }
}
