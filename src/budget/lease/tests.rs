//! What is lent, found, settled, and forgotten.

use super::*;
use crate::budget::spend::tests::{paid, time, usd};

/// Lent to run `r` for pull request 7 from 10:00 to 12:00 on 2026-11-05.
pub(crate) fn lease(id: &str, lent: &str) -> Lease {
    Lease {
        id: id.to_owned(),
        stage: Stage::Taken,
        pull_request: 7,
        usd: usd(lent),
        taken: time("2026-11-05T10:00:00Z"),
        expires: time("2026-11-05T12:00:00Z"),
        run: "r".to_owned(),
        attempt: 1,
        job: "j".to_owned(),
        settled: None,
        spent_usd: None,
    }
}

const OPEN: &str = "2026-11-05T11:59:59Z";

const ENDED: &str = "2026-11-05T12:00:00Z";

fn caps(pull_request: &str, month: &str) -> Caps {
    Caps {
        pull_request: usd(pull_request),
        month: Some(usd(month)),
        ..Caps::default()
    }
}

fn lent() -> (Register, LeaseFile) {
    let mut register = Register::default();
    let (caps, now) = (caps("10", "100"), time("2026-11-05T10:00:00Z"));
    register
        .lend(lease("l", "5"), &Accounts::default(), &caps, now)
        .unwrap();
    (
        register,
        LeaseFile::new(&lease("l", "5"), "Owner/name".to_owned(), &caps),
    )
}

#[test]
fn what_a_lease_stands_for_and_since_when() {
    let mut lease = lease("l", "5");
    assert_eq!((lease.since(), lease.charge()), (lease.taken, usd("5")));
    lease.stage = Stage::Expired;
    assert_eq!((lease.since(), lease.charge()), (lease.expires, usd("5")));
    lease.stage = Stage::Settled;
    assert_eq!((lease.since(), lease.charge()), (lease.expires, usd("5")));
    (lease.settled, lease.spent_usd) = (Some(time(OPEN)), Some(usd("2")));
    assert_eq!((lease.since(), lease.charge()), (time(OPEN), usd("2")));
}

#[test]
fn a_file_that_somebody_altered_is_refused() {
    let (_, file) = lent();
    let text = serde_json::to_string(&file).unwrap();
    assert_eq!(LeaseFile::read(text.as_bytes()), Ok(file.clone()));
    let more = text.replace("\"usd\":\"5\"", "\"usd\":\"50\"");
    assert_ne!(more, text);
    assert_eq!(LeaseFile::read(more.as_bytes()), Err(LeaseProblem::Altered));
    let unsigned = text.replace(&file.sha256, "");
    assert_eq!(
        LeaseFile::read(unsigned.as_bytes()),
        Err(LeaseProblem::Altered)
    );
    let newer = text.replace("lease/v1", "lease/v2");
    let problem = LeaseFile::read(newer.as_bytes()).unwrap_err();
    assert!(
        problem.to_string().contains("`maestro.lease/v2`"),
        "{problem}"
    );
    assert!(matches!(LeaseFile::read(b"{"), Err(LeaseProblem::Json(_))));
    // The same lease of another repository has another digest.
    let other = LeaseFile::new(
        &lease("l", "5"),
        "other/name".to_owned(),
        &caps("10", "100"),
    );
    assert_ne!(other.sha256, file.sha256);
    assert_eq!(file.is_of("owner/NAME"), Ok(()));
    let problem = file.is_of("owner/other").unwrap_err().to_string();
    assert_eq!(
        problem,
        "it is of the repository `Owner/name`, and this is `owner/other`"
    );
}

#[test]
fn who_spends_a_lease_is_held_to_it_and_to_the_caps_of_the_base() {
    let base = Caps {
        call: Some(usd("1")),
        task: Some(usd("2")),
        alerts: vec![50],
        ..caps("10", "100")
    };
    let file = LeaseFile::new(&lease("l", "5"), "o/n".to_owned(), &base);
    let wanted = Caps {
        pull_request: usd("5"),
        month: None,
        ..base
    };
    assert_eq!(file.caps(), wanted);
}

#[test]
fn a_register_keeps_what_a_newer_version_wrote() {
    let text = br#"{"schema": "maestro.budget-register/v1", "leases": {}, "later": [1]}"#;
    let written = Register::read(Some(text)).unwrap().write().unwrap();
    assert!(written.ends_with(b"\n"));
    assert_eq!(
        serde_json::from_slice::<Value>(&written).unwrap(),
        serde_json::from_slice::<Value>(text).unwrap()
    );
    assert_eq!(Register::read(None), Ok(Register::default()));
    let (register, _) = lent();
    let again = Register::read(Some(&register.write().unwrap())).unwrap();
    assert_eq!(again.leases["l"], lease("l", "5"));
    let newer = Register::read(Some(br#"{"schema": "maestro.budget-register/v2"}"#));
    assert!(matches!(newer, Err(LeaseProblem::Schema { .. })));
}

#[test]
fn what_nobody_settles_in_time_expires_once() {
    let (mut register, file) = lent();
    assert_eq!(register.expire(time(OPEN)), []);
    let mut expired = lease("l", "5");
    expired.stage = Stage::Expired;
    assert_eq!(register.expire(time(ENDED)), [expired]);
    assert_eq!(register.expire(time(ENDED)), []);
    let problem = register.find(&file, time(OPEN)).unwrap_err().to_string();
    assert_eq!(
        problem,
        "it ended at 2026-11-05T12:00:00Z, and all of it, $5, counts as spent"
    );
}

#[test]
fn a_lease_is_found_as_it_was_lent_and_until_it_ends() {
    let (register, file) = lent();
    assert_eq!(register.find(&file, time(OPEN)), Ok(&lease("l", "5")));
    let ended = register.find(&file, time(ENDED));
    assert!(matches!(ended, Err(LeaseProblem::Expired { .. })));
    let change = |change: fn(&mut LeaseFile)| {
        let mut file = file.clone();
        change(&mut file);
        register.find(&file, time(OPEN)).unwrap_err()
    };
    assert_eq!(
        change(|file| file.id = "m".to_owned()),
        LeaseProblem::Unknown
    );
    assert_eq!(change(|file| file.usd = usd("6")), LeaseProblem::Differs);
    assert_eq!(change(|file| file.pull_request = 8), LeaseProblem::Differs);
    assert_eq!(
        change(|file| file.taken = time(OPEN)),
        LeaseProblem::Differs
    );
    assert_eq!(
        change(|file| file.expires = time(OPEN)),
        LeaseProblem::Differs
    );
}

#[test]
fn a_lease_is_settled_once() {
    let (mut register, file) = lent();
    let settled = register.settle(&file, usd("2"), time(OPEN)).unwrap();
    assert_eq!((settled.charge(), settled.since()), (usd("2"), time(OPEN)));
    assert_eq!(register.leases["l"], settled);
    let again = register.settle(&file, usd("1"), time(OPEN)).unwrap_err();
    assert_eq!(
        again.to_string(),
        "it was settled at 2026-11-05T11:59:59Z; $2 of it was spent"
    );
}

#[test]
fn nothing_is_lent_above_a_cap() {
    let mut known = Accounts::default();
    known.add(Sha::of(b"1"), paid("4"));
    let mut other = paid("3");
    other.spend.pull_request = Some(8);
    known.add(Sha::of(b"2"), other);
    let mut before = paid("2");
    before.at = time("2026-10-01T00:00:00Z");
    known.add(Sha::of(b"3"), before);
    let now = time("2026-11-05T10:00:00Z");
    let lend = |lent: &str, pull_request: &str, month: &str| {
        let mut register = Register::default();
        let alerts = register.lend(lease("l", lent), &known, &caps(pull_request, month), now);
        assert_eq!(register.leases.len(), usize::from(alerts.is_ok()));
        let alerts = alerts.map_err(|refusal| refusal.to_string())?;
        let alerts = alerts
            .iter()
            .map(|alert| format!("{} {}", alert.account, alert.share));
        Ok::<_, String>(alerts.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(lend("1", "10", "100"), Ok(String::new()));
    assert_eq!(lend("2", "10", "100"), Ok("the pull request 80".to_owned()));
    assert_eq!(lend("1", "100", "10"), Ok("the month 80".to_owned()));
    assert_eq!(
        lend("4.5", "10", "100"),
        Err(
            "the pull request may cost $10; $6 is spent or put aside, and $4.5 more is asked for"
                .to_owned()
        )
    );
    assert_eq!(
        lend("4", "100", "10"),
        Err(
            "the month may cost $10; $7 is spent or put aside, and $4 more is asked for".to_owned()
        )
    );
}

#[test]
fn another_lease_of_the_register_counts_as_spent() {
    let (mut register, _) = lent();
    let (caps, now) = (caps("10", "100"), time(OPEN));
    let refused = register.lend(lease("m", "6"), &Accounts::default(), &caps, now);
    assert!(matches!(refused, Err(Refusal::Account { .. })));
    register
        .lend(lease("m", "5"), &Accounts::default(), &caps, now)
        .unwrap();
}

#[test]
fn a_lease_leaves_the_register_long_after_its_end_and_only_when_the_state_has_it() {
    let kept = |stage: Stage, known: Option<Stage>, now: &str| {
        let (mut register, _) = lent();
        register.leases.get_mut("l").unwrap().stage = stage;
        let mut accounts = Accounts::default();
        if let Some(stage) = known {
            let mut lease = lease("l", "5");
            lease.stage = stage;
            accounts.add_lease(lease);
        }
        let mut next = lease("next", "1");
        next.expires = time(now);
        register
            .lend(next, &accounts, &caps("10", "100"), time(now))
            .unwrap();
        register.leases.contains_key("l")
    };
    // Sixty-two days after its end, and a second more.
    let (day, later) = ("2027-01-06T12:00:00Z", "2027-01-06T12:00:01Z");
    assert!(!kept(Stage::Expired, Some(Stage::Expired), later));
    assert!(!kept(Stage::Settled, Some(Stage::Settled), later));
    assert!(kept(Stage::Expired, Some(Stage::Expired), day));
    assert!(kept(Stage::Expired, Some(Stage::Taken), later));
    assert!(kept(Stage::Expired, None, later));
    assert!(kept(Stage::Taken, Some(Stage::Taken), later));
}
