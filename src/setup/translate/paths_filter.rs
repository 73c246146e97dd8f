//! dorny/paths-filter (v3): filters of a workflow become jobs with `paths`.
//!
//! There a file matches a filter when any of its patterns does (`predicate-quantifier: some`), and `!x` is a pattern that matches every
//! file but `x`. Ours reads patterns in order, and `!x` takes out again.

use serde_yaml::Value;

use super::{LEFT_OUT, NOTHING, WIDER};
use crate::config::{Kind, read_as};
use crate::setup::{Job, Proposal, Seen, is_workflow, slug};

/// For messages only: nothing of ours has this form.
const WORKFLOW: Kind = Kind {
    schema: "",
    published: "config",
};

pub(super) fn translate(seen: Seen<'_>, proposal: &mut Proposal) {
    let paths = seen.sources.tree.iter().map(|(path, _)| path.to_owned());
    let workflows: Vec<String> = paths.filter(|path| is_workflow(path)).collect();
    for path in workflows {
        let text = seen.sources.text(&path).unwrap_or_default();
        if !text.contains("dorny/paths-filter@") {
            continue;
        }
        match read_as::<Value>(WORKFLOW, text, &path) {
            Ok(workflow) => of_workflow(seen, &path, &workflow, proposal),
            Err(error) => proposal.notice(LEFT_OUT, path, error.message),
        }
    }
    if proposal.jobs.is_empty() {
        proposal.notice(
            NOTHING,
            ".github/workflows",
            "no workflow has a filter of dorny/paths-filter that can be read",
        );
    }
}

fn of_workflow(seen: Seen<'_>, path: &str, workflow: &Value, proposal: &mut Proposal) {
    let jobs = workflow.get("jobs").and_then(Value::as_mapping);
    for (_, job) in jobs.into_iter().flatten() {
        let steps = job.get("steps").and_then(Value::as_sequence);
        for step in steps.into_iter().flatten() {
            let uses = step.get("uses").and_then(Value::as_str).unwrap_or_default();
            if uses.starts_with("dorny/paths-filter@") {
                of_step(seen, path, (workflow, step), proposal);
            }
        }
    }
}

fn of_step(
    seen: Seen<'_>,
    path: &str,
    (workflow, step): (&Value, &Value),
    proposal: &mut Proposal,
) {
    let with = |key: &str| {
        let value = step.get("with")?.get(key)?;
        value.as_str()
    };
    let Some(filters) = with("filters") else {
        proposal.notice(
            LEFT_OUT,
            path,
            "a step of dorny/paths-filter without `filters`",
        );
        return;
    };
    // One line is the name of a file.
    let (place, text) = if filters.contains('\n') || filters.contains(':') {
        (path.to_owned(), Some(filters))
    } else {
        let file = filters.trim().trim_start_matches("./");
        (file.to_owned(), seen.sources.text(file))
    };
    let Some(text) = text else {
        proposal.notice(LEFT_OUT, place, "the file of filters cannot be read");
        return;
    };
    let filters = match read_as::<Value>(WORKFLOW, text, &place) {
        Ok(Value::Mapping(filters)) => filters,
        Ok(_) => {
            proposal.notice(LEFT_OUT, place, "its filters are no mapping of names");
            return;
        }
        Err(error) => {
            proposal.notice(LEFT_OUT, place, error.message);
            return;
        }
    };
    let is_every = with("predicate-quantifier") == Some("every");
    for (name, rules) in &filters {
        let Some(name) = name.as_str() else { continue };
        let mut patterns = Vec::new();
        let mut is_wider = false;
        collect(rules, &mut patterns, &mut is_wider);
        let Some(paths) = ours(&patterns, is_every) else {
            let words =
                format!("the filter `{name}` takes files out in a way that ours cannot say");
            proposal.notice(LEFT_OUT, &place, words);
            continue;
        };
        if is_wider {
            let words = format!(
                "`{name}` looks at additions, deletions or changes only; ours at all of them"
            );
            proposal.notice(WIDER, &place, words);
        }
        let mut job = Job {
            name: slug(name),
            paths,
            comments: vec![format!("Was the filter `{name}` of {path}.")],
            ..Job::default()
        };
        commands(workflow, name, &mut job);
        if job.run.is_none() {
            let words = format!(
                "what runs where `{name}` matches is not a plain command: write `run:` for the job `{}`",
                job.name
            );
            proposal.notice(LEFT_OUT, path, words);
        }
        proposal.add(job);
    }
}

/// Gathers the patterns of a filter: texts, lists in lists (by anchors), and `added|modified: pattern`.
fn collect(rules: &Value, patterns: &mut Vec<String>, is_wider: &mut bool) {
    match rules {
        Value::String(text) => patterns.push(text.clone()),
        Value::Sequence(list) => {
            for one in list {
                collect(one, patterns, is_wider);
            }
        }
        Value::Mapping(kinds) => {
            *is_wider = true;
            for (_, inner) in kinds {
                collect(inner, patterns, is_wider);
            }
        }
        _ => {}
    }
}

/// Says patterns in our way; nothing where there is no such way.
fn ours(patterns: &[String], is_every: bool) -> Option<Vec<String>> {
    let is_not = |pattern: &&String| pattern.starts_with('!');
    let taken_out: Vec<String> = patterns.iter().filter(is_not).cloned().collect();
    let taken_in: Vec<String> = patterns
        .iter()
        .filter(|one| !is_not(one))
        .cloned()
        .collect();
    let mut paths = match (is_every, taken_in.len(), taken_out.len()) {
        (_, 0, 0) => return None,
        (false, _, 0) => return Some(taken_in),
        // Everything but x, and what else is named: in that order.
        (false, _, 1) => {
            let mut paths = vec!["**".to_owned()];
            paths.extend(taken_out);
            paths.extend(taken_in);
            return Some(paths);
        }
        (true, 0, _) => vec!["**".to_owned()],
        (true, 1, _) => taken_in,
        _ => return None,
    };
    paths.extend(taken_out);
    Some(paths)
}

/// Finds the job of the workflow that asks for a filter, and takes its commands where they need nothing of the workflow.
fn commands(workflow: &Value, filter: &str, job: &mut Job) {
    let jobs = workflow.get("jobs").and_then(Value::as_mapping);
    let asks = |condition: &str| {
        let mut words =
            condition.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        words.any(|word| {
            word.strip_suffix(filter)
                .is_some_and(|rest| rest.ends_with("outputs."))
        })
    };
    let mut asking = jobs.into_iter().flatten().filter(|(_, job)| {
        let condition = job.get("if").and_then(Value::as_str);
        condition.is_some_and(&asks)
    });
    let Some((name, found)) = asking.next() else {
        return;
    };
    if asking.next().is_some() {
        return;
    }
    let steps = found.get("steps").and_then(Value::as_sequence);
    let runs: Vec<&Value> = steps
        .into_iter()
        .flatten()
        .filter(|step| step.get("run").is_some())
        .collect();
    let texts: Vec<&str> = runs.iter().filter_map(|step| plain(step)).collect();
    if !runs.is_empty() && texts.len() == runs.len() {
        job.run = Some(texts.join(" && "));
        let name = name.as_str().unwrap_or_default();
        job.comments.push(format!(
            "The commands are those of its job `{name}`; what its `uses:` steps set up is for the workflow to do."
        ));
    }
}

/// Returns a step's command, if it is one line that needs nothing of the workflow around it.
fn plain(step: &Value) -> Option<&str> {
    let text = step.get("run").and_then(Value::as_str)?.trim();
    let needs_more = ["if", "working-directory", "env", "shell"]
        .iter()
        .any(|key| step.get(key).is_some());
    let is_plain = !text.contains("${{") && !text.contains('\n') && !needs_more;
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    const HEAD: &str = "jobs:\n  changes:\n    steps:\n      - uses: dorny/paths-filter@v3\n        with:\n          filters: |\n";

    fn translated(files: &[(&str, &str)]) -> (Vec<String>, Vec<&'static str>) {
        look(files, |seen| {
            let mut proposal = Proposal::default();
            translate(seen, &mut proposal);
            let jobs = proposal.jobs.iter().map(|job| {
                let run = job.run.as_deref().unwrap_or("-");
                format!("{}: {} => {run}", job.name, job.paths.join(" "))
            });
            let codes = proposal.notices.iter().map(|one| one.code).collect();
            (jobs.collect(), codes)
        })
    }

    #[test]
    fn a_filter_becomes_a_job_with_the_commands_that_ask_for_it() {
        let text = format!(
            "{HEAD}            back_end: ['api/**', 'shared/**']\n  api:\n    needs: changes\n    if: needs.changes.outputs.back_end == 'true'\n    steps:\n      - uses: actions/checkout@v4\n      - run: make deps\n      - run: make test\n"
        );
        let (jobs, codes) = translated(&[(".github/workflows/ci.yml", &text)]);
        assert_eq!(
            jobs,
            ["back-end: api/** shared/** => make deps && make test"]
        );
        assert!(codes.is_empty());
    }

    #[test]
    fn filters_in_a_file_of_their_own_are_read_with_anchors_and_kinds() {
        let workflow = "jobs:\n  c:\n    steps:\n      - uses: dorny/paths-filter@abc\n        with: {filters: .github/filters.yml}\n";
        let filters = "shared: &s\n  - common/**\nweb:\n  - *s\n  - added|modified: web/**\n";
        let (jobs, codes) = translated(&[
            (".github/filters.yml", filters),
            (".github/workflows/ci.yml", workflow),
        ]);
        assert_eq!(
            jobs,
            ["shared: common/** => -", "web: common/** web/** => -"]
        );
        assert_eq!(codes, [LEFT_OUT, WIDER, LEFT_OUT]);
    }

    #[test]
    fn what_is_taken_out_keeps_its_meaning_or_is_named() {
        let texts = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let some = ours(&texts(&["src/**", "!**/*.md"]), false);
        assert_eq!(some, Some(texts(&["**", "!**/*.md", "src/**"])));
        let every = ours(&texts(&["src/**", "!**/*.md", "!x"]), true);
        assert_eq!(every, Some(texts(&["src/**", "!**/*.md", "!x"])));
        assert_eq!(ours(&texts(&["!a", "!b"]), false), None);
        assert_eq!(ours(&texts(&["a/**", "b/**"]), true), None);
        assert_eq!(ours(&[], false), None);
    }

    #[test]
    fn commands_that_need_the_workflow_are_left_to_a_person() {
        let text = format!(
            "{HEAD}            api: ['api/**']\n  t:\n    if: needs.changes.outputs.api == 'true'\n    steps:\n      - run: make ${{{{ matrix.x }}}}\n"
        );
        let (jobs, codes) = translated(&[(".github/workflows/ci.yml", &text)]);
        assert_eq!(jobs, ["api: api/** => -"]);
        assert_eq!(codes, [LEFT_OUT]);
    }

    #[test]
    fn a_filter_whose_name_ends_like_another_is_not_taken_for_it() {
        let text = format!(
            "{HEAD}            api: ['api/**']\n  t:\n    if: needs.changes.outputs.web-api == 'true'\n    steps:\n      - run: make\n"
        );
        let (jobs, _) = translated(&[(".github/workflows/ci.yml", &text)]);
        assert_eq!(jobs, ["api: api/** => -"]);
    }

    #[test]
    fn nothing_to_translate_is_said() {
        assert_eq!(translated(&[("a", "")]).1, [NOTHING]);
        let broken = format!("{HEAD}            - no\n");
        let (jobs, codes) = translated(&[(".github/workflows/ci.yml", &broken)]);
        assert!(jobs.is_empty());
        assert_eq!(codes, [LEFT_OUT, NOTHING]);
    }
}
