//! A failure's text as rules read it: its lines, which of them are words and which frames of a stack, and the chain of causes.
//!
//! Formats: `java.lang.Throwable.printStackTrace` (`at`, `Caused by:`, `Suppressed:`), Python's `traceback` (`File "…", line`, and the two sentences
//! between chained exceptions, with the deepest cause first), .NET's `Exception.ToString` (`--->`), Node's `util.inspect` (`[cause]:`), pytest's
//! long form (`E   `), Go's and Rust's stacks. Linear in the text's length, and only a bounded length is read.

use std::borrow::Cow;
use std::ops::Range;

/// Which test failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Test<'a> {
    /// The suites and class around it.
    pub(crate) suite: &'a str,
    pub(crate) name: &'a str,
}

/// How much of a text is read, in bytes: more than is ever stored.
const MOST_READ: usize = 8192;

/// A line of a text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) at: Range<usize>,
    /// Whether it is a frame of a stack, or code that a stack quotes.
    pub(super) is_frame: bool,
    /// The exception of the chain that it belongs to.
    pub(super) exception: usize,
}

/// A failure's text.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) whole: Cow<'a, str>,
    pub(super) lines: Vec<Line>,
    exceptions: usize,
    /// Whether the deepest cause comes first.
    is_deepest_first: bool,
}

/// A frame of a stack, as far as it names where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The last part of its class, or its file.
    pub(super) class: &'a str,
    pub(super) method: &'a str,
}

impl<'a> Text<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let text = &text[..text.floor_char_boundary(MOST_READ)];
        let whole = unfolded(text);
        let mut this = Self {
            lines: Vec::new(),
            exceptions: 1,
            is_deepest_first: whole.contains(WHILE_HANDLING) || whole.contains(DIRECT_CAUSE),
            whole,
        };
        this.split();
        this
    }

    fn split(&mut self) {
        // With pytest's long form, everything without its mark is code; the first line is the attribute's.
        let is_pytest = self.whole.contains("\nE   ");
        let mut start = 0;
        let mut after_file = false;
        for line in self.whole.split_inclusive('\n') {
            let at = start..start + line.trim_end().len();
            start += line.len();
            let words = line.trim();
            let is_boundary = words.starts_with(WHILE_HANDLING) || words.starts_with(DIRECT_CAUSE);
            let opens = [
                "Caused by:",
                "Suppressed:",
                "[cause]:",
                "[errors]:",
                "---> ",
                "Cause:",
            ];
            if is_boundary || opens.iter().any(|mark| words.starts_with(mark)) {
                self.exceptions += 1;
            }
            let is_file = words.starts_with("File \"");
            let is_code = after_file && line.starts_with("    ");
            let is_quoted = is_pytest && at.start > 0 && !line.starts_with("E ");
            self.lines.push(Line {
                at,
                is_frame: is_file || is_code || is_quoted || is_boundary || is_frame(words),
                exception: self.exceptions - 1,
            });
            after_file = is_file;
        }
    }

    /// Returns the exceptions of the chain, by number, the deepest cause first.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = usize> {
        let (exceptions, forwards) = (self.exceptions, self.is_deepest_first);
        (0..exceptions).map(move |at| if forwards { at } else { exceptions - 1 - at })
    }

    pub(super) fn line(&self, line: &Line) -> &str {
        &self.whole[line.at.clone()]
    }

    /// Returns the number of the line in which a byte lies.
    pub(super) fn line_at(&self, byte: usize) -> usize {
        self.lines
            .partition_point(|line| line.at.start <= byte)
            .saturating_sub(1)
    }

    /// Returns the lines of one exception that are no frames.
    pub(super) fn word_lines(&self, exception: usize) -> impl Iterator<Item = &Line> {
        let of_exception = move |line: &&Line| line.exception == exception && !line.is_frame;
        self.lines.iter().filter(of_exception)
    }

    /// Returns the same as text.
    pub(super) fn words(&self, exception: usize) -> impl Iterator<Item = &str> {
        self.word_lines(exception).map(|line| self.line(line))
    }

    /// Returns where the first of these lines lies that says something.
    pub(super) fn first_that(
        &self,
        exception: usize,
        says: impl Fn(&str) -> bool,
    ) -> Option<Range<usize>> {
        let found = self
            .word_lines(exception)
            .find(|line| says(self.line(line)))?;
        Some(found.at.clone())
    }

    /// Returns all lines that are no frames.
    pub(super) fn all_words(&self) -> impl Iterator<Item = &str> {
        let words = self.lines.iter().filter(|line| !line.is_frame);
        words.map(|line| self.line(line))
    }

    /// Returns the frames of one exception.
    pub(super) fn frames(&self, exception: usize) -> impl Iterator<Item = Frame<'_>> {
        self.frames_where(move |line| line.exception == exception)
    }

    /// Returns the frames of all.
    pub(super) fn all_frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames_where(|_| true)
    }

    fn frames_where(&self, is_wanted: impl Fn(&Line) -> bool) -> impl Iterator<Item = Frame<'_>> {
        let lines = self.lines.iter();
        let lines = lines.filter(move |line| line.is_frame && is_wanted(line));
        lines.filter_map(|line| Frame::read(self.line(line)))
    }
}

const WHILE_HANDLING: &str = "During handling of the above exception";
const DIRECT_CAUSE: &str = "The above exception was the direct cause";

/// A stack that was put into one line of a reply, as it was before.
fn unfolded(text: &str) -> Cow<'_, str> {
    if text.contains("\\n\\tat ") {
        Cow::Owned(text.replace("\\n", "\n").replace("\\t", "\t"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns a text of at most so many bytes: of a long one, what was thrown and caught, and as many frames of each as there is room for.
///
/// Cut at its end it would lose the deepest causes, which say most.
pub(crate) fn fit(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let mut frames = 0;
    let numbered = text.split_inclusive('\n').map(|line| {
        frames = if is_frame(line.trim()) { frames + 1 } else { 0 };
        (frames, line)
    });
    let lines: Vec<(usize, &str)> = numbered.collect();
    let kept = |most: usize| {
        let lines = lines.iter().filter(move |(frame, _)| *frame <= most);
        lines.map(|(_, line)| *line)
    };
    let is_short = |most: &usize| kept(*most).map(str::len).sum::<usize>() <= limit;
    let most = [16, 12, 8, 6, 5, 4, 3, 2].into_iter().find(is_short);
    let mut short: String = kept(most.unwrap_or(1)).collect();
    short.truncate(short.floor_char_boundary(limit));
    Cow::Owned(short)
}

/// Whether a line is a frame: those of the JVM, .NET and JavaScript begin with `at` and name a place.
fn is_frame(words: &str) -> bool {
    let is_at = |rest: &str| {
        let rest = rest.trim_start();
        // Searched in bytes: each line of each failure comes by here.
        let has_place =
            memchr::memchr3(b'(', b':', b'/', rest.as_bytes()).is_some() || rest.contains(".<");
        has_place
            && !rest.starts_with(['"', '['])
            && rest.split(' ').next().is_some_and(|first| first.len() > 2)
    };
    if let Some(rest) = words.strip_prefix("at ") {
        return is_at(rest);
    }
    if let Some(rest) = words.strip_prefix("-> at ") {
        return is_at(rest);
    }
    let is_more = words.starts_with("... ") && words.ends_with("more");
    let is_held = words.starts_with("- locked <");
    // Go: `/src/x.go:12 +0x1d`; PHP: `#0 /src/x.php(12)`; Ruby: `# ./spec/x.rb:12`.
    let is_go = words.starts_with('/') && words.contains(".go:");
    let is_numbered = words.strip_prefix('#').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) || rest.trim_start().starts_with("./")
    });
    // Rust: `12: core::panicking::panic`.
    let is_rust = words.split_once(": ").is_some_and(|(number, rest)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && rest.contains("::")
    });
    is_more || is_held || is_go || is_numbered || is_rust
}

impl<'a> Frame<'a> {
    /// Reads `at module/package.Class.method(File.java:1)`, `at Class.method (file.js:1:2)` and `File "x.py", line 1, in method`.
    fn read(line: &'a str) -> Option<Self> {
        let words = line.trim();
        if let Some(rest) = words.strip_prefix("File \"") {
            let (file, rest) = rest.split_once('"')?;
            let method = rest.rsplit_once(" in ")?.1;
            let class = file.rsplit(['/', '\\']).next()?;
            return Some(Self { class, method });
        }
        let rest = words
            .strip_prefix("at ")
            .or_else(|| words.strip_prefix("-> at "))?;
        let place = rest.split('(').next()?.trim_end();
        let place = place.rsplit('/').next()?;
        let (class, method) = place.rsplit_once('.')?;
        let class = class.rsplit('.').next()?;
        Some(Self { class, method })
    }

    /// Whether it lies in test code, by the name of its class or file.
    pub(super) fn is_test_code(&self, test: Test<'_>) -> bool {
        let outer = self.class.split('$').next().unwrap_or(self.class);
        let lower = outer.to_ascii_lowercase();
        let is_named = outer.contains("Test") || outer.ends_with("Spec") || outer.ends_with("IT");
        is_named
            || lower.starts_with("test_")
            || lower.ends_with("_test.py")
            || test.suite.ends_with(outer)
    }
}

/// Returns the words that a name of code is made of, in lower case: `testTTLOf_two` is `test`, `ttl`, `of`, `two`.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase()));
        if (begins || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

impl Test<'_> {
    /// Returns the words of its name and of the class around it.
    pub(super) fn words(self) -> Vec<String> {
        let class = self
            .suite
            .rsplit(['.', '/', '>', ':'])
            .next()
            .unwrap_or_default();
        let mut words = words_of(self.name);
        words.extend(words_of(class));
        words
    }
}
