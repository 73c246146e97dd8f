//! Which system calls a program may not make: seccomp filters that answer "not permitted" and stay for good.
//!
//! A list of what is refused and not of what is allowed: compilers, test runners and browsers use nearly everything else. What
//! looks into other processes, changes the system, reaches a network that nobody opened, or is a large part of the kernel that
//! tests do not need, is on it.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

use crate::ports::sandbox::Network;

/// Which sockets a program may have, besides pairs that it holds both ends of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sockets {
    None,
    /// TCP that connects and never listens; Landlock says where.
    Connecting,
    /// TCP and UDP in a network of the program's own.
    Own,
}

impl Sockets {
    pub(super) fn of(network: Network, is_own: bool) -> Self {
        match network {
            _ if is_own => Self::Own,
            Network::None => Self::None,
            Network::Gateway(_) => Self::Connecting,
        }
    }
}

/// Refused, whatever the arguments.
const REFUSED: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    // Files by another way than their path.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // The kernel itself.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Keys of the session.
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    // What outlives whoever made it.
    libc::SYS_mq_open,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_shmget,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

/// Numbers that are the same on every architecture, and that the C library's table does not have everywhere.
const OPEN_TREE_ATTR: i64 = 467;
const FCHMODAT2: i64 = 452;

/// Bits of `clone`'s flags that make namespaces (`linux/sched.h`).
const NAMESPACES: [u64; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];

/// Requests of `ioctl` that type into a terminal.
const TYPING: [u64; 2] = [0x5412, 0x541C];

/// `SOCK_STREAM`, `SOCK_DGRAM` and `SOCK_SEQPACKET`, without the flags that stand in the same argument.
const STREAM: u64 = 1;
const DATAGRAM: u64 = 2;
const PACKETS: u64 = 5;
const KINDS: u64 = 0xf;

const UNIX: u64 = 1;
const INTERNET: [u64; 2] = [2, 10];

/// Protocols of `socket`: whichever fits, TCP, UDP. Others, such as MPTCP, pass by Landlock's ports.
const TCP: [u64; 2] = [0, 6];
const TCP_AND_UDP: [u64; 3] = [0, 6, 17];

/// Sends with a connection that was never asked for (TCP Fast Open), past Landlock's ports.
const MSG_FASTOPEN: u64 = 0x2000_0000;

/// A file's user or group lent to whoever starts it.
const LENDING: [u64; 2] = [0o4000, 0o2000];

/// Flags of `open` that make a file.
const MAKING: [u64; 2] = [0o100, 0o20_000_000];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Shuts this thread in.
pub(super) fn enforce(sockets: Sockets, abi: u8) -> Result<(), String> {
    let enforced = || -> seccompiler::Result<()> {
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let not_permitted = SeccompAction::Errno(1);
        let not_there = SeccompAction::Errno(38);
        let refused = SeccompFilter::new(
            refused(sockets, abi)?,
            SeccompAction::Allow,
            not_permitted,
            arch,
        )?;
        // The flags of `clone3` are where no filter can look; a C library that misses it takes `clone`.
        let missing = Rules::from([(libc::SYS_clone3, Vec::new())]);
        let missing = SeccompFilter::new(missing, SeccompAction::Allow, not_there, arch)?;
        if cfg!(target_arch = "x86_64") {
            apply_filter(&no_other_numbers())?;
        }
        apply_filter(&BpfProgram::try_from(missing)?)?;
        apply_filter(&BpfProgram::try_from(refused)?)
    };
    enforced().map_err(|error| format!("its seccomp refuses: {error}"))
}

/// Ends whoever uses the numbers of the x32 table, which no rule of ours knows.
fn no_other_numbers() -> BpfProgram {
    let step = |code, k, jt, jf| sock_filter { code, jt, jf, k };
    vec![
        // Load the number; jump when it is of the x32 table; allow; kill the process (`linux/bpf_common.h`, `linux/seccomp.h`).
        step(0x20, 0, 0, 0),
        step(0x35, 0x4000_0000, 1, 0),
        step(0x06, 0x7fff_0000, 0, 0),
        step(0x06, 0x8000_0000, 0, 0),
    ]
}

fn refused(sockets: Sockets, abi: u8) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = REFUSED
        .iter()
        .chain(REFUSED_HERE)
        .map(|call| (*call, Vec::new()))
        .collect();
    if abi < 3 {
        // This Landlock does not know that a file can be cut by its path.
        rules.insert(libc::SYS_truncate, Vec::new());
    }
    let mut refuse =
        |call: i64, conditions: Vec<SeccompCondition>| -> Result<(), seccompiler::BackendError> {
            rules
                .entry(call)
                .or_default()
                .push(SeccompRule::new(conditions)?);
            Ok(())
        };
    for flag in NAMESPACES {
        refuse(libc::SYS_clone, vec![has(0, flag)?])?;
    }
    for request in TYPING {
        refuse(libc::SYS_ioctl, vec![is(1, request)?])?;
    }
    // Limits of others; its own may be asked for.
    refuse(libc::SYS_prlimit64, is_none_of(0, &[0])?)?;
    refuse(libc::SYS_personality, is_none_of(0, &[0, 0xffff_ffff])?)?;
    for bit in LENDING {
        refuse(libc::SYS_fchmod, vec![has(1, bit)?])?;
        refuse(libc::SYS_fchmodat, vec![has(2, bit)?])?;
        refuse(FCHMODAT2, vec![has(2, bit)?])?;
        refuse(libc::SYS_mknodat, vec![has(2, bit)?])?;
        for making in MAKING {
            refuse(libc::SYS_openat, vec![has(2, making)?, has(3, bit)?])?;
        }
        #[cfg(target_arch = "x86_64")]
        {
            refuse(libc::SYS_chmod, vec![has(1, bit)?])?;
            refuse(libc::SYS_creat, vec![has(1, bit)?])?;
            refuse(libc::SYS_mknod, vec![has(1, bit)?])?;
            for making in MAKING {
                refuse(libc::SYS_open, vec![has(1, making)?, has(2, bit)?])?;
            }
        }
    }
    // Pairs that are connected already and stay so.
    refuse(libc::SYS_socketpair, is_none_of(0, &[UNIX])?)?;
    for kind in (0..=KINDS).filter(|kind| ![STREAM, PACKETS].contains(kind)) {
        refuse(libc::SYS_socketpair, vec![masked(1, KINDS, kind)?])?;
    }
    refuse(libc::SYS_sendto, vec![has(3, MSG_FASTOPEN)?])?;
    refuse(libc::SYS_sendmsg, vec![has(2, MSG_FASTOPEN)?])?;
    refuse(libc::SYS_sendmmsg, vec![has(3, MSG_FASTOPEN)?])?;
    let (kinds, protocols): (&[u64], &[u64]) = match sockets {
        Sockets::Own => (&[STREAM, DATAGRAM], &TCP_AND_UDP),
        Sockets::Connecting | Sockets::None => (&[STREAM], &TCP),
    };
    refuse(libc::SYS_socket, is_none_of(0, &INTERNET)?)?;
    refuse(libc::SYS_socket, is_none_of(2, protocols)?)?;
    for kind in (0..=KINDS).filter(|kind| !kinds.contains(kind)) {
        refuse(libc::SYS_socket, vec![masked(1, KINDS, kind)?])?;
    }
    if sockets == Sockets::None {
        rules.insert(libc::SYS_socket, Vec::new());
    }
    if sockets != Sockets::Own {
        // Whoever listens without having bound gets a port that Landlock was not asked about.
        rules.insert(libc::SYS_listen, Vec::new());
    }
    Ok(rules)
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    // The kernel looks at the lower half of these arguments only.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn masked(
    argument: u8,
    mask: u64,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(mask), value)
}

fn has(argument: u8, bit: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    masked(argument, bit, bit)
}

fn is_none_of(
    argument: u8,
    values: &[u64],
) -> Result<Vec<SeccompCondition>, seccompiler::BackendError> {
    values
        .iter()
        .map(|value| condition(argument, SeccompCmpOp::Ne, *value))
        .collect()
}
