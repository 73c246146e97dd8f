//! SPDX licence expressions (SPDX 2.3, annex D; 3.0.1, annex "SPDX license expressions"): identifiers, `+`, `WITH`, `AND` before `OR`, parentheses.

use std::fmt;

use super::{Verdict, ids};

/// An expression is no longer than this.
const LONGEST: usize = 16 * 1024;

/// A licence with its exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// As the list spells it, without `-only` and `-or-later`: `GPL-2.0` and `GPL-2.0-only` are one licence.
    id: String,
    or_later: bool,
    pub(crate) exception: Option<String>,
    /// `LicenseRef-…`: not on the list.
    pub(crate) is_reference: bool,
    /// As it was written.
    shown: String,
}

#[derive(Debug, Clone)]
enum Item {
    Leaf(Leaf),
    And,
    Or,
}

/// An expression, in the order in which a stack evaluates it.
#[derive(Debug, Clone)]
pub(crate) struct Expression(Vec<Item>);

/// It is no expression, or a part of it is not on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAnExpression;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    And,
    Or,
    Open,
}

impl Expression {
    /// Reads an expression; in manifests of Cargo a slash is `OR`.
    pub(crate) fn parse(text: &str, slash_is_or: bool) -> Result<Self, NotAnExpression> {
        if text.len() > LONGEST {
            return Err(NotAnExpression);
        }
        let slashes;
        let text = if slash_is_or && text.contains('/') {
            slashes = text.replace('/', " OR ");
            &slashes
        } else {
            text
        };
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace().peekable();
        let mut items = Vec::new();
        let mut signs: Vec<Sign> = Vec::new();
        let mut wants_licence = true;
        while let Some(word) = words.next() {
            let sign = if word.eq_ignore_ascii_case("AND") {
                Some(Sign::And)
            } else if word.eq_ignore_ascii_case("OR") {
                Some(Sign::Or)
            } else {
                None
            };
            match (word, sign) {
                ("(", _) if wants_licence => signs.push(Sign::Open),
                (")", _) if !wants_licence => loop {
                    match signs.pop().ok_or(NotAnExpression)? {
                        Sign::Open => break,
                        sign => items.push(sign.item()),
                    }
                },
                (_, Some(sign)) if !wants_licence => {
                    while let Some(top) = signs.last().copied() {
                        // Both are the same from left to right; `AND` binds more closely.
                        if top == Sign::Open || (top == Sign::Or && sign == Sign::And) {
                            break;
                        }
                        signs.pop();
                        items.push(top.item());
                    }
                    signs.push(sign);
                    wants_licence = true;
                }
                (_, None) if wants_licence && word != ")" => {
                    let mut exception = None;
                    if words
                        .peek()
                        .is_some_and(|next| next.eq_ignore_ascii_case("WITH"))
                    {
                        words.next();
                        exception = Some(words.next().ok_or(NotAnExpression)?);
                    }
                    items.push(Item::Leaf(leaf(word, exception)?));
                    wants_licence = false;
                }
                _ => return Err(NotAnExpression),
            }
        }
        if wants_licence {
            return Err(NotAnExpression);
        }
        while let Some(sign) = signs.pop() {
            if sign == Sign::Open {
                return Err(NotAnExpression);
            }
            items.push(sign.item());
        }
        Ok(Self(items))
    }

    /// Returns its licence, if it has one only.
    pub(crate) fn only_leaf(&self) -> Option<&Leaf> {
        match &self.0[..] {
            [Item::Leaf(leaf)] => Some(leaf),
            _ => None,
        }
    }

    /// Judges it by its licences: the better one counts of `OR`, the worse one of `AND`.
    pub(crate) fn evaluate(&self, judge: impl Fn(&Leaf) -> Verdict) -> Verdict {
        let mut stack: Vec<Verdict> = Vec::new();
        for item in &self.0 {
            let verdict = match item {
                Item::Leaf(leaf) => Some(judge(leaf)),
                Item::And => stack
                    .pop()
                    .zip(stack.pop())
                    .map(|(right, left)| worse(left, right)),
                Item::Or => stack
                    .pop()
                    .zip(stack.pop())
                    .map(|(right, left)| better(left, right)),
            };
            stack.extend(verdict);
        }
        // An expression has one value.
        stack
            .pop()
            .unwrap_or_else(|| Verdict::Unknown("the expression is empty".into()))
    }
}

impl Sign {
    fn item(self) -> Item {
        match self {
            Self::And => Item::And,
            Self::Or | Self::Open => Item::Or,
        }
    }
}

fn class(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Allowed => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Denied(_) => 2,
    }
}

/// Of two that are as bad, the first is named.
fn worse(left: Verdict, right: Verdict) -> Verdict {
    if class(&right) > class(&left) {
        right
    } else {
        left
    }
}

/// Of two that are as good, and not allowed, both are named.
fn better(left: Verdict, right: Verdict) -> Verdict {
    match (left, right) {
        (Verdict::Denied(left), Verdict::Denied(right)) if left.len() + right.len() < 200 => {
            Verdict::Denied(format!("{left} OR {right}"))
        }
        (left, right) if class(&right) < class(&left) => right,
        (left, _) => left,
    }
}

fn leaf(word: &str, exception: Option<&str>) -> Result<Leaf, NotAnExpression> {
    let exception = match exception {
        None => None,
        Some(own) if reference(own, "AdditionRef-") => Some(own.to_owned()),
        Some(other) => Some(ids::exception(other).ok_or(NotAnExpression)?.to_owned()),
    };
    let with = exception
        .as_ref()
        .map(|exception| format!(" WITH {exception}"))
        .unwrap_or_default();
    if reference(word, "LicenseRef-") {
        return Ok(Leaf {
            id: word.to_owned(),
            or_later: false,
            exception,
            is_reference: true,
            shown: format!("{word}{with}"),
        });
    }
    let (bare, plus) = match word.strip_suffix('+') {
        // Some identifiers of the list end with the sign themselves.
        Some(bare) if ids::licence(word).is_none() => (bare, true),
        _ => (word, false),
    };
    let listed = ids::licence(bare).ok_or(NotAnExpression)?;
    let (id, or_later) = match listed.strip_suffix("-or-later") {
        Some(_) if plus => return Err(NotAnExpression),
        Some(id) => (id, true),
        None => (listed.strip_suffix("-only").unwrap_or(listed), plus),
    };
    let sign = if plus { "+" } else { "" };
    // `GPL-2.0+` is on the list as a deprecated identifier.
    let (id, or_later) = match id.strip_suffix('+') {
        Some(id) => (id, true),
        None => (id, or_later),
    };
    Ok(Leaf {
        id: id.to_owned(),
        or_later,
        exception,
        is_reference: false,
        shown: format!("{listed}{sign}{with}"),
    })
}

/// Whether a word is a reference of its own, perhaps into another document.
fn reference(word: &str, prefix: &str) -> bool {
    let own = match word
        .strip_prefix("DocumentRef-")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((document, own)) if is_id(document) => own,
        _ => word,
    };
    own.strip_prefix(prefix).is_some_and(is_id)
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.')
}

/// Splits an identifier into the licence and its version, as `GPL` and 2.0.
fn family(id: &str) -> Option<(&str, Vec<u32>)> {
    let (name, version) = id.rsplit_once('-')?;
    let (digits, letter) = match version.char_indices().last() {
        Some((at, c)) if c.is_ascii_lowercase() => (&version[..at], u32::from(c)),
        _ => (version, 0),
    };
    if !digits.contains('.') {
        return None;
    }
    let mut numbers: Vec<u32> = digits
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    numbers.push(letter);
    Some((name, numbers))
}

impl Leaf {
    /// Whether a licence of one family is at least as late as another.
    fn is_since(&self, other: &Self) -> bool {
        self.id == other.id
            || match (family(&self.id), family(&other.id)) {
                (Some((mine, version)), Some((theirs, since))) => {
                    mine == theirs && version >= since
                }
                _ => false,
            }
    }

    /// Whether an entry of a list allows it.
    pub(super) fn is_allowed_by(&self, entry: &Self) -> bool {
        self.exception == entry.exception
            && match (self.or_later, entry.or_later) {
                (false, false) => self.id == entry.id,
                (true, false) => entry.is_since(self),
                (false, true) => self.is_since(entry),
                (true, true) => self.is_since(entry) || entry.is_since(self),
            }
    }

    /// Whether an entry of a list denies it. Who denies a licence denies it with every exception, and with every way out to later versions.
    pub(super) fn is_denied_by(&self, entry: &Self) -> bool {
        let same_exception = entry.exception.is_none() || self.exception == entry.exception;
        same_exception && (self.id == entry.id || (entry.or_later && self.is_since(entry)))
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
