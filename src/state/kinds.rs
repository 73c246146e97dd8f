//! The kinds of event: who owns each, who writes it, and whether a job that runs a pull request's code may send it.

/// A kind of event.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The room of the source that knows its payload.
    pub(crate) room: &'static str,
    /// The commands that write it.
    pub(crate) writers: &'static [&'static str],
    /// Whether it is taken from an artifact. Artifacts come from jobs that run a pull request's code: what they say is
    /// what that code wants.
    pub(crate) from_artifacts: bool,
    /// Whether its payload will not change any more, except by new fields.
    pub(crate) is_frozen: bool,
}

macro_rules! kinds {
    ($($name:literal in $room:literal by [$($writer:literal),+] $(, $flag:ident)*;)+) => {
        /// Every kind that this version knows. One that is not here is kept and not read.
        pub(crate) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            room: $room,
            writers: &[$($writer),+],
            from_artifacts: kinds!(@has from_artifacts $($flag)*),
            is_frozen: kinds!(@has is_frozen $($flag)*),
        }),+];
    };
    (@has $flag:ident) => { false };
    (@has from_artifacts from_artifacts $($rest:ident)*) => { true };
    (@has is_frozen is_frozen $($rest:ident)*) => { true };
    (@has $flag:ident $other:ident $($rest:ident)*) => { kinds!(@has $flag $($rest)*) };
}

kinds! {
    "agent_run" in "agents" by ["run-agents"], from_artifacts, is_frozen;
    "cursor" in "state" by ["dora", "flakes backfill", "state sync"], is_frozen;
    "decision" in "report" by ["learning-pack"], is_frozen;
    "delivery_row" in "delivery" by ["dora", "state sync"], is_frozen;
    "issue_link" in "flakes" by ["flakes escalate"], is_frozen;
    "kpi" in "delivery" by ["dora kpi"], is_frozen;
    "late" in "state" by ["state fold"], is_frozen;
    "lease" in "budget" by ["budget", "run-agents", "gateway"], is_frozen;
    "notification" in "notify" by ["gate", "learning-pack", "notify", "state sync"], is_frozen;
    "override" in "gate" by ["gate"], is_frozen;
    "plan" in "plan" by ["plan"], from_artifacts, is_frozen;
    "policy_verdict" in "policy" by ["check-policy", "gate"], is_frozen;
    "provenance_index" in "provenance" by ["provenance generate"], is_frozen;
    "spend" in "budget" by ["budget", "run-agents", "gateway"], is_frozen;
    "test_list" in "flakes" by ["flakes ingest", "flakes backfill", "exec"], from_artifacts, is_frozen;
    "test_rollup" in "flakes" by ["state compact"], is_frozen;
    "test_run" in "flakes" by ["flakes ingest", "flakes backfill", "exec"], from_artifacts, is_frozen;
    "test_timing" in "flakes" by ["flakes ingest", "flakes backfill", "exec"], from_artifacts, is_frozen;
}

/// Returns what is known of a kind.
pub(crate) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_sorted_and_each_is_there_once() {
        assert!(KINDS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn verdicts_money_and_overrides_are_never_taken_from_artifacts() {
        for name in [
            "override",
            "policy_verdict",
            "lease",
            "spend",
            "cursor",
            "decision",
            "issue_link",
            "kpi",
            "notification",
            "provenance_index",
        ] {
            assert!(!find(name).unwrap().from_artifacts, "{name}");
        }
    }
}
