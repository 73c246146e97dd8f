//! `path-form`: a path that machines take in differently.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::paths::{folded, oddity};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "path-form",
    what: "a path that machines or people take for another one",
    fix: "give the file a plain name",
    keys: &[("except", Order::Shrinks)],
};

/// `path-form`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PathForm {
    /// Globs of paths that are meant to be odd, as fixtures of tests.
    #[serde(default)]
    except: Globs,
}

impl Rule for PathForm {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for change in subject.changes.iter().filter(|change| change.new.is_some()) {
            let path = change.path.as_str();
            // Deliberately by the path as it is written: it is the odd ones that are meant.
            if self.except.exactly(path).is_some() && !path.split(['/', '\\']).any(|name| name == "..") {
                continue;
            }
            let twin = known.insert(folded(path), path);
            let oddity = oddity(path, change.is_text).map(str::to_owned);
            let is_new = change.old.is_none();
            let oddity = oddity.or_else(|| twin.filter(|_| is_new).map(|twin| format!("is one file with {twin} on some machines")));
            if let Some(oddity) = oddity {
                breaches.push(Breach::new(
                    subject.place(path),
                    "the path means another file elsewhere",
                    format!("{path} {oddity}"),
                    "a path that every machine takes in alike",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
