//! What the keeper shuts itself in with before it starts anything: no signal leaves it, so that one signal to everybody ends
//! exactly those that it started, whatever they did to get lost.
//!
//! The kernel sends a signal to everybody under the lock that a fork takes, so no process can outrun it by forking.

use landlock::{
    AccessFs, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use rustix::io::Errno;
use rustix::process::{getppid, test_kill_process};

/// Raises the fence; returns the version of Landlock, and whether it holds. That it holds is tried out with the parent, which a signal must reach before and not after.
pub(super) fn raise(pretend: Option<u8>) -> Result<(u8, bool), String> {
    let reached = || getppid().map(test_kill_process);
    let before = reached();
    let status = restrict().map_err(|error| format!("its Landlock refuses: {error}"))?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u8,
        LandlockStatus::NotEnabled => {
            return Err("its kernel has Landlock and did not turn it on at boot".to_owned());
        }
        LandlockStatus::NotImplemented => return Err("its kernel has no Landlock".to_owned()),
    };
    let is_fenced = status.ruleset == RulesetStatus::FullyEnforced
        && before == Some(Ok(()))
        && reached() == Some(Err(Errno::PERM));
    let abi = abi.min(pretend.unwrap_or(abi));
    if abi == 0 {
        return Err("its kernel has no Landlock".to_owned());
    }
    Ok((abi, is_fenced && abi >= 6))
}

/// Keeps signals in. Whatever else a ruleset says, it forbids moves between folders unless it allows them.
fn restrict() -> Result<RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::Refer)?
        .scope(Scope::Signal)?
        .create()?;
    if let Ok(top) = PathFd::new("/") {
        rules = rules.add_rule(PathBeneath::new(top, AccessFs::Refer))?;
    }
    rules.restrict_self()
}
