//! Tries out what holds on this machine: a program of our own runs shut in, and attempts what must not succeed.

use std::io::Write as _;

use super::Confinement;
use crate::ports::sandbox::Sandbox as _;
#[cfg(not(target_os = "linux"))]
use crate::ports::sandbox::{Probe, SandboxProblem};

/// Prints what holds, as JSON; fails when something that is needed does not.
pub(super) fn show(sandbox: &Confinement) -> u8 {
    let (answer, code) = match sandbox.probe() {
        Ok(probe) => {
            let missing = probe.missing(true).len();
            let answer =
                serde_json::json!({ "landlock": probe.abi, "properties": probe.properties });
            (answer, if missing == 0 { 0 } else { 15 })
        }
        Err(problem) => {
            let answer =
                serde_json::json!({ "problem": problem.to_string(), "hint": problem.hint() });
            (answer, 15)
        }
    };
    let _nobody_listens = writeln!(std::io::stdout(), "{answer}");
    code
}

#[cfg(not(target_os = "linux"))]
pub(super) fn probe() -> Result<Probe, SandboxProblem> {
    Err(SandboxProblem::Unsupported(super::LINUX_ONLY.to_owned()))
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn self_test(_args: &[String]) -> u8 {
    2
}

#[cfg(target_os = "linux")]
pub(super) use linux::{probe, self_test};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io::{self, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use rustix::process::{Pid, test_kill_process};

    use crate::adapters::sandbox::outside;
    use crate::adapters::sandbox::wire::Answer;
    use crate::ports::sandbox::{
        Confined, KEEPER, Limits, Network, Probe, Property, SandboxProblem, Shield,
    };

    /// What is tried, and whether nothing runs without it. The gateway is not, for what does not need it may run.
    const PROPERTIES: [(&str, bool); 9] = [
        ("files outside cannot be read or changed", true),
        ("other processes cannot be looked into", true),
        ("nobody but the gateway can be reached", true),
        ("system calls that tests do not need are refused", true),
        ("the gateway can be reached", false),
        ("nobody else can be reached at the gateway's port", false),
        ("other processes cannot be signalled", false),
        ("programs may listen on a loopback of their own", false),
        (
            "permission bits and times of files outside cannot be changed",
            false,
        ),
    ];

    pub(in crate::adapters::sandbox) fn probe() -> Result<Probe, SandboxProblem> {
        let folder = tempfile::tempdir()?;
        let outside = folder.path().join("outside");
        let inside = folder.path().join("inside");
        fs::create_dir(&outside)?;
        fs::create_dir(&inside)?;
        fs::write(outside.join("canary"), "canary")?;
        let _unix = UnixListener::bind(outside.join("socket"))?;
        let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = gateway.local_addr()?.port();
        // Not every machine has more than one address of the loopback.
        let _elsewhere = TcpListener::bind((OTHER, port)).ok();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let binary = std::env::current_exe()?;
        let confined = |network| Confined {
            shield: Shield::Require,
            program: binary.to_string_lossy().into_owned(),
            args: [KEEPER, "self-test"]
                .into_iter()
                .map(str::to_owned)
                .chain([
                    outside.to_string_lossy().into_owned(),
                    std::process::id().to_string(),
                    port.to_string(),
                    other
                        .local_addr()
                        .map_or(0, |address| address.port())
                        .to_string(),
                ])
                .collect(),
            folder: inside.clone(),
            readable: vec![binary.clone()],
            writable: vec![inside.clone()],
            hidden: vec![outside.clone()],
            network,
            limits: Limits {
                wall: 20_000,
                ..Limits::default()
            },
            ..Confined::default()
        };
        let ran = match outside::converse(&confined(Network::Gateway(port))) {
            Err(SandboxProblem::Unsupported(_)) => outside::converse(&confined(Network::None))?,
            ran => ran?,
        };
        let (ended, answer) = ran;
        let Answer::Ended { abi, .. } = answer else {
            return Err(io::Error::other("no answer").into());
        };
        let words = ended.stdout.text();
        let holds: Vec<bool> = words.chars().map(|letter| letter == '1').collect();
        if holds.len() != PROPERTIES.len() {
            let words = ended.stderr.text();
            return Err(io::Error::other(format!("the self-test did not end: {words}")).into());
        }
        let properties = PROPERTIES.iter().zip(holds);
        Ok(Probe {
            abi,
            properties: properties
                .map(|((name, is_needed), holds)| Property {
                    name: (*name).to_owned(),
                    holds,
                    is_needed: *is_needed,
                })
                .collect(),
        })
    }

    /// Another address of the loopback.
    const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

    /// Attempts what must not succeed, and what must; prints a digit for each property.
    pub(in crate::adapters::sandbox) fn self_test(args: &[String]) -> u8 {
        let [_, outside, caller, port, other] = args else {
            return 2;
        };
        let outside = Path::new(outside);
        let (Ok(caller), Ok(port), Ok(other)) = (
            caller.parse::<i32>(),
            port.parse::<u16>(),
            other.parse::<u16>(),
        ) else {
            return 2;
        };
        let connects = |address: Ipv4Addr, port: u16| TcpStream::connect((address, port)).is_ok();
        let read = fs::read(outside.join("canary")).is_ok() || fs::read_dir(outside).is_ok();
        let changed = fs::write(outside.join("new"), "").is_ok()
            || fs::OpenOptions::new()
                .append(true)
                .open(outside.join("canary"))
                .is_ok()
            || fs::remove_file(outside.join("canary")).is_ok();
        let permitted = fs::metadata(outside)
            .and_then(|about| fs::set_permissions(outside, about.permissions()))
            .is_ok();
        let looked = fs::read(format!("/proc/{caller}/environ")).is_ok()
            || fs::read_link(format!("/proc/{caller}/cwd")).is_ok();
        let reached = connects(Ipv4Addr::LOCALHOST, other)
            || UnixStream::connect(outside.join("socket")).is_ok()
            || datagram(other);
        // Everybody may do this where no filter is.
        let unshared = nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).is_ok();
        let signalled = Pid::from_raw(caller).is_none_or(|id| test_kill_process(id).is_ok());
        let listens = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|door| TcpStream::connect(door.local_addr()?))
            .is_ok();
        let holds = [
            !(read || changed),
            !looked,
            !reached,
            !unshared,
            connects(Ipv4Addr::LOCALHOST, port),
            !connects(OTHER, port),
            !signalled,
            listens,
            !permitted,
        ];
        let digits: String = holds
            .iter()
            .map(|holds| if *holds { '1' } else { '0' })
            .collect();
        u8::from(write!(io::stdout(), "{digits}").is_err())
    }

    /// Whether a datagram leaves the machine.
    fn datagram(port: u16) -> bool {
        let sent = || -> io::Result<()> {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            // An address that no machine has (RFC 5737), which only a route leads to.
            socket.send_to(b"canary", (Ipv4Addr::new(192, 0, 2, 1), port))?;
            Ok(())
        };
        sent().is_ok()
    }
}
