//! A view of the files of the program's own, where the kernel lets it have one: all is for reading but what it may change.
//!
//! Landlock covers contents. Permission bits, owners, times and attributes it does not, and they cannot be changed where a mount is
//! for reading. Memory that processes share by name (`/dev/shm`) is the program's own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change, mount_remount,
};

/// Where memory is shared by name.
const SHARED: &str = "/dev/shm";

/// Gives this process a view of its own; returns what may be changed there besides, or nothing when it cannot have one.
pub(super) fn narrow(writable: &[PathBuf]) -> Option<&'static Path> {
    unshare(CloneFlags::CLONE_NEWNS).ok()?;
    // What cannot be narrowed is as Landlock leaves it; the probe says so.
    narrow_mounts(writable).ok()?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", SHARED, "tmpfs", flags, c"size=256m,mode=1777").ok()?;
    Some(Path::new(SHARED))
}

fn narrow_mounts(writable: &[PathBuf]) -> io::Result<()> {
    mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )?;
    let mounts = fs::read("/proc/self/mountinfo")?;
    for path in writable.iter().filter(|path| path.exists()) {
        mount_bind_recursive(path, path)?;
    }
    for line in mounts.split(|byte| *byte == b'\n') {
        if let Some((point, flags)) = read(line) {
            // One that another one hides, or that is gone, is nobody's.
            let _stays_as_it_is = mount_remount(&point, flags, c"");
        }
    }
    Ok(())
}

/// Reads a line of `mountinfo` (proc_pid_mountinfo(5)): where it is, and what it has to keep when it becomes one for reading.
fn read(line: &[u8]) -> Option<(PathBuf, MountFlags)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = fields.nth(4)?;
    let options = fields.next()?;
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    // What a process writes about itself is there.
    if kind == b"proc" {
        return None;
    }
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for option in options.split(|byte| *byte == b',') {
        flags |= match option {
            b"nosuid" => MountFlags::NOSUID,
            b"nodev" => MountFlags::NODEV,
            b"noexec" => MountFlags::NOEXEC,
            _ => MountFlags::empty(),
        };
    }
    Some((PathBuf::from(OsString::from_vec(plain(point))), flags))
}

/// Returns a path as it is: spaces and the like stand as three octal digits.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..3).and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                plain.push(byte);
                rest = more.get(3..).unwrap_or_default();
            }
            _ => {
                plain.push(*first);
                rest = more;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_keep_what_they_have() {
        let line =
            br"29 26 0:26 / /a\040b rw,nosuid,noexec,relatime shared:1 master:2 - tmpfs t rw";
        let (point, flags) = read(line).unwrap();
        assert_eq!(point, PathBuf::from("/a b"));
        let expected =
            MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NOEXEC;
        assert_eq!(flags, expected);
        assert!(read(b"22 27 0:21 / /proc rw,relatime - proc proc rw").is_none());
        assert!(read(b"").is_none());
        assert_eq!(plain(br"\134\04"), br"\\04");
    }
}
