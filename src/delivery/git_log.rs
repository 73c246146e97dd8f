//! What git alone tells: commits, tags, and what looks like pull requests on the first-parent line. It is a fallback, and every row says so: a
//! squashed pull request's first commit is not in git, and nobody knows when a pull request was opened.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};

use jiff::Timestamp;

use super::authors::Authors;
use super::messages;
use super::rows::{Author, Commit, Pull, Row, Tag};
use super::table::Gathering;

/// The fields of a commit, each ended by a zero byte: id and parents, author's and committer's time, author's name, message.
pub(crate) const FORMAT: &str = "--format=%H %P%x00%at %ct%x00%an%x00%B%x00";

/// The fields of a tag: its name, what it names, the commit behind an annotated one, and when it was made.
pub(crate) const TAG_FORMAT: &str =
    "--format=%(refname:lstrip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)";

/// Nobody writes a longer message; the rest is passed over.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// A commit, as git prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) commit: Commit,
    pub(crate) name: String,
    pub(crate) message: String,
}

/// Reads commits as `git log` prints them in [`FORMAT`].
pub(crate) fn read(input: &mut dyn BufRead, take: &mut dyn FnMut(Logged)) -> io::Result<()> {
    let mut fields: Vec<String> = Vec::new();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(0, &mut bytes)? == 0 {
            return Ok(());
        }
        let field = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
        let field = &field[..field.len().min(LONGEST_MESSAGE)];
        fields.push(String::from_utf8_lossy(field).into_owned());
        if fields.len() == 4 {
            if let Some(logged) = logged(&mut fields) {
                take(logged);
            }
            fields.clear();
        }
    }
}

fn logged(fields: &mut [String]) -> Option<Logged> {
    let [ids, times, name, message] = fields else {
        return None;
    };
    let mut ids = ids.split_whitespace();
    let (author, committer) = times.split_once(' ')?;
    Some(Logged {
        commit: Commit {
            sha: ids.next()?.to_owned(),
            parents: ids.map(str::to_owned).collect(),
            author_date: second(author)?,
            commit_date: second(committer)?,
        },
        name: std::mem::take(name),
        message: std::mem::take(message),
    })
}

fn second(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.trim().parse().ok()?).ok()
}

/// Reads tags as `git for-each-ref` prints them in [`TAG_FORMAT`].
pub(crate) fn tags(text: &str) -> Vec<Tag> {
    let lines = text.lines();
    lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\0').collect();
            let [name, object, behind, at] = fields[..] else {
                return None;
            };
            let sha = if behind.is_empty() { object } else { behind };
            Some(Tag {
                name: name.to_owned(),
                sha: sha.to_owned(),
                at: second(at)?,
            })
        })
        .collect()
}

/// What there is to know beside the commits themselves.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    /// The tip of the main branch.
    pub(crate) head: &'a str,
    pub(crate) authors: &'a Authors,
    /// The folders that commits on the first-parent line change, where somebody asked.
    pub(crate) paths: &'a BTreeMap<String, Vec<String>>,
}

/// Makes rows of commits: one of each, and one of each merge or squashed pull request on the first-parent line.
pub(crate) fn rows(log: Vec<Logged>, beside: &Beside<'_>, with_pulls: bool, to: &mut Gathering) {
    if with_pulls {
        for pull in pulls(&log, beside) {
            to.add(pull.merged.unwrap_or_default(), Row::Pull(Box::new(pull)));
        }
    }
    for logged in log {
        let at = logged.commit.commit_date;
        to.add(at, Row::Commit(logged.commit));
    }
}

fn pulls(log: &[Logged], beside: &Beside<'_>) -> Vec<Pull> {
    let places: HashMap<&str, usize> = log
        .iter()
        .enumerate()
        .map(|(place, logged)| (logged.commit.sha.as_str(), place))
        .collect();
    let mut line = Vec::new();
    let mut at = places.get(beside.head).copied();
    while let Some(place) = at {
        // Parents are older than children, so that a line has an end; a damaged log could lie.
        if line.len() > log.len() {
            break;
        }
        line.push(place);
        let parent = log[place].commit.parents.first();
        at = parent.and_then(|parent| places.get(parent.as_str()).copied());
    }
    let mut is_known = vec![false; log.len()];
    let mut pulls = Vec::new();
    for place in line.into_iter().rev() {
        is_known[place] = true;
        let logged = &log[place];
        let mut branch = Vec::new();
        let parents = logged.commit.parents.iter().skip(1);
        let mut open: Vec<usize> = parents
            .filter_map(|parent| places.get(parent.as_str()).copied())
            .collect();
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut is_known[place], true) {
                continue;
            }
            branch.push(&log[place]);
            let parents = log[place].commit.parents.iter();
            open.extend(parents.filter_map(|parent| places.get(parent.as_str()).copied()));
        }
        pulls.extend(pull(logged, &branch, beside));
    }
    pulls
}

/// Says which pull request a commit on the first-parent line is, if it is one.
fn pull(logged: &Logged, branch: &[&Logged], beside: &Beside<'_>) -> Option<Pull> {
    let commit = &logged.commit;
    let is_merge = commit.parents.len() > 1;
    let named = messages::merged_pull(&logged.message);
    let number = named
        .map(|(number, _)| number)
        .or_else(|| messages::squashed_pull(&logged.message));
    if !is_merge && number.is_none() {
        return None;
    }
    let mut own: Vec<&Logged> = branch.to_vec();
    if own.is_empty() {
        own.push(logged);
    }
    let first = own.iter().map(|logged| logged.commit.author_date).min();
    let form = match (is_merge && !branch.is_empty(), first) {
        (true, _) => "merge",
        // What GitHub squashes has one time; a commit that was put on top keeps its author's.
        (false, Some(first)) if first < commit.commit_date => "rebase",
        _ => "squash",
    };
    let mut reverts = Vec::new();
    for logged in own.iter().copied().chain([logged]) {
        let subject = messages::subject(&logged.message);
        messages::reverts(subject, &logged.message, &mut reverts);
    }
    let from = named.map_or("", |(_, branch)| branch);
    // What a branch's name takes back it may have said in full already.
    if reverts.is_empty() {
        reverts.extend(messages::reverted_by_branch(from));
    }
    let oldest = own.iter().min_by_key(|logged| logged.commit.author_date);
    let name = oldest.map_or("", |logged| logged.name.as_str());
    let mut words = own.iter().map(|logged| logged.message.as_str());
    let author_kind: Author = beside.authors.of(name, "", &mut words);
    let subject = messages::subject(&logged.message);
    Some(Pull {
        number: number.unwrap_or_default(),
        state: "merged".to_owned(),
        created: first.unwrap_or(commit.commit_date),
        first_commit: first,
        merged: Some(commit.commit_date),
        closed: Some(commit.commit_date),
        merge_sha: commit.sha.clone(),
        head_sha: commit.parents.get(1).cloned().unwrap_or_default(),
        author_kind,
        commits: own.len() as u64,
        reverts,
        hotfix: messages::is_hotfix(from) || messages::is_hotfix(subject),
        paths: beside.paths.get(&commit.sha).cloned().unwrap_or_default(),
        form: form.to_owned(),
        ..Pull::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &[(u64, &str, i64, &str)]) {
        let mut log = Vec::new();
        read(&mut text.as_bytes(), &mut |logged| log.push(logged)).unwrap();
        let authors = Authors::default();
        let paths = BTreeMap::new();
        let head = log[0].commit.sha.clone();
        let beside = Beside {
            head: &head,
            authors: &authors,
            paths: &paths,
        };
        let found: Vec<(u64, String, i64, &str)> = pulls(&log, &beside)
            .into_iter()
            .map(|pull| {
                let first = pull.first_commit.unwrap().as_second();
                (pull.number, pull.form, first, pull.author_kind.word())
            })
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|row| (row.0, row.1.as_str(), row.2, row.3))
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn merges_squashes_and_direct_commits_are_told_apart() {
        let log = "m2 d1 b2\x0090 90\0Ann\0Merge pull request #8 from a/b\n\nx\0\n\
                   d1 s1 \x0080 80\0Ann\0a direct push\0\n\
                   s1 m1 \x0070 70\0dependabot[bot]\0Raise it (#7)\0\n\
                   r1 b1 \x0065 66\0Ann\0on the branch\0\n\
                   b2 r1 m1\x0064 66\0Ann\0Merge branch 'main' into b\0\n\
                   b1 c0 \x0010 66\0Ann\0first of the branch\n\nCo-Authored-By: Claude <x@y>\0\n\
                   m1 c0 \x0050 60\0Ann\0Put on top (#6)\0\n\
                   c0 \x001 1\0Ann\0first\0\n";
        check(
            log,
            &[
                (6, "rebase", 50, "human"),
                (7, "squash", 70, "bot"),
                (8, "merge", 10, "agent"),
            ],
        );
    }

    #[test]
    fn a_log_that_is_cut_off_or_foreign_harms_nobody() {
        let mut many = 0;
        read(&mut &b"a\0b\0c\0d\0e f\x001 2\0x"[..], &mut |_| many += 1).unwrap();
        assert_eq!(many, 0);
        assert_eq!(
            tags("v1\0a\0\x0010\nodd\n"),
            [Tag {
                name: "v1".into(),
                sha: "a".into(),
                at: second("10").unwrap()
            }]
        );
    }
}
