//! Requests and answers, typed by what they bring.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// Returns its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a token must be allowed to do for a request, in the words of a workflow's `permissions:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// As `pull-requests`; empty where any token does.
    pub(crate) permission: &'static str,
    /// `read` or `write`.
    pub(crate) level: &'static str,
}

impl Need {
    pub(crate) const fn read(permission: &'static str) -> Self {
        Self {
            permission,
            level: "read",
        }
    }

    pub(crate) const fn write(permission: &'static str) -> Self {
        Self {
            permission,
            level: "write",
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// From the API's root, percent-encoded: `/repos/o/n/pulls`.
    pub(crate) path: String,
    /// Query parameters, not yet encoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    /// Whether it may be sent again although it may have been heard.
    pub(crate) is_repeatable: bool,
    /// What is done to what, for messages: `list the pull requests of o/n`.
    pub(crate) purpose: String,
    pub(crate) need: Need,
}

impl Request {
    pub(crate) fn new(method: Method, path: String, purpose: String, need: Need) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            // What sets a state may be said twice; what creates something makes two of it.
            is_repeatable: method != Method::Post,
            purpose,
            need,
        }
    }

    pub(crate) fn query(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a parameter where there is one.
    pub(crate) fn maybe(self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Lets it be sent again: what it creates is the same the second time, or nobody sees it.
    pub(crate) fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// Returns path and query as they go out.
    pub(crate) fn target(&self) -> String {
        let pairs = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        }
    }
}

/// What RFC 3986 calls unreserved.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes everything but what RFC 3986 calls unreserved.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, &UNRESERVED).to_string()
}

/// Percent-encodes a path; its slashes stay.
pub(crate) fn escape_path(path: &str) -> String {
    path.split('/').map(escape).collect::<Vec<_>>().join("/")
}

/// A request that brings one thing.
#[derive(Debug, Clone)]
pub(crate) struct Call<T> {
    pub(crate) request: Request,
    brings: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            brings: PhantomData,
        }
    }
}

/// A request that brings many things, page by page.
#[derive(Debug, Clone)]
pub(crate) struct Listing<T> {
    pub(crate) request: Request,
    /// The field that holds the things, where the answer is an object.
    pub(crate) field: Option<&'static str>,
    brings: PhantomData<fn() -> T>,
}

impl<T> Listing<T> {
    /// The largest page that GitHub hands out.
    pub(crate) const PAGE: usize = 100;

    pub(crate) fn new(request: Request, field: Option<&'static str>) -> Self {
        Self {
            request: request.query("per_page", Self::PAGE),
            field,
            brings: PhantomData,
        }
    }

    /// A list that GitHub hands out as one page.
    pub(crate) fn of_one_page(request: Request) -> Self {
        Self {
            request,
            field: None,
            brings: PhantomData,
        }
    }
}

/// An answer, its body whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.header(name)?.trim().parse().ok()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    /// Nobody heard the request.
    #[error("cannot connect: {0}")]
    NotSent(String),
    /// The request, or a part of it, went out, and no whole answer came.
    #[error("no whole answer came: {0}")]
    Unknown(String),
    /// The client could not be set up.
    #[error("{0}")]
    Unusable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_stays_in_its_place() {
        assert_eq!(escape("a/b?c&d=e #%ü"), "a%2Fb%3Fc%26d%3De%20%23%25%C3%BC");
        assert_eq!(escape_path("a b/../c"), "a%20b/../c");
        let request = Request::new(
            Method::Get,
            "/x".into(),
            String::new(),
            Need::read("contents"),
        );
        assert_eq!(
            request.query("q", "a&b").query("n", 1).target(),
            "/x?q=a%26b&n=1"
        );
    }
}
