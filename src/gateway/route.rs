//! Where a request goes: to a protocol that is metered, on without a charge, or nowhere.
//!
//! Only what is listed is passed on: the key that the gateway holds opens more than an agent should see.

use http::{HeaderMap, Method};

use super::protocols::Protocol;

/// Who answers in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Provider {
    Anthropic,
    OpenAi,
}

impl Provider {
    pub(crate) const ALL: [Self; 2] = [Self::Anthropic, Self::OpenAi];

    /// Returns the name that options and price tables have for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
        }
    }

    /// Returns the variable that holds its key.
    pub(crate) fn key_variable(self) -> &'static str {
        match self {
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::OpenAi => "OPENAI_API_KEY",
        }
    }

    /// Returns the variable that holds its address, as its own programs read it.
    pub(crate) fn address_variable(self) -> &'static str {
        match self {
            Self::Anthropic => "ANTHROPIC_BASE_URL",
            Self::OpenAi => "OPENAI_BASE_URL",
        }
    }

    pub(crate) fn default_address(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
        }
    }
}

/// Returns the whole address of what was asked for: an address may end in the version, or leave it out.
pub(crate) fn url(address: &str, target: &str) -> String {
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix("/v1").unwrap_or(address);
    format!("{address}{target}")
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// It asks whether anybody is there.
    Knock,
    /// It costs money.
    Metered(Protocol),
    /// It costs nothing.
    Free(Provider),
    /// It might cost money, or show what is nobody's business.
    Refused(Provider),
}

/// Returns where a request goes.
pub(crate) fn route(method: &Method, target: &str, headers: &HeaderMap) -> Route {
    let path = target.split('?').next().unwrap_or_default();
    let is_reading = *method == Method::GET || *method == Method::HEAD;
    if path == "/" && is_reading {
        return Route::Knock;
    }
    let is_posting = *method == Method::POST;
    match path {
        "/v1/messages" if is_posting => Route::Metered(Protocol::Messages),
        "/v1/chat/completions" if is_posting => Route::Metered(Protocol::Chat),
        "/v1/responses" if is_posting => Route::Metered(Protocol::Responses),
        "/v1/embeddings" if is_posting => Route::Metered(Protocol::Embeddings),
        "/v1/messages/count_tokens" if is_posting => Route::Free(Provider::Anthropic),
        "/v1/responses/input_tokens" if is_posting => Route::Free(Provider::OpenAi),
        _ if is_reading && is_model(path) => Route::Free(asker(path, headers)),
        _ => Route::Refused(asker(path, headers)),
    }
}

/// Whether a path is that of the list of models, or of one of them.
fn is_model(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/v1/models") else {
        return false;
    };
    // No dots and slashes that a server might take for steps to somewhere else.
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        !name.is_empty() && !name.contains("..") && name.bytes().all(is_plain)
    };
    rest.is_empty() || rest.strip_prefix('/').is_some_and(is_name)
}

/// Returns whose words a client speaks.
fn asker(path: &str, headers: &HeaderMap) -> Provider {
    let is_anthropic = path.starts_with("/v1/messages")
        || headers.contains_key("anthropic-version")
        || headers.contains_key("x-api-key");
    if is_anthropic {
        Provider::Anthropic
    } else {
        Provider::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Route) {
        let (method, target) = line.split_once(' ').unwrap();
        let found = route(&method.parse().unwrap(), target, &HeaderMap::new());
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn what_costs_money_is_metered() {
        check(
            "POST /v1/messages?beta=true",
            Route::Metered(Protocol::Messages),
        );
        check("POST /v1/chat/completions", Route::Metered(Protocol::Chat));
        check("POST /v1/responses", Route::Metered(Protocol::Responses));
        check("POST /v1/embeddings", Route::Metered(Protocol::Embeddings));
    }

    #[test]
    fn what_is_free_is_passed_on() {
        check(
            "POST /v1/messages/count_tokens?beta=true",
            Route::Free(Provider::Anthropic),
        );
        check("GET /v1/models", Route::Free(Provider::OpenAi));
        check(
            "GET /v1/models/ft:gpt-5.4:acme::1",
            Route::Free(Provider::OpenAi),
        );
        check("HEAD /", Route::Knock);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "POST /v1/batches",
            "POST /v1/images/generations",
            "POST /v1/audio/speech",
            "GET /v1/files",
            "GET /v1/responses/resp_1",
            "POST /v1/responses/compact",
            "GET /v1/models/../files",
            "GET /v1/models/x/../../files",
            "GET /v1/models/%2e%2e",
            "DELETE /v1/models/x",
            "GET /v1/chat/completions",
            "POST /",
            "POST //v1/messages",
            "GET /v1/organization/costs",
        ] {
            check(line, Route::Refused(Provider::OpenAi));
        }
        check(
            "POST /v1/messages/batches",
            Route::Refused(Provider::Anthropic),
        );
        check("POST /v1/messages/", Route::Refused(Provider::Anthropic));
    }

    #[test]
    fn models_are_asked_of_those_whose_words_the_client_speaks() {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        let found = route(&Method::GET, "/v1/models?limit=1", &headers);
        assert_eq!(found, Route::Free(Provider::Anthropic));
    }

    #[test]
    fn an_address_may_end_in_the_version() {
        for address in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/v1",
            "http://h:1/v1/",
        ] {
            let url = url(address, "/v1/responses?a=b");
            assert_eq!(url, "http://h:1/v1/responses?a=b");
        }
        let url = url("https://h/anthropic", "/v1/messages");
        assert_eq!(url, "https://h/anthropic/v1/messages");
    }
}
