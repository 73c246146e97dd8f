//! From parsed files to stored events: what is new, under which run it is filed, and the saving.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, mpsc};

use jiff::{SignedDuration, Timestamp};

use super::FilingArgs;
use super::inputs::{Found, Input};
use super::source::{self, Content, Parsed, Refusal};
use super::wire::{FileRow, IngestDocument, NoteRow};
use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::event::{Event, Origin, plain_name};
use crate::flakes::neutral::NeutralFile;
use crate::flakes::results::Results;
use crate::forge::webhook::Payload;
use crate::junit::{Counts, Note, NoteCode};
use crate::order;
use crate::redact::Redactor;
use crate::sha::Sha;
use crate::state::v1::{self, Filing, KnownLists, RunHead, TEST_LIST, TEST_RUN, TEST_TIMING};
use crate::state::{Place, StateFolder};

/// What local runs are called: this, and a digest of their reports.
const LOCAL: &str = "local-";

pub(super) struct Recorder<'s, 'w> {
    session: &'s mut Session<'w>,
    /// The run as it was named; none for a local one.
    run: Option<String>,
    origin: Origin,
    leg: String,
    at: Timestamp,
    redactor: Option<Redactor>,
    state: Option<StateFolder<'w>>,
    known: Known,
    seen: HashSet<Sha>,
    results: Results,
    counts: Counts,
    files: Vec<Sha>,
    neutral: Vec<NeutralFile>,
}

/// Run, attempt, job and leg.
type Filed = (String, u32, String, String);

/// What is stored already.
#[derive(Default)]
struct Known {
    /// Report files, with the places they are filed under; those only whose list of tests is there too.
    files: HashMap<Sha, Vec<Filed>>,
    lists: KnownLists,
}

impl<'s, 'w> Recorder<'s, 'w> {
    pub(super) fn new(
        session: &'s mut Session<'w>,
        args: &FilingArgs,
        (at, dry_run): (Option<Timestamp>, bool),
    ) -> Result<Self, CommandError> {
        let state = if dry_run {
            None
        } else {
            Some(session.state()?)
        };
        let known = match &state {
            Some(state) => known(session, state)?,
            None => Known::default(),
        };
        let pick = |flag: &Option<String>, names: &[&str]| {
            // A flag from an unset variable (`--run "$UNSET"`) is no name.
            let flag = flag.clone().filter(|name| !name.trim().is_empty());
            flag.or_else(|| names.iter().find_map(|name| session.var(name)))
        };
        let run = pick(&args.run, &["MAESTRO_RUN", "GITHUB_RUN_ID"]);
        let job = pick(&args.job, &["MAESTRO_JOB", "GITHUB_JOB"]);
        let leg = pick(&args.leg, &["MAESTRO_LEG"]).unwrap_or_default();
        let commit = pick(&args.commit, &["MAESTRO_COMMIT", "GITHUB_SHA"]);
        let branch = pick(&args.branch, &["MAESTRO_BRANCH"])
            .or_else(|| branch_of_pull_request(session))
            .or_else(|| pick(&None, &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"]));
        let attempt = attempt(session, args)?;
        let mut origin = Origin {
            run: String::new(),
            attempt,
            job: job.unwrap_or_default(),
            commit: commit.unwrap_or_default(),
            branch: branch.unwrap_or_default(),
        };
        if !dry_run {
            fill_from_checkout(session, &mut origin);
        }
        let redactor = session
            .settings
            .redact
            .value
            .then(|| Redactor::new(&session.world.environment.vars()));
        let clean = |name: String| {
            let name = match &redactor {
                Some(redactor) => redactor.name(&name).unwrap_or(name),
                None => name,
            };
            plain_name(name)
        };
        origin.job = clean(origin.job);
        origin.commit = clean(origin.commit);
        origin.branch = clean(origin.branch);
        let run = run.map(clean);
        // Axes may be JSON on several lines.
        let leg: String = leg
            .chars()
            .filter(|c| !c.is_control() || c.is_ascii_whitespace())
            .collect();
        let leg = match &redactor {
            Some(redactor) => redactor.name(&leg).unwrap_or(leg),
            None => leg,
        };
        let leg = leg[..leg.floor_char_boundary(LONGEST_LEG)].to_owned();
        let at = at.unwrap_or_else(|| session.now());
        Ok(Self {
            session,
            run,
            origin,
            leg,
            at,
            redactor,
            state,
            known,
            seen: HashSet::new(),
            results: Results::default(),
            counts: Counts::default(),
            files: Vec::new(),
            neutral: Vec::new(),
        })
    }

    /// Reads files in parallel and takes them in order.
    pub(super) fn add(
        &mut self,
        found: Found,
        document: &mut IngestDocument,
        failures: &mut Vec<CommandError>,
    ) -> Result<(), CommandError> {
        failures.extend(found.failures);
        let bar = self
            .session
            .ui
            .progress(found.inputs.len() as u64, "reading reports");
        let files = self.session.world.files.as_ref();
        let base = self.session.world.environment.current_dir();
        let base = base.map_err(crate::cli::session::no_folder)?;
        let redactor = self.redactor.take();
        let root = base.to_string_lossy();
        let read = |input: &Input| {
            let path = base.join(&input.path);
            source::read(files, &path, input.named, &root, redactor.as_ref())
        };
        in_order(&read, &found.inputs, &mut |input, read| {
            bar.inc(1);
            match read {
                Ok(parsed) => self.take(input, parsed, document),
                Err(refusal) => refuse(input, refusal, document, failures),
            }
        });
        bar.finish_and_clear();
        Ok(())
    }

    fn take(&mut self, input: &Input, parsed: Parsed, document: &mut IngestDocument) {
        let mut row = FileRow::new(&input.path, &parsed);
        let mut note = |code: NoteCode| {
            row.notes.push(NoteRow::new(&Note {
                code,
                offset: 0,
                detail: None,
            }));
        };
        let is_first = self.seen.insert(parsed.sha);
        let is_report = matches!(parsed.content, Content::Report(_));
        if !is_first {
            note(NoteCode::DuplicateFile);
        } else if is_report && self.is_known(&parsed.sha) {
            note(NoteCode::AlreadyStored);
        } else if self.state.is_some() {
            match parsed.content {
                Content::Report(results) => {
                    self.results.absorb(results);
                    self.counts.add(&parsed.counts);
                    self.files.push(parsed.sha);
                }
                Content::Neutral(file) => self.neutral.push(file),
            }
        }
        document.add(row, &parsed.counts);
    }

    /// Whether a report is stored for the place that it would be filed under.
    fn is_known(&self, sha: &Sha) -> bool {
        let Some(places) = self.known.files.get(sha) else {
            return false;
        };
        places.iter().any(|(run, attempt, job, leg)| {
            let same_run = match &self.run {
                Some(named) => run == named && *attempt == self.origin.attempt,
                None => run.starts_with(LOCAL),
            };
            same_run && *job == self.origin.job && *leg == self.leg
        })
    }

    /// Saves what was taken, durably, as one write.
    pub(super) fn save(mut self, document: &mut IngestDocument) -> Result<(), CommandError> {
        let Some(state) = self.state.take() else {
            return Ok(());
        };
        let mut events: Vec<Event> = Vec::new();
        let encoding = |error| CommandError::internal(anyhow::Error::new(error));
        if !self.files.is_empty() {
            order::sort(&mut self.files);
            let mut origin = self.origin.clone();
            origin.run = match self.run.take() {
                Some(run) => run,
                None => local_run(&self.files),
            };
            let filing = Filing {
                at: self.at,
                origin,
                leg: self.leg.clone(),
                files: std::mem::take(&mut self.files),
            };
            document.filed(&filing);
            let results = std::mem::take(&mut self.results).with_stable_names();
            let lists = &mut self.known.lists;
            let encoded = v1::encode_run(&results, &self.counts, &filing, lists);
            events.extend(encoded.map_err(encoding)?);
        }
        for file in std::mem::take(&mut self.neutral) {
            let filings = self.neutral_filings(&file);
            let lists = &mut self.known.lists;
            events.extend(v1::encode_neutral(&file, &filings, lists).map_err(encoding)?);
        }
        if events.is_empty() {
            return Ok(());
        }
        let runs = events.iter().filter(|event| event.kind == TEST_RUN).count();
        if runs == 0 {
            return Ok(());
        }
        let path = state.save(&events)?;
        document.stored.runs += runs as u64;
        document.stored.events += events.len() as u64;
        self.session.ui.detail(&format!("wrote {}", path.display()));
        Ok(())
    }

    /// Returns where each group of a neutral file goes; nothing for one that is stored already.
    fn neutral_filings(&self, file: &NeutralFile) -> Vec<Option<Filing>> {
        let mut filings = Vec::new();
        for (place, group) in (0_i64..).zip(&file.groups) {
            let sha = group.sha();
            let mut origin = group.origin.clone();
            if origin.job.is_empty() {
                origin.job.clone_from(&self.origin.job);
            }
            let key = (
                origin.run.clone(),
                origin.attempt,
                origin.job.clone(),
                self.leg.clone(),
            );
            let known = self.known.files.get(&sha);
            let known = known.is_some_and(|places| places.contains(&key));
            // Where no line has a time, the order of the lines is all there is.
            let later = SignedDuration::from_micros(place);
            let at = group
                .at
                .unwrap_or_else(|| self.at.saturating_add(later).unwrap_or(self.at));
            filings.push((!known).then(|| Filing {
                at,
                origin,
                leg: self.leg.clone(),
                files: vec![sha],
            }));
        }
        filings
    }
}

fn local_run(files: &[Sha]) -> String {
    let all: Vec<u8> = files.iter().flat_map(|file| file.0).collect();
    format!("{LOCAL}{}", &Sha::of(&all).to_string()[..16])
}

fn attempt(session: &Session<'_>, args: &FilingArgs) -> Result<u32, CommandError> {
    if let Some(attempt) = args.attempt {
        return Ok(attempt);
    }
    for name in ["MAESTRO_ATTEMPT", "GITHUB_RUN_ATTEMPT"] {
        if let Some(text) = session.var(name) {
            return text
                .parse()
                .ok()
                .filter(|attempt| *attempt > 0)
                .ok_or_else(|| {
                    CommandError::message(
                        ErrorKind::BadConfig,
                        format!("{name} is `{text}`, which is no number from 1"),
                    )
                    .hint(format!(
                        "set {name} to 1 for the first try of a run, or remove it"
                    ))
                });
        }
    }
    Ok(1)
}

/// Takes commit and branch from the checkout where nothing else names them.
fn fill_from_checkout(session: &mut Session<'_>, origin: &mut Origin) {
    if session.checkout.is_err() || !(origin.commit.is_empty() || origin.branch.is_empty()) {
        return;
    }
    let git = session.world.git.as_ref();
    let Ok(head) = git.head(&session.base) else {
        return;
    };
    if origin.branch.is_empty() {
        origin.branch = head.branch.unwrap_or_default();
    }
    if origin.commit.is_empty()
        && let Some(commit) = head.commit
    {
        // Two runs on one commit with different edits in between would look like a flake.
        if git.has_changes(&session.base).unwrap_or(true) {
            session.ui.status(
                "the work tree has uncommitted changes, so these results are filed under no commit (--commit names one)",
            );
        } else {
            origin.commit = commit;
        }
    }
}

/// Returns the branch of the pull request that started the workflow: of a fork with its owner, as a stranger's `main` is not ours.
fn branch_of_pull_request(session: &Session<'_>) -> Option<String> {
    let path = session.var("GITHUB_EVENT_PATH")?;
    let mut bytes = Vec::new();
    let file = session.world.files.open(&session.base.join(path)).ok()?;
    file.take(LARGEST_EVENT).read_to_end(&mut bytes).ok()?;
    Payload::read(&bytes).ok()?.branch()
}

/// GitHub sends no larger payload.
const LARGEST_EVENT: u64 = 32 * 1024 * 1024;

/// Whoever takes it in elsewhere refuses a longer leg.
const LONGEST_LEG: usize = 4096;

fn known(session: &mut Session<'_>, state: &StateFolder<'_>) -> Result<Known, CommandError> {
    let mut lists = KnownLists::default();
    let mut runs = Vec::new();
    // Of what other machines stored, the lists are enough: a run that is stored twice counts once.
    let wanted = |kind: &str, place: Place| {
        [TEST_LIST, TEST_TIMING].contains(&kind) || (kind == TEST_RUN && place == Place::Here)
    };
    let survey = state.read(&wanted, &mut |event| {
        match event.kind.as_ref() {
            TEST_LIST => return lists.add(event),
            TEST_TIMING => {
                let timing = v1::decode_timing(event)?;
                lists.timed.note(&timing.job, &timing.leg, timing.day);
            }
            _ => runs.push((event.origin.clone(), v1::head_of_run(event)?)),
        }
        Ok(())
    })?;
    if let Some(newer) = survey.newer() {
        return Err(newer.into());
    }
    crate::cli::state::warn_of_damage(session, &survey);
    // A runner of a CI service begins with nothing each time; a person's machine does not.
    let is_ci = session.var("CI").is_some_and(|value| value != "false");
    lists.is_lasting = !is_ci || survey.files > 0;
    let mut files: HashMap<Sha, Vec<Filed>> = HashMap::new();
    let is_known = |(_, run): &(Origin, RunHead)| lists.has(&run.list);
    for (origin, run) in runs.into_iter().filter(is_known) {
        let place = (origin.run, origin.attempt, origin.job, run.leg);
        for file in run.files {
            files.entry(file).or_default().push(place.clone());
        }
    }
    Ok(Known { files, lists })
}

fn refuse(
    input: &Input,
    refusal: Refusal,
    document: &mut IngestDocument,
    failures: &mut Vec<CommandError>,
) {
    match refusal {
        Refusal::Io(error) => failures.push(CommandError::reading(&input.path, error)),
        Refusal::NotAReport(why) | Refusal::Unfinished(why) if input.named => {
            let message = format!("`{}` is no test report: {why}", input.path.display());
            failures.push(
                CommandError::message(ErrorKind::BadInput, message)
                    .hint("`maestro explain inputs` says which forms are read"),
            );
        }
        // Folders are full of JSON that is something else.
        Refusal::OtherJson => {}
        Refusal::NotAReport(why) | Refusal::Unfinished(why) => {
            document.pass_over(&input.path, &why);
        }
    }
}

/// Reads every input, several at a time, and hands the results over in order.
fn in_order(
    read: &(dyn Fn(&Input) -> Result<Parsed, Refusal> + Sync),
    inputs: &[Input],
    take: &mut dyn FnMut(&Input, Result<Parsed, Refusal>),
) {
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    if inputs.len() < 2 || workers < 2 {
        for input in inputs {
            take(input, read(input));
        }
        return;
    }
    let next = AtomicUsize::new(0);
    // Fast readers wait for a slow file before them, so that results do not pile up.
    let window = workers * 8;
    let taken = (Mutex::new(0_usize), Condvar::new());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, taken) = (sender.clone(), &next, &taken);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = inputs.get(at) else { return };
                    let (count, moved) = taken;
                    let waited = count
                        .lock()
                        .and_then(|count| moved.wait_while(count, |count| at >= *count + window));
                    drop(waited);
                    if sender.send((at, read(input))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (at, read) in receiver {
            waiting.insert(at, read);
            while let Some(read) = waiting.remove(&wanted) {
                take(&inputs[wanted], read);
                wanted += 1;
                if let Ok(mut count) = taken.0.lock() {
                    *count = wanted;
                }
                taken.1.notify_all();
            }
        }
    });
}
