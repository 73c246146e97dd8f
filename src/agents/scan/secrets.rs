//! `secret`: a key, token or password, by the detector that the policy's rule `secrets` has too.

use super::{About, Origin, Outgoing, Place, Weight, each_line, is_for_tests};
use crate::sha::Sha;
use crate::redact::detect::Detector;

pub(super) const ABOUT: About = About {
    name: "secret",
    what: "a key, token or password",
    fix: "change it where it was issued, because models have seen it; then find out how it came into the run",
    may_be_allowed: false,
};

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    let detector = Detector::new();
    each_line(outgoing, &mut |place, line, origin| {
        for secret in detector.line(line) {
            let text = line.get(secret.start..secret.end).unwrap_or_default();
            let mut digest = Sha::of(text).to_string();
            digest.truncate(16);
            let observed = format!(
                "{}, {} characters, sha256 {digest}",
                secret.rule,
                text.len()
            );
            let is_made_up = matches!(origin, Origin::File(file) if is_for_tests(&file.path));
            let weight = if secret.is_named_only || is_made_up {
                Weight::Warn
            } else {
                Weight::Block
            };
            found(weight, place(), observed);
        }
    });
}
