//! What a policy may hold a change to: one rule a file.
//!
//! A rule is `NAME.rs` with its settings and its [`About`], `NAME/tests.rs`, its page `docs/policy/NAME.md`, and one line in the table below;
//! CONTRIBUTING.md adds one step by step, and `tests/parts.rs` says what is missing.

use serde::{Deserialize, Deserializer};

use super::Rule;

/// Which of two values of a key is stricter; an organisation's entry may be tightened and never loosened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A smaller number.
    Less,
    /// A larger number.
    More,
    /// A list that names more.
    Grows,
    /// A list that names more; an empty or missing one names all.
    Scope,
    /// A list that names less; an empty or missing one is the strictest.
    Shrinks,
    /// A list that names less; an empty or missing one allows everything.
    Narrows,
    /// `true`.
    True,
    /// `false`; the value is what stands for none.
    False(bool),
    /// One of these words, from the loosest to the strictest; the second is what stands for none.
    Words(&'static [&'static str], &'static str),
    /// None: it stays as it is.
    Same,
}

/// What a rule is; its page in `docs/policy` says why it matters, how it is judged, and gives an example.
#[derive(Debug)]
pub(crate) struct About {
    /// `maestro explain policy/NAME` tells more.
    pub(crate) name: &'static str,
    /// In one line.
    pub(crate) what: &'static str,
    /// What helps, where an entry does not say.
    pub(crate) fix: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [(&'static str, Order)],
}

macro_rules! rules {
    ($($module:ident: $settings:ident;)+) => {
        $(mod $module;)+

        /// Every rule, in order of name.
        pub(crate) const RULES: &[&About] = &[$(&$module::ABOUT),+];

        /// Reads a rule's settings.
        pub(crate) fn read<'de, D: Deserializer<'de>>(about: &About, settings: D) -> Result<Box<dyn Rule>, D::Error> {
            match about.name {
                $(name if name == $module::ABOUT.name => {
                    $module::$settings::deserialize(settings).map(|rule| Box::new(rule) as Box<dyn Rule>)
                })+
                name => Err(serde::de::Error::custom(format!("there is no rule `{name}`"))),
            }
        }

        /// The settings of every rule, for the published schema.
        #[cfg(test)]
        #[derive(schemars::JsonSchema)]
        #[serde(tag = "rule", rename_all = "kebab-case")]
        #[schemars(inline)]
        #[expect(dead_code, reason = "it is a form, and never made")]
        pub(crate) enum AnySettings {
            $($settings($module::$settings),)+
        }
    };
}

rules! {
    actor: Actor;
    allowed_paths: AllowedPaths;
    binary_files: BinaryFiles;
    budget: Budget;
    ci_code: CiCode;
    data_labels: DataLabels;
    denied_paths: DeniedPaths;
    diff_size: DiffSize;
    file_modes: FileModes;
    human_approval: HumanApproval;
    licences: Licences;
    new_dependencies: NewDependencies;
    path_form: PathForm;
    protected_paths: ProtectedPaths;
    scan_findings: ScanFindings;
    secrets: Secrets;
    tests_with_code: TestsWithCode;
    title: Title;
    vulnerabilities: Vulnerabilities;
}

/// Finds a rule by its name.
pub(crate) fn find(name: &str) -> Option<&'static About> {
    RULES.iter().copied().find(|about| about.name == name)
}

#[cfg(test)]
pub(crate) mod tests;
