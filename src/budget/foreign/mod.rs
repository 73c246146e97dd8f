//! Spend from elsewhere: what other programs say that their models used, as rows of the ledger.
//!
//! Where the table knows the model, a row is priced by the table, and what the program itself reckons is kept beside. Seats, unknown models and counts that several
//! models share have no price here, which is never the same as nothing. What is read twice is the same row: a row's name is what the program calls the session or request, and its number
//! the count of tokens at its end, which only grows.

mod claude;
mod codex;
mod gh_aw;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::spend::{Paid, Spend, Status};
use crate::event::Origin;
use crate::llm::prices::{PriceProblem, Table};
use crate::llm::usage::{Usage, UsageProblem};
use crate::money::{MoneyProblem, Usd};
use crate::sha::Sha;

pub(crate) use claude::claude;
pub(crate) use codex::codex;
pub(crate) use gh_aw::gh_aw;

/// What a program says about one session, turn or call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    /// The line of the file that says so, or the place in a list.
    pub(crate) line: u64,
    /// What the program calls it.
    pub(crate) key: String,
    /// When, where that is known.
    pub(crate) at: Option<Timestamp>,
    /// Whom it was paid to; nothing where nobody says.
    pub(crate) provider: Option<String>,
    /// The models that the counts are of.
    pub(crate) models: Vec<String>,
    pub(crate) usage: Usage,
    /// Whether the counts go on from those of earlier rows with the same key.
    pub(crate) is_running: bool,
    /// What the program itself reckons.
    pub(crate) reported: Option<Usd>,
    /// Whether a seat pays for it.
    pub(crate) is_seat: bool,
}

/// What a file says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    /// What could not be read, with its line.
    pub(crate) notes: Vec<(u64, String)>,
}

/// Why a file is none of its kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForeignProblem {
    #[error("line {0}: {1}")]
    Json(usize, serde_json::Error),
    #[error("line {line}: {problem}")]
    Usage { line: u64, problem: UsageProblem },
    #[error("line {line}: {problem}")]
    Money { line: u64, problem: MoneyProblem },
    #[error("it says nothing of what was used")]
    Nothing,
}

/// How rows are priced and filed.
pub(crate) struct Desk<'a> {
    pub(crate) table: &'a Table,
    /// Who wrote the file.
    pub(crate) source: &'static str,
    pub(crate) pull_request: Option<u64>,
    /// What stands for a provider or model that the file does not name.
    pub(crate) provider: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    /// Whether a seat pays for all of it.
    pub(crate) is_seat: bool,
    pub(crate) now: Timestamp,
}

/// A row as it is filed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filed {
    pub(crate) line: u64,
    pub(crate) paid: Paid,
    /// Why it has no price.
    pub(crate) why: Option<String>,
    /// Whether it was there before.
    pub(crate) is_known: bool,
}

/// What is known of rows with one key.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    call: u64,
    usage: Usage,
    reported: Usd,
}

/// Rows that were filed before.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<String, Vec<Sum>>);

impl Known {
    /// Adds a row of the ledger; those that were paid from a purse of ours have other keys.
    pub(crate) fn add(&mut self, spend: &Spend) {
        let (Some(_), Some(purse), Some(call)) = (&spend.source, &spend.purse, spend.call) else {
            return;
        };
        let sum = Sum {
            call,
            usage: spend.usage.unwrap_or_default(),
            reported: spend.reported_usd.unwrap_or_default(),
        };
        let sums = self.0.entry(purse.clone()).or_default();
        if !sums.iter().any(|known| known.call == call) {
            sums.push(sum);
        }
    }

    fn has(&self, purse: &str, call: u64) -> bool {
        let sums = self.0.get(purse).into_iter().flatten();
        sums.into_iter().any(|sum| sum.call == call)
    }

    /// Returns what is counted already of a row that goes on from others; nothing where its counts are below theirs, because then it began anew.
    fn before(&self, purse: &str, call: u64, usage: &Usage) -> Option<Sum> {
        let mut all = Sum::default();
        for sum in self.0.get(purse)?.iter().filter(|sum| sum.call < call) {
            all.usage = plus(&all.usage, &sum.usage);
            all.reported = all.reported.saturating_add(sum.reported);
        }
        minus(usage, &all.usage).map(|_| all)
    }
}

impl Desk<'_> {
    /// Prices rows, and files those that are not known. Their counts become what came after the row before.
    pub(crate) fn file(&self, rows: &[Row], known: &mut Known) -> Vec<Filed> {
        rows.iter().map(|row| self.one(row, known)).collect()
    }

    fn one(&self, row: &Row, known: &mut Known) -> Filed {
        let provider = row
            .provider
            .as_deref()
            .or(self.provider)
            .unwrap_or("unknown");
        let models: Vec<&str> = match (row.models.as_slice(), self.model) {
            ([], Some(model)) => vec![model],
            (models, _) => models.iter().map(String::as_str).collect(),
        };
        let model = models.join(" + ");
        let purse = format!("{}:{}:{model}", self.source, row.key);
        let call = if row.is_running { total(&row.usage) } else { 1 };
        let is_known = known.has(&purse, call);
        let before = if row.is_running {
            known.before(&purse, call, &row.usage)
        } else {
            None
        };
        let before = before.unwrap_or_default();
        let usage = minus(&row.usage, &before.usage).unwrap_or(row.usage);
        let reported = row
            .reported
            .map(|usd| usd.checked_sub(before.reported).unwrap_or(usd));
        let at = row.at.unwrap_or(self.now);
        let is_seat = row.is_seat || self.is_seat;
        let priced = self.price(provider, &models, &usage, is_seat, at);
        let usd = priced.as_ref().ok().copied();
        let spend = Spend {
            status: if usd.is_some() {
                Status::Settled
            } else {
                Status::Unpriced
            },
            provider: provider.to_owned(),
            model: if model.is_empty() {
                "unknown".to_owned()
            } else {
                model
            },
            role: None,
            task: None,
            pull_request: self.pull_request,
            usage: Some(usage),
            usd,
            overshoot_usd: None,
            price_table_sha256: usd.map(|_| self.table.sha256.to_string()),
            request_id: Some(row.key.clone()),
            purse: Some(purse),
            call: Some(call),
            lease: None,
            source: Some(self.source.to_owned()),
            reported_usd: reported,
        };
        known.add(&spend);
        // Neither machine nor day is a part of the name, so that a file that is read twice is one.
        let run = format!(
            "{}-{:.16}",
            self.source,
            Sha::of(row.key.as_bytes()).to_string()
        );
        let origin = Origin {
            run,
            attempt: 1,
            ..Origin::default()
        };
        Filed {
            line: row.line,
            paid: Paid { at, origin, spend },
            why: priced.err(),
            is_known,
        }
    }

    fn price(
        &self,
        provider: &str,
        models: &[&str],
        usage: &Usage,
        is_seat: bool,
        at: Timestamp,
    ) -> Result<Usd, String> {
        let model = match models {
            _ if is_seat => return Err("a seat pays for it".to_owned()),
            [] => return Err("nobody says which model it was".to_owned()),
            [model] => model,
            _ => return Err("its counts are of several models together".to_owned()),
        };
        let price = || {
            let (payee, priced) = self.table.model(provider, model)?;
            Ok(payee.bill(priced, usage, at)?.total)
        };
        price().map_err(|problem: PriceProblem| problem.to_string())
    }
}

/// Returns all tokens and searches of a usage.
fn total(usage: &Usage) -> u64 {
    let parts = parts(usage);
    parts.into_iter().fold(0, u64::saturating_add)
}

/// All that is counted once; reasoning is a part of the output.
fn parts(usage: &Usage) -> [u64; 8] {
    [
        usage.net_input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.input_audio_tokens,
        usage.output_tokens,
        usage.output_audio_tokens,
        usage.web_searches,
    ]
}

fn plus(a: &Usage, b: &Usage) -> Usage {
    both(a, b, |a, b| Some(a.saturating_add(b))).unwrap_or(*a)
}

/// Takes counts off others; nothing when any would be below zero.
fn minus(a: &Usage, b: &Usage) -> Option<Usage> {
    both(a, b, u64::checked_sub)
}

fn both(a: &Usage, b: &Usage, of: impl Fn(u64, u64) -> Option<u64>) -> Option<Usage> {
    Some(Usage {
        net_input_tokens: of(a.net_input_tokens, b.net_input_tokens)?,
        cache_read_tokens: of(a.cache_read_tokens, b.cache_read_tokens)?,
        cache_write_5m_tokens: of(a.cache_write_5m_tokens, b.cache_write_5m_tokens)?,
        cache_write_1h_tokens: of(a.cache_write_1h_tokens, b.cache_write_1h_tokens)?,
        input_audio_tokens: of(a.input_audio_tokens, b.input_audio_tokens)?,
        output_tokens: of(a.output_tokens, b.output_tokens)?,
        output_audio_tokens: of(a.output_audio_tokens, b.output_audio_tokens)?,
        reasoning_tokens: of(a.reasoning_tokens, b.reasoning_tokens)?,
        web_searches: of(a.web_searches, b.web_searches)?,
    })
}

/// Returns an amount that a program reckoned: its own digits, rounded up where they are more than we have.
fn amount(text: &str, power: u32) -> Result<Usd, MoneyProblem> {
    crate::money::scaled(text, power).map(|(pico, _)| Usd::from_pico(pico))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(table: &Table) -> Desk<'_> {
        Desk {
            table,
            source: "test",
            pull_request: None,
            provider: None,
            model: None,
            is_seat: false,
            now: "2026-06-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn row(models: &[&str], input: u64) -> Row {
        Row {
            key: "s".into(),
            provider: Some("anthropic".into()),
            models: models.iter().map(|name| (*name).to_owned()).collect(),
            usage: Usage {
                net_input_tokens: input,
                ..Usage::default()
            },
            is_running: true,
            reported: Some(Usd::from_pico(u128::from(input))),
            ..Row::default()
        }
    }

    #[test]
    fn counts_that_go_on_are_counted_once() {
        let table = Table::built_in().unwrap();
        let desk = desk(&table);
        let mut known = Known::default();
        let sonnet = ["claude-sonnet-4-6"];
        let rows = vec![
            row(&sonnet, 1_000_000),
            row(&sonnet, 3_000_000),
            row(&sonnet, 3_000_000),
        ];
        let filed = desk.file(&rows, &mut known);
        let usd = |one: &Filed| one.paid.spend.usd.unwrap().to_string();
        assert_eq!((usd(&filed[0]), usd(&filed[1])), ("3".into(), "6".into()));
        assert_eq!(
            filed[1].paid.spend.reported_usd,
            Some(Usd::from_pico(2_000_000))
        );
        assert_eq!(
            [filed[0].is_known, filed[1].is_known, filed[2].is_known],
            [false, false, true]
        );
        // It began anew: fewer tokens than before.
        let again = desk.file(&[row(&sonnet, 500_000)], &mut known);
        assert_eq!((usd(&again[0]), again[0].is_known), ("1.5".into(), false));
    }

    #[test]
    fn what_has_no_price_is_never_nothing() {
        let table = Table::built_in().unwrap();
        let desk = desk(&table);
        let why = |row: Row| {
            let filed = desk.file(&[row], &mut Known::default()).remove(0);
            let spend = &filed.paid.spend;
            assert_eq!((spend.status, spend.usd), (Status::Unpriced, None));
            assert_eq!(spend.reported_usd, Some(Usd::from_pico(5)));
            filed.why.unwrap()
        };
        assert!(why(row(&[], 5)).contains("which model"));
        assert!(why(row(&["a", "b"], 5)).contains("several models"));
        assert!(why(row(&["a"], 5)).contains("no model `a`"));
        let seat = Row {
            is_seat: true,
            ..row(&["claude-sonnet-4-6"], 5)
        };
        assert!(why(seat).contains("seat"));
    }

    #[test]
    fn a_row_is_filed_under_a_run_that_its_key_alone_names() {
        let table = Table::built_in().unwrap();
        let desk = Desk {
            pull_request: Some(7),
            model: Some("claude-sonnet-4-6"),
            ..desk(&table)
        };
        let first = desk
            .file(&[row(&[], 1_000_000)], &mut Known::default())
            .remove(0);
        let origin = &first.paid.origin;
        assert!(
            origin.run.starts_with("test-") && origin.run.len() == 21,
            "{origin:?}"
        );
        assert_eq!(origin.attempt, 1);
        assert_eq!(first.paid.at, desk.now);
        let spend = &first.paid.spend;
        assert_eq!(spend.usd.map(|usd| usd.to_string()).as_deref(), Some("3"));
        assert_eq!(spend.purse.as_deref(), Some("test:s:claude-sonnet-4-6"));
        assert_eq!((spend.call, spend.pull_request), (Some(1_000_000), Some(7)));
        let other = Row {
            key: "t".into(),
            is_running: false,
            at: Some("2026-05-01T00:00:00Z".parse().unwrap()),
            ..row(&["claude-sonnet-4-6"], 1_000_000)
        };
        let other = desk.file(&[other], &mut Known::default()).remove(0);
        assert_ne!(other.paid.origin.run, origin.run);
        assert_eq!(
            (other.paid.spend.call, other.paid.at == desk.now),
            (Some(1), false)
        );
    }

    #[test]
    fn what_a_purse_of_ours_paid_is_no_row_of_others() {
        let mut spend = super::super::spend::tests::paid("1").spend;
        spend.purse = Some("p".to_owned());
        spend.call = Some(5);
        let mut known = Known::default();
        known.add(&spend);
        assert!(!known.has("p", 5));
        spend.source = Some("test".to_owned());
        spend.usage = Some(Usage {
            output_tokens: 3,
            ..Usage::default()
        });
        spend.reported_usd = Some(Usd::from_pico(2));
        known.add(&spend);
        // The same row again counts once.
        known.add(&spend);
        assert!(known.has("p", 5) && !known.has("p", 6) && !known.has("q", 5));
        let usage = |output_tokens| Usage {
            output_tokens,
            ..Usage::default()
        };
        let before = |call, output| {
            let sum = known.before("p", call, &usage(output))?;
            Some((sum.usage.output_tokens, sum.reported.pico()))
        };
        assert_eq!(before(6, 3), Some((3, 2)));
        assert_eq!(before(5, 3), Some((0, 0)));
        // Fewer than were counted: it began anew.
        assert_eq!(before(6, 2), None);
    }

    #[test]
    fn every_part_of_a_usage_is_summed_and_thought_is_a_part_of_the_output() {
        let usage = Usage {
            net_input_tokens: 1,
            cache_read_tokens: 2,
            cache_write_5m_tokens: 4,
            cache_write_1h_tokens: 8,
            input_audio_tokens: 16,
            output_tokens: 32,
            output_audio_tokens: 64,
            reasoning_tokens: 128,
            web_searches: 256,
        };
        assert_eq!(total(&usage), 383);
        let twice = plus(&usage, &usage);
        assert_eq!(total(&twice), 766);
        assert_eq!(
            (twice.reasoning_tokens, minus(&twice, &usage)),
            (256, Some(usage))
        );
        assert_eq!(minus(&usage, &twice), None);
    }
}
