//! One connection of a client, and what all of them share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::answer::{Answer, Served, Stream, Watched};
use super::upstream::{Answering, Upstream};
use crate::adapters::runtime::words;
use crate::ports::relay::{Decision, Desk, End, Forward, Head, Passing, Reply, Serving};

/// A client that takes longer to send a head is no client.
const HEAD: Duration = Duration::from_secs(30);

/// A client that takes longer to send a body will not be done.
const BODY: Duration = Duration::from_mins(2);

/// What all connections share.
pub(super) struct Shop {
    desk: Arc<dyn Desk>,
    upstream: Upstream,
    longest_request: usize,
    longest_answer: usize,
    busy: AtomicUsize,
    last: Mutex<Instant>,
}

/// A request that is under way; the shop is busy as long as there is one.
pub(super) struct UnderWay(Arc<Shop>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shop {
    pub(super) fn open(serving: &Serving, desk: Arc<dyn Desk>) -> Arc<Self> {
        Arc::new(Self {
            desk,
            upstream: Upstream::new(),
            longest_request: serving.longest_request,
            longest_answer: serving.longest_answer,
            busy: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
        })
    }

    fn enter(self: &Arc<Self>) -> Arc<UnderWay> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Arc::new(UnderWay(Arc::clone(self)))
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    pub(super) fn is_idle_for(&self, idle: Duration) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_busy() && last.elapsed() >= idle
    }

    pub(super) fn close(&self) {
        self.desk.close();
    }
}

/// Serves one connection until it is closed.
pub(super) async fn converse(stream: TcpStream, shop: Arc<Shop>) {
    let service = service_fn(move |request| answer(Arc::clone(&shop), request));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(256 * 1024);
    // A client that went away has told its watch already.
    let _closed = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(shop: Arc<Shop>, request: http::Request<Incoming>) -> Served {
    let under_way = shop.enter();
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query();
    let head = Head {
        method: parts.method,
        target: target.map_or_else(String::new, |target| target.as_str().to_owned()),
        headers: parts.headers,
    };
    if let Err(reply) = shop.desk.greet(&head) {
        return Ok(last(*reply));
    }
    let body = match read(&shop, body).await {
        Ok(body) => body,
        Err(is_too_long) => return Ok(last(shop.desk.unread(&head, is_too_long))),
    };
    let desk = Arc::clone(&shop.desk);
    let decided = tokio::task::spawn_blocking(move || desk.decide(head, body)).await;
    match decided {
        Ok(Decision::Answer(reply)) => Ok(whole(reply)),
        Ok(Decision::Forward(forward)) => Ok(pass_on(&shop, *forward, under_way).await),
        Err(_) => Ok(bare(http::StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

async fn read(shop: &Shop, body: Incoming) -> Result<Vec<u8>, bool> {
    let collected = Limited::new(body, shop.longest_request).collect();
    match tokio::time::timeout(BODY, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) => Err(error.downcast_ref::<LengthLimitError>().is_some()),
        Err(_) => Err(false),
    }
}

async fn pass_on(
    shop: &Shop,
    forward: Forward,
    under_way: Arc<UnderWay>,
) -> http::Response<Answer> {
    let mut watched = Watched::new(forward.watch, under_way);
    let answering = match shop.upstream.ask(forward.onward).await {
        Ok(answering) => answering,
        Err(end) => return excuse(watched, end).await,
    };
    let Answering {
        status,
        headers,
        body,
    } = answering;
    let Some(watch) = watched.get() else {
        return bare(http::StatusCode::INTERNAL_SERVER_ERROR);
    };
    let (headers, passing) = watch.head(status, &headers);
    let mut response = match passing {
        Passing::Stream => {
            http::Response::new(Answer::Stream(Box::new(Stream::new(body, watched))))
        }
        Passing::Whole => {
            let body = match Limited::new(body, shop.longest_answer).collect().await {
                Ok(body) => body.to_bytes().to_vec(),
                Err(error) => {
                    let end = End::Broken(words(error.as_ref()));
                    return excuse(watched, end).await;
                }
            };
            let body = watch.whole(body);
            let _noted = watched.end(End::Whole).await;
            http::Response::new(Answer::whole(body))
        }
    };
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Tells a watch that there is no answer, and the client too.
async fn excuse(mut watched: Watched, end: End) -> http::Response<Answer> {
    let reply = watched.get().map(|watch| watch.excuse(&end));
    let _noted = watched.end(end).await;
    reply.map_or_else(|| bare(http::StatusCode::BAD_GATEWAY), whole)
}

fn whole(reply: Reply) -> http::Response<Answer> {
    let mut response = http::Response::new(Answer::whole(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// An answer to a request whose body was not read: nothing can follow on that connection.
fn last(reply: Reply) -> http::Response<Answer> {
    let mut response = whole(reply);
    let close = http::HeaderValue::from_static("close");
    response
        .headers_mut()
        .insert(http::header::CONNECTION, close);
    response
}

fn bare(status: http::StatusCode) -> http::Response<Answer> {
    let mut response = http::Response::new(Answer::whole(Vec::new()));
    *response.status_mut() = status;
    response
}
