//! Reads an issue of GitHub's, with its comments.

use crate::agents::intake::gate::{Account, Association};
use crate::agents::intake::{Raw, RawComment};
use crate::conduct::github::{End, GitHub};
use crate::forge::api::{User, issues};
use crate::forge::problem::ForgeError;

/// Of a longer conversation the beginning is read.
const MOST_COMMENTS: usize = 1_000;

/// Reads an issue; a pull request is none.
pub(crate) fn read(github: &GitHub<'_>, number: u64) -> Result<Raw, ForgeError> {
    let call = issues::get(&github.repository, number);
    let issue = github.call(&call)?;
    if issue.pull_request.is_some() {
        return Err(ForgeError::Refused {
            purpose: call.request.purpose,
            status: 200,
            words: "it is a pull request, and no issue".into(),
        });
    }
    let listed = github.list(
        &issues::comments(&github.repository, number),
        MOST_COMMENTS,
        &mut |_| true,
    );
    if let End::Broken(error) = listed.end {
        return Err(error);
    }
    let comments = listed.items.into_iter().map(|comment| RawComment {
        author: comment
            .user
            .map(|user| account(user, comment.author_association.as_deref())),
        body: comment.body.unwrap_or_default(),
    });
    Ok(Raw {
        number: Some(issue.number),
        title: issue.title,
        body: issue.body.unwrap_or_default(),
        url: Some(issue.html_url),
        author: issue
            .user
            .map(|user| account(user, issue.author_association.as_deref())),
        labels: issue.labels.into_iter().map(|label| label.name).collect(),
        comments: comments.collect(),
    })
}

/// Returns an account as GitHub shows it.
pub(crate) fn account(user: User, association: Option<&str>) -> Account {
    Account {
        is_bot: user.kind == "Bot",
        login: user.login,
        association: association.and_then(Association::parse),
    }
}
