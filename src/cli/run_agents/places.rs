//! Where the change is to go: the base branch at the forge, the remote that is pushed to, the pages that people open.

use std::path::Path;
use std::time::Duration;

use crate::agents::bundle::Bundle;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::error::{CommandError, ErrorKind};
use crate::forge::api::{commits, git};
use crate::forge::problem::ForgeError;
use crate::forge::repository::{PUBLIC_API, api_of_host, of_remote};
use crate::forge::request::escape;
use crate::ports::forge::Credential;
use crate::ports::history::Depth;
use crate::state::StateError;

/// A server that says nothing for so long is given up.
const FETCH_SECONDS: u64 = 60;

/// Returns where the base branch is now, and makes sure that the base commit is on it.
pub(super) fn tip(
    session: &mut Session<'_>,
    home: &Path,
    bundle: &Bundle,
    github: Option<&GitHub<'_>>,
) -> Result<String, CommandError> {
    let (base, name) = (&bundle.base.commit, &bundle.base.branch);
    let history = session.world.history.as_ref();
    let Some(github) = github else {
        let remote = session.source_remote();
        let here = [
            format!("refs/remotes/{remote}/{name}"),
            format!("refs/heads/{name}"),
        ];
        let mut tip = None;
        let mut objects = history.objects(home, false).map_err(StateError::from)?;
        let names = here.map(|name| format!("{name}^{{commit}}"));
        let read = objects.read(&names, &mut |_, object| {
            tip = tip.take().or(object.map(|object| object.id));
        });
        read.map_err(StateError::from)?;
        session
            .ui
            .hint(&format!("judged by what this clone knows of `{name}`"));
        return tip.ok_or_else(|| no_branch(name));
    };
    let call = git::get_ref(&github.repository, &format!("heads/{name}"));
    let tip = match github.call(&call) {
        Ok(found) => found.object.sha,
        Err(ForgeError::Missing { .. }) => return Err(no_branch(name)),
        Err(error) => return Err(error.into()),
    };
    if tip == *base {
        return Ok(tip);
    }
    let bases = history
        .merge_bases(home, base, &tip)
        .map_err(StateError::from)?;
    if bases.contains(base) {
        return Ok(tip);
    }
    let compared = match github.call(&commits::compare(&github.repository, base, &tip)) {
        Ok(compared) => Some(compared.merge_base_commit.sha),
        Err(ForgeError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if compared.as_ref() == Some(base) {
        return Ok(tip);
    }
    let message = format!(
        "the bundle stands on {base}, which is not on the branch `{name}` of {}",
        github.repository
    );
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("publish it where it was made; where the branch was rewritten, run the agents again"))
}

fn no_branch(name: &str) -> CommandError {
    CommandError::message(
        ErrorKind::NotFound,
        format!("there is no branch `{name}`, which the bundle is for"),
    )
    .hint("publish it in the repository that it was made in")
}

/// Fetches a commit that this clone does not have; no ref of it moves.
pub(super) fn bring(session: &Session<'_>, home: &Path, commit: &str) -> Result<(), CommandError> {
    let history = session.world.history.as_ref();
    let wanted = [commit.to_owned()];
    let missing = history.missing(home, &wanted).map_err(StateError::from)?;
    if missing.is_empty() {
        return Ok(());
    }
    if session.settings.offline.value {
        let message =
            format!("this clone has no commit {commit}, and `--offline` forbids to fetch it");
        return Err(
            CommandError::message(ErrorKind::Unavailable, message).hint("run it without --offline")
        );
    }
    let deadline = Duration::from_secs(FETCH_SECONDS);
    let remote = session.source_remote();
    let fetched = history.fetch_commits(home, &remote, &wanted, Depth::Same, deadline);
    fetched.map_err(|error| StateError::from(error).into())
}

/// Returns where people open the repository.
pub(super) fn web(session: &Session<'_>, github: &GitHub<'_>) -> String {
    let api = github
        .server
        .borrow()
        .as_ref()
        .map(|server| server.api.clone());
    let of_api = || match api.as_deref() {
        Some(PUBLIC_API) | None => "https://github.com".to_owned(),
        Some(api) => api.strip_suffix("/api/v3").unwrap_or(api).to_owned(),
    };
    let given = session.var("GITHUB_SERVER_URL").filter(|given| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ":/.-".contains(c);
        given.starts_with("http") && given.chars().all(is_plain)
    });
    given
        .unwrap_or_else(of_api)
        .trim_end_matches('/')
        .to_owned()
}

/// Returns the remote to push to: over HTTPS, at the server that was asked, with its token; git gets it by its environment.
pub(super) fn remote(session: &Session<'_>, github: &GitHub<'_>) -> String {
    let name = session.source_remote();
    let address = session.remote_address(Some(&name)).unwrap_or_default();
    let server = github.server.borrow();
    let token = match server
        .as_ref()
        .map(|server| (&server.api, &server.credential))
    {
        Some((api, Credential::Token(token))) if address.starts_with("https://") => {
            let host = of_remote(&address).map(|(host, _)| host);
            let is_same = |host: &String| {
                let of_enterprise = format!("https://{host}/api/v3");
                api_of_host(host).as_deref() == Some(api) || of_enterprise == *api
            };
            host.filter(is_same).map(|host| (host, token))
        }
        _ => None,
    };
    match token {
        Some((host, token)) => format!(
            "https://x-access-token:{}@{host}/{}.git",
            escape(token.expose()),
            github.repository
        ),
        None => name,
    }
}
