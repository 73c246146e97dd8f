//! What is known of a run of CI, before anybody says it in a format.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::readings::{Budget, Policy, Scan};
use super::tests_of::Tests;
use crate::sha::Sha;

/// Under what our formats are named. The domain is reserved (RFC 2606) and nobody's: these are names, and nothing is fetched from there.
const HOME: &str = "https://maestro.example";

/// Who says it: a job that signs for itself can be made to say anything by whoever changes the job.
pub(crate) fn builder() -> String {
    format!("{HOME}/builder/self-attested@v1")
}

/// The type of the index's predicate.
pub(crate) fn index_type() -> String {
    format!("{HOME}/ci-run/v1")
}

/// Who judged by a policy.
pub(crate) fn policy_verifier() -> String {
    format!("{HOME}/check-policy@v1")
}

/// How a run is called that is none of GitHub's.
pub(crate) fn local_build_type() -> String {
    format!("{HOME}/buildtypes/local@v1")
}

/// The type of what is said of a run of agents.
pub(crate) fn agent_run_type() -> String {
    format!("{HOME}/agent-run/v1")
}

/// How such a run is called as a build.
pub(crate) fn agent_build_type() -> String {
    format!("{HOME}/buildtypes/agent-run@v1")
}

/// A file whose digest is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileFact {
    /// From the folder that the run worked in, with `/`.
    pub(crate) path: String,
    pub(crate) sha: Sha,
    pub(crate) bytes: u64,
}

impl FileFact {
    /// Returns it as a resource descriptor.
    pub(crate) fn descriptor(&self) -> Value {
        json!({ "digest": { "sha256": self.sha.to_string() }, "name": self.path })
    }
}

/// A bill of materials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sbom {
    pub(crate) file: FileFact,
    pub(crate) media_type: &'static str,
}

/// Where a change goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) branch: String,
    pub(crate) commit: String,
}

/// A run of CI, or of somebody's machine. What is empty is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// GitHub's address; empty for another machine.
    pub(crate) server: String,
    /// `owner/name`.
    pub(crate) repository: String,
    pub(crate) repository_id: String,
    pub(crate) owner_id: String,
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    /// What started it.
    pub(crate) event: String,
    /// `owner/name/.github/workflows/ci.yml@refs/heads/main`
    pub(crate) workflow_ref: String,
    pub(crate) workflow_commit: String,
    pub(crate) actor: String,
    pub(crate) actor_id: String,
    pub(crate) triggering_actor: String,
    /// What was checked out.
    pub(crate) commit: String,
    /// `refs/heads/main`
    pub(crate) reference: String,
    pub(crate) branch: String,
    /// The newest commit of the change, where the run is about one: what was checked out may be a merge of it.
    pub(crate) head: String,
    pub(crate) base: Option<Base>,
    /// `github-hosted` or `self-hosted`.
    pub(crate) runner_environment: String,
    pub(crate) runner_os: String,
    pub(crate) runner_arch: String,
    /// Whether tracked files differed from the commit.
    pub(crate) is_changed: bool,
}

impl Run {
    pub(crate) fn is_github(&self) -> bool {
        !self.server.is_empty()
    }

    /// Returns the repository's address.
    pub(crate) fn repository_uri(&self) -> Option<String> {
        let is_known = self.is_github() && !self.repository.is_empty();
        is_known.then(|| format!("{}/{}", self.server, self.repository))
    }

    /// Returns the address of the run's page.
    pub(crate) fn url(&self) -> Option<String> {
        let uri = self.repository_uri()?;
        Some(format!("{uri}/actions/runs/{}", self.id))
    }

    /// Returns the workflow's file and the ref that it was taken from.
    pub(crate) fn workflow(&self) -> Option<(&str, &str)> {
        let (path, reference) = self.workflow_ref.split_once('@')?;
        let path = path.strip_prefix(&self.repository)?.strip_prefix('/')?;
        Some((path, reference))
    }

    /// Returns the source as a resource descriptor (`git+https://…@ref`, SPDX's form of a download location).
    pub(crate) fn source(&self) -> Option<Value> {
        if self.commit.is_empty() {
            return None;
        }
        let digest = json!({ "gitCommit": self.commit });
        Some(match self.repository_uri() {
            Some(uri) if self.reference.is_empty() => {
                json!({ "digest": digest, "uri": format!("git+{uri}") })
            }
            Some(uri) => {
                json!({ "digest": digest, "uri": format!("git+{uri}@{}", self.reference) })
            }
            None => json!({ "digest": digest, "name": "source" }),
        })
    }
}

/// An earlier run that had been seen when this one began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Previous {
    pub(crate) at: Timestamp,
    /// Of its index's statement, byte for byte.
    pub(crate) sha: Sha,
    pub(crate) run: String,
    pub(crate) attempt: u32,
}

/// All that is known of a run.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) run: Run,
    pub(crate) at: Timestamp,
    /// Who says it.
    pub(crate) builder: String,
    pub(crate) artifacts: Vec<FileFact>,
    pub(crate) tests: Option<Tests>,
    pub(crate) reports: Vec<FileFact>,
    pub(crate) scans: Vec<Scan>,
    pub(crate) policy: Option<Policy>,
    pub(crate) sboms: Vec<Sbom>,
    /// Where the bills of materials can be had.
    pub(crate) sbom_location: Option<String>,
    pub(crate) budget: Option<Budget>,
    /// What a verification summary is about: its `resourceUri`.
    pub(crate) resource: Option<String>,
    pub(crate) previous: Vec<Previous>,
}

impl Evidence {
    /// Names a run that no service has named: by what it is about, so that it is the same when it is told again.
    pub(crate) fn name_run(&mut self) {
        if !self.run.id.is_empty() {
            return;
        }
        let files = self.artifacts.iter().chain(&self.reports);
        let mut parts: Vec<String> = files
            .map(|file| format!("{} {}", file.sha, file.path))
            .collect();
        let others = self.scans.iter().map(|scan| &scan.report);
        let others = others.chain(self.sboms.iter().map(|sbom| &sbom.file));
        let others = others.chain(self.policy.iter().map(|policy| &policy.report));
        let others = others.chain(self.budget.iter().map(|budget| &budget.report));
        parts.extend(others.map(|file| format!("{} {}", file.sha, file.path)));
        parts.push(self.run.commit.clone());
        self.run.id = format!("local-{}", Sha::of(parts.join("\n").as_bytes()));
    }

    /// Returns what statements about the artifacts are about: those, or the commit where nothing was built.
    pub(crate) fn built(&self) -> Vec<Value> {
        if self.artifacts.is_empty() {
            return self.commit().into_iter().collect();
        }
        self.artifacts.iter().map(FileFact::descriptor).collect()
    }

    /// Returns what statements about the source as well are about.
    pub(crate) fn built_and_source(&self) -> Vec<Value> {
        let mut subjects = self.built();
        if !self.artifacts.is_empty() {
            subjects.extend(self.commit());
        }
        subjects
    }

    fn commit(&self) -> Option<Value> {
        // A subject with a name can be told from others by people.
        let mut source = self.run.source()?;
        if source.get("name").is_none()
            && let Some(members) = source.as_object_mut()
        {
            members.insert("name".to_owned(), json!(self.run.repository));
        }
        Some(source)
    }
}
