//! The way from one page of a list to the next (`Link`, RFC 8288).
//!
//! Only the parameters of the next page are taken from the answer: behind a proxy, on an enterprise server and in a test the
//! address of the link is not the one that was asked.

use percent_encoding::percent_decode_str;

/// Returns the query parameters of the next page; nothing on the last one.
pub(crate) fn next(link: Option<&str>) -> Option<Vec<(String, String)>> {
    let address = links(link?).find_map(|(address, parameters)| {
        let is_next = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .any(|(name, value)| {
                name.eq_ignore_ascii_case("rel")
                    && value
                        .trim_matches('"')
                        .split_whitespace()
                        .any(|rel| rel == "next")
            });
        is_next.then_some(address)
    })?;
    let (_, query) = address.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Some(
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (unescape(name), unescape(value))
            })
            .collect(),
    )
}

/// Splits the header: each address with its parameters. Commas and semicolons may stand inside an address.
fn links(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once('<')?;
        let (address, after) = after.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        rest = &after[end..];
        Some((address, after[..end].trim_end_matches([',', ' '])))
    })
}

fn unescape(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(link: &str, wanted: Option<&[(&str, &str)]>) {
        let found = next(Some(link));
        let wanted = wanted.map(|pairs| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<Vec<_>>()
        });
        assert_eq!(found, wanted, "{link}");
    }

    #[test]
    fn the_next_page_is_found_among_others() {
        check(
            "<https://api.github.com/repositories/1/issues?page=1>; rel=\"prev\", <https://api.github.com/repositories/1/issues?per_page=100&page=3>; rel=\"next\", <https://x/?page=9>; rel=\"last\"",
            Some(&[("per_page", "100"), ("page", "3")]),
        );
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        check("<https://x/?page=1>; rel=\"first\"", None);
        check("", None);
        check("<https://x/>; rel=next", None);
        assert_eq!(next(None), None);
    }

    #[test]
    fn parameters_are_read_as_they_were_meant() {
        check(
            "<x?q=a%2Cb+c%zz&after=Y3Vy%3D%3D>; rel=next",
            Some(&[("q", "a,b c%zz"), ("after", "Y3Vy==")]),
        );
    }
}
