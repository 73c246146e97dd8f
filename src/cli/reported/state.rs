//! Errors of the state, of git and of GitHub.

use std::io;

use super::Said;
use crate::change::NotRaw;
use crate::conduct::bases::NoBase;
use crate::conduct::deliver::Trouble;
use crate::conduct::trusted::NoTrust;
use crate::forge::problem::ForgeError;
use crate::forge::request::Silence;
use crate::json;
use crate::ports::GitError;
use crate::state::StateError;
use crate::state::v1::LineProblem;

fn text(words: &str) -> String {
    words.to_owned()
}

pub(super) fn say(said: &mut Said) {
    folders(said);
    git(said);
    github(said);
}

fn folders(said: &mut Said) {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    said.met([
        StateError::Locked("lock".into()),
        StateError::Read {
            path: "segment".into(),
            source: denied(),
        },
        StateError::Write {
            path: "segment".into(),
            source: denied(),
        },
        StateError::TooLarge("test_run"),
        StateError::Encode(json::read::<u8>("{").unwrap_err()),
        StateError::Newer {
            path: "segment".into(),
            schema: text("maestro.event/v9"),
        },
        StateError::Damaged {
            path: "segment".into(),
            problem: text("line 7: its id does not match its content"),
        },
        StateError::Refused {
            remote: text("origin"),
            name: text("maestro-state"),
            words: text("protected branch"),
            tries: 1,
        },
        StateError::Contended {
            remote: text("origin"),
            name: text("maestro-state"),
            tries: 9,
        },
    ]);
    said.inside([
        LineProblem::NotAnEvent(text("expected value")),
        LineProblem::OtherSchema(text("maestro.event/v9")),
        LineProblem::BadKind(text("../x")),
        LineProblem::WrongId,
        LineProblem::CutOff,
        LineProblem::BadPayload(text("missing field `suites`")),
    ]);
}

fn git(said: &mut Said) {
    let remote = || text("origin");
    let words = || text("fatal: so says git");
    let all = [
        GitError::NoRepository("folder".into()),
        GitError::NoProgram,
        GitError::NoRemote(remote()),
        GitError::NotARepository {
            remote: remote(),
            words: words(),
        },
        GitError::Unreachable {
            remote: remote(),
            words: words(),
        },
        GitError::Moving {
            remote: remote(),
            words: words(),
        },
        GitError::Denied {
            remote: remote(),
            words: words(),
        },
        GitError::NoSuchRef {
            remote: remote(),
            name: text("refs/heads/x"),
        },
        GitError::CannotWrite(words()),
        GitError::Io(io::Error::from(io::ErrorKind::BrokenPipe)),
        GitError::Refused(words()),
    ];
    for one in all {
        said.ends(one, |one| StateError::from(one).into());
    }
    said.inside([NotRaw(text("a path has no end"))]);
    said.reported([NoBase::NotFound(text("nowhere"))]);
    said.inside([Trouble::Refused(text("it has a file that is no object"))]);
    said.reported([
        NoTrust::NotFetched {
            branch: text("main"),
            remote: remote(),
            words: words(),
        },
        NoTrust::Offline(text("main")),
        NoTrust::Nobody(text("what started this run is not known")),
        NoTrust::NotFound(text("nowhere")),
    ]);
}

fn github(said: &mut Said) {
    let purpose = || text("list pull requests");
    let words = || text("so says GitHub");
    said.met([
        ForgeError::Offline { purpose: purpose() },
        ForgeError::NoToken { purpose: purpose() },
        ForgeError::BadToken {
            purpose: purpose(),
            words: words(),
        },
        ForgeError::Denied {
            purpose: purpose(),
            words: words(),
            hint: text("the job needs `permissions: pull-requests: read`"),
        },
        ForgeError::Missing {
            purpose: purpose(),
            hint: text("check the name"),
        },
        ForgeError::Refused {
            purpose: purpose(),
            status: 422,
            words: words(),
        },
        ForgeError::RateLimited {
            purpose: purpose(),
            until: "2026-01-05T09:00:00Z".parse().unwrap(),
        },
        ForgeError::Unavailable {
            purpose: purpose(),
            words: words(),
        },
        ForgeError::Deadline {
            purpose: purpose(),
            seconds: 60,
        },
        ForgeError::Enough {
            purpose: purpose(),
            calls: 300,
        },
        ForgeError::MayHaveHappened {
            purpose: text("create an issue"),
            words: words(),
        },
        ForgeError::Nonsense {
            purpose: purpose(),
            words: words(),
        },
    ]);
    said.inside([
        Silence::NotSent(text("connection refused")),
        Silence::Unknown(text("connection reset")),
        Silence::Unusable(text("no TLS")),
    ]);
}
