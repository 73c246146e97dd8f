//! What the team wants: by the configuration, or by the example.

use crate::config::kpi::TargetsFile;
use crate::delivery::kpi::{Indicator, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum TargetsWord {
    /// Those of `.maestro/maestro.yaml`
    Config,
    /// An example: 15 min, 12.6 h, 95 %, below 1 %, $3.45, 10 a week, 80 %
    Example,
}

impl TargetsWord {
    /// Returns the target of an indicator, where one is set.
    pub(in crate::cli) fn of(self, set: &TargetsFile, indicator: &Indicator) -> Option<Target> {
        if self == Self::Example {
            return Some(indicator.example);
        }
        let bound = match indicator.id {
            "ci-p95" => set.ci_p95,
            "pull-lead-time" => set.pull_lead_time,
            "merge-success" => set.merge_success,
            "flake-rate" => set.flake_rate,
            "llm-per-pull" => set.llm_per_pull,
            "autonomous-pulls" => set.autonomous_pulls,
            "agent-success" => set.agent_success,
            _ => None,
        }?;
        Some(match indicator.example {
            Target::AtLeast(_) => Target::AtLeast(bound.value),
            Target::AtMost(_) | Target::Below(_) if bound.is_strict => Target::Below(bound.value),
            Target::AtMost(_) | Target::Below(_) => Target::AtMost(bound.value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, read};
    use crate::delivery::kpi::INDICATORS;

    #[test]
    fn the_example_can_be_written_into_the_configuration() {
        let text = "schema: maestro.config/v1\nkpi:\n  targets:\n    ci-p95: 15m\n    pull-lead-time: 12.6h\n    merge-success: 95%\n    flake-rate: <1%\n    llm-per-pull: $3.45\n    autonomous-pulls: 10/week\n    agent-success: 80%\n";
        let config: ConfigFile = read(text, "maestro.yaml").unwrap();
        for indicator in &INDICATORS {
            let set = TargetsWord::Config.of(&config.kpi.targets, indicator);
            assert_eq!(set, Some(indicator.example), "{}", indicator.id);
        }
        let none = TargetsFile::default();
        assert_eq!(TargetsWord::Config.of(&none, &INDICATORS[0]), None);
    }
}
