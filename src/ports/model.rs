//! What is needed from those who run models, and from those who take what is observed: one exchange at a time. When to ask again, and what an answer
//! means, is decided elsewhere.

use std::time::Duration;

use super::forge::Secret;
use crate::forge::request::Silence;

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Until there is a connection.
    pub(crate) connect: Duration,
    /// Until the answer begins.
    pub(crate) first_byte: Duration,
    /// Between two pieces of it.
    pub(crate) between: Duration,
    /// For all of it.
    pub(crate) total: Duration,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Post<'p> {
    /// `POST` or `PUT`.
    pub(crate) method: &'static str,
    pub(crate) url: &'p str,
    pub(crate) headers: &'p [(&'static str, &'static str)],
    /// Headers that nobody may read, with their values.
    pub(crate) keys: Vec<(String, Secret)>,
    pub(crate) body: &'p str,
    /// Whether the body is sent as gzip.
    pub(crate) is_gzip: bool,
    pub(crate) patience: Patience,
}

/// A piece of an answer.
pub(crate) enum Piece<'p> {
    Head {
        status: u16,
        headers: Vec<(String, String)>,
    },
    Bytes(&'p [u8]),
}

/// What is wanted after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    More,
    /// All that matters is there: the rest may come if it comes at once.
    Enough,
    /// It is worth nothing: whoever sends it should hear that nobody listens.
    Nothing,
}

/// What takes an answer, piece by piece.
pub(crate) type Take<'t> = &'t mut dyn FnMut(Piece<'_>) -> Wish;

/// Whoever runs models.
pub(crate) trait Model: Send + Sync {
    /// Sends a request and hands out the answer as it comes. Redirects are answers.
    fn post(&self, post: &Post<'_>, take: Take<'_>) -> Result<(), Silence>;
}
