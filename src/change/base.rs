//! Against which commit a change is held: a table of what may have started the run.
//!
//! Rows follow GitHub's "Events that trigger workflows". A base that is not known is never nothing to do: everything runs, and the
//! reason says why.

/// What started the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A person, at a terminal.
    Local,
    /// A pull request.
    PullRequest {
        /// The branch that it wants to change.
        base_branch: String,
        /// Where that branch was when the pull request last moved; others may have moved it since.
        base_commit: String,
        /// The author's last commit.
        head_commit: String,
        /// The commit that the workflow was started for; of `pull_request`, a merge that GitHub made.
        checkout: Option<String>,
    },
    /// A merge queue tries what it may merge next.
    MergeGroup {
        /// What the queue puts it on.
        base_commit: String,
    },
    /// Somebody pushed to a branch.
    Push {
        /// Its short name.
        branch: String,
        /// The default branch, where the event names it.
        default_branch: Option<String>,
        /// Whether the push deleted it.
        deleted: bool,
    },
    /// Somebody pushed a tag.
    Tag,
    /// Another event, by its name.
    Other(String),
    /// A CI service that is not GitHub Actions, or hides what started the run.
    UnknownCi,
    /// An event whose payload is not there, or not as expected.
    Unreadable(String),
    /// An organisation has switched maestro off.
    Disabled,
}

/// The commit that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Full object id.
    pub(crate) object: String,
    /// Full object ids of its parents; a shallow clone may not hold them.
    pub(crate) parents: Vec<String>,
    /// Full object id of its tree.
    pub(crate) tree: String,
}

/// Where the base is to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// A revision that a person gave; it must be there. The change began where the head left it.
    Given(String),
    /// That commit itself, and where to fetch it from when it is not here.
    Commit(String),
    /// Where the head left the first of these revisions that is here.
    ForkPoint {
        /// Full names or object ids.
        revisions: Vec<String>,
        /// The remote's branch that a shallow clone is deepened along.
        branch: Option<String>,
        /// What to take when none of them is here.
        otherwise: Otherwise,
    },
    /// The newest commit of a branch whose run passed.
    LastGreen {
        /// Its short name.
        branch: String,
        /// What to take when it is not known.
        otherwise: Box<Self>,
    },
    /// There is none: everything runs.
    Everything {
        /// The reason's code.
        code: &'static str,
        /// The reason, for people.
        detail: String,
    },
}

/// What to take when no revision of a fork point is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Everything runs.
    Everything,
    /// The commit before the head.
    FirstParent,
}

/// Codes of reasons for which everything runs before any file is looked at.
pub(crate) mod codes {
    pub(crate) const BASE_MISSING: &str = "base-missing";
    pub(crate) const NO_COMMON_ANCESTOR: &str = "no-common-ancestor";
    pub(crate) const FIRST_COMMIT: &str = "first-commit";
    pub(crate) const HEAD_UNKNOWN: &str = "head-unknown";
    pub(crate) const LAST_GREEN_UNKNOWN: &str = "last-green-unknown";
    pub(crate) const EVENT: &str = "event";
    pub(crate) const EVENT_UNREADABLE: &str = "event-unreadable";
    pub(crate) const DISABLED: &str = "disabled";
    pub(crate) const TAG: &str = "tag";
    pub(crate) const BRANCH_DELETED: &str = "branch-deleted";
}

/// Decides where the base is to be looked for.
pub(crate) fn decide(given: Option<&str>, trigger: &Trigger, head: &Commit) -> Base {
    if *trigger == Trigger::Disabled {
        return Base::Everything {
            code: codes::DISABLED,
            detail: "MAESTRO_DISABLE is set: everything runs".to_owned(),
        };
    }
    if let Some(given) = given {
        return Base::Given(given.to_owned());
    }
    match trigger {
        Trigger::Unreadable(name) => Base::Everything {
            code: codes::EVENT_UNREADABLE,
            detail: format!("the payload of the event `{name}` could not be read"),
        },
        Trigger::UnknownCi => Base::Everything {
            code: codes::EVENT,
            detail: "what started this run is not known: everything runs (`--base` names what to compare with)"
                .to_owned(),
        },
        Trigger::Local | Trigger::Disabled => local(),
        Trigger::PullRequest {
            base_branch,
            base_commit,
            head_commit,
            checkout,
        } => {
            let is_checkout = checkout.as_deref() == Some(head.object.as_str());
            match &head.parents[..] {
                // GitHub's merge: what came in is exactly what differs from its first parent.
                [first, second]
                    if second == head_commit || is_checkout && head.object != *head_commit =>
                {
                    Base::Commit(first.clone())
                }
                _ if head.object == *head_commit => Base::ForkPoint {
                    // The event's base is where the branch was then, and would charge others' merges to this pull request.
                    revisions: vec![
                        format!("refs/remotes/origin/{base_branch}"),
                        base_commit.clone(),
                    ],
                    branch: Some(base_branch.clone()),
                    otherwise: Otherwise::Everything,
                },
                _ => Base::Everything {
                    code: codes::HEAD_UNKNOWN,
                    detail: format!(
                        "what is checked out, {}, is neither the pull request's head nor its merge",
                        short(&head.object)
                    ),
                },
            }
        }
        Trigger::MergeGroup { base_commit } => Base::Commit(base_commit.clone()),
        Trigger::Push {
            deleted: true,
            branch,
            ..
        } => Base::Everything {
            code: codes::BRANCH_DELETED,
            detail: format!("the push deleted `{branch}`"),
        },
        Trigger::Push {
            branch,
            default_branch,
            ..
        } => Base::LastGreen {
            branch: branch.clone(),
            otherwise: Box::new(push_without_green(branch, default_branch.as_deref())),
        },
        Trigger::Tag => Base::Everything {
            code: codes::TAG,
            detail: "a tag is what is released: everything runs".to_owned(),
        },
        Trigger::Other(name) => Base::Everything {
            code: codes::EVENT,
            detail: format!("the event `{name}` changes nothing: everything runs"),
        },
    }
}

fn push_without_green(branch: &str, default_branch: Option<&str>) -> Base {
    match default_branch {
        // What the last push brought is not what differs from something that passed.
        Some(default) if default != branch => Base::ForkPoint {
            revisions: vec![format!("refs/remotes/origin/{default}")],
            branch: Some(default.to_owned()),
            otherwise: Otherwise::Everything,
        },
        _ => Base::Everything {
            code: codes::LAST_GREEN_UNKNOWN,
            detail: format!("no commit of `{branch}` is known to have passed"),
        },
    }
}

fn local() -> Base {
    let names = [
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/main",
        "refs/remotes/origin/master",
        "refs/remotes/upstream/HEAD",
        "refs/remotes/upstream/main",
        "refs/remotes/upstream/master",
    ];
    Base::ForkPoint {
        revisions: names.map(str::to_owned).to_vec(),
        branch: None,
        otherwise: Otherwise::FirstParent,
    }
}

/// Returns as much of an object id as people read.
pub(crate) fn short(object: &str) -> &str {
    &object[..object.floor_char_boundary(9)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(object: &str, parents: &[&str]) -> Commit {
        Commit {
            object: object.into(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            tree: "tree".into(),
        }
    }

    fn pull_request(checkout: Option<&str>) -> Trigger {
        Trigger::PullRequest {
            base_branch: "main".into(),
            base_commit: "old-base".into(),
            head_commit: "head".into(),
            checkout: checkout.map(str::to_owned),
        }
    }

    fn push(branch: &str, default_branch: Option<&str>) -> Trigger {
        Trigger::Push {
            branch: branch.into(),
            default_branch: default_branch.map(str::to_owned),
            deleted: false,
        }
    }

    #[track_caller]
    fn check(trigger: &Trigger, head: &Commit, expected: &str) {
        assert_eq!(shown(&decide(None, trigger, head)), expected);
    }

    fn shown(base: &Base) -> String {
        match base {
            Base::Given(given) => format!("given {given}"),
            Base::Commit(commit) => format!("commit {commit}"),
            Base::ForkPoint { revisions, .. } => {
                format!("fork point of {}", revisions.join(" or "))
            }
            Base::LastGreen { branch, otherwise } => {
                format!("last green of {branch}, else {}", shown(otherwise))
            }
            Base::Everything { code, .. } => format!("everything: {code}"),
        }
    }

    #[test]
    fn a_pull_request_is_held_against_what_it_was_merged_onto() {
        check(
            &pull_request(None),
            &commit("merge", &["tip", "head"]),
            "commit tip",
        );
        check(
            &pull_request(Some("merge")),
            &commit("merge", &["tip", "head"]),
            "commit tip",
        );
        // The merge of a newer head than the event knows.
        check(
            &pull_request(Some("merge")),
            &commit("merge", &["tip", "newer"]),
            "commit tip",
        );
    }

    #[test]
    fn a_pull_requests_own_head_is_held_against_where_it_left() {
        let expected = "fork point of refs/remotes/origin/main or old-base";
        check(
            &pull_request(Some("merge")),
            &commit("head", &["before"]),
            expected,
        );
        // An author who merged the branch into theirs has a merge on top that is not GitHub's.
        check(
            &pull_request(Some("merge")),
            &commit("head", &["before", "tip"]),
            expected,
        );
        check(
            &pull_request(Some("head")),
            &commit("head", &["before", "tip"]),
            expected,
        );
    }

    #[test]
    fn what_is_no_part_of_the_pull_request_runs_everything() {
        check(
            &pull_request(None),
            &commit("tip", &["x"]),
            "everything: head-unknown",
        );
        check(
            &pull_request(Some("tip")),
            &commit("tip", &["x"]),
            "everything: head-unknown",
        );
    }

    #[test]
    fn a_merge_at_the_tip_of_the_base_is_another_pull_requests() {
        check(
            &pull_request(None),
            &commit("tip", &["before", "other-head"]),
            "everything: head-unknown",
        );
    }

    #[test]
    fn a_push_is_held_against_what_passed_and_never_against_what_was_there() {
        let head = commit("h", &["p"]);
        check(
            &push("main", Some("main")),
            &head,
            "last green of main, else everything: last-green-unknown",
        );
        check(
            &push("topic", Some("main")),
            &head,
            "last green of topic, else fork point of refs/remotes/origin/main",
        );
        check(
            &push("topic", None),
            &head,
            "last green of topic, else everything: last-green-unknown",
        );
    }

    #[test]
    fn what_changes_nothing_runs_everything() {
        let head = commit("h", &["p"]);
        check(&Trigger::Tag, &head, "everything: tag");
        check(
            &Trigger::Other("schedule".into()),
            &head,
            "everything: event",
        );
        check(
            &Trigger::MergeGroup {
                base_commit: "b".into(),
            },
            &head,
            "commit b",
        );
    }

    #[test]
    fn what_a_person_gives_counts_before_everything_else() {
        let head = commit("h", &["p"]);
        for trigger in [Trigger::Tag, Trigger::Local, pull_request(None)] {
            assert_eq!(decide(Some("x"), &trigger, &head), Base::Given("x".into()));
        }
    }
}
