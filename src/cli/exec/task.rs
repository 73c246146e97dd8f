//! What is to run: the job's command in a shell, or a command of its own, with the variables that it finds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ExecArgs, Sharding, shard};
use crate::cli::flakes::ingest::FilingArgs;
use crate::cli::session::Session;
use crate::config::file::JobFile;
use crate::config::nearest;
use crate::error::{CommandError, ErrorKind};
use crate::exec::script::{Shape, shape, with_mark};
use crate::exec::skip::{quoted, runner, words};
use crate::exec::{Ending, Obstacle, Reach, leg};
use crate::ports::{Call, Leash};

/// How long a command has to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// What runs.
enum Command {
    /// A text for the shell.
    Script { text: String, shape: Shape },
    /// A program and its arguments.
    Program {
        program: OsString,
        args: Vec<OsString>,
    },
}

pub(super) struct Task {
    /// The job of the configuration.
    pub(super) job: Option<String>,
    command: Command,
    folder: PathBuf,
    env: Vec<(String, Option<OsString>)>,
    pub(super) within: Option<Duration>,
    /// Where its reports lie, and the folder that these are meant from.
    pub(super) junit: (Vec<PathBuf>, PathBuf),
    pub(super) filing: FilingArgs,
}

impl Task {
    pub(super) fn new(session: &Session<'_>, args: &ExecArgs) -> Result<Self, CommandError> {
        let job = match &args.named {
            Some(name) => Some((name, configured(session, name)?)),
            None => None,
        };
        let top = session.checkout.as_ref().ok();
        let top = top.and_then(|checkout| checkout.top.clone());
        let top = top.unwrap_or_else(|| session.base.clone());
        let (command, folder) = match (args.command.as_slice(), job) {
            ([program, args @ ..], _) => {
                let (program, args) = (program.clone(), args.to_vec());
                (Command::Program { program, args }, session.base.clone())
            }
            ([], Some((name, file))) => (script(name, file)?, top.clone()),
            ([], None) => {
                let message = "neither a job nor a command is given";
                return Err(CommandError::message(ErrorKind::Usage, message)
                    .hint("`maestro exec JOB`, or `maestro exec -- COMMAND`"));
            }
        };
        let sharding = match args.shard {
            Some(Sharding(part)) => part,
            None => from_environment(session)?,
        };
        let shard = sharding.map(|part| (part.number + 1, part.of));
        let mut filing = args.filing.clone();
        filing.job = args.named.clone().or(filing.job);
        let said = filing.leg.clone().filter(|leg| !leg.trim().is_empty());
        let said = said.or_else(|| session.var("MAESTRO_LEG"));
        filing.leg = Some(leg(&said.unwrap_or_default(), shard));
        let minutes = job.and_then(|(_, file)| file.timeout_minutes);
        let minutes = minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
        let junit = match job.and_then(|(_, file)| file.junit.as_ref()) {
            Some(glob) if args.junit.is_empty() => (vec![PathBuf::from(glob)], top),
            _ => (args.junit.clone(), session.base.clone()),
        };
        Ok(Self {
            job: args.named.clone(),
            command,
            folder,
            env: variables(job.is_some(), shard, &filing),
            within: args.timeout.or(minutes),
            junit,
            filing,
        })
    }

    /// Returns the command as people read it.
    pub(super) fn shown(&self) -> String {
        match &self.command {
            Command::Script { text, .. } => text.trim().to_owned(),
            Command::Program { program, args } => {
                let words = [program].into_iter().chain(args);
                let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
                words.join(" ")
            }
        }
    }

    /// Returns the runner of the command, where arguments at its end tell that one what to leave out.
    pub(super) fn runner(&self) -> Option<&'static str> {
        match &self.command {
            Command::Script {
                text,
                shape: Shape::One,
            } => runner(&words(text)?),
            Command::Script { .. } => None,
            Command::Program { program, args } => {
                let all = [program].into_iter().chain(args);
                let all: Option<Vec<&str>> = all.map(|word| word.to_str()).collect();
                runner(&all?)
            }
        }
    }

    /// Adds arguments to the command's end, and a folder to a variable that holds a list of them.
    pub(super) fn add(
        &mut self,
        more: &[String],
        variable: Option<(&str, &Path)>,
        session: &Session<'_>,
    ) {
        match &mut self.command {
            Command::Script { text, .. } => {
                let more: Vec<_> = more.iter().map(|word| quoted(word)).collect();
                *text = format!("{} {}", text.trim_end(), more.join(" "));
            }
            Command::Program { args, .. } => args.extend(more.iter().map(OsString::from)),
        }
        if let Some((name, folder)) = variable {
            let mut value = folder.as_os_str().to_owned();
            if let Some(before) = session.var(name) {
                value.push(":");
                value.push(before);
            }
            self.env.push((name.to_owned(), Some(value)));
        }
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        let some = self.env.iter().filter_map(|(name, value)| {
            let value = value.as_ref()?.to_string_lossy().into_owned();
            Some((name.as_str(), value))
        });
        some.filter(|(_, value)| !value.is_empty())
    }

    pub(super) fn leg(&self) -> &str {
        self.filing.leg.as_deref().unwrap_or_default()
    }

    /// Runs it; also tells how far it came.
    pub(super) fn run(&self, session: &mut Session<'_>) -> Result<(Ending, Reach), CommandError> {
        let leash = Leash {
            within: self.within,
            grace: GRACE,
        };
        let files = session.world.files.as_ref();
        let processes = session.world.processes.as_ref();
        match &self.command {
            Command::Program { program, args } => {
                let ending = processes.pass(&self.call(program.clone(), args.clone()), &leash);
                let ending = ending.map_err(|error| cannot_run(Path::new(program), error))?;
                Ok((ending, Reach::One))
            }
            Command::Script { text, shape } => {
                let folder = match shape {
                    Shape::List(_) => files.temporary_folder("maestro-exec-").ok(),
                    _ => None,
                };
                let mark = folder.as_ref().map(|folder| folder.join("reached"));
                let marked = match (shape, mark.as_ref().and_then(|mark| mark.to_str())) {
                    (Shape::List(last), Some(mark)) => with_mark(text, *last, mark),
                    _ => text.clone(),
                };
                let ending = self.in_shell(session, &marked, &leash);
                let reached = match (shape, &mark) {
                    (Shape::List(_), Some(mark)) => {
                        files.modified(mark).map_or(Reach::NotLast, Reach::Last)
                    }
                    (Shape::List(_), None) => Reach::NotLast,
                    _ => Reach::One,
                };
                if let Some(folder) = folder {
                    // What stays is an empty file among the system's temporary ones.
                    let _stays = files.remove_folder(&folder);
                }
                Ok((ending?, reached))
            }
        }
    }

    /// As GitHub runs a step with `shell: bash`, and where there is no Bash, as it does then.
    fn in_shell(
        &self,
        session: &mut Session<'_>,
        text: &str,
        leash: &Leash,
    ) -> Result<Ending, CommandError> {
        let processes = session.world.processes.as_ref();
        let words = |words: &[&str]| words.iter().map(OsString::from).collect();
        let bash = ["--noprofile", "--norc", "-eo", "pipefail", "-c", text];
        match processes.pass(&self.call("bash".into(), words(&bash)), leash) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                session
                    .ui
                    .warn("there is no Bash: the command runs in `sh`, which does not see a failure inside a pipeline");
                let sh = self.call("sh".into(), words(&["-e", "-c", text]));
                let ending = processes.pass(&sh, leash);
                ending.map_err(|error| cannot_run(Path::new("sh"), error))
            }
            ending => ending.map_err(|error| cannot_run(Path::new("bash"), error)),
        }
    }

    fn call(&self, program: OsString, args: Vec<OsString>) -> Call {
        Call {
            program,
            args,
            folder: self.folder.clone(),
            env: self.env.clone(),
            stdin: Vec::new(),
        }
    }

    /// Returns why the command's text alone keeps a failure.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        match &self.command {
            Command::Script {
                shape: Shape::Other(what),
                ..
            } => Some(Obstacle::Unclear(what)),
            _ => None,
        }
    }
}

fn configured<'s>(session: &'s Session<'_>, name: &str) -> Result<&'s JobFile, CommandError> {
    let jobs = &session.config.jobs;
    jobs.get(name).ok_or_else(|| {
        let message = format!("the configuration has no job `{name}`");
        let error = CommandError::message(ErrorKind::Usage, message);
        let known: Vec<&str> = jobs.keys().map(String::as_str).collect();
        match nearest(name, &known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(
                "add it under `jobs` in .maestro/maestro.yaml, or give a command: `maestro exec -- COMMAND`",
            ),
        }
    })
}

fn script(name: &str, file: &JobFile) -> Result<Command, CommandError> {
    let Some(text) = file.run.as_ref().filter(|text| !text.trim().is_empty()) else {
        let message = format!("job `{name}` has no command");
        return Err(
            CommandError::message(ErrorKind::BadConfig, message).hint(format!(
                "set `jobs.{name}.run`, or give one: `maestro exec {name} -- COMMAND`"
            )),
        );
    };
    Ok(Command::Script {
        shape: shape(text),
        text: text.clone(),
    })
}

fn from_environment(
    session: &Session<'_>,
) -> Result<Option<crate::cli::plan::shard::Part>, CommandError> {
    let Some(text) = session.var("MAESTRO_SHARD") else {
        return Ok(None);
    };
    let Sharding(part) = shard(&text).map_err(|problem| {
        CommandError::message(ErrorKind::BadConfig, format!("MAESTRO_SHARD: {problem}"))
            .hint("set it to the matrix's `shard`, or remove it")
    })?;
    Ok(part)
}

/// What the command finds: its shard, and under which name its results are filed.
fn variables(
    is_job: bool,
    shard: Option<(u32, u32)>,
    filing: &FilingArgs,
) -> Vec<(String, Option<OsString>)> {
    let mut env = Vec::new();
    let mut set = |name: &str, value: String| {
        env.push((name.to_owned(), Some(OsString::from(value))));
    };
    // Of a job the variables are always there, so that its command is one for all.
    if let Some((part, parts)) = shard.or(is_job.then_some((1, 1))) {
        set("SHARD", format!("{part}/{parts}"));
        set("SHARD_INDEX", part.to_string());
        set("SHARD_TOTAL", parts.to_string());
    }
    if let Some(job) = &filing.job {
        set("MAESTRO_JOB", job.clone());
    }
    if let Some(leg) = filing.leg.as_ref().filter(|leg| !leg.is_empty()) {
        set("MAESTRO_LEG", leg.clone());
    }
    env
}

fn cannot_run(program: &Path, error: std::io::Error) -> CommandError {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
        _ => ErrorKind::NotFound,
    };
    let what = format!("cannot run `{}`", program.display());
    CommandError::new(kind, anyhow::Error::new(error).context(what))
        .hint("check the spelling, and whether it is installed and may be run")
}
