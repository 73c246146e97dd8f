//! What went through the gateway, written down as cassettes, without secrets: what `llm::cassette` has is played again by it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;

use crate::conduct::cassettes;
use crate::llm::cassette::{Broken, Cassette, name_of};
use crate::ports::Files;
use crate::ports::relay::End;
use crate::redact::Redactor;

/// No more of an answer is kept.
const LONGEST: usize = 32 * 1024 * 1024;

/// Where exchanges are written down.
pub(crate) struct Tape {
    files: Arc<dyn Files>,
    folder: PathBuf,
    redactor: Redactor,
    /// One at a time: cassettes of the same request are numbered.
    turn: Mutex<()>,
}

/// An exchange under way.
#[derive(Default)]
pub(crate) struct Exchange {
    request: String,
    head: Option<(u16, Vec<(String, String)>)>,
    answer: Vec<u8>,
    is_cut: bool,
}

impl Tape {
    pub(crate) fn open(
        files: Arc<dyn Files>,
        folder: &Path,
        redactor: Redactor,
    ) -> io::Result<Self> {
        files.create_folder(folder)?;
        Ok(Self {
            files,
            folder: folder.to_path_buf(),
            redactor,
            turn: Mutex::new(()),
        })
    }

    /// Writes an exchange down that has ended.
    pub(super) fn keep(&self, exchange: &Exchange, end: &End) -> io::Result<()> {
        let broken = |was_sent: bool, words: &str| Broken {
            was_sent,
            words: words.to_owned(),
        };
        let silence = match end {
            End::Whole if exchange.is_cut => {
                Some(broken(true, "the answer is longer than is kept"))
            }
            End::Whole => None,
            End::NotSent(words) => Some(broken(false, words)),
            End::Broken(words) => Some(broken(true, words)),
            End::Left => Some(broken(true, "whoever asked hung up")),
        };
        let head = exchange.head.as_ref();
        let response =
            head.map(|(status, headers)| (*status, headers.as_slice(), exchange.answer.as_slice()));
        let cassette = Cassette::new(&exchange.request, response, silence, &self.redactor);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name_of(&exchange.request);
        let kept = cassettes::keep(self.files.as_ref(), &self.folder, &name, &cassette);
        kept.map_err(|(_, error)| error)
    }
}

impl Exchange {
    pub(super) fn begin(body: &[u8]) -> Self {
        Self {
            request: String::from_utf8_lossy(body).into_owned(),
            ..Self::default()
        }
    }

    pub(super) fn head(&mut self, status: u16, headers: &HeaderMap) {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        self.head = Some((status, headers.collect()));
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.answer.len());
        self.is_cut |= bytes.len() > room;
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.answer.extend_from_slice(kept);
    }
}
