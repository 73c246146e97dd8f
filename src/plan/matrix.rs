//! The matrix of GitHub Actions, within its limits (docs.github.com, "Actions limits"): 256 jobs, and outputs of one megabyte,
//! counted in UTF-16. What does not fit is put together, never dropped.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::jobs::{Decision, Job};

/// A workflow's matrix makes at most so many jobs.
pub(crate) const MOST_JOBS: usize = 256;

/// The outputs of a job hold at most so many bytes in UTF-16; some room is left for the other outputs.
pub(crate) const MOST_BYTES: usize = 1024 * 1024 - 16 * 1024;

/// One run of a job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leg {
    pub(crate) job: String,
    pub(crate) projects: Vec<String>,
    /// The value of each axis.
    pub(crate) axes: BTreeMap<String, Value>,
    /// Which part of how many.
    pub(crate) shard: Option<(u32, u32)>,
    pub(crate) runs_on: Option<Value>,
    pub(crate) services: Option<Value>,
    pub(crate) timeout_minutes: Option<u32>,
}

/// A line of the matrix: one leg, or several that one runner takes one after the other.
pub(crate) type Line = Vec<Leg>;

/// Names that a line of the matrix has of its own; no axis may have one.
pub(crate) const RESERVED: &[&str] = &[
    "id",
    "job",
    "legs",
    "projects",
    "runs_on",
    "services",
    "shard",
    "timeout_minutes",
];

/// Returns the legs of the jobs that run.
pub(crate) fn legs(jobs: &[Job], decisions: &[Decision]) -> Vec<Leg> {
    let mut legs = Vec::new();
    for (job, decision) in jobs.iter().zip(decisions) {
        if !decision.run {
            continue;
        }
        let mut groups: Vec<Vec<String>> = vec![decision.projects.clone()];
        if job.per_project && !decision.projects.is_empty() {
            groups = decision
                .projects
                .iter()
                .map(|project| vec![project.clone()])
                .collect();
        }
        let shards = job.shards.unwrap_or(1).max(1);
        for axes in combinations(job) {
            for projects in &groups {
                for shard in 1..=shards {
                    legs.push(Leg {
                        job: job.id.clone(),
                        projects: projects.clone(),
                        runs_on: job.runs_on.as_ref().map(|value| filled(value, &axes)),
                        axes: axes.clone(),
                        shard: (shards > 1).then_some((shard, shards)),
                        services: job.services.clone(),
                        timeout_minutes: job.timeout_minutes,
                    });
                }
            }
        }
    }
    legs
}

/// Returns every combination of a job's axes that is not excluded.
pub(crate) fn combinations(job: &Job) -> Vec<BTreeMap<String, Value>> {
    let mut all = vec![BTreeMap::new()];
    for (axis, values) in &job.axes {
        let longer = all.iter().flat_map(|one: &BTreeMap<String, Value>| {
            values.iter().map(|value| {
                let mut longer = one.clone();
                longer.insert(axis.clone(), value.clone());
                longer
            })
        });
        all = longer.collect();
    }
    let excluded = |one: &BTreeMap<String, Value>| {
        job.exclude.iter().any(|exclude| {
            !exclude.is_empty()
                && exclude
                    .iter()
                    .all(|(axis, value)| one.get(axis) == Some(value))
        })
    };
    all.retain(|one| !excluded(one));
    all
}

/// Puts an axis's value where `runs_on` names it as `{axis}`.
fn filled(value: &Value, axes: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            for (axis, value) in axes {
                let word = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                text = text.replace(&format!("{{{axis}}}"), &word);
            }
            Value::String(text)
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| filled(one, axes)).collect()),
        other => other.clone(),
    }
}

/// A matrix that fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) lines: Vec<Line>,
    /// Whether its text would be too long: then a line says which legs of the plan it stands for, as `12..40`.
    pub(crate) by_number: bool,
}

/// Puts legs together until the matrix fits: first the projects of one job, then whatever runs on the same runner.
pub(crate) fn fit(legs: &[Leg]) -> Matrix {
    let mut matrix = Matrix {
        lines: fit_into(legs, MOST_JOBS),
        by_number: false,
    };
    matrix.by_number = utf16_bytes(&matrix.include().to_string()) > MOST_BYTES;
    matrix
}

fn fit_into(legs: &[Leg], most: usize) -> Vec<Line> {
    if legs.len() <= most {
        return legs.iter().map(|leg| vec![leg.clone()]).collect();
    }
    let merged = merge_projects(legs, most);
    if merged.len() <= most {
        return merged.into_iter().map(|leg| vec![leg]).collect();
    }
    // Runners differ; what needs the same one may share it.
    let mut by_runner: Vec<(String, Vec<Leg>)> = Vec::new();
    for leg in merged {
        let key = format!("{:?} {:?}", leg.runs_on, leg.services);
        match by_runner.iter_mut().find(|(known, _)| *known == key) {
            Some((_, legs)) => legs.push(leg),
            None => by_runner.push((key, vec![leg])),
        }
    }
    let total: usize = by_runner.iter().map(|(_, legs)| legs.len()).sum();
    let spare = most.saturating_sub(by_runner.len());
    let mut lines = Vec::new();
    for (_, legs) in by_runner {
        let lines_of_it = 1 + (legs.len() - 1) * spare / total.max(1);
        lines.extend(chunks(&legs, lines_of_it));
    }
    lines
}

/// Puts projects of one job, axes and shard together.
fn merge_projects(legs: &[Leg], most: usize) -> Vec<Leg> {
    let mut groups: Vec<(Leg, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for leg in legs {
        let bare = Leg {
            projects: Vec::new(),
            ..leg.clone()
        };
        let key = format!("{bare:?}");
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((bare, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.extend(leg.projects.iter().cloned());
    }
    let total: usize = groups
        .iter()
        .map(|(_, projects)| projects.len().max(1))
        .sum();
    let spare = most.saturating_sub(groups.len());
    let mut merged = Vec::new();
    for (bare, projects) in groups {
        if projects.is_empty() {
            merged.push(bare);
            continue;
        }
        let lines = 1 + (projects.len() - 1) * spare / total;
        let parts = chunks(&projects, lines);
        merged.extend(parts.into_iter().map(|projects| Leg {
            projects,
            ..bare.clone()
        }));
    }
    merged
}

/// Splits a list into so many parts, as even as can be.
fn chunks<T: Clone>(list: &[T], parts: usize) -> Vec<Vec<T>> {
    let parts = parts.clamp(1, list.len().max(1));
    let bounds = (0..=parts).map(|part| part * list.len() / parts);
    let bounds: Vec<usize> = bounds.collect();
    bounds
        .windows(2)
        .map(|pair| list[pair[0]..pair[1]].to_vec())
        .filter(|part| !part.is_empty())
        .collect()
}

impl Matrix {
    /// Returns `{"include": [...]}`, as `fromJSON` takes it.
    pub(crate) fn include(&self) -> Value {
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        let mut number = 0;
        let lines = self.lines.iter().map(|line| {
            let mut object = Map::new();
            if self.by_number || line.len() > 1 {
                let first = line.first();
                object.insert("job".into(), Value::String("bucket".into()));
                let runner = first.and_then(|leg| leg.runs_on.clone());
                object.extend(runner.map(|runner| ("runs_on".to_owned(), runner)));
                let services = first.and_then(|leg| leg.services.clone());
                object.extend(services.map(|services| ("services".to_owned(), services)));
                let legs = if self.by_number {
                    Value::String(format!("{number}..{}", number + line.len()))
                } else {
                    Value::Array(line.iter().map(leg_of_bucket).collect())
                };
                object.insert("legs".into(), legs);
            } else if let Some(leg) = line.first() {
                fill(&mut object, leg);
            }
            number += line.len();
            let label = if self.by_number {
                "bucket".to_owned()
            } else {
                label(line)
            };
            let count = names.entry(label.clone()).or_insert(0);
            *count += 1;
            let id = if *count > 1 || label == "bucket" {
                format!("{label} {count}")
            } else {
                label
            };
            object.insert("id".into(), Value::String(id));
            Value::Object(object)
        });
        let lines: Vec<Value> = lines.collect();
        serde_json::json!({ "include": lines })
    }

    /// Returns the legs in the order that lines count them.
    pub(crate) fn legs(&self) -> Vec<Value> {
        let legs = self.lines.iter().flatten();
        let whole = legs.map(|leg| {
            let mut object = Map::new();
            fill(&mut object, leg);
            Value::Object(object)
        });
        whole.collect()
    }
}

fn leg_of_bucket(leg: &Leg) -> Value {
    let mut object = Map::new();
    fill(&mut object, leg);
    object.remove("runs_on");
    object.remove("services");
    Value::Object(object)
}

/// Returns what a line is called in the list of jobs.
fn label(line: &Line) -> String {
    let [leg] = &line[..] else {
        return "bucket".to_owned();
    };
    let mut words = Vec::new();
    if let [project] = &leg.projects[..] {
        words.push(project.clone());
    }
    words.extend(leg.axes.values().map(|value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    }));
    words.extend(leg.shard.map(|(part, of)| format!("{part}/{of}")));
    if words.is_empty() {
        leg.job.clone()
    } else {
        format!("{} ({})", leg.job, words.join(", "))
    }
}

fn fill(object: &mut Map<String, Value>, leg: &Leg) {
    for (axis, value) in &leg.axes {
        object.insert(axis.clone(), value.clone());
    }
    object.insert("job".into(), Value::String(leg.job.clone()));
    let projects = leg.projects.iter().cloned().map(Value::String);
    object.insert("projects".into(), Value::Array(projects.collect()));
    // An empty text stands for "not split", as workflows pass it on.
    let shard = leg.shard.map(|(part, of)| format!("{part}/{of}"));
    object.insert("shard".into(), Value::String(shard.unwrap_or_default()));
    object.extend(
        leg.runs_on
            .clone()
            .map(|value| ("runs_on".to_owned(), value)),
    );
    object.extend(
        leg.services
            .clone()
            .map(|value| ("services".to_owned(), value)),
    );
    object.extend(
        leg.timeout_minutes
            .map(|value| ("timeout_minutes".to_owned(), value.into())),
    );
}

/// Returns how GitHub counts a text.
fn utf16_bytes(text: &str) -> usize {
    text.encode_utf16().count() * 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leg(job: &str, project: Option<String>) -> Leg {
        Leg {
            job: job.into(),
            projects: project.into_iter().collect(),
            axes: BTreeMap::new(),
            shard: None,
            runs_on: None,
            services: None,
            timeout_minutes: None,
        }
    }

    /// Returns all that runs: job, project, axes, shard.
    fn content(lines: &[Line]) -> Vec<String> {
        let legs = lines.iter().flatten();
        let all = legs.flat_map(|leg| {
            let projects = if leg.projects.is_empty() {
                vec![String::new()]
            } else {
                leg.projects.clone()
            };
            projects.into_iter().map(|project| {
                format!(
                    "{} {project} {:?} {:?} {:?}",
                    leg.job, leg.axes, leg.shard, leg.runs_on
                )
            })
        });
        let mut all: Vec<String> = all.collect();
        all.sort();
        all
    }

    #[test]
    fn axes_multiply_but_for_what_is_excluded() {
        let mut job = Job::named("t");
        job.axes
            .insert("os".into(), vec!["linux".into(), "windows".into()]);
        job.axes
            .insert("rust".into(), vec!["stable".into(), "msrv".into()]);
        job.exclude.push(
            [
                ("os".to_owned(), "windows".into()),
                ("rust".to_owned(), "msrv".into()),
            ]
            .into(),
        );
        job.runs_on = Some(Value::String("{os}-latest".into()));
        let shown: Vec<String> = combinations(&job)
            .iter()
            .map(|axes| {
                format!(
                    "{} {}",
                    filled(job.runs_on.as_ref().unwrap(), axes),
                    axes["rust"]
                )
            })
            .collect();
        let expected = [
            r#""linux-latest" "stable""#,
            r#""linux-latest" "msrv""#,
            r#""windows-latest" "stable""#,
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn projects_share_lines_before_jobs_do() {
        let legs: Vec<Leg> = (0..1000).map(|n| leg("t", Some(format!("p{n}")))).collect();
        let lines = fit(&legs).lines;
        assert!(lines.len() > 200 && lines.len() <= MOST_JOBS);
        assert!(lines.iter().all(|line| line.len() == 1));
        let alone: Vec<Line> = legs.into_iter().map(|leg| vec![leg]).collect();
        assert_eq!(content(&lines), content(&alone));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_matrix_fits_and_nothing_is_dropped(
            jobs in proptest::collection::vec((0..60_u32, 0..4_u8, 1..40_usize), 0..40),
        ) {
            let legs: Vec<Leg> = jobs
                .iter()
                .enumerate()
                .flat_map(|(number, (projects, runner, length))| {
                    (0..*projects).map(move |project| Leg {
                        runs_on: (*runner > 0).then(|| Value::String(format!("r{runner}"))),
                        shard: (runner % 2 == 0).then_some((project + 1, *projects)),
                        ..leg(&format!("j{number}"), Some("p".repeat(*length) + &project.to_string()))
                    })
                })
                .collect();
            let alone: Vec<Line> = legs.iter().map(|leg| vec![leg.clone()]).collect();
            let matrix = fit(&legs);
            check_that_it_fits(&matrix);
            prop_assert_eq!(content(&matrix.lines), content(&alone));
        }
    }

    fn check_that_it_fits(matrix: &Matrix) {
        let lines = &matrix.lines;
        assert!(lines.len() <= MOST_JOBS);
        let text = matrix.include().to_string();
        assert!(utf16_bytes(&text) <= MOST_BYTES);
        let read: Value = serde_json::from_str(&text).unwrap();
        let include = read["include"].as_array().unwrap();
        let ids: std::collections::BTreeSet<&str> = include
            .iter()
            .map(|line| line["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), lines.len());
        for line in lines {
            assert!(line.iter().all(|leg| leg.runs_on == line[0].runs_on));
        }
    }

    #[test]
    fn a_matrix_whose_text_is_too_long_goes_by_number() {
        let legs: Vec<Leg> = (0..9000)
            .map(|n| leg("t", Some(format!("cargo:{}{n}", "long/".repeat(20)))))
            .collect();
        let matrix = fit(&legs);
        check_that_it_fits(&matrix);
        assert!(matrix.by_number);
        let include = matrix.include();
        assert_eq!(
            include["include"].as_array().unwrap().last().unwrap()["legs"]
                .as_str()
                .unwrap()
                .split("..")
                .nth(1),
            Some(matrix.legs().len().to_string().as_str())
        );
        assert_eq!(matrix.legs().len(), matrix.lines.iter().flatten().count());
    }

    #[test]
    fn a_line_is_a_leg_or_a_bucket_under_a_name_of_its_own() {
        let on = |project: &str| Leg {
            runs_on: Some("linux".into()),
            ..leg("t", Some(project.to_owned()))
        };
        let (a, b) = (on("npm:a"), on("npm:b"));
        let mut matrix = Matrix {
            lines: vec![vec![a.clone()], vec![a.clone()], vec![a, b]],
            by_number: false,
        };
        let include = matrix.include();
        let lines = include["include"].as_array().unwrap();
        let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
        assert_eq!(ids, ["t (npm:a)", "t (npm:a) 2", "bucket 1"]);
        assert_eq!(
            (&lines[0]["job"], lines[0].get("legs")),
            (&"t".into(), None)
        );
        assert_eq!(lines[2]["job"], "bucket");
        assert_eq!(lines[2]["runs_on"], "linux");
        let legs = lines[2]["legs"].as_array().unwrap();
        let jobs: Vec<&Value> = legs.iter().map(|leg| &leg["job"]).collect();
        assert_eq!(jobs, ["t", "t"]);
        assert!(legs.iter().all(|leg| leg.get("runs_on").is_none()));
        assert_eq!(matrix.legs().len(), 4);
        matrix.by_number = true;
        let include = matrix.include();
        let of = |place: usize| include["include"][place]["legs"].clone();
        assert_eq!([of(0), of(1), of(2)], ["0..1", "1..2", "2..4"]);
    }
}
