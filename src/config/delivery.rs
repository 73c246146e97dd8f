//! `delivery:` in the configuration file: what stands for a deployment, and how `dora` counts. Flags of the command win over it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

/// What the name of a workflow that deploys has in it, unless somebody says otherwise.
pub(crate) const WORKFLOW: &str = "deploy";

/// The label of issues that are incidents.
pub(crate) const INCIDENTS: &str = "incident";

/// An incident that names no deployment is blamed on one that is so many days old at most.
pub(crate) const BLAME_DAYS: u16 = 14;

/// The most days that may be said.
pub(crate) const MOST_BLAME_DAYS: u16 = 400;

/// How `dora` counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryFile {
    /// What stands for a deployment.
    #[serde(default)]
    pub(crate) deploys: DeploysFile,
    /// Issues with this label are incidents; `incident` unless set.
    #[serde(default)]
    pub(crate) incidents: Option<String>,
    /// Accounts that are bots, beside those that GitHub calls so; those of `--bot` come on top.
    #[serde(default)]
    pub(crate) bots: Vec<String>,
    /// When a change's clock starts; `commit` unless set.
    #[serde(default)]
    pub(crate) start: Option<StartFile>,
    /// Hours of work for a second column, as `Europe/Berlin,Mon-Fri,9-17`; none unless set.
    #[serde(default)]
    pub(crate) business_hours: Option<String>,
    /// An incident that names no deployment is blamed on the last one, if it is so many days old at most, from 1 to 400; 14 unless set.
    #[serde(default)]
    pub(crate) blame_days: Option<u16>,
}

/// What stands for a deployment.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DeploysFile {
    /// Where they are taken from: a source or a list, of which the first counts that has any; `deployments`, `runs`, `releases` and `tags` unless set.
    #[serde(default)]
    pub(crate) source: Option<SourcesFile>,
    /// The environment that counts; those of production unless set.
    #[serde(default)]
    pub(crate) environment: Option<String>,
    /// What the name of the workflow that deploys has in it; `deploy` unless set.
    #[serde(default)]
    pub(crate) workflow: Option<String>,
}

/// A source, or several.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(
    untagged,
    expecting = "expected `deployments`, `runs`, `releases`, `tags` or `git`, or a list of them"
)]
pub(crate) enum SourcesFile {
    /// One.
    One(SourceFile),
    /// Several.
    Many(Vec<SourceFile>),
}

impl SourcesFile {
    pub(crate) fn list(&self) -> &[SourceFile] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Where deployments are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum SourceFile {
    Deployments,
    Runs,
    Releases,
    Tags,
    Git,
}

/// When a change's clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum StartFile {
    Commit,
    Opened,
    Ready,
}
