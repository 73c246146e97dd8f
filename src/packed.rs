//! What the binary brings and seldom reads, as `build.rs` deflated it.

use std::io::Read;

/// Returns the texts of a stream with their names, sorted by them. Streams are made with the binary: a broken one is empty.
pub(crate) fn texts(stream: &[u8]) -> Vec<(String, String)> {
    let mut all = String::new();
    if flate2::read::DeflateDecoder::new(stream)
        .read_to_string(&mut all)
        .is_err()
    {
        return Vec::new();
    }
    let mut words = all.split('\0').map(str::to_owned);
    std::iter::from_fn(|| Some((words.next()?, words.next()?))).collect()
}

/// Returns the text of one name, or nothing.
pub(crate) fn text(stream: &[u8], name: &str) -> String {
    let found = texts(stream).into_iter().find(|(known, _)| known == name);
    found.map(|(_, text)| text).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the packed files lie outside")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn texts_are_what_lay_there() {
        for (stream, folder) in [
            (
                &include_bytes!(concat!(env!("OUT_DIR"), "/schemas"))[..],
                "schemas",
            ),
            (
                &include_bytes!(concat!(env!("OUT_DIR"), "/prompts"))[..],
                "prompts",
            ),
            (
                &include_bytes!(concat!(env!("OUT_DIR"), "/policy"))[..],
                "docs/policy",
            ),
            (
                &include_bytes!(concat!(env!("OUT_DIR"), "/prices"))[..],
                "src/llm/prices",
            ),
            (
                &include_bytes!(concat!(env!("OUT_DIR"), "/observability"))[..],
                "examples/observability",
            ),
        ] {
            let all = texts(stream);
            assert!(!all.is_empty() && all.is_sorted());
            for (name, content) in all {
                let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join(folder)
                    .join(&name);
                assert_eq!(fs::read_to_string(path).unwrap(), content, "{name}");
                assert_eq!(text(stream, &name), content);
            }
        }
    }

    #[test]
    fn broken_streams_and_unknown_names_are_empty() {
        assert_eq!(texts(b"no stream"), []);
        assert_eq!(text(b"no stream", "a"), "");
    }
}
