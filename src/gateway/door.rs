//! Who may come in: programs on this machine that have the run's token, and no page of a browser.
//!
//! A page of a browser can send requests to the loopback, under a name of its own that points there ("DNS rebinding"); its requests carry
//! that name as `Host`, or where they come from as `Origin` (Fetch, "3.2 Origin header").

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};

/// Why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Turned {
    #[error("the gateway answers to 127.0.0.1 and localhost only")]
    Stranger,
    #[error("the gateway is not for web pages")]
    Page,
    #[error(
        "this needs the run's token, as `x-api-key` or `Authorization: Bearer`; the gateway puts it into ANTHROPIC_API_KEY and OPENAI_API_KEY"
    )]
    NoToken,
}

impl Turned {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Stranger | Self::Page => StatusCode::FORBIDDEN,
            Self::NoToken => StatusCode::UNAUTHORIZED,
        }
    }
}

/// Whether a request comes from this machine, and not by way of a browser.
pub(crate) fn is_local(headers: &HeaderMap) -> Result<(), Turned> {
    let mut hosts = headers.get_all(HOST).iter();
    let is_ours = hosts
        .next()
        .and_then(|host| host.to_str().ok())
        .is_some_and(is_loopback);
    if !is_ours || hosts.next().is_some() {
        return Err(Turned::Stranger);
    }
    if headers.contains_key(ORIGIN) {
        return Err(Turned::Page);
    }
    Ok(())
}

/// Whether a request has the token.
pub(crate) fn has_token(headers: &HeaderMap, token: &str) -> Result<(), Turned> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let text = value.to_str().ok()?;
        let (scheme, rest) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
    });
    let keys = headers.get_all("x-api-key").iter();
    let mut shown = bearer.chain(keys.filter_map(|value| value.to_str().ok()));
    if shown.any(|shown| is_same(shown, token)) {
        Ok(())
    } else {
        Err(Turned::NoToken)
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|ours| name.eq_ignore_ascii_case(ours))
}

/// Compares without telling by the time it takes how much of a guess is right.
fn is_same(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).map(|(a, b)| a ^ b);
    shown.len() == token.len() && differences.fold(0, |all, one| all | one) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_names_of_the_loopback_are_answered() {
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"] {
            assert_eq!(is_local(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "127.0.0.1:80@evil.example",
            "localhost:x",
            "",
            "10.0.0.1",
        ] {
            let asked = is_local(&headers(&[("host", host)]));
            assert_eq!(asked, Err(Turned::Stranger), "{host}");
        }
        assert_eq!(is_local(&HeaderMap::new()), Err(Turned::Stranger));
        let two = headers(&[("host", "localhost"), ("host", "evil.example")]);
        assert_eq!(is_local(&two), Err(Turned::Stranger));
    }

    #[test]
    fn a_page_is_turned_away_even_by_the_right_name() {
        let page = headers(&[("host", "localhost:1"), ("origin", "https://evil.example")]);
        assert_eq!(is_local(&page), Err(Turned::Page));
    }

    #[test]
    fn the_token_may_stand_in_either_header() {
        let is_in = |name, value: &str| has_token(&headers(&[(name, value)]), "abc").is_ok();
        assert!(is_in("x-api-key", "abc"));
        assert!(is_in("authorization", "Bearer abc"));
        assert!(is_in("authorization", "bearer  abc"));
        for (name, value) in [
            ("x-api-key", "abd"),
            ("x-api-key", "ab"),
            ("x-api-key", "abcd"),
            ("x-api-key", ""),
            ("authorization", "abc"),
            ("authorization", "Basic abc"),
            ("cookie", "abc"),
        ] {
            assert!(!is_in(name, value), "{name}: {value}");
        }
        let beside = headers(&[("x-api-key", "own"), ("authorization", "Bearer abc")]);
        assert_eq!(has_token(&beside, "abc"), Ok(()));
    }
}
