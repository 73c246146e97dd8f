//! A program of one's own: `maestro.notification/v1`, signed as Standard Webhooks 1.0.0 has it (spec/standard-webhooks.md, "Signature scheme").
//!
//! What is signed is `id.timestamp.body`, by HMAC-SHA256. The id is the same however often the same news is sent, so that a receiver can leave out what it
//! has heard; the time is that of the attempt.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::Notice;
use super::letters::Sheet;
use crate::sha::Sha;

/// What stands before a secret in base64.
const PREFIX: &str = "whsec_";

/// A secret has 24 to 64 bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Something that somebody should know.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.notification/v1"))]
pub(crate) struct NotificationDocument<'n> {
    /// `maestro.notification/v1`
    schema: &'static str,
    /// The event, as `on:` names it; `test` for a sample.
    #[serde(rename = "type")]
    event: &'static str,
    /// When it was sent, in RFC 3339.
    timestamp: String,
    /// As the header `webhook-id`: the same for the same news.
    id: String,
    /// As `owner/name`, or a folder's name.
    repository: &'n str,
    /// In one line.
    title: &'n str,
    /// What happened, one thing a line; plain text.
    lines: &'n [String],
    /// Where to look.
    link: Option<&'n str>,
    /// By what it is told once.
    keys: Vec<&'n str>,
}

/// Writes a notice.
pub(crate) fn body(notice: &Notice, sheet: Sheet<'_>) -> String {
    let document = NotificationDocument {
        schema: "maestro.notification/v1",
        event: notice.event,
        timestamp: sheet.at.to_string(),
        id: id(notice, sheet),
        repository: sheet.repository,
        title: &notice.title,
        lines: &notice.lines,
        link: notice.link.as_deref(),
        keys: notice.keys.iter().map(String::as_str).collect(),
    };
    // It has nothing in it that JSON lacks.
    crate::json::text(&document).unwrap_or_default()
}

/// Returns the headers of a letter.
pub(super) fn headers(
    notice: &Notice,
    sheet: Sheet<'_>,
    body: &str,
    secret: Option<&str>,
) -> Vec<(&'static str, String)> {
    let (id, at) = (id(notice, sheet), sheet.at.as_second().to_string());
    let mut headers = vec![
        ("webhook-id", id.clone()),
        ("webhook-timestamp", at.clone()),
    ];
    if let Some(Ok(key)) = secret.map(key) {
        let signed = format!("{id}.{at}.{body}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, signed.as_bytes());
        headers.push((
            "webhook-signature",
            format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref())),
        ));
    }
    headers
}

/// Returns the bytes of a secret, or what is wrong with it; the secret is never shown.
pub(crate) fn key(secret: &str) -> Result<Vec<u8>, &'static str> {
    let secret = secret.trim();
    let key = match secret.strip_prefix(PREFIX) {
        Some(coded) => BASE64_STANDARD
            .decode(coded)
            .map_err(|_| "has `whsec_` and no base64 after it")?,
        None => secret.as_bytes().to_vec(),
    };
    if LENGTHS.contains(&key.len()) {
        Ok(key)
    } else {
        Err("has fewer than 24 or more than 64 bytes")
    }
}

/// Returns what the same news is always known by; a sample is a new one each time.
fn id(notice: &Notice, sheet: Sheet<'_>) -> String {
    let mut parts = vec![sheet.repository, notice.event];
    parts.extend(notice.keys.iter().map(String::as_str));
    let at = sheet.at.to_string();
    if sheet.is_test {
        parts.push(&at);
    }
    let mut digest = Sha::of(parts.join("\n").as_bytes()).to_string();
    digest.truncate(32);
    format!("msg_{digest}")
}
