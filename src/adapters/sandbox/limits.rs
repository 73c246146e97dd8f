//! What the kernel counts for each process, and what a process of root gives up.
//!
//! Memory is limited as data (`RLIMIT_DATA`), not as addresses: runtimes such as V8 and Go reserve far more addresses than they
//! use. What a program's processes use together, the keeper counts (`watch.rs`).

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::ports::sandbox::{How, Limit, Limits};

/// Lowers the limits of this process and of those that it starts.
pub(super) fn set(limits: &Limits) {
    lower(Resource::Core, 0, 0);
    #[cfg(not(target_os = "linux"))]
    lower(Resource::Cpu, limits.cpu, limits.cpu.saturating_add(2));
    lower(Resource::Fsize, limits.file, limits.file);
    lower(Resource::Data, limits.memory, limits.memory);
    lower(Resource::Nofile, limits.open_files, limits.open_files);
    #[cfg(target_os = "linux")]
    {
        // The kernel counts everything of the user's, so what runs already is added. It does not hold root, whose processes
        // only the keeper counts.
        let running = std::fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split(['/', ' ']).nth(4)?.parse::<u64>().ok());
        if let Some(running) = running {
            let most = limits.processes.saturating_add(running);
            lower(Resource::Nproc, most, most);
        }
        lower(Resource::Memlock, 64 * 1024, 64 * 1024);
        lower(Resource::Msgqueue, 0, 0);
    }
}

/// Limits a program's time on processors, when it has begun. The keeper keeps its own: who counts many processes is busy as well.
#[cfg(target_os = "linux")]
pub(super) fn set_cpu(program: rustix::process::Pid, limits: &Limits) {
    let limit = Rlimit {
        current: Some(limits.cpu),
        maximum: Some(limits.cpu.saturating_add(2)),
    };
    // It may have ended.
    let _gone = rustix::process::prlimit(Some(program), Resource::Cpu, limit);
}

fn lower(resource: Resource, soft: u64, hard: u64) {
    let now = getrlimit(resource);
    let hard = now.maximum.map_or(hard, |known| known.min(hard));
    let lowered = Rlimit {
        current: Some(soft.min(hard)),
        maximum: Some(hard),
    };
    // Lowering is everybody's right.
    let _cannot_fail = setrlimit(resource, lowered);
}

/// Returns the limit that a signal speaks of.
pub(super) fn behind(how: How) -> Option<Limit> {
    match how {
        How::Killed(signal) if signal == Signal::XCPU.as_raw() => Some(Limit::Cpu),
        How::Killed(signal) if signal == Signal::XFSZ.as_raw() => Some(Limit::FileSize),
        _ => None,
    }
}

/// Gives up every capability but those over files: a checkout often belongs to somebody else than the root of a container.
#[cfg(target_os = "linux")]
pub(super) fn give_up_capabilities() -> std::io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
    let kept = CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::FOWNER
        | CapabilitySet::FSETID;
    let kept = capabilities(None)?.permitted & kept;
    set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(())
}
