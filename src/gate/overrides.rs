//! Overrides: a person lets something pass, with a reason, for one head, for a while.

use jiff::{SignedDuration, Timestamp};

use super::Problem;

/// How a comment begins that overrides.
pub(crate) const COMMAND: &str = "/maestro override";

/// How a label begins that overrides; the rule follows.
pub(crate) const LABEL: &str = "maestro-override:";

/// A longer reason is cut.
const LONGEST_REASON: usize = 500;

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) who: String,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    /// When it was last changed.
    pub(crate) changed: Timestamp,
    /// Where it was said.
    pub(crate) place: String,
}

/// One that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) who: String,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) place: String,
}

/// Why one does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was said before this head was there.
    OtherHead,
    /// Its time is over.
    Expired,
    /// Its words were changed after they were written.
    Edited,
    /// It gives no reason.
    NoReason,
    /// Whoever said it may not.
    NotAllowed,
}

impl Refused {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::OtherHead => "it was said of an earlier head; say it again",
            Self::Expired => "its time is over",
            Self::Edited => "it was changed afterwards; write a new one",
            Self::NoReason => "it gives no reason",
            Self::NotAllowed => "whoever said it is not among `overrides` on the base",
        }
    }
}

/// Reads the overrides of a comment: lines that begin with the command, outside of quotes.
pub(crate) fn of_comment(body: &str) -> Vec<(String, String)> {
    let lines = body.lines().filter_map(|line| {
        let rest = line.strip_prefix(COMMAND)?;
        let rest = rest.strip_prefix([' ', '\t'])?.trim();
        let (rule, reason) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let end = reason.floor_char_boundary(LONGEST_REASON);
        (!rule.is_empty()).then(|| (rule.to_owned(), reason[..end].trim().to_owned()))
    });
    lines.collect()
}

/// Returns the rule that a label overrides.
pub(crate) fn of_label(name: &str) -> Option<&str> {
    let rule = name.strip_prefix(LABEL)?.trim();
    (!rule.is_empty()).then_some(rule)
}

/// By what overrides are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// When the head came, as the server noted it; a commit's own time is whatever its author says.
    pub(crate) head_at: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) lasts: SignedDuration,
}

/// Decides whether a claim counts, but for who said it.
pub(crate) fn counts(claim: &Claim, terms: &Terms) -> Result<Override, Refused> {
    if claim.at < terms.head_at {
        return Err(Refused::OtherHead);
    }
    if claim.changed > claim.at {
        return Err(Refused::Edited);
    }
    if claim.reason.is_empty() {
        return Err(Refused::NoReason);
    }
    let expires = claim.at.saturating_add(terms.lasts).unwrap_or(claim.at);
    if terms.now >= expires {
        return Err(Refused::Expired);
    }
    Ok(Override {
        who: claim.who.clone(),
        rule: claim.rule.clone(),
        reason: claim.reason.clone(),
        at: claim.at,
        expires,
        place: claim.place.clone(),
    })
}

/// Lets pass what overrides name; returns those that were used.
pub(crate) fn apply(problems: &mut [Problem], overrides: &[Override]) -> Vec<Override> {
    let mut used = Vec::new();
    for one in overrides {
        let mut is_used = false;
        for problem in problems
            .iter_mut()
            .filter(|problem| problem.rule == one.rule)
        {
            problem.overridden.get_or_insert_with(|| one.clone());
            is_used = true;
        }
        if is_used {
            used.push(one.clone());
        }
    }
    used
}

#[cfg(test)]
impl Override {
    pub(super) fn for_tests() -> Self {
        Self {
            who: "ada".into(),
            rule: "r".into(),
            reason: "why".into(),
            at: Timestamp::UNIX_EPOCH,
            expires: Timestamp::UNIX_EPOCH,
            place: "here".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Capability, Problem};
    use super::*;

    #[test]
    fn comments_and_labels_name_the_rule() {
        let of = |body: &str| of_comment(body);
        let one = |rule: &str, reason: &str| vec![(rule.to_owned(), reason.to_owned())];
        assert_eq!(
            of("/maestro override license-denied agreed with legal"),
            one("license-denied", "agreed with legal")
        );
        assert_eq!(
            of("Hello\r\n/maestro override size it is generated\r\n"),
            one("size", "it is generated")
        );
        assert_eq!(of("/maestro override size"), one("size", ""));
        for body in [
            "> /maestro override size quoted",
            "say /maestro override size x",
            "/maestro overrides size x",
            "/maestro override",
            "/maestro override  ",
        ] {
            assert_eq!(of(body), [], "{body}");
        }
        assert_eq!(of_label("maestro-override:size"), Some("size"));
        assert_eq!(of_label("maestro-override:"), None);
        assert_eq!(of_label("size"), None);
    }

    fn claim(at: i64, changed: i64, reason: &str) -> Claim {
        let time = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        Claim {
            who: "ada".into(),
            rule: "size".into(),
            reason: reason.into(),
            at: time(at),
            changed: time(changed),
            place: "here".into(),
        }
    }

    #[test]
    fn an_override_is_for_this_head_for_a_while_and_as_it_was_written() {
        let time = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let terms = Terms {
            head_at: time(100),
            now: time(200),
            lasts: SignedDuration::from_secs(60),
        };
        let said = |at, changed, reason| {
            counts(&claim(at, changed, reason), &terms).map(|one| one.expires)
        };
        assert_eq!(said(150, 150, "why"), Ok(time(210)));
        assert_eq!(said(99, 99, "why"), Err(Refused::OtherHead));
        assert_eq!(said(99, 150, "why"), Err(Refused::OtherHead));
        assert_eq!(said(150, 151, "why"), Err(Refused::Edited));
        assert_eq!(said(140, 140, "why"), Err(Refused::Expired));
        assert_eq!(said(150, 150, ""), Err(Refused::NoReason));
    }

    #[test]
    fn only_the_named_rule_passes() {
        let problem = |rule: &str| Problem::new(Capability::Policy, rule, "a", "w", "f");
        let mut problems = [problem("size"), problem("title"), problem("size")];
        let one = Override {
            rule: "size".into(),
            ..Override::for_tests()
        };
        let other = Override {
            rule: "none".into(),
            ..Override::for_tests()
        };
        let used = apply(&mut problems, &[one.clone(), other]);
        assert_eq!(used, [one]);
        let passed: Vec<bool> = problems
            .iter()
            .map(|one| one.overridden.is_some())
            .collect();
        assert_eq!(passed, [true, false, true]);
    }
}
