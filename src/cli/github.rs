//! GitHub, as commands reach it: which repository, which server, whose token.

use std::time::Duration;

use super::session::Session;
use crate::conduct::etags::Etags;
use crate::conduct::github::GitHub;
use crate::conduct::identity::{Whose, enter_installation};
use crate::error::{CommandError, ErrorKind};
use crate::forge::problem::ForgeError;
use crate::forge::repository::{PUBLIC_API, RepoName, api_of_host, of_remote};
use crate::ports::forge::{Credential, Secret, Server};

/// Where a token may stand, the first one counts.
const TOKENS: [&str; 3] = ["MAESTRO_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"];

/// Which repository at GitHub is meant, and how long it is asked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GithubArgs {
    /// The repository at GitHub [default: GITHUB_REPOSITORY, or that of the remote]
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<String>,

    /// How many seconds to go on trying
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(crate) deadline: u64,
}

impl From<ForgeError> for CommandError {
    fn from(error: ForgeError) -> Self {
        let kind = match &error {
            ForgeError::BadToken { .. }
            | ForgeError::NoToken { .. }
            | ForgeError::Denied { .. }
            | ForgeError::Missing { .. } => ErrorKind::Permission,
            ForgeError::Refused { .. } => ErrorKind::BadInput,
            ForgeError::Offline { .. }
            | ForgeError::RateLimited { .. }
            | ForgeError::Unavailable { .. }
            | ForgeError::Deadline { .. }
            | ForgeError::Enough { .. }
            | ForgeError::MayHaveHappened { .. }
            | ForgeError::Nonsense { .. } => ErrorKind::Unavailable,
        };
        let hint = error.hint();
        Self::new(kind, error).hint(hint)
    }
}

impl<'w> Session<'w> {
    /// Returns GitHub, and whose token it is; nothing when no repository there is meant.
    pub(crate) fn github(
        &self,
        repository: Option<&str>,
        remote: Option<&str>,
        deadline: u64,
    ) -> Result<Option<(GitHub<'w>, Whose)>, CommandError> {
        let address = self.remote_address(remote);
        let of_remote = address.as_deref().and_then(of_remote);
        let given = repository
            .map(str::to_owned)
            .filter(|name| !name.is_empty());
        let named = given.or_else(|| self.var("GITHUB_REPOSITORY"));
        let api = self.var("GITHUB_API_URL");
        let api = api.or_else(|| of_remote.as_ref().and_then(|(host, _)| api_of_host(host)));
        let (repository, api) = match (named, of_remote) {
            (Some(name), _) => {
                let repository = RepoName::parse(&name).ok_or_else(|| {
                    CommandError::message(ErrorKind::Usage, format!("`{name}` is no repository"))
                        .hint("write it as OWNER/NAME")
                })?;
                (repository, api.unwrap_or_else(|| PUBLIC_API.to_owned()))
            }
            // A host that nobody says is GitHub's is not shown a token.
            (None, Some((_, repository))) => match api {
                Some(api) => (repository, api),
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        let api = api.trim_end_matches('/').to_owned();
        check_address(&api)?;
        let (credential, whose) = self.credential()?;
        let server = credential.map(|credential| Server { api, credential });
        let world = self.world;
        let deadline = Duration::from_secs(deadline);
        let github = GitHub::new(
            world.forge.as_ref(),
            world.clock.as_ref(),
            server,
            repository,
            deadline,
        );
        let folder = self.state().ok().map(|state| state.root().join("http"));
        let github = github.offline(self.settings.offline.value);
        let github = match folder {
            Some(folder) => github.with_etags(Etags::new(world.files.as_ref(), folder)),
            None => github,
        };
        Ok(Some((github, whose)))
    }

    /// Returns GitHub for a command that cannot do without it.
    pub(crate) fn needed_github(
        &self,
        args: &GithubArgs,
        command: &str,
    ) -> Result<(GitHub<'w>, Whose), CommandError> {
        let found = self.github(args.repository.as_deref(), None, args.deadline)?;
        let Some((github, whose)) = found else {
            let message = format!("{command} needs a repository at GitHub, and none is meant");
            return Err(CommandError::message(ErrorKind::Usage, message)
                .hint("name it with --repository OWNER/NAME, or in the address of the remote"));
        };
        enter_installation(&github, &whose)?;
        Ok((github, whose))
    }

    /// Returns GitHub for a command that can say without it what it would do.
    pub(crate) fn wanted_github(
        &mut self,
        args: &GithubArgs,
        dry_run: bool,
        command: &str,
    ) -> Result<Option<(GitHub<'w>, Whose)>, CommandError> {
        if dry_run {
            let found = self.github(args.repository.as_deref(), None, args.deadline)?;
            let has_token = found
                .as_ref()
                .map(|(github, _)| github.server.borrow().is_some());
            let why = match has_token {
                _ if self.settings.offline.value => "--offline forbids it",
                None => {
                    "name the repository with --repository OWNER/NAME, or in the address of the remote"
                }
                Some(false) => "there is no token; set GITHUB_TOKEN",
                Some(true) => return self.needed_github(args, command).map(Some),
            };
            self.ui.hint(&format!("GitHub was not asked: {why}"));
            return Ok(None);
        }
        self.needed_github(args, command).map(Some)
    }

    pub(super) fn remote_address(&self, remote: Option<&str>) -> Option<String> {
        let checkout = self.checkout.as_ref().ok()?;
        let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let name = remote
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.settings.remote.value);
        self.world.git.remote_address(home, name).ok()?
    }

    fn credential(&self) -> Result<(Option<Credential>, Whose), CommandError> {
        if let (Some(id), Some(key)) = (
            self.var("MAESTRO_APP_ID"),
            self.var("MAESTRO_APP_PRIVATE_KEY"),
        ) {
            let id: u64 = id.trim().parse().map_err(|_| {
                CommandError::message(ErrorKind::BadConfig, "MAESTRO_APP_ID is no number")
                    .hint("it is the App ID of the app's settings page")
            })?;
            // Secrets of a workflow lose their line breaks easily.
            let key = Secret::new(key.replace("\\n", "\n"));
            let credential = Credential::App {
                id,
                key: key.clone(),
            };
            return Ok((Some(credential), Whose::App { id, key }));
        }
        let Some((name, token)) = TOKENS
            .iter()
            .find_map(|name| Some((*name, self.var(name)?)))
        else {
            return Ok((None, Whose::Somebody));
        };
        let token = token.trim().to_owned();
        let is_workflows = name == "GITHUB_TOKEN"
            && token.starts_with("ghs_")
            && self
                .var("GITHUB_ACTIONS")
                .is_some_and(|value| value == "true");
        let whose = if is_workflows {
            Whose::Actions
        } else {
            Whose::Somebody
        };
        Ok((Some(Credential::Token(Secret::new(token))), whose))
    }
}

/// A token goes out over TLS only, but for a server on this machine.
fn check_address(api: &str) -> Result<(), CommandError> {
    let bad = |words: &str| {
        let message = format!("GITHUB_API_URL is `{api}`, which {words}");
        CommandError::message(ErrorKind::BadConfig, message).hint(
            "write it as https://api.github.com, or https://HOST/api/v3 of an enterprise server",
        )
    };
    let (scheme, rest) = api.split_once("://").ok_or_else(|| bad("is no address"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return Err(bad("names no server"));
    }
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    match scheme {
        "https" => Ok(()),
        "http" if ["127.0.0.1", "localhost", "[::1]"].contains(&host) => Ok(()),
        _ => Err(bad("would show the token to the network")),
    }
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn a_token_is_not_shown_to_the_network() {
        for good in [
            "https://api.github.com",
            "https://ghe.example.com:8443/api/v3",
            "http://127.0.0.1:80",
            "http://[::1]:80/api/v3",
        ] {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ghe.example.com/api/v3",
            "http://localhost.example.com",
            "http://localhost@evil.example/",
            "ftp://x",
            "api.github.com",
            "https://",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
