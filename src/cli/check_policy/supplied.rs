//! Reports of other tools: the one place where they come in.

use std::path::PathBuf;

use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::supply::Supplied;

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

/// Reads every report that was given. One that cannot be read yet is never taken for one that says that all is well.
pub(super) fn read(_: &Session<'_>, args: &ReportArgs) -> Result<Option<Supplied>, CommandError> {
    let kinds = [
        ("--sbom", &args.sbom),
        ("--base-sbom", &args.base_sbom),
        ("--vulns", &args.vulns),
        ("--sarif", &args.sarif),
        ("--base-sarif", &args.base_sarif),
        ("--vex", &args.vex),
    ];
    match kinds.iter().find(|(_, files)| !files.is_empty()) {
        None => Ok(None),
        Some((flag, _)) => {
            let message = format!(
                "`{flag}` is not supported yet: no rule of this version reads such a report"
            );
            Err(CommandError::message(ErrorKind::Unsupported, message)
                .hint("leave it out: the policy is judged without it"))
        }
    }
}
