//! What OpenAI's protocols have in common: the words for trouble (platform.openai.com, "Error codes").

use http::StatusCode;
use serde_json::{Value, json};

use super::Trouble;

/// Says why a request goes no further.
pub(super) fn trouble(trouble: Trouble, message: &str) -> (StatusCode, Value) {
    let (status, kind, code) = match trouble {
        Trouble::Turned(status) => (status, "invalid_request_error", "invalid_api_key"),
        Trouble::Unreadable => (
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "invalid_json",
        ),
        Trouble::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request_error",
            "request_too_large",
        ),
        // Codex 0.169 asks six times after 402 and 403, has words of its own for 429, and stops and shows the message after this.
        Trouble::Budget => (
            StatusCode::BAD_REQUEST,
            "insufficient_quota",
            "budget_reached",
        ),
        Trouble::Unpriced => (StatusCode::BAD_REQUEST, "invalid_request_error", "unpriced"),
        Trouble::NotServed => (StatusCode::FORBIDDEN, "invalid_request_error", "not_served"),
        Trouble::NoKey => (
            StatusCode::UNAUTHORIZED,
            "invalid_request_error",
            "no_api_key",
        ),
        Trouble::Unreachable => (StatusCode::BAD_GATEWAY, "server_error", "unreachable"),
        Trouble::Closing | Trouble::Books => (
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "unavailable",
        ),
    };
    (
        status,
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}}),
    )
}
