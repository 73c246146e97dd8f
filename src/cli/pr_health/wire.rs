//! The document of `pr-health`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::Judged;
use crate::change::base::short;
use crate::finding::{Finding, Location, Severity};
use crate::forge::body::Section;
use crate::gate::parts::HealthPart;
use crate::health::comment::Time;
use crate::health::merge_time::sentence;
use crate::health::{Evidence, Factor, Risk, comment};
use crate::output::{Cell, Column, Inline, Page, Report, Tone};

/// Annotations of one factor: GitHub shows ten of a step.
const MOST_FINDINGS: usize = 5;

/// Evidence of one factor that people see.
const MOST_SHOWN: usize = 10;

/// How a pull request stands.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.pr-health/v1"))]
pub(crate) struct PrHealthDocument {
    /// `maestro.pr-health/v1`
    schema: &'static str,
    /// `low`, `medium` or `high`.
    risk: &'static str,
    /// Why.
    reason: String,
    /// The mean of the factors that are known, by weight; nothing where none is.
    score: Option<u8>,
    /// The commits that the change was compared with.
    merge_bases: Vec<String>,
    /// The commit that was judged.
    head: String,
    pull_request: Option<u64>,
    /// In order of name.
    factors: Vec<FactorRow>,
    merge_time: TimeRow,
    /// What reports of coverage were read.
    coverage: Option<CoverageRow>,
    #[serde(skip)]
    level: Risk,
    #[serde(skip)]
    sections: Vec<Section>,
    /// When it may be merged, in a sentence.
    #[serde(skip)]
    time: String,
}

/// A factor.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FactorRow {
    name: &'static str,
    /// From 0 to 100; nothing where it is unknown.
    score: Option<u8>,
    /// How much it counts.
    weight: u32,
    /// Why the score is what it is, or unknown.
    why: String,
    evidence: Vec<EvidenceRow>,
    recommendations: Vec<AdviceRow>,
}

/// Something that a score rests on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct EvidenceRow {
    /// In others' words: a path, a test, a message.
    about: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What somebody can do.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct AdviceRow {
    text: String,
    /// Places in the factor's list of evidence, from 0, that it follows from.
    because_of: Vec<usize>,
}

/// When it may be merged.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TimeRow {
    /// Half of the pull requests like it were merged so many seconds after they were opened; nothing where that cannot be told.
    p50_seconds: Option<i64>,
    /// Four of five of them.
    p80_seconds: Option<i64>,
    /// How many past ones it rests on.
    n: Option<u64>,
    /// How many of these are like it, as their weights come to.
    alike: Option<u64>,
    /// How long it has been open; past ones that were merged sooner are left out.
    open_seconds: Option<i64>,
    /// Whether past ones are what git alone shows: from the first commit of a branch to its merge.
    proxy: bool,
    /// Why it cannot be told.
    unknown: Option<String>,
}

/// What reports of coverage were read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CoverageRow {
    forms: Vec<&'static str>,
    /// Files of theirs that are none of the repository's, or may be several.
    unplaced: u64,
}

fn evidence(one: &Evidence) -> EvidenceRow {
    EvidenceRow {
        about: one.about.clone(),
        text: one.text.clone(),
        path: one.place.as_ref().map(|place| place.path.clone()),
        line: one.place.as_ref().and_then(|place| place.line),
        url: one.url.clone(),
    }
}

fn factor(one: &Factor) -> FactorRow {
    let advice = one.advice.iter().map(|advice| AdviceRow {
        text: advice.text.clone(),
        because_of: advice.because_of.clone(),
    });
    FactorRow {
        name: one.name,
        score: one.score,
        weight: one.weight,
        why: one.why.clone(),
        evidence: one.evidence.iter().map(evidence).collect(),
        recommendations: advice.collect(),
    }
}

/// A sentence of ours; what stands between backticks in it is a name.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => Inline::Plain(part.to_owned()),
        _ => Inline::Code(part.to_owned()),
    });
    parts.collect()
}

impl PrHealthDocument {
    pub(super) fn new(judged: &Judged) -> Self {
        let health = &judged.health;
        let known = judged.time.as_ref().ok();
        let time: Time<'_> = judged.time.as_ref().map(|known| (known, judged.is_proxy));
        // Whole ones are meant, and there are no more of them than there are rows.
        let alike = known.map(|known| format!("{:.0}", known.alike).parse().unwrap_or(0));
        Self {
            schema: "maestro.pr-health/v1",
            risk: health.risk.name(),
            reason: health.reason.clone(),
            score: health.score,
            merge_bases: judged.bases.clone(),
            head: judged.head.clone(),
            pull_request: judged.number,
            factors: health.factors.iter().map(factor).collect(),
            merge_time: TimeRow {
                p50_seconds: known.map(|known| known.p50),
                p80_seconds: known.map(|known| known.p80),
                n: known.map(|known| known.many as u64),
                alike,
                open_seconds: known.map(|known| known.open_for),
                proxy: judged.is_proxy,
                unknown: judged.time.as_ref().err().map(ToString::to_string),
            },
            coverage: judged
                .coverage
                .clone()
                .map(|(forms, unplaced)| CoverageRow { forms, unplaced }),
            level: health.risk,
            sections: comment::sections(health, Some(time), &judged.head),
            time: match time {
                Ok((known, is_proxy)) => sentence(known, is_proxy),
                Err(why) => format!("When it will be merged cannot be told: {why}."),
            },
        }
    }

    pub(super) fn risk(&self) -> Risk {
        self.level
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn pull_request(&self) -> Option<u64> {
        self.pull_request
    }

    /// Whether somebody can do something about it.
    pub(super) fn is_actionable(&self) -> bool {
        self.level == Risk::High
            || self
                .factors
                .iter()
                .any(|row| !row.recommendations.is_empty())
    }

    /// Returns its part of the one comment.
    pub(super) fn part(&self) -> HealthPart {
        HealthPart {
            commit: self.head.clone(),
            is_of_gate: false,
            sections: self.sections.clone(),
        }
    }
}

impl Report for PrHealthDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "Health: {} risk, at {}",
            self.risk,
            short(&self.head)
        ));
        page.line(inlines(&self.reason));
        let rows = self.factors.iter().map(|row| {
            let tone = match row.score {
                None => Tone::Plain,
                Some(80..) => Tone::Good,
                Some(50..) => Tone::Warn,
                Some(_) => Tone::Bad,
            };
            let score = row
                .score
                .map_or_else(|| "unknown".to_owned(), |score| score.to_string());
            vec![
                Cell::plain(row.name),
                Cell::toned(score, tone),
                Cell::plain(row.weight.to_string()),
                Cell::plain(&row.why),
            ]
        });
        let head = vec![
            Column::left("factor"),
            Column::right("score"),
            Column::right("weight"),
            Column::left("why"),
        ];
        page.table(head, rows.collect());
        page.text(self.time.clone());
        for row in &self.factors {
            for advice in &row.recommendations {
                let about = advice
                    .because_of
                    .iter()
                    .filter_map(|at| row.evidence.get(*at));
                let mut line = vec![Inline::Plain(format!("{}: {}: ", row.name, advice.text))];
                let many = advice.because_of.len();
                for (at, one) in about.take(MOST_SHOWN).enumerate() {
                    if at > 0 {
                        line.push(Inline::Plain(", ".into()));
                    }
                    line.push(Inline::Code(one.about.clone()));
                }
                if many > MOST_SHOWN {
                    line.push(Inline::Plain(format!(" and {} more", many - MOST_SHOWN)));
                }
                page.line(line);
            }
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for row in &self.factors {
            let wanted: Vec<usize> = row
                .recommendations
                .iter()
                .flat_map(|advice| advice.because_of.iter().copied())
                .collect();
            let placed = wanted
                .iter()
                .filter_map(|at| row.evidence.get(*at))
                .filter(|one| one.path.is_some());
            findings.extend(placed.take(MOST_FINDINGS).map(|one| Finding {
                code: format!("health/{}", row.name),
                severity: Severity::Notice,
                message: format!("{} {}", one.about, one.text),
                location: one.path.clone().map(|path| Location {
                    path,
                    line: one.line,
                    column: None,
                }),
            }));
        }
        findings
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("risk".into(), self.risk.into()),
            (
                "score".into(),
                self.score
                    .map_or_else(String::new, |score| score.to_string()),
            ),
        ]
    }
}
