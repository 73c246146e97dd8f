//! Where a model is asked, and with which key: an address, and the rule for whom a key is sent to.
//!
//! Invariant: a key never goes over a connection that others can read, nor to a server that nobody named it for.

use http::Uri;

use super::protocols::Protocol;
use super::request::House;

/// A provider that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// As the price table has it.
    pub(crate) name: &'static str,
    base: &'static str,
    /// The variable that holds its key.
    pub(crate) key_variable: &'static str,
    /// What it is spoken to in.
    pub(crate) protocol: Protocol,
}

/// Providers that are known by name.
const KNOWN: [Known; 2] = [
    Known {
        name: "anthropic",
        base: "https://api.anthropic.com",
        key_variable: "ANTHROPIC_API_KEY",
        protocol: Protocol::Messages,
    },
    Known {
        name: "openai",
        base: "https://api.openai.com/v1",
        key_variable: "OPENAI_API_KEY",
        protocol: Protocol::Responses,
    },
];

/// Variables that hold what opens a provider's doors, as the providers' own programs read them: nothing that is started gets them.
pub(crate) const SECRETS: [&str; 7] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "CODEX_API_KEY",
];

impl Known {
    pub(crate) fn named(name: &str) -> Option<Self> {
        KNOWN.into_iter().find(|known| known.name == name)
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    pub(crate) url: String,
    pub(crate) house: House,
}

/// Why an address is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointProblem {
    #[error("there is no address to ask at")]
    Nowhere,
    #[error("`{0}` is no address of a server: it begins with `https://` and a name")]
    NoAddress(String),
    #[error("the address has a name or password in it")]
    HasPassword,
    #[error(
        "`{0}` is another machine, and whatever is sent to it over `http://` can be read on the way"
    )]
    Plain(String),
}

impl Endpoint {
    /// Returns where requests go: to an address, or to a provider's own one.
    ///
    /// An address is as programs of these providers take it: OpenAI's ends in its version, Anthropic's may. One without a path gets the
    /// version.
    pub(crate) fn new(
        protocol: Protocol,
        known: Option<Known>,
        base: Option<&str>,
        may_be_plain: bool,
    ) -> Result<Self, EndpointProblem> {
        let own = known.map(|known| known.base);
        let base = base.or(own).ok_or(EndpointProblem::Nowhere)?;
        let house = if own.is_some_and(|own| host(own) == host(base)) {
            House::Own
        } else {
            House::Other
        };
        let wrong =
            || EndpointProblem::NoAddress(base.split(['?', '@']).next().unwrap_or_default().into());
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(EndpointProblem::HasPassword);
        }
        if uri.query().is_some() {
            return Err(wrong());
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if may_be_plain || is_here(authority.host()) => {}
            Some("http") => return Err(EndpointProblem::Plain(authority.host().to_owned())),
            _ => return Err(wrong()),
        }
        let base = base.trim_end_matches('/');
        let path = uri.path().trim_end_matches('/');
        let version = match protocol {
            Protocol::Messages if path.ends_with("/v1") => "",
            Protocol::Chat | Protocol::Responses if !path.is_empty() => "",
            _ => "/v1",
        };
        let end = match protocol {
            Protocol::Messages => "messages",
            Protocol::Chat => "chat/completions",
            Protocol::Responses => "responses",
        };
        Ok(Self {
            protocol,
            url: format!("{base}{version}/{end}"),
            house,
        })
    }

    /// Returns the header that a key goes into, and what stands before it.
    pub(crate) fn key_header(&self) -> (&'static str, &'static str) {
        match self.protocol {
            Protocol::Messages => ("x-api-key", ""),
            Protocol::Chat | Protocol::Responses => ("authorization", "Bearer "),
        }
    }

    /// Returns the other headers.
    pub(crate) fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let mut headers = vec![("content-type", "application/json")];
        if self.protocol == Protocol::Messages {
            headers.push(("anthropic-version", "2023-06-01"));
        }
        headers
    }
}

fn host(base: &str) -> Option<String> {
    let uri: Uri = base.parse().ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}

/// Whether a host is this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Returns what is wrong with a key, which is never shown.
pub(crate) fn fault_of_key(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("is empty")
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("has signs in it that no key has, such as a space or the end of a line")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(protocol: Protocol, base: &str, url: &str) {
        let endpoint = Endpoint::new(protocol, None, Some(base), false).unwrap();
        assert_eq!(endpoint.url, url);
        assert_eq!(endpoint.house, House::Other);
    }

    #[test]
    fn an_address_is_as_the_providers_programs_take_it() {
        check(
            Protocol::Messages,
            "http://localhost:8080",
            "http://localhost:8080/v1/messages",
        );
        check(
            Protocol::Messages,
            "http://[::1]:8080/v1/",
            "http://[::1]:8080/v1/messages",
        );
        check(
            Protocol::Messages,
            "https://g.example/anthropic",
            "https://g.example/anthropic/v1/messages",
        );
        check(
            Protocol::Chat,
            "http://127.0.0.1:11434",
            "http://127.0.0.1:11434/v1/chat/completions",
        );
        check(
            Protocol::Chat,
            "https://h.example/v1beta/openai/",
            "https://h.example/v1beta/openai/chat/completions",
        );
        check(
            Protocol::Responses,
            "https://h.example/v1",
            "https://h.example/v1/responses",
        );
        let own = Endpoint::new(Protocol::Chat, Known::named("openai"), None, false).unwrap();
        assert_eq!(
            (own.url.as_str(), own.house),
            ("https://api.openai.com/v1/chat/completions", House::Own)
        );
        let own =
            Endpoint::new(Protocol::Messages, Known::named("anthropic"), None, false).unwrap();
        assert_eq!(
            (own.url.as_str(), own.house),
            ("https://api.anthropic.com/v1/messages", House::Own)
        );
    }

    #[test]
    fn nothing_goes_to_another_machine_in_the_clear() {
        for base in [
            "http://h.example",
            "http://127.0.0.1.h.example/v1",
            "http://10.0.0.1:1",
            "http://localhost.h.example",
        ] {
            let problem = Endpoint::new(Protocol::Chat, None, Some(base), false).unwrap_err();
            assert!(matches!(problem, EndpointProblem::Plain(_)), "{base}");
            assert!(Endpoint::new(Protocol::Chat, None, Some(base), true).is_ok());
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_its_secrets() {
        for base in [
            "",
            "h.example",
            "ftp://h.example",
            "https://",
            "https://h.example/?key=hunter22",
            "/v1",
        ] {
            let problem = Endpoint::new(Protocol::Chat, None, Some(base), false).unwrap_err();
            assert!(
                matches!(problem, EndpointProblem::NoAddress(_)),
                "{base}: {problem}"
            );
            assert!(!problem.to_string().contains("hunter22"));
        }
        let problem = Endpoint::new(
            Protocol::Chat,
            None,
            Some("https://me:hunter22@h.example"),
            false,
        );
        assert_eq!(problem, Err(EndpointProblem::HasPassword));
        assert_eq!(
            Endpoint::new(Protocol::Chat, None, None, false),
            Err(EndpointProblem::Nowhere)
        );
    }

    #[test]
    fn a_key_is_one_word() {
        assert_eq!(fault_of_key("sk-x_1"), None);
        for wrong in ["", "a b", "a\n", "ä"] {
            assert!(fault_of_key(wrong).is_some());
        }
    }
}
