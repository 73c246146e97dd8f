//! Writing one comment, one issue or one pull request, however often and from however many places at once.
//!
//! A request that creates is followed by a look: whoever looks last removes what is too many. When it is not known whether a request
//! was heard, a look tells.

use std::borrow::Cow;
use std::cell::Cell;

use crate::conduct::github::GitHub;
use crate::forge::api::issues::{self, Change};
use crate::forge::api::pulls;
use crate::forge::problem::ForgeError;
use crate::forge::request::Listing;
use crate::forge::upsert::{Decision, Existing, Step, decide, has_key, oldest, same};

/// Nobody reads a conversation that is longer.
const MOST_COMMENTS: usize = 5_000;

/// So often it is looked again before it is given up.
const MOST_ROUNDS: usize = 5;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upserted {
    /// The number of the comment, issue or pull request.
    pub(crate) id: u64,
    /// Requests that changed something.
    pub(crate) writes: u64,
    pub(crate) url: String,
}

/// What one kind of text needs.
trait Kind {
    /// Something that is there: number, author, text, address.
    fn existing(&self, github: &GitHub<'_>) -> Result<Vec<Found>, ForgeError>;
    fn create(&self, github: &GitHub<'_>, text: &str) -> Result<(), ForgeError>;
    fn update(&self, github: &GitHub<'_>, id: u64, text: &str) -> Result<(), ForgeError>;
    fn remove(&self, github: &GitHub<'_>, id: u64) -> Result<(), ForgeError>;
    /// What it is to say, by what it says; nothing where that is not to be written.
    fn text<'t>(&'t self, ours: Option<&'t str>) -> Option<Cow<'t, str>>;
    fn key(&self) -> &str;
    fn purpose(&self) -> String;
    /// Whether others know a part of the text, so that after a write it is looked whether theirs is still there.
    fn is_shared(&self) -> bool {
        false
    }
}

struct Found {
    id: u64,
    author: Option<u64>,
    text: String,
    url: String,
}

/// Keeps one comment on an issue or pull request.
pub(crate) fn comment(
    github: &GitHub<'_>,
    me: u64,
    number: u64,
    key: &str,
    text: &str,
) -> Result<Upserted, ForgeError> {
    let compose = |_: Option<&str>| Some(text.to_owned());
    let comment = Comment {
        number,
        key,
        compose: &compose,
        is_shared: false,
    };
    let done = upsert(github, me, &comment)?;
    // There is something to say in any case.
    done.ok_or_else(|| nowhere(format!("comment on #{number}")))
}

/// Returns the whole text of a comment, by the one that is there; nothing where none is to be.
pub(crate) type Compose<'c> = &'c dyn Fn(Option<&str>) -> Option<String>;

/// Keeps one comment of which several each know a part: what is there is read anew before each write, so that nobody's part is lost to another's.
pub(crate) fn composed(
    github: &GitHub<'_>,
    me: u64,
    (number, key): (u64, &str),
    compose: Compose<'_>,
) -> Result<Option<Upserted>, ForgeError> {
    let comment = Comment {
        number,
        key,
        compose,
        is_shared: true,
    };
    upsert(github, me, &comment)
}

/// Keeps one issue, open or closed; where there is none, one is opened.
pub(crate) fn issue(github: &GitHub<'_>, me: u64, new: Issue<'_>) -> Result<Upserted, ForgeError> {
    let kept = KeptIssue {
        new,
        number: Cell::new(new.number),
    };
    upsert(github, me, &kept)?.ok_or_else(|| nowhere(kept.purpose()))
}

/// Returns the issues that have a label or are named by their number, oldest first; of those that are gone nothing is said.
pub(crate) fn issues_of(
    github: &GitHub<'_>,
    label: &str,
    numbers: &[u64],
) -> Result<Vec<issues::Issue>, ForgeError> {
    let mut found = all(github, &issues::labelled(&github.repository, label))?;
    for number in numbers {
        if found.iter().any(|issue| issue.number == *number) {
            continue;
        }
        // Somebody renamed the label, or took it off.
        match github.call(&issues::get(&github.repository, *number)) {
            Ok(issue) => found.push(issue),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    found.retain(|issue| issue.pull_request.is_none() && !is_set_aside(issue));
    crate::order::sort_by_key(&mut found, |issue| issue.number);
    Ok(found)
}

/// Keeps one open pull request of a branch.
pub(crate) fn pull(github: &GitHub<'_>, me: u64, new: Pull<'_>) -> Result<Upserted, ForgeError> {
    upsert(github, me, &new)?.ok_or_else(|| nowhere(new.purpose()))
}

fn nowhere(purpose: String) -> ForgeError {
    ForgeError::Unavailable {
        purpose,
        words: "what was written is not there".into(),
    }
}

fn upsert(github: &GitHub<'_>, me: u64, kind: &dyn Kind) -> Result<Option<Upserted>, ForgeError> {
    let mut writes = 0;
    let mut failed = None;
    for _ in 0..MOST_ROUNDS {
        let found = kind.existing(github)?;
        let existing = found.iter().map(|found| Existing {
            id: found.id,
            author: found.author,
            text: &found.text,
        });
        let ours = oldest(existing.clone(), me, kind.key());
        let Some(text) = kind.text(ours.map(|found| found.text)) else {
            return Ok(None);
        };
        let text = text.into_owned();
        let Decision { step, surplus } = decide(existing, me, kind.key(), &text);
        for id in surplus {
            writes += 1;
            // Somebody else may have removed it.
            gone_is_fine(kind.remove(github, id))?;
        }
        let done = match step {
            Step::Leave(id) => {
                let url = found
                    .into_iter()
                    .find(|found| found.id == id)
                    .map(|found| found.url);
                let url = url.unwrap_or_default();
                return Ok(Some(Upserted { id, writes, url }));
            }
            Step::Create => kind.create(github, &text),
            Step::Update(id) => kind.update(github, id, &text),
        };
        writes += 1;
        match done {
            Ok(()) => {
                if let Step::Update(id) = step {
                    let url = found
                        .into_iter()
                        .find(|found| found.id == id)
                        .map(|found| found.url);
                    let url = url.unwrap_or_default();
                    if !kind.is_shared() {
                        return Ok(Some(Upserted { id, writes, url }));
                    }
                }
            }
            // Gone meanwhile: the next look finds out.
            Err(error) if matches!(step, Step::Update(_)) && is_gone(&error) => {}
            // Whether it was heard, the next look tells.
            Err(error @ ForgeError::MayHaveHappened { .. }) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    // Others write something else there at the same time: theirs is as good as ours.
    let found = kind.existing(github)?;
    let ours = found
        .into_iter()
        .find(|found| found.author == Some(me) && has_key(&found.text, kind.key()));
    match (ours, failed) {
        (Some(found), _) => Ok(Some(Upserted {
            id: found.id,
            writes,
            url: found.url,
        })),
        (None, Some(error)) => Err(error),
        (None, None) => Err(nowhere(kind.purpose())),
    }
}

fn is_gone(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::Missing { .. } | ForgeError::Refused { status: 410, .. }
    )
}

fn gone_is_fine(done: Result<(), ForgeError>) -> Result<(), ForgeError> {
    match done {
        Err(error) if is_gone(&error) => Ok(()),
        done => done,
    }
}

/// All of a list, or an error: from a part of it nobody can tell that something is not there.
fn all<T: serde::de::DeserializeOwned>(
    github: &GitHub<'_>,
    listing: &Listing<T>,
) -> Result<Vec<T>, ForgeError> {
    let purpose = listing.request.purpose.clone();
    github
        .list(listing, MOST_COMMENTS, &mut |_| true)
        .whole(&purpose)
}

struct Comment<'a> {
    number: u64,
    key: &'a str,
    compose: Compose<'a>,
    is_shared: bool,
}

impl Kind for Comment<'_> {
    fn existing(&self, github: &GitHub<'_>) -> Result<Vec<Found>, ForgeError> {
        let comments = all(github, &issues::comments(&github.repository, self.number))?;
        let found = comments.into_iter().map(|comment| Found {
            id: comment.id,
            author: comment.user.map(|user| user.id),
            text: comment.body.unwrap_or_default(),
            url: comment.html_url,
        });
        Ok(found.collect())
    }

    fn create(&self, github: &GitHub<'_>, text: &str) -> Result<(), ForgeError> {
        github
            .call(&issues::comment(&github.repository, self.number, text))
            .map(drop)
    }

    fn update(&self, github: &GitHub<'_>, id: u64, text: &str) -> Result<(), ForgeError> {
        github
            .call(&issues::update_comment(&github.repository, id, text))
            .map(drop)
    }

    fn remove(&self, github: &GitHub<'_>, id: u64) -> Result<(), ForgeError> {
        github
            .call(&issues::delete_comment(&github.repository, id))
            .map(drop)
    }

    fn text<'t>(&'t self, ours: Option<&'t str>) -> Option<Cow<'t, str>> {
        (self.compose)(ours).map(Cow::Owned)
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn key(&self) -> &str {
        self.key
    }

    fn purpose(&self) -> String {
        format!("comment on #{}", self.number)
    }
}

/// An issue to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Issue<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) key: &'a str,
    /// By which it is found; nobody else should use it.
    pub(crate) label: &'a str,
    /// By which it is found where the label is gone.
    pub(crate) number: Option<u64>,
    pub(crate) is_open: bool,
}

/// An issue to keep, with the number that it got.
struct KeptIssue<'a> {
    new: Issue<'a>,
    number: Cell<Option<u64>>,
}

impl Issue<'_> {
    fn state(&self) -> &'static str {
        if self.is_open { "open" } else { "closed" }
    }
}

impl Kind for KeptIssue<'_> {
    fn existing(&self, github: &GitHub<'_>) -> Result<Vec<Found>, ForgeError> {
        // A list may lag behind what was just made; the issue itself does not.
        let numbers: Vec<u64> = self.number.get().into_iter().collect();
        let found = issues_of(github, self.new.label, &numbers)?.into_iter();
        let found = found.map(|issue| {
            // A title or state that differs makes it another text.
            let is_same = issue.title == self.new.title && issue.state == self.new.state();
            let text = issue.body.unwrap_or_default();
            Found {
                id: issue.number,
                author: issue.user.map(|user| user.id),
                text: if is_same { text } else { text + "\n\u{0}" },
                url: issue.html_url,
            }
        });
        Ok(found.collect())
    }

    fn create(&self, github: &GitHub<'_>, text: &str) -> Result<(), ForgeError> {
        github
            .call(&issues::create(
                &github.repository,
                self.new.title,
                text,
                &[self.new.label],
            ))
            .map(|issue| self.number.set(Some(issue.number)))
    }

    fn update(&self, github: &GitHub<'_>, id: u64, text: &str) -> Result<(), ForgeError> {
        let change = Change {
            title: Some(self.new.title),
            body: Some(text),
            state: Some(self.new.state()),
            reason: (!self.new.is_open).then_some("completed"),
        };
        github
            .call(&issues::update(&github.repository, id, change))
            .map(drop)
    }

    /// An issue cannot be removed: it is closed, and says of which it is a copy no more.
    fn remove(&self, github: &GitHub<'_>, id: u64) -> Result<(), ForgeError> {
        let change = Change {
            body: Some(SET_ASIDE),
            state: Some("closed"),
            reason: Some("not_planned"),
            ..Change::default()
        };
        github
            .call(&issues::update(&github.repository, id, change))
            .map(drop)
    }

    fn text<'t>(&'t self, _: Option<&'t str>) -> Option<Cow<'t, str>> {
        Some(Cow::Borrowed(self.new.text))
    }

    fn key(&self) -> &str {
        self.new.key
    }

    fn purpose(&self) -> String {
        format!("open the issue `{}`", self.new.title)
    }
}

/// What an issue says that was opened twice.
const SET_ASIDE: &str = "Opened twice at the same moment; the older one stays.\n";

fn is_set_aside(issue: &issues::Issue) -> bool {
    issue.state == "closed"
        && issue
            .body
            .as_deref()
            .is_some_and(|body| same(body, SET_ASIDE))
}

/// A pull request to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pull<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) key: &'a str,
    pub(crate) head: &'a str,
    pub(crate) base: &'a str,
    /// Whether it is opened as a draft.
    pub(crate) is_draft: bool,
}

impl Kind for Pull<'_> {
    fn existing(&self, github: &GitHub<'_>) -> Result<Vec<Found>, ForgeError> {
        let owner = &github.repository.owner;
        let pulls = all(
            github,
            &pulls::of_branch(&github.repository, owner, self.head, "open"),
        )?;
        let found = pulls
            .into_iter()
            .filter(|pull| pull.base.branch == self.base)
            .map(|pull| {
                let is_same = pull.title == self.title;
                let text = pull.body.unwrap_or_default();
                Found {
                    id: pull.number,
                    author: pull.user.map(|user| user.id),
                    text: if is_same { text } else { text + "\n\u{0}" },
                    url: pull.html_url,
                }
            });
        Ok(found.collect())
    }

    fn create(&self, github: &GitHub<'_>, text: &str) -> Result<(), ForgeError> {
        let new = pulls::NewPull {
            title: self.title,
            body: text,
            head: self.head,
            base: self.base,
            is_draft: self.is_draft,
        };
        match github.call(&pulls::create(&github.repository, new)) {
            // GitHub allows one open pull request of a branch: somebody else was faster, and the next look finds it.
            Err(ForgeError::Refused {
                status: 422, words, ..
            }) if words.contains("already exists") => Ok(()),
            done => done.map(drop),
        }
    }

    fn update(&self, github: &GitHub<'_>, id: u64, text: &str) -> Result<(), ForgeError> {
        github
            .call(&pulls::update(&github.repository, id, self.title, text))
            .map(drop)
    }

    fn remove(&self, _: &GitHub<'_>, _: u64) -> Result<(), ForgeError> {
        // There is one at most.
        Ok(())
    }

    fn text<'t>(&'t self, _: Option<&'t str>) -> Option<Cow<'t, str>> {
        Some(Cow::Borrowed(self.text))
    }

    fn key(&self) -> &str {
        self.key
    }

    fn purpose(&self) -> String {
        format!("open a pull request of {}", self.head)
    }
}
