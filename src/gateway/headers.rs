//! Which headers are passed on. A connection's own (RFC 9110, "7.6.1 Connection") and what says who asks never are.

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What belongs to one connection.
const OF_A_CONNECTION: [HeaderName; 7] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The same, without names in the standard library of HTTP.
const OF_OLD_CONNECTIONS: [&str; 2] = ["keep-alive", "proxy-connection"];

/// What a client says of itself or of how it wants to be answered, and the gateway says instead.
const OF_A_CLIENT: [HeaderName; 6] = [
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    HOST,
];

/// Where a request has been is nobody's business; who pays for it, the key says.
const OTHERS_OF_A_CLIENT: [&str; 5] = [
    "x-api-key",
    "api-key",
    "forwarded",
    "openai-organization",
    "openai-project",
];

/// Returns the headers of a request as they go on; answers that can be read are asked for.
pub(crate) fn onward(headers: &HeaderMap) -> HeaderMap {
    let mut on = without_connection(headers);
    for name in OF_A_CLIENT {
        on.remove(name);
    }
    for name in OTHERS_OF_A_CLIENT {
        on.remove(name);
    }
    let tracks: Vec<HeaderName> = on
        .keys()
        .filter(|name| name.as_str().starts_with("x-forwarded-"))
        .cloned()
        .collect();
    for name in tracks {
        on.remove(name);
    }
    on.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    on
}

/// Returns the headers of an answer as the client gets them; its length is told by whoever sends the body.
pub(crate) fn back(headers: &HeaderMap) -> HeaderMap {
    let mut back = without_connection(headers);
    back.remove(CONTENT_LENGTH);
    back.remove(SET_COOKIE);
    back
}

fn without_connection(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(CONNECTION).iter();
    let named: Vec<HeaderName> = named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let mut kept = headers.clone();
    for name in OF_A_CONNECTION.into_iter().chain(named) {
        kept.remove(name);
    }
    for name in OF_OLD_CONNECTIONS {
        kept.remove(name);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    fn all(names: &[&'static str]) -> HeaderMap {
        names
            .iter()
            .map(|name| (name.parse().unwrap(), HeaderValue::from_static("v")))
            .collect()
    }

    #[test]
    fn neither_the_connection_nor_the_client_is_passed_on() {
        let mut headers = all(&[
            "host",
            "authorization",
            "x-api-key",
            "cookie",
            "content-length",
            "transfer-encoding",
            "te",
            "keep-alive",
            "proxy-authorization",
            "expect",
            "x-forwarded-for",
            "openai-project",
            "x-own",
            "content-type",
            "anthropic-beta",
            "user-agent",
        ]);
        headers.insert("connection", "keep-alive, X-Own".parse().unwrap());
        let on = onward(&headers);
        assert_eq!(
            names(&on),
            [
                "accept-encoding",
                "anthropic-beta",
                "content-type",
                "user-agent"
            ]
        );
        assert_eq!(on["accept-encoding"], "identity");
    }

    #[test]
    fn an_answer_keeps_what_a_client_needs() {
        let headers = all(&[
            "content-type",
            "content-length",
            "retry-after",
            "request-id",
            "set-cookie",
            "connection",
            "transfer-encoding",
        ]);
        assert_eq!(
            names(&back(&headers)),
            ["content-type", "request-id", "retry-after"]
        );
    }
}
