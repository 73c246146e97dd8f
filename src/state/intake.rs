//! Taking in what a job left as an artifact. The job may have run anybody's code, so every byte of it is hostile: what is taken
//! is looked at one by one, and what is refused is refused with a reason.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::disk::{Place, StateError, StateFolder};
use super::kinds;
use super::lengths::Lengths;
use super::lines::read_lines;
use super::pack::{Header, is_header};
use super::refusal::{Reason, Refusal, harmless};
use super::v1::{
    self, LineProblem, ListShape, MOST_RESULTS, RunDemand, StoredEvent, TEST_LIST, TEST_RUN,
    TEST_TIMING,
};
use crate::event::LONGEST_NAME;
use crate::ports::Files;
use crate::sha::Sha;

/// No artifact of a job's tests has more files.
const MOST_FILES: usize = 2_000;

/// Nor more bytes, once unpacked.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Nor more events.
const MOST_EVENTS: usize = 200_000;

/// One attempt of one run leaves fewer.
const MOST_EVENTS_OF_RUN: usize = 2_000;

/// Lists that are longer, all together with what they stand on, nobody laid down in one run.
const MOST_PLACES: u64 = 300_000_000;

/// What is refused is named one by one up to here, and counted from then on.
const MOST_NAMED: usize = 1_000;

/// An artifact of which so much is refused is not looked at any further.
const MOST_REFUSED: u64 = 100_000;

/// Payloads of kinds whose shape is not known here are shorter.
const LONGEST_PAYLOAD: usize = 4 * 1024 * 1024;

/// A list of a million tests is shorter.
const LONGEST_LINE: usize = 96 * 1024 * 1024;

/// A clock may be wrong by so much.
const FUTURE: SignedDuration = SignedDuration::from_hours(24);

/// GitHub keeps artifacts for 90 days, or 400 where somebody asks for that.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 400);

/// What the artifact must be, as somebody says who can be trusted; nothing where nobody says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) repository: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) attempt: Option<u32>,
    pub(crate) job: Option<String>,
    /// The branch, where the code that ran is a stranger's, who would like to speak about another one.
    pub(crate) branch: Option<String>,
    pub(crate) now: Timestamp,
}

/// What was taken in.
#[derive(Debug, Default)]
pub(crate) struct TakenIn {
    pub(crate) files: u64,
    /// Events that were stored, or would be.
    pub(crate) events: u64,
    /// Events that stand in the artifact more than once, and lists that are stored already.
    pub(crate) repeated: u64,
    /// Files that hold no events.
    pub(crate) passed_over: Vec<String>,
    /// The first ones.
    pub(crate) refused: Vec<Refusal>,
    /// How many more there are, by reason.
    pub(crate) refused_more: BTreeMap<Reason, u64>,
}

impl TakenIn {
    /// Returns how much was refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.len() as u64 + self.refused_more.values().sum::<u64>()
    }
}

/// An artifact being looked at.
struct Intake<'e> {
    expected: &'e Expected,
    /// Stored lists and those of the artifact.
    lists: HashMap<Sha, ListShape>,
    /// Sound events by id, with their lines; runs are asked for their lists at the end.
    taken: BTreeMap<Sha, (String, u64, String)>,
    /// For each run and each sample of time, what it asks of its list.
    runs: BTreeMap<Sha, RunDemand>,
    results: u64,
    done: TakenIn,
    bytes: u64,
}

impl StateFolder<'_> {
    /// Takes in an artifact: a zip archive as GitHub hands it out, a folder that it was unpacked to, or one file.
    pub(crate) fn ingest(
        &self,
        artifact: &Path,
        expected: &Expected,
        dry_run: bool,
    ) -> Result<TakenIn, StateError> {
        let mut intake = self.intake(expected)?;
        intake.artifact(self.files, artifact)?;
        self.end_of_intake(intake, dry_run)
    }

    /// Takes in an archive that was downloaded.
    pub(crate) fn ingest_archive(
        &self,
        name: &str,
        archive: Vec<u8>,
        expected: &Expected,
        dry_run: bool,
    ) -> Result<TakenIn, StateError> {
        let mut intake = self.intake(expected)?;
        intake.archive(name, archive);
        self.end_of_intake(intake, dry_run)
    }

    fn intake<'e>(&self, expected: &'e Expected) -> Result<Intake<'e>, StateError> {
        let mut lists = HashMap::new();
        self.read(&|kind, _: Place| kind == TEST_LIST, &mut |event| {
            lists.insert(event.id, v1::shape_of(event)?);
            Ok(())
        })?;
        Ok(Intake {
            expected,
            lists,
            taken: BTreeMap::new(),
            runs: BTreeMap::new(),
            results: 0,
            done: TakenIn::default(),
            bytes: 0,
        })
    }

    fn end_of_intake(&self, mut intake: Intake<'_>, dry_run: bool) -> Result<TakenIn, StateError> {
        intake.ask_for_lists();
        intake.done.events = intake.taken.len() as u64;
        if !dry_run && !intake.taken.is_empty() {
            let ids: Vec<Sha> = intake.taken.keys().copied().collect();
            let lines: Vec<&str> = intake
                .taken
                .values()
                .map(|(_, _, line)| line.as_str())
                .collect();
            self.save_lines(&ids, &lines)?;
        }
        Ok(intake.done)
    }
}

impl Intake<'_> {
    fn refuse(&mut self, file: &str, line: Option<u64>, reason: Reason, detail: impl AsRef<str>) {
        if self.done.refused.len() >= MOST_NAMED {
            *self.done.refused_more.entry(reason).or_default() += 1;
            return;
        }
        self.done.refused.push(Refusal {
            file: harmless(file),
            line,
            reason,
            detail: harmless(detail.as_ref()),
        });
    }

    /// Whether so much was refused that the rest is not worth a look.
    fn has_given_up(&self) -> bool {
        self.done.refusals() >= MOST_REFUSED
    }

    fn artifact(&mut self, files: &dyn Files, artifact: &Path) -> Result<(), StateError> {
        let failed = |path: &Path, source| StateError::Read {
            path: path.to_path_buf(),
            source,
        };
        if files
            .kind(artifact)
            .is_ok_and(|kind| kind == crate::ports::FileKind::Folder)
        {
            for link in files.links(artifact) {
                self.refuse(&shown(&link, artifact), None, Reason::Link, "");
            }
            for path in files.walk(artifact, &|_| false) {
                let path = match path {
                    Ok(path) => path,
                    Err((path, error)) => {
                        self.refuse(
                            &shown(&path, artifact),
                            None,
                            Reason::Unreadable,
                            error.to_string(),
                        );
                        continue;
                    }
                };
                let name = shown(&path, artifact);
                if !self.wants(&name) {
                    continue;
                }
                match files.open(&path) {
                    Ok(mut file) => self.file(&name, &mut file),
                    Err(error) => self.refuse(&name, None, Reason::Unreadable, error.to_string()),
                }
            }
            return Ok(());
        }
        if files
            .kind(artifact)
            .is_ok_and(|kind| kind == crate::ports::FileKind::Other)
        {
            let source = io::Error::other("it is no file, and may never end");
            return Err(failed(artifact, source));
        }
        let mut bytes = Vec::new();
        files
            .open(artifact)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|source| failed(artifact, source))?;
        let name = artifact
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            self.archive(&name, bytes);
        } else {
            self.done.files += 1;
            self.file(&name, &mut bytes.as_slice());
        }
        Ok(())
    }

    fn archive(&mut self, name: &str, bytes: Vec<u8>) {
        let stated = stated_entries(&bytes);
        let mut archive = match zip::ZipArchive::new(io::Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(error) => return self.refuse(name, None, Reason::Unreadable, error.to_string()),
        };
        if stated.is_some_and(|stated| stated != archive.len()) {
            self.refuse(
                name,
                None,
                Reason::Unreadable,
                "some of its files share a name; one of each is read",
            );
        }
        for at in 0..archive.len() {
            if self.has_given_up() {
                return self.refuse(name, None, Reason::GivenUp, "");
            }
            let mut entry = match archive.by_index(at) {
                Ok(entry) => entry,
                Err(error) => {
                    self.refuse(name, None, Reason::Unreadable, error.to_string());
                    continue;
                }
            };
            let path = match entry.name() {
                Ok(path) => path.into_owned(),
                Err(error) => {
                    self.refuse(name, None, Reason::Path, error.to_string());
                    continue;
                }
            };
            if entry.is_symlink() {
                self.refuse(&path, None, Reason::Link, "");
            } else if entry.enclosed_name().is_none() || !is_plain_path(&path) {
                self.refuse(&path, None, Reason::Path, "");
            } else if !entry.is_dir() && self.wants(&path) {
                self.file(&path, &mut entry);
            }
        }
    }

    /// Whether a file is looked into.
    fn wants(&mut self, name: &str) -> bool {
        if !name.ends_with(".ndjson") {
            if self.done.passed_over.len() < MOST_NAMED {
                self.done.passed_over.push(harmless(name));
            }
            return false;
        }
        self.done.files += 1;
        if self.done.files > MOST_FILES as u64 {
            self.refuse(
                name,
                None,
                Reason::TooManyFiles,
                format!("more than {MOST_FILES}"),
            );
            return false;
        }
        true
    }

    fn file(&mut self, name: &str, file: &mut dyn Read) {
        let left = MOST_BYTES.saturating_sub(self.bytes);
        let mut bytes = Vec::new();
        if let Err(error) = file.take(left + 1).read_to_end(&mut bytes) {
            return self.refuse(name, None, Reason::Unreadable, error.to_string());
        }
        self.bytes += bytes.len() as u64;
        if bytes.len() as u64 > left {
            let detail = format!("more than {} MiB", MOST_BYTES / 1024 / 1024);
            return self.refuse(name, None, Reason::TooManyBytes, detail);
        }
        if !self.check_head(name, &bytes) {
            return;
        }
        let path = PathBuf::from(name);
        let mut line_of_end = None;
        let _ends_early = read_lines(&mut bytes.as_slice(), &path, &mut |line| {
            if self.has_given_up() {
                line_of_end = line.ok().map(|line| line.number);
                return Err(io::ErrorKind::Interrupted.into());
            }
            match line {
                Ok(line) if line.number == 1 && is_header(line.text) => {}
                Ok(line) => self.line(name, line.number, line.text),
                Err(damage) => {
                    let detail = damage.problem.to_string();
                    self.refuse(name, Some(damage.line), Reason::Damaged, detail);
                }
            }
            Ok(())
        });
        if line_of_end.is_some() {
            self.refuse(name, line_of_end, Reason::GivenUp, "");
        }
    }

    /// Compares a pack with its head; a file without one is taken as it is.
    fn check_head(&mut self, name: &str, bytes: &[u8]) -> bool {
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]);
        if !is_header(&head) {
            return true;
        }
        let header = match Header::read(&head) {
            Ok(header) => header,
            Err(problem) => {
                self.refuse(name, Some(1), Reason::Damaged, problem);
                return false;
            }
        };
        let rest = bytes.get(end + 1..).unwrap_or_default();
        if let Some(expected) = &self.expected.repository
            && !expected.eq_ignore_ascii_case(&header.repository)
        {
            self.refuse(name, None, Reason::ForeignRepository, header.repository);
            return false;
        }
        if Sha::of(rest).to_string() != header.sha256 {
            self.refuse(name, None, Reason::WrongDigest, header.sha256);
            return false;
        }
        let lines = memchr::memchr_iter(b'\n', rest).count() as u64;
        if lines != header.events {
            let detail = format!("{lines} lines, {} in its head", header.events);
            self.refuse(name, None, Reason::WrongCount, detail);
            return false;
        }
        true
    }

    fn line(&mut self, name: &str, number: u64, text: &str) {
        if let Err((reason, detail)) = self.take(name, number, text) {
            self.refuse(name, Some(number), reason, detail);
        }
    }

    fn take(&mut self, name: &str, number: u64, text: &str) -> Result<(), (Reason, String)> {
        if text.len() > LONGEST_LINE {
            return Err((Reason::TooLong, format!("{} bytes", text.len())));
        }
        let event = v1::parse(text).map_err(|problem| {
            let reason = match problem {
                LineProblem::OtherSchema(_) => Reason::Newer,
                LineProblem::WrongId => Reason::WrongId,
                _ => Reason::Damaged,
            };
            (reason, problem.to_string())
        })?;
        judge(&event, self.expected)?;
        if let Some((_, _, known)) = self.taken.get_mut(&event.id) {
            self.done.repeated += 1;
            // Of two copies the earlier counts, whatever the order of the files.
            let is_earlier =
                v1::head(known).is_some_and(|head| (event.at, text) < (head.at, known.as_str()));
            if is_earlier {
                text.clone_into(known);
            }
            return Ok(());
        }
        let most = match self.expected.run {
            Some(_) => MOST_EVENTS_OF_RUN,
            None => MOST_EVENTS,
        };
        if self.taken.len() >= most {
            return Err((Reason::TooManyEvents, format!("more than {most}")));
        }
        let bad_payload = |problem: LineProblem| (Reason::BadPayload, problem.to_string());
        match event.kind.as_ref() {
            TEST_LIST => {
                let shape = v1::judge_list(&event).map_err(bad_payload)?;
                if self.lists.contains_key(&event.id) {
                    self.done.repeated += 1;
                    return Ok(());
                }
                self.lists.insert(event.id, shape);
            }
            TEST_RUN => {
                let demand = v1::judge_run(&event).map_err(bad_payload)?;
                if self.results + demand.results > MOST_RESULTS {
                    return Err((Reason::TooManyResults, format!("more than {MOST_RESULTS}")));
                }
                self.results += demand.results;
                self.runs.insert(event.id, demand);
            }
            TEST_TIMING => {
                let demand = v1::judge_timing(&event).map_err(bad_payload)?;
                self.runs.insert(event.id, demand);
            }
            _ => {}
        }
        let line = (name.to_owned(), number, text.to_owned());
        self.taken.insert(event.id, line);
        Ok(())
    }

    /// Refuses lists, runs and samples of time whose list nobody has, or does not have what they ask of it: they could never be read.
    fn ask_for_lists(&mut self) {
        let mut lengths = Lengths::default();
        let own: Vec<Sha> = self.taken.keys().copied().collect();
        let own = own.into_iter().filter(|id| self.lists.contains_key(id));
        let own: Vec<_> = own.map(|id| (id, lengths.of(id, &self.lists))).collect();
        let places = own.iter().filter_map(|(id, _)| lengths.widest(*id));
        if places.map(u64::from).sum::<u64>() > MOST_PLACES {
            let problem = format!("its lists have more than {MOST_PLACES} places");
            lengths = Lengths::default();
            for (id, _) in own {
                self.drop_unless(id, Err((Reason::TooManyResults, problem.clone())));
            }
        } else {
            for (id, length) in own {
                self.drop_unless(id, length.map(drop));
            }
        }
        for (run, demand) in std::mem::take(&mut self.runs) {
            let verdict = lengths.of(demand.list, &self.lists).and_then(|length| {
                let problem = format!("it names place {} of {length}", demand.end);
                (demand.end <= length)
                    .then_some(())
                    .ok_or((Reason::BadPayload, problem))
            });
            self.drop_unless(run, verdict);
        }
    }

    fn drop_unless(&mut self, id: Sha, verdict: Result<(), (Reason, String)>) {
        if let Err((reason, detail)) = verdict
            && let Some((file, line, _)) = self.taken.remove(&id)
        {
            self.lists.remove(&id);
            self.refuse(&file, Some(line), reason, detail);
        }
    }
}

/// Decides about one event, by itself.
fn judge(event: &StoredEvent<'_>, expected: &Expected) -> Result<(), (Reason, String)> {
    let kind = event.kind.as_ref();
    match kinds::find(kind) {
        None => return Err((Reason::UnknownKind, kind.to_owned())),
        Some(known) if !known.from_artifacts => {
            return Err((Reason::KindNotAllowed, kind.to_owned()));
        }
        Some(_) => {}
    }
    // Lists and runs are judged by rules of their own.
    if ![TEST_LIST, TEST_RUN, TEST_TIMING].contains(&kind) {
        if !event.payload.starts_with('{') || event.payload.len() > LONGEST_PAYLOAD {
            let problem = "it is no object, or too long";
            return Err((Reason::BadPayload, problem.to_owned()));
        }
        v1::check(event).map_err(|problem| (Reason::BadPayload, problem.to_string()))?;
    }
    let origin = &event.origin;
    for name in [&origin.run, &origin.job, &origin.commit, &origin.branch] {
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err((Reason::BadName, name.clone()));
        }
    }
    let from = expected.now.saturating_sub(PAST).unwrap_or(Timestamp::MIN);
    let to = expected
        .now
        .saturating_add(FUTURE)
        .unwrap_or(Timestamp::MAX);
    // A list is as old as its first run, and the newest run may stand on it.
    let is_too_old = event.at < from && kind != TEST_LIST;
    if is_too_old || event.at > to || !event.is_plain_time {
        return Err((Reason::BadTime, event.at.to_string()));
    }
    // A list is the same whoever writes it, so it names no run.
    if kind == TEST_LIST && origin.run.is_empty() && origin.job.is_empty() {
        return Ok(());
    }
    let differs = |wanted: &Option<String>, found: &str| {
        wanted.as_ref().is_some_and(|wanted| wanted != found)
    };
    if differs(&expected.run, &origin.run)
        || expected
            .attempt
            .is_some_and(|attempt| attempt != origin.attempt)
        || differs(&expected.job, &origin.job)
        || differs(&expected.branch, &origin.branch)
    {
        let found = format!(
            "run {}, attempt {}, job {}, branch {}",
            origin.run, origin.attempt, origin.job, origin.branch
        );
        return Err((Reason::ForeignRun, found));
    }
    Ok(())
}

/// Returns how many entries an archive says that it has (APPNOTE.TXT 4.3.16); nothing where there are too many for the field.
fn stated_entries(archive: &[u8]) -> Option<usize> {
    let end = memchr::memmem::rfind(archive, b"PK\x05\x06")?;
    let field = archive.get(end + 10..end + 12)?;
    let stated = u16::from_le_bytes([field[0], field[1]]);
    (stated != u16::MAX).then_some(usize::from(stated))
}

fn is_plain_path(path: &str) -> bool {
    !path.starts_with('/')
        && !path.contains(['\\', '\0', ':'])
        && path
            .trim_end_matches('/')
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
}

fn shown(path: &Path, artifact: &Path) -> String {
    let short = path.strip_prefix(artifact).unwrap_or(path);
    short.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_not_plain() {
        for plain in ["a.ndjson", "outbox/a.ndjson", "a/b/"] {
            assert!(is_plain_path(plain), "{plain}");
        }
        for other in [
            "/a", "../a", "a/../b", "a\\b", "C:/a", "a//b", "./a", "a\0b",
        ] {
            assert!(!is_plain_path(other), "{other}");
        }
    }
}
