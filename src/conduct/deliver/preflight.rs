//! Asks GitHub what will stop a pull request.

use crate::agents::preflight::{Facts, Notice, Token, judge};
use crate::conduct::github::GitHub;
use crate::conduct::identity::Whose;
use crate::forge::api::account;
use crate::forge::problem::ForgeError;

/// Says what will be, before money is spent and before anything is pushed.
pub(crate) fn preflight(github: &GitHub<'_>, whose: &Whose) -> Result<Vec<Notice>, ForgeError> {
    let token = match whose {
        _ if github.server.borrow().is_none() => Token::None,
        Whose::Actions => Token::Workflow,
        Whose::App { .. } => Token::App,
        Whose::Somebody => Token::Person,
    };
    let mut facts = Facts {
        token,
        is_archived: false,
        may_push: None,
        may_open: None,
    };
    if token == Token::None {
        return Ok(judge(facts));
    }
    let repository = github.call(&account::repository(&github.repository))?;
    facts.is_archived = repository.archived;
    facts.may_push = repository.permissions.map(|rights| rights.push);
    if token == Token::Workflow {
        // Most tokens may not ask; then the answer to the pull request itself tells.
        let asked = github.call(&account::workflow_permissions(&github.repository));
        facts.may_open = asked.ok().map(|may| may.can_approve_pull_request_reviews);
    }
    Ok(judge(facts))
}
