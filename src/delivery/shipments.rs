//! Deployments, whatever stands for them: GitHub's deployments, runs of workflows, releases or tags.
//!
//! A deployment succeeded when any of its statuses was `success`, at the time of the first one: GitHub sets older ones to `inactive` by itself
//! (docs.github.com, "REST API endpoints for deployment statuses"), which is no failure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ask::{Ask, Source};
use super::reasons::Reason;
use super::rows::{Deployment, Run, Tag};
use super::table::{Kind, Ref, Rows, numbered};
use crate::order;

/// Something that reached its users.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shipment<'a> {
    /// When it had succeeded.
    pub(crate) at: Timestamp,
    pub(crate) row: Ref,
    pub(crate) sha: &'a str,
    pub(crate) environment: &'a str,
    /// When its own status became a failure after it had succeeded.
    pub(crate) failed_at: Option<Timestamp>,
}

/// A row that was not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeftOut {
    pub(crate) row: Ref,
    pub(crate) reason: Reason,
}

/// What shipped, oldest first, and what did not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shipped<'a> {
    pub(crate) source: Option<Source>,
    pub(crate) list: Vec<Shipment<'a>>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Shipped<'_> {
    fn leave(&mut self, row: Ref, reason: Reason) {
        self.left_out.push(LeftOut { row, reason });
    }
}

/// Takes deployments from the first source that has any; where an environment was named, GitHub's deployments know about it and nobody else.
pub(crate) fn shipped<'a>(rows: &'a Rows, ask: &Ask<'_>) -> Shipped<'a> {
    let mut empty = Shipped::default();
    for source in ask.sources {
        let found = of_source(rows, ask, *source);
        let is_named = ask.environment.is_some()
            && *source == Source::Deployments
            && !rows.deployments.is_empty();
        if is_named || !found.list.is_empty() {
            return found;
        }
        if empty.source.is_none() && !found.left_out.is_empty() {
            empty = found;
        }
    }
    empty
}

/// Takes releases, or tags where there are none.
pub(crate) fn released<'a>(rows: &'a Rows, ask: &Ask<'_>) -> Shipped<'a> {
    let releases = of_source(rows, ask, Source::Releases);
    if releases.list.is_empty() {
        return of_source(rows, ask, Source::Tags);
    }
    releases
}

/// Takes what one source has.
fn of_source<'a>(rows: &'a Rows, ask: &Ask<'_>, source: Source) -> Shipped<'a> {
    let mut found = Shipped {
        source: Some(source),
        ..Shipped::default()
    };
    match source {
        Source::Deployments => deployments(&rows.deployments, ask, &mut found),
        Source::Runs => runs(&rows.runs, ask, &mut found),
        Source::Releases => releases(rows, ask, &mut found),
        Source::Tags => tags(&rows.tags, ask, &mut found),
    }
    order::sort(&mut found.list);
    found
}

fn deployments<'a>(rows: &'a [Deployment], ask: &Ask<'_>, found: &mut Shipped<'a>) {
    for (known, row) in numbered(Kind::Deployment, rows) {
        let is_wanted = match ask.environment {
            Some(environment) => row.environment == environment,
            None => row.production || is_production(&row.environment),
        };
        let reason = match row.first_success {
            _ if !is_wanted => Reason::OtherEnvironment,
            Some(at) if at > ask.now => Reason::InFuture,
            Some(at) => {
                found.list.push(Shipment {
                    at,
                    row: known,
                    sha: &row.sha,
                    environment: &row.environment,
                    failed_at: row
                        .failed_at
                        .filter(|failed| *failed > at && *failed <= ask.now),
                });
                continue;
            }
            None if ["pending", "queued", "in_progress", ""].contains(&row.status.as_str()) => {
                Reason::InProgress
            }
            None => Reason::NeverSucceeded,
        };
        found.leave(known, reason);
    }
}

/// Whether an environment's name says that its users are there.
pub(crate) fn is_production(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let known = ["production", "prod", "live"];
    words
        .into_iter()
        .any(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Of a run that was tried again the first attempt that succeeded counts.
fn runs<'a>(rows: &'a [Run], ask: &Ask<'_>, found: &mut Shipped<'a>) {
    let word = ask.workflow.to_lowercase();
    let mut by_run: BTreeMap<u64, Vec<(Ref, &Run)>> = BTreeMap::new();
    for (known, row) in numbered(Kind::Run, rows) {
        by_run.entry(row.id).or_default().push((known, row));
    }
    for mut attempts in by_run.into_values() {
        order::sort_by_key(&mut attempts, |(_, run)| run.attempt);
        let shipping = attempts
            .iter()
            .position(|(_, run)| run.conclusion == "success");
        for (place, (known, run)) in attempts.into_iter().enumerate() {
            let at = run.updated.max(run.started.unwrap_or(run.created));
            let is_other = run.event.starts_with("pull_request")
                || ask.branch.is_some_and(|branch| run.branch != branch);
            let reason = if !run.workflow.to_lowercase().contains(&word) {
                Reason::OtherWorkflow
            } else if is_other {
                Reason::OtherBranch
            } else if at > ask.now {
                Reason::InFuture
            } else if run.conclusion.is_empty() {
                Reason::InProgress
            } else if shipping == Some(place) {
                found.list.push(Shipment {
                    at,
                    row: known,
                    sha: &run.sha,
                    environment: "",
                    failed_at: None,
                });
                continue;
            } else if shipping.is_some() {
                Reason::EarlierAttempt
            } else {
                Reason::NeverSucceeded
            };
            found.leave(known, reason);
        }
    }
}

fn releases<'a>(rows: &'a Rows, ask: &Ask<'_>, found: &mut Shipped<'a>) {
    let tags = order::map(rows.tags.iter().map(|tag| (tag.name.as_str(), &tag.sha)));
    let mut sorted: Vec<_> = numbered(Kind::Release, &rows.releases).collect();
    order::sort_by_key(&mut sorted, |(_, row)| (row.published, row.id));
    let mut seen = BTreeSet::new();
    for (known, row) in sorted {
        let tagged = tags.get(row.tag.as_str()).copied();
        let sha = match row.sha.as_str() {
            "" => tagged.map(String::as_str).unwrap_or_default(),
            sha => sha,
        };
        let reason = match row.published {
            None => Reason::Draft,
            Some(_) if row.draft => Reason::Draft,
            Some(_) if row.prerelease => Reason::PreRelease,
            Some(at) if at > ask.now => Reason::InFuture,
            Some(_) if !sha.is_empty() && !seen.insert(sha) => Reason::SameCommit,
            Some(at) => {
                found.list.push(Shipment {
                    at,
                    row: known,
                    sha,
                    environment: "",
                    failed_at: None,
                });
                continue;
            }
        };
        found.leave(known, reason);
    }
}

/// Of several tags on one commit the most exact version counts: others move along, as `v2` beside `v2.9.4`.
fn tags<'a>(rows: &'a [Tag], ask: &Ask<'_>, found: &mut Shipped<'a>) {
    let mut sorted: Vec<_> = numbered(Kind::Tag, rows).collect();
    order::sort_by_key(&mut sorted, |(_, row)| {
        let dots = row.name.matches('.').count();
        (std::cmp::Reverse(dots), row.at, &row.name)
    });
    let mut seen = BTreeSet::new();
    for (known, row) in sorted {
        let reason = match version(&row.name) {
            None => Reason::NotAVersion,
            Some(Version::Pre) => Reason::PreRelease,
            Some(Version::Whole) if row.at > ask.now => Reason::InFuture,
            Some(Version::Whole) if !row.sha.is_empty() && !seen.insert(&row.sha) => {
                Reason::SameCommit
            }
            Some(Version::Whole) => {
                found.list.push(Shipment {
                    at: row.at,
                    row: known,
                    sha: &row.sha,
                    environment: "",
                    failed_at: None,
                });
                continue;
            }
        };
        found.leave(known, reason);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Whole,
    Pre,
}

/// Reads a tag's name as a version: numbers with dots, after `v` or a name and a separator. What follows a `-` makes it a pre-release, as in
/// Semantic Versioning 2.0.0, 9.
fn version(name: &str) -> Option<Version> {
    let name = name.rsplit(['/', '@']).next().unwrap_or(name);
    let from = name.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = name.split_at(from);
    let before = before.strip_suffix(['v', 'V']).unwrap_or(before);
    if !before.is_empty() && !before.ends_with(['-', '_', '.']) {
        return None;
    }
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    match after.chars().next() {
        None | Some('+') => Some(Version::Whole),
        Some(_) => Some(Version::Pre),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_version_a_pre_release_or_neither() {
        for whole in [
            "v1.2.3",
            "1.2",
            "v2",
            "pkg-v1.0.0",
            "pkg/v1.0.0",
            "@a/b@1.0.0",
            "v1.0.0+7",
            "v20250513",
        ] {
            assert_eq!(version(whole), Some(Version::Whole), "{whole}");
        }
        for pre in ["v1.0.0-rc.1", "1.0.0beta2", "v1.0.3-q-dev"] {
            assert_eq!(version(pre), Some(Version::Pre), "{pre}");
        }
        for none in ["latest", "stable", "build7", "x86"] {
            assert_eq!(version(none), None, "{none}");
        }
    }

    #[test]
    fn production_is_a_word_of_an_environments_name() {
        for name in ["production", "Production (EU)", "prod-eu", "live"] {
            assert!(is_production(name), "{name}");
        }
        for name in ["staging", "product", "delivery", "preview"] {
            assert!(!is_production(name), "{name}");
        }
    }
}
