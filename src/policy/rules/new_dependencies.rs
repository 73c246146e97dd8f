//! `new-dependencies`: what a change adds to what is delivered.
//!
//! New is a package that no bill of materials and no lock file of the base names; another version of a known package is an update, which
//! counts for `sources` and `pinned` and not for `max`.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::packages::{fingerprint, is_called, missing, packages, target_of};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule, Target};
use crate::supply::News;

pub(super) const ABOUT: About = About {
    name: "new-dependencies",
    what: "packages that a change adds, by number, name, source or version",
    fix: "do with fewer packages, or bring them in one by one",
    keys: &[("max", Order::Less), ("sources", Order::Narrows), ("pinned", Order::True), ("deny", Order::Grows)],
};

/// `new-dependencies`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDependencies {
    /// The most packages that a change may add; as many as it likes unless set.
    #[serde(default)]
    max: Option<usize>,
    /// Where packages may come from: how an address begins, as `https://npm.example/` or
    /// `registry+https://github.com/rust-lang/crates.io-index`; `default` is what lock files leave to the package manager's settings. From
    /// anywhere unless set.
    #[serde(default)]
    sources: Vec<String>,
    /// Whether each must have one exact version, and where a lock file names it, a digest.
    #[serde(default)]
    pinned: bool,
    /// Packages that may not be added, as their registry has them.
    #[serde(default)]
    deny: Vec<String>,
}

impl NewDependencies {
    fn judge(&self, news: &News, breaches: &mut Vec<Breach>) {
        let component = &news.component;
        let package = &component.package;
        let shown = package.shown();
        let mut push = |what: &str, message: String, observed: String, limit: String, fix: &str| {
            breaches.push(Breach {
                fix: Some(fix.to_owned()),
                fingerprint: Some(fingerprint("new-dependencies", package, what)),
                ..Breach::new(target_of(component), message, observed, limit)
            });
        };
        if news.was.is_empty() && self.deny.iter().any(|name| is_called(package, name, None)) {
            let limit = "packages that are not denied".to_owned();
            push(
                "denied",
                format!("`{shown}` may not be added"),
                shown.clone(),
                limit,
                "use another package",
            );
        }
        if !self.sources.is_empty() {
            let source = component.source.as_deref();
            let fits = |allowed: &String| source.is_some_and(|source| is_from(source, allowed));
            if !self.sources.iter().any(fits) {
                let observed = source.unwrap_or("nobody says").to_owned();
                let message = format!("`{shown}` comes from elsewhere than is allowed: {observed}");
                let limit = self.sources.join(", ");
                push(
                    "source",
                    message,
                    observed,
                    limit,
                    "let a lock file name where it comes from, and take it from an allowed place",
                );
            }
        }
        if self.pinned {
            let loose = if package.version.is_empty() || is_range(&package.version) {
                Some("no exact version")
            } else if component.is_pinned == Some(false) {
                Some("no digest in the lock file")
            } else {
                None
            };
            if let Some(loose) = loose {
                let message = format!("`{shown}` is not pinned: {loose}");
                push(
                    "pinned",
                    message,
                    loose.to_owned(),
                    "an exact version and a digest".into(),
                    "pin it in a lock file",
                );
            }
        }
    }
}

/// Whether an address begins with another one, at the end of a part.
fn is_from(source: &str, allowed: &str) -> bool {
    let Some(rest) = source.strip_prefix(allowed) else {
        return false;
    };
    rest.is_empty() || allowed.ends_with('/') || rest.starts_with(['/', '#', '?', '@'])
}

/// Whether a version stands for several.
fn is_range(version: &str) -> bool {
    version.starts_with(['^', '~', '>', '<', '=', '*', '['])
        || version.contains([' ', '*', '|'])
        || matches!(version, "latest" | "next" | "HEAD" | "main" | "master")
}

impl Rule for NewDependencies {
    fn is_sound(&self) -> Result<(), String> {
        if self.max.is_none() && self.sources.is_empty() && !self.pinned && self.deny.is_empty() {
            return Err("it asks for nothing: set `max`, `sources`, `pinned` or `deny`".into());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let limit = "the dependencies of base and head";
        let news = subject.supplied.map_or_else(
            || Err("no SBOM was given, and no lock files were read".into()),
            crate::supply::Supplied::news,
        );
        let news = match news {
            Ok(news) => news,
            Err(what) => {
                breaches.push(missing(what, "--sbom", limit));
                return;
            }
        };
        let added: Vec<&News> = news.iter().filter(|one| one.was.is_empty()).collect();
        if let Some(most) = self.max.filter(|most| added.len() > *most) {
            let mut names: Vec<String> = added
                .iter()
                .map(|one| one.component.package.shown())
                .take(5)
                .collect();
            if added.len() > names.len() {
                names.push(format!("{} more", added.len() - names.len()));
            }
            let message = format!(
                "the change adds {}: {}",
                packages(added.len(), ""),
                names.join(", ")
            );
            breaches.push(Breach {
                fix: Some("do with fewer, or bring them in one by one".into()),
                ..Breach::new(
                    Target::Change,
                    message,
                    packages(added.len(), "new "),
                    format!("at most {most}"),
                )
            });
        }
        for one in &news {
            self.judge(one, breaches);
        }
    }
}

#[cfg(test)]
mod tests;
