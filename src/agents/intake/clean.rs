//! What a person sees of a text, and no more.
//!
//! In order: characters that nobody sees (Unicode's `Default_Ignorable_Code_Point`, UAX #44; directions, UAX #9; tags, by which whole sentences are hidden),
//! HTML comments, markup that a page does not show, and lines that look like the end of a prompt's part. Each removal is counted with its first line, and what
//! was hidden is told to people. Code in fences keeps its markup. What is left is as long as it was, or shorter but for a few quotes.

use super::markup;
use crate::inert::{is_filler, is_unseen};

/// Of what was hidden so many characters are shown.
const SHOWN: usize = 120;

/// So many removals of a text are told one by one.
const MOST: usize = 50;

/// Something that was taken out or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) what: What,
    /// `title`, `body` or `comment 3`.
    pub(crate) part: String,
    /// Where it was first, from 1.
    pub(crate) line: u32,
    /// How many characters, or of quoted lines how many lines.
    pub(crate) count: usize,
    /// The beginning of what it said, where it said something.
    pub(crate) said: Option<String>,
}

/// What was taken out or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Marks that turn the direction of writing.
    Direction,
    /// Tags, which are letters that nobody sees.
    Tags,
    /// What has no width or no shape.
    Invisible,
    /// What acts on a terminal.
    Control,
    /// HTML comments.
    Comment,
    /// Elements, attributes and definitions that a page does not show.
    Markup,
    /// Lines that look like the end of a part of a prompt, or like another speaker: they are quoted.
    Delimiter,
    /// What is beyond the limit.
    Length,
}

impl What {
    /// Returns it in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Direction => "marks of direction",
            Self::Tags => "invisible tag characters",
            Self::Invisible => "invisible characters",
            Self::Control => "control characters",
            Self::Comment => "characters in HTML comments",
            Self::Markup => "characters of markup that the page does not show",
            Self::Delimiter => {
                "lines that look like the end of the data, or like another speaker (quoted)"
            }
            Self::Length => "characters beyond the limit",
        }
    }
}

impl Removed {
    /// Says it to people.
    pub(crate) fn sentence(&self) -> String {
        let said = match &self.said {
            Some(said) => format!("; it said {}", crate::inert::code(said, false)),
            None => String::new(),
        };
        format!(
            "{}, line {}: {} {}{said}",
            self.part,
            self.line,
            self.count,
            self.what.words()
        )
    }
}

/// Cleans the texts of one part of an issue.
pub(super) struct Cleaner<'p> {
    part: &'p str,
    pub(super) removed: Vec<Removed>,
}

impl<'p> Cleaner<'p> {
    pub(super) fn new(part: &'p str) -> Self {
        Self {
            part,
            removed: Vec::new(),
        }
    }

    /// Returns what a person sees of a text, at most so many characters of it.
    pub(super) fn clean(&mut self, text: &str, most: usize) -> String {
        // Long before the limit is reached by what is left, nobody reads on.
        let text = self.cut(text, most.saturating_mul(4));
        let text = self.seen(&text);
        let text = self.without_comments(&text);
        let text = markup::shown(&text, &mut |line, hidden| {
            self.note(What::Markup, line, hidden.chars().count(), hidden);
        });
        let text = self.quoted(&text);
        self.cut(&text, most)
    }

    fn note(&mut self, what: What, line: u32, count: usize, said: &str) {
        let said: String = said.trim().chars().take(SHOWN).collect();
        let said = Some(said).filter(|said| said.chars().any(char::is_alphanumeric));
        let is_full = self.removed.len() >= MOST;
        // What has no words is one removal; what says something is one each, as long as anybody reads on.
        let same = self.removed.iter_mut().rev().find(|one| {
            let are_silent = one.said.is_none() && said.is_none();
            one.what == what && (are_silent || is_full)
        });
        if let Some(one) = same {
            one.count += count;
        } else if !is_full {
            self.removed.push(Removed {
                what,
                part: self.part.to_owned(),
                line,
                count,
                said,
            });
        }
    }

    fn cut(&mut self, text: &str, most: usize) -> String {
        let Some((at, _)) = text.char_indices().nth(most) else {
            return text.to_owned();
        };
        let (kept, rest) = text.split_at(at);
        self.note(What::Length, line_of(text, at), rest.chars().count(), "");
        kept.to_owned()
    }

    /// Takes out what cannot be seen; line ends become `\n`.
    fn seen(&mut self, text: &str) -> String {
        let mut seen = String::with_capacity(text.len());
        let mut line = 1;
        let mut before = None;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\r' if rest.peek() == Some(&'\n') => continue,
                '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    seen.push('\n');
                    line += 1;
                }
                '\t' => seen.push(c),
                c if is_of_emoji(c, before, rest.peek())
                    || joins_letters(c, before, rest.peek()) =>
                {
                    seen.push(c);
                }
                '\u{e0000}'..='\u{e007f}' => {
                    let letter = char::from_u32(u32::from(c) - 0xe_0000);
                    let said: String = letter.into_iter().filter(|c| !c.is_control()).collect();
                    self.note_tag(line, &said);
                }
                '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' => {
                    self.note(What::Direction, line, 1, "");
                }
                c if c.is_control() => self.note(What::Control, line, 1, ""),
                c if is_unseen(c) || is_filler(c) => self.note(What::Invisible, line, 1, ""),
                c => seen.push(c),
            }
            before = seen.chars().next_back();
        }
        seen
    }

    /// A letter in tags is a part of what they say together, spaces and all.
    fn note_tag(&mut self, line: u32, letter: &str) {
        if let Some(one) = self.removed.iter_mut().find(|one| one.what == What::Tags) {
            one.count += 1;
            let said = one.said.get_or_insert_default();
            if said.len() < SHOWN {
                said.push_str(letter);
            }
            return;
        }
        self.removed.push(Removed {
            what: What::Tags,
            part: self.part.to_owned(),
            line,
            count: 1,
            said: Some(letter.to_owned()),
        });
    }

    /// Takes out HTML comments; one that does not end goes to the end.
    fn without_comments(&mut self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut at = 0;
        let mut line = 1;
        while let Some(found) = text.get(at..).and_then(|rest| rest.find("<!--")) {
            let start = at + found;
            let before = text.get(at..start).unwrap_or_default();
            let comment = text.get(start..).unwrap_or_default();
            let end = comment.find("-->").map_or(comment.len(), |end| end + 3);
            let comment = comment.get(..end).unwrap_or_default();
            kept.push_str(before);
            line += breaks(before);
            let said = comment.trim_start_matches("<!--").trim_end_matches("-->");
            self.note(What::Comment, line, comment.chars().count(), said);
            line += breaks(comment);
            at = start + end;
            // What stood around it must not be another one's beginning.
            let rest = text.get(at..).unwrap_or_default();
            let joins =
                |(begin, end): &(&str, &str)| kept.ends_with(begin) && rest.starts_with(end);
            if [("<", "!--"), ("<!", "--"), ("<!-", "-")].iter().any(joins) {
                kept.push(' ');
            }
        }
        kept.push_str(text.get(at..).unwrap_or_default());
        kept
    }

    /// Quotes the lines that look like the end of a part of a prompt, or like another speaker.
    fn quoted(&mut self, text: &str) -> String {
        let mut quoted = String::with_capacity(text.len());
        let mut line = 0;
        let mut lines = 0;
        for (at, one) in (1..).zip(text.split_inclusive('\n')) {
            if is_like_a_delimiter(one) {
                quoted.push_str("> (quoted) ");
                lines += 1;
                if line == 0 {
                    line = at;
                }
            }
            quoted.push_str(one);
        }
        if lines > 0 {
            self.note(What::Delimiter, line, lines, "");
        }
        quoted
    }
}

fn breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

fn line_of(text: &str, at: usize) -> u32 {
    breaks(text.get(..at).unwrap_or_default()).saturating_add(1)
}

/// Whether a character before or after another one belongs to an emoji (UTS #51): keycaps, pictographs, and sequences of them.
fn is_pictograph(c: char) -> bool {
    matches!(c, '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether a variation selector or joiner does what it is for.
pub(crate) fn is_of_emoji(c: char, before: Option<char>, after: Option<&char>) -> bool {
    let is_picture = |c: char| is_pictograph(c) && !c.is_ascii();
    match c {
        '\u{200d}' => before.is_some_and(is_picture) && after.is_some_and(|c| is_picture(*c)),
        // A digit has one only as a keycap.
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(|before| {
            let is_keycap = is_pictograph(before) && after == Some(&'\u{20e3}');
            before != '\u{fe0f}' && (is_picture(before) || is_keycap)
        }),
        _ => false,
    }
}

/// Whether a joiner or non-joiner stands between letters that have shapes to join, as in Persian and Hindi.
pub(crate) fn joins_letters(c: char, before: Option<char>, after: Option<&char>) -> bool {
    let has_shapes = |c: char| matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{18aa}');
    matches!(c, '\u{200c}' | '\u{200d}')
        && before.is_some_and(has_shapes)
        && after.is_some_and(|c| has_shapes(*c))
}

/// Words that a line has which plays the end of a part.
const EDGES: [&str; 5] = ["end", "begin", "start", "stop", "close"];

/// What such a line says it ends.
const PARTS: [&str; 15] = [
    "issue",
    "body",
    "input",
    "data",
    "user",
    "context",
    "document",
    "prompt",
    "instructions",
    "instruction",
    "system",
    "text",
    "content",
    "comment",
    "message",
];

/// Who speaks where a line begins so.
const SPEAKERS: [&str; 5] = ["system", "assistant", "developer", "human", "tool"];

/// Tags by which prompts part their parts.
const TAGS: [&str; 13] = [
    "system",
    "assistant",
    "user",
    "human",
    "instructions",
    "instruction",
    "issue",
    "data",
    "document",
    "context",
    "prompt",
    "tool_result",
    "untrusted",
];

/// Whether a line looks like the end of a part of a prompt, or like another speaker.
fn is_like_a_delimiter(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.len() > 200 {
        return false;
    }
    let lower = line.to_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let decorated = bare.len() + 4 <= lower.len();
    let mut words = bare.split(|c: char| !c.is_alphanumeric());
    let first = words.next().unwrap_or_default();
    if decorated && EDGES.contains(&first) && words.clone().any(|word| PARTS.contains(&word)) {
        return true;
    }
    let speaks = lower.trim_start_matches(['#', '*', '_', ' ', '<', '|', '[']);
    let speaker = SPEAKERS.iter().find_map(|name| speaks.strip_prefix(name));
    if let Some(rest) = speaker {
        let rest = rest.trim_start_matches(['*', '_', ' ', ']', '|', '>']);
        let is_marked =
            speaks.len() < lower.len() || line.chars().take(4).all(|c| c.is_ascii_uppercase());
        // `system:` in small letters is a key of some configuration.
        let is_said = is_marked || line.chars().next().is_some_and(char::is_uppercase);
        if rest.starts_with(':') && is_said || is_marked && rest.is_empty() {
            return true;
        }
    }
    if lower.starts_with("<|") || lower.starts_with("[inst]") || lower.starts_with("[/inst]") {
        return true;
    }
    let tag = lower.strip_prefix("</").or_else(|| lower.strip_prefix('<'));
    tag.is_some_and(|tag| {
        let name: String = tag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            .collect();
        let name = name.replace('-', "_");
        TAGS.iter()
            .any(|known| name == *known || name.starts_with(&format!("{known}_")))
    })
}
