//! How bad a vulnerability is, in one scale for all tools.

/// How bad it is. What nobody rated is no severity at all.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Next to nothing.
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Returns its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the word of a tool; what stands for "unknown" is none.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Some(Self::Critical),
            "high" | "important" => Some(Self::High),
            "medium" | "moderate" => Some(Self::Medium),
            "low" | "minor" => Some(Self::Low),
            "negligible" | "none" | "info" | "informational" => Some(Self::Negligible),
            _ => None,
        }
    }

    /// Returns what CVSS 3 and 4 call a score (specification 3.1, section 5; 4.0, section 6).
    pub(crate) fn of_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::Negligible,
        }
    }

    /// Returns what the NVD calls a score of CVSS 2 (nvd.nist.gov, "Vulnerability Metrics"), which knows nothing above high.
    pub(crate) fn of_second(score: f64) -> Self {
        Self::of_score(score).min(Self::High)
    }
}
