//! Where the change is to go: the base branch at the forge, the remote that is pushed to, the pages that people open.

use std::path::Path;
use std::time::Duration;

use crate::agents::bundle::Bundle;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::error::{CommandError, ErrorKind};
use crate::forge::api::{commits, git};
use crate::forge::problem::ForgeError;
use crate::forge::repository::{PUBLIC_API, RepoName, api_of_host, of_remote};
use crate::forge::request::escape;
use crate::ports::forge::{Credential, Server};
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

/// Returns the remote to push to.
pub(super) fn remote(session: &Session<'_>, github: &GitHub<'_>) -> String {
    let name = session.source_remote();
    let address = session.remote_address(Some(&name)).unwrap_or_default();
    let server = github.server.borrow();
    let with_token = server
        .as_ref()
        .and_then(|server| address_with_token(&address, server, &github.repository));
    with_token.unwrap_or(name)
}

/// Returns an address that holds the token, over TLS and at the very server that was asked; git gets it by its environment, never by an argument.
fn address_with_token(address: &str, server: &Server, repository: &RepoName) -> Option<String> {
    let Credential::Token(token) = &server.credential else {
        return None;
    };
    let (host, _) = of_remote(address).filter(|_| address.starts_with("https://"))?;
    let of_enterprise = format!("https://{host}/api/v3");
    let is_same = api_of_host(&host).as_ref() == Some(&server.api) || of_enterprise == server.api;
    is_same.then(|| {
        let token = escape(token.expose());
        format!("https://x-access-token:{token}@{host}/{repository}.git")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::forge::Secret;

    #[track_caller]
    fn check(address: &str, api: &str, wanted: Option<&str>) {
        let server = Server {
            api: api.to_owned(),
            credential: Credential::Token(Secret::new("ghs_a/b")),
        };
        let repository = RepoName::parse("o/n").unwrap();
        let made = address_with_token(address, &server, &repository);
        assert_eq!(made.as_deref(), wanted);
    }

    #[test]
    fn a_token_goes_to_the_server_that_was_asked_and_over_tls() {
        let with = Some("https://x-access-token:ghs_a%2Fb@github.com/o/n.git");
        check("https://github.com/o/n", PUBLIC_API, with);
        check("https://x@github.com/other/n.git", PUBLIC_API, with);
        let enterprise = Some("https://x-access-token:ghs_a%2Fb@ghe.example.com/o/n.git");
        let api = "https://ghe.example.com/api/v3";
        check("https://ghe.example.com/o/n", api, enterprise);
        for (address, api) in [
            ("http://github.com/o/n", PUBLIC_API),
            ("git@github.com:o/n", PUBLIC_API),
            ("https://github.com.evil.example/o/n", PUBLIC_API),
            ("https://evil.example/o/n", PUBLIC_API),
            ("https://github.com/o/n", "https://ghe.example.com/api/v3"),
            ("../r.git", PUBLIC_API),
        ] {
            check(address, api, None);
        }
    }
}
