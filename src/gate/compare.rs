//! What was planned against what ran.
//!
//! A job that GitHub skipped is grey, and a required check of its name would pass. So every job that a fresh plan wants has to be there,
//! with a success of its own; the first plan's outputs are believed only as far as they hold that plan.

use std::collections::BTreeMap;

use serde_json::Value;

use super::needs::{Need, Needs, Outcome};
use super::{Capability, Problem};

use crate::json;

/// A job of the fresh plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) id: String,
    /// Whether it has to run.
    pub(crate) run: bool,
    /// In how many legs.
    pub(crate) legs: u64,
}

/// A job of the run, as GitHub's API lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) name: String,
    /// Nothing while it is under way.
    pub(crate) conclusion: Option<String>,
}

/// Returns what is not as it was planned. `plan_job` is the job whose outputs are the plan.
pub(crate) fn compare(
    planned: &[Planned],
    needs: &Needs,
    plan_job: &str,
    ran: Option<&[Ran]>,
) -> Vec<Problem> {
    let mut problems = failed(needs);
    let wanted: Vec<&Planned> = planned.iter().filter(|job| job.run).collect();
    let lines = match needs.get(plan_job) {
        None => {
            let words =
                format!("`needs` has no job `{plan_job}`, so that nobody knows what was to run");
            problems.push(problem("plan-missing", plan_job, words, NEEDS));
            None
        }
        // A failed one is a problem already.
        Some(need) if need.result != Outcome::Success => None,
        Some(need) => match lines_of(need) {
            Ok(lines) => Some(lines),
            Err(output) => {
                let words = format!("the output `{output}` of `{plan_job}` is missing or was cut");
                problems.push(problem("output-missing", output, words, OUTPUTS));
                None
            }
        },
    };
    if let Some(lines) = &lines {
        problems.extend(left_out(&wanted, lines));
    }
    let is_known =
        |key: &str| key == plan_job || planned.iter().any(|job| slug(&job.id) == slug(key));
    // Jobs that run lines of the matrix, whatever they are called.
    let runners: Vec<(&String, &Need)> = needs.iter().filter(|(key, _)| !is_known(key)).collect();
    let has_run = runners
        .iter()
        .any(|(_, need)| need.result == Outcome::Success);
    for job in &wanted {
        let own = needs
            .iter()
            .find(|(key, _)| slug(key) == slug(&job.id) && *key != plan_job);
        let skipped = match own {
            Some((_, need)) => need.result == Outcome::Skipped,
            None => {
                !has_run
                    && runners
                        .iter()
                        .all(|(_, need)| need.result == Outcome::Skipped)
            }
        };
        if skipped {
            let words = format!("`{}` was planned, and GitHub skipped it", job.id);
            problems.push(problem("job-skipped", &job.id, words, SKIPPED));
            continue;
        }
        if own.is_none()
            && let (Some(ran), Some(lines)) = (ran, &lines)
        {
            problems.extend(not_run(job, &wanted, ran, lines));
        }
    }
    problems
}

/// Returns what is wrong when nobody knows what was to run: then everything has to have run.
pub(crate) fn everything(needs: &Needs, why: &str) -> Vec<Problem> {
    let mut problems = failed(needs);
    let skipped = needs
        .iter()
        .filter(|(_, need)| need.result == Outcome::Skipped);
    problems.extend(skipped.map(|(key, _)| {
        let words = format!("`{key}` was skipped, and whether it had to run is not known: {why}");
        problem("job-skipped", key, words, SKIPPED)
    }));
    problems
}

const NEEDS: &str = "name the plan's job under `needs:` of the gate, and hand on `toJSON(needs)`";
const OUTPUTS: &str =
    "run the workflow again; hand on `matrix` and `has_jobs` as outputs of the plan's job";
const SKIPPED: &str =
    "look at the job's `if:` and at the outputs of the plan, and run the workflow again";
const RERUN: &str = "mend what failed, or run the failed jobs again";

fn problem(rule: &str, about: &str, words: String, fix: &str) -> Problem {
    Problem::new(Capability::Plan, rule, about, words, fix)
}

fn failed(needs: &Needs) -> Vec<Problem> {
    let problems = needs.iter().filter_map(|(key, need)| match need.result {
        Outcome::Success | Outcome::Skipped => None,
        Outcome::Failure => Some(problem("job-failed", key, format!("`{key}` failed"), RERUN)),
        Outcome::Cancelled => Some(problem(
            "job-cancelled",
            key,
            format!("`{key}` was cancelled"),
            RERUN,
        )),
        Outcome::Other => Some(problem(
            "job-failed",
            key,
            format!("`{key}` ended in a way that is not known here"),
            RERUN,
        )),
    });
    problems.collect()
}

/// Lines of the matrix for each job; nothing for a job where lines go by number or hold several legs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    legs: BTreeMap<String, u64>,
    /// Whether each line is one job of the run.
    are_single: bool,
    /// Whether lines only name legs by number.
    by_number: bool,
}

/// Returns what the plan's outputs hold, or the output that is missing.
fn lines_of(need: &Need) -> Result<Lines, &'static str> {
    let matrix = need.outputs.get("matrix").ok_or("matrix")?;
    let matrix: Value = json::read(matrix).map_err(|_| "matrix")?;
    let include = matrix.get("include").and_then(Value::as_array);
    let include = include.ok_or("matrix")?;
    let has_jobs = need.outputs.get("has_jobs").ok_or("has_jobs")?;
    let expected = if include.is_empty() { "false" } else { "true" };
    if has_jobs != expected {
        return Err("has_jobs");
    }
    let mut lines = Lines {
        are_single: true,
        ..Lines::default()
    };
    for line in include {
        let legs = match line.get("legs") {
            None => std::slice::from_ref(line),
            Some(Value::Array(legs)) => {
                lines.are_single = false;
                legs.as_slice()
            }
            Some(_) => {
                lines.are_single = false;
                lines.by_number = true;
                &[]
            }
        };
        for leg in legs {
            let job = leg.get("job").and_then(Value::as_str).ok_or("matrix")?;
            *lines.legs.entry(job.to_owned()).or_default() += 1;
        }
    }
    Ok(lines)
}

fn left_out(wanted: &[&Planned], lines: &Lines) -> Vec<Problem> {
    if lines.by_number {
        return Vec::new();
    }
    let missing = wanted.iter().filter_map(|job| {
        let legs = lines.legs.get(&job.id).copied().unwrap_or(0);
        (legs < job.legs).then(|| {
            let words = format!(
                "a fresh plan wants `{}` in {} runs, and the plan of this run has {legs}",
                job.id, job.legs
            );
            problem("plan-differs", &job.id, words, OUTPUTS)
        })
    });
    missing.collect()
}

/// Returns what the API's list does not have of a job. Where no planned job is found by its name, names say nothing here.
fn not_run(job: &Planned, wanted: &[&Planned], ran: &[Ran], lines: &Lines) -> Option<Problem> {
    if !lines.are_single {
        return None;
    }
    let is_any_named = wanted
        .iter()
        .any(|job| ran.iter().any(|ran| is_of(&ran.name, &job.id)));
    if !is_any_named {
        return None;
    }
    let expected = lines.legs.get(&job.id).copied().unwrap_or(0).max(job.legs);
    let of_job = || ran.iter().filter(|ran| is_of(&ran.name, &job.id));
    let good = of_job().filter(|ran| ran.conclusion.as_deref() == Some("success"));
    let good = good.count() as u64;
    (good < expected).then(|| {
        let words = format!(
            "of `{}` {good} of {expected} runs succeeded, by GitHub's list of jobs",
            job.id
        );
        problem("job-not-run", &job.id, words, SKIPPED)
    })
}

/// Whether a job did not succeed, as far as anybody says; it is read first what it left.
pub(crate) fn is_red(job: &str, needs: Option<&Needs>, ran: Option<&[Ran]>) -> bool {
    let of_needs = needs.into_iter().flatten();
    let mut of_needs = of_needs.filter(|(key, _)| slug(key) == slug(job));
    let of_list = ran.unwrap_or_default().iter();
    let mut of_list = of_list.filter(|ran| is_of(&ran.name, job));
    of_needs.any(|(_, need)| need.result != Outcome::Success)
        || of_list.any(|ran| ran.conclusion.as_deref() != Some("success"))
}

/// Whether GitHub's name of a job is that of a line of the matrix: `test (unit, 1/2, ubuntu)`, or a name of its own that begins with the
/// job's, as `unit 1/2`.
fn is_of(name: &str, job: &str) -> bool {
    let last = name.rsplit(" / ").find(|part| !part.trim().is_empty());
    let inside = name
        .rsplit_once(" (")
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    if let Some(inside) = inside
        && inside.split(", ").any(|value| value == job)
    {
        return true;
    }
    [Some(name), last].into_iter().flatten().any(|name| {
        name.strip_prefix(job)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// Job ids as outputs have them: letters and digits in lower case, everything else `_`.
fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::super::needs::read;
    use super::*;

    fn planned(jobs: &[(&str, u64)]) -> Vec<Planned> {
        let jobs = jobs.iter().map(|(id, legs)| Planned {
            id: (*id).to_owned(),
            run: *legs > 0,
            legs: *legs,
        });
        jobs.collect()
    }

    fn ran(jobs: &[(&str, &str)]) -> Vec<Ran> {
        let jobs = jobs.iter().map(|(name, conclusion)| Ran {
            name: (*name).to_owned(),
            conclusion: (!conclusion.is_empty()).then(|| (*conclusion).to_owned()),
        });
        jobs.collect()
    }

    /// Needs with a plan of these jobs, and others with their results.
    fn needs(lines: &[&str], others: &[(&str, &str)]) -> Needs {
        let include: Vec<Value> = lines
            .iter()
            .map(|job| serde_json::json!({ "job": job }))
            .collect();
        let matrix = serde_json::json!({ "include": include }).to_string();
        let has_jobs = (!lines.is_empty()).to_string();
        let mut all = serde_json::json!({
            "plan": {"result": "success", "outputs": {"matrix": matrix, "has_jobs": has_jobs}},
        });
        for (key, result) in others {
            all[*key] = serde_json::json!({"result": result, "outputs": {}});
        }
        read(&all.to_string()).unwrap()
    }

    #[track_caller]
    fn check(planned: &[Planned], needs: &Needs, ran: Option<&[Ran]>, expected: &[&str]) {
        let problems = compare(planned, needs, "plan", ran);
        let words: Vec<String> = problems
            .iter()
            .map(|problem| format!("{} {}", problem.rule, problem.about))
            .collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn what_was_planned_and_ran_is_fine() {
        let jobs = planned(&[("unit", 2), ("docs", 0)]);
        let good = needs(&["unit", "unit"], &[("test", "success")]);
        check(&jobs, &good, None, &[]);
        let list = ran(&[
            ("plan", "success"),
            ("test (unit, 1/2, ubuntu-latest)", "success"),
            ("test (unit, 2/2, ubuntu-latest)", "success"),
        ]);
        check(&jobs, &good, Some(&list), &[]);
        let none = planned(&[("unit", 0)]);
        check(&none, &needs(&[], &[("test", "skipped")]), None, &[]);
        // A job of the workflow for each job of the configuration.
        let own = needs(
            &["unit", "unit"],
            &[("unit", "success"), ("docs", "skipped")],
        );
        check(&jobs, &own, None, &[]);
    }

    #[test]
    fn a_planned_job_that_was_skipped_is_a_problem() {
        let jobs = planned(&[("unit", 1), ("docs", 0)]);
        let skipped = needs(&["unit"], &[("test", "skipped")]);
        check(&jobs, &skipped, None, &["job-skipped unit"]);
        let own = needs(&["unit"], &[("unit", "skipped"), ("lint", "success")]);
        check(&jobs, &own, None, &["job-skipped unit"]);
        // Nobody is there who could have run it.
        check(&jobs, &needs(&["unit"], &[]), None, &["job-skipped unit"]);
    }

    #[test]
    fn a_red_job_is_a_problem_whatever_was_planned() {
        let jobs = planned(&[("unit", 1)]);
        for (result, code) in [
            ("failure", "job-failed test"),
            ("cancelled", "job-cancelled test"),
            ("else", "job-failed test"),
        ] {
            check(&jobs, &needs(&["unit"], &[("test", result)]), None, &[code]);
        }
    }

    #[test]
    fn a_plan_that_lost_something_is_a_problem() {
        let jobs = planned(&[("unit", 2), ("docs", 1)]);
        check(
            &jobs,
            &needs(&["unit"], &[("test", "success")]),
            None,
            &["plan-differs unit", "plan-differs docs"],
        );
        let mut dropped = needs(&["unit", "unit", "docs"], &[("test", "success")]);
        let plan = dropped.get_mut("plan").unwrap();
        plan.outputs.insert("has_jobs".into(), "false".into());
        check(&jobs, &dropped, None, &["output-missing has_jobs"]);
        for matrix in ["", "{\"include\":[", "{}", "{\"include\":[{}]}"] {
            let plan = dropped.get_mut("plan").unwrap();
            plan.outputs.insert("has_jobs".into(), "true".into());
            plan.outputs.insert("matrix".into(), matrix.into());
            check(&jobs, &dropped, None, &["output-missing matrix"]);
        }
        dropped.get_mut("plan").unwrap().outputs.clear();
        check(&jobs, &dropped, None, &["output-missing matrix"]);
        dropped.remove("plan");
        check(&jobs, &dropped, None, &["plan-missing plan"]);
        let failed = read(r#"{"plan": {"result": "failure"}, "test": {"result": "skipped"}}"#);
        check(
            &jobs,
            &failed.unwrap(),
            None,
            &["job-failed plan", "job-skipped unit", "job-skipped docs"],
        );
    }

    #[test]
    fn the_list_of_jobs_tells_what_the_summary_hides() {
        let jobs = planned(&[("unit", 2), ("docs", 1)]);
        let all = needs(&["unit", "unit", "docs"], &[("test", "success")]);
        let list = ran(&[
            ("test (unit, 1/2)", "success"),
            ("test (unit, 2/2)", "skipped"),
        ]);
        check(
            &jobs,
            &all,
            Some(&list),
            &["job-not-run unit", "job-not-run docs"],
        );
        // Names of which none is a planned job's tell nothing.
        check(&jobs, &all, Some(&ran(&[("Tests", "success")])), &[]);
        let own = ran(&[
            ("unit 1/2", "success"),
            ("unit 2/2", "success"),
            ("ci / docs", ""),
        ]);
        check(&jobs, &all, Some(&own), &["job-not-run docs"]);
    }

    #[test]
    fn lines_with_several_legs_are_counted_by_their_legs() {
        let jobs = planned(&[("unit", 2), ("docs", 1)]);
        let mut all = needs(&["x"], &[("test", "success")]);
        let set = |needs: &mut Needs, matrix: &str| {
            let plan = needs.get_mut("plan").unwrap();
            plan.outputs.insert("matrix".into(), matrix.into());
        };
        set(
            &mut all,
            r#"{"include": [{"legs": [{"job": "unit"}, {"job": "unit"}, {"job": "docs"}]}]}"#,
        );
        check(&jobs, &all, Some(&ran(&[("test (1)", "success")])), &[]);
        set(
            &mut all,
            r#"{"include": [{"legs": [{"job": "unit"}, {"job": "docs"}]}]}"#,
        );
        check(&jobs, &all, None, &["plan-differs unit"]);
        set(&mut all, r#"{"include": [{"legs": "0..3"}]}"#);
        check(&jobs, &all, None, &[]);
    }

    #[test]
    fn without_a_plan_everything_has_to_have_run() {
        let good = needs(&[], &[("test", "success")]);
        assert_eq!(everything(&good, "git is gone"), []);
        let skipped = needs(&[], &[("test", "skipped"), ("web", "failure")]);
        let rules: Vec<String> = everything(&skipped, "git is gone")
            .into_iter()
            .map(|problem| problem.rule)
            .collect();
        assert_eq!(rules, ["job-failed", "job-skipped"]);
    }
}
