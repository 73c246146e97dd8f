//! Which files a program may open: Landlock's rules, which allow and never forbid. What no rule names stays shut.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use super::real;
use crate::ports::sandbox::{Confined, Network};

/// Folders of the system that hold programs and nothing of the user's.
const SYSTEM: &[&str] = &[
    "/bin",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/opt",
    "/proc",
    "/sbin",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/usr",
];

/// What programs read of `/etc`. The rest is not needed, and some of it is nobody's business: password hashes, host keys,
/// and settings of package managers with tokens in them.
const ETC: &[&str] = &[
    "alternatives",
    "bash.bashrc",
    "bindresvport.blacklist",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "inputrc",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "login.defs",
    "lsb-release",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "profile",
    "profile.d",
    "protocols",
    "resolv.conf",
    "rpc",
    "services",
    "shells",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
];

/// Devices that hold nothing.
const DEVICES: &[&str] = &[
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// The newest Landlock that these rules were written for.
const NEWEST: u8 = 9;

/// Shuts this thread in.
pub(super) fn enforce(
    confined: &Confined,
    abi: u8,
    owns_network: bool,
    shared: Option<&Path>,
) -> Result<(), String> {
    if confined.network != Network::None && !owns_network && abi < 4 {
        return Err(format!(
            "its Landlock (version {abi}) knows no ports, and only the gateway's may be reached"
        ));
    }
    let status = restrict(
        confined,
        ABI::from(i32::from(abi.min(NEWEST))),
        owns_network,
        shared,
    )
    .map_err(|error| format!("its Landlock refuses: {error}"))?;
    if status == RulesetStatus::NotEnforced {
        return Err("its Landlock enforces nothing".to_owned());
    }
    Ok(())
}

fn restrict(
    confined: &Confined,
    abi: ABI,
    owns_network: bool,
    shared: Option<&Path>,
) -> Result<RulesetStatus, RulesetError> {
    let mut rules = Ruleset::default().handle_access(AccessFs::from_all(abi))?;
    let ports = AccessNet::from_all(abi);
    let by_port = !owns_network && !ports.is_empty();
    if by_port {
        rules = rules.handle_access(ports)?;
    }
    let scope = Scope::from_all(abi);
    if !scope.is_empty() {
        rules = rules.scope(scope)?;
    }
    let mut rules = rules.create()?;
    let read = AccessFs::from_read(abi);
    // Devices and sockets in files are the system's to make.
    let write = AccessFs::from_all(abi)
        & !(AccessFs::MakeChar
            | AccessFs::MakeBlock
            | AccessFs::MakeSock
            | AccessFs::IoctlDev
            | AccessFs::ResolveUnix);
    let etc = ETC.iter().map(|name| Path::new("/etc").join(name));
    let system = SYSTEM.iter().map(PathBuf::from).chain(etc);
    // A folder of the system's in which something must stay unseen is none of the system's.
    let hidden: Vec<PathBuf> = confined.hidden.iter().map(|path| real(path)).collect();
    let system = system.filter(|path| !hidden.iter().any(|hidden| hidden.starts_with(real(path))));
    for path in system.chain(confined.readable.iter().cloned()) {
        rules = open(rules, &path, read)?;
    }
    let writable = confined.writable.iter().map(PathBuf::as_path);
    for path in writable.chain(shared) {
        rules = open(rules, path, write)?;
    }
    let device =
        (AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate) & AccessFs::from_all(abi);
    for path in DEVICES {
        rules = open(rules, Path::new(path), device)?;
    }
    if let (true, Network::Gateway(port)) = (by_port, confined.network) {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// Opens a path to the program; one that is not there opens nothing.
fn open(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(file) => rules.add_rule(PathBeneath::new(file, access)),
        Err(_) => Ok(rules),
    }
}
