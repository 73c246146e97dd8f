//! Why a row was not counted, and what there is to say of one that was.

/// An enum of which each variant has a code, for programs, and words, for people.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $code:literal $words:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($variant,)+
        }

        impl $name {
            pub(crate) fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            pub(crate) fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }
        }
    };
}

coded! {
    /// Why a row was not counted.
    Reason {
        Open "open" "the pull request is still open",
        Unmerged "unmerged" "the pull request was closed and not merged",
        OtherBase "other-base" "it was merged into another branch",
        OtherPath "other-path" "it changes nothing below the path that was asked for",
        StartUnknown "start-unknown" "it was squashed, and git does not say when its first commit was made; GitHub does",
        CommitUnknown "commit-unknown" "its commit is not in the history that was read",
        FirstDeployment "first-deployment" "it came with the first deployment that is known, before which nothing is known",
        NotShipped "not-shipped" "nothing that came later holds it yet",
        OutsideWindow "outside-window" "it lies outside of the time that was asked for",
        InFuture "in-future" "it lies after the time that was taken for the present",
        Negative "negative" "its time is negative, which this definition drops",
        NotPositive "not-positive" "its time is zero or negative, which this definition drops",
        OtherEnvironment "other-environment" "it went to another environment",
        NeverSucceeded "never-succeeded" "it never succeeded, so that nothing reached anybody",
        InProgress "in-progress" "it has not ended",
        OtherWorkflow "other-workflow" "the workflow does not deploy",
        OtherBranch "other-branch" "it ran for another branch or a pull request",
        EarlierAttempt "earlier-attempt" "another attempt of the same run was the one that deployed",
        Draft "draft" "the release is a draft",
        PreRelease "pre-release" "it is a pre-release",
        NotAVersion "not-a-version" "the tag's name is no version",
        SameCommit "same-commit" "another tag or release of the same commit was counted",
        OtherSource "other-source" "deployments were taken from another source",
        NothingBefore "nothing-before" "no deployment came before it",
        TooLate "too-late" "the last deployment before it is too old to be the cause",
        BeforeShipping "before-shipping" "what it takes back was not deployed before",
        OtherEvent "other-event" "it was started by something else than a push, a pull request or a merge queue",
        Deploys "deploys" "the workflow deploys",
        Cancelled "cancelled" "it was cancelled or skipped, or waits for somebody: nobody had an answer from it",
        Shorter "shorter" "another run of the same commit took longer",
        Outage "outage" "so much failed at once that it says nothing about single tests",
        NotOfAgents "not-of-agents" "no agent wrote it",
        NoPull "no-pull" "it was paid for no pull request",
        Unpriced "unpriced" "some of its calls have no price",
        Free "free" "nothing was spent on it, and no agent wrote it",
        Recorded "recorded" "its answers came from a file, and no model was asked",
        Stopped "stopped" "a person stopped it",
    }
}

coded! {
    /// What there is to say of a row that was counted.
    Remark {
        Rewritten "rewritten" "its commits were made anew after it was opened; the clock starts when it was opened",
        NoCommits "no-commits" "its commits are not known; the clock starts when it was opened",
        Clamped "clamped" "clocks disagree: its end lies before its start, and it counts as zero",
        Zero "zero" "no time passed",
        ByTime "by-time" "commits are not known, so that the next deployment after the merge was taken",
        Inferred "inferred" "the last deployment before it was taken for the cause",
        Reverted "reverted" "a change that it brought was taken back",
        RolledBack "rolled-back" "the next deployment was of an older commit",
        Status "status" "its own status became a failure after it had succeeded",
        StillOpen "still-open" "nobody has recovered from it yet",
        ByAuthorDate "by-author-date" "git alone: the clock starts with the earliest author date of the merged branch",
        AuthorDateOnly "author-date-only" "git alone: one commit without a branch; the clock starts with its author date",
        PartDropped "part-dropped" "a part of it would be negative, which this definition leaves out",
    }
}
