//! One run taken in: its artifacts, or how its jobs ended.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::BackfillArgs;
use super::wire::{BackfillDocument, Refused};
use crate::cli::flakes::ingest::{Packed, PackedFile, read_archive};
use crate::cli::session::Session;
use crate::conduct::backfill::{self, STREAM};
use crate::conduct::github::GitHub;
use crate::error::CommandError;
use crate::event::{Event, Origin, plain_name};
use crate::flakes::backfill::{Done, JobEnd, attempt_at, line_of_job};
use crate::flakes::neutral::{self, NeutralFile};
use crate::flakes::results::Results;
use crate::forge::api::runs::{Artifact, Run};
use crate::forge::problem::ForgeError;
use crate::junit::Counts;
use crate::ports::Files;
use crate::redact::Redactor;
use crate::sha::Sha;
use crate::state::StateFolder;
use crate::state::v1::{self, Cursor, Filing, KnownLists, TEST_LIST, TEST_RUN, TEST_TIMING};

/// A report that is stored: its run and attempt, and its digest.
type Stored = (String, u32, Sha);

/// What runs are taken in with.
pub(super) struct Taking<'r, 'w> {
    github: &'r GitHub<'w>,
    files: &'w dyn Files,
    state: StateFolder<'w>,
    wanted: &'r dyn Fn(&str) -> bool,
    with_jobs: bool,
    dry_run: bool,
    redactor: Option<Redactor>,
    /// Where GitHub's own runners check the repository out: paths in reports begin so.
    root: String,
    lists: KnownLists,
    known: HashSet<Stored>,
    /// Runs that were met: two windows share a second.
    met: HashSet<u64>,
    /// What is to be stored next.
    events: Vec<Event>,
    /// How often the cursor was moved: of two with one time nobody knows which is the later.
    moves: i64,
}

/// What came of a request: the inner error means that everything has to wait.
type Taken<T> = Result<Result<T, ForgeError>, CommandError>;

/// Goes on when there is an answer.
macro_rules! answered {
    ($answer:expr) => {
        match $answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        }
    };
}

impl<'r, 'w> Taking<'r, 'w> {
    pub(super) fn new(
        session: &Session<'w>,
        github: &'r GitHub<'w>,
        wanted: &'r dyn Fn(&str) -> bool,
        args: &BackfillArgs,
    ) -> Result<Self, CommandError> {
        let state = session.state()?;
        let mut lists = KnownLists::default();
        let mut known = HashSet::new();
        let kinds = [TEST_LIST, TEST_RUN, TEST_TIMING];
        let survey = state.read(&|kind, _| kinds.contains(&kind), &mut |event| {
            match event.kind.as_ref() {
                TEST_LIST => return lists.add(event),
                TEST_TIMING => {
                    let timing = v1::decode_timing(event)?;
                    lists.timed.note(&timing.job, &timing.leg, timing.day);
                }
                _ => {
                    let origin = &event.origin;
                    let files = v1::head_of_run(event)?.files.into_iter();
                    known.extend(files.map(|file| (origin.run.clone(), origin.attempt, file)));
                }
            }
            Ok(())
        })?;
        if let Some(newer) = survey.newer() {
            return Err(newer.into());
        }
        lists.is_lasting = true;
        let redactor = session.settings.redact.value;
        Ok(Self {
            github,
            files: session.world.files.as_ref(),
            state,
            wanted,
            with_jobs: !args.no_jobs,
            dry_run: args.dry_run,
            root: workspace(&github.repository.name),
            redactor: redactor.then(|| Redactor::new(&session.world.environment.vars())),
            lists,
            known,
            met: HashSet::new(),
            events: Vec::new(),
            moves: 0,
        })
    }

    /// Takes a run in.
    pub(super) fn run(&mut self, run: &Run, document: &mut BackfillDocument) -> Taken<()> {
        if !self.met.insert(run.id) {
            return Ok(Ok(()));
        }
        document.totals.runs += 1;
        document.totals.attempts += u64::from(run.attempt);
        let mut artifacts = answered!(backfill::artifacts(self.github, run));
        artifacts.retain(|artifact| (self.wanted)(&artifact.name));
        let attempts = if self.dry_run {
            Vec::new()
        } else {
            answered!(backfill::attempts(self.github, run))
        };
        let mut has_reports = false;
        for artifact in &artifacts {
            document.totals.artifacts += 1;
            if artifact.expired {
                document.totals.expired += 1;
                continue;
            }
            document.totals.bytes += artifact.size_in_bytes;
            if !self.dry_run {
                has_reports |= answered!(self.artifact(run, &attempts, artifact, document)?);
            }
        }
        if has_reports || self.dry_run || !self.with_jobs {
            return Ok(Ok(()));
        }
        self.jobs(run, &attempts, document)
    }

    /// Takes an artifact in; tells whether there was a report.
    fn artifact(
        &mut self,
        run: &Run,
        attempts: &[(u32, Timestamp)],
        artifact: &Artifact,
        document: &mut BackfillDocument,
    ) -> Taken<bool> {
        let archive = match answered!(backfill::archive(self.github, artifact)) {
            Ok(archive) => archive,
            Err(why) => {
                document.refuse(Refused::new(run.id, &artifact.name, "", &why));
                return Ok(Ok(false));
            }
        };
        let Packed { files, refused } =
            read_archive(self.files, archive, &self.root, self.redactor.as_ref())?;
        for (file, why) in refused {
            document.refuse(Refused::new(run.id, &artifact.name, &file, &why));
        }
        let attempt = attempt_at(artifact.created_at, attempts);
        let origin = Origin {
            run: run.id.to_string(),
            attempt,
            job: self.clean(&artifact.name),
            commit: run.head_sha.clone(),
            branch: self.clean(&backfill::branch(run)),
        };
        let begun = attempts.iter().find(|(number, _)| *number == attempt);
        let at = begun.map_or(run.created_at, |(_, at)| *at);
        let has_reports = !files.is_empty();
        document.totals.files += files.len() as u64;
        let (mut results, mut counts) = (Results::default(), Counts::default());
        let mut shas: BTreeSet<Sha> = BTreeSet::new();
        for file in files {
            match file {
                PackedFile::Report(read, of, sha) => {
                    if self.is_new(&origin, sha) {
                        results.absorb(read);
                        counts.add(&of);
                        shas.insert(sha);
                    } else {
                        document.totals.known += 1;
                    }
                }
                PackedFile::Neutral(file) => {
                    let strangers = self.neutral(&file, &origin, run.attempt, at)?;
                    if strangers > 0 {
                        let why = format!("{strangers} of its runs are not the run that left it");
                        document.refuse(Refused::new(run.id, &artifact.name, "", &why));
                    }
                }
            }
        }
        if !shas.is_empty() {
            let filing = Filing {
                at,
                origin,
                leg: String::new(),
                files: shas.into_iter().collect(),
            };
            let encoded = v1::encode_run(&results, &counts, &filing, &mut self.lists);
            self.events.extend(encoded.map_err(encoding)?);
        }
        Ok(Ok(has_reports))
    }

    fn is_new(&mut self, origin: &Origin, sha: Sha) -> bool {
        self.known.insert((origin.run.clone(), origin.attempt, sha))
    }

    /// Takes in what a file in the neutral form says about the run that left it; returns how many of its runs are others.
    fn neutral(
        &mut self,
        file: &NeutralFile,
        of: &Origin,
        attempts: u32,
        at: Timestamp,
    ) -> Result<u64, CommandError> {
        let mut strangers = 0;
        let mut filings = Vec::new();
        for group in &file.groups {
            let own = &group.origin;
            if own.run != of.run || own.attempt == 0 || own.attempt > attempts {
                strangers += 1;
                filings.push(None);
                continue;
            }
            let origin = Origin {
                attempt: own.attempt,
                job: if own.job.is_empty() {
                    of.job.clone()
                } else {
                    own.job.clone()
                },
                ..of.clone()
            };
            let sha = group.sha();
            let is_new = self.is_new(&origin, sha);
            filings.push(is_new.then(|| Filing {
                at: group.at.unwrap_or(at),
                origin,
                leg: String::new(),
                files: vec![sha],
            }));
        }
        let encoded = v1::encode_neutral(file, &filings, &mut self.lists);
        self.events.extend(encoded.map_err(encoding)?);
        Ok(strangers)
    }

    /// Takes the jobs of a run for tests.
    fn jobs(
        &mut self,
        run: &Run,
        attempts: &[(u32, Timestamp)],
        document: &mut BackfillDocument,
    ) -> Taken<()> {
        let branch = self.clean(&backfill::branch(run));
        let workflow = run.path.split('@').next().unwrap_or_default();
        let workflow = workflow.rsplit('/').next().unwrap_or_default();
        let workflow = if workflow.is_empty() {
            run.name.as_deref().unwrap_or_default()
        } else {
            workflow
        };
        let mut lines: BTreeMap<(u32, u64), String> = BTreeMap::new();
        for (attempt, begun) in attempts {
            for job in answered!(backfill::jobs(self.github, run, *attempt)) {
                let milliseconds = job.started_at.zip(job.completed_at);
                let milliseconds =
                    milliseconds.map(|(from, to)| to.duration_since(from).as_millis());
                let line = line_of_job(&JobEnd {
                    run: run.id,
                    attempt: *attempt,
                    commit: &run.head_sha,
                    branch: &branch,
                    workflow,
                    name: &job.name,
                    conclusion: job.conclusion.as_deref().unwrap_or_default(),
                    at: *begun,
                    milliseconds: milliseconds
                        .and_then(|milliseconds| i64::try_from(milliseconds).ok()),
                });
                if let Some(line) = line {
                    lines.insert((*attempt, job.id), line);
                }
            }
        }
        let text: String = lines.into_values().collect();
        // Without a single line there is nothing to say.
        let Ok(mut file) = neutral::read(text.as_bytes(), &|message| message.to_owned()) else {
            return Ok(Ok(()));
        };
        file.rewrite_names(&|name| self.redactor.as_ref()?.name(name));
        let of = Origin {
            run: run.id.to_string(),
            attempt: 1,
            job: String::new(),
            commit: run.head_sha.clone(),
            branch,
        };
        document.totals.by_jobs += 1;
        self.neutral(&file, &of, run.attempt, run.created_at)?;
        Ok(Ok(()))
    }

    /// Returns a name without secrets, on one line.
    fn clean(&self, name: &str) -> String {
        let redactor = self.redactor.as_ref();
        let clean = redactor.and_then(|redactor| redactor.name(name));
        plain_name(clean.unwrap_or_else(|| name.to_owned()))
    }

    /// Stores what was taken in together with how far that is, as one write.
    pub(super) fn store(
        &mut self,
        done: &Done,
        now: Timestamp,
        document: &mut BackfillDocument,
    ) -> Result<(), CommandError> {
        if self.dry_run {
            return Ok(());
        }
        let mut events = std::mem::take(&mut self.events);
        let runs = events.iter().filter(|event| event.kind == TEST_RUN);
        document.totals.stored_runs += runs.count() as u64;
        document.totals.events += events.len() as u64;
        let position = crate::json::text(done).map_err(encoding)?;
        if self.state.cursor(STREAM)?.as_deref() != Some(&position) {
            let cursor = Cursor {
                position: position.into(),
                stream: STREAM.into(),
            };
            let at = now.saturating_add(SignedDuration::from_micros(self.moves));
            self.moves += 1;
            events.push(v1::encode_cursor(&cursor, at.unwrap_or(now)).map_err(encoding)?);
        }
        if events.is_empty() {
            return Ok(());
        }
        Ok(self.state.save(&events).map(drop)?)
    }
}

/// Returns where GitHub's own Linux runners check a repository out (docs.github.com, "Variables reference": `GITHUB_WORKSPACE`).
fn workspace(name: &str) -> String {
    ["", "home", "runner", "work", name, name].join("/")
}

fn encoding(error: serde_json::Error) -> CommandError {
    CommandError::internal(error)
}
