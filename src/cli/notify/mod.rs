//! `maestro notify`: what channels hear of, for whoever tries it out, and for the commands that tell on their way.

mod channel;
pub(crate) mod gather;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use super::session::Session;
use crate::cli::budget::wallet;
use crate::conduct::notify::{Parcel, send};
use crate::config::notify::{NotifyEvent, NotifyFile};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::notify::letters::{Letter, Sheet, letters};
use crate::notify::{Chosen, Facts, choose, news, sample};
use crate::redact::Redactor;
use crate::state::v1::NotificationRecord;
use channel::{Channel, Fault};
pub(crate) use wire::{ChannelRow, NotifyDocument, page};

/// All channels together take no longer.
const WITHIN: Duration = Duration::from_secs(2);

/// Tell Slack, Teams and your own programs what they should know
///
/// Says to each channel of `notify` in the configuration what is news: budgets, quarantine, flaky tests, outages, verdicts and overrides, each once. `state sync`,
/// `gate` and `learning-pack` tell by themselves; this is for trying it out. A channel that is down changes no exit code, takes two seconds at most, and
/// hears it the next time. Addresses are read from variables of the environment, and shown nowhere.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What would be sent to whom, and why nothing is
    $ maestro notify --dry-run

  The same, for a program
    $ maestro notify --dry-run --format json

  One sample to each channel whose variable is set; exits with 69 when one cannot be reached
    $ maestro notify --test")]
pub(crate) struct NotifyArgs {
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Send a sample to each channel
    #[arg(long)]
    test: bool,
}

/// How channels are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Tell,
    DryRun,
    Sample { dry_run: bool },
}

pub(super) fn run(session: &mut Session<'_>, args: &NotifyArgs) -> CommandResult {
    let channels = session.config.notify.clone();
    let how = match (args.test, args.dry_run) {
        (true, dry_run) => How::Sample { dry_run },
        (false, true) => How::DryRun,
        (false, false) => How::Tell,
    };
    let facts = match how {
        How::Sample { .. } => gather::bare(session),
        _ => gather::all(session, &events(&channels))?,
    };
    let rows = tell(session, &channels, &facts, how)?;
    let unreached = rows.iter().filter(|row| row.was_not_reached()).count();
    warn(session, &rows);
    let document = NotifyDocument::new(rows, args.dry_run, args.test);
    session.render(&document)?;
    if channels.is_empty() {
        session.ui.hint(
            "nobody is told: `notify` of the configuration names no channel (docs/notify.md)",
        );
    }
    if args.test && unreached > 0 {
        let words = format!(
            "{unreached} of {} channels were not reached",
            channels.len()
        );
        return Err(CommandError::message(ErrorKind::Unavailable, words).hint(
            "what went wrong stands beside each; outside of `--test` this changes no exit code",
        ));
    }
    Ok(ExitCode::Success)
}

/// Returns everything that a channel hears of.
pub(crate) fn events(channels: &[NotifyFile]) -> BTreeSet<NotifyEvent> {
    channels
        .iter()
        .flat_map(|one| one.on.iter().copied())
        .collect()
}

/// Tells channels on the way of another command, whose answer it never changes.
pub(crate) fn on_the_way(
    session: &mut Session<'_>,
    channels: &[NotifyFile],
    facts: Result<Facts, CommandError>,
) -> Vec<ChannelRow> {
    let told = facts.and_then(|facts| tell(session, channels, &facts, How::Tell));
    match told {
        Ok(rows) => {
            warn(session, &rows);
            rows
        }
        Err(error) => {
            let words = format!("nobody was told: {:#}", error.error);
            session.ui.warn(&words);
            Vec::new()
        }
    }
}

/// Whether somebody was told something.
pub(crate) fn was_told(rows: &[ChannelRow]) -> bool {
    rows.iter().any(ChannelRow::was_told)
}

fn warn(session: &mut Session<'_>, rows: &[ChannelRow]) {
    for row in rows.iter().filter(|row| row.was_not_reached()) {
        let words = format!(
            "{} was not told: {}; the next command tries again",
            row.name(),
            row.problem()
        );
        session.ui.warn(&words);
    }
}

fn tell(
    session: &Session<'_>,
    channels: &[NotifyFile],
    facts: &Facts,
    how: How,
) -> Result<Vec<ChannelRow>, CommandError> {
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let state = session.state()?;
    let told = state.told()?;
    let redactor = redactor(session, channels);
    let redact = |text: &str| redactor.message(text);
    let repository = gather::repository(session).0;
    let repository = redact(&repository).unwrap_or(repository);
    let news = news(facts);
    let is_test = matches!(how, How::Sample { .. });
    let sheet = Sheet {
        repository: &repository,
        at: session.now(),
        is_test,
    };
    let nothing = BTreeSet::new();
    let mut all: Vec<Turn<'_>> = Vec::new();
    for channel in channels {
        let chosen = if is_test {
            Chosen {
                notices: vec![sample(&channel.name(), &channel.on, facts.web.clone())],
                ..Chosen::default()
            }
        } else {
            let told = told.get(&channel.name()).unwrap_or(&nothing);
            choose(&news, &channel.on, told, &facts.unknown, &redact)
        };
        all.push(Turn::new(session, channel, chosen, sheet));
    }
    if matches!(how, How::Tell | How::Sample { dry_run: false }) {
        go(session, &mut all);
    }
    if how == How::Tell {
        let records: Vec<NotificationRecord> = all.iter().flat_map(Turn::records).collect();
        state.save_told(&records, session.now(), &wallet::origin(session))?;
    }
    let is_dry = matches!(how, How::DryRun | How::Sample { dry_run: true });
    Ok(all.into_iter().map(|turn| turn.row(is_dry)).collect())
}

/// Takes secrets out of texts, addresses of channels among them whatever their variables are called.
fn redactor(session: &Session<'_>, channels: &[NotifyFile]) -> Redactor {
    let mut variables = session.world.environment.vars();
    for channel in channels {
        let names = [Some(&channel.url_env), channel.secret_env.as_ref()];
        let values = names
            .into_iter()
            .flatten()
            .filter_map(|name| session.var(name));
        variables.extend(values.map(|value| ("CHANNEL_SECRET".to_owned(), value)));
    }
    Redactor::new(&variables)
}

/// A channel on its turn.
struct Turn<'c> {
    file: &'c NotifyFile,
    channel: Result<Channel, Fault>,
    chosen: Chosen,
    letters: Vec<Letter>,
    /// How many notices were taken.
    taken: usize,
}

impl<'c> Turn<'c> {
    fn new(session: &Session<'_>, file: &'c NotifyFile, chosen: Chosen, sheet: Sheet<'_>) -> Self {
        let channel = Channel::of(session, file);
        let letters = match &channel {
            Ok(channel) => letters(file.to, &chosen.notices, sheet, channel.secret()),
            Err(_) => Vec::new(),
        };
        Self {
            file,
            channel,
            chosen,
            letters,
            taken: 0,
        }
    }

    /// Returns what is remembered of it.
    fn records(&self) -> Vec<NotificationRecord> {
        let told = &self.chosen.notices[..self.taken];
        let records = told.iter().map(|notice| NotificationRecord {
            event: notice.event.to_owned(),
            keys: notice.keys.iter().cloned().collect(),
            target: self.file.name(),
        });
        records.collect()
    }

    fn row(self, is_dry: bool) -> ChannelRow {
        ChannelRow::new(
            self.file,
            self.chosen,
            self.taken,
            self.channel.err(),
            is_dry,
        )
    }
}

/// Sends what is to be sent, to all channels at once.
fn go(session: &Session<'_>, all: &mut [Turn<'_>]) {
    let mut parcels = Vec::new();
    let mut whose = Vec::new();
    for (at, turn) in all.iter_mut().enumerate() {
        if let (Ok(channel), false) = (&turn.channel, turn.letters.is_empty()) {
            parcels.push(Parcel {
                url: channel.url.clone(),
                letters: turn.letters.clone(),
            });
            whose.push(at);
        }
    }
    let world = session.world;
    let done = send(world.model.as_ref(), world.clock.as_ref(), &parcels, WITHIN);
    for (at, (sent, why)) in whose.into_iter().zip(done) {
        let turn = &mut all[at];
        turn.taken = turn.letters[..sent]
            .iter()
            .map(|letter| letter.holds.len())
            .sum();
        if let Some(why) = why {
            turn.channel = Err(Fault::Unreached(why));
        }
    }
}
