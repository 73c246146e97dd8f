//! The body of an answer: whole, or as it comes in while a watch looks on.
//!
//! Whoever watches is told of the end before the client sees it, so that a client which asks again at once finds the books in order.

use std::convert::Infallible;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::task::JoinHandle;

use super::server::UnderWay;
use crate::adapters::runtime::words;
use crate::ports::relay::{End, Piece, Watch};

/// What a client gets.
pub(super) enum Answer {
    Whole(Option<Bytes>),
    Stream(Box<Stream>),
}

impl Answer {
    pub(super) fn whole(body: Vec<u8>) -> Self {
        Self::Whole((!body.is_empty()).then(|| Bytes::from(body)))
    }
}

/// An answer on its way.
pub(super) struct Stream {
    upstream: Incoming,
    watched: Watched,
    /// The end is being written down.
    noting: Option<JoinHandle<Watched>>,
    /// What is passed on once it is.
    held: Option<Result<Bytes, io::Error>>,
    is_over: bool,
}

/// A watch that hears of the end once, whatever happens.
pub(super) struct Watched {
    watch: Option<Box<dyn Watch>>,
    under_way: Arc<UnderWay>,
}

impl Watched {
    pub(super) fn new(watch: Box<dyn Watch>, under_way: Arc<UnderWay>) -> Self {
        Self {
            watch: Some(watch),
            under_way,
        }
    }

    pub(super) fn get(&mut self) -> Option<&mut Box<dyn Watch>> {
        self.watch.as_mut()
    }

    /// Tells the watch of the end, on a thread that may wait.
    pub(super) fn end(mut self, end: End) -> JoinHandle<Self> {
        tokio::task::spawn_blocking(move || {
            if let Some(mut watch) = self.watch.take() {
                watch.end(end);
            }
            self
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(mut watch) = self.watch.take() else {
            return;
        };
        let under_way = Arc::clone(&self.under_way);
        let tell = move || {
            watch.end(End::Left);
            drop(under_way);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(tell)),
            Err(_) => tell(),
        }
    }
}

impl Stream {
    pub(super) fn new(upstream: Incoming, watched: Watched) -> Self {
        Self {
            upstream,
            watched,
            noting: None,
            held: None,
            is_over: false,
        }
    }

    /// Lets the end be written down, and holds back what comes with it.
    fn note(&mut self, end: End, held: Option<Result<Bytes, io::Error>>) {
        self.held = held;
        let under_way = Arc::clone(&self.watched.under_way);
        let nobody = Watched {
            watch: None,
            under_way,
        };
        let watched = std::mem::replace(&mut self.watched, nobody);
        self.noting = Some(watched.end(end));
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        loop {
            if let Some(noting) = &mut self.noting {
                let _noted = ready!(Pin::new(noting).poll(context));
                self.noting = None;
            }
            if let Some(held) = self.held.take() {
                return Poll::Ready(Some(held));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            let frame = ready!(Pin::new(&mut self.upstream).poll_frame(context));
            match frame {
                Some(Ok(frame)) => {
                    // Trailers are nobody's business here.
                    let Ok(bytes) = frame.into_data() else {
                        continue;
                    };
                    let Some(watch) = self.watched.get() else {
                        return Poll::Ready(Some(Ok(bytes)));
                    };
                    let (piece, is_known) = watch.piece(&bytes);
                    let bytes = match piece {
                        Piece::AsIs => bytes,
                        Piece::Instead(other) => Bytes::from(other),
                    };
                    if is_known {
                        self.note(End::Whole, Some(Ok(bytes)));
                    } else if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Some(Err(error)) => {
                    self.is_over = true;
                    let words = words(&error);
                    let failed = Some(Err(io::Error::other(words.clone())));
                    self.note(End::Broken(words), failed);
                }
                None => {
                    self.is_over = true;
                    let rest = self.watched.get().map(|watch| watch.rest());
                    let rest = rest.filter(|rest| !rest.is_empty());
                    self.note(End::Whole, rest.map(|rest| Ok(Bytes::from(rest))));
                }
            }
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => stream
                .next(context)
                .map(|next| next.map(|next| next.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Nothing that is answered here can fail.
pub(super) type Served = Result<http::Response<Answer>, Infallible>;
