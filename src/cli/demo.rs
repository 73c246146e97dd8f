//! `maestro demo`
use super::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
/// Demo
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {}
pub(super) fn run(_session: &mut Session<'_>, _args: &DemoArgs) -> CommandResult {
    Ok(ExitCode::Success)
}
