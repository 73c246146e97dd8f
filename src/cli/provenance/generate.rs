//! `maestro provenance generate`: statements about a run, one a predicate, and the index over them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{bad_input, digest, document_and_fact, environment, fact, plain_path, write};
use crate::cli::flakes::read_reports;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::event::{Origin, plain_name};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};
use crate::provenance::assembly::{Assembly, assemble};
use crate::provenance::chain::heads;
use crate::provenance::facts::{Evidence, FileFact, Run, Sbom, builder};
use crate::provenance::index::{Index, StatementRow};
use crate::provenance::predicates::reference::media_type;
use crate::provenance::readings::Policy;
use crate::provenance::tests_of::Tests;
use crate::provenance::{readings, strict};
use crate::state::v1::encode_provenance_index;

/// How a predicate without its statement ends, for those who have the statement made elsewhere.
const PREDICATE_ENDING: &str = ".predicate.json";

/// The artifacts, as `sha256sum` lists them.
const SUBJECTS: &str = "subjects.sha256";

/// Say what a run did, in statements that other tools verify
///
/// Writes in-toto statements: SLSA provenance always; test results, vulnerabilities, the policy's verdict (SVR, and with --resource-uri VSA) and a
/// reference to the bill of materials where their reports are given; and an index over all of them. They are about the artifacts, or about the
/// commit where there are none. Nothing is signed: `maestro provenance sign` does that. Equal inputs give equal bytes under SOURCE_DATE_EPOCH.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What was built and how it was tested
    $ maestro provenance generate --subject dist/app --junit reports

  See what would be said, and write nothing
    $ maestro provenance generate --subject dist/app --dry-run --format json")]
pub(crate) struct GenerateArgs {
    /// A file that was built (can be repeated)
    #[arg(long, value_name = "FILE")]
    subject: Vec<PathBuf>,

    /// Test reports: files, folders and globs (can be repeated)
    #[arg(long, value_name = "PATH")]
    junit: Vec<PathBuf>,

    /// A scanner's report: Grype's JSON (can be repeated)
    #[arg(long, value_name = "FILE")]
    vulns: Vec<PathBuf>,

    /// What `maestro check-policy --report json=FILE` wrote
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// A bill of materials: CycloneDX or SPDX (can be repeated)
    #[arg(long, value_name = "FILE")]
    sbom: Vec<PathBuf>,

    /// Where the bills of materials can be had [default: the run's page]
    #[arg(long, value_name = "URL", requires = "sbom")]
    sbom_location: Option<String>,

    /// What `maestro budget status --report json=FILE` wrote
    #[arg(long, value_name = "FILE")]
    budget: Option<PathBuf>,

    /// Also write a verification summary (VSA) about this resource
    #[arg(long, value_name = "URI", requires = "policy")]
    resource_uri: Option<String>,

    /// Who says it [default: a builder that attests itself]
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,

    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = "provenance")]
    out: PathBuf,

    /// Write nothing and store nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &GenerateArgs) -> CommandResult {
    let evidence = gather(session, args)?;
    let Some(assembly) = assemble(&evidence) else {
        let message = "there is neither a file nor a commit that a statement could be about";
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("name what was built with `--subject FILE`, or run it in a repository"));
    };
    let mut document = GenerateDocument::new(session, args, &assembly);
    if !args.dry_run {
        put(session, args, &evidence, &assembly)?;
        document.stored = keep(session, &evidence, &assembly)?;
    }
    session.render(&document)?;
    if args.dry_run {
        session.ui.status("dry run: nothing was written");
    } else {
        let count = times(document.statements.len() as u64, "statement");
        let folder = args.out.display();
        session
            .ui
            .status(&format!("wrote {count} below `{folder}`"));
    }
    Ok(ExitCode::Success)
}

/// Reads all that was given.
fn gather(session: &mut Session<'_>, args: &GenerateArgs) -> Result<Evidence, CommandError> {
    let at = environment::time(session)?;
    let mut artifacts = Vec::new();
    for path in &args.subject {
        artifacts.push(fact(session, path)?);
    }
    crate::order::sort_by(&mut artifacts, |a, b| {
        (&a.path, a.sha).cmp(&(&b.path, b.sha))
    });
    artifacts.dedup();
    let (tests, reports) = tests(session, &args.junit)?;
    let mut scans = Vec::new();
    for path in &args.vulns {
        let (bytes, report) = document_and_fact(session, path)?;
        scans.push(readings::scan(&bytes, report).map_err(|problem| {
            bad_input(path, &problem)
                .hint("write it with `grype -o json`, by a database that is there")
        })?);
    }
    let mut sboms = Vec::new();
    for path in &args.sbom {
        let (bytes, file) = document_and_fact(session, path)?;
        let media_type = media_type(&strict::read(&bytes).unwrap_or_default());
        sboms.push(Sbom { file, media_type });
    }
    let policy = args.policy.as_deref().map(|path| {
        let (bytes, report) = document_and_fact(session, path)?;
        readings::policy(&bytes, report).map_err(|problem| {
            bad_input(path, &problem)
                .hint("write it with `maestro check-policy --report json=FILE`")
        })
    });
    let budget = args.budget.as_deref().map(|path| {
        let (bytes, report) = document_and_fact(session, path)?;
        readings::budget(&bytes, report).map_err(|problem| {
            bad_input(path, &problem)
                .hint("write it with `maestro budget status --report json=FILE`")
        })
    });
    let mut evidence = Evidence {
        run: environment::run(session),
        at,
        builder: args.builder_id.clone().unwrap_or_else(builder),
        artifacts,
        tests,
        reports,
        scans,
        policy: policy.transpose()?,
        sboms,
        sbom_location: args.sbom_location.clone(),
        budget: budget.transpose()?,
        resource: args.resource_uri.clone(),
        previous: Vec::new(),
    };
    if let Some(policy) = &evidence.policy {
        about_this_change(policy, &evidence.run)?;
    }
    evidence.name_run();
    if has_state(session) {
        let links = session.state()?.provenance_links()?;
        evidence.previous = heads(&links, &plain_name(evidence.run.id.clone()));
    }
    Ok(evidence)
}

/// Reads test reports; one that is not whole says nothing, because what is missing may be a failure.
fn tests(
    session: &Session<'_>,
    patterns: &[PathBuf],
) -> Result<(Option<Tests>, Vec<FileFact>), CommandError> {
    if patterns.is_empty() {
        return Ok((None, Vec::new()));
    }
    let read = read_reports(session, patterns)?;
    if let Some(failure) = read.failures.into_iter().next() {
        return Err(failure);
    }
    if let Some(broken) = read.broken.first() {
        return Err(CommandError::message(ErrorKind::BadInput, broken.clone())
            .hint("nothing is attested about tests whose report is missing or cut off"));
    }
    let tests = Tests::of(&read.results, &read.suites);
    if tests.is_empty() {
        let message = "the reports hold no test";
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("nothing is attested about tests that were not run"));
    }
    let mut reports = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, sha) in read.read {
        let found = digest(session.world.files.as_ref(), &path);
        let (now, bytes) = found.map_err(|error| CommandError::reading(&path, error))?;
        if now != sha {
            return Err(bad_input(&path, &"it was changed while it was read")
                .hint("run it when the tests are done"));
        }
        if seen.insert(path.clone()) {
            let path = plain_path(session, &path)?;
            reports.push(FileFact { path, sha, bytes });
        }
    }
    crate::order::sort_by(&mut reports, |a, b| a.path.cmp(&b.path));
    Ok((Some(tests), reports))
}

/// A policy's word about another commit is none about this one.
fn about_this_change(policy: &Policy, run: &Run) -> Result<(), CommandError> {
    let is_known = !run.commit.is_empty();
    if !is_known || [&run.commit, &run.head].contains(&&policy.head) {
        return Ok(());
    }
    let message = format!(
        "`{}` judged commit {}, and this run is about {}",
        policy.report.path, policy.head, run.commit
    );
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("run `maestro check-policy` on what is checked out"))
}

fn has_state(session: &Session<'_>) -> bool {
    session.checkout.is_ok() || session.named_dir.is_some()
}

/// Writes the files.
fn put(
    session: &Session<'_>,
    args: &GenerateArgs,
    evidence: &Evidence,
    assembly: &Assembly,
) -> Result<(), CommandError> {
    for written in &assembly.statements {
        let file = args.out.join(written.file());
        write(session, &file, written.text.as_bytes())?;
        let file = args.out.join(format!("{}{PREDICATE_ENDING}", written.name));
        write(session, &file, written.predicate.to_string().as_bytes())?;
    }
    let line = |file: &FileFact| format!("{}  {}\n", file.sha, file.path);
    let lines: String = evidence.artifacts.iter().map(line).collect();
    write(session, &args.out.join(SUBJECTS), lines.as_bytes())
}

/// Keeps the index as an event, for the runs that follow; where there is no state, nobody follows.
fn keep(
    session: &Session<'_>,
    evidence: &Evidence,
    assembly: &Assembly,
) -> Result<bool, CommandError> {
    let Some(index) = assembly.statements.last().filter(|_| has_state(session)) else {
        return Ok(false);
    };
    let run = &evidence.run;
    let origin = Origin {
        run: run.id.clone(),
        attempt: run.attempt,
        job: run.job.clone(),
        commit: run.commit.clone(),
        branch: run.branch.clone(),
    };
    let event = encode_provenance_index(index.text.clone(), evidence.at, origin.plain());
    session.state()?.save(&[event])?;
    Ok(true)
}

/// What was said about a run.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance-generate/v1"))]
pub(crate) struct GenerateDocument {
    /// `maestro.provenance-generate/v1`
    schema: &'static str,
    dry_run: bool,
    /// Where the files are.
    folder: String,
    /// Every statement that was written; the index is the last.
    statements: Vec<StatementRow>,
    /// Whether the index was stored for the runs that follow.
    stored: bool,
    index: Index,
    #[serde(skip)]
    names: Vec<(String, String)>,
}

impl GenerateDocument {
    fn new(session: &Session<'_>, args: &GenerateArgs, assembly: &Assembly) -> Self {
        let row = |written: &crate::provenance::assembly::Written| StatementRow {
            file: written.file(),
            predicate_type: written.predicate_type.clone(),
            sha256: written.sha().to_string(),
        };
        let folder = session.shown(&session.base.join(&args.out));
        let file = |name: &str| Path::new(&folder).join(name).display().to_string();
        let of = |written: &crate::provenance::assembly::Written| {
            let name = format!("predicate_{}", written.name.replace('-', "_"));
            (name, file(&format!("{}{PREDICATE_ENDING}", written.name)))
        };
        let mut names: Vec<(String, String)> = assembly.statements.iter().map(of).collect();
        names.push(("subjects".to_owned(), file(SUBJECTS)));
        Self {
            schema: "maestro.provenance-generate/v1",
            dry_run: args.dry_run,
            statements: assembly.statements.iter().map(row).collect(),
            stored: false,
            index: assembly.index.clone(),
            names,
            folder,
        }
    }
}

impl Report for GenerateDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{} about this run",
            times(self.statements.len() as u64, "statement")
        ));
        let head = vec![
            Column::left("File"),
            Column::left("SHA-256"),
            Column::left("Predicate"),
        ];
        let row = |row: &StatementRow| {
            vec![
                Cell::code(row.file.clone()),
                Cell::code(row.sha256.chars().take(12).collect::<String>()),
                Cell::code(row.predicate_type.clone()),
            ]
        };
        page.table(head, self.statements.iter().map(row).collect());
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        if self.dry_run {
            return Vec::new();
        }
        let mut outputs = vec![("provenance".to_owned(), self.folder.clone())];
        outputs.extend(self.names.iter().cloned());
        outputs
    }
}
