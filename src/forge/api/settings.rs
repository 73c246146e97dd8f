//! Settings of a repository and its organisation, as far as a token may read them.
//!
//! Answers stay as they are: who asks looks for one field, and GitHub adds fields (docs.github.com, REST API version 2022-11-28).

use serde_json::Value;

use super::about;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Method, Need, Request, escape};

/// Something that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// The repository itself.
    Repository,
    /// Which actions may run.
    Actions,
    /// What the token of workflows may do.
    Workflows,
    /// Whose pull requests need an approval before workflows run.
    Forks,
    /// Which rules hold for the default branch.
    Rules,
    /// The classic protection of the default branch.
    Protection,
    /// Which rules hold for the branch of the state.
    StateRules,
    /// Environments of deployments.
    Environments,
    /// What an organisation lets its repositories run.
    OrganisationActions,
    /// What an organisation lets the token of workflows do.
    OrganisationWorkflows,
}

impl Question {
    pub(crate) const ALL: [Self; 10] = [
        Self::Repository,
        Self::Actions,
        Self::Workflows,
        Self::Forks,
        Self::Rules,
        Self::Protection,
        Self::StateRules,
        Self::Environments,
        Self::OrganisationActions,
        Self::OrganisationWorkflows,
    ];

    /// Returns the request; the branches are the default one and that of the state.
    pub(crate) fn call(
        self,
        repository: &RepoName,
        default_branch: &str,
        state_branch: &str,
    ) -> Call<Value> {
        let admin = Need::read("administration");
        let of = |rest: &str, what: &str, need| about(Method::Get, repository, rest, what, need);
        let rules = |branch: &str| {
            let path = format!("/rules/branches/{}", escape(branch));
            let metadata = Need::read("metadata");
            of(&path, &format!("read the rules for `{branch}`"), metadata).query("per_page", 100)
        };
        let organisation = |rest: &str, what: &str| {
            Request::new(
                Method::Get,
                format!(
                    "/orgs/{}/actions/permissions{rest}",
                    escape(&repository.owner)
                ),
                format!("{what} of {}", repository.owner),
                Need::read("organization_administration"),
            )
        };
        Call::new(match self {
            Self::Repository => of("", "read the settings", Need::read("metadata")),
            Self::Actions => of("/actions/permissions", "read which actions may run", admin),
            Self::Workflows => of(
                "/actions/permissions/workflow",
                "read what workflows may do",
                admin,
            ),
            Self::Forks => of(
                "/actions/permissions/fork-pr-contributor-approval",
                "read whose pull requests wait for an approval",
                admin,
            ),
            Self::Rules => rules(default_branch),
            Self::StateRules => rules(state_branch),
            Self::Protection => of(
                &format!("/branches/{}", escape(default_branch)),
                "read the protection of the default branch",
                Need::read("contents"),
            ),
            Self::Environments => of(
                "/environments",
                "list the environments",
                Need::read("actions"),
            ),
            Self::OrganisationActions => organisation("", "read which actions may run"),
            Self::OrganisationWorkflows => organisation("/workflow", "read what workflows may do"),
        })
    }
}
