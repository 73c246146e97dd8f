//! What a program uses while it runs, and how all of it ends.

use std::path::PathBuf;

use rustix::process::{Pid, Signal};

use super::keeper::Ground;
use crate::ports::sandbox::{Confined, Limit, Limits};

/// How full the disk was.
pub(super) struct Disk {
    place: Option<PathBuf>,
    free: Option<u64>,
}

impl Disk {
    pub(super) fn new(confined: &Confined) -> Self {
        let place = confined.writable.first().cloned();
        let free = free(place.as_ref());
        Self { place, free }
    }
}

fn free(place: Option<&PathBuf>) -> Option<u64> {
    let disk = rustix::fs::statvfs(place?).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Returns what there is too much of.
pub(super) fn over(limits: &Limits, disk: &Disk) -> Option<Limit> {
    if let (Some(before), Some(now)) = (disk.free, free(disk.place.as_ref()))
        && before.saturating_sub(now) > limits.disk
    {
        return Some(Limit::Disk);
    }
    #[cfg(target_os = "linux")]
    {
        let all = super::tree::descendants();
        let threads: u64 = all.iter().map(|one| one.threads).sum();
        if threads > limits.processes {
            return Some(Limit::Processes);
        }
        let held = all.iter().map(|one| one.resident).sum::<u64>();
        // Pages that several share count for each of them, so the exact sum, which takes its time, decides.
        if held > limits.memory && super::tree::memory(&all) > limits.memory {
            return Some(Limit::Memory);
        }
    }
    None
}

/// Ends the program and all that it started, as far as it can be found at once.
pub(super) fn end_all(ground: Ground, program: Pid) {
    if ground.is_fenced {
        // The kernel's word for everybody: the fence keeps the signal from all others, as was tried out.
        let _nobody_is_left = rustix::process::kill_process_group(Pid::INIT, Signal::KILL);
        return;
    }
    let _may_have_ended = rustix::process::kill_process_group(program, Signal::KILL);
    #[cfg(target_os = "linux")]
    for one in super::tree::descendants() {
        if let Some(id) = Pid::from_raw(one.id) {
            let _may_have_ended = rustix::process::kill_process(id, Signal::KILL);
        }
    }
}
