//! What GitHub Actions reads: workflow commands, `GITHUB_OUTPUT`, the step summary.
//!
//! Escaping follows `actions/toolkit` (`packages/core/src/command.ts`): data escapes `%`, CR and LF; properties also `:`
//! and `,`. Limits follow GitHub's "Workflow commands" and "Actions limits" pages.

use std::io::{self, Write};

use crate::sha::Sha;

use super::text::visible;
use crate::finding::{Finding, Severity};

/// GitHub shows ten annotations of a level for a step and drops the rest without a word.
const ANNOTATIONS_PER_LEVEL: usize = 10;

/// A step's summary may have this many bytes; a larger one is dropped whole.
pub(crate) const SUMMARY_LIMIT: usize = 1024 * 1024;

/// Writes findings as annotations; of more than GitHub shows, a last one says how many are left out.
pub(crate) fn write_findings(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for severity in [Severity::Error, Severity::Warning, Severity::Notice] {
        let level: Vec<_> = findings.iter().filter(|f| f.severity == severity).collect();
        let shown = if level.len() > ANNOTATIONS_PER_LEVEL {
            ANNOTATIONS_PER_LEVEL - 1
        } else {
            level.len()
        };
        for finding in level.iter().take(shown) {
            write_annotation(finding, out)?;
        }
        if level.len() > shown {
            let rest = level.len() - shown;
            writeln!(
                out,
                "::{}::and {rest} more; see the report",
                command(severity)
            )?;
        }
    }
    Ok(())
}

fn write_annotation(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "::{} ", command(finding.severity))?;
    if let Some(location) = &finding.location {
        // A path that a terminal would obey is no place that anybody finds; spelled out, it does no harm.
        write!(out, "file={},", property(&visible(&location.path)))?;
        if let Some(line) = location.line {
            write!(out, "line={line},")?;
        }
        if let Some(column) = location.column {
            write!(out, "col={column},")?;
        }
    }
    writeln!(
        out,
        "title={}::{}",
        property(&finding.code),
        data(&visible(&finding.message))
    )
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// Escapes the message of a workflow command.
pub(crate) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property's value of a workflow command.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the lines that set an output in `GITHUB_OUTPUT`.
///
/// The delimiter is the value's own digest, so no value can contain it by intent, and equal runs write equal bytes.
pub(crate) fn output(name: &str, value: &str) -> String {
    if !value.contains(['\n', '\r']) {
        return format!("{name}={value}\n");
    }
    let delimiter = format!("maestro_{}", Sha::of(value.as_bytes()).start(16));
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a workflow command as the runner does (`ActionCommand.TryParseV2`).
    fn parse(line: &str) -> (String, Vec<(String, String)>, String) {
        let rest = line.strip_prefix("::").expect("a command starts with ::");
        let (head, message) = rest.split_once("::").expect("a command has a message");
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescape = |text: &str, property: bool| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n");
            let text = if property {
                text.replace("%3A", ":").replace("%2C", ",")
            } else {
                text
            };
            text.replace("%25", "%")
        };
        let properties = properties
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), unescape(value, true)))
            .collect();
        (name.to_owned(), properties, unescape(message, false))
    }

    fn finding(path: &str, code: &str, message: &str) -> Finding {
        Finding {
            code: code.into(),
            severity: Severity::Warning,
            message: message.into(),
            location: Some(crate::finding::Location {
                path: path.into(),
                line: Some(3),
                column: None,
            }),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_annotation_reads_back_as_written(path in ".*", code in ".*", message in ".*") {
            let mut out = Vec::new();
            write_findings(&[finding(&path, &code, &message)], &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert!(!text.contains('\r'));
            let (name, properties, read) = parse(text.trim_end_matches('\n'));
            prop_assert_eq!(name, "warning");
            prop_assert_eq!(read, visible(&message));
            let expected = vec![
                ("file".to_owned(), visible(&path)),
                ("line".to_owned(), "3".to_owned()),
                ("title".to_owned(), code),
            ];
            prop_assert_eq!(properties, expected);
        }

        #[test]
        fn an_output_reads_back_as_written(value in "(?s).*") {
            let text = output("name", &value);
            let read = if let Some(rest) = text.strip_prefix("name=") {
                rest.strip_suffix('\n').unwrap().to_owned()
            } else {
                let rest = text.strip_prefix("name<<").unwrap();
                let (delimiter, rest) = rest.split_once('\n').unwrap();
                prop_assert!(!value.contains(delimiter));
                rest.strip_suffix(&format!("\n{delimiter}\n")).unwrap().to_owned()
            };
            prop_assert_eq!(read, value);
        }
    }

    #[test]
    fn more_annotations_than_github_shows_are_counted() {
        let many: Vec<_> = (0..25).map(|n| finding("f", "c", &n.to_string())).collect();
        let mut out = Vec::new();
        write_findings(&many, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 10);
        assert!(text.ends_with("::warning::and 16 more; see the report\n"));
    }
}
