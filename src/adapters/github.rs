//! GitHub by way of octocrab: connections, TLS, credentials. It asks once; its own retries, pages and redirects are not used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, USER_AGENT};
use http_body_util::{BodyExt, Limited};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};

use super::app_token;
use super::road;
use super::runtime::{Runtime, silence, words};
use crate::forge::request::{Request, Response, Silence};
use crate::ports::forge::{Credential, Forge, Server};

/// The version of the API whose shapes `forge::api` knows.
const API_VERSION: &str = "2022-11-28";

/// An answer of the API is smaller.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// What it calls itself.
const NAME: &str = concat!("maestro/", env!("CARGO_PKG_VERSION"));

/// A connection that takes longer will not come about.
const CONNECT: Duration = Duration::from_secs(10);

/// Connections, made when something is first asked.
#[derive(Default)]
pub(super) struct GitHub {
    runtime: Runtime,
    clients: Mutex<HashMap<Server, Octocrab>>,
}

impl GitHub {
    fn client(&self, server: &Server) -> Result<Octocrab, Silence> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(server) {
            return Ok(client.clone());
        }
        let client = match &server.credential {
            Credential::Token(token) => connect(&server.api, Some(token.expose()))?,
            Credential::App { id, key } => {
                let now = jiff::Timestamp::now().as_second();
                let token = app_token::sign(*id, key.expose(), now)
                    .map_err(|words| Silence::Unusable(words.into()))?;
                // It lapses within minutes, so its client is made anew for each request.
                return connect(&server.api, Some(&token));
            }
        };
        clients.insert(server.clone(), client.clone());
        Ok(client)
    }

    /// Sends one request and waits for the whole answer.
    fn send(
        &self,
        client: &dyn Fn() -> Result<Octocrab, Silence>,
        request: http::Request<String>,
        most: u64,
        within: Duration,
    ) -> Result<Response, Silence> {
        let runtime = self.runtime.get()?;
        // The client starts a task of its own when it is made.
        let _entered = runtime.enter();
        let client = client()?;
        runtime.block_on(async {
            let whole = async {
                let response = client
                    .execute(request)
                    .await
                    .map_err(|error| silence(&error))?;
                let (parts, body) = response.into_parts();
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let body = Limited::new(body, most).collect().await;
                let body = body.map_err(|error| Silence::Unknown(words(error.as_ref())))?;
                let text =
                    |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let headers = parts.headers.iter();
                let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
                Ok(Response {
                    status: parts.status.as_u16(),
                    headers: crate::order::map(headers),
                    body: body.to_bytes().to_vec(),
                })
            };
            match tokio::time::timeout(within, whole).await {
                Ok(done) => done,
                Err(_) => Err(Silence::Unknown(format!(
                    "nothing came within {:.1} s",
                    within.as_secs_f64()
                ))),
            }
        })
    }
}

impl Forge for GitHub {
    fn exchange(
        &self,
        server: &Server,
        request: &Request,
        etag: Option<&str>,
        within: Duration,
    ) -> Result<Response, Silence> {
        let mut builder = http::Request::builder()
            .method(request.method.name())
            .uri(request.target())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION);
        if let Some(etag) = etag {
            builder = builder.header("if-none-match", etag);
        }
        let body = match &request.body {
            Some(body) => {
                builder = builder.header("content-type", "application/json");
                body.to_string()
            }
            None => String::new(),
        };
        let sent = builder
            .body(body)
            .map_err(|error| Silence::Unusable(error.to_string()))?;
        self.send(&|| self.client(server), sent, LARGEST_ANSWER, within)
    }

    fn fetch(&self, address: &str, most: u64, within: Duration) -> Result<Response, Silence> {
        let unusable = |error: &dyn std::fmt::Display| {
            Silence::Unusable(format!("`{address}` is no address: {error}"))
        };
        let uri: http::Uri = address.parse().map_err(|error| unusable(&error))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(unusable(&"it names no server"));
        };
        let root = format!("{scheme}://{authority}");
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = http::Request::get(path).body(String::new());
        let request = request.map_err(|error| unusable(&error))?;
        self.send(&|| connect(&root, None), request, most, within)
    }
}

/// Connects by the way that everything takes, so that proxies and certificates are the same for all.
fn connect(root: &str, token: Option<&str>) -> Result<Octocrab, Silence> {
    let unusable = |error: &dyn std::fmt::Display| Silence::Unusable(error.to_string());
    let base: http::Uri = root.parse().map_err(|error| unusable(&error))?;
    let client = if base.scheme_str() == Some("http") {
        road::plain(CONNECT)
    } else {
        road::secure(CONNECT).map_err(Silence::Unusable)?
    };
    let mut headers = vec![(USER_AGENT, HeaderValue::from_static(NAME))];
    if let Some(token) = token {
        let held = HeaderValue::try_from(format!("Bearer {token}"));
        let mut held = held.map_err(|_| unusable(&"the token has what no header may have"))?;
        held.set_sensitive(true);
        headers.push((AUTHORIZATION, held));
    }
    let Ok(client) = OctocrabBuilder::new_empty()
        .with_service(client)
        .with_layer(&ExtraHeadersLayer::new(Arc::new(headers)))
        .with_layer(&BaseUriLayer::new(base))
        .with_auth(AuthState::None)
        .build();
    Ok(client)
}
