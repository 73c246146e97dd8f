//! Whoever answers in the end: connections that are kept, and one exchange at a time.

use std::sync::OnceLock;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Error;

use crate::adapters::road::{self, Body, Client};
use crate::adapters::runtime::words;
use crate::ports::relay::{End, Onward};

/// A connection that takes longer will not come about.
const CONNECT: Duration = Duration::from_secs(10);

pub(super) struct Upstream {
    plain: Client,
    /// Made when it is first needed, for this machine's certificates are many.
    secure: OnceLock<Result<Client, String>>,
}

/// An answer whose body is still to come.
pub(super) struct Answering {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Incoming,
}

impl Upstream {
    pub(super) fn new() -> Self {
        Self {
            plain: road::plain(CONNECT),
            secure: OnceLock::new(),
        }
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn ask(&self, onward: Onward) -> Result<Answering, End> {
        let mut request = http::Request::builder()
            .method(onward.method)
            .uri(&onward.url)
            .body(Body::from(Bytes::from(onward.body)))
            .map_err(|error| End::NotSent(error.to_string()))?;
        *request.headers_mut() = onward.headers;
        let answered = if request.uri().scheme_str() == Some("https") {
            let secure = self.secure.get_or_init(|| road::secure(CONNECT));
            let client = secure.as_ref();
            let client = client.map_err(|words| End::NotSent(words.clone()))?;
            client.request(request).await
        } else {
            self.plain.request(request).await
        };
        let (parts, body) = answered.map_err(|error| end(&error))?.into_parts();
        Ok(Answering {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

fn end(error: &Error) -> End {
    if error.is_connect() {
        End::NotSent(words(error))
    } else {
        End::Broken(words(error))
    }
}
