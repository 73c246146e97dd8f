//! What is needed from GitHub's servers: one exchange at a time. When to ask again, and what an answer means, is decided elsewhere.

use std::time::Duration;

use crate::forge::request::{Request, Response, Silence};

/// Something that nobody may read: it has no `Display`, and its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret itself, for whoever sends or signs with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What says who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Credential {
    /// Of a workflow, a person, or an app's installation.
    Token(Secret),
    /// An app itself, by its number and private key (PEM).
    App { id: u64, key: Secret },
}

/// A server's API, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    /// As `https://api.github.com`.
    pub(crate) api: String,
    pub(crate) credential: Credential,
}

/// GitHub.
pub(crate) trait Forge: Send + Sync {
    /// Sends a request and waits for the whole answer, so long at most. `etag` makes it conditional. Redirects are answers.
    fn exchange(
        &self,
        server: &Server,
        request: &Request,
        etag: Option<&str>,
        within: Duration,
    ) -> Result<Response, Silence>;

    /// Fetches from an address of somebody else, without credentials, so many bytes at most.
    fn fetch(&self, address: &str, most: u64, within: Duration) -> Result<Response, Silence>;
}
