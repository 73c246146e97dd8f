//! What stands in every policy, whatever its file says.

use super::change_record;
use super::engine::Violation;
use super::entry::{Entry, Ignore};
use super::paths::folded;
use super::rules::About;
use super::subject::Subject;
use super::{Target, Weight};
use crate::change::{Change, Kind, Status};

/// The folder of everything that maestro is told.
const FOLDER: &str = ".maestro";

pub(crate) const MAESTRO_FILES: About = About {
    name: "maestro-files",
    what: "a change to maestro's own files, which says what it may let through",
    fix: "ask a person to approve it, or leave it out of the change",
    keys: &[],
};

const EXPIRED_ENTRY: About = About {
    name: "expired-entry",
    what: "an entry of the policy whose day is over (warning)",
    fix: "give the entry a later day, or take it out of the policy",
    keys: &[],
};

const EXPIRED_IGNORE: About = About {
    name: "expired-ignore",
    what: "something that was ignored for a while, and the while is over (warning)",
    fix: "mend what was ignored, or give it a later day with a reason that still holds",
    keys: &[],
};

pub(crate) const TASK_SCOPE: About = About {
    name: "task-scope",
    what: "a file outside of what an agent's task is about",
    fix: "leave the file out, or give the agent a task that names it",
    keys: &[],
};

/// All that stands in every policy.
pub(crate) const STANDING: [&About; 4] =
    [&EXPIRED_ENTRY, &EXPIRED_IGNORE, &MAESTRO_FILES, &TASK_SCOPE];

pub(super) fn violation(
    rule: &'static About,
    weight: Weight,
    target: Target,
    observed: String,
    limit: &str,
) -> Violation {
    Violation {
        entry: rule.name.to_owned(),
        rule,
        weight,
        target,
        message: String::new(),
        observed,
        limit: limit.to_owned(),
        reason: String::new(),
        fix: rule.fix.to_owned(),
        owner: None,
        expires: None,
        // Nobody may ignore what stands everywhere.
        is_locked: true,
        fingerprint: None,
        forgiven: None,
    }
}

pub(super) fn maestro_files(subject: &Subject<'_>, violations: &mut Vec<Violation>) {
    for change in subject.changes {
        let path = folded(&change.path);
        let is_inside = path
            .strip_prefix(FOLDER)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !is_inside || is_record(change, subject) {
            continue;
        }
        let observed = format!("{} {}", change.status().name(), change.path);
        violations.push(Violation {
            message: "the change is about what maestro itself is told".to_owned(),
            reason: "whoever changes these files changes what is asked of everybody".to_owned(),
            ..violation(
                &MAESTRO_FILES,
                Weight::Review,
                subject.place(&change.path),
                observed,
                "a person's approval of this head",
            )
        });
    }
}

/// Whether a change only adds a valid record.
fn is_record(change: &Change, subject: &Subject<'_>) -> bool {
    let is_new_file = change.status() == Status::Added
        && change.is_text
        && change
            .new
            .as_ref()
            .is_some_and(|new| new.kind() == Kind::File && !new.is_executable());
    let text = subject.lines_of(&change.path).and_then(|lines| lines.new);
    is_new_file && text.is_some_and(|text| change_record::is_valid(&change.path, text))
}

pub(super) fn expired_entry(entry: &Entry) -> Violation {
    let last = entry.expires.map(|day| day.to_string()).unwrap_or_default();
    Violation {
        entry: entry.id.clone(),
        message: "the entry's day is over, and it no longer holds".to_owned(),
        reason: entry.reason.clone(),
        owner: entry.owner.clone(),
        expires: entry.expires,
        ..violation(
            &EXPIRED_ENTRY,
            Weight::Warn,
            Target::Said("policy"),
            format!("{} until {last}", entry.id),
            "a day that is to come",
        )
    }
}

pub(super) fn expired_ignore(ignore: &Ignore) -> Violation {
    let observed = format!("{} ignored until {}", ignore.entry.0, ignore.expires.0);
    Violation {
        entry: ignore.entry.0.clone(),
        message: "what was ignored counts again".to_owned(),
        reason: ignore.reason.0.clone(),
        owner: Some(ignore.owner.0.clone()),
        expires: Some(ignore.expires.0),
        ..violation(
            &EXPIRED_IGNORE,
            Weight::Warn,
            Target::Said("policy"),
            observed,
            "a day that is to come",
        )
    }
}
