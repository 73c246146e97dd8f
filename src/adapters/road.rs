//! The way to a server: straight, or through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`); with
//! TLS by the certificates that this machine trusts; and connections that are kept.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo};
use octocrab::OctoBody;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::llm::endpoint::is_here;

/// A peer that is gone is noticed after so long, however long an answer may take.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// What is sent; octocrab says in what form.
pub(super) type Body = OctoBody;

/// Connections that are kept. There is one kind of them, for each takes 40 kB of code.
pub(super) type Client = legacy::Client<Way, Body>;

/// Returns connections without TLS.
pub(super) fn plain(connect: Duration) -> Client {
    client(Way::Plain(Road::new(connect)))
}

/// Returns connections with TLS.
pub(super) fn secure(connect: Duration) -> Result<Client, String> {
    Ok(client(Way::Secure(Road::new(connect).secure()?)))
}

fn client(way: Way) -> Client {
    legacy::Client::builder(TokioExecutor::new()).build(way)
}

/// The way to a server, with TLS at its end or without.
#[derive(Clone)]
pub(super) enum Way {
    Plain(Road),
    Secure(HttpsConnector<Road>),
}

type Failed = Box<dyn Error + Send + Sync>;

type Arriving<T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send>>;

impl Service<Uri> for Way {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Failed;
    type Future = Arriving<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        match self {
            Self::Plain(road) => road.poll_ready(context),
            Self::Secure(road) => road.poll_ready(context),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Plain(road) => {
                let connecting = road.call(to);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Self::Secure(road) => road.call(to),
        }
    }
}

/// The way to a server.
#[derive(Debug, Clone)]
pub(super) struct Road {
    straight: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Road {
    fn new(connect: Duration) -> Self {
        let mut straight = HttpConnector::new();
        straight.enforce_http(false);
        straight.set_nodelay(true);
        straight.set_connect_timeout(Some(connect));
        straight.set_keepalive(Some(KEEP_ALIVE));
        Self {
            straight,
            proxies: Arc::new(Matcher::from_env()),
        }
    }

    /// Returns the same way with TLS at its end.
    fn secure(self) -> Result<HttpsConnector<Self>, String> {
        let builder = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| format!("this machine's certificates cannot be read: {error}"))?;
        Ok(builder.https_only().enable_http1().wrap_connector(self))
    }
}

impl Service<Uri> for Road {
    type Response = TokioIo<TcpStream>;
    type Error = Failed;
    type Future = Arriving<Self::Response>;

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
