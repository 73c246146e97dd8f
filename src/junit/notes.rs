//! Notes: what the reader had to forgive or could not use, each with a code and a byte offset.

macro_rules! note_codes {
    ($($name:ident = $code:literal, $what:literal, $explanation:literal;)+) => {
        /// Why a note was written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum NoteCode {
            $(#[doc = $what] $name,)+
        }

        impl NoteCode {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the code that users see.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Returns one line that says what was found.
            pub(crate) fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }

            /// Returns what `maestro explain` adds.
            pub(crate) fn explanation(self) -> &'static str {
                match self { $(Self::$name => $explanation,)+ }
            }
        }
    };
}

note_codes! {
    Truncated = "truncated", "the file ends in the middle of an element",
        "Usually the test runner was killed or the disk was full. Every case whose start tag is complete is counted; a case without its end tag keeps the status seen so far.";
    TextBeforeRoot = "text-before-root", "text stands before the XML",
        "Log lines mixed into the report, for instance when a runner writes its report to the same stream as its messages. They are passed over.";
    SeveralDocuments = "several-documents", "the file holds more than one XML document",
        "Some runners write one document for each test binary to the same stream (`cargo test -- --format junit` does). All of them are read.";
    RawMarkup = "raw-markup", "`<` stands unescaped in an attribute",
        "XML wants `&lt;` there. The value is taken as it stands.";
    UnclosedQuote = "unclosed-quote", "an attribute's closing quote is missing",
        "The reader goes on at the next element, so that one bad quote does not swallow the cases after it.";
    UnclosedCdata = "unclosed-cdata", "a CDATA section has no `]]>`",
        "What follows is read as elements again, so that the cases after it are not lost.";
    UnclosedComment = "unclosed-comment", "a comment has no `-->`",
        "What follows is read as elements again, so that the cases after it are not lost.";
    UnclosedElement = "unclosed-element", "an element has no end tag",
        "The end tag of an outer element closes it.";
    UnmatchedEnd = "unmatched-end", "an end tag closes nothing",
        "It is passed over.";
    BadMarkup = "bad-markup", "a piece of markup is not XML",
        "It is taken as text.";
    BadJson = "bad-json", "a value is not JSON",
        "It is passed over; the values around it are read.";
    BadAttribute = "bad-attribute", "an attribute is not well-formed",
        "The other attributes of the element are read.";
    UnknownEntity = "unknown-entity", "an entity is not one of XML's own five",
        "It stays as it is written. Entities that a DTD declares are never expanded: that is how `billion laughs` files exhaust memory and how XXE files read what they should not.";
    Doctype = "doctype", "the file has a DOCTYPE",
        "It is passed over: no entity is expanded and nothing it names is fetched.";
    BadUtf8 = "bad-utf8", "some bytes are not valid UTF-8",
        "They are shown as U+FFFD.";
    OtherEncoding = "other-encoding", "the file is not UTF-8",
        "It was converted; byte offsets of other notes count in the converted text.";
    UnknownEncoding = "unknown-encoding", "the declared encoding is not known",
        "The file is read as UTF-8.";
    LongValue = "long-value", "a value is longer than the limit",
        "It is cut, and a digest of the whole is appended so that different tests stay different.";
    HugeElement = "huge-element", "an element, comment or CDATA section is larger than the window",
        "Its first part is used and the rest is passed over, so that memory stays bounded.";
    TooDeep = "too-deep", "elements are nested deeper than the limit",
        "Cases are still counted; suite names below the limit are left out of their path.";
    TooManyErrors = "too-many-errors", "the file is broken in too many places",
        "Reading stopped here; what was read before is kept.";
    NestedCase = "nested-case", "a `<testcase>` stands inside another one",
        "Both are counted.";
    Nameless = "nameless", "a `<testcase>` has no name",
        "It is counted, and takes part in the history under an empty name.";
    RerunWithoutFailure = "rerun-without-failure", "a case has `<rerunFailure>` but no `<failure>`",
        "Such children mean that the case failed at first and never passed (Maven Surefire), so it counts as failed.";
    SuiteError = "suite-error", "a `<failure>` or `<error>` stands outside every case",
        "A suite could not be set up. It is no case and counts as none; look at the report.";
    SaysMore = "says-more", "a suite says that more failed than it lists",
        "Its `failures` and `errors` are more than the failures inside it, or it says that it has tests and lists none: what else failed is not known. Its `tests` alone says little, because runners count subtests, retries and assertions there.";
    UnknownStatus = "unknown-status", "`status=` says that the case failed, but it has no failing child",
        "The children decide: the case counts as passed.";
    DisabledStatus = "disabled-status", "`status=\"disabled\"` is all that says that the case did not run",
        "It counts under `passed`, as other readers have it, and under `disabled`; in the history it is skipped, never a pass.";
    BadGzip = "bad-gzip", "the gzip stream ends early or is damaged",
        "What came before is kept.";
    TooLarge = "too-large", "the file is larger than the limit once unpacked",
        "Reading stopped at the limit; what was read before is kept.";
    BadLine = "bad-line", "a line is not a test result",
        "In the neutral form each line must be a JSON object with at least `run`, `test` and `status`; in streams of events, such as `go test -json`, each line must be an event. The other lines are kept.";
    CutLine = "cut-line", "a line ends in the middle of its event",
        "Usually something else was written to the same stream. The other lines are kept; what the line was going to say is not known.";
    MixedCommits = "mixed-commits", "lines of one run, attempt and job name different commits",
        "The commit of the first line counts for all of them.";
    DuplicateFile = "duplicate-file", "another file of this call has the same bytes",
        "It is stored once: the same report twice is no second run.";
    AlreadyStored = "already-stored", "this file is already stored for the same run, attempt, job and leg",
        "Nothing changes. For a second leg with an equal report, give `--leg`.";
    MoreNotes = "more-notes", "there are more notes than the limit",
        "Only their number is kept.";
}

/// One thing that the reader forgave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) code: NoteCode,
    /// Bytes from the start of the (unpacked) file.
    pub(crate) offset: u64,
    /// What exactly, where the code alone does not say it.
    pub(crate) detail: Option<String>,
}

impl Note {
    /// Returns the line that people read.
    pub(crate) fn message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.code.what()),
            None => self.code.what().to_owned(),
        }
    }
}

/// The notes of one file, bounded in number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    list: Vec<Note>,
    /// One bit for each code in the list.
    codes: u64,
    dropped: u64,
    first_dropped: u64,
}

/// A file with more trouble than this has its first so many notes listed and the others counted.
const LIMIT: usize = 100;

fn bit(code: NoteCode) -> u64 {
    const { assert!(NoteCode::ALL.len() <= 64) };
    1 << code as u32
}

impl Notes {
    pub(crate) fn add(&mut self, code: NoteCode, offset: u64) {
        self.push(code, offset, None);
    }

    pub(crate) fn detail(&mut self, code: NoteCode, offset: u64, detail: impl Into<String>) {
        let detail = self.has_room(code).then(|| detail.into());
        self.push(code, offset, detail);
    }

    /// Adds a note unless one with this code is there already.
    pub(crate) fn once(&mut self, code: NoteCode, offset: u64) {
        if !self.has(code) {
            self.add(code, offset);
        }
    }

    pub(crate) fn has(&self, code: NoteCode) -> bool {
        self.codes & bit(code) != 0
    }

    /// The first note of each code is always kept: the last one may say why reading stopped.
    fn has_room(&self, code: NoteCode) -> bool {
        self.list.len() < LIMIT || !self.has(code)
    }

    fn push(&mut self, code: NoteCode, offset: u64, detail: Option<String>) {
        if self.has_room(code) {
            self.codes |= bit(code);
            self.list.push(Note {
                code,
                offset,
                detail,
            });
        } else {
            if self.dropped == 0 {
                self.first_dropped = offset;
            }
            self.dropped += 1;
        }
    }

    /// Returns the notes in order of their offsets.
    pub(crate) fn into_vec(mut self) -> Vec<Note> {
        crate::order::sort_by_key(&mut self.list, |note| note.offset);
        if self.dropped > 0 {
            self.list.push(Note {
                code: NoteCode::MoreNotes,
                offset: self.first_dropped,
                detail: Some(self.dropped.to_string()),
            });
        }
        self.list
    }
}
