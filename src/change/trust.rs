//! Whose rules count: gates read them from where a change goes to, never from the change itself.

use super::base::Trigger;

/// Where rules are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The tip of this branch, as the remote has it now.
    Branch(String),
    /// The commit that the run was started for, which is on the default branch.
    Started,
    /// A person's machine: where the head left the remote's default branch, or the head where there is none.
    Local,
    /// What started the run is not known well enough.
    Nobody(String),
}

/// What GitHub says of branches, beside what the trigger says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Branches {
    /// Where a pull request or merge queue goes to.
    pub(crate) base: Option<String>,
    /// The repository's default branch.
    pub(crate) default: Option<String>,
    /// What the run is on, if that is a branch.
    pub(crate) current: Option<String>,
}

/// Decides where rules are read from. Whoever may push a branch may not thereby excuse what is on it: only the default branch is its own
/// judge.
pub(crate) fn trust(trigger: &Trigger, branches: &Branches) -> Trust {
    let base = |why: &str| match &branches.base {
        Some(branch) => Trust::Branch(branch.clone()),
        None => Trust::Nobody(why.to_owned()),
    };
    match trigger {
        Trigger::PullRequest { base_branch, .. } => Trust::Branch(base_branch.clone()),
        Trigger::MergeGroup { .. } => base("the merge queue does not say which branch it is for"),
        Trigger::Unreadable(event) => base(&format!(
            "the payload of the event `{event}` could not be read"
        )),
        Trigger::Push { .. } | Trigger::Tag | Trigger::Other(_) => match &branches.default {
            Some(default) if branches.current.as_ref() == Some(default) => Trust::Started,
            Some(default) => Trust::Branch(default.clone()),
            None => Trust::Nobody("the event does not say which branch is the default one".into()),
        },
        Trigger::UnknownCi => Trust::Nobody("what started this run is not known".into()),
        Trigger::Local | Trigger::Disabled => Trust::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(base: &str, default: &str, current: &str) -> Branches {
        let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Branches {
            base: some(base),
            default: some(default),
            current: some(current),
        }
    }

    fn branch(name: &str) -> Trust {
        Trust::Branch(name.to_owned())
    }

    #[track_caller]
    fn nobody(trigger: &Trigger, branches: &Branches) {
        let trust = trust(trigger, branches);
        assert!(matches!(trust, Trust::Nobody(_)), "{trust:?}");
    }

    #[test]
    fn rules_come_from_where_a_change_goes_to() {
        let pull_request = Trigger::PullRequest {
            base_branch: "main".into(),
            base_commit: "b".into(),
            head_commit: "h".into(),
            checkout: None,
        };
        assert_eq!(
            trust(&pull_request, &branches("other", "other", "")),
            branch("main")
        );
        let queue = Trigger::MergeGroup {
            base_commit: "b".into(),
        };
        assert_eq!(trust(&queue, &branches("next", "main", "")), branch("next"));
        nobody(&queue, &branches("", "main", ""));
        let unreadable = Trigger::Unreadable("pull_request".into());
        assert_eq!(
            trust(&unreadable, &branches("main", "", "")),
            branch("main")
        );
        nobody(&unreadable, &branches("", "main", ""));
    }

    #[test]
    fn only_the_default_branch_is_its_own_judge() {
        let push = |name: &str| Trigger::Push {
            branch: name.into(),
            default_branch: None,
            deleted: false,
        };
        assert_eq!(
            trust(&push("main"), &branches("", "main", "main")),
            Trust::Started
        );
        assert_eq!(
            trust(&push("topic"), &branches("", "main", "topic")),
            branch("main")
        );
        nobody(&push("topic"), &branches("", "", "topic"));
        assert_eq!(
            trust(&Trigger::Tag, &branches("", "main", "")),
            branch("main")
        );
        let dispatch = Trigger::Other("workflow_dispatch".into());
        assert_eq!(
            trust(&dispatch, &branches("", "main", "topic")),
            branch("main")
        );
        assert_eq!(
            trust(&dispatch, &branches("", "main", "main")),
            Trust::Started
        );
    }

    #[test]
    fn only_a_persons_own_machine_judges_itself() {
        assert_eq!(trust(&Trigger::Local, &Branches::default()), Trust::Local);
        nobody(&Trigger::UnknownCi, &branches("", "main", "main"));
    }
}
