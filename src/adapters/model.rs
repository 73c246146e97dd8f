//! Providers of models, and receivers of what is observed, over HTTP/1.1: connections, TLS, proxies, and each time-out by its name. It asks once and follows nobody elsewhere.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, Request};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use tokio::time::{Instant, timeout, timeout_at};

use super::road::{self, Body, Client};
use super::runtime::{Runtime, silence, words};
use crate::forge::request::Silence;
use crate::ports::model::{Model, Piece, Post, Take, Wish};

/// After the last event a stream may end by itself, so that its connection is good for another request.
const FAREWELL: Duration = Duration::from_millis(200);

/// How long it takes to close a connection.
const CLOSING: Duration = Duration::from_millis(3);

/// Connections, made when something is first asked.
#[derive(Default)]
pub(super) struct Providers {
    runtime: Runtime,
    plain: OnceLock<Client>,
    secure: OnceLock<Result<Client, String>>,
}

impl Providers {
    async fn exchange(
        &self,
        request: Request<Body>,
        post: &Post<'_>,
        take: Take<'_>,
    ) -> Result<Wish, Silence> {
        let patience = post.patience;
        let answer = async {
            if request.uri().scheme_str() == Some("http") {
                let client = self.plain.get_or_init(|| road::plain(patience.connect));
                return client
                    .request(request)
                    .await
                    .map_err(|error| silence(&error));
            }
            let client = self.secure.get_or_init(|| road::secure(patience.connect));
            let client = client.as_ref();
            let client = client.map_err(|words| Silence::Unusable(words.clone()))?;
            client
                .request(request)
                .await
                .map_err(|error| silence(&error))
        };
        let answer = timeout(patience.first_byte, answer).await;
        let answer = answer.map_err(|_| late("no answer began", patience.first_byte))??;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers().iter();
        let head = Piece::Head {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
        };
        let mut wish = take(head);
        let mut body = answer.into_body();
        while wish == Wish::More {
            let frame = timeout(patience.between, body.frame()).await;
            let frame = frame.map_err(|_| late("nothing more came", patience.between))?;
            match frame {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        wish = take(Piece::Bytes(bytes));
                    }
                }
                Some(Err(error)) => return Err(Silence::Unknown(words(&error))),
                None => return Ok(wish),
            }
        }
        if wish == Wish::Enough {
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            let _is_over = timeout(FAREWELL, rest).await;
        }
        Ok(wish)
    }
}

impl Model for Providers {
    fn post(&self, post: &Post<'_>, take: Take<'_>) -> Result<(), Silence> {
        let unusable = |error: http::Error| Silence::Unusable(error.to_string());
        let mut request = Request::builder()
            .method(post.method)
            .uri(post.url)
            .header("user-agent", concat!("maestro/", env!("CARGO_PKG_VERSION")));
        for (name, value) in post.headers {
            request = request.header(*name, *value);
        }
        for (name, key) in &post.keys {
            // The words of this error would show the key.
            let mut value = HeaderValue::from_str(key.expose())
                .map_err(|_| Silence::Unusable("the key has signs in it that no key has".into()))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let body = if post.is_gzip {
            request = request.header("content-encoding", "gzip");
            let squeezed = squeezed(post.body);
            squeezed.map_err(|error| Silence::Unusable(error.to_string()))?
        } else {
            post.body.as_bytes().to_vec()
        };
        let request = request
            .body(Body::from(Bytes::from(body)))
            .map_err(unusable)?;
        let total = post.patience.total;
        self.runtime.get()?.block_on(async {
            let end = Instant::now() + total;
            let done = timeout_at(end, self.exchange(request, post, take)).await;
            let done = done.unwrap_or_else(|_| Err(late("the answer was not whole", total)));
            if !matches!(done, Ok(Wish::More | Wish::Enough)) {
                // Nothing closes a connection while nobody waits here, and a model would go on writing.
                tokio::time::sleep(CLOSING).await;
            }
            done.map(drop)
        })
    }
}

fn squeezed(text: &str) -> std::io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes())?;
    out.finish()
}

fn late(what: &str, after: Duration) -> Silence {
    Silence::Unknown(format!("{what} within {:.1} s", after.as_secs_f64()))
}
