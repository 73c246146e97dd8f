//! HCL, as far as bake files need it: blocks and their attributes as JSON.
//!
//! Strings stay templates (`${NAME}`), as those of bake files in JSON are. An expression that is no string, list, map or name is null.

use serde_json::{Map, Value};

/// How deep values and blocks lie in each other.
const DEEPEST: usize = 32;

/// A block, or a lone attribute at the top.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Block {
    pub(super) word: String,
    pub(super) labels: Vec<String>,
    pub(super) body: Map<String, Value>,
    /// The value of a lone attribute.
    pub(super) value: Option<Value>,
}

/// Reads blocks in their order.
pub(super) fn read(text: &str) -> Vec<Block> {
    let mut parser = Parser { text, at: 0 };
    let mut blocks = Vec::new();
    while let Some(word) = parser.word() {
        let mut block = Block {
            word,
            ..Block::default()
        };
        parser.labels(&mut block.labels);
        if parser.eat('{') {
            block.body = parser.body(0);
        } else if parser.eat('=') {
            block.value = Some(parser.value(0, true));
        } else {
            parser.skip_one();
        }
        blocks.push(block);
    }
    blocks
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_one(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Skips spaces and comments; line ends only where they say nothing.
    fn skip_space(&mut self, lines_end: bool) {
        loop {
            let rest = self.rest();
            let trimmed =
                rest.trim_start_matches(|c: char| c.is_whitespace() && !(lines_end && c == '\n'));
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with('#') || trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn eat(&mut self, sign: char) -> bool {
        self.skip_space(false);
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    fn name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
            .unwrap_or(rest.len());
        self.at += end;
        (end > 0).then_some(&rest[..end])
    }

    /// Reads the next word, whatever stands before it.
    fn word(&mut self) -> Option<String> {
        loop {
            self.skip_space(false);
            self.peek()?;
            if let Some(name) = self.name() {
                return Some(name.to_owned());
            }
            if self.peek() == Some('"') {
                self.string();
            } else {
                self.skip_one();
            }
        }
    }

    fn labels(&mut self, labels: &mut Vec<String>) {
        loop {
            self.skip_space(true);
            if self.peek() == Some('"') {
                labels.push(self.string());
            } else if let Some(name) = self.name() {
                labels.push(name.to_owned());
            } else {
                return;
            }
        }
    }

    /// Reads a quoted string that begins here, without its escapes.
    fn string(&mut self) -> String {
        let mut out = String::new();
        self.skip_one();
        while let Some(sign) = self.peek() {
            let rest = self.rest();
            if rest.starts_with("$${") || rest.starts_with("%%{") {
                out.push_str(&rest[..3]);
                self.at += 3;
                continue;
            }
            if rest.starts_with("${") || rest.starts_with("%{") {
                let start = self.at;
                self.at += 2;
                self.skip_to_close();
                out.push_str(&self.text[start..self.at]);
                continue;
            }
            self.skip_one();
            match sign {
                '"' => break,
                '\\' => {
                    let next = self.peek().unwrap_or_default();
                    self.skip_one();
                    out.push(match next {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        // A sign by its number may be any.
                        'u' | 'U' => super::words::UNKNOWN,
                        next => next,
                    });
                }
                sign => out.push(sign),
            }
        }
        out
    }

    /// Skips to behind the bracket that closes the one before here.
    fn skip_to_close(&mut self) {
        let mut depth = 1_usize;
        while let Some(sign) = self.peek() {
            let rest = self.rest();
            if rest.starts_with("<<") && self.here_document().is_some() {
                continue;
            }
            if sign == '#' || rest.starts_with("//") || rest.starts_with("/*") {
                self.skip_space(true);
                continue;
            }
            self.skip_one();
            match sign {
                // Templates lie in strings, and strings in templates.
                '"' => self.skip_string(),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips a string that was begun, however deep templates lie in it.
    fn skip_string(&mut self) {
        // What is open: a string, or a bracket of a template in one.
        let mut open = vec!['"'];
        while let (Some(sign), Some(inner)) = (self.peek(), open.last().copied()) {
            let rest = self.rest();
            if inner == '"' && (rest.starts_with("$${") || rest.starts_with("%%{")) {
                self.at += 3;
                continue;
            }
            if inner == '"' && (rest.starts_with("${") || rest.starts_with("%{")) {
                self.at += 2;
                open.push('{');
                continue;
            }
            self.skip_one();
            match (inner, sign) {
                ('"', '"') | ('{', '}') => {
                    open.pop();
                }
                ('"', '\\') => self.skip_one(),
                ('{', '"' | '{') => open.push(sign),
                _ => {}
            }
        }
    }

    /// Reads `<<END` or `<<-END` and the lines behind it.
    fn here_document(&mut self) -> Option<String> {
        let rest = self.rest().strip_prefix("<<")?;
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))?;
        let (name, lines) = rest.split_at(end);
        let lines = lines
            .trim_start_matches([' ', '\t', '\r'])
            .strip_prefix('\n')?;
        if name.is_empty() {
            return None;
        }
        let mut length = 0;
        for line in lines.split_inclusive('\n') {
            if line.trim() == name {
                let text = lines[..length].to_owned();
                self.at = self.text.len() - lines.len() + length + line.trim_end().len();
                return Some(text);
            }
            length += line.len();
        }
        self.at = self.text.len();
        Some(lines.to_owned())
    }

    /// Reads attributes up to the brace that closes; blocks among them are left out.
    fn body(&mut self, depth: usize) -> Map<String, Value> {
        let mut body = Map::new();
        loop {
            if self.eat('}') || self.rest().is_empty() {
                return body;
            }
            let key = if self.peek() == Some('"') {
                self.string()
            } else if self.eat('(') {
                // A computed key may be any.
                self.skip_to_close();
                super::words::UNKNOWN.to_string()
            } else if let Some(name) = self.name() {
                name.to_owned()
            } else {
                self.skip_one();
                continue;
            };
            if self.eat('=') || self.eat(':') {
                let value = self.value(depth + 1, true);
                body.insert(key, value);
                self.eat(',');
            } else {
                let mut labels = Vec::new();
                self.labels(&mut labels);
                if self.eat('{') {
                    self.skip_to_close();
                }
            }
        }
    }

    /// Reads a value; one that is not known is null.
    fn value(&mut self, depth: usize, lines_end: bool) -> Value {
        self.skip_space(lines_end);
        let value = match self.peek() {
            Some('"') => Value::String(self.string()),
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            Some('<') => match self.here_document() {
                Some(text) => Value::String(text),
                None => Value::Null,
            },
            _ => match self.name() {
                Some("null") | None => Value::Null,
                Some(name) => Value::String(format!("${{{name}}}")),
            },
        };
        if self.skip_operators(lines_end) {
            return Value::Null;
        }
        value
    }

    fn list(&mut self, depth: usize) -> Value {
        self.skip_one();
        if depth > DEEPEST {
            self.skip_to_close();
            return Value::Null;
        }
        let mut list = Vec::new();
        while !self.eat(']') && !self.rest().is_empty() {
            let before = self.at;
            list.push(self.value(depth + 1, false));
            if !self.eat(',') && self.at == before {
                self.skip_one();
            }
        }
        Value::Array(list)
    }

    fn map(&mut self, depth: usize) -> Value {
        self.skip_one();
        self.skip_space(false);
        let is_loop = self
            .rest()
            .strip_prefix("for")
            .is_some_and(|rest| rest.starts_with(char::is_whitespace));
        if depth > DEEPEST || is_loop {
            self.skip_to_close();
            return Value::Null;
        }
        Value::Object(self.body(depth))
    }

    /// Skips what stands behind a value and belongs to it; says whether there was something.
    fn skip_operators(&mut self, lines_end: bool) -> bool {
        let mut found = false;
        loop {
            self.skip_space(lines_end);
            match self.peek() {
                None | Some(',' | ']' | '}' | ')' | '\n') => return found,
                Some(sign) => {
                    found = true;
                    self.skip_one();
                    match sign {
                        '"' => self.skip_string(),
                        '(' | '[' | '{' => self.skip_to_close(),
                        _ => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Value) {
        let blocks = read(&format!("t \"x\" {{\n{text}\n}}\nafter = 1\n"));
        assert_eq!(Value::Object(blocks[0].body.clone()), *expected, "{text}");
        assert_eq!(blocks[0].labels, ["x"], "{text}");
        assert_eq!(blocks[1].word, "after", "{text}");
    }

    #[test]
    fn values_are_read_and_expressions_are_not_known() {
        for (text, expected) in [
            (r#"a = "x\"y$${z}""#, json!({"a": "x\"y$${z}"})),
            (r#"a = "${D}${"}b"}""#, json!({"a": r#"${D}${"}b"}"#})),
            (
                "a = \"${f( # }\n // }\n /* } */ )}b\"\nc = D",
                json!({"a": "${f( # }\n // }\n /* } */ )}b", "c": "${D}"}),
            ),
            (
                r#"a = "${f("}", [{ b = "\"" }])}c""#,
                json!({"a": r#"${f("}", [{ b = "\"" }])}c"#}),
            ),
            (
                "a = [\"x\", B,\n c(\"]\"),\n]",
                json!({"a": ["x", "${B}", null]}),
            ),
            (
                "a = { \"b\" = \"c\", d: E }",
                json!({"a": {"b": "c", "d": "${E}"}}),
            ),
            (
                "a = b == \"}\" ? \"x\" : \"y\"\nc = \"d\"",
                json!({"a": null, "c": "d"}),
            ),
            (
                "a = f(\n\"x\",\n\"}\")\nc = D",
                json!({"a": null, "c": "${D}"}),
            ),
            (
                "a = { for k, v in m : k => v }\nc = D",
                json!({"a": null, "c": "${D}"}),
            ),
            (
                "a = <<-EOT\n}\n  }\n  EOT\nc = D",
                json!({"a": "}\n  }\n", "c": "${D}"}),
            ),
            (
                "a = { S = <<EOT\n}\nEOT\n}\nc = D",
                json!({"a": {"S": "}\n"}, "c": "${D}"}),
            ),
            ("a = f(<<E\n)\nE\n)\nc = D", json!({"a": null, "c": "${D}"})),
            (
                "a = x.y # }\n// }\n/* } */ c = D",
                json!({"a": null, "c": "${D}"}),
            ),
            ("secret \"b\" {\n}\nc = D", json!({"c": "${D}"})),
        ] {
            check(text, &expected);
        }
    }

    #[test]
    fn nonsense_ends() {
        let deep = format!("a = {}", "[{a=".repeat(100_000));
        let strings = format!("a = {}", "\"${".repeat(100_000));
        for text in [
            "target \"a\" {",
            "target",
            "}}}",
            "target \"a\" { x = ",
            "\"",
            "a = (",
            "a = [)",
            "a = <<",
            "a = <<E\n",
            "target \"a\" { context = [ \"x\" ",
            &deep,
            &strings,
        ] {
            let _whatever = read(text);
        }
    }
}
