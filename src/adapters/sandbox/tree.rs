//! The processes that descend from this one, as `/proc` tells. Whoever lost its parent is this process's child (it is their
//! subreaper), so nobody is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: i32,
    parent: i32,
    pub(super) threads: u64,
    /// Bytes in memory, shared ones too.
    pub(super) resident: u64,
}

/// Returns all descendants.
pub(super) fn descendants() -> Vec<Process> {
    let page = rustix::param::page_size() as u64;
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let all = entries.flatten().filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        read(id, &stat, page)
    });
    below(
        rustix::process::getpid().as_raw_nonzero().get(),
        all.collect(),
    )
}

/// Reads `/proc/ID/stat` (proc_pid_stat(5)). A program's name is whatever it likes, so the last bracket ends it.
fn read(id: i32, stat: &[u8], page: u64) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |position: usize| fields.get(position)?.parse::<u64>().ok();
    Some(Process {
        id,
        parent: fields.get(1)?.parse().ok()?,
        threads: number(17)?,
        resident: number(21)?.saturating_mul(page),
    })
}

fn below(top: i32, all: Vec<Process>) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for one in all {
        children.entry(one.parent).or_default().push(one);
    }
    let (mut found, mut seen, mut next) = (Vec::new(), BTreeSet::from([top]), vec![top]);
    while let Some(parent) = next.pop() {
        for one in children.remove(&parent).unwrap_or_default() {
            if seen.insert(one.id) {
                next.push(one.id);
                found.push(one);
            }
        }
    }
    found
}

/// Returns the bytes that processes hold together: what several share is divided among them.
pub(super) fn memory(all: &[Process]) -> u64 {
    let exact = |one: &Process| {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", one.id)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kilobytes.checked_mul(1024)
    };
    all.iter()
        .map(|one| exact(one).unwrap_or(one.resident))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_anything() {
        let stat = b"7 (a) S 1 (b) S 5 7 7 0 -1 0 0 0 0 0 1 2 3 4 20 0 6 0 99 1000 3 0";
        let read = read(7, stat, 4096).unwrap();
        assert_eq!((read.parent, read.threads, read.resident), (5, 6, 12288));
        assert_eq!(super::read(7, b"7 (cut", 4096), None);
        assert_eq!(super::read(7, b"7 (cut) S x", 4096), None);
    }

    #[test]
    fn only_descendants_are_found_and_loops_end() {
        let process = |id, parent| Process {
            id,
            parent,
            threads: 1,
            resident: 0,
        };
        let all = vec![
            process(2, 1),
            process(3, 2),
            process(4, 9),
            process(9, 4),
            process(1, 3),
        ];
        let mut ids: Vec<i32> = below(1, all).iter().map(|one| one.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [2, 3]);
    }
}
