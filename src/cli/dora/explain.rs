//! `maestro dora explain`: the rows behind a number, and those that were left out.

use std::collections::BTreeMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::question::{AskArgs, Question};
use super::wire::{MetricRow, left_out, reasons, row_lines};
use super::{calendar, gather, kpi, repositories, words};
use crate::cli::session::Session;
use crate::config::nearest;
use crate::delivery::ask::Ask;
use crate::delivery::kpi::facts::Piece;
use crate::delivery::kpi::{Finding, INDICATORS, Indicator};
use crate::delivery::metrics::{Evidence, IDS, Metric};
use crate::delivery::pool::{Pool, measure};
use crate::delivery::reasons::Reason;
use crate::delivery::table::Ref;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report};

/// List the rows behind a metric, and those that were left out
///
/// Every row that the metric was made from is there: with its value and what it is linked to, or with the reason why it does not count.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Which changes make up the lead time
    $ maestro dora explain lead-time-deploy --source git

  Which pull requests an indicator of `maestro dora kpi` is made from
    $ maestro dora explain kpi:pull-lead-time --source git

  Every row for a program, one a line
    $ maestro dora explain change-fail-rate --source git --format ndjson")]
pub(super) struct ExplainArgs {
    /// As `lead-time-deploy`, or `kpi:ci-p95`; `maestro dora` and `maestro dora kpi` show the names
    metric: String,

    #[command(flatten)]
    ask: AskArgs,
}

/// People are shown so many rows of each kind; JSON has all of them.
const MOST_SHOWN: usize = 50;

pub(super) fn run(session: &mut Session<'_>, args: &ExplainArgs) -> CommandResult {
    let indicator = args.metric.strip_prefix("kpi:");
    if let Some(indicator) = indicator.and_then(kpi::find) {
        let document = kpi::explain(session, &args.ask, indicator)?;
        session.render(&document)?;
        return Ok(ExitCode::Success);
    }
    if !IDS.contains(&args.metric.as_str()) {
        let message = format!("there is no metric `{}`", args.metric);
        let error = CommandError::message(ErrorKind::NotFound, message);
        let indicators = INDICATORS.iter().map(|known| format!("kpi:{}", known.id));
        let indicators: Vec<String> = indicators.collect();
        let names: Vec<&str> = IDS
            .into_iter()
            .chain(indicators.iter().map(String::as_str))
            .collect();
        return Err(match nearest(&args.metric, &names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("one of {}", names.join(", "))),
        });
    }
    let question = Question::new(session, &args.ask)?;
    let found = gather::gather(session, &args.ask, &question, false)?;
    let calendar = calendar(&question, &found.pool);
    let ask = question.ask(calendar.as_ref());
    let measured = measure(&found.pool, &ask);
    let metric = measured
        .metrics
        .iter()
        .find(|metric| metric.id == args.metric);
    let document =
        metric.map(|metric| DoraExplainDocument::new(metric, &found.pool, &ask, measured.source()));
    if found.is_shallow {
        session
            .ui
            .warn("this clone is shallow: what older commits and tags would say is missing");
    }
    let Some(document) = document else {
        let message = format!("`{}` has no rows", args.metric);
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("`maestro dora` says beside each metric why it has none; a longer time has more: `--since 365d`"));
    };
    session.render(&document)?;
    repositories::verdict(session, &args.ask, &found)
}

/// What a number stands on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.dora-explain/v1"))]
pub(crate) struct DoraExplainDocument {
    /// `maestro.dora-explain/v1`
    schema: &'static str,
    /// What stands for deployments; `several` where repositories differ.
    source: Option<&'static str>,
    definition: &'static str,
    since: String,
    until: String,
    metric: MetricRow,
    /// Every row that was made use of: counted ones first, then those left out.
    rows: Vec<ExplainedRow>,
}

/// A row that a metric was made from.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ExplainedRow {
    /// Whose it is, where rows of many repositories are pooled; what it is linked to is of the same one.
    repository: Option<String>,
    /// `pull`, `deployment`, `run`, `release`, `tag`, `commit` or `incident`; of indicators also `test_run`, `agent_run` and `calls`.
    kind: &'static str,
    id: String,
    url: String,
    /// Whether it was counted.
    counted: bool,
    /// When its clock started, or nothing.
    from: Option<String>,
    /// When it ended, or when it was deployed.
    to: Option<String>,
    seconds: Option<f64>,
    /// What models did cost for it, in US dollars; of indicators that tell of money.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd: Option<String>,
    /// Of shares: whether it is of the part that failed or reworks. Of recovery: whether it is over.
    part: bool,
    remarks: Vec<&'static str>,
    /// What it is linked to.
    linked: Vec<LinkedRow>,
    /// Why it was left out.
    reason: Option<&'static str>,
}

/// A row that another one is linked to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LinkedRow {
    kind: &'static str,
    id: String,
    url: String,
}

fn linked(rows: &Pool, row: Ref) -> LinkedRow {
    LinkedRow {
        kind: row.kind.word(),
        id: rows.id(row),
        url: rows.url(row).to_owned(),
    }
}

fn counted(rows: &Pool, evidence: &Evidence) -> ExplainedRow {
    let LinkedRow { kind, id, url } = linked(rows, evidence.row);
    ExplainedRow {
        repository: rows.name(evidence.row).map(str::to_owned),
        kind,
        id,
        url,
        counted: true,
        from: evidence.from.map(|at| at.to_string()),
        to: Some(evidence.to.to_string()),
        seconds: evidence.seconds,
        usd: None,
        part: evidence.is_part,
        remarks: evidence
            .remarks
            .iter()
            .map(|remark| remark.code())
            .collect(),
        linked: evidence
            .linked
            .iter()
            .map(|row| linked(rows, *row))
            .collect(),
        reason: None,
    }
}

impl DoraExplainDocument {
    fn new(metric: &Metric, rows: &Pool, ask: &Ask<'_>, source: Option<&'static str>) -> Self {
        let mut explained: Vec<ExplainedRow> = metric
            .evidence
            .iter()
            .map(|evidence| counted(rows, evidence))
            .collect();
        let mut left: Vec<_> = metric.left_out.iter().collect();
        crate::order::sort_by_key(&mut left, |left| (left.reason, left.row));
        explained.extend(left.into_iter().map(|left| {
            let LinkedRow { kind, id, url } = linked(rows, left.row);
            ExplainedRow {
                repository: rows.name(left.row).map(str::to_owned),
                kind,
                id,
                url,
                reason: Some(left.reason.code()),
                ..ExplainedRow::default()
            }
        }));
        Self {
            schema: "maestro.dora-explain/v1",
            source,
            definition: ask.definition.name,
            since: ask.window.since.to_string(),
            until: ask.window.until.to_string(),
            metric: MetricRow {
                left_out: left_out(metric),
                ..MetricRow::new(metric, ask.least)
            },
            rows: explained,
        }
    }

    /// What an indicator of `dora kpi` stands on.
    pub(super) fn of_indicator(
        indicator: &Indicator,
        finding: &Finding,
        words: String,
        ask: &Ask<'_>,
    ) -> Self {
        let mut pieces: Vec<&Piece> = finding.pieces.iter().collect();
        crate::order::sort_by_key(&mut pieces, |piece| piece.reason);
        let mut left = BTreeMap::new();
        for reason in pieces.iter().filter_map(|piece| piece.reason) {
            *left.entry(reason).or_default() += 1;
        }
        let verdict = match finding.measured.value {
            Some(_) => "said",
            None => "not enough data",
        };
        Self {
            schema: "maestro.dora-explain/v1",
            source: None,
            definition: ask.definition.name,
            since: ask.window.since.to_string(),
            until: ask.window.until.to_string(),
            metric: MetricRow {
                id: indicator.id,
                name: indicator.name,
                verdict,
                words: finding.why.clone().unwrap_or(words),
                rows: pieces.len(),
                counted: finding.measured.n,
                left_out: reasons(left),
                ..MetricRow::default()
            },
            rows: pieces.into_iter().map(of_piece).collect(),
        }
    }
}

/// A row that an indicator was made from.
fn of_piece(piece: &Piece) -> ExplainedRow {
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody waits for 2^52 milliseconds"
    )]
    let seconds = |ms: i64| ms as f64 / 1000.0;
    ExplainedRow {
        kind: piece.kind,
        id: piece.id.clone(),
        url: piece.url.clone(),
        counted: piece.reason.is_none(),
        from: piece.from.map(|at| at.to_string()),
        to: piece.to.map(|at| at.to_string()),
        seconds: piece.took_ms.map(seconds),
        usd: piece.usd.map(|usd| usd.to_string()),
        part: piece.is_part,
        reason: piece.reason.map(Reason::code),
        ..ExplainedRow::default()
    }
}

impl ExplainedRow {
    /// How long it took, or what it did cost.
    fn took(&self) -> String {
        match (&self.usd, self.seconds) {
            (Some(usd), _) => format!("${usd}"),
            (None, Some(seconds)) => words::duration(seconds),
            (None, None) => String::new(),
        }
    }

    /// How people find it: its address, or its kind and id.
    fn place(&self) -> String {
        match &self.repository {
            _ if !self.url.is_empty() => self.url.clone(),
            Some(repository) => format!("{repository}: {} {}", self.kind, self.id),
            None => format!("{} {}", self.kind, self.id),
        }
    }
}

impl Report for DoraExplainDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Of {
            metric: &'static str,
        }
        let of = Of {
            metric: self.metric.id,
        };
        row_lines(out, "maestro.dora-row/v1", &of, &self.rows)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!("{}: {}", self.metric.name, self.metric.words));
        page.text(format!(
            "Made from {} rows: {} counted, {} left out.",
            self.metric.rows,
            self.metric.counted,
            self.metric.rows - self.metric.counted
        ));
        let (counted, left): (Vec<_>, Vec<_>) = self.rows.iter().partition(|row| row.counted);
        if !counted.is_empty() {
            page.heading("Counted");
            let rows = counted.iter().take(MOST_SHOWN).map(|row| {
                let linked = row.linked.iter();
                let linked: Vec<String> = linked
                    .map(|row| format!("{} {}", row.kind, row.id))
                    .collect();
                vec![
                    Cell::plain(row.to.clone().unwrap_or_default()),
                    Cell::plain(row.took()),
                    Cell::plain(if row.part { "yes" } else { "" }),
                    Cell::code(linked.join(", ")),
                    Cell::plain(row.remarks.join(", ")),
                    Cell::code(row.place()),
                ]
            });
            let head = ["At", "Took", "Part", "Linked to", "Remarks", "Row"].map(Column::left);
            page.table(head.to_vec(), rows.collect());
        }
        if !left.is_empty() {
            page.heading("Left out");
            for row in &self.metric.left_out {
                page.text(format!("{} {}: {}.", row.rows, row.code, row.words));
            }
            let rows = left.iter().take(MOST_SHOWN).map(|row| {
                vec![
                    Cell::plain(row.reason.unwrap_or_default()),
                    Cell::code(row.place()),
                ]
            });
            page.table(
                ["Because", "Row"].map(Column::left).to_vec(),
                rows.collect(),
            );
        }
        let shown = counted.len().min(MOST_SHOWN) + left.len().min(MOST_SHOWN);
        if shown < self.rows.len() {
            page.text(format!(
                "{} of {} rows are shown; `--format json` has all of them.",
                shown,
                self.rows.len()
            ));
        }
        page
    }
}
