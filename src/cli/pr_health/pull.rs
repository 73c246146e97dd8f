//! The pull request, from GitHub or from a file, and those before it.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::check_policy::supplied::bytes_of;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::forge::api::pulls::{self, Review};
use crate::health::merge_time::Asked;
use crate::health::{Pull, Rows, Subject};
use crate::json;

/// How long GitHub is asked.
const SECONDS: u64 = 60;

/// More reviews than this nobody reads.
const MOST_REVIEWS: usize = 3_000;

/// The event of a row.
const ROW: &str = "delivery_row";

/// Returns the pull request that started the run.
pub(super) fn number(session: &Session<'_>) -> Option<u64> {
    Some(payload(session)?.pull_request?.number)
}

/// Returns the pull request; nothing where there is none, or nobody can be asked.
pub(super) fn find(
    session: &mut Session<'_>,
    file: Option<&Path>,
    number: Option<u64>,
) -> Result<Option<Pull>, CommandError> {
    if let Some(path) = file {
        return of_file(session, path).map(Some);
    }
    let Some(number) = number else {
        return Ok(None);
    };
    let found = session.github(None, None, SECONDS)?;
    let Some((github, _)) = found
        .filter(|(github, _)| github.server.borrow().is_some() && !session.settings.offline.value)
    else {
        session.ui.hint("GitHub was not asked about the pull request: there is no token, no repository or no network");
        return Ok(None);
    };
    let repository = github.repository.clone();
    let asked = github
        .call(&pulls::get(&repository, number))
        .and_then(|pull| {
            let listed = github.list(
                &pulls::reviews(&repository, number),
                MOST_REVIEWS,
                &mut |_| true,
            );
            Ok((pull, listed.whole("list the reviews")?))
        });
    match asked {
        Ok((pull, reviews)) => Ok(Some(known(&pull, &reviews))),
        Err(error) => {
            session
                .ui
                .warn(&format!("pull request {number} could not be read: {error}"));
            Ok(None)
        }
    }
}

fn of_file(session: &Session<'_>, path: &Path) -> Result<Pull, CommandError> {
    let bytes = bytes_of(session, path)?;
    let bad = |error: serde_json::Error| {
        let message = format!(
            "`{}` is no pull request as GitHub's API has it: {error}",
            path.display()
        );
        CommandError::message(ErrorKind::BadInput, message).hint("save `gh api repos/OWNER/NAME/pulls/NUMBER`, and its `/reviews` as the member `reviews`")
    };
    let mut value: Value = json::read(&bytes).map_err(bad)?;
    let reviews = value
        .get_mut("reviews")
        .map_or(Value::Array(Vec::new()), Value::take);
    let reviews: Vec<Review> = serde_json::from_value(reviews).map_err(bad)?;
    let pull: pulls::Pull = serde_json::from_value(value).map_err(bad)?;
    Ok(known(&pull, &reviews))
}

fn known(pull: &pulls::Pull, reviews: &[Review]) -> Pull {
    let author = pull.user.as_ref().map(|user| user.login.as_str());
    // What a program says is no review, and what the author says none by somebody else.
    let others = reviews.iter().filter(|review| {
        let user = review.user.as_ref().filter(|user| user.kind == "User");
        review.submitted_at.is_some()
            && user.is_some_and(|user| Some(user.login.as_str()) != author)
    });
    let mut last: Vec<(&str, &str)> = Vec::new();
    let mut first: Option<Timestamp> = None;
    for review in others {
        let login = review.user.as_ref().map_or("", |user| user.login.as_str());
        first = first.into_iter().chain(review.submitted_at).min();
        // A comment takes nothing back.
        if review.state != "COMMENTED" {
            last.retain(|(one, _)| *one != login);
            last.push((login, &review.state));
        }
    }
    let says = |state: &str| last.iter().filter(|(_, last)| *last == state).count() as u64;
    Pull {
        number: pull.number,
        url: pull.html_url.clone(),
        is_draft: pull.draft,
        is_bot: pull.user.as_ref().is_some_and(|user| user.kind == "Bot"),
        opened: pull.created_at,
        first_review: first,
        is_approved: says("APPROVED") > 0 && says("CHANGES_REQUESTED") == 0,
        changes_requested: says("CHANGES_REQUESTED"),
        ended: pull.merged_at.or(pull.closed_at),
        commits: pull.commits,
    }
}

/// Reads the rows of past pull requests: stored ones, and those of a file.
pub(super) fn rows(
    session: &mut Session<'_>,
    file: Option<&Path>,
    about: Option<u64>,
) -> Result<Rows, CommandError> {
    let mut values: Vec<Value> = Vec::new();
    if let Ok(state) = session.state() {
        let read = state.read(&|kind, _| kind == ROW, &mut |event| {
            // What is no JSON is no row; `state verify` says so.
            values.extend(json::read::<Value>(event.payload).ok());
            Ok(())
        });
        if let Err(error) = read {
            session
                .ui
                .warn(&format!("past pull requests are not known: {error}"));
        }
    }
    if let Some(path) = file {
        let bytes = bytes_of(session, path)?;
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let value = json::read(line).map_err(|error| {
                let message = format!("`{}:{}:1`: it is no row: {error}", path.display(), at + 1);
                CommandError::message(ErrorKind::BadInput, message)
                    .hint("a row is one JSON object a line, as `delivery_row` events hold it")
            })?;
            values.push(value);
        }
    }
    Ok(crate::health::rows(&values, about))
}

/// Returns what the estimate asks about; a change without a pull request is one that would be opened now.
pub(super) fn asked(subject: &Subject<'_>, rows: &Rows) -> Asked {
    let sum = |count: &dyn Fn(&crate::policy::subject::FileLines<'_>) -> u64| {
        subject.files.iter().map(count).sum()
    };
    let pull = subject.pull;
    Asked {
        opened: pull.map_or(subject.now, |pull| pull.opened).as_second(),
        additions: sum(&|file| file.added.len() as u64),
        deletions: sum(&|file| file.deleted),
        files: subject.files.len() as u64,
        commits: pull.map_or(1, |pull| pull.commits.max(1)),
        earlier: rows.earlier,
        is_bot: pull.is_some_and(|pull| pull.is_bot),
        ..Asked::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_review_is_of_somebody_else_and_the_last_word_counts() {
        let pull = json!({
            "id": 1, "number": 7, "state": "open", "title": "t", "body": null, "user": {"id": 1, "login": "ada", "type": "User"}, "draft": false,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "closed_at": null, "merged_at": null, "merge_commit_sha": null,
            "head": {"label": null, "ref": "topic", "sha": "h", "repo": null}, "base": {"label": null, "ref": "main", "sha": "b", "repo": null},
            "html_url": "https://example.org/7", "commits": 3,
        });
        let review = |login: &str, kind: &str, state: &str, day: u8| json!({"id": 1, "user": {"id": 1, "login": login, "type": kind}, "state": state, "submitted_at": format!("2026-01-0{day}T00:00:00Z"), "commit_id": null, "author_association": null});
        let reviews = json!([
            review("ada", "User", "COMMENTED", 2),
            review("x[bot]", "Bot", "CHANGES_REQUESTED", 2),
            review("bob", "User", "CHANGES_REQUESTED", 4),
            review("eve", "User", "CHANGES_REQUESTED", 5),
            review("eve", "User", "APPROVED", 6),
            review("bob", "User", "COMMENTED", 7),
        ]);
        let pull: pulls::Pull = serde_json::from_value(pull).unwrap();
        let reviews: Vec<Review> = serde_json::from_value(reviews).unwrap();
        let known = known(&pull, &reviews);
        assert_eq!(
            known.first_review,
            Some("2026-01-04T00:00:00Z".parse().unwrap())
        );
        assert_eq!(
            (known.changes_requested, known.is_approved, known.commits),
            (1, false, 3)
        );
    }
}
