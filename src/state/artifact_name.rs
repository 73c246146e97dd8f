//! The name of an artifact that a job leaves: which run, which try of it, which job, and which events.
//!
//! `maestro+<run>+<attempt>+<job>+<16 hex>`; run and job percent-encoded, so that the parts stay apart. GitHub takes no name twice in a run: the
//! digits, of the SHA-256 over the sorted ids of the events, keep the legs of a matrix apart, which share a job.

use percent_encoding::percent_decode_str;

use crate::forge::request::escape;

/// What the name of an artifact says. The job wrote it, so that it is a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArtifactName {
    pub(crate) run: String,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    /// The first sixteen digits of a digest.
    pub(crate) digest: String,
}

const MARK: &str = "maestro";

/// Names of jobs are shorter.
const LONGEST: usize = 256;

impl ArtifactName {
    /// Reads a name; nothing when the artifact is somebody else's.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('+').collect();
        let [MARK, run, attempt, job, digest] = parts[..] else {
            return None;
        };
        let parsed = Self {
            run: unescape(run)?,
            attempt: attempt.parse().ok()?,
            job: unescape(job)?,
            digest: digest.to_owned(),
        };
        // Whatever is written otherwise is not ours.
        (name.len() <= LONGEST && parsed.digest.len() == 16 && parsed.to_string() == name)
            .then_some(parsed)
    }
}

impl std::fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (run, job) = (escape(&self.run), escape(&self.job));
        write!(f, "{MARK}+{run}+{}+{job}+{}", self.attempt, self.digest)
    }
}

fn unescape(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_others_are_not_ours() {
        for name in [
            "coverage",
            "maestro+1+1+test",
            "maestro+1+01+test+0123456789abcdef",
            "maestro+1+1+te st+0123456789abcdef",
            "maestro+1+1+test+0123456789abcdef+",
            "maestro+%zz+1+test+0123456789abcdef",
            "maestro+%é+1+test+0123456789abcdef",
        ] {
            assert_eq!(ArtifactName::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_back_and_is_one_that_github_takes(run in "\\PC{0,12}", attempt in 1_u32..9, job in "[a-z+% /:\"\\\\]{0,12}") {
            let name = ArtifactName { run, attempt, job, digest: "0123456789abcdef".into() };
            let text = name.to_string();
            prop_assert!(!text.contains(['"', ':', '<', '>', '|', '*', '?', '\r', '\n', '\\', '/']));
            prop_assert_eq!(ArtifactName::parse(&text), Some(name));
        }
    }
}
