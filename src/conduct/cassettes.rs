//! Exchanges with providers on disk: kept while they happen, or played again in their place.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::forge::request::Silence;
use crate::llm::cassette::{Broken, Cassette, name_of};
use crate::ports::Files;
use crate::ports::model::{Model, Piece, Post, Take, Wish};
use crate::redact::Redactor;

/// No cassette is larger.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Keeps exchanges while they happen.
pub(crate) struct Recorder<'w> {
    inner: &'w dyn Model,
    files: &'w dyn Files,
    folder: PathBuf,
    redactor: &'w Redactor,
    /// Why something could not be kept: an answer that is paid for is not given up for it.
    problem: Mutex<Option<(PathBuf, std::io::Error)>>,
}

impl<'w> Recorder<'w> {
    pub(crate) fn new(
        inner: &'w dyn Model,
        files: &'w dyn Files,
        folder: &Path,
        redactor: &'w Redactor,
    ) -> Result<Self, std::io::Error> {
        files.create_folder(folder)?;
        Ok(Self {
            inner,
            files,
            folder: folder.to_path_buf(),
            redactor,
            problem: Mutex::new(None),
        })
    }

    /// Returns why something could not be kept.
    pub(crate) fn problem(self) -> Option<(PathBuf, std::io::Error)> {
        self.problem
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, name: &str, cassette: &Cassette) -> Result<(), (PathBuf, std::io::Error)> {
        keep(self.files, &self.folder, name, cassette)
    }
}

/// Writes a cassette behind those of the same request.
pub(super) fn keep(
    files: &dyn Files,
    folder: &Path,
    name: &str,
    cassette: &Cassette,
) -> Result<(), (PathBuf, std::io::Error)> {
    let mut number = 1_u64;
    let path = loop {
        let path = folder.join(file_name(name, number));
        if files.kind(&path).is_err() {
            break path;
        }
        number += 1;
    };
    let written = files.write_atomic(&path, &mut |out| {
        serde_json::to_writer_pretty(&mut *out, cassette)?;
        out.write_all(b"\n")
    });
    written.map_err(|error| (path, error))
}

impl Model for Recorder<'_> {
    fn post(&self, post: &Post<'_>, take: Take<'_>) -> Result<(), Silence> {
        let mut head = None;
        let mut body = Vec::new();
        let done = self.inner.post(post, &mut |piece| {
            match &piece {
                Piece::Head { status, headers } => head = Some((*status, headers.clone())),
                Piece::Bytes(bytes) => body.extend_from_slice(bytes),
            }
            take(piece)
        });
        let silence = match &done {
            Ok(()) => None,
            // Nobody was asked.
            Err(Silence::Unusable(_)) => return done,
            Err(Silence::NotSent(words)) => Some(Broken {
                was_sent: false,
                words: words.clone(),
            }),
            Err(Silence::Unknown(words)) => Some(Broken {
                was_sent: true,
                words: words.clone(),
            }),
        };
        let response = head
            .as_ref()
            .map(|(status, headers)| (*status, headers.as_slice(), body.as_slice()));
        let cassette = Cassette::new(post.body, response, silence, self.redactor);
        if let Err(problem) = self.keep(&name_of(post.body), &cassette) {
            let mut first = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(problem);
        }
        done
    }
}

/// Plays what was kept: asks nobody, and spends nothing.
pub(crate) struct Player<'w> {
    files: &'w dyn Files,
    folder: PathBuf,
    /// How often each request was made.
    counts: Mutex<BTreeMap<String, u64>>,
}

impl<'w> Player<'w> {
    pub(crate) fn new(files: &'w dyn Files, folder: &Path) -> Self {
        Self {
            files,
            folder: folder.to_path_buf(),
            counts: Mutex::new(BTreeMap::new()),
        }
    }

    fn read(&self, name: &str, number: u64) -> Result<Cassette, String> {
        let path = self.folder.join(file_name(name, number));
        let failed = |words: String| format!("`{}` cannot be played: {words}", path.display());
        let file = self.files.open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if number > 1 => format!(
                "only {} exchanges with this request are recorded in `{}` (`{name}`)",
                number - 1,
                self.folder.display()
            ),
            std::io::ErrorKind::NotFound => format!(
                "no exchange with this request is recorded in `{}` (`{name}`)",
                self.folder.display()
            ),
            _ => failed(error.to_string()),
        })?;
        let mut text = String::new();
        file.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|error| failed(error.to_string()))?;
        Cassette::read(&text).map_err(|problem| failed(problem.to_string()))
    }
}

impl Model for Player<'_> {
    fn post(&self, post: &Post<'_>, take: Take<'_>) -> Result<(), Silence> {
        let name = name_of(post.body);
        let number = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            *count
        };
        let cassette = self.read(&name, number).map_err(Silence::Unusable)?;
        if let Some(response) = cassette.response {
            let head = Piece::Head {
                status: response.status,
                headers: response.headers.into_iter().collect(),
            };
            if take(head) == Wish::More {
                take(Piece::Bytes(response.body.as_bytes()));
            }
        }
        match cassette.silence {
            None => Ok(()),
            Some(broken) if broken.was_sent => Err(Silence::Unknown(broken.words)),
            Some(broken) => Err(Silence::NotSent(broken.words)),
        }
    }
}

fn file_name(name: &str, number: u64) -> String {
    format!("{name}-{number}.json")
}
