//! The text of `.maestro/maestro.yaml`, with comments for whoever goes on with it.

use std::fmt::Write;

use super::yaml_text::{list, scalar};
use super::{Component, Job, Proposal};
use crate::config::file::CONFIG_SCHEMA;

/// Returns the requirement that this version meets, and no later incompatible one.
fn requirement(version: &str) -> String {
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u64>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if major == 0 {
        format!(">=0.{minor}, <0.{}", minor + 1)
    } else {
        format!(">={major}.{minor}, <{}", major + 1)
    }
}

/// Writes the configuration.
pub(crate) fn text(proposal: &Proposal, version: &str) -> String {
    let mut out = format!(
        "\
# How this repository's CI is conducted. Written by `maestro init`, which never touches it again: it is yours.
# `maestro config show` prints what is in force, `maestro util schema config` what may stand here.
schema: {CONFIG_SCHEMA}
requires: \"{}\"

# What may block or skip: [plan, flakes, policy, budget]. Until something is named here everything runs, nothing is blocked,
# and maestro says what it would have done.
enforce: []

# A job runs when a change reaches its projects or paths; a job without both always runs. Also: shards, axes, runs_on, when, per,
# timeout_minutes (docs/plan.md). `run` is what `maestro exec JOB` runs, `junit` where it leaves its test reports.
",
        requirement(version)
    );
    jobs(&mut out, &proposal.jobs, &proposal.sketches);
    components(&mut out, &proposal.components);
    run_all_on(&mut out, &proposal.run_all_on);
    out.push_str(
        "\
# Files that affect nothing. `maestro plan lint` names the files that nobody owns, which run everything.
# ignore: [\"**/*.snap.new\"]

# Flaky tests: what quarantine means, until when it is looked at again, and tests that are never forgiven.
flakes:
  quarantine: gate
  review_by: 14d
  # never: [\"tests/security/**\"]

# Where results are kept: on a branch of this repository, without secrets.
state:
  branch: maestro-state
  redact: true
",
    );
    out
}

fn jobs(out: &mut String, jobs: &[Job], sketches: &[Job]) {
    out.push_str(if jobs.is_empty() {
        "jobs: {}\n"
    } else {
        "jobs:\n"
    });
    for job in jobs {
        out.push_str(&one(job));
    }
    if jobs.is_empty() && sketches.is_empty() {
        out.push_str(
            "\
#  test:
#    paths: [\"src/**\", \"tests/**\"]
#    run: make test
#    junit: build/junit.xml
",
        );
    }
    if !sketches.is_empty() {
        let first = if jobs.is_empty() {
            "take the `#` of a job away, and the `{}` above"
        } else {
            "take the `#` of a job away"
        };
        let _ = writeln!(out, "# Builds that maestro reads no projects of: {first}.");
    }
    for line in sketches.iter().map(one).collect::<String>().lines() {
        let _ = writeln!(out, "#{line}");
    }
    out.push('\n');
}

/// Writes a job.
fn one(job: &Job) -> String {
    let mut out = String::new();
    for comment in &job.comments {
        // A comment ends with its line, whatever a name in it holds.
        let _ = writeln!(out, "  # {}", one_line(comment));
    }
    let _ = writeln!(out, "  {}:", scalar(&job.name));
    if !job.projects.is_empty() {
        let _ = writeln!(out, "    projects: {}", list(&job.projects));
    }
    if !job.paths.is_empty() {
        let _ = writeln!(out, "    paths: {}", list(&job.paths));
    }
    match &job.run {
        Some(run) => {
            let _ = writeln!(out, "    run: {}", scalar(run));
        }
        None => out.push_str("    # run: what this job runs\n"),
    }
    if let Some(junit) = &job.junit {
        let _ = writeln!(out, "    junit: {}", scalar(junit));
    }
    out
}

fn components(out: &mut String, components: &[Component]) {
    if components.is_empty() {
        return;
    }
    out.push_str("# Parts of the repository that no manifest describes, and what they depend on.\ncomponents:\n");
    for component in components {
        let _ = writeln!(out, "  {}:", scalar(&component.name));
        let _ = writeln!(out, "    paths: {}", list(&component.paths));
        if !component.depends_on.is_empty() {
            let _ = writeln!(out, "    depends_on: {}", list(&component.depends_on));
        }
    }
    out.push('\n');
}

fn run_all_on(out: &mut String, globs: &[String]) {
    out.push_str("# Files whose change runs every job, beside CI's and the toolchains' own.\n");
    if globs.is_empty() {
        out.push_str("# run_all_on: [\"deny.toml\"]\n\n");
    } else {
        let _ = writeln!(out, "run_all_on: {}\n", list(globs));
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, read};

    fn reads(proposal: &Proposal) -> ConfigFile {
        let text = text(proposal, "0.1.0");
        read(&text, "maestro.yaml").unwrap_or_else(|error| panic!("{error:?}\n{text}"))
    }

    #[test]
    fn what_is_written_reads_as_what_was_proposed() {
        let job = Job {
            name: "on".to_owned(),
            projects: vec!["cargo:a".to_owned(), "cargo:a/**".to_owned()],
            paths: vec!["**/*.md".to_owned()],
            run: Some("echo \"a: b\" # c".to_owned()),
            junit: Some("**/junit.xml".to_owned()),
            comments: vec!["a\nenforce: [plan]".to_owned()],
            ..Job::default()
        };
        let component = Component {
            name: "c".to_owned(),
            paths: vec!["x/**".to_owned()],
            depends_on: vec!["d".to_owned()],
        };
        let proposal = Proposal {
            jobs: vec![job.clone()],
            components: vec![component],
            run_all_on: vec!["*.toml".to_owned()],
            ..Proposal::default()
        };
        let read = reads(&proposal);
        let seen = &read.jobs["on"];
        assert_eq!(seen.run, job.run);
        assert_eq!(seen.junit, job.junit);
        assert_eq!(seen.projects.as_ref().unwrap().texts(), job.projects);
        assert_eq!(seen.paths, job.paths);
        assert_eq!(read.components["c"].depends_on, ["d"]);
        assert_eq!(read.run_all_on, ["*.toml"]);
        assert!(read.enforce.is_empty());
    }

    #[test]
    fn nothing_proposed_is_a_configuration_without_jobs() {
        assert!(reads(&Proposal::default()).jobs.is_empty());
    }

    #[test]
    fn what_is_left_to_people_is_a_comment_that_reads_once_it_is_none() {
        let job = |name: &str| Job {
            name: name.to_owned(),
            paths: vec!["**".to_owned()],
            run: Some("a && b".to_owned()),
            comments: vec!["look at it".to_owned()],
            ..Job::default()
        };
        for jobs in [vec![], vec![job("here")]] {
            let count = jobs.len();
            let proposal = Proposal {
                jobs,
                sketches: vec![job("x"), job("y")],
                ..Proposal::default()
            };
            assert_eq!(reads(&proposal).jobs.len(), count);
            let text = text(&proposal, "0.1.0")
                .replace("jobs: {}", "jobs:")
                .replace("\n#  ", "\n  ");
            let seen: ConfigFile =
                read(&text, "maestro.yaml").unwrap_or_else(|error| panic!("{error:?}\n{text}"));
            assert_eq!(seen.jobs.len(), count + 2, "{text}");
            assert_eq!(seen.jobs["y"].run.as_deref(), Some("a && b"));
        }
    }

    #[test]
    fn the_requirement_takes_no_incompatible_version() {
        assert_eq!(requirement("0.3.1"), ">=0.3, <0.4");
        assert_eq!(requirement("2.1.0"), ">=2.1, <3");
    }
}
