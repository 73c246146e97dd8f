//! Whose rules count: gates read them from where a change goes to, never from the change itself.

use super::base::Trigger;

/// Where rules are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The tip of this branch, as the remote has it now.
    Branch(String),
    /// The commit that the run was started for: what is on a branch of the repository is its own.
    Started,
    /// A person's machine: where the head left the remote's default branch, or the head where there is none.
    Local,
    /// What started the run is not known well enough.
    Nobody(String),
}

/// Decides where rules are read from. `base_branch` is what GitHub says beside the payload.
pub(crate) fn trust(trigger: &Trigger, base_branch: Option<&str>) -> Trust {
    match trigger {
        Trigger::PullRequest { base_branch, .. } => Trust::Branch(base_branch.clone()),
        Trigger::MergeGroup { .. } => match base_branch {
            Some(branch) => Trust::Branch(branch.to_owned()),
            None => Trust::Nobody("the merge queue does not say which branch it is for".into()),
        },
        Trigger::Unreadable(event) => match base_branch {
            Some(branch) => Trust::Branch(branch.to_owned()),
            None => Trust::Nobody(format!(
                "the payload of the event `{event}` could not be read"
            )),
        },
        // An event about a pull request may check out whatever its author likes.
        Trigger::Push { .. } | Trigger::Tag | Trigger::Other(_) => Trust::Started,
        Trigger::Local | Trigger::UnknownCi | Trigger::Disabled => Trust::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_from_where_a_change_goes_to() {
        let branch = |name: &str| Trust::Branch(name.to_owned());
        let pull_request = Trigger::PullRequest {
            base_branch: "main".into(),
            base_commit: "b".into(),
            head_commit: "h".into(),
            checkout: None,
        };
        assert_eq!(trust(&pull_request, Some("other")), branch("main"));
        let queue = Trigger::MergeGroup {
            base_commit: "b".into(),
        };
        assert_eq!(trust(&queue, Some("main")), branch("main"));
        assert!(matches!(trust(&queue, None), Trust::Nobody(_)));
        let unreadable = Trigger::Unreadable("pull_request".into());
        assert_eq!(trust(&unreadable, Some("main")), branch("main"));
        assert!(matches!(trust(&unreadable, None), Trust::Nobody(_)));
        assert_eq!(trust(&Trigger::Tag, None), Trust::Started);
        assert_eq!(trust(&Trigger::Local, None), Trust::Local);
    }
}
