//! What is observed, on its way to those who take it: within a time that all of it has together, and kept on disk where nobody takes it.
//!
//! A receiver that is down costs its first request only. The spool holds documents and no address or header: who takes them, and by which key, is asked
//! anew when they are sent. It is bounded, and what it drops (the oldest) is counted.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::forge::Secret;
use crate::ports::model::{Model, Patience, Piece, Post, Wish};
use crate::ports::{Clock, Files};
use crate::telemetry::otlp::exporter::{Answer, Signal, Target, answer};

/// The spool holds no more documents.
const MOST_DOCUMENTS: usize = 200;

/// And no more bytes.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// No document is longer.
const LONGEST: u64 = 8 * 1024 * 1024;

/// No answer is read further.
const LONGEST_ANSWER: usize = 64 * 1024;

/// No connection takes longer to be made.
const CONNECT: Duration = Duration::from_secs(1);

/// Sends documents.
pub(crate) struct Exporter<'w> {
    model: &'w dyn Model,
    files: &'w dyn Files,
    clock: &'w dyn Clock,
    /// Where documents wait.
    spool: PathBuf,
    end: Timestamp,
}

/// What became of a signal's documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) sent: u64,
    /// Of those, the ones that had waited.
    pub(crate) from_spool: u64,
    /// Documents that wait for the next time.
    pub(crate) spooled: u64,
    /// Documents that the receiver does not want.
    pub(crate) refused: u64,
    /// Items of documents that it took.
    pub(crate) rejected: u64,
    /// Documents that had waited, and for which there was no more room.
    pub(crate) dropped: u64,
    pub(crate) why: Option<String>,
}

/// What was answered.
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Why a document stays.
enum Stays {
    /// It may be sent later.
    Later(String),
    /// Nobody will ever take it.
    Refused(String),
}

impl<'w> Exporter<'w> {
    pub(crate) fn new(
        model: &'w dyn Model,
        files: &'w dyn Files,
        clock: &'w dyn Clock,
        spool: PathBuf,
        within: Duration,
    ) -> Self {
        let end = clock.now();
        let within = jiff::SignedDuration::try_from(within).unwrap_or_default();
        Self {
            model,
            files,
            clock,
            spool,
            end: end.saturating_add(within).unwrap_or(end),
        }
    }

    fn left(&self) -> Duration {
        let left = self.end.duration_since(self.clock.now());
        left.try_into().unwrap_or(Duration::ZERO)
    }

    /// Sends what waits of a signal, and then documents.
    pub(crate) fn deliver(
        &self,
        signal: Signal,
        target: &Target,
        documents: &[String],
    ) -> std::io::Result<Delivered> {
        let mut done = Delivered::default();
        let lock = self.lock()?;
        let mut is_down = false;
        // Whoever holds the lock sends what waits.
        if lock.is_some() {
            for path in self.waiting(signal)? {
                let Some(document) = self.read(&path) else {
                    self.files.remove(&path)?;
                    continue;
                };
                if !self.send(target, &document, &mut done, &mut is_down) {
                    break;
                }
                done.from_spool += 1;
                self.files.remove(&path)?;
            }
        }
        let mut left = Vec::new();
        for document in documents {
            if is_down || !self.send(target, document, &mut done, &mut is_down) {
                left.push(document.as_str());
            }
        }
        self.keep(signal, &left, &mut done)?;
        Ok(done)
    }

    /// Keeps documents of a signal for the next time.
    fn keep(
        &self,
        signal: Signal,
        documents: &[&str],
        done: &mut Delivered,
    ) -> std::io::Result<()> {
        if documents.is_empty() {
            return Ok(());
        }
        self.files.create_folder(&self.spool)?;
        let at = self.clock.now().as_microsecond();
        let dice = self.clock.dice();
        for (number, document) in documents.iter().enumerate() {
            let name = format!("{at:020}-{dice:016x}-{number:04}.{}.json", signal.word());
            self.files
                .write_atomic(&self.spool.join(name), &mut |out| {
                    out.write_all(document.as_bytes())
                })?;
            done.spooled += 1;
        }
        done.dropped += self.shorten()?;
        Ok(())
    }

    /// Drops the oldest documents of the spool until it is within its bounds.
    fn shorten(&self) -> std::io::Result<u64> {
        let mut kept = (0_usize, 0_u64);
        let mut dropped = 0;
        // The newest first.
        for path in self.all()?.into_iter().rev() {
            let length = self.read(&path).map_or(0, |document| document.len() as u64);
            let (count, bytes) = (kept.0 + 1, kept.1.saturating_add(length));
            if count > MOST_DOCUMENTS || bytes > MOST_BYTES {
                self.files.remove(&path)?;
                dropped += 1;
            } else {
                kept = (count, bytes);
            }
        }
        Ok(dropped)
    }

    fn lock(&self) -> std::io::Result<Option<Box<dyn crate::ports::Lock>>> {
        self.files.create_folder(&self.spool)?;
        self.files.try_lock(&self.spool.join("lock"))
    }

    fn all(&self) -> std::io::Result<BTreeSet<PathBuf>> {
        let names = self.files.names(&self.spool)?;
        let paths = names.iter().map(|name| self.spool.join(name));
        Ok(paths.filter(|path| is_document(path)).collect())
    }

    fn waiting(&self, signal: Signal) -> std::io::Result<Vec<PathBuf>> {
        let end = format!(".{}.json", signal.word());
        let all = self.all()?.into_iter();
        let of_signal = |path: &PathBuf| path.to_string_lossy().ends_with(&end);
        Ok(all.filter(of_signal).collect())
    }

    fn read(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        let file = self.files.open(path).ok()?;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Sends a document; false where it stays.
    fn send(
        &self,
        target: &Target,
        document: &str,
        done: &mut Delivered,
        is_down: &mut bool,
    ) -> bool {
        match self.exchange(target, document) {
            Ok(rejected) => {
                done.sent += 1;
                if let Some((items, why)) = rejected {
                    done.rejected += items;
                    done.why = Some(why);
                }
                true
            }
            // Sent again it would be refused again.
            Err(Stays::Refused(why)) => {
                done.refused += 1;
                done.why = Some(why);
                true
            }
            Err(Stays::Later(why)) => {
                done.why = Some(why);
                *is_down = true;
                false
            }
        }
    }

    fn exchange(&self, target: &Target, document: &str) -> Result<Option<(u64, String)>, Stays> {
        loop {
            let said = self.post("POST", target, "application/json", document);
            let said = said.map_err(Stays::Later)?;
            let header = said.headers.iter().find(|(name, _)| name == "retry-after");
            let after = header.map(|(_, value)| value.as_str());
            match answer(said.status, after, &said.body) {
                Answer::Taken => return Ok(None),
                Answer::Partly { rejected, why } => return Ok(Some((rejected, why))),
                Answer::Refused(why) => return Err(Stays::Refused(why)),
                Answer::Later(seconds) => {
                    let pause = Duration::from_secs(seconds.unwrap_or(1));
                    if pause >= self.left() {
                        return Err(Stays::Later(format!("it answered {}", said.status)));
                    }
                    self.clock.sleep(pause);
                }
            }
        }
    }

    /// Replaces what a Pushgateway has; it keeps the last push anyway, so that nothing of this waits.
    pub(crate) fn push(
        &self,
        target: &Target,
        kind: &'static str,
        text: &str,
    ) -> Result<(), String> {
        let said = self.post("PUT", target, kind, text)?;
        match said.status {
            200..=299 => Ok(()),
            status => {
                let body: String = said.body.chars().take(200).collect();
                let words = body.replace(char::is_control, " ");
                Err(format!("it answered {status} {}", words.trim())
                    .trim()
                    .into())
            }
        }
    }

    fn post(
        &self,
        method: &'static str,
        target: &Target,
        kind: &'static str,
        body: &str,
    ) -> Result<Said, String> {
        let left = self.left().min(Duration::from_millis(target.milliseconds));
        if left.is_zero() {
            return Err("there was no time left for it".into());
        }
        let keys = target.headers.iter();
        let post = Post {
            method,
            url: &target.url,
            headers: &[("content-type", kind)],
            keys: keys
                .map(|(name, value)| (name.clone(), Secret::new(value.clone())))
                .collect(),
            body,
            is_gzip: target.gzip,
            patience: Patience {
                connect: CONNECT,
                first_byte: left,
                between: left,
                total: left,
            },
        };
        let (mut head, mut bytes) = ((0, Vec::new()), Vec::new());
        let done = self.model.post(&post, &mut |piece| match piece {
            Piece::Head { status, headers } => {
                head = (status, headers);
                Wish::More
            }
            Piece::Bytes(more) => {
                bytes.extend_from_slice(more);
                if bytes.len() > LONGEST_ANSWER {
                    Wish::Nothing
                } else {
                    Wish::More
                }
            }
        });
        done.map_err(|silence| silence.to_string())?;
        Ok(Said {
            status: head.0,
            headers: head.1,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}
