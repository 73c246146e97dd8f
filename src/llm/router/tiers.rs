//! The models of the tiers, and from which scores on they are wanted.

use super::{Points, Thresholds, Tier};
use crate::config::file::{TierFile, TiersFile};

/// A model, as the table of prices names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TierModel {
    pub(crate) provider: String,
    pub(crate) model: String,
}

/// The models of all tiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tiers {
    /// In order of [`Tier::ALL`].
    models: [TierModel; 3],
    pub(crate) thresholds: Thresholds,
}

/// Provider and models where nobody says.
const PROVIDER: &str = "anthropic";
const MODELS: [&str; 3] = ["claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5"];

/// Where stronger tiers begin where nobody says: half of the questions of GSM8K score below the first, and nineteen of twenty below the second.
const MEDIUM: f64 = 58.0;
const LARGE: f64 = 80.0;

/// Scores are never this high.
const HIGHEST: f64 = 1e6;

/// Why tiers make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TiersProblem {
    #[error("`models.tiers.{0}.from` is no score: it must be a number from 0 to 1000000")]
    NoScore(&'static str),
    #[error("`models.tiers.small.from` is set, and `small` takes whatever no other tier does")]
    SmallFrom,
    #[error("`models.tiers.large` begins at a lower score than `medium`")]
    Order,
    #[error("`models.tiers.{0}` names a provider and no model")]
    NoModel(&'static str),
}

impl Tiers {
    pub(crate) fn read(file: &TiersFile) -> Result<Self, TiersProblem> {
        let files = [&file.small, &file.medium, &file.large];
        let model = |tier: Tier| {
            let empty = TierFile::default();
            let file = files[tier as usize].as_ref().unwrap_or(&empty);
            if file.provider.is_some() && file.model.is_none() {
                return Err(TiersProblem::NoModel(tier.name()));
            }
            let named = |own: &Option<String>, default: &str| {
                own.clone().unwrap_or_else(|| default.to_owned())
            };
            Ok(TierModel {
                provider: named(&file.provider, PROVIDER),
                model: named(&file.model, MODELS[tier as usize]),
            })
        };
        let from = |file: &Option<TierFile>| file.as_ref().and_then(|file| file.from);
        if from(&file.small).is_some() {
            return Err(TiersProblem::SmallFrom);
        }
        let medium = score(Tier::Medium, from(&file.medium).unwrap_or(MEDIUM))?;
        // Who moves the middle up means no tier to begin below it.
        let large = from(&file.large).unwrap_or_else(|| LARGE.max(medium.as_f64()));
        let large = score(Tier::Large, large)?;
        if large < medium {
            return Err(TiersProblem::Order);
        }
        Ok(Self {
            models: [
                model(Tier::Small)?,
                model(Tier::Medium)?,
                model(Tier::Large)?,
            ],
            thresholds: Thresholds { medium, large },
        })
    }

    pub(crate) fn model(&self, tier: Tier) -> &TierModel {
        &self.models[tier as usize]
    }
}

fn score(tier: Tier, from: f64) -> Result<Points, TiersProblem> {
    if !(0.0..=HIGHEST).contains(&from) {
        return Err(TiersProblem::NoScore(tier.name()));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 10^9"
    )]
    let points = (from * 1000.0).round() as u64;
    Ok(Points(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tiers, TiersProblem> {
        Tiers::read(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn every_tier_has_a_model_that_has_a_price() {
        let table = crate::llm::prices::Table::built_in().unwrap();
        let tiers = read("{}").unwrap();
        for tier in Tier::ALL {
            let TierModel { provider, model } = tiers.model(tier);
            assert!(table.model(provider, model).is_ok(), "{model}");
        }
        assert!(tiers.thresholds.medium < tiers.thresholds.large);
    }

    #[test]
    fn a_tier_may_be_another_model_and_begin_elsewhere() {
        let tiers = read(
            r#"{"small": {"provider": "openai", "model": "gpt-5-nano"}, "medium": {"from": 90.5}}"#,
        )
        .unwrap();
        assert_eq!(tiers.model(Tier::Small).model, "gpt-5-nano");
        assert_eq!(tiers.model(Tier::Medium).model, "claude-sonnet-5");
        assert_eq!(
            tiers.thresholds,
            Thresholds {
                medium: Points(90_500),
                large: Points(90_500)
            }
        );
    }

    #[test]
    fn tiers_that_make_no_sense_are_refused() {
        for (text, words) in [
            (r#"{"small": {"from": 1}}"#, "small.from"),
            (r#"{"medium": {"from": -1}}"#, "medium.from` is no score"),
            (r#"{"medium": {"from": 1e300}}"#, "is no score"),
            (
                r#"{"medium": {"from": 9}, "large": {"from": 8}}"#,
                "lower score",
            ),
            (r#"{"large": {"provider": "openai"}}"#, "no model"),
        ] {
            let problem = read(text).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
