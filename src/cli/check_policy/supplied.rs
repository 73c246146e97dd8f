//! Reports of other tools: the one place where they come in.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, ErrorKind};
use crate::policy::subject::FileLines;
use crate::supply::{LARGEST, NotRead, Side, Supplied, is_lock};

/// What other tools said.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Reports of other tools")]
pub(super) struct ReportArgs {
    /// A bill of materials of the change (CycloneDX, SPDX, Syft; can be repeated)
    #[arg(long, value_name = "FILE")]
    sbom: Vec<PathBuf>,

    /// A bill of materials of what it is compared with (can be repeated)
    #[arg(long, value_name = "FILE")]
    base_sbom: Vec<PathBuf>,

    /// A report of known vulnerabilities (Grype, OSV, Trivy, cargo-audit, npm audit, pip-audit; can be repeated)
    #[arg(long, value_name = "FILE")]
    vulns: Vec<PathBuf>,

    /// A report of known vulnerabilities in what it is compared with (can be repeated)
    #[arg(long, value_name = "FILE")]
    base_vulns: Vec<PathBuf>,

    /// Findings of a scanner (SARIF 2.1.0; can be repeated)
    #[arg(long, value_name = "FILE")]
    sarif: Vec<PathBuf>,

    /// Findings of the scanner on what it is compared with (can be repeated)
    #[arg(long, value_name = "FILE")]
    base_sarif: Vec<PathBuf>,

    /// What is known of vulnerabilities that do not matter here (OpenVEX, CycloneDX VEX; can be repeated)
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
}

/// Reads every report that was given. One that is not understood ends the command: it is never taken for one that says that all is well.
pub(super) fn read(
    session: &Session<'_>,
    args: &ReportArgs,
) -> Result<Option<Supplied>, CommandError> {
    type Add = fn(&mut Supplied, (&str, &str), &[u8]) -> Result<(), NotRead>;
    let kinds: [(&[PathBuf], Add); 7] = [
        (&args.sbom, |all, _, bytes| all.add_sbom(Side::Head, bytes)),
        (&args.base_sbom, |all, _, bytes| {
            all.add_sbom(Side::Base, bytes)
        }),
        (&args.vulns, |all, (name, _), bytes| {
            all.add_vulnerabilities(Side::Head, name, bytes)
        }),
        (&args.base_vulns, |all, (name, _), bytes| {
            all.add_vulnerabilities(Side::Base, name, bytes)
        }),
        (&args.sarif, |all, (_, here), bytes| {
            all.add_sarif(Side::Head, bytes, Some(here))
        }),
        (&args.base_sarif, |all, (_, here), bytes| {
            all.add_sarif(Side::Base, bytes, Some(here))
        }),
        (&args.vex, |all, (name, _), bytes| all.add_vex(name, bytes)),
    ];
    let here = session.base.display().to_string();
    let mut supplied = Supplied::default();
    let mut is_any = false;
    for (paths, add) in kinds {
        for path in paths {
            let bytes = bytes_of(session, path)?;
            let name = path.display().to_string();
            add(&mut supplied, (&name, &here), &bytes).map_err(|fault| refused(&name, fault))?;
            is_any = true;
        }
    }
    Ok(is_any.then_some(supplied))
}

/// Adds what lock files name. One that a change makes unreadable ends the command; one that could not be read before names nothing, so that all
/// it has now is new. Where there is none, nobody can tell from them what is new.
pub(super) fn add_locks(
    session: &mut Session<'_>,
    supplied: Option<Supplied>,
    lines: &[FileLines<'_>],
    unchanged: &[(String, Vec<u8>)],
) -> Result<Supplied, CommandError> {
    let mut supplied = supplied.unwrap_or_default();
    let mut is_any = false;
    for file in lines.iter().filter(|file| is_lock(&file.path)) {
        if let Some(bytes) = file.old {
            is_any |= supplied
                .add_lock(Side::Base, &file.path, bytes)
                .unwrap_or(false);
        }
        if let Some(bytes) = file.new {
            let read = supplied.add_lock(Side::Head, &file.path, bytes);
            is_any |= read.map_err(|fault| refused(&file.path, fault))?;
        }
    }
    for (path, bytes) in unchanged {
        let sides = [Side::Base, Side::Head];
        let read: Result<Vec<bool>, NotRead> = sides
            .into_iter()
            .map(|side| supplied.add_lock(side, path, bytes))
            .collect();
        match read {
            Ok(known) => is_any |= known.contains(&true),
            Err(fault) => {
                let words = format!(
                    "`{path}` is no lock file that can be read, and the change leaves it alone: {}",
                    fault.message
                );
                session.ui.warn(&words);
            }
        }
    }
    supplied.are_locks_known = is_any;
    Ok(supplied)
}

/// Reads a report as far as reports are read.
pub(in crate::cli) fn bytes_of(
    session: &Session<'_>,
    path: &Path,
) -> Result<Vec<u8>, CommandError> {
    let file = session.world.files.open(&session.base.join(path));
    let mut bytes = Vec::new();
    // One byte more than is read, so that what is too large is seen to be.
    let most = LARGEST as u64 + 1;
    file.and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| CommandError::reading(path, error))?;
    Ok(bytes)
}

impl Reported for NotRead {
    fn reported(self, of: &str) -> CommandError {
        refused(of, self)
    }
}

pub(in crate::cli) fn refused(name: &str, fault: NotRead) -> CommandError {
    let place = fault
        .place
        .map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
    let error = CommandError::message(
        ErrorKind::BadInput,
        format!("{name}{place}: {}", fault.message),
    );
    error.hint(fault.hint.unwrap_or_else(|| {
        "write it anew with the tool that made it; docs/supply.md lists the forms that are read"
            .to_owned()
    }))
}
