//! SPACE, thin: what rows can say of a team, in at least three of its five dimensions, and never of a person.
//!
//! Forsgren, Storey, Maddila, Zimmermann, Houck and Butler, The SPACE of Developer Productivity, ACM Queue 19:1, 2021: one number is no productivity, so
//! fewer than three dimensions say nothing. Rows hold keyed hashes in place of accounts; they are counted here and go no further, and of fewer than
//! five people nothing is said. Satisfaction is known to nobody but the people: it is never guessed.

use jiff::Timestamp;

use super::ask::{Ask, seconds};
use super::changes;
use super::metrics::{Metric, Value};
use super::pool::Pool;
use super::quantiles::{Share, Spread, float, share, spread};
use super::rows::{Author, Pull};

/// Of fewer people nothing is said.
pub(crate) const PEOPLE: usize = 5;

/// So many dimensions are needed (SPACE, "How to use the framework").
pub(crate) const DIMENSIONS: usize = 3;

/// A dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Satisfaction,
    Performance,
    Activity,
    Communication,
    Efficiency,
}

impl Dimension {
    pub(crate) const ALL: [Self; 5] = [
        Self::Satisfaction,
        Self::Performance,
        Self::Activity,
        Self::Communication,
        Self::Efficiency,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Satisfaction => "satisfaction and well-being",
            Self::Performance => "performance",
            Self::Activity => "activity",
            Self::Communication => "communication and collaboration",
            Self::Efficiency => "efficiency and flow",
        }
    }
}

/// What is measured of a dimension.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    pub(crate) dimension: Dimension,
    pub(crate) name: &'static str,
    pub(crate) figure: Figure,
}

/// A number, and how much it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Figure {
    /// A part of a whole.
    Share(Share),
    /// Seconds.
    Spread(Spread),
    /// So many a week, of so many.
    Rate { n: usize, a_week: Option<f64> },
}

impl Figure {
    /// Whether there is enough to say it.
    pub(crate) fn is_said(&self) -> bool {
        match self {
            Self::Share(share) => share.rate.is_some(),
            Self::Spread(spread) => spread.median.is_some(),
            Self::Rate { a_week, .. } => a_week.is_some(),
        }
    }
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Rows do not tell people apart: no key was set when they were written, or git wrote them.
    Nameless,
    /// There are fewer than [`PEOPLE`]; how many is not told.
    FewPeople,
    /// So many dimensions could be measured.
    FewDimensions(usize),
}

/// What is said of a team.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Space {
    /// None where people are too few to be counted.
    pub(crate) people: Option<usize>,
    pub(crate) said: Result<Vec<Measure>, Silence>,
}

/// Says what rows tell of the people who wrote changes in the time that was asked for.
pub(crate) fn space(pool: &Pool, ask: &Ask<'_>, metrics: &[Metric]) -> Space {
    let window = ask.window;
    let is_here = |at: &Option<Timestamp>| at.is_some_and(|at| window.holds(at));
    let is_own = |pull: &&Pull| {
        pull.author_kind == Author::Human
            && (window.holds(pull.created) || is_here(&pull.merged) || is_here(&pull.closed))
    };
    let pulls: Vec<&Pull> = pool
        .list
        .iter()
        .flat_map(|one| &one.rows.pulls)
        .filter(|pull| of_team(pull, ask.team))
        .filter(is_own)
        .collect();
    let mut hashes: Vec<&str> = pulls.iter().map(|pull| pull.author_hash.as_str()).collect();
    hashes.retain(|hash| !hash.is_empty());
    crate::order::sort(&mut hashes);
    hashes.dedup();
    if hashes.is_empty() && !pulls.is_empty() {
        return silent(Silence::Nameless);
    }
    if hashes.len() < PEOPLE {
        return silent(Silence::FewPeople);
    }
    let measures = measures(ask, metrics, &pulls);
    let said = Dimension::ALL.into_iter().filter(|dimension| {
        let mut own = measures.iter().filter(|one| one.dimension == *dimension);
        own.any(|one| one.figure.is_said())
    });
    let count = said.count();
    Space {
        people: Some(hashes.len()),
        said: if count < DIMENSIONS {
            Err(Silence::FewDimensions(count))
        } else {
            Ok(measures)
        },
    }
}

fn silent(why: Silence) -> Space {
    Space {
        people: None,
        said: Err(why),
    }
}

fn of_team(pull: &Pull, team: Option<&str>) -> bool {
    team.is_none_or(|team| changes::team(pull) == Some(team))
}

fn measures(ask: &Ask<'_>, metrics: &[Metric], pulls: &[&Pull]) -> Vec<Measure> {
    let window = ask.window;
    let least = ask.least;
    let weeks = seconds(window.since, window.until) / (7.0 * 24.0 * 3600.0);
    let rate = |n: usize| Figure::Rate {
        n,
        a_week: (n >= least.max(1) && weeks > 0.0).then(|| float(n) / weeks),
    };
    let of = |id: &str| metrics.iter().find(|metric| metric.id == id);
    let is_here = |at: Option<Timestamp>| at.is_some_and(|at| window.holds(at));
    let merged: Vec<&&Pull> = pulls.iter().filter(|pull| is_here(pull.merged)).collect();
    let ended = pulls
        .iter()
        .filter(|pull| pull.merged.is_none() && is_here(pull.closed));
    let reviewed = merged.iter().filter(|pull| pull.first_review.is_some());
    let waits = pulls.iter().filter_map(|pull| {
        let from = pull.ready.unwrap_or(pull.created);
        let to = pull.first_review.filter(|to| window.holds(*to))?;
        Some(seconds(from, to).max(0.0))
    });
    let mut found = Vec::new();
    let mut say = |dimension, name, figure| {
        found.push(Measure {
            dimension,
            name,
            figure,
        });
    };
    if let Some(Value::Share(failed)) = of("change-fail-rate").map(|metric| &metric.value) {
        let name = "deployments that failed";
        say(Dimension::Performance, name, Figure::Share(*failed));
    }
    let (kept, all) = (merged.len(), merged.len() + ended.count());
    let name = "closed pull requests that were merged";
    say(
        Dimension::Performance,
        name,
        Figure::Share(share(kept, all, least)),
    );
    say(
        Dimension::Activity,
        "merged pull requests",
        rate(merged.len()),
    );
    if let Some(shipped) = of("deployment-frequency") {
        say(Dimension::Activity, "deployments", rate(shipped.counted));
    }
    let name = "until the first review";
    let waits = Figure::Spread(spread(waits.collect(), least));
    say(Dimension::Communication, name, waits);
    let name = "merged pull requests that somebody reviewed";
    let reviewed = share(reviewed.count(), merged.len(), least);
    say(Dimension::Communication, name, Figure::Share(reviewed));
    if let Some(Value::Spread(lead)) = of("lead-time-merge").map(|metric| &metric.value) {
        let name = "from the first commit to the merge";
        say(Dimension::Efficiency, name, Figure::Spread(lead.clone()));
    }
    let waiting = pulls.iter().filter(|pull| {
        pull.merged.is_none_or(|at| at >= window.until)
            && pull.closed.is_none_or(|at| at >= window.until)
            && !pull.draft
    });
    let ages = waiting.map(|pull| seconds(pull.created, window.until).max(0.0));
    let ages = Figure::Spread(spread(ages.collect(), least));
    say(Dimension::Efficiency, "how old open ones are", ages);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::pool::measure;
    use super::super::quantiles::Estimate;
    use super::super::tests::{ask, deployment, hour, pull, rows, with};
    use super::*;

    fn median(figure: &Figure) -> Option<Estimate> {
        match figure {
            Figure::Spread(spread) => spread.median,
            Figure::Share(_) | Figure::Rate { .. } => None,
        }
    }

    fn of(lines: &[Json], team: Option<&str>) -> Space {
        let mut ask = ask();
        ask.team = team;
        ask.least = 5;
        let pool = Pool::of(rows(lines));
        let metrics = measure(&pool, &ask).metrics;
        space(&pool, &ask, &metrics)
    }

    fn authored(number: u64, hash: &str, more: &Json) -> Json {
        let at = i64::try_from(number).unwrap() * 10;
        let row = pull(number, at, at + 1, at + 5, &format!("{number:040}"));
        let own = json!({"author_hash": hash, "first_review": hour(at + 3).to_string()});
        with(with(row, &own), more)
    }

    fn team(people: u64, count: u64) -> Vec<Json> {
        let author = |number: u64| format!("h{}", number % people);
        (1..=count)
            .map(|number| authored(number, &author(number), &json!({})))
            .collect()
    }

    #[test]
    fn a_team_is_measured_in_several_dimensions() {
        let found = of(&team(5, 20), None);
        assert_eq!(found.people, Some(5));
        let said = found.said.unwrap();
        let name = |name: &str| said.iter().find(|one| one.name == name).unwrap();
        let waits = &name("until the first review").figure;
        assert!((median(waits).unwrap().value - 2.0 * 3600.0).abs() < 1e-9);
        let Figure::Rate { n: 20, a_week } = name("merged pull requests").figure else {
            panic!("{said:?}");
        };
        assert!((a_week.unwrap() - 20.0 / (59.0 / 7.0)).abs() < 1e-9);
        let lead = &name("from the first commit to the merge").figure;
        assert!((median(lead).unwrap().value - 5.0 * 3600.0).abs() < 1e-9);
        // Nothing ships: that is no zero.
        assert!(!name("deployments").figure.is_said());
        assert!(
            said.iter()
                .all(|one| one.dimension != Dimension::Satisfaction)
        );
    }

    #[test]
    fn a_few_people_are_nobodys_business() {
        let found = of(&team(4, 40), None);
        assert_eq!(found, silent(Silence::FewPeople));
        // Programs are no people, and neither is one who did nothing in that time.
        let mut lines = team(4, 40);
        lines.push(authored(41, "h9", &json!({"author_kind": "bot"})));
        lines.push(authored(42, "h8", &json!({"author_kind": "agent"})));
        let old = json!({"created": hour(-9000).to_string(), "merged": hour(-8000).to_string()});
        lines.push(authored(43, "h7", &old));
        assert_eq!(of(&lines, None), silent(Silence::FewPeople));
        assert_eq!(of(&[], None), silent(Silence::FewPeople));
    }

    #[test]
    fn people_that_cannot_be_told_apart_are_not_counted() {
        let mut lines = team(9, 30);
        for line in &mut lines {
            line.as_object_mut().unwrap().remove("author_hash");
        }
        assert_eq!(of(&lines, None), silent(Silence::Nameless));
    }

    #[test]
    fn two_dimensions_say_nothing() {
        // Five people, one change each that is still open: nothing but how old they are.
        let open = |number: u64| {
            let open =
                json!({"state": "open", "merged": null, "first_review": null, "merge_sha": ""});
            authored(number, &format!("h{number}"), &open)
        };
        let lines: Vec<Json> = (1..=5).map(open).collect();
        let found = of(&lines, None);
        assert_eq!(found.said, Err(Silence::FewDimensions(1)));
    }

    #[test]
    fn a_team_has_its_own_label() {
        let mut lines = team(6, 30);
        for line in lines.iter_mut().take(12) {
            line["labels"] = json!(["team: red"]);
        }
        lines.push(deployment(1, 400, "x"));
        let found = of(&lines, Some("red"));
        assert_eq!(found.people, Some(6));
        assert_eq!(of(&lines, Some("blue")), silent(Silence::FewPeople));
    }

    #[test]
    fn no_hash_leaves() {
        let found = format!("{:?}", of(&team(7, 30), None));
        assert!(!found.contains("h1") && !found.contains("h6"));
    }
}
