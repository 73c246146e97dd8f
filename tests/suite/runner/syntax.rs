//! The grammar of GitHub's expressions.

use serde_json::Value;

/// An expression, read.
#[derive(Debug)]
pub(crate) enum Node {
    Literal(Value),
    Context(String),
    Index(Box<Node>, Box<Node>),
    /// `x.*`.
    Filtered(Box<Node>),
    /// What follows `x.*`: a member of each.
    Each(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Both(Box<Node>, Box<Node>),
    Either(Box<Node>, Box<Node>),
    Compared(Operator, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    Greater,
    NoMore,
    NoLess,
}

impl Node {
    /// Whether a function of these names is called anywhere in it.
    pub(crate) fn calls(&self, names: &[&str]) -> bool {
        match self {
            Self::Literal(_) | Self::Context(_) => false,
            Self::Filtered(inner) | Self::Not(inner) => inner.calls(names),
            Self::Index(left, right)
            | Self::Each(left, right)
            | Self::Both(left, right)
            | Self::Either(left, right)
            | Self::Compared(_, left, right) => left.calls(names) || right.calls(names),
            Self::Call(name, arguments) => {
                names.iter().any(|known| known.eq_ignore_ascii_case(name))
                    || arguments.iter().any(|argument| argument.calls(names))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*",
];

/// Reads a number as GitHub does: decimal, hexadecimal, octal, or with an exponent.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = |radix: u32| {
        let number = u32::from_str_radix(&text[2..], radix).ok()?;
        Some(f64::from(number))
    };
    if text.starts_with("0x") {
        return digits(16);
    }
    if text.starts_with("0o") {
        return digits(8);
    }
    let begins = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    text.starts_with(begins)
        .then(|| text.parse().ok())
        .flatten()
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_value = matches!(
            found.last(),
            Some(Token::Name(_) | Token::Sign(")" | "]" | "*"))
        );
        let length;
        if first == '\'' {
            let mut inside = String::new();
            let mut chars = rest.char_indices().skip(1).peekable();
            loop {
                match chars.next() {
                    None => return Err("a text does not end".to_owned()),
                    Some((_, '\'')) if chars.next_if(|(_, c)| *c == '\'').is_some() => {
                        inside.push('\'');
                    }
                    Some((at, '\'')) => {
                        length = at + 1;
                        break;
                    }
                    Some((_, c)) => inside.push(c),
                }
            }
            found.push(Token::Text(inside));
        } else if first.is_ascii_digit()
            || "+-".contains(first)
            || (first == '.' && !is_value && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            length = end.unwrap_or(rest.len());
            let number = number(&rest[..length]);
            found.push(Token::Number(
                number.ok_or_else(|| format!("`{}` is no number", &rest[..length]))?,
            ));
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)));
            length = end.unwrap_or(rest.len());
            found.push(Token::Name(rest[..length].to_owned()));
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("unexpected `{first}`"))?;
            length = sign.len();
            found.push(Token::Sign(sign));
        }
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0 };
    let node = parser.either()?;
    match parser.tokens.get(parser.at) {
        None => Ok(node),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn takes(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn needs(&mut self, sign: &str) -> Result<(), String> {
        let found = self.takes(sign);
        found.then_some(()).ok_or_else(|| {
            let found = self.tokens.get(self.at);
            format!("`{sign}` is missing before {found:?}")
        })
    }

    fn either(&mut self) -> Result<Node, String> {
        let mut left = self.both()?;
        while self.takes("||") {
            left = Node::Either(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Node, String> {
        let mut left = self.equal()?;
        while self.takes("&&") {
            left = Node::Both(Box::new(left), Box::new(self.equal()?));
        }
        Ok(left)
    }

    fn equal(&mut self) -> Result<Node, String> {
        let signs = [("==", Operator::Equal), ("!=", Operator::Unequal)];
        let mut left = self.ordered()?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes(sign)) {
            left = Node::Compared(*operator, Box::new(left), Box::new(self.ordered()?));
        }
        Ok(left)
    }

    fn ordered(&mut self) -> Result<Node, String> {
        let signs = [
            ("<=", Operator::NoMore),
            (">=", Operator::NoLess),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let mut left = self.negated()?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes(sign)) {
            left = Node::Compared(*operator, Box::new(left), Box::new(self.negated()?));
        }
        Ok(left)
    }

    fn negated(&mut self) -> Result<Node, String> {
        if self.takes("!") {
            return Ok(Node::Not(Box::new(self.negated()?)));
        }
        let mut node = self.primary()?;
        let mut is_filtered = false;
        loop {
            let index = if self.takes(".") {
                if self.takes("*") {
                    None
                } else {
                    Some(Node::Literal(Value::from(self.name()?)))
                }
            } else if self.takes("[") {
                if self.takes("*") {
                    self.needs("]")?;
                    None
                } else {
                    let index = self.either()?;
                    self.needs("]")?;
                    Some(index)
                }
            } else {
                return Ok(node);
            };
            node = match index {
                None => {
                    is_filtered = true;
                    Node::Filtered(Box::new(node))
                }
                Some(index) if is_filtered => Node::Each(Box::new(node), Box::new(index)),
                Some(index) => Node::Index(Box::new(node), Box::new(index)),
            };
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let found = self.tokens.get(self.at).cloned();
        self.at += 1;
        match found {
            Some(Token::Name(name)) => Ok(name),
            other => Err(format!("a name is missing before {other:?}")),
        }
    }

    fn primary(&mut self) -> Result<Node, String> {
        if self.takes("(") {
            let inside = self.either()?;
            self.needs(")")?;
            return Ok(inside);
        }
        let found = self.tokens.get(self.at).cloned();
        self.at += 1;
        Ok(match found {
            Some(Token::Text(text)) => Node::Literal(Value::from(text)),
            Some(Token::Number(number)) => Node::Literal(whole(number)),
            Some(Token::Name(name)) if self.takes("(") => {
                let mut arguments = Vec::new();
                if !self.takes(")") {
                    loop {
                        arguments.push(self.either()?);
                        if !self.takes(",") {
                            break;
                        }
                    }
                    self.needs(")")?;
                }
                Node::Call(name, arguments)
            }
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Node::Literal(Value::from(true)),
                "false" => Node::Literal(Value::from(false)),
                "null" => Node::Literal(Value::Null),
                _ => Node::Context(name),
            },
            other => return Err(format!("a value is missing before {other:?}")),
        })
    }
}

/// A number, whole where it is.
fn whole(number: f64) -> Value {
    let digits = format!("{number:.0}");
    match digits.parse::<i64>() {
        Ok(it) if number.fract() == 0.0 && number.abs() < 1e15 => Value::from(it),
        _ => Value::from(number),
    }
}
