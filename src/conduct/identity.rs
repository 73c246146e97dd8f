//! Who we are at GitHub: what somebody else wrote is never taken for ours.

use crate::conduct::github::GitHub;
use crate::forge::api::account;
use crate::forge::problem::ForgeError;
use crate::forge::repository::PUBLIC_API;
use crate::ports::forge::{Credential, Server};

/// The account under which a workflow's own token acts.
const ACTIONS: &str = "github-actions[bot]";

/// Its number on github.com; enterprise servers have another one.
const ACTIONS_ID: u64 = 41_898_282;

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of the workflow that runs.
    Actions,
    /// Of an app's installation, with the app's own credentials beside it.
    App {
        id: u64,
        key: crate::ports::forge::Secret,
    },
    /// Of a person, as far as anybody knows.
    Somebody,
}

/// Returns the number of our account.
pub(crate) fn me(github: &GitHub<'_>, whose: &Whose) -> Result<u64, ForgeError> {
    match whose {
        Whose::Somebody => match github.call(&account::me()) {
            Ok(user) => Ok(user.id),
            // An app's token has no account; the commonest one is the workflow's own under another variable's name.
            Err(ForgeError::Denied { words, .. }) if words.contains("integration") => {
                actions(github)
            }
            Err(error) => Err(error),
        },
        Whose::Actions => actions(github),
        Whose::App { .. } => {
            let app = as_app(github, whose, &account::app())?;
            let slug = app.slug.unwrap_or_default();
            Ok(github.call(&account::user(&format!("{slug}[bot]")))?.id)
        }
    }
}

fn actions(github: &GitHub<'_>) -> Result<u64, ForgeError> {
    let is_public = github
        .server
        .borrow()
        .as_ref()
        .is_some_and(|server| server.api == PUBLIC_API);
    if is_public {
        return Ok(ACTIONS_ID);
    }
    Ok(github.call(&account::user(ACTIONS))?.id)
}

/// Gets a token for the app's installation on the repository, and goes on with it.
pub(crate) fn enter_installation(github: &GitHub<'_>, whose: &Whose) -> Result<(), ForgeError> {
    if !matches!(whose, Whose::App { .. }) {
        return Ok(());
    }
    let installation = as_app(github, whose, &account::installation(&github.repository))?;
    let token = account::installation_token(installation.id, &github.repository);
    let token = as_app(github, whose, &token)?.token;
    if let Some(server) = github.server.borrow_mut().as_mut() {
        server.credential = Credential::Token(crate::ports::forge::Secret::new(token));
    }
    Ok(())
}

/// Asks as the app itself.
fn as_app<T: serde::de::DeserializeOwned>(
    github: &GitHub<'_>,
    whose: &Whose,
    call: &crate::forge::request::Call<T>,
) -> Result<T, ForgeError> {
    let Whose::App { id, key } = whose else {
        return github.call(call);
    };
    let before = github.server.borrow().clone();
    if let Some(Server { credential, .. }) = github.server.borrow_mut().as_mut() {
        *credential = Credential::App {
            id: *id,
            key: key.clone(),
        };
    }
    let done = github.call(call);
    *github.server.borrow_mut() = before;
    done
}
