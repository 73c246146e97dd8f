//! What a commit of a run says: a subject, a few words, and trailers that tell which run, task, role and model it is of and what it did cost.
//!
//! Trailers are the last paragraph of a message (git-interpret-trailers(1)); here it holds ours and nothing else. Models write the rest: nothing in
//! it calls anybody, closes an issue, lets CI be skipped (docs.github.com, "Skipping workflow runs") or passes for a trailer.

use crate::inert::is_unseen;
use crate::money::Usd;

const RUN: &str = "Maestro-Run";
const TASK: &str = "Maestro-Task";
const ROLE: &str = "Maestro-Role";
const MODEL: &str = "Maestro-Model";
const COST: &str = "Maestro-Cost";

/// No value is longer.
const LONGEST_VALUE: usize = 100;

/// A subject that is longer is cut off in every list of commits.
const LONGEST_SUBJECT: usize = 72;

/// Nobody reads more of a commit's message.
const LONGEST_BODY: usize = 4000;

/// Who writes the commits of a run.
pub(crate) const NAME: &str = "maestro";
pub(crate) const EMAIL: &str = "maestro@localhost";

/// What a commit is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailers {
    pub(crate) run: String,
    pub(crate) task: Option<String>,
    pub(crate) role: Option<String>,
    /// Those that were asked, in order.
    pub(crate) models: Vec<String>,
    pub(crate) cost: Option<Usd>,
}

/// Why a message has no trailers of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoTrailers {
    #[error("its message names no run (`{RUN}:`)")]
    NoRun,
    #[error("its message has `{0}` twice")]
    Twice(&'static str),
    #[error("its message has a value of `{0}` that maestro does not write")]
    Odd(&'static str),
}

/// Lays out a commit's message.
pub(crate) fn message(subject: &str, body: &str, trailers: &Trailers) -> String {
    let mut message = self::subject(subject);
    let body = self::body(body);
    if !body.is_empty() {
        message.push_str("\n\n");
        message.push_str(&body);
    }
    message.push_str("\n\n");
    let mut add = |name: &str, value: &str| {
        message.push_str(&format!("{name}: {}\n", plain(value)));
    };
    add(RUN, &trailers.run);
    if let Some(task) = &trailers.task {
        add(TASK, task);
    }
    if let Some(role) = &trailers.role {
        add(ROLE, role);
    }
    for model in &trailers.models {
        add(MODEL, model);
    }
    if let Some(cost) = trailers.cost {
        add(COST, &cost.to_string());
    }
    message
}

/// Reads the trailers of a message.
pub(crate) fn read(message: &str) -> Result<Trailers, NoTrailers> {
    let paragraph = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let (mut run, mut task, mut role, mut cost) = (None, None, None, None);
    let mut models = Vec::new();
    for line in paragraph.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let slots = [
            (RUN, &mut run),
            (TASK, &mut task),
            (ROLE, &mut role),
            (COST, &mut cost),
        ];
        let Some((known, slot)) = slots
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        else {
            if name.eq_ignore_ascii_case(MODEL) {
                models.push(known(MODEL, value)?);
            }
            continue;
        };
        if slot.replace(self::known(known, value)?).is_some() {
            return Err(NoTrailers::Twice(known));
        }
    }
    let cost = match cost {
        Some(cost) => Some(cost.parse().map_err(|_| NoTrailers::Odd(COST))?),
        None => None,
    };
    Ok(Trailers {
        run: run.ok_or(NoTrailers::NoRun)?,
        task,
        role,
        models,
        cost,
    })
}

fn known(name: &'static str, value: &str) -> Result<String, NoTrailers> {
    let is_ours = !value.is_empty() && plain(value) == value;
    is_ours
        .then(|| value.to_owned())
        .ok_or(NoTrailers::Odd(name))
}

/// Returns a value in which nothing can be said.
fn plain(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:/+-".contains(c);
    let plain = value
        .trim()
        .chars()
        .take(LONGEST_VALUE)
        .map(|c| if is_plain(c) { c } else { '_' });
    let plain: String = plain.collect();
    if plain.is_empty() {
        "_".to_owned()
    } else {
        plain
    }
}

/// Returns a subject: one line, not too long, that acts on nothing.
pub(crate) fn subject(text: &str) -> String {
    subject_of(text, LONGEST_SUBJECT)
}

/// Returns the same of another length.
pub(crate) fn subject_of(text: &str, longest: usize) -> String {
    let line = quiet(&one_line(text));
    let mut subject: String = line.chars().take(longest).collect();
    if subject.len() < line.len() {
        subject.pop();
        subject.push('…');
    }
    let subject = subject.trim().trim_start_matches(['#', '-']).trim();
    if subject.is_empty() {
        return "Change files".to_owned();
    }
    subject.to_owned()
}

/// Returns a body; none of its lines passes for a trailer, and no paragraph for the last one.
fn body(text: &str) -> String {
    let mut body = String::new();
    let mut blank = 0;
    for line in text.lines() {
        let line = quiet(&one_line(line));
        if line.is_empty() {
            blank += 1;
            continue;
        }
        if !body.is_empty() {
            body.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        if is_like_a_trailer(&line) {
            body.push_str("> ");
        }
        body.push_str(&line);
        if body.len() > LONGEST_BODY {
            let cut: String = body.chars().take(LONGEST_BODY / 4).collect();
            return format!("{}\n(cut here)", cut.trim_end());
        }
    }
    body
}

/// Whether a line is `Some-Words: value`, as `Signed-off-by` and `Co-authored-by` are.
fn is_like_a_trailer(line: &str) -> bool {
    let Some((name, _)) = line.split_once([':', '=']) else {
        return false;
    };
    let name = name.trim();
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Returns text on one line, without what cannot be seen.
fn one_line(text: &str) -> String {
    let seen = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let seen: String = seen.filter(|c| !c.is_control() && !is_unseen(*c)).collect();
    seen.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Words by which GitHub skips workflows, in brackets.
const SKIP: [&str; 5] = [
    "skip ci",
    "ci skip",
    "no ci",
    "skip actions",
    "actions skip",
];

/// Takes out what GitHub acts on: calls, references, addresses, and the words that skip CI.
fn quiet(line: &str) -> String {
    let mut quiet = String::with_capacity(line.len() + 8);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let next = after.chars().next();
        match c {
            // What stands for a reference begins with a letter, and would be called.
            '@' if next.is_some_and(char::is_alphanumeric) || is_reference(after) => {
                quiet.push_str("(at)");
            }
            '#' if is_reference(rest) => quiet.push_str("no. "),
            '-' if ends_with_gh(&quiet) && next.is_some_and(|c| c.is_ascii_digit()) => {
                quiet.push(' ');
            }
            ':' if after.starts_with("//") => quiet.push_str(": "),
            '[' if SKIP.iter().any(|words| is_bracketed(after, words)) => quiet.push('('),
            c => quiet.push(c),
        }
        rest = after;
    }
    quiet
}

fn is_reference(text: &str) -> bool {
    let number = text.strip_prefix('#');
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

fn ends_with_gh(text: &str) -> bool {
    let mut last = text.chars().rev();
    let is = |c: Option<char>, wanted: char| c.is_some_and(|c| c.eq_ignore_ascii_case(&wanted));
    is(last.next(), 'h') && is(last.next(), 'g')
}

fn is_bracketed(after: &str, words: &str) -> bool {
    let after = after.trim_start();
    after
        .get(..words.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(words))
        && after
            .get(words.len()..)
            .is_some_and(|rest| rest.trim_start().starts_with(']'))
}

/// Whether GitHub would act on a message that somebody else wrote.
pub(crate) fn acts(message: &str) -> bool {
    message.lines().any(|line| {
        let line = one_line(line);
        let ours = line.split_once(": ").map(|(name, _)| name);
        let is_ours = ours.is_some_and(|name| [RUN, TASK, ROLE, MODEL, COST].contains(&name));
        !is_ours && quiet(&line) != line
    }) || message.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("skip-checks:") || line.starts_with("co-authored-by:")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trailers() -> Trailers {
        Trailers {
            run: "r-20260105-1".into(),
            task: Some("add-check".into()),
            role: Some("implementer".into()),
            models: vec!["anthropic/claude-x".into(), "local:tiny".into()],
            cost: Some("0.25".parse().unwrap()),
        }
    }

    #[test]
    fn a_message_says_what_it_is_of() {
        let text = message("Check the sum", "It overflowed.", &trailers());
        assert_eq!(
            text,
            "Check the sum\n\nIt overflowed.\n\nMaestro-Run: r-20260105-1\nMaestro-Task: add-check\nMaestro-Role: implementer\nMaestro-Model: anthropic/claude-x\nMaestro-Model: local:tiny\nMaestro-Cost: 0.25\n"
        );
        assert_eq!(read(&text), Ok(trailers()));
    }

    #[test]
    fn nothing_in_it_acts() {
        for (subject, seen) in [
            ("Fix it [skip ci]", "Fix it (skip ci]"),
            ("Fix it [ CI Skip ]", "Fix it ( CI Skip ]"),
            ("fixes #12", "fixes no. 12"),
            ("closes GH-3", "closes GH 3"),
            (
                "closes https://x.io/o/n/issues/1",
                "closes https: //x.io/o/n/issues/1",
            ),
            ("thanks @ada", "thanks (at)ada"),
            ("thanks @#1", "thanks (at)no. 1"),
            ("one\nMaestro-Run: forged", "one Maestro-Run: forged"),
            ("", "Change files"),
            ("\u{202e}abc\u{200b}", "abc"),
        ] {
            assert_eq!(self::subject(subject), seen);
        }
    }

    #[test]
    fn a_forged_trailer_is_a_sentence() {
        let body =
            "Fine.\n\nSigned-off-by: Ada <ada@example.com>\nMaestro-Cost: 0\nskip-checks: true\n";
        let text = message("x", body, &trailers());
        assert_eq!(read(&text), Ok(trailers()));
        assert!(text.contains("> Signed-off-by: Ada"), "{text}");
        assert!(text.contains("> skip-checks: true"), "{text}");
    }

    #[test]
    fn what_maestro_does_not_write_is_no_trailer() {
        for (text, wanted) in [
            ("x", NoTrailers::NoRun),
            ("x\n\nMaestro-Run: a\n\nlast words", NoTrailers::NoRun),
            (
                "x\n\nMaestro-Run: a\nMaestro-Run: b",
                NoTrailers::Twice(RUN),
            ),
            ("x\n\nMaestro-Run: a b", NoTrailers::Odd(RUN)),
            (
                "x\n\nMaestro-Run: a\nMaestro-Cost: -1",
                NoTrailers::Odd(COST),
            ),
        ] {
            assert_eq!(read(text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn a_message_of_somebody_else_that_acts_is_known() {
        for text in [
            "x [no ci]",
            "x\n\nfixes #1",
            "x\n\nskip-checks: true",
            "x\n\nCo-authored-by: Eve <e@x.io>",
            "hello @org/team",
        ] {
            assert!(acts(text), "{text}");
        }
        assert!(!acts(&message(
            "Check the sum",
            "As a: b says.",
            &trailers()
        )));
    }

    proptest! {
        #[test]
        fn whatever_comes_reads_back_and_acts_on_nothing(subject in "\\PC{0,90}", body in "(\\PC|[\n\r:#@\\[\\]-]|skip ci|Maestro-Run: x|\n\n){0,60}", task in "\\PC{0,12}", cost in 0_u64..1_000_000_000) {
            let trailers = Trailers { run: "r1".into(), task: Some(task), role: None, models: Vec::new(), cost: Some(Usd::from_pico(cost.into())) };
            let text = message(&subject, &body, &trailers);
            let read = read(&text).unwrap();
            prop_assert_eq!(&read.run, "r1");
            prop_assert_eq!(read.cost, trailers.cost);
            prop_assert!(read.task.is_some());
            prop_assert!(!acts(&text), "{}", text);
            let last = text.trim_end().rsplit("\n\n").next().unwrap();
            prop_assert!(last.lines().all(|line| line.starts_with("Maestro-")), "{}", text);
            prop_assert_eq!(text.lines().next().unwrap().trim(), text.lines().next().unwrap());
        }
    }
}
