//! `maestro prompts test`: golden cases.

use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Location, Severity};
use crate::output::{Cell, Column, Page, Report, Tone, json_line};
use crate::prompts::golden::{Mismatch, Outcome, run as run_case};
use crate::prompts::set::{FOLDER, Library, Missing, Origin, Prompt};

/// Run the golden cases of prompts
///
/// Each case is variables in, and what must come out: texts that must or must not be there, the messages to the byte, an error, answers that the output schema takes or
/// refuses. Exits with 16 when a case does not come out as it says.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  All prompts
    $ maestro prompts test

  One, and write its new messages where they differ
    $ maestro prompts test planner --bless")]
pub(crate) struct TestArgs {
    /// Only these prompts
    names: Vec<String>,

    /// Write what the repository's prompts render to into `prompts/golden/`
    #[arg(long)]
    bless: bool,
}

/// What became of golden cases.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompts-test/v1"))]
pub(crate) struct PromptsTestDocument {
    /// `maestro.prompts-test/v1`
    schema: &'static str,
    passed: u64,
    failed: u64,
    /// Files of `prompts/golden/` that were written.
    blessed: u64,
    /// In order of prompt.
    cases: Vec<CaseRow>,
}

/// A golden case.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompts-test-case/v1"))]
struct CaseRow {
    /// `maestro.prompts-test-case/v1`
    schema: &'static str,
    prompt: String,
    version: String,
    /// The prompt's file.
    path: String,
    /// What the case shows.
    case: String,
    /// `passed`, `failed` or `blessed`.
    verdict: &'static str,
    mismatches: Vec<MismatchRow>,
}

/// What did not come out.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct MismatchRow {
    message: String,
    /// Line by line: `-` expected, `+` found.
    diff: Option<String>,
}

impl From<Mismatch> for MismatchRow {
    fn from(mismatch: Mismatch) -> Self {
        Self {
            message: mismatch.words,
            diff: mismatch.diff,
        }
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &TestArgs) -> CommandResult {
    let library = super::library(session)?;
    let names: Vec<&str> = if args.names.is_empty() {
        library.names().into_iter().collect()
    } else {
        args.names.iter().map(String::as_str).collect()
    };
    let folder = super::folder(session).join("golden");
    let mut rows = Vec::new();
    for name in names {
        match library.load(name) {
            Ok(prompt) => cases(
                session,
                &library,
                &prompt,
                args.bless.then_some(&*folder),
                &mut rows,
            )?,
            Err(Missing::Wrong(complaint)) => {
                rows.push(CaseRow::failed(name, &complaint.path, complaint.message));
            }
            Err(missing) => return Err(super::missing(name, missing)),
        }
    }
    let count = |verdict: &str| rows.iter().filter(|row| row.verdict == verdict).count() as u64;
    let document = PromptsTestDocument {
        schema: "maestro.prompts-test/v1",
        passed: count("passed"),
        failed: count("failed"),
        blessed: count("blessed"),
        cases: rows,
    };
    session.render(&document)?;
    Ok(match document.failed {
        0 => ExitCode::Success,
        _ => ExitCode::LintFailed,
    })
}

/// Runs the cases of a prompt. What a built-in one renders to the byte is held in maestro's own repository only.
fn cases(
    session: &Session<'_>,
    library: &Library,
    prompt: &Prompt<'_>,
    bless: Option<&Path>,
    rows: &mut Vec<CaseRow>,
) -> Result<(), CommandError> {
    for case in &prompt.file.golden {
        let mut case = case.clone();
        let is_own = prompt.origin == Origin::Repository;
        if !is_own && case.expect.rendering.take().is_some() && case.expect.is_empty() {
            continue;
        }
        let outcome = run_case(prompt.file, &prompt.prepared, &case, &library.own.golden);
        let mut row = CaseRow {
            prompt: prompt.file.name.clone(),
            version: prompt.version.to_string(),
            ..CaseRow::failed(&prompt.file.name, &prompt.draft.path(), String::new())
        };
        row.case.clone_from(&case.name);
        (row.verdict, row.mismatches) = match (outcome, bless) {
            (
                Outcome {
                    mismatches,
                    rendering: Some((name, text)),
                },
                Some(folder),
            ) if library.own.golden.get(&name) != Some(&text) => {
                write(session, folder, &name, &text)?;
                let about = format!("{FOLDER}/golden/{name}`");
                let rest = mismatches
                    .into_iter()
                    .filter(|one| !one.words.ends_with(&about));
                let rest: Vec<MismatchRow> = rest.map(Into::into).collect();
                (if rest.is_empty() { "blessed" } else { "failed" }, rest)
            }
            (Outcome { mismatches, .. }, _) if mismatches.is_empty() => ("passed", Vec::new()),
            (Outcome { mismatches, .. }, _) => {
                ("failed", mismatches.into_iter().map(Into::into).collect())
            }
        };
        rows.push(row);
    }
    Ok(())
}

fn write(session: &Session<'_>, folder: &Path, name: &str, text: &str) -> Result<(), CommandError> {
    let path = folder.join(name);
    let files = session.world.files.as_ref();
    let failed = |error| CommandError::writing(&path, error);
    if let Some(folder) = path.parent() {
        files.create_folder(folder).map_err(failed)?;
    }
    files
        .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
        .map_err(failed)
}

impl CaseRow {
    fn failed(prompt: &str, path: &str, message: String) -> Self {
        Self {
            schema: "maestro.prompts-test-case/v1",
            prompt: prompt.to_owned(),
            version: String::new(),
            path: path.to_owned(),
            case: "it can be used".into(),
            verdict: "failed",
            mismatches: vec![MismatchRow {
                message,
                diff: None,
            }],
        }
    }
}

impl Report for PromptsTestDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        self.cases.iter().try_for_each(|row| json_line(out, row))
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let blessed = match self.blessed {
            0 => String::new(),
            blessed => format!(", {blessed} written anew"),
        };
        page.text(format!(
            "{} cases passed, {} failed{blessed}.",
            self.passed, self.failed
        ));
        for row in self.cases.iter().filter(|row| row.verdict == "failed") {
            page.heading(format!("{}: {}", row.prompt, row.case));
            for mismatch in &row.mismatches {
                page.text(&mismatch.message);
                for line in mismatch.diff.iter().flat_map(|diff| diff.lines()) {
                    page.text(line);
                }
            }
        }
        let rows = self.cases.iter().map(|row| {
            let tone = match row.verdict {
                "passed" => Tone::Good,
                "blessed" => Tone::Warn,
                _ => Tone::Bad,
            };
            vec![
                Cell::toned(row.verdict, tone),
                Cell::code(&row.prompt),
                Cell::code(&row.version),
                Cell::code(&row.case),
            ]
        });
        let head = ["Verdict", "Prompt", "Version", "Case"];
        page.table(head.map(Column::left).to_vec(), rows.collect());
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let failed = self.cases.iter().filter(|row| row.verdict == "failed");
        let findings = failed.flat_map(|row| {
            row.mismatches.iter().map(|mismatch| Finding {
                code: "prompts/golden".into(),
                severity: Severity::Error,
                message: format!("{}: {}: {}", row.prompt, row.case, mismatch.message),
                location: Some(Location {
                    path: row.path.clone(),
                    ..Location::default()
                }),
            })
        });
        findings.collect()
    }
}
