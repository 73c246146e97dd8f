//! `maestro gate`: one check for everything that maestro has to say of a change.

mod asked;
mod comment;
mod flakes;
mod parts;
mod tell;
mod wire;

use std::io::Read;
use std::path::PathBuf;

use super::check_policy;
use super::configured;
use super::flakes::rules::trusted_files;
use super::plan;
use super::session::Session;
use crate::config::ConfigFile;
use crate::config::file::{EnforceWord, InternalErrorWord};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::quarantine;
use crate::flakes::verdict::times;
use crate::gate::comment::JobLine;
use crate::gate::compare::{Planned, Ran};
use crate::gate::needs::{self, Needs};
use crate::gate::overrides::apply;
use crate::gate::{Capability, Problem, verdict};
pub(crate) use wire::GateDocument;

/// The variable that hands on `toJSON(needs)`.
const NEEDS: &str = "MAESTRO_NEEDS";

/// GitHub's own limit for it is lower.
const LONGEST_NEEDS: u64 = 16 * 1024 * 1024;

/// Say once, for everything, whether a change may go in
///
/// Plans anew and compares with what ran: every planned job has to be there with a success of its own, by `needs` and, with a token, by GitHub's list of the run's jobs. Then the
/// policy and the budget's caps. What counts is what the branch says that the change goes to: a capability blocks where its `enforce` names it, and otherwise the
/// result says what it would block. It runs nothing of the change. What cannot be known blocks or runs everything, and never passes in silence.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  In the last job of a workflow, with `MAESTRO_NEEDS: ${{ toJSON(needs) }}` in its `env`
    $ maestro gate --needs needs.json --base HEAD~1

  The same, for a program
    $ maestro gate --needs needs.json --base HEAD~1 --format json")]
pub(crate) struct GateArgs {
    /// What `toJSON(needs)` says, as a file [env: MAESTRO_NEEDS, the text itself]
    #[arg(long, value_name = "FILE")]
    needs: Option<PathBuf>,

    /// The job whose outputs are the plan
    #[arg(long, value_name = "NAME", default_value = "plan")]
    plan_job: String,

    /// Keep the one comment of the pull request, as `comment` of the configuration says; where the token may not, it goes to the step summary
    #[arg(long)]
    comment: bool,

    /// Read what the jobs of this run left of their tests here: a folder of artifacts, an archive or a file of `state pack`, instead of asking GitHub (can be repeated)
    #[arg(long, value_name = "PATH")]
    left: Vec<PathBuf>,

    /// Compare with where the head left this revision, and take configuration and rules from it, instead of what the event says
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Fetch nothing, even where a clone has too little of the past
    #[arg(long)]
    no_fetch: bool,
}

/// What the base says.
struct Base {
    commit: String,
    config: ConfigFile,
    /// Its quarantine, as it stands there.
    quarantine: Vec<u8>,
}

pub(super) fn run(session: &mut Session<'_>, args: &GateArgs) -> CommandResult {
    if session.is_disabled() {
        session
            .ui
            .warn("MAESTRO_DISABLE is set: the gate judges nothing, and everything passes");
        session.render(&GateDocument::disabled())?;
        return Ok(ExitCode::Success);
    }
    let base = base_of(session, args)?;
    let enforced = enforced(&base.config);
    let Found {
        mut problems,
        mut infos,
        asides,
        facts,
        flakes,
        policy,
    } = examine(session, args, &base, &enforced);
    let asked = asked::overrides(session, &base.config, &problems);
    let used = apply(&mut problems, &asked.overrides);
    for words in asked.notes {
        session.ui.warn(&words);
        infos.push(words);
    }
    let may = &base.config.overrides;
    let judges = [may.teams.as_slice(), may.users.as_slice()].concat();
    let document = GateDocument::new(wire::Made {
        base: base.commit.clone(),
        head: facts.head,
        pull_request: check_policy::asked::number(session),
        jobs: facts.jobs,
        lines: &facts.lines,
        enforced: &enforced,
        problems: &problems,
        flakes: &flakes,
        infos: &infos,
        asides: &asides,
        judges: &judges,
        now: session.now(),
    });
    session.render(&document)?;
    // What was decided is decided, also where it cannot be kept.
    if let Err(error) = asked::record(session, &document, &used) {
        let words = format!("the overrides are not kept: {:#}", error.error);
        session.ui.warn(&words);
    }
    if args.comment
        && let Err(error) = comment::keep(session, args, (&base, &document), policy.as_ref())
    {
        session
            .ui
            .warn(&format!("no comment was written: {:#}", error.error));
    }
    let found = tell::Found {
        base: args.base.as_deref(),
        enforced: &enforced,
        problems: &problems,
        used: &used,
    };
    tell::tell(session, &base.config.notify, &document, &found);
    match verdict(&problems, &enforced) {
        None => Ok(ExitCode::Success),
        Some(capability) => Err(complaint(capability, &document)),
    }
}

/// What was found.
struct Found {
    problems: Vec<Problem>,
    infos: Vec<String>,
    /// What is always worth a word.
    asides: Vec<String>,
    facts: Facts,
    flakes: flakes::Flakes,
    policy: Option<check_policy::CheckPolicyDocument>,
}

/// Looks at everything.
fn examine(
    session: &mut Session<'_>,
    args: &GateArgs,
    base: &Base,
    enforced: &[Capability],
) -> Found {
    let (mut problems, mut infos) = (Vec::new(), Vec::new());
    let needs = match read_needs(session, args) {
        Ok(needs) => Some(needs),
        Err(error) => {
            problems.push(Problem::new(
                Capability::Plan,
                "needs-missing",
                "needs",
                format!(
                    "what the jobs before this one came to is not known: {:#}",
                    error.error
                ),
                "hand on `toJSON(needs)` as MAESTRO_NEEDS",
            ));
            None
        }
    };
    let ran = match &needs {
        Some(_) => asked::jobs(session, &mut infos),
        None => None,
    };
    let made = (needs.as_ref(), ran.as_deref());
    let facts = plan_part(session, args, (base, made), &mut problems, &mut infos);
    let about = flakes::About {
        base,
        needs: needs.as_ref(),
        ran: ran.as_deref(),
        planned: facts.planned.as_deref(),
        is_enforced: enforced.contains(&Capability::Flakes),
    };
    let flakes = flakes::look(session, args, &about, &mut problems, &mut infos);
    let policy = parts::policy(
        session,
        (args.base.as_deref(), args.no_fetch),
        &mut problems,
    );
    let caps_count = enforced.contains(&Capability::Budget);
    let mut asides: Vec<String> = facts.words().into_iter().collect();
    parts::budget(
        session,
        (args.base.as_deref(), caps_count),
        &mut problems,
        &mut asides,
    );
    if let Some(needs) = &needs {
        parts::flakes(needs, &args.plan_job, &mut infos);
    }
    Found {
        problems,
        infos,
        asides,
        facts,
        flakes,
        policy,
    }
}

fn complaint(capability: Capability, document: &GateDocument) -> CommandError {
    let kind = match capability {
        Capability::Plan => ErrorKind::Verification,
        Capability::Flakes => ErrorKind::FlakeGate,
        Capability::Policy => ErrorKind::Policy,
        Capability::Budget => ErrorKind::Budget,
    };
    let words = document.blocking().join("; ");
    CommandError::message(kind, words)
        .hint("what to do stands beside each; `/maestro override RULE REASON` is for those whom `overrides` of the base names")
}

/// Reads the configuration that counts.
fn base_of(session: &mut Session<'_>, args: &GateArgs) -> Result<Base, CommandError> {
    let path = ".maestro/maestro.yaml";
    let base = args.base.as_deref().filter(|base| !base.is_empty());
    let files = [path, quarantine::PATH];
    let (commit, [text, quarantine]) = trusted_files(session, base, !args.no_fetch, files)?;
    let config = match text {
        Some(bytes) => configured::trusted(session, &bytes, path, !args.no_fetch)?,
        None => ConfigFile::default(),
    };
    Ok(Base {
        commit,
        config,
        quarantine: quarantine.unwrap_or_default(),
    })
}

fn enforced(config: &ConfigFile) -> Vec<Capability> {
    let words = config.enforce.iter().map(|word| match word {
        EnforceWord::Plan => Capability::Plan,
        EnforceWord::Flakes => Capability::Flakes,
        EnforceWord::Policy => Capability::Policy,
        EnforceWord::Budget => Capability::Budget,
    });
    words.collect()
}

fn read_needs(session: &Session<'_>, args: &GateArgs) -> Result<Needs, CommandError> {
    let text = match &args.needs {
        Some(path) => {
            let failed = |error| CommandError::reading(path, error);
            let file = session.world.files.open(&session.base.join(path));
            let mut text = String::new();
            file.map_err(failed)?
                .take(LONGEST_NEEDS)
                .read_to_string(&mut text)
                .map_err(failed)?;
            text
        }
        None => session.var(NEEDS).unwrap_or_default(),
    };
    needs::read(&text).map_err(|words| {
        CommandError::message(ErrorKind::BadInput, words).hint("hand on `toJSON(needs)`")
    })
}

/// What is known of the plan.
#[derive(Default)]
struct Facts {
    head: String,
    /// How many jobs run, and how many there are.
    jobs: Option<(u64, u64)>,
    /// How many the change selects.
    selected: u64,
    planned: Option<Vec<Planned>>,
    lines: Vec<JobLine>,
}

impl Facts {
    /// Says in a few words how much had to run; nothing where there is no job.
    fn words(&self) -> Option<String> {
        let (run, all) = self.jobs.filter(|(_, all)| *all > 0)?;
        Some(if run < all {
            format!("{run} of {} had to run", times(all, "job"))
        } else if self.selected < all {
            let all = times(all, "job");
            format!(
                "all of {all} had to run, and {} would have been enough",
                self.selected
            )
        } else {
            format!("all of {} had to run", times(all, "job"))
        })
    }
}

/// Plans anew, and holds what ran against it.
fn plan_part(
    session: &mut Session<'_>,
    args: &GateArgs,
    (base, (needs, ran)): (&Base, (Option<&Needs>, Option<&[Ran]>)),
    problems: &mut Vec<Problem>,
    infos: &mut Vec<String>,
) -> Facts {
    let fresh = match plan::afresh(session, args.base.as_deref(), args.no_fetch) {
        Ok(fresh) => fresh,
        Err(error) => {
            let why = format!("{:#}", error.error);
            match (base.config.on_internal_error, needs) {
                (Some(InternalErrorWord::Fail), _) | (_, None) => problems.push(Problem::new(
                    Capability::Plan,
                    "not-planned",
                    "plan",
                    format!("no plan could be made: {why}"),
                    "mend the cause and run the gate again",
                )),
                (_, Some(needs)) => {
                    infos.push(format!(
                        "no plan could be made, so that everything had to run: {why}"
                    ));
                    problems.extend(crate::gate::compare::everything(needs, &why));
                }
            }
            return Facts {
                head: session.var("GITHUB_SHA").unwrap_or_default(),
                ..Facts::default()
            };
        }
    };
    for words in &fresh.loud {
        infos.push(format!("everything had to run: {words}"));
        session.ui.warn(&format!("everything had to run: {words}"));
    }
    if let Some(needs) = needs {
        let compared = crate::gate::compare::compare(&fresh.planned, needs, &args.plan_job, ran);
        problems.extend(compared);
    }
    let run = fresh.planned.iter().filter(|job| job.run).count() as u64;
    Facts {
        head: fresh.head,
        jobs: Some((run, fresh.planned.len() as u64)),
        selected: fresh.selected,
        planned: Some(fresh.planned),
        lines: fresh.lines,
    }
}
