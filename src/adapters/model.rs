//! Providers of models over HTTP/1.1: connections, TLS, proxies, and each time-out by its name. It asks once and follows nobody elsewhere.

use std::future::Future;
use std::io::Cursor;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use super::runtime::{Runtime, silence, words};
use crate::forge::request::Silence;
use crate::llm::endpoint::is_here;
use crate::ports::model::{Model, Piece, Post, Take, Wish};

type Body = Full<Cursor<Vec<u8>>>;

/// After the last event a stream may end by itself, so that its connection is good for another request.
const FAREWELL: Duration = Duration::from_millis(200);

/// How long it takes to close a connection.
const CLOSING: Duration = Duration::from_millis(3);

/// Connections, made when something is first asked.
#[derive(Default)]
pub(super) struct Providers {
    runtime: Runtime,
    plain: OnceLock<Client<Road, Body>>,
    secure: OnceLock<Result<Client<HttpsConnector<Road>, Body>, String>>,
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
                let client = self.plain.get_or_init(|| {
                    Client::builder(TokioExecutor::new()).build(Road::new(patience.connect))
                });
                return client
                    .request(request)
                    .await
                    .map_err(|error| silence(&error));
            }
            let client = self.secure.get_or_init(|| secure(patience.connect));
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
            .method("POST")
            .uri(post.url)
            .header("user-agent", concat!("maestro/", env!("CARGO_PKG_VERSION")));
        for (name, value) in post.headers {
            request = request.header(*name, *value);
        }
        if let Some((name, key)) = &post.key {
            // The words of this error would show the key.
            let mut value = HeaderValue::from_str(key.expose())
                .map_err(|_| Silence::Unusable("the key has signs in it that no key has".into()))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let body = Full::new(Cursor::new(post.body.as_bytes().to_vec()));
        let request = request.body(body).map_err(unusable)?;
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

fn late(what: &str, after: Duration) -> Silence {
    Silence::Unknown(format!("{what} within {:.1} s", after.as_secs_f64()))
}

fn secure(connect: Duration) -> Result<Client<HttpsConnector<Road>, Body>, String> {
    let builder = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| format!("this machine's certificates cannot be read: {error}"))?;
    let connector = builder
        .https_only()
        .enable_http1()
        .wrap_connector(Road::new(connect));
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// The way to a server: straight, or through the proxy that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
#[derive(Debug, Clone)]
struct Road {
    straight: HttpConnector,
    proxies: std::sync::Arc<Matcher>,
}

impl Road {
    fn new(connect: Duration) -> Self {
        let mut straight = HttpConnector::new();
        straight.enforce_http(false);
        straight.set_nodelay(true);
        straight.set_connect_timeout(Some(connect));
        Self {
            straight,
            proxies: std::sync::Arc::new(Matcher::from_env()),
        }
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Road {
    type Response = TokioIo<TcpStream>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.straight.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        // No proxy leads back to this machine.
        let proxy = if to.host().is_some_and(is_here) {
            None
        } else {
            self.proxies.intercept(&to)
        };
        let Some(proxy) = proxy else {
            let connecting = self.straight.call(to);
            return Box::pin(async move { connecting.await.map_err(Into::into) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.straight.clone());
        if let Some(key) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(key.clone());
        }
        let connecting = tunnel.call(to);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}
