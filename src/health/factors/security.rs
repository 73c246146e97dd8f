//! `security`: what the policy, scanners and lists of vulnerabilities have against the change.

use super::super::{Concern, Evidence, Factor, Subject, percent};
use super::About;
use crate::supply::severity::Severity;

pub(super) const ABOUT: About = About {
    name: "security",
    what: "what the policy, scanners and lists of vulnerabilities have against it",
    weight: 20,
    judge,
};

/// What a concern leaves of the score.
fn left(concern: &Concern) -> f64 {
    match concern.severity {
        Severity::Critical => 0.0,
        Severity::High => 0.4,
        Severity::Medium => 0.75,
        Severity::Low => 0.95,
        Severity::Negligible => 1.0,
    }
}

fn judge(subject: &Subject<'_>) -> Factor {
    let looked = subject
        .security
        .filter(|security| !security.sources.is_empty());
    let Some(security) = looked else {
        return Factor::unknown(
            ABOUT.name,
            "neither the policy nor a scanner has looked at it",
        );
    };
    let score: f64 = security.concerns.iter().map(left).product();
    let evidence: Vec<Evidence> = security
        .concerns
        .iter()
        .map(|concern| Evidence {
            place: concern.place.clone(),
            url: concern.url.clone(),
            ..Evidence::of(
                concern.about.clone(),
                format!("{}, says {}", concern.severity.name(), concern.source),
            )
        })
        .collect();
    let looked = security.sources.join(", ");
    let why = match evidence.len() {
        0 => format!("nothing is held against it by {looked}"),
        1 => format!("one concern, of {looked}"),
        many => format!("{many} concerns, of {looked}"),
    };
    let grave = |concern: &Concern| matches!(concern.severity, Severity::Critical | Severity::High);
    let all = |wanted: bool| -> Vec<usize> {
        let found = security.concerns.iter().enumerate();
        found
            .filter(|(_, concern)| grave(concern) == wanted)
            .map(|(at, _)| at)
            .collect()
    };
    Factor::known(ABOUT.name, percent(score), why, evidence)
        .advise("settle these before it is merged", all(true))
        .advise("look at these", all(false))
}

#[cfg(test)]
mod tests {
    use super::super::super::Security;
    use super::super::super::tests::{NOTHING, concern};
    use super::*;

    fn score(severities: &[Severity]) -> Option<u8> {
        let security = Security {
            sources: vec!["check-policy".into()],
            concerns: severities
                .iter()
                .map(|severity| concern(*severity))
                .collect(),
        };
        judge(&Subject {
            security: Some(&security),
            ..NOTHING
        })
        .score
    }

    #[test]
    fn each_concern_takes_its_part() {
        assert_eq!(score(&[]), Some(100));
        assert_eq!(score(&[Severity::Low]), Some(95));
        assert_eq!(score(&[Severity::High]), Some(40));
        assert_eq!(score(&[Severity::High, Severity::Medium]), Some(30));
        assert_eq!(score(&[Severity::Low, Severity::Critical]), Some(0));
    }

    #[test]
    fn nobody_knows_what_nobody_looked_at() {
        let nobody = Security::default();
        assert_eq!(
            judge(&Subject {
                security: Some(&nobody),
                ..NOTHING
            })
            .score,
            None
        );
        assert_eq!(judge(&NOTHING).score, None);
    }
}
