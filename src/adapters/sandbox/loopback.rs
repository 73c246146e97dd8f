//! A network of the program's own, where the kernel lets it have one: a loopback that only it is on, so that tests may listen and
//! connect there as they like and reach nobody else. What it sends to the gateway's address, the keeper carries over.
//!
//! Without one, Landlock keeps programs to the gateway's port, but on every address, and nobody may listen.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};

use nix::sched::{CloneFlags, unshare};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
    socket_with,
};
use rustix::process::{getegid, geteuid};
use rustix::thread::{CapabilitySet, capabilities};

use crate::ports::sandbox::Network;

/// The network of a program.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) is_own: bool,
    /// Listens where the program looks for the gateway.
    pub(super) door: Option<TcpListener>,
}

/// Threads that carry, or wait to, have little to remember.
const STACK: usize = 64 * 1024;

/// Whether a thread of this process may have a network of its own. Whoever is not root has to become one among users of its own
/// for that, which is a process's decision and comes before there are threads.
pub(super) fn may_own() -> bool {
    if capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN)) {
        return true;
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    if unshare(CloneFlags::CLONE_NEWUSER).is_err() {
        return false;
    }
    // Each is who it was; nobody else is anybody.
    let map = |file: &str, text: String| std::fs::write(file, text).is_ok();
    map("/proc/self/setgroups", "deny".to_owned())
        && map("/proc/self/gid_map", format!("{group} {group} 1"))
        && map("/proc/self/uid_map", format!("{user} {user} 1"))
}

/// Gives this thread a network of its own, when it may have one.
pub(super) fn open(network: Network) -> Result<Own, String> {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        return Ok(Own::default());
    }
    let opened = turn_on().and_then(|()| match network {
        Network::None => Ok(None),
        Network::Gateway(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(Some),
    });
    match opened {
        Ok(door) => Ok(Own { is_own: true, door }),
        Err(error) => Err(format!("a network of its own cannot be turned on: {error}")),
    }
}

/// Turns the loopback on: `RTM_NEWLINK` for the first interface (rtnetlink(7)).
fn turn_on() -> io::Result<()> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let mut request = Vec::with_capacity(32);
    request.extend_from_slice(&32_u32.to_ne_bytes());
    // RTM_NEWLINK; NLM_F_REQUEST and NLM_F_ACK; a number of the request and of who asks.
    request.extend_from_slice(&16_u16.to_ne_bytes());
    request.extend_from_slice(&5_u16.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    // No family or type; interface 1; IFF_UP, and that it is IFF_UP that changes.
    request.extend_from_slice(&[0; 4]);
    for number in [1_u32, 1, 1] {
        request.extend_from_slice(&number.to_ne_bytes());
    }
    sendto(
        &socket,
        &request,
        SendFlags::empty(),
        &netlink::SocketAddrNetlink::new(0, 0),
    )?;
    let mut answer = [0_u8; 256];
    recv(&socket, &mut answer[..], RecvFlags::empty())?;
    // The answer is of type NLMSG_ERROR, whose first number is zero when there is none.
    match answer.get(16..20) {
        Some([0, 0, 0, 0]) => Ok(()),
        _ => Err(io::Error::other("the kernel refuses")),
    }
}

/// Carries what comes to the door over to the gateway, and back, for as long as this process lives.
pub(super) fn bridge(door: TcpListener, port: u16) {
    let carry = move || {
        for visitor in door.incoming().flatten() {
            let serve = move || {
                let Ok(gateway) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                    return;
                };
                let (Ok(to), Ok(from)) = (gateway.try_clone(), visitor.try_clone()) else {
                    return;
                };
                let back = std::thread::Builder::new().stack_size(STACK);
                let Ok(back) = back.spawn(move || pour(&gateway, &visitor)) else {
                    return;
                };
                pour(&from, &to);
                let _is_over = back.join();
            };
            // Without a thread for it a visitor is turned away.
            let _is_gone = std::thread::Builder::new().stack_size(STACK).spawn(serve);
        }
    };
    let _is_gone = std::thread::Builder::new().stack_size(STACK).spawn(carry);
}

fn pour(from: &TcpStream, to: &TcpStream) {
    let (mut reader, mut writer) = (from, to);
    let _either_side_left = io::copy(&mut reader, &mut writer).and_then(|_| writer.flush());
    let _is_over = to.shutdown(Shutdown::Write);
}
