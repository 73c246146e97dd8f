//! JSON with comments and trailing commas, as nx, Turborepo and bun have it.

use serde_json::Value;

use crate::json;

/// Reads a document; the error names its place.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    json::read(&plain(text)).map_err(|error| error.to_string())
}

/// Puts blanks in place of comments and of commas that nothing follows, so that places stay what they were.
fn plain(text: &str) -> String {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    // Where the last comma stands, while only blanks have followed it.
    let mut comma = None;
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('"', _) => {
                comma = None;
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ('/', Some('/')) => {
                out.push(' ');
                while let Some(c) = chars.next_if(|c| *c != '\n') {
                    out.push(blank(c));
                }
            }
            ('/', Some('*')) => {
                let mut last = ' ';
                out.push(' ');
                out.extend(chars.next().map(blank));
                for c in chars.by_ref() {
                    out.push(blank(c));
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            ('}' | ']', _) => {
                if let Some(at) = comma.take() {
                    out[at] = ' ';
                }
                out.push(c);
            }
            (',', _) => {
                comma = Some(out.len());
                out.push(c);
            }
            _ => {
                if !c.is_whitespace() {
                    comma = None;
                }
                out.push(c);
            }
        }
    }
    out.into_iter().collect()
}

fn blank(c: char) -> char {
    if c == '\n' { c } else { ' ' }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_passed_over() {
        let text = "{ // one\n \"a\": [1, /* two, \"b\" */ 2,], \"c//\": \"/*d,]\", }";
        let value = read(text).unwrap();
        assert_eq!(value, serde_json::json!({"a": [1, 2], "c//": "/*d,]"}));
        let value = read(r#"{"a": "x,]//\"", /* c */ }"#).unwrap();
        assert_eq!(value, serde_json::json!({"a": "x,]//\""}));
    }

    #[test]
    fn a_comma_that_stands_alone_stays_an_error() {
        assert!(
            read("[,]").is_ok_and(|value| value == serde_json::json!([])) || read("[,]").is_err()
        );
        assert!(read("[1,,2]").is_err());
        assert!(read("{\"a\": }").unwrap_err().contains("line 1"));
    }

    proptest! {
        #[test]
        fn plain_json_stays_what_it_is(text in "[ -~]{0,40}", number in any::<i32>()) {
            let value = serde_json::json!({"k": [text, number], "n": {"x": text}});
            prop_assert_eq!(read(&value.to_string()).unwrap(), value);
        }

        #[test]
        fn nothing_panics(text in "[\"/*,\\\\\\]}\n a]{0,30}") {
            let _ = read(&text);
        }
    }
}
