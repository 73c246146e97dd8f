//! What follows from the lines of a journal, line by line.

use super::*;
use crate::budget::spend::tests::{time, usd};
use crate::llm::usage::Usage;

const NOW: &str = "2026-11-05T12:00:00Z";

fn terms(pull_request: Option<u64>) -> Terms {
    Terms {
        caps: Caps {
            task: Some(usd("2")),
            month: Some(usd("100")),
            ..Caps::default()
        },
        pull_request,
        run: "r".to_owned(),
        lease: None,
        elsewhere: Vec::new(),
    }
}

fn lent(usd: Usd) -> Terms {
    let lease = Some(usd);
    Terms {
        lease,
        ..terms(Some(7))
    }
}

fn head(lease: Option<&str>) -> Line {
    Line::Purse(Head {
        schema: SCHEMA.to_owned(),
        purse: "own".to_owned(),
        created: time(NOW),
        lease: lease.map(str::to_owned),
    })
}

fn begun(terms: Terms) -> Book {
    let lease = terms.lease.map(|_| "l");
    let mut book = Book::new(terms, time(NOW));
    book.enter(head(lease)).unwrap();
    book
}

fn call(call: u64, worst: &str) -> Reserve {
    Reserve {
        call,
        at: time(NOW),
        holder: None,
        expires: None,
        provider: "p".to_owned(),
        model: "asked".to_owned(),
        role: Some("review".to_owned()),
        task: None,
        pull_request: Some(7),
        worst_usd: usd(worst),
        run: "r".to_owned(),
        attempt: 1,
        job: "j".to_owned(),
        commit: "c".to_owned(),
        branch: "b".to_owned(),
    }
}

fn aside(reserve: &Reserve) -> Line {
    Line::Reserve(Box::new(reserve.clone()))
}

fn bill(call: u64, cost: &str) -> Line {
    Line::Settle(Box::new(Settle {
        call,
        at: time(NOW),
        model: "answered".to_owned(),
        usage: Usage {
            output_tokens: 5,
            ..Usage::default()
        },
        usd: usd(cost),
        price_table_sha256: "table".to_owned(),
        request_id: Some("id".to_owned()),
    }))
}

fn ended(call: u64) -> Ended {
    let (at, why) = (time(NOW), "because".to_owned());
    Ended { call, at, why }
}

fn committed(book: &Book, account: &Account) -> String {
    book.standing(account).committed().unwrap().to_string()
}

#[test]
fn what_other_purses_paid_counts_and_what_this_one_did_does_not() {
    let paid = |purse: Option<&str>, pull_request, run: &str, at: &str, cost: &str| Elsewhere {
        purse: purse.map(str::to_owned),
        pull_request,
        run: run.to_owned(),
        at: time(at),
        usd: usd(cost),
    };
    let (now, before) = (NOW, "2026-10-31T00:00:00Z");
    let all = vec![
        paid(Some("own"), Some(7), "r", now, "1"),
        paid(Some("other"), Some(7), "r", now, "2"),
        paid(None, Some(7), "s", before, "4"),
        paid(None, Some(8), "r", now, "8"),
        paid(None, None, "r", now, "16"),
        paid(None, None, "s", now, "32"),
    ];
    let sums = |pull_request, begun: bool| {
        let mut book = Book::new(
            Terms {
                elsewhere: all.clone(),
                ..terms(pull_request)
            },
            time(NOW),
        );
        if begun {
            book.enter(head(None)).unwrap();
        }
        let of = |account| committed(&book, &account);
        format!("{} {}", of(Account::PullRequest), of(Account::Month))
    };
    assert_eq!(sums(Some(7), false), "7 59");
    assert_eq!(sums(Some(7), true), "6 58");
    // Without a pull request, what the run paid without one.
    assert_eq!(sums(None, true), "16 58");
}

#[test]
fn a_call_counts_where_it_belongs() {
    let sums = |change: fn(&mut Reserve)| {
        let mut book = begun(terms(Some(7)));
        let mut call = call(1, "1");
        call.task = Some("t".to_owned());
        change(&mut call);
        book.reserve(&call).unwrap();
        let task = Account::Task("t".to_owned());
        [task, Account::PullRequest, Account::Month].map(|account| committed(&book, &account))
    };
    assert_eq!(sums(|_| {}), ["1", "1", "1"]);
    assert_eq!(sums(|call| call.task = None), ["0", "1", "1"]);
    // The same task of another run is another one.
    assert_eq!(sums(|call| call.run = "s".to_owned()), ["0", "1", "1"]);
    assert_eq!(sums(|call| call.pull_request = Some(8)), ["0", "0", "1"]);
    assert_eq!(
        sums(|call| call.at = time("2026-10-31T00:00:00Z")),
        ["1", "1", "0"]
    );
}

#[test]
fn a_task_has_its_own_cap_from_its_first_call_on() {
    let mut book = begun(terms(Some(7)));
    for number in [1, 2] {
        let mut call = call(number, "1");
        call.task = Some("t".to_owned());
        book.reserve(&call).unwrap();
    }
    let mut third = call(3, "0.5");
    third.task = Some("t".to_owned());
    let refused = book.reserve(&third).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the task `t` may cost $2; $2 is spent or put aside, and $0.5 more is asked for"
    );
    third.task = Some("u".to_owned());
    book.reserve(&third).unwrap();
    let mut dear = call(4, "2.5");
    dear.task = Some("v".to_owned());
    let refused = book.reserve(&dear).unwrap_err().to_string();
    assert!(
        refused.starts_with("the task `v` may cost $2;"),
        "{refused}"
    );
    // What it paid stays when it calls again.
    book.enter(bill(1, "1")).unwrap();
    let mut more = call(5, "0.5");
    more.task = Some("t".to_owned());
    assert!(book.reserve(&more).is_err());
}

#[test]
fn who_has_a_lease_is_held_to_it_and_to_nothing_else() {
    let mut book = begun(lent(usd("1")));
    book.reserve(&call(1, "0.75")).unwrap();
    let refused = book.reserve(&call(2, "0.5")).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the lease may cost $1; $0.75 is spent or put aside, and $0.5 more is asked for"
    );
    assert_eq!(book.standing(&Account::PullRequest), Standing::default());
    assert_eq!(book.standing(&Account::Month), Standing::default());
}

#[test]
fn a_call_is_under_way_until_it_ends() {
    let mut book = begun(terms(Some(7)));
    assert_eq!((book.next_call(), book.month()), (1, "2026-11"));
    assert_eq!(book.terms().run, "r");
    for number in [1, 2, 3] {
        assert_eq!(book.next_call(), number);
        book.reserve(&call(number, "1")).unwrap();
    }
    book.forget(2);
    book.forget(9);
    assert_eq!(committed(&book, &Account::PullRequest), "2");
    let open: Vec<u64> = book.open_calls().map(|call| call.call).collect();
    assert_eq!(open, [1, 3]);
    assert_eq!(book.open_call(3), Some(&call(3, "1")));
    assert_eq!(book.open_call(2), None);
    book.enter(Line::Release(ended(3))).unwrap();
    assert_eq!(committed(&book, &Account::PullRequest), "1");
    assert_eq!((book.has_ended(3), book.has_ended(1)), (true, false));
    assert_eq!((book.open_call(3), book.next_call()), (None, 4));
}

#[test]
fn a_written_line_counts_though_it_is_above_the_cap() {
    let mut book = begun(terms(Some(7)));
    book.enter(aside(&call(6, "11"))).unwrap();
    book.enter(aside(&call(2, "1"))).unwrap();
    assert_eq!(book.next_call(), 7);
    assert_eq!(committed(&book, &Account::PullRequest), "12");
    assert!(book.reserve(&call(7, "1")).is_err());
}

#[test]
fn lines_that_cannot_be_are_refused() {
    let mut book = Book::new(terms(Some(7)), time(NOW));
    assert_eq!(book.enter(aside(&call(1, "1"))), Err(BookProblem::NoHead));
    assert_eq!(book.enter(head(Some("l"))), Err(BookProblem::OtherLease));
    let other = Line::Purse(Head {
        schema: "maestro.purse/v2".to_owned(),
        purse: "own".to_owned(),
        created: time(NOW),
        lease: None,
    });
    assert_eq!(
        book.enter(other),
        Err(BookProblem::Schema("maestro.purse/v2".to_owned()))
    );
    assert!(book.head().is_none());
    book.enter(head(None)).unwrap();
    assert_eq!(book.head().map(|head| head.purse.as_str()), Some("own"));
    // The head of a second writer is the same one.
    book.enter(head(None)).unwrap();
    book.enter(aside(&call(1, "1"))).unwrap();
    assert_eq!(book.enter(aside(&call(1, "1"))), Err(BookProblem::Twice(1)));
    assert_eq!(book.enter(bill(2, "1")), Err(BookProblem::NotOpen(2)));
    book.enter(bill(1, "1")).unwrap();
    assert_eq!(book.enter(aside(&call(1, "1"))), Err(BookProblem::Twice(1)));
    assert_eq!(book.enter(bill(1, "1")), Err(BookProblem::NotOpen(1)));
    assert_eq!(committed(&book, &Account::PullRequest), "1");
    let mut book = Book::new(lent(usd("1")), time(NOW));
    assert_eq!(book.enter(head(None)), Err(BookProblem::OtherLease));
}

#[test]
fn a_bill_above_what_was_put_aside_is_remembered_for_its_own_run() {
    let mut book = begun(terms(Some(7)));
    let mut other = call(1, "1");
    other.run = "s".to_owned();
    book.enter(aside(&other)).unwrap();
    let settled = book.enter(bill(1, "2")).unwrap();
    assert_eq!(settled.overshoot, Some(usd("1")));
    assert_eq!(book.overshoot(), None);
    book.enter(aside(&call(2, "1"))).unwrap();
    book.enter(bill(2, "1")).unwrap();
    assert_eq!(book.overshoot(), None);
    book.enter(aside(&call(3, "1"))).unwrap();
    book.enter(bill(3, "1.25")).unwrap();
    assert_eq!(book.overshoot(), Some((3, usd("0.25"))));
}

#[test]
fn shares_that_are_reached_are_told_of_bills_and_of_what_nobody_knows() {
    let mut book = begun(terms(Some(7)));
    for number in [1, 2] {
        book.enter(aside(&call(number, "8"))).unwrap();
    }
    let told = |settled: &Settled| {
        settled
            .alerts
            .iter()
            .map(|alert| alert.share)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&book.enter(bill(1, "8")).unwrap()), [80]);
    assert_eq!(told(&book.enter(Line::Unknown(ended(2))).unwrap()), [95]);
}

#[test]
fn what_was_paid_is_listed_until_it_is_events() {
    let mut book = begun(lent(usd("100")));
    for number in 1..=5 {
        book.enter(aside(&call(number, "2"))).unwrap();
    }
    book.enter(bill(1, "1.5")).unwrap();
    book.enter(Line::Unknown(ended(2))).unwrap();
    book.enter(Line::Release(ended(3))).unwrap();
    book.enter(bill(4, "2.5")).unwrap();
    let calls = |book: &Book, all| {
        let paid = book.paid(all);
        let told = paid.iter().map(|Paid { spend, .. }| {
            let over = spend
                .overshoot_usd
                .map_or(String::new(), |over| format!(" over {over}"));
            format!(
                "{} {:?} {} {}{over}",
                spend.call.unwrap(),
                spend.status,
                spend.model,
                spend.usd.unwrap()
            )
        });
        told.collect::<Vec<_>>()
    };
    let (first, second) = ("1 Settled answered 1.5", "2 Unknown asked 2");
    let fourth = "4 Settled answered 2.5 over 0.5";
    assert_eq!(calls(&book, false), [first, second, fourth]);
    let paid = &book.paid(false)[0];
    let origin = crate::event::Origin {
        run: "r".to_owned(),
        attempt: 1,
        job: "j".to_owned(),
        commit: "c".to_owned(),
        branch: "b".to_owned(),
    };
    assert_eq!((paid.at, &paid.origin), (time(NOW), &origin));
    let spend = &paid.spend;
    assert_eq!(
        (spend.purse.as_deref(), spend.lease.as_deref()),
        (Some("own"), Some("l"))
    );
    assert_eq!(spend.usage.map(|usage| usage.output_tokens), Some(5));
    assert_eq!(spend.request_id.as_deref(), Some("id"));
    book.enter(Line::Drained(Drained { calls: vec![1, 4] }))
        .unwrap();
    assert_eq!(calls(&book, false), [second]);
    assert_eq!(calls(&book, true), [first, second, fourth]);
}

#[test]
fn a_closed_purse_says_since_when() {
    let mut book = begun(terms(Some(7)));
    assert_eq!(book.closed(), None);
    book.enter(Line::Closed { at: time(NOW) }).unwrap();
    assert_eq!(book.closed(), Some(time(NOW)));
}
