//! Which repository is meant, and where its API is.

/// A repository: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepoName {
    pub(crate) owner: String,
    pub(crate) name: String,
}

/// The API of github.com.
pub(crate) const PUBLIC_API: &str = "https://api.github.com";

impl RepoName {
    /// Reads `owner/name`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.trim().split_once('/')?;
        let is_plain = |part: &str| {
            (1..=100).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                && part != "."
                && part != ".."
        };
        (is_plain(owner) && is_plain(name)).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the root of its resources.
    pub(crate) fn path(&self) -> String {
        format!("/repos/{}/{}", self.owner, self.name)
    }
}

impl std::fmt::Display for RepoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Reads the address of a git remote: the host, and the repository there.
pub(crate) fn of_remote(address: &str) -> Option<(String, RepoName)> {
    let address = address.trim();
    let (host, path) = match address.split_once("://") {
        Some((scheme, rest)) if ["https", "http", "ssh", "git"].contains(&scheme) => {
            rest.split_once('/')?
        }
        Some(_) => return None,
        // `git@github.com:owner/name.git`; a drive letter is no host.
        None => address
            .split_once(':')
            .filter(|(host, _)| host.len() > 1 && !host.contains('/'))?,
    };
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let repository = RepoName::parse(path)?;
    (!host.is_empty()).then_some((host, repository))
}

/// Returns where the API of one of GitHub's own hosts is; nothing for any other: it may be an enterprise server, or somebody who would like
/// to be shown a token.
pub(crate) fn api_of_host(host: &str) -> Option<String> {
    match host {
        "github.com" | "www.github.com" | "ssh.github.com" => Some(PUBLIC_API.to_owned()),
        host if host.ends_with(".ghe.com") => Some(format!("https://api.{host}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, wanted: Option<(&str, &str)>) {
        let found = of_remote(address).map(|(host, repository)| (host, repository.to_string()));
        assert_eq!(
            found,
            wanted.map(|(host, name)| (host.to_owned(), name.to_owned())),
            "{address}"
        );
    }

    #[test]
    fn a_remotes_address_names_host_and_repository() {
        for address in [
            "https://github.com/o/n.git",
            "https://x-access-token:secret@github.com/o/n",
            "git@github.com:o/n.git",
            "ssh://git@github.com:22/o/n.git/",
        ] {
            check(address, Some(("github.com", "o/n")));
        }
        check(
            "https://ghe.example.com:8443/o/n",
            Some(("ghe.example.com", "o/n")),
        );
        for address in [
            "/srv/git/o/n.git",
            "C:/o/n",
            "file:///o/n",
            "https://github.com/o",
            "https://github.com/o/n/x",
            "https://github.com/../n",
        ] {
            check(address, None);
        }
    }

    #[test]
    fn a_token_is_for_hosts_of_githubs_own() {
        let api = |host: &str| api_of_host(host);
        assert_eq!(api("github.com").as_deref(), Some("https://api.github.com"));
        assert_eq!(
            api("acme.ghe.com").as_deref(),
            Some("https://api.acme.ghe.com")
        );
        for other in [
            "gitlab.com",
            "ghe.example.com",
            "github.com.evil.example",
            "evilghe.com",
        ] {
            assert_eq!(api(other), None, "{other}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for text in [
            "", "o", "o/n/x", "o/..", "./n", "o/n?x", "o/n#", "o n/x", "ö/n",
        ] {
            assert_eq!(RepoName::parse(text), None, "{text}");
        }
    }
}
