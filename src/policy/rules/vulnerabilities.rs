//! `vulnerabilities`: known vulnerabilities in what is delivered.
//!
//! What several scanners report under several names is one finding. No report, a report of nothing looked at, one with an old database and
//! a finding without a severity are unknown, which has an outcome of its own and never passes unseen. A VEX statement counts when it says
//! why; an ignore has a reason, an owner and a last day, and is named when that is past.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Deserialize;

use super::{About, Order};
use crate::policy::packages::{
    Outcome, fingerprint, holds, is_called, missing, packages, push_unknown, said, target,
};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule, Target};
use crate::supply::Supplied;
use crate::supply::package::Package;
use crate::supply::severity::Severity;
use crate::supply::vex::{Asked, Statement, Status};
use crate::supply::vulns::{Fix, Scan, Vulnerability, merge};

pub(super) const ABOUT: About = About {
    name: "vulnerabilities",
    what: "known vulnerabilities in what is delivered",
    fix: "update the package to a version without it",
    keys: &[("fail_on", Order::Words(&["critical", "high", "medium", "low", "negligible"], "high")), ("only_fixed", Order::False(false)), ("new_only", Order::False(false)), ("unknown", Order::Words(&["allow", "warn", "review", "block"], "block")), ("remarks", Order::Words(&["allow", "warn", "review", "block"], "warn")), ("max_database_age", Order::Less), ("ignore", Order::Shrinks)],
};

/// `vulnerabilities`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Vulnerabilities {
    /// From which severity on nothing goes in; `high` unless set.
    #[serde(default = "high")]
    fail_on: Severity,
    /// Whether only those count that a later version is free of.
    #[serde(default)]
    only_fixed: bool,
    /// Whether only those count that the change brings.
    #[serde(default)]
    new_only: bool,
    /// What follows for a finding without a severity, and for a report that says too little; the entry's own severity unless set.
    #[serde(default)]
    unknown: Option<Outcome>,
    /// What follows for warnings that are no vulnerabilities, as of packages that nobody maintains; `warn` unless set.
    #[serde(default = "warn")]
    remarks: Outcome,
    /// The most days that a scanner's database may be old; reports that do not say how old it is are unknown then.
    #[serde(default)]
    max_database_age: Option<u32>,
    /// Findings that somebody answers for.
    #[serde(default)]
    ignore: Vec<Ignore>,
}

fn high() -> Severity {
    Severity::High
}

fn warn() -> Outcome {
    Outcome::Warn
}

/// A finding that somebody answers for, until a day.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Ignore {
    /// Any name of the vulnerability: CVE, GHSA, RUSTSEC…
    id: String,
    /// In one package only, as its registry has it; in all unless set.
    #[serde(default)]
    package: Option<String>,
    /// In one version of the package only.
    #[serde(default)]
    version: Option<String>,
    /// The last day on which it holds.
    #[cfg_attr(test, schemars(with = "String"))]
    until: Date,
    /// Why.
    reason: String,
    /// Who answers for it.
    owner: String,
}

impl Ignore {
    fn is_about(&self, found: &Vulnerability) -> bool {
        let package = self.package.as_deref();
        found.is_called(&self.id)
            && package.is_none_or(|name| is_called(&found.package, name, self.version.as_deref()))
    }
}

/// What is known about the findings of the head.
struct Known<'s> {
    /// Statements by names of vulnerabilities, the latest last.
    statements: HashMap<String, Vec<&'s Statement>>,
    /// References of components by name and version.
    references: HashMap<(String, String), &'s str>,
    whole: Option<(&'s Package, Option<&'s str>)>,
}

impl<'s> Known<'s> {
    fn of(supplied: &'s Supplied) -> Self {
        let bills = || supplied.head.bills.iter();
        let components = bills().flat_map(|bill| &bill.components);
        let references = components.filter_map(|one| {
            let key = (one.package.key().1, one.package.version_key().to_owned());
            Some((key, one.reference.as_deref()?))
        });
        let root = bills().find_map(|bill| bill.root.as_ref());
        let mut statements: HashMap<String, Vec<&Statement>> = HashMap::new();
        for statement in &supplied.vex {
            for id in &statement.ids {
                statements
                    .entry(id.to_ascii_uppercase())
                    .or_default()
                    .push(statement);
            }
        }
        Self {
            statements,
            references: references.collect(),
            whole: root.map(|root| (&root.package, root.reference.as_deref())),
        }
    }

    /// Returns whether the latest statement about a finding says that it does no harm and why, or what it lacks.
    fn is_excused(&self, found: &Vulnerability) -> Result<bool, String> {
        let key = (
            found.package.key().1,
            found.package.version_key().to_owned(),
        );
        let asked = Asked {
            package: &found.package,
            reference: self.references.get(&key).copied(),
            whole: self.whole,
        };
        let named = found.ids.iter().filter_map(|id| {
            let own = self.statements.get(&id.to_ascii_uppercase())?;
            own.iter().rfind(|one| one.is_about(asked))
        });
        // Of one time, the first name that has a statement decides.
        let Some(last) = named.reduce(|one, other| if other.time > one.time { other } else { one })
        else {
            return Ok(false);
        };
        let word = match last.status {
            Status::NotAffected => "not affected",
            Status::Fixed => "fixed",
            Status::Affected | Status::UnderInvestigation => return Ok(false),
        };
        if last.justification.is_some() {
            return Ok(true);
        }
        Err(format!(
            "`{}` says that it is {word} and not why, so that does not count",
            last.report
        ))
    }
}

impl Vulnerabilities {
    /// Says what a report leaves open.
    fn check_scan(&self, scan: &Scan, today: Date, breaches: &mut Vec<Breach>) {
        let mut open = |message: String, observed: String, limit: &str, fix: &str| {
            let breach = Breach {
                fix: Some(fix.to_owned()),
                ..Breach::new(
                    Target::Report(scan.report.clone()),
                    message,
                    observed,
                    limit.to_owned(),
                )
            };
            push_unknown(breach, self.unknown, breaches);
        };
        let tool = &scan.tool;
        if scan.looked_at == Some(0) {
            let message = format!("{tool} looked at no package: its report says nothing");
            open(
                message,
                "0 packages".into(),
                "at least one package",
                "let the scanner see the lock files or the image",
            );
        }
        if scan.is_silent() {
            let message =
                format!("{tool} found nothing, and does not say that it looked at anything");
            let fix = match tool.as_str() {
                "osv-scanner" => "run it with `--all-packages`, so that it names what it looked at",
                _ => "let the scanner name what it looked at, or its database",
            };
            open(message, "an empty report".into(), "what was looked at", fix);
        }
        if let Some(first) = scan.skipped.first() {
            let count = scan.skipped.len();
            let message = format!(
                "{tool} could not look at {}, as {first}",
                packages(count, "")
            );
            open(
                message,
                format!("{} left out", packages(count, "")),
                "all packages",
                "let the scanner reach the registry that has them",
            );
        }
        let Some(most) = self.max_database_age else {
            return;
        };
        let limit = format!("at most {most} days old");
        match scan.database {
            None => {
                let message = format!("{tool} does not say how old its database is");
                open(
                    message,
                    "no date".into(),
                    &limit,
                    "use a scanner that names its database's day, or drop `max_database_age`",
                );
            }
            Some(built) => {
                let age = (today - built).get_days();
                if age > i32::try_from(most).unwrap_or(i32::MAX) {
                    let message = format!("the database of {tool} is {age} days old ({built})");
                    open(
                        message,
                        format!("{age} days old"),
                        &limit,
                        "update the scanner's database",
                    );
                }
            }
        }
    }

    fn judge(
        &self,
        found: &Vulnerability,
        known: &Known<'_>,
        today: Date,
        breaches: &mut Vec<Breach>,
    ) {
        let is_below = found
            .severity
            .is_some_and(|severity| severity < self.fail_on);
        let is_remark = found.remark.is_some() && found.severity.is_none();
        // Where nobody says whether there is a fix, there may be one.
        if is_below || (self.only_fixed && found.fix == Fix::Missing && !is_remark) {
            return;
        }
        let mut more = String::new();
        match known.is_excused(found) {
            Ok(true) => return,
            Ok(false) => {}
            Err(why) => more = format!("; {why}"),
        }
        for ignore in self.ignore.iter().filter(|ignore| ignore.is_about(found)) {
            if holds(ignore.until, today) {
                return;
            }
            more = format!(
                "; its ignore by {} ended on {} ({})",
                ignore.owner, ignore.until, ignore.reason
            );
        }
        let shown = found.package.shown();
        let word = match (&found.remark, found.severity) {
            (Some(remark), None) => remark.as_str(),
            (_, Some(severity)) => severity.name(),
            (None, None) => "unknown severity",
        };
        let names = match found.ids.get(1..) {
            Some(others) if !others.is_empty() => {
                format!("{}, also {}", found.id(), shown_list(others))
            }
            _ => found.id().to_owned(),
        };
        let message = format!(
            "`{shown}` has {names} ({word}, found by {}){more}",
            found.tools.join(", ")
        );
        let fix = match &found.fix {
            Fix::Versions(versions) => format!(
                "update `{}`: fixed in {}",
                found.package.name,
                shown_list(versions)
            ),
            Fix::Missing => format!(
                "no version without it is known: use another package than `{}`, or ignore it with a reason, an owner and a day",
                found.package.name
            ),
            Fix::Unknown => format!(
                "look for a version of `{}` without it{}",
                found.package.name,
                found
                    .url
                    .as_ref()
                    .map(|url| format!(": {url}"))
                    .unwrap_or_default()
            ),
        };
        let limit = format!("below {}", self.fail_on.name());
        let breach = Breach {
            fix: Some(fix),
            fingerprint: Some(fingerprint("vulnerabilities", &found.package, found.id())),
            ..Breach::new(
                target(&found.package, found.purl.as_ref()),
                message,
                word.to_owned(),
                limit,
            )
        };
        match found.severity {
            None if is_remark => push_unknown(breach, Some(self.remarks), breaches),
            None => push_unknown(breach, self.unknown, breaches),
            Some(_) => breaches.push(breach),
        }
    }

    /// Returns the findings that count, or what is missing to tell which are new.
    fn counted(&self, supplied: &Supplied) -> Result<Vec<Vulnerability>, String> {
        let mut found = merge(&supplied.head.scans);
        if !self.new_only {
            return Ok(found);
        }
        if !supplied.base.scans.is_empty() {
            let names = |one: &Vulnerability| {
                let key = one.package.key();
                let ids = one.ids.iter().map(|id| id.to_ascii_uppercase());
                ids.map(|id| (key.clone(), id)).collect::<Vec<_>>()
            };
            let known: BTreeSet<_> = merge(&supplied.base.scans).iter().flat_map(names).collect();
            found.retain(|one| !names(one).iter().any(|name| known.contains(name)));
            return Ok(found);
        }
        let news = supplied.news().map_err(|_| {
            "no report about the base was given, nor SBOMs or lock files of both sides: which vulnerabilities are new cannot be told".to_owned()
        })?;
        let mut by_name: HashMap<String, Vec<&Package>> = HashMap::new();
        for one in &news {
            let package = &one.component.package;
            by_name.entry(package.key().1).or_default().push(package);
        }
        found.retain(|one| {
            let same = by_name.get(&one.package.key().1);
            same.is_some_and(|same| same.iter().any(|package| package.is(&one.package)))
        });
        Ok(found)
    }
}

/// Returns some words, and how many more there are.
fn shown_list(words: &[String]) -> String {
    let shown: Vec<&str> = words.iter().take(5).map(String::as_str).collect();
    match words.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Rule for Vulnerabilities {
    fn is_sound(&self) -> Result<(), String> {
        for ignore in &self.ignore {
            said("id", &ignore.id)?;
            said("reason", &ignore.reason)?;
            said("owner", &ignore.owner)?;
            if ignore.version.is_some() && ignore.package.is_none() {
                return Err(format!(
                    "the ignore of {} has a `version` and no `package`",
                    ignore.id
                ));
            }
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let limit = "a report of a scanner";
        let Some(supplied) = subject
            .supplied
            .filter(|supplied| !supplied.head.scans.is_empty())
        else {
            breaches.push(missing(
                "no report of vulnerabilities was given".into(),
                "--vulns",
                limit,
            ));
            return;
        };
        for scan in &supplied.head.scans {
            self.check_scan(scan, subject.today, breaches);
        }
        match self.counted(supplied) {
            Ok(found) => {
                let known = Known::of(supplied);
                for one in &found {
                    self.judge(one, &known, subject.today, breaches);
                }
            }
            Err(what) => breaches.push(missing(
                what,
                "--base-vulns",
                "a report about the base as well",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
