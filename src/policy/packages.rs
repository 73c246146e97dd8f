//! What rules about packages have in common: how a package is named, what is missing, and who has agreed to an exemption.

use jiff::civil::Date;
use serde::Deserialize;

use crate::policy::{Breach, Target, Weight};
use crate::supply::package::Package;
use crate::supply::sbom::Component;

/// What follows where nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// Nothing.
    Allow,
    /// It is said.
    Warn,
    /// A person has to look at it.
    Review,
    /// The change does not go in.
    Block,
}

impl Outcome {
    /// Returns the weight of a breach, or nothing where there is none to be.
    pub(super) fn weight(self) -> Option<Weight> {
        match self {
            Self::Allow => None,
            Self::Warn => Some(Weight::Warn),
            Self::Review => Some(Weight::Review),
            Self::Block => Some(Weight::Block),
        }
    }
}

/// Adds a breach about what nobody can tell; without an outcome the entry's own severity counts.
pub(super) fn push_unknown(breach: Breach, outcome: Option<Outcome>, breaches: &mut Vec<Breach>) {
    match outcome {
        Some(Outcome::Allow) => {}
        Some(outcome) => breaches.push(Breach {
            weight: outcome.weight(),
            ..breach
        }),
        None => breaches.push(breach),
    }
}

/// Returns the breach of what a rule needs and was not given; `option` is what takes it.
pub(super) fn missing(what: String, option: &str, limit: &str) -> Breach {
    Breach {
        fix: Some(format!("give it with `{option}`")),
        ..Breach::new(Target::Report(option.to_owned()), what, "nothing", limit)
    }
}

pub(super) fn target(package: &Package, purl: Option<&String>) -> Target {
    Target::Package {
        name: package.name.clone(),
        version: package.version.clone(),
        purl: purl.cloned(),
    }
}

pub(super) fn target_of(component: &Component) -> Target {
    target(&component.package, component.purl.as_ref())
}

/// Returns what a baseline knows a breach about a package by: its version may change.
pub(super) fn fingerprint(rule: &str, package: &Package, what: &str) -> String {
    let (kind, name) = package.key();
    format!("{rule}:{kind}:{name}:{what}")
}

/// Whether a package has a name, and a version where one is asked for; names are compared as registries do.
pub(super) fn is_called(package: &Package, name: &str, version: Option<&str>) -> bool {
    let wanted = Package::new(&package.kind, name, version.unwrap_or_default());
    wanted.key() == package.key()
        && version.is_none_or(|_| wanted.version_key() == package.version_key())
}

/// Returns `1 package` or `2 packages`, with a word before the noun.
pub(super) fn packages(count: usize, word: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {word}package{end}")
}

/// Whether a day is still to come, or is today.
pub(super) fn holds(until: Date, today: Date) -> bool {
    today <= until
}

/// Refuses words that say nothing.
pub(super) fn said(what: &str, words: &str) -> Result<(), String> {
    if words.trim().is_empty() {
        return Err(format!("`{what}` is empty"));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::policy::Rule;
    use crate::policy::subject::{Asked, Subject};
    use crate::supply::{Side, Supplied};

    /// Judges by a rule whose settings are YAML, on a day.
    pub(crate) fn judge<R: Rule + for<'de> Deserialize<'de>>(
        settings: &str,
        supplied: Option<&Supplied>,
        today: &str,
    ) -> Vec<Breach> {
        let rule: R = serde_yaml::from_str(settings).unwrap();
        let asked = Asked::default();
        let subject = Subject {
            changes: &[],
            lines: &[],
            asked: &asked,
            supplied,
            today: today.parse().unwrap(),
        };
        let mut breaches = Vec::new();
        rule.check(&subject, &mut breaches);
        breaches
    }

    /// Returns what a rule says, a breach a line, with its weight where that is its own.
    pub(crate) fn said_by<R: Rule + for<'de> Deserialize<'de>>(
        settings: &str,
        supplied: &Supplied,
    ) -> Vec<String> {
        let breaches = judge::<R>(settings, Some(supplied), "2026-11-26");
        let line = |breach: Breach| {
            let weight = breach
                .weight
                .map(|weight| format!("{weight:?}: ").to_lowercase());
            format!("{}{}", weight.unwrap_or_default(), breach.message)
        };
        breaches.into_iter().map(line).collect()
    }

    /// Returns a bill of materials of components `kind name version licence`.
    pub(crate) fn bill(components: &[&str]) -> Vec<u8> {
        let components = components.iter().map(|line| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let [kind, name, version, rest @ ..] = &words[..] else {
                panic!("{line}");
            };
            let licences: Vec<_> = rest
                .iter()
                .map(|text| serde_json::json!({"license": {"name": text}}))
                .collect();
            serde_json::json!({
                "type": "library", "name": name, "version": version, "licenses": licences,
                "purl": format!("pkg:{kind}/{name}@{version}"),
                "bom-ref": format!("{name}-{version}"),
            })
        });
        let components: Vec<_> = components.collect();
        serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}).to_string().into_bytes()
    }

    /// Returns what two bills supply.
    pub(crate) fn bills(base: &[&str], head: &[&str]) -> Supplied {
        let mut supplied = Supplied::default();
        supplied.add_sbom(Side::Base, &bill(base)).unwrap();
        supplied.add_sbom(Side::Head, &bill(head)).unwrap();
        supplied
    }

    #[test]
    fn packages_are_called_as_registries_do() {
        let package = Package::new("pypi", "Zope.Interface", "1.0");
        assert!(is_called(&package, "zope-interface", None));
        assert!(is_called(&package, "zope-interface", Some("1.0")));
        assert!(!is_called(&package, "zope-interface", Some("1.1")));
        assert!(!is_called(&package, "zope", None));
    }

    #[test]
    fn a_baseline_knows_a_package_in_any_spelling_and_version() {
        let print = |rule: &str, name: &str, version: &str, what: &str| {
            fingerprint(rule, &Package::new("pypi", name, version), what)
        };
        let known = print("licences", "Zope.Interface", "1.0", "GPL-3.0-only");
        assert_eq!(
            known,
            print("licences", "zope-interface", "2.0", "GPL-3.0-only")
        );
        for other in [
            print("new-dependencies", "zope-interface", "1.0", "GPL-3.0-only"),
            print("licences", "zope-event", "1.0", "GPL-3.0-only"),
            print("licences", "zope-interface", "1.0", "AGPL-3.0-only"),
            fingerprint(
                "licences",
                &Package::new("npm", "zope-interface", "1.0"),
                "GPL-3.0-only",
            ),
        ] {
            assert_ne!(known, other);
        }
    }

    #[test]
    fn what_was_not_given_comes_with_the_option_that_takes_it() {
        let breach = missing("no SBOM was given".to_owned(), "--sbom", "an SBOM");
        assert_eq!(breach.target, Target::Report("--sbom".to_owned()));
        assert_eq!(breach.fix.as_deref(), Some("give it with `--sbom`"));
    }
}
