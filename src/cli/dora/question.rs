//! What the flags ask: times, hours of work, sources.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args as _, FromArgMatches as _, ValueEnum};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::config::delivery::{
    BLAME_DAYS, DeliveryFile, INCIDENTS, MOST_BLAME_DAYS, SourceFile, SourcesFile, StartFile,
    WORKFLOW,
};
use crate::delivery::ask::{Ask, Source, Start, Window};
use crate::delivery::authors::Authors;
use crate::delivery::calendar::{Calendar, Hours, days_and_hours, midnight};
use crate::delivery::definitions::{self, Definition};
use crate::delivery::quantiles::LEAST;
use crate::delivery::rows::Author;
use crate::error::{CommandError, ErrorKind};

/// Unless said otherwise, the last three months.
const DAYS: i64 = 90;

/// No zone's file is larger.
const LARGEST_ZONE: u64 = 64 * 1024;

/// Where zones lie, unless `TZDIR` says so.
const ZONES: &str = "/usr/share/zoneinfo";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SourceWord {
    /// GitHub's deployments to production
    Deployments,
    /// Runs of the workflow that deploys
    Runs,
    /// Releases, without drafts and pre-releases
    Releases,
    /// Tags that are versions
    Tags,
    /// Tags, and nothing but git: no forge is asked
    Git,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AuthorWord {
    Human,
    Bot,
    Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StartWord {
    /// The first commit
    Commit,
    /// When the pull request was opened
    Opened,
    /// When it was marked as ready for review
    Ready,
}

impl SourceWord {
    fn source(self) -> Source {
        match self {
            Self::Deployments => Source::Deployments,
            Self::Runs => Source::Runs,
            Self::Releases => Source::Releases,
            Self::Tags | Self::Git => Source::Tags,
        }
    }
}

impl From<SourceFile> for SourceWord {
    fn from(word: SourceFile) -> Self {
        match word {
            SourceFile::Deployments => Self::Deployments,
            SourceFile::Runs => Self::Runs,
            SourceFile::Releases => Self::Releases,
            SourceFile::Tags => Self::Tags,
            SourceFile::Git => Self::Git,
        }
    }
}

impl From<StartFile> for StartWord {
    fn from(word: StartFile) -> Self {
        match word {
            StartFile::Commit => Self::Commit,
            StartFile::Opened => Self::Opened,
            StartFile::Ready => Self::Ready,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DefinitionWord {
    /// The five metrics of dora.dev, 2025
    Dora2025,
    /// Four Keys, archived in 2024
    Fourkeys,
    /// Apache DevLake
    Devlake,
}

/// What is asked, and where rows come from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AskArgs {
    /// From then on, inclusive: a date, a time, or days back as `90d` [default: 90d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Until then, exclusive [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Deployments to this environment, instead of those to production [default: delivery.deploys.environment]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,

    /// Only changes of files below this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) path: Option<String>,

    /// Only changes that were merged into this branch
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,

    /// Only changes of people, of bots, or of agents
    #[arg(long, value_name = "KIND")]
    author: Option<AuthorWord>,

    /// Only changes with the label `team: NAME`
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// What stands for deployments: the first of these that has any [default: delivery.deploys.source, else deployments,runs,releases,tags]
    #[arg(long, value_name = "SOURCE,…", value_delimiter = ',')]
    source: Vec<SourceWord>,

    /// What the name of the workflow that deploys has in it [default: delivery.deploys.workflow, else deploy]
    #[arg(long, value_name = "WORD")]
    workflow: Option<String>,

    /// What the metrics mean
    #[arg(long, value_name = "NAME", default_value = "dora2025")]
    definition: DefinitionWord,

    /// When a change's clock starts [default: delivery.start, else commit]
    #[arg(long, value_name = "EVENT")]
    start: Option<StartWord>,

    /// Hours of work for a second column, as `Europe/Berlin,Mon-Fri,9-17` or `+02:00,Mon-Fri,9-17` [default: delivery.business_hours]
    #[arg(long, value_name = "ZONE,DAYS,HOURS")]
    business_hours: Option<String>,

    /// An incident that names no deployment is blamed on the last one, if it is so many days old at most [default: delivery.blame_days, else 14]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_BLAME_DAYS)))]
    blame: Option<u16>,

    /// Issues with this label are incidents [default: delivery.incidents, else incident]
    #[arg(long, value_name = "LABEL")]
    incidents: Option<String>,

    /// An account that is a bot, beside those of delivery.bots and those that GitHub calls so (can be repeated)
    #[arg(long, value_name = "LOGIN")]
    bot: Vec<String>,

    /// An account that is an agent, beside those of agents.authors (can be repeated)
    #[arg(long, value_name = "LOGIN")]
    agent: Vec<String>,

    /// Take rows from this file, a JSON object a line as docs/dora.md describes them, and from nowhere else
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<PathBuf>,

    /// Pool what is stored of the repositories that this file lists, one a line: a path, or OWNER/NAME and a path; no network is used
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "repository"])]
    pub(super) repos: Option<PathBuf>,

    #[command(flatten)]
    pub(super) github: GithubArgs,

    /// Whether what is stored is all that is looked at.
    #[arg(skip)]
    pub(super) is_stored: bool,
}

/// What is asked, with what it borrows from.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) window: Window,
    pub(super) now: Timestamp,
    pub(super) environment: Option<String>,
    path: Option<String>,
    branch: Option<String>,
    author: Option<Author>,
    team: Option<String>,
    sources: Vec<Source>,
    workflow: String,
    blame: i64,
    pub(super) incidents: String,
    start: Start,
    pub(super) hours: Option<Hours>,
    pub(super) definition: &'static Definition,
    pub(super) authors: Authors,
    /// Whether no forge is to be asked.
    pub(super) is_git: bool,
    /// Whether runs of CI are to be read as well.
    pub(super) with_ci: bool,
}

impl AskArgs {
    /// Returns what is asked where nobody says anything, of what is stored or of a file.
    pub(super) fn stored(
        rows: Option<PathBuf>,
        github: Option<GithubArgs>,
    ) -> Result<Self, clap::Error> {
        let command = clap::Command::new("dora").no_binary_name(true);
        let matches = Self::augment_args(command).try_get_matches_from([""; 0])?;
        let args = Self::from_arg_matches(&matches)?;
        Ok(Self {
            is_stored: true,
            rows,
            github: github.unwrap_or_else(|| args.github.clone()),
            ..args
        })
    }
}

impl Question {
    /// Asks about the days before a time.
    pub(super) fn before(mut self, at: Timestamp, days: i64) -> Self {
        self.now = at;
        self.window = Window {
            since: back(at, days),
            until: at,
        };
        self
    }

    /// Starts clocks when pull requests were opened.
    pub(super) fn begin_at_opening(mut self) -> Self {
        self.start = Start::Opened;
        self
    }

    pub(super) fn new(session: &Session<'_>, args: &AskArgs) -> Result<Self, CommandError> {
        let now = session.now();
        let until = match &args.until {
            Some(text) => time("--until", text, now)?,
            None => now,
        };
        let since = match &args.since {
            Some(text) => time("--since", text, until)?,
            None => back(until, DAYS),
        };
        if since >= until {
            let message = format!("--since is {since}, which is not before {until}");
            return Err(CommandError::message(ErrorKind::Usage, message)
                .hint("the time asked for begins with --since and ends before --until"));
        }
        let file = &session.config.delivery;
        let deploys = &file.deploys;
        let in_file = deploys.source.as_ref().map(SourcesFile::list);
        let words: Vec<SourceWord> = if args.source.is_empty() {
            let words = in_file.unwrap_or_default().iter();
            words.map(|word| SourceWord::from(*word)).collect()
        } else {
            args.source.clone()
        };
        let is_git = words.contains(&SourceWord::Git);
        let mut sources: Vec<Source> = words.into_iter().map(SourceWord::source).collect();
        if sources.is_empty() {
            sources.extend(Source::ALL);
        }
        let start = args.start.or_else(|| file.start.map(StartWord::from));
        let text = |flag: &Option<String>, file: &Option<String>, default: &str| {
            let found = flag.clone().or_else(|| file.clone());
            found.unwrap_or_else(|| default.to_owned())
        };
        let name = match args.definition {
            DefinitionWord::Dora2025 => "dora2025",
            DefinitionWord::Fourkeys => "fourkeys",
            DefinitionWord::Devlake => "devlake",
        };
        Ok(Self {
            window: Window { since, until },
            now,
            environment: args
                .environment
                .clone()
                .or_else(|| deploys.environment.clone()),
            path: args.path.clone(),
            branch: args.branch.clone(),
            author: args.author.map(|word| match word {
                AuthorWord::Human => Author::Human,
                AuthorWord::Bot => Author::Bot,
                AuthorWord::Agent => Author::Agent,
            }),
            team: args.team.clone(),
            sources,
            workflow: text(&args.workflow, &deploys.workflow, WORKFLOW),
            blame: i64::from(blame_days(args, file)?) * 24 * 3600,
            incidents: text(&args.incidents, &file.incidents, INCIDENTS),
            start: match start {
                None | Some(StartWord::Commit) => Start::Commit,
                Some(StartWord::Opened) => Start::Opened,
                Some(StartWord::Ready) => Start::Ready,
            },
            hours: hours_of(session, args, file)?,
            definition: definitions::find(name).unwrap_or(definitions::standard()),
            authors: session.authors(&args.bot, &args.agent)?,
            is_git,
            with_ci: false,
        })
    }

    pub(super) fn ask<'a>(&'a self, calendar: Option<&'a Calendar>) -> Ask<'a> {
        Ask {
            window: self.window,
            now: self.now,
            environment: self.environment.as_deref(),
            path: self.path.as_deref(),
            branch: self.branch.as_deref(),
            author: self.author,
            team: self.team.as_deref(),
            sources: &self.sources,
            workflow: &self.workflow,
            blame: self.blame,
            start: self.start,
            calendar,
            definition: self.definition,
            least: LEAST,
        }
    }
}

fn back(from: Timestamp, days: i64) -> Timestamp {
    let span = SignedDuration::from_hours(24 * days);
    from.saturating_sub(span).unwrap_or(Timestamp::MIN)
}

/// Reads a date (its midnight, UTC), a time, or days back from another.
pub(super) fn time(flag: &str, text: &str, from: Timestamp) -> Result<Timestamp, CommandError> {
    if let Some(days) = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u16>().ok())
    {
        return Ok(back(from, i64::from(days)));
    }
    let date = text
        .parse::<jiff::civil::Date>()
        .ok()
        .filter(|_| text.len() == 10);
    let at = date.map(midnight).or_else(|| text.parse().ok());
    at.ok_or_else(|| {
        CommandError::message(
            ErrorKind::Usage,
            format!("{flag} is `{text}`, which is no time"),
        )
        .hint("write 2026-01-05, 2026-01-05T09:00:00Z, or 90d for ninety days back")
    })
}

/// Returns the days that an incident may lie behind a deployment: the flag's, else the file's.
fn blame_days(args: &AskArgs, file: &DeliveryFile) -> Result<u16, CommandError> {
    if let Some(days) = args.blame {
        return Ok(days);
    }
    let days = file.blame_days.unwrap_or(BLAME_DAYS);
    if (1..=MOST_BLAME_DAYS).contains(&days) {
        return Ok(days);
    }
    let message = format!("`delivery.blame_days` is {days}");
    Err(CommandError::message(ErrorKind::BadConfig, message)
        .hint(format!("write a number from 1 to {MOST_BLAME_DAYS}")))
}

/// Returns the hours of work: the flag's, else the file's, else none.
fn hours_of(
    session: &Session<'_>,
    args: &AskArgs,
    file: &DeliveryFile,
) -> Result<Option<Hours>, CommandError> {
    let (what, kind, text) = match (&args.business_hours, &file.business_hours) {
        (Some(text), _) => ("--business-hours", ErrorKind::Usage, text),
        (None, Some(text)) => ("`delivery.business_hours`", ErrorKind::BadConfig, text),
        (None, None) => return Ok(None),
    };
    hours(session, text).map(Some).map_err(|words| {
        CommandError::message(kind, format!("{what} is `{text}`: {words}"))
            .hint("write the zone, the days and the hours: Europe/Berlin,Mon-Fri,9-17")
    })
}

fn hours(session: &Session<'_>, text: &str) -> Result<Hours, String> {
    let (name, rest) = text
        .split_once(',')
        .ok_or_else(|| "there is only a zone".to_owned())?;
    let (days, from, to) = days_and_hours(rest)?;
    let zone = zone(session, name.trim())?;
    Ok(Hours {
        zone,
        days,
        from,
        to,
    })
}

/// Returns a zone by its name, as the system has it, or by what its clocks are ahead.
fn zone(session: &Session<'_>, name: &str) -> Result<TimeZone, String> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ['_', '-', '+', '/'].contains(&c);
    if name.is_empty() || name.starts_with('/') || !name.chars().all(is_plain) {
        return Err(format!("`{name}` is no zone"));
    }
    let folder = session.var("TZDIR").unwrap_or_else(|| ZONES.to_owned());
    let path = PathBuf::from(folder).join(name);
    let mut bytes = Vec::new();
    let file = session.world.files.open(&path);
    let read = file.and_then(|file| file.take(LARGEST_ZONE).read_to_end(&mut bytes));
    if read.is_err() {
        return Err(format!(
            "this system knows no zone `{name}` (there is no `{}`)",
            path.display()
        ));
    }
    TimeZone::tzif(name, &bytes).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Reads `+02:00` or `-7`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "0"));
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..60).contains(&minutes) || !(0..=24).contains(&hours) {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
