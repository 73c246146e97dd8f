//! One comment, one issue, one draft: found again by a line of its own and by its author, written only when it changed.
//!
//! The key is a line that people see: what hides in an HTML comment can be planted by anybody who quotes it. Whoever wrote it must be us:
//! a line is copied easily, an author is not. GitHub has no way to make a comment unless there is one, so that two that begin at once
//! both make theirs: whoever looks last finds both, keeps the oldest and removes the rest.

/// Returns the line that marks a text as ours.
pub(crate) fn key(name: &str) -> String {
    format!("`maestro: {name}`")
}

/// Whether a text has the line.
pub(crate) fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.trim_end() == key)
}

/// Something that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Existing<'a> {
    pub(crate) id: u64,
    /// The account of its author; none where it is gone.
    pub(crate) author: Option<u64>,
    pub(crate) text: &'a str,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Update(u64),
    /// It says that already.
    Leave(u64),
}

/// What is to be done, and what is too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) step: Step,
    /// Later ones of ours with the same key.
    pub(crate) surplus: Vec<u64>,
}

/// Returns the oldest text of ours with the key: the one that stays.
pub(crate) fn oldest<'a>(
    existing: impl Iterator<Item = Existing<'a>>,
    me: u64,
    key: &str,
) -> Option<Existing<'a>> {
    let ours = existing.filter(|found| found.author == Some(me) && has_key(found.text, key));
    ours.min_by_key(|found| found.id)
}

/// Decides what to do so that there is one text of ours with the key, and it says this.
pub(crate) fn decide<'a>(
    existing: impl Iterator<Item = Existing<'a>>,
    me: u64,
    key: &str,
    text: &str,
) -> Decision {
    let mut ours: Vec<Existing<'a>> = existing
        .filter(|found| found.author == Some(me) && has_key(found.text, key))
        .collect();
    crate::order::sort_by_key(&mut ours, |found| found.id);
    let Some(first) = ours.first() else {
        return Decision {
            step: Step::Create,
            surplus: Vec::new(),
        };
    };
    let step = if same(first.text, text) {
        Step::Leave(first.id)
    } else {
        Step::Update(first.id)
    };
    Decision {
        step,
        surplus: ours[1..].iter().map(|found| found.id).collect(),
    }
}

/// Whether two texts are the same but for what GitHub itself changes: line breaks and the white space at the end.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let lines = |text: &'_ str| text.trim_end().replace("\r\n", "\n");
    lines(a) == lines(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "`maestro: pr`";

    fn existing(id: u64, author: u64, text: &str) -> Existing<'_> {
        Existing {
            id,
            author: Some(author),
            text,
        }
    }

    #[track_caller]
    fn check(found: &[Existing<'_>], step: Step, surplus: &[u64]) {
        let decision = decide(found.iter().copied(), 7, KEY, "new\n\n`maestro: pr`\n");
        assert_eq!(
            (decision.step, decision.surplus.as_slice()),
            (step, surplus)
        );
    }

    #[test]
    fn a_key_of_somebody_else_is_none() {
        check(&[existing(1, 8, "x\n`maestro: pr`")], Step::Create, &[]);
        check(
            &[existing(1, 7, "he wrote `maestro: pr` there")],
            Step::Create,
            &[],
        );
        check(&[existing(1, 7, "> `maestro: pr`")], Step::Create, &[]);
    }

    #[test]
    fn the_oldest_of_ours_stays() {
        let old = "old\n\n`maestro: pr`";
        check(
            &[
                existing(9, 7, old),
                existing(3, 7, old),
                existing(2, 8, old),
            ],
            Step::Update(3),
            &[9],
        );
    }

    #[test]
    fn what_says_it_already_is_left() {
        check(
            &[existing(3, 7, "new\r\n\r\n`maestro: pr`")],
            Step::Leave(3),
            &[],
        );
    }
}
