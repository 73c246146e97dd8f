//! What will fail, and which switch to turn: checks over plain facts of a machine and of a repository's settings.
//!
//! Rule: what could not be asked is unknown, and never fine. To add a check: a function from [`Facts`] to a [`Verdict`], a row in [`CHECKS`].

mod machine;
mod settings;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::forge::api::settings::Question;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Ok,
    /// It works, with less.
    Warn,
    /// Something will fail.
    Fail,
    /// Nobody could say.
    Unknown,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) level: Level,
    pub(crate) words: String,
    /// What to do about it.
    pub(crate) fix: Option<String>,
}

impl Verdict {
    fn ok(words: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            words: words.into(),
            fix: None,
        }
    }

    fn with(level: Level, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level,
            words: words.into(),
            fix: Some(fix.into()),
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Said(Value),
    /// It was not answered: why, and what would help.
    Silent {
        words: String,
        hint: String,
    },
}

/// The version of Landlock, and what of the sandbox does not hold, with whether it is needed; or why that was not tried out.
pub(crate) type Tried = Result<(u8, Vec<(String, bool)>), String>;

/// What is known of the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    /// What `git --version` says; nothing where it cannot be run.
    pub(crate) git: Option<String>,
    pub(crate) sandbox: Option<Tried>,
    /// Free bytes where the state lies.
    pub(crate) free: Option<u64>,
    /// Whether a repository is there, and whether its clone ends somewhere.
    pub(crate) clone: Option<bool>,
    /// The configuration: read, missing, or why it cannot be read.
    pub(crate) config: Option<Result<(), String>>,
    /// Variables that its `notify` names, each with whether it is set.
    pub(crate) channels: Vec<(String, bool)>,
    /// Whether this is a job of GitHub Actions.
    pub(crate) is_job: bool,
}

/// All that checks look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) machine: Machine,
    /// The owner and the repository's page; nothing where none is meant.
    pub(crate) page: Option<String>,
    pub(crate) organisation_page: Option<String>,
    /// Scopes of a classic token; nothing where GitHub names none.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) told: BTreeMap<Question, Told>,
    pub(crate) state_branch: String,
    /// The name of the check that should be required.
    pub(crate) gate: &'static str,
}

impl Facts {
    /// Returns an answer, or the verdict of whoever has none.
    fn said(&self, question: Question) -> Result<&Value, Verdict> {
        match self.told.get(&question) {
            Some(Told::Said(value)) => Ok(value),
            Some(Told::Silent { words, hint }) => Err(Verdict::with(Level::Unknown, words, hint)),
            None => Err(Verdict::with(
                Level::Unknown,
                "GitHub was not asked",
                "set GITHUB_TOKEN, and name the repository with --repository OWNER/NAME where no remote does",
            )),
        }
    }
}

/// Where a setting is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    None,
    /// Below the repository's page.
    Repository(&'static str),
    /// Below the organisation's settings.
    Organisation(&'static str),
}

/// A check.
pub(crate) struct Check {
    /// Stable.
    pub(crate) id: &'static str,
    /// Whether it is about CI, and asks GitHub.
    pub(crate) is_ci: bool,
    pub(crate) page: Page,
    pub(crate) judge: fn(&Facts) -> Verdict,
}

const fn here(id: &'static str, judge: fn(&Facts) -> Verdict) -> Check {
    Check {
        id,
        is_ci: false,
        page: Page::None,
        judge,
    }
}

const fn ci(id: &'static str, page: Page, judge: fn(&Facts) -> Verdict) -> Check {
    Check {
        id,
        is_ci: true,
        page,
        judge,
    }
}

/// Every check, in the order in which it is told.
pub(crate) const CHECKS: &[Check] = &[
    here("git", machine::git),
    here("clone", machine::clone),
    here("config", machine::config),
    here("notify", machine::notify),
    here("disk", machine::disk),
    here("sandbox", machine::sandbox),
    ci("token", Page::None, settings::token),
    ci(
        "repository",
        Page::Repository("settings"),
        settings::repository,
    ),
    ci(
        "actions",
        Page::Repository("settings/actions"),
        settings::actions,
    ),
    ci(
        "workflow-token",
        Page::Repository("settings/actions"),
        settings::workflow_token,
    ),
    ci(
        "pull-requests",
        Page::Repository("settings/actions"),
        settings::pull_requests,
    ),
    ci(
        "forks",
        Page::Repository("settings/actions"),
        settings::forks,
    ),
    ci(
        "required-check",
        Page::Repository("settings/rules"),
        settings::required_check,
    ),
    ci(
        "merge-queue",
        Page::Repository("settings/rules"),
        settings::merge_queue,
    ),
    ci(
        "state-branch",
        Page::Repository("settings/rules"),
        settings::state_branch,
    ),
    ci(
        "environments",
        Page::Repository("settings/environments"),
        settings::environments,
    ),
    ci(
        "organisation-actions",
        Page::Organisation("actions"),
        settings::organisation_actions,
    ),
    ci(
        "organisation-pull-requests",
        Page::Organisation("actions"),
        settings::organisation_pull_requests,
    ),
];

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) url: Option<String>,
}

/// Judges everything that was asked for.
pub(crate) fn judge(facts: &Facts, ci: bool) -> Vec<Line> {
    let checks = CHECKS.iter().filter(|check| ci || !check.is_ci);
    checks
        .map(|check| {
            let verdict = (check.judge)(facts);
            let url = match check.page {
                _ if verdict.level == Level::Ok => None,
                Page::None => None,
                Page::Repository(rest) => facts.page.as_ref().map(|page| format!("{page}/{rest}")),
                Page::Organisation(rest) => {
                    let page = facts.organisation_page.as_ref();
                    page.map(|page| format!("{page}/{rest}"))
                }
            };
            Line {
                id: check.id,
                verdict,
                url,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_unknown_and_never_fine() {
        let lines = judge(&Facts::default(), true);
        assert_eq!(lines.len(), CHECKS.len());
        // Whoever names no channel has nothing to set for them.
        for line in lines.into_iter().filter(|line| line.id != "notify") {
            assert_ne!(line.verdict.level, Level::Ok, "{}", line.id);
            assert!(line.verdict.fix.is_some(), "{}", line.id);
        }
    }

    #[test]
    fn what_was_refused_is_unknown_with_its_reason() {
        let mut facts = Facts::default();
        let silent = Told::Silent {
            words: "GitHub answers 403".to_owned(),
            hint: "ask an administrator".to_owned(),
        };
        for question in Question::ALL {
            facts.told.insert(question, silent.clone());
        }
        let lines = judge(&facts, true);
        let asked = lines
            .iter()
            .filter(|line| line.verdict.words == "GitHub answers 403");
        assert!(asked.clone().count() >= 10);
        assert!(
            asked
                .into_iter()
                .all(|line| line.verdict.level == Level::Unknown)
        );
    }

    #[test]
    fn ids_are_told_apart_and_the_machine_needs_no_github() {
        let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CHECKS.len());
        assert_eq!(judge(&Facts::default(), false).len(), 6);
    }
}
