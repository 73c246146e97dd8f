//! A violation, as the documents of `check-policy` have it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Location, Severity};
use crate::output::{Inline, Page};
use crate::policy::engine::{Forgiven, Violation};
use crate::policy::{Target, Weight};

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::cli) struct ViolationRow {
    /// The entry's id.
    pub(super) entry: String,
    pub(in crate::cli) rule: &'static str,
    /// `block`, `review` or `warn`.
    pub(super) severity: &'static str,
    target: TargetRow,
    pub(in crate::cli) message: String,
    pub(super) observed: String,
    pub(super) limit: String,
    pub(super) reason: String,
    pub(super) fix: String,
    owner: Option<String>,
    /// The last day on which the entry, or what is ignored of it, holds.
    expires: Option<String>,
    /// Whether an organisation or maestro itself holds it.
    locked: bool,
    /// What a baseline knows it by; nothing for what none may forgive.
    pub(super) fingerprint: Option<String>,
    pub(in crate::cli) forgiven: Option<ForgivenRow>,
}

/// What it is about.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
enum TargetRow {
    /// A file.
    File { path: String, line: Option<u32> },
    /// A package.
    Package {
        name: String,
        version: String,
        purl: Option<String>,
    },
    /// The change as a whole.
    Change,
    /// What is said of it: `title`, `author`, `label`, `budget`, `policy`.
    Said { what: &'static str },
    /// A report.
    Report { name: String },
}

/// Why it does not count.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(tag = "by", rename_all = "lowercase")]
pub(in crate::cli) enum ForgivenRow {
    /// Somebody answers for it, until a day.
    Ignore {
        reason: String,
        owner: String,
        expires: String,
    },
    /// It was there before.
    Baseline,
    /// Persons approved this head.
    Approval { people: Vec<String> },
}

pub(in crate::cli) fn violation(one: &Violation) -> ViolationRow {
    ViolationRow {
        entry: one.entry.clone(),
        rule: one.rule.name,
        severity: one.weight.name(),
        target: match &one.target {
            Target::Place(place) => TargetRow::File {
                path: place.path.clone(),
                line: place.line,
            },
            Target::Package {
                name,
                version,
                purl,
            } => TargetRow::Package {
                name: name.clone(),
                version: version.clone(),
                purl: purl.clone(),
            },
            Target::Change => TargetRow::Change,
            Target::Said(what) => TargetRow::Said { what },
            Target::Report(name) => TargetRow::Report { name: name.clone() },
        },
        message: one.message.clone(),
        observed: one.observed.clone(),
        limit: one.limit.clone(),
        reason: one.reason.clone(),
        fix: one.fix.clone(),
        owner: one.owner.clone(),
        expires: one.expires.map(|day| day.to_string()),
        locked: one.is_locked,
        fingerprint: one.fingerprint.clone(),
        forgiven: one.forgiven.as_ref().map(|forgiven| match forgiven {
            Forgiven::Ignored {
                reason,
                owner,
                expires,
            } => ForgivenRow::Ignore {
                reason: reason.clone(),
                owner: owner.clone(),
                expires: expires.to_string(),
            },
            Forgiven::Baseline => ForgivenRow::Baseline,
            Forgiven::Approved(people) => ForgivenRow::Approval {
                people: people.clone(),
            },
        }),
    }
}

/// Returns what a violation is about, as people read it.
pub(in crate::cli) fn shown(one: &Violation) -> String {
    violation(one).shown()
}

impl ViolationRow {
    pub(super) fn weight(&self) -> Weight {
        match self.severity {
            "block" => Weight::Block,
            "review" => Weight::Review,
            _ => Weight::Warn,
        }
    }

    pub(in crate::cli) fn location(&self) -> Option<Location> {
        match &self.target {
            TargetRow::File { path, line } => Some(Location {
                path: path.clone(),
                line: *line,
                column: None,
            }),
            _ => None,
        }
    }

    pub(super) fn shown(&self) -> String {
        match &self.target {
            TargetRow::File { path, line } => {
                line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
            }
            TargetRow::Package { name, version, .. } => format!("{name}@{version}"),
            TargetRow::Change => "the change".to_owned(),
            TargetRow::Said { what } => (*what).to_owned(),
            TargetRow::Report { name } => name.clone(),
        }
    }

    /// What is forgiven is worth knowing, and no more.
    pub(in crate::cli) fn severity(&self) -> Severity {
        match self.weight() {
            _ if self.forgiven.is_some() => Severity::Notice,
            Weight::Block | Weight::Review => Severity::Error,
            Weight::Warn => Severity::Warning,
        }
    }

    pub(super) fn why_forgiven(&self) -> Option<String> {
        Some(match self.forgiven.as_ref()? {
            ForgivenRow::Ignore {
                reason,
                owner,
                expires,
            } => format!("ignored until {expires} by {owner}: {reason}"),
            ForgivenRow::Baseline => "it was there before (baseline)".to_owned(),
            ForgivenRow::Approval { people } => format!("approved by {}", people.join(", ")),
        })
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("observed", self.observed.clone()),
            ("limit", self.limit.clone()),
            ("reason", self.reason.clone()),
            ("fix", self.fix.clone()),
        ];
        facts.extend(self.owner.clone().map(|owner| ("owner", owner)));
        facts.extend(self.expires.clone().map(|expires| ("expires", expires)));
        if self.location().is_none() {
            facts.insert(0, ("about", self.shown()));
        }
        facts
    }

    pub(in crate::cli) fn show(&self, page: &mut Page) {
        let word = match self.weight() {
            _ if self.forgiven.is_some() => "FORGIVEN",
            Weight::Block => "BLOCK",
            Weight::Review => "REVIEW",
            Weight::Warn => "WARN",
        };
        page.line(vec![
            Inline::Plain(format!("{word}  ")),
            Inline::Code(self.shown()),
            Inline::Plain(format!(": {} (", self.message)),
            Inline::Code(format!("policy/{}", self.rule)),
            Inline::Plain(", entry ".into()),
            Inline::Code(self.entry.clone()),
            Inline::Plain(")".into()),
        ]);
        page.line(vec![
            Inline::Plain("  observed ".into()),
            Inline::Code(self.observed.clone()),
            Inline::Plain("; limit ".into()),
            Inline::Code(self.limit.clone()),
        ]);
        page.text(format!("  why: {}", self.reason));
        match self.why_forgiven() {
            Some(why) => page.line(vec![Inline::Plain("  ".into()), Inline::Code(why)]),
            None => page.text(format!("  fix: {}", self.fix)),
        }
        if let Some(owner) = &self.owner {
            page.line(vec![
                Inline::Plain("  owner: ".into()),
                Inline::Code(owner.clone()),
            ]);
        }
    }
}

/// A violation on a line of its own.
#[derive(Serialize)]
pub(super) struct Line<'r> {
    pub(super) schema: &'static str,
    #[serde(flatten)]
    pub(super) row: &'r ViolationRow,
}
