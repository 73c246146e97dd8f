//! JSON, written front to back: what is exported can be ten thousand spans, and a tree of values for them would be larger than they are.

/// A text of JSON that grows.
#[derive(Debug, Default)]
pub(crate) struct Json(String);

impl Json {
    pub(crate) fn begin(&mut self, bracket: char) {
        self.comma();
        self.0.push(bracket);
    }

    pub(crate) fn end(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    pub(crate) fn key(&mut self, key: &str) {
        self.text(key);
        self.0.push(':');
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.comma();
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                // Lines of a log end where a reader thinks that they end.
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    self.0.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }

    /// Writes what is a number or a word of JSON.
    pub(crate) fn raw(&mut self, words: &str) {
        self.comma();
        self.0.push_str(words);
    }

    /// Writes a number that is finite.
    pub(crate) fn number(&mut self, number: f64) {
        self.raw(&number.to_string());
    }

    pub(crate) fn member(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text);
    }

    /// Writes a member that is a number or a word of JSON.
    pub(crate) fn raw_member(&mut self, key: &str, words: &str) {
        self.key(key);
        self.raw(words);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn comma(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let hostile = "a\"b\\c\n\r\t\u{0}\u{7f}\u{85}\u{2028}é🦀</script>${{ x }}";
        let mut json = Json::default();
        json.begin('{');
        json.member("a{", hostile);
        json.key("b");
        json.begin('[');
        json.text("x:");
        json.number(0.5);
        json.raw("null");
        json.begin('[');
        json.end(']');
        json.end(']');
        json.end('}');
        let text = json.finish();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["a{"], hostile);
        assert_eq!(value["b"], serde_json::json!(["x:", 0.5, null, []]));
        assert!(!text.chars().any(char::is_control));
    }
}
