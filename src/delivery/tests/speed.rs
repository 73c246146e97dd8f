//! Eighty thousand rows: code that looks at all of them for each would not come to an end here.

use super::{ask, commit, deployment, find, incident, pull, rows};

#[test]
fn many_rows_are_linked_without_looking_at_all_for_each() {
    let mut lines = Vec::new();
    for number in 0_u64..20_000 {
        let sha = format!("c{number}");
        let before = number.checked_sub(1).map(|before| format!("c{before}"));
        let parents: Vec<&str> = before.iter().map(String::as_str).collect();
        let hour = i64::try_from(number).unwrap() / 20;
        lines.push(commit(&sha, &parents));
        lines.push(deployment(number, hour, &sha));
        lines.push(pull(number + 1, hour - 30, hour - 20, hour - 2, &sha));
        lines.push(incident(number, hour, Some(hour + 2)));
    }
    let rows = rows(&lines);
    let found = find(&rows, &ask());
    found.adds_up();
    assert_eq!(found.metric("lead-time-deploy").counted, 19_999);
}
