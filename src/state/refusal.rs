//! Why parts of an artifact are refused.

/// What was found is shown up to here.
const LONGEST_SHOWN: usize = 160;

macro_rules! reasons {
    ($($name:ident = $code:literal, $meaning:literal;)+) => {
        /// Why something of an artifact is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Reason {
            $(#[doc = $meaning] $name,)+
        }

        impl Reason {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub(crate) fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }
        }
    };
}

reasons! {
    Link = "artifact/link", "It is a link; what it points to is nobody's business.";
    Path = "artifact/path", "Its path leads out of the artifact, or is no plain path.";
    Unreadable = "artifact/unreadable", "It cannot be unpacked or read.";
    TooManyFiles = "artifact/too-many-files", "The artifact has more files than any job's tests leave.";
    TooManyBytes = "artifact/too-many-bytes", "The artifact is larger, once unpacked, than any job's tests leave.";
    TooManyEvents = "artifact/too-many-events", "The artifact has more events than any job's tests leave.";
    ForeignRepository = "artifact/foreign-repository", "The pack is from another repository.";
    WrongCount = "artifact/wrong-count", "The pack has another number of events than its head says.";
    WrongDigest = "artifact/wrong-digest", "The pack's bytes are not those that its head is about.";
    Damaged = "artifact/damaged", "The line is no event.";
    Newer = "artifact/newer", "The event is of a newer version than this maestro understands.";
    WrongId = "artifact/wrong-id", "The event's id does not match its content.";
    BadPayload = "artifact/bad-payload", "The event's payload is not of its kind's shape.";
    UnknownKind = "artifact/unknown-kind", "The event's kind is not known here, so nothing of it can be checked.";
    KindNotAllowed = "artifact/kind-not-allowed", "A job that runs a pull request's code may not write events of this kind.";
    ForeignRun = "artifact/foreign-run", "The event is of another run, attempt or job than the artifact.";
    BadName = "artifact/bad-name", "A name in the event is longer than names are, or has control characters.";
    BadTime = "artifact/bad-time", "The event's time lies in the future, or before anything that is still kept.";
    TooLong = "artifact/too-long", "The event is longer than a list of a million tests.";
    NoList = "artifact/no-list", "The list of tests that it stands on is neither in the artifact nor stored.";
    TooManyResults = "artifact/too-many-results", "The artifact has more results, or longer lists, than any job's tests leave.";
    GivenUp = "artifact/given-up", "So much was refused before that nobody looked at the rest.";
}

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) file: String,
    /// From one; none for a whole file.
    pub(crate) line: Option<u64>,
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

/// Returns a stranger's text as it may be shown: what acts instead of being seen is spelled out, and it is short.
pub(super) fn harmless(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(LONGEST_SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LONGEST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_strangers_text_is_short_and_inert() {
        assert_eq!(harmless("a\u{1b}[2J\u{202e}\n"), "a\\u{1b}[2J\\u{202e}\\n");
        assert_eq!(
            harmless(&"x".repeat(1000)).chars().count(),
            LONGEST_SHOWN + 1
        );
    }

    #[test]
    fn codes_are_different_and_plain() {
        let codes: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| reason.meaning().ends_with('.'))
        );
    }
}
