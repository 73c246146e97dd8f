//! `maestro state pack`

use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::damage_error;
use super::verify::DamageRow;
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::Survey;
use crate::state::artifact_name::ArtifactName;

/// Write what this machine has stored to one file, to leave as an artifact
///
/// For jobs that may not write to the repository, such as those of pull requests from forks. Nothing is removed here.
/// `maestro state ingest` takes the file in, where somebody may.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Pack the results of a job
    $ maestro state pack maestro-state.ndjson

  See how much there is
    $ maestro state pack maestro-state.ndjson --dry-run")]
pub(crate) struct PackArgs {
    /// The file to write
    file: PathBuf,

    /// The repository that the events are about, as OWNER/NAME [default: GITHUB_REPOSITORY]
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// Say how much there is, write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &PackArgs) -> CommandResult {
    let state = session.state()?;
    let repository = args.repository.clone();
    let repository = repository.or_else(|| session.var("GITHUB_REPOSITORY"));
    let path = session.base.join(&args.file);
    let packed = state.pack(&path, &repository.unwrap_or_default(), args.dry_run)?;
    let survey = Survey {
        damage: packed.damage,
        ..Survey::default()
    };
    let origin =
        ["GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"].map(|name| session.var(name));
    // A job of the workflow may have done a job of the configuration, under whose name its results are filed.
    let own = packed.job.clone();
    let artifact = match origin {
        [Some(run), attempt, Some(job)] => Some(ArtifactName {
            run,
            attempt: attempt
                .and_then(|attempt| attempt.parse().ok())
                .unwrap_or(1),
            job: own.unwrap_or(job),
            digest: packed.digest[..16].to_owned(),
        }),
        _ => None,
    };
    let document = PackDocument {
        schema: "maestro.state-pack/v1",
        dry_run: args.dry_run,
        artifact: artifact.map(|name| name.to_string()),
        file: args.file.to_string_lossy().into_owned(),
        events: packed.events,
        bytes: packed.bytes,
        damage: DamageRow::all(session, &survey),
    };
    session.render(&document)?;
    if survey.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(damage_error(session, &survey))
}

/// What was packed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-pack/v1"))]
pub(crate) struct PackDocument {
    /// `maestro.state-pack/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// The file.
    file: String,
    /// The name of the artifact that it is left as, by which `maestro state sync` knows it; nothing outside GitHub Actions.
    artifact: Option<String>,
    /// Events in it.
    events: u64,
    /// Its size.
    bytes: u64,
    /// Lines of this machine's state that cannot be used, and are not in it.
    damage: Vec<DamageRow>,
}

impl Report for PackDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{} {} ({} bytes)",
            if self.dry_run { "Would pack" } else { "Packed" },
            times(self.events, "event"),
            self.bytes
        ));
        page.line(vec![Inline::Code(self.file.clone())]);
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let mut outputs = vec![("packed".to_owned(), self.events.to_string())];
        if let Some(artifact) = &self.artifact {
            outputs.push(("artifact".to_owned(), artifact.clone()));
        }
        outputs
    }
}
