//! `maestro explain`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::policy_pages::PolicyPages;
use super::session::Session;
use crate::agents::scan;
use crate::config::{KNOWN, Known, nearest};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::finding::Severity;
use crate::flakes::verdict::{Verdict, explain};
use crate::health::factors::FACTORS;
use crate::junit::NoteCode;
use crate::output::{Page, Report};
use crate::plan::codes::{About, CODES};
use crate::policy;
use crate::prompts::rules::RULES;
use crate::provenance::codes::{CODES as PROVENANCE, Code};
use crate::state::kinds::{KINDS, Kind};
use crate::state::refusal::Reason;

/// Explain a code or a topic
///
/// Takes what other commands print: a note's code such as `junit/truncated`, a verdict such as `flakes/flaky`, or the
/// topics `inputs`, `exit-codes` and `environment`. Without one, lists them all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What a note means
    $ maestro explain junit/truncated

  Everything that can be explained
    $ maestro explain")]
pub(crate) struct ExplainArgs {
    /// The code or topic
    code: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &ExplainArgs) -> CommandResult {
    let topics = topics();
    let document = match &args.code {
        None => ExplainDocument::new(topics),
        Some(code) => {
            let found = topics.iter().position(|topic| topic.code == *code);
            let found = found.or_else(|| {
                let tail = format!("/{code}");
                topics.iter().position(|topic| topic.code.ends_with(&tail))
            });
            let Some(found) = found else {
                return Err(unknown(code, &topics));
            };
            ExplainDocument::new(topics.into_iter().skip(found).take(1).collect())
        }
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn unknown(code: &str, topics: &[Topic]) -> CommandError {
    let names: Vec<&str> = topics.iter().map(|topic| topic.code.as_str()).collect();
    let failure = CommandError::message(
        ErrorKind::NotFound,
        format!("nothing is known about `{code}`"),
    );
    match nearest(code, &names) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`maestro explain` lists everything that can be explained"),
    }
}

/// What a code or topic means.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.explain/v1"))]
pub(crate) struct ExplainDocument {
    /// `maestro.explain/v1`
    schema: &'static str,
    /// The topics.
    topics: Vec<Topic>,
}

/// One thing that can be explained.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Topic {
    /// The code or topic.
    pub(crate) code: String,
    /// In one line.
    pub(crate) what: String,
    /// In full.
    pub(crate) text: String,
}

/// Returns everything that can be explained.
pub(crate) fn topics() -> Vec<Topic> {
    let mut topics = vec![
        Topic {
            code: "inputs".into(),
            what: "which test reports are read".into(),
            text: "JUnit XML in every common form, plain or gzipped: `testsuites`, bare `testsuite`, nested suites, \
                   several documents in one file, and Surefire's and nextest's rerun and flaky children. Of other runners: VSTest's TRX, \
                   NUnit 2 and 3, xUnit.net, CTest's Test.xml, Boost.Test's log, `go test -json`, libtest's JSON, TAP 13 and 14, CTRF, and the JSON of \
                   Jest, Vitest and Playwright, each recognised by its content. And the neutral form, \
                   one JSON object a line: {\"run\": \"8812\", \"attempt\": 1, \"commit\": \"4f2c1a\", \"branch\": \"main\", \
                   \"job\": \"test\", \"at\": \"2026-01-05T09:00:00Z\", \"suite\": \"net\", \"test\": \"retries\", \"status\": \
                   \"failed\", \"duration_ms\": 12, \"message\": \"timeout\"}; run, test and status are required, and status is \
                   passed, failed, errored or skipped."
                .into(),
        },
        Topic {
            code: "exit-codes".into(),
            what: "what the process's exit code says".into(),
            text: ExitCode::ALL
                .iter()
                .map(|code| format!("{} {}", code.code(), code.meaning()))
                .collect::<Vec<_>>()
                .join(" \u{b7} "),
        },
        Topic {
            code: "state/damaged-line".into(),
            what: "a line of the state cannot be used".into(),
            text: "It is cut off, is no event, has an id that does not match its content, or a payload of another shape. A disk that \
                   lost data does this, and so does an editor. Every command leaves such lines out and uses the rest; `maestro state \
                   verify` names them, and `maestro state doctor --repair` moves them to the folder `aside` of the state, byte for byte."
                .into(),
        },
        Topic {
            code: "environment".into(),
            what: "which variables maestro reads".into(),
            text: KNOWN.iter().map(describe).collect::<Vec<_>>().join(" \u{b7} "),
        },
    ];
    topics.push(Topic {
        code: "event-kinds".into(),
        what: "what kinds of event there are".into(),
        text: KINDS.iter().map(kind).collect::<Vec<_>>().join(" \u{b7} "),
    });
    topics.extend(Reason::ALL.iter().map(|reason| Topic {
        code: reason.code().into(),
        what: "why `state ingest` refuses a part of an artifact".into(),
        text: reason.meaning().into(),
    }));
    topics.extend(NoteCode::ALL.iter().map(|note| Topic {
        code: format!("junit/{}", note.code()),
        what: note.what().into(),
        text: note.explanation().into(),
    }));
    topics.extend(CODES.iter().map(|code| Topic {
        code: format!("plan/{}", code.name),
        what: match code.about {
            About::Everything => "why a plan runs everything".into(),
            About::Project => "why a project is affected".into(),
            About::Job => "why a job runs, or does not".into(),
        },
        text: code.meaning.into(),
    }));
    topics.extend(PROVENANCE.iter().map(|code| unverified(code)));
    topics.extend(RULES.iter().map(|rule| Topic {
        code: format!("prompts/{}", rule.name),
        what: match rule.severity {
            Severity::Error => rule.what.into(),
            Severity::Warning => format!("{} (warning)", rule.what),
            Severity::Notice => format!("{} (notice)", rule.what),
        },
        text: rule.why.into(),
    }));
    topics.extend(of_policies());
    topics.extend(of_scans());
    topics.extend(of_health());
    topics.extend(Verdict::ALL.iter().map(|verdict| Topic {
        code: format!("flakes/{}", verdict.name()),
        what: format!("the verdict `{}`", verdict.name()),
        text: explain(*verdict).into(),
    }));
    topics
}

fn unverified(code: &Code) -> Topic {
    let what = if code.is_unsupported {
        "why nobody here can say whether a document is to be believed"
    } else {
        "why a document is not verified"
    };
    Topic {
        code: format!("provenance/{}", code.name),
        what: what.into(),
        text: code.meaning.into(),
    }
}

fn of_policies() -> impl Iterator<Item = Topic> {
    let rules = policy::rules::RULES.iter().copied();
    let rules = rules.chain(policy::standing::STANDING);
    let pages = PolicyPages::unpack();
    rules.map(move |rule| Topic {
        code: format!("policy/{}", rule.name),
        what: rule.what.into(),
        text: pages.text(rule.name),
    })
}

fn of_health() -> impl Iterator<Item = Topic> {
    FACTORS.iter().map(|factor| Topic {
        code: format!("health/{}", factor.name),
        what: factor.what.into(),
        text: format!("A factor of `maestro pr-health`, with a weight of {} unless the configuration says otherwise; docs/pr-health.md says how it is judged.", factor.weight),
    })
}

fn of_scans() -> impl Iterator<Item = Topic> {
    scan::abouts().map(|rule| Topic {
        code: format!("scan/{}", rule.name),
        what: rule.what.into(),
        text: format!(
            "`maestro run-agents publish` looks for it in everything that leaves; docs/run-agents-safety.md says when it blocks. What helps: {}.",
            rule.fix
        ),
    })
}

fn kind(kind: &Kind) -> String {
    format!(
        "{}: room {}; written by {}; {}; {}",
        kind.name,
        kind.room,
        kind.writers.join(", "),
        if kind.from_artifacts {
            "taken from artifacts"
        } else {
            "refused from artifacts"
        },
        if kind.is_frozen {
            "frozen"
        } else {
            "may still change"
        }
    )
}

fn describe(known: &Known) -> String {
    let mut names = vec![known.flag.to_owned(), known.variable.to_owned()];
    if known.in_file {
        names.push(format!("{} in maestro.yaml", known.key));
    }
    names.retain(|name| !name.is_empty());
    format!("{}: {}", names.join(", "), known.what)
}

impl ExplainDocument {
    fn new(topics: Vec<Topic>) -> Self {
        Self {
            schema: "maestro.explain/v1",
            topics,
        }
    }
}

impl Report for ExplainDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let is_list = self.topics.len() > 1;
        for topic in &self.topics {
            if is_list {
                page.text(format!("{}: {}", topic.code, topic.what));
            } else {
                page.heading(format!("{}: {}", topic.code, topic.what));
                // Lists stand one entry a line.
                for entry in topic.text.split(" \u{b7} ") {
                    page.text(entry);
                }
            }
        }
        page
    }
}
