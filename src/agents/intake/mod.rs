//! The issue that a run begins with: whose words they are, what of them agents may read, and what was taken out and why.
//!
//! An issue is data. Two questions are answered here, before a model is asked: may these words steer agents at all (`gate`), and what do they say to a
//! person who reads the page (`clean`)? What a person does not see is taken out, counted and shown. `prompts::untrusted` puts what is left between the
//! delimiters of the run.

pub(crate) mod clean;
pub(crate) mod file;
pub(crate) mod gate;
mod markup;

use serde_json::{Value, json};

use clean::Cleaner;
pub(crate) use clean::Removed;
use gate::{Account, Association, Gate, Refusal, Start};

/// GitHub takes no longer title.
const LONGEST_TITLE: usize = 256;

/// GitHub takes no longer body, in characters.
const LONGEST_BODY: usize = 65_536;

/// Of a comment no more is read.
const LONGEST_COMMENT: usize = 16_384;

/// Comments are told up to so many characters together.
const MOST_OF_COMMENTS: usize = 65_536;

/// No more comments are told; the newest are.
const MOST_COMMENTS: usize = 50;

/// An issue as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Raw {
    pub(crate) number: Option<u64>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) url: Option<String>,
    /// None for a file, for which whoever starts the run answers.
    pub(crate) author: Option<Account>,
    pub(crate) labels: Vec<String>,
    /// Oldest first.
    pub(crate) comments: Vec<RawComment>,
}

/// A comment as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawComment {
    pub(crate) author: Option<Account>,
    pub(crate) body: String,
}

/// An issue that agents may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) number: Option<u64>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) url: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) association: Option<Association>,
    pub(crate) labels: Vec<String>,
    pub(crate) comments: Vec<Comment>,
    /// What was taken out or changed.
    pub(crate) removed: Vec<Removed>,
    pub(crate) left_out: LeftOut,
}

/// A comment that agents may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) author: String,
    pub(crate) body: String,
}

/// Comments that agents do not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LeftOut {
    /// Of people whose words do not count here.
    pub(crate) strangers: u64,
    /// Of machines.
    pub(crate) bots: u64,
    /// Of too many, or too long ones.
    pub(crate) many: u64,
}

/// Takes an issue in, or says why not.
pub(crate) fn take(raw: &Raw, gate: &Gate, start: &Start) -> Result<Issue, Refusal> {
    gate.judge(raw, start)?;
    let mut removed = Vec::new();
    let mut cleaned = |text: &str, part: &str, most: usize| {
        let mut cleaner = Cleaner::new(part);
        let text = cleaner.clean(text, most);
        removed.extend(cleaner.removed);
        text
    };
    let title = cleaned(&raw.title, "title", LONGEST_TITLE);
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let body = cleaned(&raw.body, "body", LONGEST_BODY);
    let mut left_out = LeftOut::default();
    let mut comments = Vec::new();
    let mut room = MOST_OF_COMMENTS;
    for (at, comment) in raw.comments.iter().enumerate().rev() {
        let author = comment.author.as_ref();
        if author.is_some_and(Account::is_machine) {
            left_out.bots += 1;
            continue;
        }
        let Some(author) = author.filter(|author| gate.counts(author)) else {
            left_out.strangers += 1;
            continue;
        };
        if comments.len() >= MOST_COMMENTS || room == 0 {
            left_out.many += 1;
            continue;
        }
        let body = cleaned(
            &comment.body,
            &format!("comment {}", at + 1),
            LONGEST_COMMENT.min(room),
        );
        room -= body.chars().count().min(room);
        comments.push(Comment {
            author: author.login.clone(),
            body,
        });
    }
    comments.reverse();
    if title.is_empty() && body.trim().is_empty() {
        return Err(Refusal::empty());
    }
    let author = raw.author.as_ref();
    Ok(Issue {
        number: raw.number,
        title,
        body,
        url: raw.url.clone(),
        author: author.map(|author| author.login.clone()),
        association: author.and_then(|author| author.association),
        labels: raw.labels.clone(),
        comments,
        removed,
        left_out,
    })
}

impl Issue {
    /// Returns it as the variable `issue` of prompts.
    pub(crate) fn variable(&self) -> Value {
        let comments = self
            .comments
            .iter()
            .map(|comment| json!({ "author": comment.author, "body": comment.body }));
        let mut issue = json!({
            "title": self.title,
            "body": self.body,
            "comments": comments.collect::<Vec<Value>>(),
        });
        if let Some(fields) = issue.as_object_mut() {
            if let Some(number) = self.number {
                fields.insert("number".into(), number.into());
            }
            if let Some(association) = self.association {
                fields.insert("author_association".into(), association.name().into());
            }
        }
        issue
    }

    /// Says what agents do not read, in sentences for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.removed.iter().map(Removed::sentence).collect();
        let LeftOut {
            strangers,
            bots,
            many,
        } = self.left_out;
        for (count, whose) in [
            (strangers, "of people whose words do not count here"),
            (bots, "of bots"),
            (many, "beyond what agents are told (the oldest ones)"),
        ] {
            if count > 0 {
                let comments = if count == 1 { "comment" } else { "comments" };
                notes.push(format!("{count} {comments} left out: {whose}"));
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests;
