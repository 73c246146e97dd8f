//! `host`: an address at a host that the changed files did not name before.

use std::collections::BTreeSet;

use super::{About, Origin, Outgoing, Place, Weight, each_line};

pub(super) const ABOUT: About = About {
    name: "host",
    what: "an address at a host that the changed files did not name before",
    fix: "look whether the address belongs there",
    may_be_allowed: true,
};

/// Hosts that say nothing: names for examples (RFC 2606, RFC 6761), the machine itself, and where code and its documentation live.
const KNOWN: [&str; 16] = [
    "127.0.0.1",
    "::1",
    "api.github.com",
    "crates.io",
    "datatracker.ietf.org",
    "developer.mozilla.org",
    "docs.github.com",
    "docs.python.org",
    "docs.rs",
    "doc.rust-lang.org",
    "example.com",
    "example.net",
    "example.org",
    "github.com",
    "localhost",
    "www.rfc-editor.org",
];

const RESERVED: [&str; 7] = [
    ".example",
    ".example.com",
    ".example.net",
    ".example.org",
    ".invalid",
    ".localhost",
    ".test",
];

/// Calls back with every host of the addresses in a text.
fn each_host<'a>(text: &'a str, take: &mut dyn FnMut(&'a str)) {
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        rest = after.get(3..).unwrap_or_default();
        let is_web = ["http", "https", "ws", "wss", "ftp", "git", "ssh"]
            .iter()
            .any(|scheme| before.to_ascii_lowercase().ends_with(scheme));
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "-._~@:%[]".contains(c)))
            .unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = match host.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let host = host.trim_end_matches('.');
        if is_web && host.contains(['.', ':']) {
            take(host);
        }
    }
}

fn is_known(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    KNOWN.contains(&host.as_str()) || RESERVED.iter().any(|end| host.ends_with(end))
}

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    let mut before: BTreeSet<String> = BTreeSet::new();
    for file in outgoing.files {
        let old = String::from_utf8_lossy(file.old.unwrap_or_default());
        each_host(&old, &mut |host| {
            before.insert(host.to_ascii_lowercase());
        });
    }
    each_line(outgoing, &mut |place, line, origin| {
        if matches!(origin, Origin::Text(text) if text.kind == super::TextKind::Plain) {
            return;
        }
        let text = String::from_utf8_lossy(line);
        each_host(&text, &mut |host| {
            if !is_known(host) && before.insert(host.to_ascii_lowercase()) {
                found(Weight::Warn, place(), crate::inert::code(host, false));
            }
        });
    });
}
