//! Anthropic's Messages (docs.claude.com, "Errors").

use http::StatusCode;
use serde_json::{Value, json};

use super::Trouble;

/// Says why a request goes no further.
pub(super) fn trouble(trouble: Trouble, message: &str) -> (StatusCode, Value) {
    let (status, kind) = match trouble {
        Trouble::Turned(status) if status == StatusCode::UNAUTHORIZED => {
            (status, "authentication_error")
        }
        Trouble::Turned(status) => (status, "permission_error"),
        Trouble::Unreadable | Trouble::Unpriced => {
            (StatusCode::BAD_REQUEST, "invalid_request_error")
        }
        Trouble::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request_too_large"),
        // Claude Code 2.1.197 asks on and on after 429, and stops and shows the message after this.
        Trouble::Budget => (StatusCode::PAYMENT_REQUIRED, "billing_error"),
        Trouble::NotServed => (StatusCode::FORBIDDEN, "permission_error"),
        Trouble::NoKey => (StatusCode::UNAUTHORIZED, "authentication_error"),
        Trouble::Unreachable => (StatusCode::BAD_GATEWAY, "api_error"),
        Trouble::Closing | Trouble::Books => (StatusCode::SERVICE_UNAVAILABLE, "api_error"),
    };
    (
        status,
        json!({"type": "error", "error": {"type": kind, "message": message}}),
    )
}
