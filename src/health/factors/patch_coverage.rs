//! `patch-coverage`: which part of the lines that the change adds, and that can be executed, was executed by tests.
//!
//! As diff-cover counts it: a line counts when a report tells of it; what no report tells of (comments, other languages) does not.

use super::super::{Evidence, Factor, Subject, count, percent};
use super::About;

pub(super) const ABOUT: About = About {
    name: "patch-coverage",
    what: "which part of the lines that it adds tests executed",
    weight: 20,
    judge,
};

/// Places that are named.
const MOST_PLACES: usize = 50;

fn judge(subject: &Subject<'_>) -> Factor {
    let Some(coverage) = subject.coverage else {
        return Factor::unknown(ABOUT.name, "no report of coverage was given");
    };
    let (mut covered, mut all, mut told) = (0_u64, 0_u64, 0_u64);
    let mut evidence = Vec::new();
    let mut left_out = 0_u64;
    for file in subject
        .files
        .iter()
        .filter(|file| coverage.knows(&file.path))
    {
        told += 1;
        // Lines that were missed, as spans: lines that cannot be executed do not part them.
        let mut span: Option<(u32, u32)> = None;
        let mut spans = Vec::new();
        for line in &file.added {
            match coverage.line(&file.path, line.number) {
                None => {}
                Some(true) => {
                    covered += 1;
                    all += 1;
                    spans.extend(span.take());
                }
                Some(false) => {
                    all += 1;
                    span = Some((span.map_or(line.number, |(from, _)| from), line.number));
                }
            }
        }
        spans.extend(span);
        for (from, to) in spans {
            if evidence.len() == MOST_PLACES {
                left_out += 1;
                continue;
            }
            let about = if from == to {
                format!("{}:{from}", file.path)
            } else {
                format!("{}:{from}-{to}", file.path)
            };
            evidence.push(
                Evidence::of(about, "is added, and no test executes it").at(&file.path, Some(from)),
            );
        }
    }
    if all == 0 {
        let why = match told {
            0 => "no report of coverage tells of a file that it changes",
            _ => "it adds no line that can be executed",
        };
        return Factor::unknown(ABOUT.name, why);
    }
    let mut why =
        format!("{covered} of {all} lines that it adds and that can be executed were executed");
    if left_out > 0 {
        why.push_str(&format!("; {left_out} more places are not named here"));
    }
    let missed = (0..evidence.len()).collect();
    Factor::known(
        ABOUT.name,
        percent(count(covered) / count(all)),
        why,
        evidence,
    )
    .advise("add tests that execute these lines", missed)
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{NOTHING, coverage, file};
    use super::*;

    fn factor(hits: &str, added: &str) -> Factor {
        let coverage = coverage("a.rs", hits);
        let files = [file("a.rs", "", added)];
        judge(&Subject {
            files: &files,
            coverage: Some(&coverage),
            ..NOTHING
        })
    }

    #[test]
    fn lines_that_are_told_of_count() {
        // A sign a line: executed, missed, not told of.
        let factor = factor("+-- +-", "1\n2\n3\n4\n5\n6\n7\n");
        assert_eq!(factor.score, Some(40));
        let about: Vec<&str> = factor
            .evidence
            .iter()
            .map(|one| one.about.as_str())
            .collect();
        assert_eq!(about, ["a.rs:2-3", "a.rs:6"]);
        assert_eq!(factor.advice[0].because_of, [0, 1]);
    }

    #[test]
    fn all_of_it_is_100_and_nothing_less() {
        assert_eq!(factor("+++", "1\n2\n3\n").score, Some(100));
        let many: String = "+".repeat(999) + "-";
        assert_eq!(factor(&many, &"x\n".repeat(1000)).score, Some(99));
    }

    #[test]
    fn nobody_knows_what_no_report_tells() {
        assert_eq!(factor("", "1\n").score, None);
        assert_eq!(
            factor(" ", "1\n").why,
            "it adds no line that can be executed"
        );
        let coverage = coverage("b.rs", "+");
        let files = [file("a.rs", "", "1\n")];
        let subject = Subject {
            files: &files,
            coverage: Some(&coverage),
            ..NOTHING
        };
        assert_eq!(
            judge(&subject).why,
            "no report of coverage tells of a file that it changes"
        );
        assert_eq!(judge(&NOTHING).score, None);
    }
}
