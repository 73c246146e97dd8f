//! What GitHub says: the jobs of this run, and who lets what pass.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::wire::GateDocument;
use crate::cli::check_policy;
use crate::cli::plan::trigger::branch;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::enter_installation;
use crate::config::ConfigFile;
use crate::config::days::days_of;
use crate::error::{CommandError, ErrorKind};
use crate::event::{Origin, plain_name};
use crate::forge::api::account;
use crate::forge::api::issues::{self, Comment, TimelineEvent};
use crate::forge::api::runs::{self, Job};
use crate::forge::problem::ForgeError;
use crate::gate::Problem;
use crate::gate::compare::Ran;
use crate::gate::overrides::{Claim, Override, Refused, Terms, counts, of_comment, of_label};
use crate::state::v1::{OverrideRecord, encode_override};

/// How long GitHub is asked.
const SECONDS: u64 = 60;

/// Of more than this nothing is concluded.
const MOST_JOBS: usize = 5_000;

/// More comments than this nobody reads.
const MOST_COMMENTS: usize = 5_000;

/// How long an override lasts unless the configuration says.
const DAYS: u16 = 7;

/// Returns GitHub and the number and attempt of this run; nothing without a token or outside of a run.
pub(super) fn github<'w>(
    session: &Session<'w>,
) -> Result<Option<(GitHub<'w>, u64, u32)>, CommandError> {
    let number = |name: &str| session.var(name).and_then(|text| text.parse::<u64>().ok());
    let Some(run) = number("GITHUB_RUN_ID") else {
        return Ok(None);
    };
    if session.settings.offline.value {
        return Ok(None);
    }
    let Some((github, whose)) = session.github(None, None, SECONDS)? else {
        return Ok(None);
    };
    if github.server.borrow().is_none() {
        return Ok(None);
    }
    enter_installation(&github, &whose)?;
    let attempt = number("GITHUB_RUN_ATTEMPT").and_then(|attempt| u32::try_from(attempt).ok());
    Ok(Some((github, run, attempt.unwrap_or(1).max(1))))
}

/// Returns how each job of this run ended, by its last attempt; nothing where GitHub does not say, and then `needs` counts alone.
pub(super) fn jobs(session: &mut Session<'_>, infos: &mut Vec<String>) -> Option<Vec<Ran>> {
    match list(session) {
        Ok(jobs) => jobs,
        Err(error) => {
            let words = format!(
                "GitHub's list of jobs is not known, so that `needs` counts alone: {:#}",
                error.error
            );
            session.ui.warn(&words);
            infos.push(words);
            None
        }
    }
}

fn list(session: &Session<'_>) -> Result<Option<Vec<Ran>>, CommandError> {
    let Some((github, run, attempts)) = github(session)? else {
        return Ok(None);
    };
    let mut last: BTreeMap<String, Option<String>> = BTreeMap::new();
    for attempt in 1..=attempts {
        let listing = runs::jobs(&github.repository, run, attempt);
        let mut of_attempt: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        let listed = github.list(&listing, MOST_JOBS, &mut |job: &Job| {
            let ended = of_attempt.entry(job.name.clone()).or_default();
            ended.push(job.conclusion.clone());
            true
        });
        listed.whole("compare jobs with the plan")?;
        for (name, ended) in of_attempt {
            // Of several jobs of one name each counts: a name may stand for every leg.
            for (at, conclusion) in ended.into_iter().enumerate() {
                last.insert(format!("{name}\n{at}"), conclusion);
            }
        }
    }
    let jobs = last.into_iter().map(|(key, conclusion)| Ran {
        name: key
            .rsplit_once('\n')
            .map_or("", |(name, _)| name)
            .to_owned(),
        conclusion,
    });
    Ok(Some(jobs.collect()))
}

/// Who lets what pass.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) overrides: Vec<Override>,
    pub(super) notes: Vec<String>,
}

/// Asks who lets something pass, where something is wrong and somebody may.
pub(super) fn overrides(session: &Session<'_>, config: &ConfigFile, problems: &[Problem]) -> Asked {
    let may = &config.overrides;
    let nobody = may.users.is_empty() && may.teams.is_empty();
    let (Some(number), false, false) = (
        check_policy::asked::number(session),
        nobody,
        problems.is_empty(),
    ) else {
        return Asked::default();
    };
    look(session, config, number, problems).unwrap_or_else(|error| Asked {
        overrides: Vec::new(),
        notes: vec![format!(
            "overrides are not known, so that none counts: {:#}",
            error.error
        )],
    })
}

fn look(
    session: &Session<'_>,
    config: &ConfigFile,
    number: u64,
    problems: &[Problem],
) -> Result<Asked, CommandError> {
    let days = match &config.overrides.expires {
        None => DAYS,
        Some(text) => days_of(text).ok_or_else(|| {
            let message = format!("`overrides.expires` is `{text}`, which is no time");
            CommandError::message(ErrorKind::BadConfig, message).hint("write it as `7d` or `2w`")
        })?,
    };
    let Some((github, run, _)) = github(session)? else {
        return Ok(Asked::default());
    };
    let run = github.call(&runs::get(&github.repository, run))?;
    let terms = Terms {
        head_at: run.created_at,
        now: session.now(),
        lasts: SignedDuration::from_hours(24 * i64::from(days)),
    };
    let claims = claims(&github, number)?;
    let mut asked = Asked::default();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let about = |claim: &&Claim| problems.iter().any(|problem| problem.rule == claim.rule);
    for claim in claims.iter().filter(about) {
        let counted = match counts(claim, &terms) {
            Ok(one) => match known.get(&claim.who) {
                Some(may) => may.then_some(one).ok_or(Refused::NotAllowed),
                None => {
                    let may = is_allowed(&github, config, &claim.who)?;
                    known.insert(claim.who.clone(), may);
                    may.then_some(one).ok_or(Refused::NotAllowed)
                }
            },
            Err(why) => Err(why),
        };
        match counted {
            Ok(one) => asked.overrides.push(one),
            Err(why) => asked.notes.push(format!(
                "the override of `{}` by `{}` does not count: {}",
                claim.rule,
                claim.who,
                why.words()
            )),
        }
    }
    Ok(asked)
}

fn claims(github: &GitHub<'_>, number: u64) -> Result<Vec<Claim>, CommandError> {
    let mut claims = Vec::new();
    let listing = issues::comments(&github.repository, number);
    let listed = github.list(&listing, MOST_COMMENTS, &mut |comment: &Comment| {
        let who = comment.user.as_ref().map(|user| user.login.clone());
        for (rule, reason) in of_comment(comment.body.as_deref().unwrap_or_default()) {
            claims.push(Claim {
                who: who.clone().unwrap_or_default(),
                rule,
                reason,
                at: comment.created_at,
                changed: comment.updated_at,
                place: comment.html_url.clone(),
            });
        }
        true
    });
    listed.whole("look for overrides")?;
    let listing = issues::timeline(&github.repository, number);
    let mut labels: BTreeMap<String, Claim> = BTreeMap::new();
    let listed = github.list(&listing, MOST_COMMENTS, &mut |event: &TimelineEvent| {
        let Some(label) = &event.label else {
            return true;
        };
        let Some(rule) = of_label(&label.name) else {
            return true;
        };
        match (event.event.as_str(), &event.actor, event.created_at) {
            ("labeled", Some(actor), Some(at)) => {
                let claim = label_claim(rule, &actor.login, at);
                labels.insert(label.name.clone(), claim);
            }
            ("unlabeled", ..) => {
                labels.remove(&label.name);
            }
            _ => {}
        }
        true
    });
    listed.whole("look for overrides")?;
    claims.extend(labels.into_values());
    Ok(claims)
}

fn label_claim(rule: &str, who: &str, at: Timestamp) -> Claim {
    Claim {
        who: who.to_owned(),
        rule: rule.to_owned(),
        // A label has no words of its own.
        reason: "by a label".to_owned(),
        at,
        changed: at,
        place: "label".to_owned(),
    }
}

/// Whether the base names somebody, by account or by team.
fn is_allowed(github: &GitHub<'_>, config: &ConfigFile, who: &str) -> Result<bool, CommandError> {
    let may = &config.overrides;
    if may.users.iter().any(|user| user.eq_ignore_ascii_case(who)) {
        return Ok(true);
    }
    for team in &may.teams {
        let Some((organisation, team)) = team.trim_start_matches('@').split_once('/') else {
            let message = format!("`overrides.teams` has `{team}`, which is no team");
            return Err(CommandError::message(ErrorKind::BadConfig, message)
                .hint("write it as `organisation/team`"));
        };
        match github.call(&account::membership(organisation, team, who)) {
            Ok(membership) if membership.state == "active" => return Ok(true),
            // Whoever is in no team is not there.
            Ok(_) | Err(ForgeError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Keeps the overrides that were used.
pub(super) fn record(
    session: &Session<'_>,
    document: &GateDocument,
    used: &[Override],
) -> Result<(), CommandError> {
    let Some(run) = session.var("GITHUB_RUN_ID").filter(|_| !used.is_empty()) else {
        return Ok(());
    };
    let name = |name: &str| plain_name(session.var(name).unwrap_or_default());
    let origin = Origin {
        run: plain_name(run),
        attempt: name("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1).max(1),
        job: name("GITHUB_JOB"),
        commit: document.head().to_owned(),
        branch: branch(session).map(plain_name).unwrap_or_default(),
    };
    let redactor = crate::redact::Redactor::new(&session.world.environment.vars());
    let mut events = Vec::new();
    for one in used {
        let record = OverrideRecord {
            by: one.who.clone(),
            expires: one.expires,
            head: document.head().to_owned(),
            place: one.place.clone(),
            pull_request: document.pull_request(),
            reason: redactor
                .message(&one.reason)
                .unwrap_or_else(|| one.reason.clone()),
            rule: one.rule.clone(),
            said_at: one.at,
        };
        let event = encode_override(&record, session.now(), origin.clone());
        events.push(event.map_err(CommandError::internal)?);
    }
    session.state()?.save(&events)?;
    Ok(())
}
