//! `data-labels`: which data a change is about, and where that may be.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::words::Words;
use crate::policy::{Breach, Rule, Target};

pub(super) const ABOUT: About = About {
    name: "data-labels",
    what: "a change to code of certain data without its label, or with one that may not be",
    fix: "put the label on the pull request, or ask whoever answers for the data",
    keys: &[("paths", Order::Scope), ("any_of", Order::Narrows), ("none_of", Order::Grows)],
};

/// `data-labels`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DataLabels {
    /// Globs of the code that handles the data; all unless set.
    #[serde(default)]
    paths: Globs,
    /// Labels of which one must be there.
    #[serde(default)]
    any_of: Vec<Words>,
    /// Labels that must not be there.
    #[serde(default)]
    none_of: Vec<Words>,
}

fn names(labels: &[Words]) -> String {
    let names: Vec<&str> = labels.iter().map(|label| label.0.as_str()).collect();
    names.join(", ")
}

impl Rule for DataLabels {
    fn is_sound(&self) -> Result<(), String> {
        if self.any_of.is_empty() && self.none_of.is_empty() {
            return Err("it asks for nothing: set `any_of` or `none_of`".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let touched = subject.changes.iter().find(|change| self.paths.is_empty() || self.paths.touching(change).is_some());
        let Some(first) = touched else {
            return;
        };
        let labels = &subject.asked.labels;
        let has = |wanted: &Words| labels.iter().any(|label| label.eq_ignore_ascii_case(&wanted.0));
        let shown = match labels.as_slice() {
            [] => "no label".to_owned(),
            labels => labels.join(", "),
        };
        if !self.any_of.is_empty() && !self.any_of.iter().any(has) {
            let breach = Breach::new(subject.place(&first.path), "the change is about labelled data, and has no label of it", shown, format!("one of {}", names(&self.any_of)));
            breaches.push(breach.weight(subject.asked.weight_of_unknown().filter(|_| labels.is_empty())));
        }
        for bad in self.none_of.iter().filter(|wanted| has(wanted)) {
            breaches.push(Breach::new(Target::Said("label"), "the label says that the data may not be here", bad.0.clone(), format!("none of {}", names(&self.none_of))));
        }
    }
}

#[cfg(test)]
mod tests;
