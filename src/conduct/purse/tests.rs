//! The purse on a real disk.
#![expect(clippy::disallowed_methods, reason = "journals are damaged by hand")]

use std::path::Path;

use super::*;
use crate::budget::caps::Caps;
use crate::budget::spend::Status;
use crate::llm::usage::Usage;
use crate::money::Usd;
use crate::ports::World;

pub(super) fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

pub(super) fn opening(folder: &Path, cap: &str) -> Opening {
    let caps = Caps {
        pull_request: usd(cap),
        ..Caps::default()
    };
    Opening {
        path: folder.join("purse.ndjson"),
        origin: Origin {
            run: "1".into(),
            attempt: 1,
            ..Origin::default()
        },
        terms: Terms {
            caps,
            pull_request: Some(7),
            run: "1".into(),
            lease: None,
            elsewhere: Vec::new(),
        },
        lease: None,
        now: Some("2026-01-05T09:00:00Z".parse().unwrap()),
    }
}

pub(super) fn open(opening: Opening) -> Result<Purse, PurseProblem> {
    Purse::open(World::disk().as_ref(), World::time().as_ref(), opening)
}

pub(super) fn planned(worst: &str) -> Planned {
    Planned {
        provider: "p".into(),
        model: "m".into(),
        role: None,
        task: None,
        worst: usd(worst),
    }
}

pub(super) fn bill(amount: &str) -> Bill {
    Bill {
        model: "m-1".into(),
        usage: Usage::default(),
        usd: usd(amount),
        price_table: "t".into(),
        request_id: Some("r".into()),
    }
}

fn committed(purse: &Purse) -> String {
    let standing = purse.standing(&Account::PullRequest).unwrap();
    standing.committed().unwrap().to_string()
}

pub(super) fn drained(purse: &Purse, own: bool) -> Vec<Paid> {
    let mut found = Vec::new();
    let files = World::disk();
    let drain = purse.drain::<PurseProblem>(files.as_ref(), own, |paid| {
        found.extend_from_slice(paid);
        Ok(())
    });
    drain.unwrap();
    found
}

#[test]
fn two_purses_on_one_journal_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        open(opening(folder.path(), "1")).unwrap(),
        open(opening(folder.path(), "1")).unwrap(),
    );
    let ticket = one.reserve(&planned("0.7")).unwrap();
    let refused = other.reserve(&planned("0.4")).unwrap_err();
    assert!(refused.to_string().contains("$0.7 is spent or put aside"));
    one.settle(ticket, &bill("0.1")).unwrap();
    let second = other.reserve(&planned("0.4")).unwrap();
    assert_eq!(committed(&one), "0.5");
    other.release(second).unwrap();
    assert_eq!(committed(&one), "0.1");
}

#[test]
fn what_a_process_that_is_gone_put_aside_is_charged() {
    let folder = tempfile::tempdir().unwrap();
    let (gone, alive) = (
        open(opening(folder.path(), "1")).unwrap(),
        open(opening(folder.path(), "1")).unwrap(),
    );
    let _never_settled = gone.reserve(&planned("0.3")).unwrap();
    let ticket = alive.reserve(&planned("0.2")).unwrap();
    assert!(drained(&alive, false).is_empty());
    drop(gone);
    let paid = drained(&alive, false);
    assert_eq!(paid.len(), 1);
    assert_eq!(
        (paid[0].spend.status, paid[0].spend.usd),
        (Status::Unknown, Some(usd("0.3")))
    );
    alive.settle(ticket, &bill("0.05")).unwrap();
    assert_eq!(committed(&alive), "0.35");
    assert_eq!(drained(&alive, true).len(), 1);
    assert!(drained(&alive, true).is_empty());
}

#[test]
fn a_line_that_was_cut_off_does_not_count_and_one_that_is_damaged_stops_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("purse.ndjson");
    let purse = open(opening(folder.path(), "1")).unwrap();
    let ticket = purse.reserve(&planned("0.3")).unwrap();
    let shown = ticket.to_string();
    drop((ticket, purse));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], br#"{"settle":{"call":1"#].concat()).unwrap();
    let purse = open(opening(folder.path(), "1")).unwrap();
    assert_eq!(committed(&purse), "0.3");
    let late = purse.settle(shown.parse().unwrap(), &bill("0.1"));
    assert!(matches!(late, Err(PurseProblem::Ended(1))), "{late:?}");
    drop(purse);
    std::fs::write(&path, [&whole[..], b"{}\n"].concat()).unwrap();
    let problem = open(opening(folder.path(), "1")).err().unwrap();
    assert!(problem.to_string().contains("line 3"), "{problem}");
}

#[test]
fn a_bill_above_what_was_put_aside_is_named_and_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let purse = open(opening(folder.path(), "1")).unwrap();
    let ticket = purse.reserve(&planned("0.3")).unwrap();
    assert_eq!(ticket.to_string(), format!("{}-1", purse.id));
    let settled = purse.settle(ticket, &bill("0.5")).unwrap();
    assert_eq!(settled.overshoot, Some(usd("0.2")));
    let stopped = purse.reserve(&planned("0.01")).unwrap_err().to_string();
    assert!(
        stopped.contains("$0.2 more than was put aside"),
        "{stopped}"
    );
    let paid = drained(&purse, true);
    assert_eq!(paid.len(), 1);
    assert_eq!(paid[0].spend.overshoot_usd, Some(usd("0.2")));
}

#[test]
fn a_ticket_counts_once_and_in_its_own_purse() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let purse = open(opening(folder.path(), "1")).unwrap();
    let other = open(opening(elsewhere.path(), "1")).unwrap();
    let ticket = purse.reserve(&planned("0.3")).unwrap();
    let shown = ticket.to_string();
    let foreign = other.settle(shown.parse().unwrap(), &bill("0.1"));
    assert!(matches!(foreign, Err(PurseProblem::ForeignTicket(_))));
    purse.settle(ticket, &bill("0.1")).unwrap();
    let again = purse.settle(shown.parse().unwrap(), &bill("0.1"));
    assert!(matches!(again, Err(PurseProblem::Ended(1))));
    assert_eq!(committed(&purse), "0.1");
}

/// What a disk does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It takes half a line.
    Full,
    /// It cannot keep what it took.
    Flush,
}

/// A disk that fails when it is told to.
struct Frail {
    log: Box<dyn LogFile>,
    fault: Arc<Mutex<Fault>>,
}

impl LogFile for Frail {
    fn read_from(&self, offset: u64) -> std::io::Result<Vec<u8>> {
        self.log.read_from(offset)
    }

    fn append(&self, bytes: &[u8]) -> std::io::Result<()> {
        if *lock(&self.fault) == Fault::Full {
            self.log.append(&bytes[..bytes.len() / 2])?;
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.log.append(bytes)
    }

    fn sync(&self) -> std::io::Result<()> {
        if *lock(&self.fault) == Fault::Flush {
            return Err(std::io::Error::other("the disk is gone"));
        }
        self.log.sync()
    }

    fn cut(&self, length: u64) -> std::io::Result<()> {
        if *lock(&self.fault) == Fault::Full {
            return Err(std::io::Error::other("the disk is gone"));
        }
        self.log.cut(length)
    }

    fn try_lock(&self) -> std::io::Result<bool> {
        self.log.try_lock()
    }

    fn unlock(&self) -> std::io::Result<()> {
        self.log.unlock()
    }
}

#[test]
fn after_an_error_of_the_disk_nothing_is_granted_and_nothing_is_lost() {
    for fault in [Fault::Full, Fault::Flush] {
        let folder = tempfile::tempdir().unwrap();
        let (disk, time) = (World::disk(), World::time());
        let (files, clock) = (disk.as_ref(), time.as_ref());
        let now = Arc::new(Mutex::new(Fault::None));
        let opening = opening(folder.path(), "1");
        let log = Box::new(Frail {
            log: files.log(&opening.path).unwrap(),
            fault: Arc::clone(&now),
        });
        let purse = Purse::open_on(log, files, clock, opening.clone()).unwrap();
        let before = purse.reserve(&planned("0.3")).unwrap();
        *lock(&now) = fault;
        let refused = purse.reserve(&planned("0.2")).unwrap_err();
        assert!(matches!(refused, PurseProblem::Disk { .. }), "{refused}");
        // What the disk did not keep may look as if it had: it is not asked again.
        *lock(&now) = Fault::None;
        let refused = purse.reserve(&planned("0.2")).unwrap_err();
        assert!(matches!(refused, PurseProblem::Broken(_)), "{refused}");
        let unsettled = purse.settle(before, &bill("0.1")).unwrap_err();
        assert!(matches!(unsettled, PurseProblem::Broken(_)), "{unsettled}");
        drop(purse);
        // The call that was sent is charged whole; the other one was not sent, and may be charged where its line is on the disk.
        let again = open(opening).unwrap();
        let expected = if fault == Fault::Full { "0.3" } else { "0.5" };
        assert_eq!(committed(&again), expected);
    }
}

#[test]
fn a_month_that_begins_while_a_purse_is_open_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = opening(folder.path(), "100");
    opening.terms.caps.month = Some(usd("1"));
    let at = |opening: &Opening, time: &str| Opening {
        now: Some(time.parse().unwrap()),
        ..opening.clone()
    };
    let old = open(at(&opening, "2026-01-31T23:59:59Z")).unwrap();
    let ticket = old.reserve(&planned("0.9")).unwrap();
    old.settle(ticket, &bill("0.9")).unwrap();
    assert!(old.reserve(&planned("0.2")).is_err());
    let mut renewed = old;
    renewed.opening.now = Some("2026-02-01T00:00:00Z".parse().unwrap());
    let ticket = renewed.reserve(&planned("0.2")).unwrap();
    renewed.release(ticket).unwrap();
    assert_eq!(committed(&renewed), "0.9");
}
