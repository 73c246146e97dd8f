//! TAP 13 and 14. The suites are the subtests around a point, its name the description. A point that sums up a subtest is
//! no test of its own, unless it fails and nothing inside it did.

use std::io::{self, Read};

use super::case::{MESSAGE_LIMIT, Outcome, truncate};
use super::notes::{NoteCode, Notes};
use super::out::Out;
use super::window::Window;

/// More of a line than this is not looked at.
const LONGEST_LINE: usize = 64 * 1024;

/// Subtests nested deeper than this are taken for siblings.
const DEEPEST: usize = 64;

/// What Node.js writes as the class of every test in its JUnit form. It alone writes a comment before each of its points.
const NODE_CLASS: &str = "test";

/// Whether a report's first bytes are TAP.
pub(super) fn is_tap(head: &[u8]) -> bool {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let is_version = |line: &[u8]| {
        line.strip_prefix(b"TAP version ")
            .is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
    };
    let Some(first) = lines.next() else {
        return false;
    };
    let text = String::from_utf8_lossy(first);
    is_version(first)
        || plan(&text).is_some()
        || point(&text).is_some_and(|point| point.number.is_some())
        || lines.any(is_version)
}

/// Reads a stream line by line.
pub(super) fn read<R: Read>(source: R, out: &mut Out<'_>, notes: &mut Notes) -> io::Result<()> {
    let mut window = Window::new(source);
    let mut tap = Tap {
        out,
        notes,
        open: Vec::new(),
        comment: None,
        point: None,
        yaml: None,
        planned: None,
        seen: 0,
        has_bailed: false,
    };
    let mut line = Vec::new();
    loop {
        let offset = window.offset();
        line.clear();
        let mut is_whole = false;
        while !is_whole {
            if window.data().is_empty() {
                if window.at_end() {
                    break;
                }
                window.more()?;
                continue;
            }
            let data = window.data();
            let end = memchr::memchr(b'\n', data);
            let part = &data[..end.unwrap_or(data.len())];
            let room = LONGEST_LINE.saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            is_whole = end.is_some();
            let count = part.len() + usize::from(is_whole);
            window.consume(count);
        }
        if !is_whole && line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            tap.notes.once(NoteCode::BadUtf8, offset);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        tap.line(text.trim_end_matches('\r'), offset);
        if tap.has_bailed {
            break;
        }
    }
    tap.finish(window.offset());
    Ok(())
}

struct Tap<'c, 's> {
    out: &'c mut Out<'s>,
    notes: &'c mut Notes,
    /// Subtests that are open.
    open: Vec<Subtest>,
    /// The last `# Subtest:` comment, with its indentation.
    comment: Option<(usize, String)>,
    /// The last point: what follows may belong to it.
    point: Option<Pending>,
    /// The indentation of the YAML block that is open.
    yaml: Option<usize>,
    planned: Option<u64>,
    seen: u64,
    has_bailed: bool,
}

struct Subtest {
    /// The indentation of its points.
    indent: usize,
    name: String,
    has_failure: bool,
}

struct Pending {
    indent: usize,
    name: String,
    class: &'static str,
    outcome: Outcome,
    message: String,
    seconds: f64,
    offset: u64,
}

/// A test line, taken apart.
struct Point<'a> {
    is_ok: bool,
    number: Option<u64>,
    name: &'a str,
    directive: &'a str,
}

impl Tap<'_, '_> {
    fn line(&mut self, line: &str, offset: u64) {
        let text = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - text.len();
        if let Some(block) = self.yaml {
            if text.trim_end() == "..." && indent <= block {
                self.yaml = None;
                return;
            }
            // A block whose end is missing ends where a point begins.
            if indent >= block || point(text).is_none() {
                return self.yaml_line(text);
            }
            self.yaml = None;
        }
        if text.trim_end() == "---" && self.point.is_some() {
            self.yaml = Some(indent);
        } else if let Some(name) = text.strip_prefix("# Subtest:") {
            self.flush();
            self.subtest(indent, &unescaped(name.trim()));
        } else if let Some(words) = text.strip_prefix('#') {
            if let Some(pending) = &mut self.point
                && pending.outcome.is_failing()
            {
                append(&mut pending.message, words.trim());
            }
        } else if let Some(words) = text.strip_prefix("Bail out!") {
            self.flush();
            let mut words = words.trim().to_owned();
            truncate(&mut words, 512);
            self.notes.detail(NoteCode::SuiteError, offset, words);
            self.has_bailed = true;
        } else if let Some(count) = plan(text) {
            if indent == 0 {
                self.planned = Some(count);
            }
        } else if let Some(point) = point(text) {
            self.flush();
            self.point(&point, indent, offset);
        }
    }

    /// Returns the indentation of the points of the innermost subtest.
    fn indent(&self) -> usize {
        self.open.last().map_or(0, |inner| inner.indent)
    }

    /// Takes the comment that names a subtest: one step outside its points (node writes one before every test, too), or at
    /// their own indentation (Perl).
    fn subtest(&mut self, indent: usize, name: &str) {
        if let Some((at, title)) = self.comment.take()
            && indent > at
        {
            self.begin(indent, title);
        }
        if indent > self.indent() {
            self.begin(indent, name.to_owned());
        } else {
            self.comment = Some((indent, name.to_owned()));
        }
    }

    fn point(&mut self, point: &Point<'_>, indent: usize, offset: u64) {
        self.seen += u64::from(indent == 0);
        let name = unescaped(point.name);
        while let Some(inner) = self.open.last()
            && inner.indent > indent
        {
            // Only the point right outside sums a subtest up.
            let failed = inner.has_failure;
            self.open.pop();
            let sums_up = self.open.last().is_none_or(|outer| outer.indent <= indent);
            if let Some(outer) = self.open.last_mut() {
                outer.has_failure |= failed;
            }
            if sums_up && (failed || point.is_ok) {
                return;
            }
        }
        let mut is_node = false;
        match self.comment.take() {
            Some((at, title)) if indent > at => self.begin(indent, title),
            Some((at, title)) if indent == at && title == name => is_node = true,
            _ if indent > self.indent() => self.begin(indent, String::new()),
            _ => {}
        }
        let is_directive = |word: &str| {
            let start = point.directive.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let outcome = if is_directive("skip") || is_directive("todo") {
            Outcome::Skipped
        } else if point.is_ok {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        let time = point.directive.strip_prefix("time=");
        let time = time.and_then(|time| time.strip_suffix("ms"));
        self.point = Some(Pending {
            indent,
            name,
            class: if is_node { NODE_CLASS } else { "" },
            outcome,
            message: String::new(),
            seconds: milliseconds(time),
            offset,
        });
    }

    fn begin(&mut self, indent: usize, name: String) {
        if self.open.len() >= DEEPEST {
            return self.notes.once(NoteCode::TooDeep, 0);
        }
        self.out.counts.suites += 1;
        self.open.push(Subtest {
            indent,
            name,
            has_failure: false,
        });
    }

    fn yaml_line(&mut self, text: &str) {
        let Some(pending) = &mut self.point else {
            return;
        };
        if let Some(time) = text.strip_prefix("duration_ms:") {
            pending.seconds = milliseconds(Some(time));
        } else if pending.outcome.is_failing() {
            append(&mut pending.message, text);
        }
    }

    /// Hands the last point out.
    fn flush(&mut self) {
        let Some(pending) = self.point.take() else {
            return;
        };
        let around = self.open.iter_mut().filter(|s| s.indent <= pending.indent);
        let mut path = Vec::new();
        for subtest in around {
            subtest.has_failure |= pending.outcome.is_failing();
            path.push(subtest.name.as_str());
        }
        self.out.enter(&path);
        self.out.begin(pending.class, &pending.name, pending.offset);
        self.out.say(&pending.message);
        self.out.seconds(pending.seconds);
        self.out.outcome(pending.outcome);
        self.out.give(self.notes);
    }

    fn finish(&mut self, end: u64) {
        self.flush();
        if self.planned.is_some_and(|planned| planned > self.seen) && !self.has_bailed {
            self.notes.add(NoteCode::Truncated, end);
        }
    }
}

/// Reads `1..N`, perhaps with a reason for skipping everything.
fn plan(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let digits = rest.split([' ', '#']).next()?;
    digits.parse().ok()
}

fn point(line: &str) -> Option<Point<'_>> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok();
    let (number, rest) = match rest[digits..].chars().next() {
        None | Some(' ' | '\t') if number.is_some() => (number, &rest[digits..]),
        _ => (None, rest),
    };
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    // A number sign after a backslash belongs to the description.
    let at = memchr::memchr_iter(b'#', rest.as_bytes())
        .find(|&at| at == 0 || rest.as_bytes()[at - 1].is_ascii_whitespace());
    let (name, directive) = match at {
        Some(at) if is_directive(rest[at + 1..].trim()) => (&rest[..at], rest[at + 1..].trim()),
        _ => (rest, ""),
    };
    Some(Point {
        is_ok,
        number,
        name: name.trim(),
        // A subtest's first line may open a block.
        directive,
    })
}

/// Whether what follows a number sign is more than a part of the description.
fn is_directive(text: &str) -> bool {
    ["skip", "todo", "time="].iter().any(|word| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

fn unescaped(name: &str) -> String {
    // A brace at the end opens a subtest's block in old versions.
    let name = name.strip_suffix(" {").unwrap_or(name);
    name.replace("\\#", "#").replace("\\\\", "\\")
}

fn milliseconds(text: Option<&str>) -> f64 {
    let parsed = text.and_then(|text| text.trim().parse::<f64>().ok());
    parsed.map_or(f64::NAN, |time| time / 1000.0)
}

fn append(message: &mut String, line: &str) {
    if message.len() < MESSAGE_LIMIT {
        message.push_str(line);
        message.push('\n');
        truncate(message, MESSAGE_LIMIT);
    }
}
