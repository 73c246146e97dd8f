//! What a team works with: the policy's guard, what is known of tests, a program, and whether this machine can shut it in.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::RunAgentsArgs;
use super::guard::PolicyGuard;
use super::oracle::Payer;
use super::program::Program;
use super::runner::Cell;
use crate::agents::canaries::Canaries;
use crate::agents::record::Head;
use crate::change::{Entry, Kind};
use crate::cli::budget::wallet;
use crate::cli::check_policy::Loaded;
use crate::cli::flakes::{self, rules::RulesArgs};
use crate::cli::gateway::upstream_of;
use crate::cli::plan::settings::{PlanSettings, read as read_settings};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::config::ConfigFile;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::trusted::Trusted;
use crate::gateway::route::Provider;
use crate::policy::subject::Asked;
use crate::ports::sandbox::{SandboxProblem, Shield};
use crate::ports::trees::{RunStore, Trees};

use super::place::Place;

/// Returns the day on which the run began: what is judged again is judged by the same one.
pub(super) fn today(place: &Place) -> Date {
    place.head.at.to_zoned(TimeZone::UTC).date()
}

pub(super) fn guard<'g>(
    place: &Place,
    loaded: &'g Loaded,
    (trees, store): (&'g dyn Trees, &'g RunStore),
    canaries: &'g Canaries,
) -> Result<PolicyGuard<'g>, CommandError> {
    let listed = trees.listed(store, &place.head.base);
    let files = listed.map_err(crate::state::StateError::from)?.into_iter();
    let files = files.filter(|(_, kind)| *kind == Kind::File);
    Ok(PolicyGuard {
        loaded,
        trees,
        store,
        asked: asked(&place.head),
        canaries,
        today: today(place),
        // What stands in it is no question before anything is done.
        base: crate::order::map(files.map(|(path, _)| (path, Entry::regular("base")))),
    })
}

/// What the configuration and the base say of tests.
pub(super) struct Known {
    pub(super) rules: Trusted,
    pub(super) settings: PlanSettings,
    pub(super) config: ConfigFile,
}

pub(super) fn known(session: &mut Session<'_>) -> Result<Known, CommandError> {
    let of_base = RulesArgs {
        base: None,
        trusted: None,
    };
    Ok(Known {
        rules: flakes::rules::load(session, &of_base)?,
        settings: read_settings(session, &session.config)?,
        config: session.config.clone(),
    })
}

/// Prepares somebody else's program.
pub(super) fn program<'w: 'p, 'p>(
    session: &mut Session<'w>,
    args: &RunAgentsArgs,
    place: &Place,
    (words, cell): (&'p [String], &'p Cell<'p>),
    payer: &'p Payer<'p>,
) -> Result<Program<'p>, CommandError> {
    let world = session.world;
    let variables = world.environment.vars();
    let given = match &args.base_url {
        Some(url) => vec![
            (Provider::Anthropic, url.clone()),
            (Provider::OpenAi, url.clone()),
        ],
        None => Vec::new(),
    };
    Ok(Program {
        cell,
        relay: world.relay.as_ref(),
        files: world.files.as_ref(),
        clock: world.clock.as_ref(),
        words,
        opening: wallet::opening_of(session, &args.wallet)?,
        table: payer.table.clone(),
        anthropic: upstream_of(Provider::Anthropic, &given, &variables)?,
        openai: upstream_of(Provider::OpenAi, &given, &variables)?,
        models: place.chosen.tiers().map(|tier| tier.model),
        payer,
        now: session.settings.now.value,
    })
}

/// Returns who asked for it, as far as the issue says.
pub(super) fn asked(head: &Head) -> Asked {
    let text = |name: &str| head.issue[name].as_str().map(str::to_owned);
    Asked {
        is_agent: true,
        author: text("author"),
        association: text("author_association"),
        title: text("title"),
        ..Asked::default()
    }
}

impl Reported for SandboxProblem {
    fn reported(self, _of: &str) -> CommandError {
        let hint = self.hint();
        CommandError::new(ErrorKind::Unsupported, self).hint(hint)
    }
}

/// Whether this machine can shut in what models write; says it where nobody does.
pub(super) fn check_shield(session: &mut Session<'_>, shield: Shield) -> Result<(), CommandError> {
    if let Some(words) = shield.warning() {
        session.ui.warn(words);
    }
    if shield != Shield::Require {
        return Ok(());
    }
    let unsupported = |problem: SandboxProblem| problem.reported("");
    let probe = session.world.sandbox.probe().map_err(unsupported)?;
    let missing = probe.missing(true).join(", ");
    if missing.is_empty() {
        return Ok(());
    }
    Err(unsupported(SandboxProblem::Unsupported(missing)))
}
