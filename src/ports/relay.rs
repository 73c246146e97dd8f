//! What is needed of the loopback: a server that passes requests on to somebody else, and a command that may be wrapped by it.
//!
//! What comes in, what goes on and what is counted is decided by a [`Desk`]; a relay only moves bytes.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use super::Call;

/// The head of a request.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// Path and query, as they came.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes no further.
    Answer(Reply),
    /// Somebody else answers.
    Forward(Box<Forward>),
}

/// A request as it goes on, and who watches the answer.
pub(crate) struct Forward {
    pub(crate) onward: Onward,
    pub(crate) watch: Box<dyn Watch>,
}

/// A request to somebody else.
#[derive(Debug)]
pub(crate) struct Onward {
    pub(crate) method: Method,
    /// The whole address.
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// How an answer is passed on.
pub(crate) enum Passing {
    /// As it comes.
    Stream,
    /// When it is whole, for it is short.
    Whole,
}

/// What becomes of a piece of a stream.
pub(crate) enum Piece {
    /// It is passed on as it is.
    AsIs,
    /// Something else is, or nothing yet.
    Instead(Vec<u8>),
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The answer is whole.
    Whole,
    /// Nobody can have heard the request.
    NotSent(String),
    /// Somebody may have heard it, and the answer is not whole.
    Broken(String),
    /// Whoever asked did not wait.
    Left,
}

/// Watches one answer come by.
pub(crate) trait Watch: Send {
    /// Takes the head of the answer, and returns what the client gets of it.
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) -> (HeaderMap, Passing);
    /// Takes a piece of a stream, and says whether what there is to know is known with it.
    fn piece(&mut self, bytes: &[u8]) -> (Piece, bool);
    /// Takes a whole body, and returns what is passed on.
    fn whole(&mut self, body: Vec<u8>) -> Vec<u8>;
    /// Returns what is still to be passed on when a stream ends.
    fn rest(&mut self) -> Vec<u8>;
    /// Takes note of the end; may wait for the disk. It is called once.
    fn end(&mut self, end: End);
    /// Returns what the client gets when nobody answers.
    fn excuse(&self, end: &End) -> Reply;
}

/// Decides about requests.
pub(crate) trait Desk: Send + Sync {
    /// Looks at a request before its body is read; an answer ends it there.
    fn greet(&self, head: &Head) -> Result<(), Box<Reply>>;
    /// Decides about a request; may wait for the disk, or for others to end.
    fn decide(&self, head: Head, body: Vec<u8>) -> Decision;
    /// Returns the answer to a body that is too long or did not arrive.
    fn unread(&self, head: &Head, is_too_long: bool) -> Reply;
    /// Nothing new is taken in any more.
    fn close(&self);
}

/// What a relay is asked to do.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) address: IpAddr,
    /// Zero lets the system choose.
    pub(crate) port: u16,
    /// It ends when nothing was under way for so long.
    pub(crate) idle: Option<Duration>,
    /// It ends when this becomes true.
    pub(crate) until: Option<Arc<AtomicBool>>,
    /// Bodies of requests are at most so long.
    pub(crate) longest_request: usize,
    /// Answers that are passed on when they are whole are at most so long.
    pub(crate) longest_answer: usize,
    /// How long calls that are under way may take when it is to end.
    pub(crate) grace: Duration,
}

/// How a wrapped command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandEnd {
    Exited(i32),
    /// By the signal of that number.
    Killed(i32),
}

/// Why a relay ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Somebody asked it to.
    Asked,
    /// Nothing happened any more.
    Idle,
    /// The wrapped command ended.
    Command(CommandEnd),
}

/// What could not be done.
#[derive(Debug)]
pub(crate) enum RelayProblem {
    /// The port cannot be listened on.
    Listen(io::Error),
    /// The command cannot be started.
    Start(io::Error),
    /// What follows the start was not done.
    Ready(io::Error),
    /// The machinery failed.
    Other(io::Error),
}

/// Called once the port is known; returns the command to wrap, if any. It inherits the terminal.
pub(crate) type Ready<'a> = &'a mut dyn FnMut(u16) -> io::Result<Option<Call>>;

/// The loopback.
pub(crate) trait Relay: Send + Sync {
    /// Returns 64 hexadecimal digits that nobody can guess.
    fn token(&self) -> io::Result<String>;
    /// Hides what this process knows from others of the same user, as far as the system can.
    fn hide(&self);
    /// Serves until it is told to end, is idle, or the command ends; then calls under way have a while.
    fn serve(
        &self,
        serving: &Serving,
        desk: Arc<dyn Desk>,
        ready: Ready<'_>,
    ) -> Result<Ended, RelayProblem>;
}
