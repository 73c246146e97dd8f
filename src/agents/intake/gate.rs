//! Whose words may steer agents: those of the issue's author and of whoever started the run, both.
//!
//! An account counts by what GitHub says of it (`author_association`; docs.github.com, "CommentAuthorAssociation"), never by its name: a name that ends in
//! `[bot]` is anybody's app, and an app that answers strangers carries their words. Who may start a workflow by an event is docs.github.com, "Events that
//! trigger workflows": a label needs the right to triage, a dispatch the right to write.

use super::Raw;

/// How an account stands to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Association {
    Owner,
    Member,
    Collaborator,
    Contributor,
    FirstTimer,
    FirstTimeContributor,
    Mannequin,
    None,
}

impl Association {
    pub(crate) const ALL: [Self; 8] = [
        Self::Owner,
        Self::Member,
        Self::Collaborator,
        Self::Contributor,
        Self::FirstTimer,
        Self::FirstTimeContributor,
        Self::Mannequin,
        Self::None,
    ];

    /// Returns GitHub's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Member => "MEMBER",
            Self::Collaborator => "COLLABORATOR",
            Self::Contributor => "CONTRIBUTOR",
            Self::FirstTimer => "FIRST_TIMER",
            Self::FirstTimeContributor => "FIRST_TIME_CONTRIBUTOR",
            Self::Mannequin => "MANNEQUIN",
            Self::None => "NONE",
        }
    }

    /// Reads GitHub's word; one that is new says nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name().eq_ignore_ascii_case(text.trim()))
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Account {
    pub(crate) login: String,
    /// Whether GitHub calls it a bot.
    pub(crate) is_bot: bool,
    /// None where nobody said.
    pub(crate) association: Option<Association>,
}

impl Account {
    /// Whether nobody in particular speaks.
    pub(crate) fn is_machine(&self) -> bool {
        self.is_bot || self.login.to_lowercase().ends_with("[bot]")
    }
}

/// What started the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// A person at a terminal, who has the keys.
    Terminal,
    /// An event of GitHub's.
    Event {
        /// As `issues`.
        name: String,
        /// As `labeled`.
        action: Option<String>,
        /// Who did it; none where the event does not say.
        by: Option<Account>,
    },
}

/// Events that only those can cause who may write to the repository.
const OF_WRITERS: [&str; 5] = [
    "workflow_dispatch",
    "repository_dispatch",
    "schedule",
    "push",
    "merge_group",
];

/// Actions on an issue that need the right to triage.
const OF_TRIAGE: [&str; 4] = ["labeled", "unlabeled", "assigned", "milestoned"];

/// Whose words count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) associations: Vec<Association>,
    /// Accounts that count whatever they are to the repository; machines too, because somebody named this very one.
    pub(crate) accounts: Vec<String>,
    /// A label that the issue must have.
    pub(crate) label: Option<String>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            associations: vec![
                Association::Owner,
                Association::Member,
                Association::Collaborator,
            ],
            accounts: Vec::new(),
            label: None,
        }
    }
}

/// Why an issue is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    /// As `author-is-a-stranger`.
    pub(crate) rule: &'static str,
    pub(crate) message: String,
    /// How to allow it.
    pub(crate) hint: String,
}

impl Refusal {
    pub(super) fn empty() -> Self {
        Self {
            rule: "nothing-to-read",
            message: "the issue says nothing that a person who reads its page would see".into(),
            hint: "write what is wanted into its title or body".into(),
        }
    }
}

impl Gate {
    /// Whether an account's words count.
    pub(crate) fn counts(&self, account: &Account) -> bool {
        let is_named = self
            .accounts
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&account.login));
        let by_association = account
            .association
            .is_some_and(|one| self.associations.contains(&one));
        is_named || !account.is_machine() && by_association
    }

    /// Judges who wrote an issue and who started the run.
    pub(super) fn judge(&self, raw: &Raw, start: &Start) -> Result<(), Refusal> {
        if let Some(label) = &self.label
            && raw.number.is_some()
            && !raw.labels.iter().any(|one| one.eq_ignore_ascii_case(label))
        {
            return Err(Refusal {
                rule: "label-is-missing",
                message: format!("the issue has no label `{label}`"),
                hint: format!("who may triage issues allows it: give it the label `{label}`"),
            });
        }
        self.author(raw, start)?;
        self.starter(raw, start)
    }

    fn author(&self, raw: &Raw, start: &Start) -> Result<(), Refusal> {
        let Some(author) = &raw.author else {
            // A file was chosen by whoever wrote the command; an issue has an author, or had one.
            return match (start, raw.number) {
                (Start::Terminal, _) | (Start::Event { .. }, None) => Ok(()),
                (Start::Event { .. }, Some(number)) => Err(Refusal {
                    rule: "author-is-unknown",
                    message: format!("nobody knows who wrote issue {number}: its account is gone"),
                    hint:
                        "somebody who counts opens an issue of their own that says what is wanted"
                            .into(),
                }),
            };
        };
        if self.counts(author) {
            return Ok(());
        }
        let who = format!("`{}`", author.login);
        if author.is_machine() {
            return Err(Refusal {
                rule: "author-is-a-bot",
                message: format!(
                    "the issue was written by the bot {who}, which may carry anybody's words"
                ),
                hint: format!(
                    "open an issue that says what is wanted, or name the account: --trust '{}'",
                    author.login
                ),
            });
        }
        let is = author.association.map_or("unknown", Association::name);
        Err(Refusal {
            rule: "author-is-a-stranger",
            message: format!(
                "the issue was written by {who}, whose association with the repository is {is}, and only {} may steer agents",
                self.named()
            ),
            hint: format!(
                "somebody of those opens an issue that says what is wanted, or name the account: --trust '{}'",
                author.login
            ),
        })
    }

    fn starter(&self, raw: &Raw, start: &Start) -> Result<(), Refusal> {
        let Start::Event { name, action, by } = start else {
            return Ok(());
        };
        let Some(by) = by else {
            return Err(Refusal {
                rule: "starter-is-unknown",
                message: format!("nobody knows who started the run (event `{name}`)"),
                hint: "start it by workflow_dispatch, or let the workflow hand on GITHUB_EVENT_PATH and GITHUB_ACTOR".into(),
            });
        };
        if self.counts(by) {
            return Ok(());
        }
        if by.is_machine() {
            return Err(Refusal {
                rule: "starter-is-a-bot",
                message: format!(
                    "the run was started by the bot `{}`, and any app may be called so",
                    by.login
                ),
                hint: format!(
                    "start it yourself, or name the account: --trust '{}'",
                    by.login
                ),
            });
        }
        let action = action.as_deref().unwrap_or_default();
        let has_rights = OF_WRITERS.contains(&name.as_str())
            || name == "issues" && OF_TRIAGE.contains(&action)
            || is_author(raw, by)
                && raw
                    .author
                    .as_ref()
                    .is_some_and(|author| self.counts(author));
        if has_rights {
            return Ok(());
        }
        let is = by.association.map_or("not told", Association::name);
        Err(Refusal {
            rule: "starter-is-a-stranger",
            message: format!(
                "the run was started by `{}` (event `{name}`), whose association with the repository is {is}, and only {} may start agents",
                by.login,
                self.named()
            ),
            hint: format!(
                "one of those starts it: by a label, a comment or workflow_dispatch; or name the account: --trust '{}'",
                by.login
            ),
        })
    }

    fn named(&self) -> String {
        let mut names: Vec<&str> = self.associations.iter().map(|one| one.name()).collect();
        names.extend(self.accounts.iter().map(String::as_str));
        if names.is_empty() {
            return "nobody".to_owned();
        }
        names.join(", ")
    }
}

fn is_author(raw: &Raw, by: &Account) -> bool {
    raw.author
        .as_ref()
        .is_some_and(|author| author.login.eq_ignore_ascii_case(&by.login))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(login: &str, association: Option<Association>) -> Account {
        Account {
            login: login.into(),
            is_bot: false,
            association,
        }
    }

    fn raw(author: Option<Account>) -> Raw {
        Raw {
            number: Some(7),
            title: "x".into(),
            author,
            ..Raw::default()
        }
    }

    fn event(name: &str, action: &str, by: Account) -> Start {
        Start::Event {
            name: name.into(),
            action: Some(action.into()).filter(|action: &String| !action.is_empty()),
            by: Some(by),
        }
    }

    #[track_caller]
    fn check(author: Account, start: &Start, wanted: &str) {
        let rule = Gate::default().judge(&raw(Some(author)), start);
        assert_eq!(
            rule.map_or_else(|refusal| refusal.rule, |()| "fine"),
            wanted
        );
    }

    #[test]
    fn an_author_counts_by_association() {
        for one in Association::ALL {
            let wanted = match one {
                Association::Owner | Association::Member | Association::Collaborator => "fine",
                _ => "author-is-a-stranger",
            };
            check(account("ada", Some(one)), &Start::Terminal, wanted);
            assert_eq!(Association::parse(one.name()), Some(one));
        }
        check(
            account("ada", None),
            &Start::Terminal,
            "author-is-a-stranger",
        );
        assert_eq!(Association::parse("SUPER_OWNER"), None);
    }

    #[test]
    fn a_bot_is_never_trusted_by_its_name_or_association() {
        for login in ["claude[bot]", "Claude[BOT]", "github-actions[bot]"] {
            let bot = account(login, Some(Association::Member));
            check(bot.clone(), &Start::Terminal, "author-is-a-bot");
            let ada = account("ada", Some(Association::Owner));
            check(ada, &event("issues", "labeled", bot), "starter-is-a-bot");
        }
        let bot = Account {
            is_bot: true,
            ..account("renovate", Some(Association::Collaborator))
        };
        check(bot, &Start::Terminal, "author-is-a-bot");
    }

    #[test]
    fn who_starts_the_run_counts_too() {
        let owner = || account("ada", Some(Association::Owner));
        let eve = || account("eve", Some(Association::None));
        for (start, wanted) in [
            (event("issues", "opened", owner()), "fine"),
            // Without an association of its own the author's counts.
            (event("issues", "opened", account("ADA", None)), "fine"),
            (
                event("issue_comment", "created", eve()),
                "starter-is-a-stranger",
            ),
            (
                event(
                    "issue_comment",
                    "created",
                    account("kim", Some(Association::Member)),
                ),
                "fine",
            ),
            (event("issues", "edited", eve()), "starter-is-a-stranger"),
            (event("issues", "labeled", account("kim", None)), "fine"),
            (event("workflow_dispatch", "", account("kim", None)), "fine"),
            (event("schedule", "", account("kim", None)), "fine"),
            (
                event("discussion", "created", account("kim", None)),
                "starter-is-a-stranger",
            ),
            (
                Start::Event {
                    name: "issues".into(),
                    action: None,
                    by: None,
                },
                "starter-is-unknown",
            ),
        ] {
            check(owner(), &start, wanted);
        }
        // A label makes a stranger's words nobody else's.
        check(
            eve(),
            &event("issues", "labeled", owner()),
            "author-is-a-stranger",
        );
    }

    #[test]
    fn who_is_named_counts() {
        let gate = Gate {
            accounts: vec!["Dependabot[bot]".into()],
            ..Gate::default()
        };
        let bot = account("dependabot[bot]", None);
        assert_eq!(gate.judge(&raw(Some(bot)), &Start::Terminal), Ok(()));
        assert!(!gate.counts(&account("other[bot]", None)));
        let nobody = Gate {
            associations: Vec::new(),
            ..Gate::default()
        };
        let refusal = nobody.judge(
            &raw(Some(account("a", Some(Association::Owner)))),
            &Start::Terminal,
        );
        assert!(refusal.unwrap_err().message.contains("only nobody"));
    }

    #[test]
    fn a_label_can_be_asked_for() {
        let gate = Gate {
            label: Some("agents".into()),
            ..Gate::default()
        };
        let mut issue = raw(Some(account("ada", Some(Association::Owner))));
        assert_eq!(
            gate.judge(&issue, &Start::Terminal).unwrap_err().rule,
            "label-is-missing"
        );
        issue.labels.push("Agents".into());
        assert_eq!(gate.judge(&issue, &Start::Terminal), Ok(()));
    }

    #[test]
    fn an_author_that_is_gone_is_nobody() {
        let start = event(
            "issues",
            "labeled",
            account("ada", Some(Association::Owner)),
        );
        let refusal = Gate::default().judge(&raw(None), &start).unwrap_err();
        assert_eq!(refusal.rule, "author-is-unknown");
        assert!(!refusal.hint.is_empty());
    }
}
