//! `maestro doctor`: what will fail, and which switch to turn.

use std::ffi::OsString;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::configured;
use super::extends::Asked;
use super::github::GithubArgs;
use super::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::enter_installation;
use crate::config::ConfigFile;
use crate::doctor::{Facts, Level, Line, Machine, Told, judge};
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Severity};
use crate::forge::api::account;
use crate::forge::api::settings::Question;
use crate::forge::problem::ForgeError;
use crate::output::{Cell, Column, Inline, Page, Report, Tone};
use crate::ports::Call;

/// The check that the workflow of `maestro init` ends with.
const GATE: &str = "gate";

/// A configuration larger than this was not written by a person.
const LARGEST_CONFIG: u64 = 256 * 1024;

/// Say what will fail here and in CI, and which switch to turn
///
/// Looks at this machine: git, the clone, the configuration, the disk, and what the kernel has to shut agents in. With --ci also at the
/// settings of the repository and its organisation at GitHub: which actions may run, what the token of workflows may do, who has to approve
/// forks, whether the gate has to pass, and whether the state's branch can be written. What the token may not see is unknown, never fine.
/// Exits with 77 when something will fail.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Look at this machine
    $ maestro doctor

  Look at the settings at GitHub as well
    $ maestro doctor --ci")]
pub(crate) struct DoctorArgs {
    /// Also look at GitHub, with GITHUB_TOKEN
    #[arg(long)]
    ci: bool,

    #[command(flatten)]
    github: GithubArgs,
}

pub(super) fn run(session: &mut Session<'_>, args: &DoctorArgs) -> CommandResult {
    let config = config(session);
    let own = match &config {
        Some(Ok(config)) => config.state.branch.clone(),
        _ => None,
    };
    let mut machine = machine(
        session,
        config
            .as_ref()
            .map(|read| read.as_ref().map(drop).map_err(Clone::clone)),
    );
    if let Some(Ok(config)) = &config {
        machine.channels = channels(session, config);
    }
    let mut facts = Facts {
        machine,
        gate: GATE,
        state_branch: own.unwrap_or_else(|| session.settings.state_branch.value.clone()),
        ..Facts::default()
    };
    if args.ci {
        ask(session, args, &mut facts)?;
    }
    let lines = judge(&facts, args.ci);
    let document = DoctorDocument::new(lines);
    session.render(&document)?;
    Ok(if document.fails > 0 {
        ExitCode::Permission
    } else {
        ExitCode::Success
    })
}

fn machine(session: &Session<'_>, config: Option<Result<(), String>>) -> Machine {
    let world = session.world;
    let output = |program: &str, args: &[&str], folder: &std::path::Path| {
        let call = Call {
            program: OsString::from(program),
            args: args.iter().map(OsString::from).collect(),
            folder: folder.to_owned(),
            env: vec![("LC_ALL".to_owned(), Some(OsString::from("C")))],
            ..Call::default()
        };
        let done = world.processes.run(&call).ok()?;
        (done.code == Some(0)).then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    let common = session
        .checkout
        .as_ref()
        .ok()
        .map(|checkout| checkout.common_dir.clone());
    let folder = common.clone().unwrap_or_else(|| session.base.clone());
    let sandbox = match world.sandbox.probe() {
        Ok(probe) => {
            let missing = probe.properties.into_iter().filter(|one| !one.holds);
            let missing = missing.map(|one| (one.name, one.is_needed)).collect();
            Ok((probe.abi, missing))
        }
        Err(problem) => Err(problem.to_string()),
    };
    Machine {
        git: output("git", &["--version"], &session.base),
        sandbox: Some(sandbox),
        free: output("df", &["-Pk", "."], &folder).and_then(|text| free(&text)),
        clone: common.map(|common| world.history.is_shallow(&common)),
        config,
        channels: Vec::new(),
        is_job: session.var("GITHUB_ACTIONS").as_deref() == Some("true"),
    }
}

/// Returns the variables that `notify` names, each with whether it is set.
fn channels(session: &Session<'_>, config: &ConfigFile) -> Vec<(String, bool)> {
    let names = config
        .notify
        .iter()
        .flat_map(|one| [Some(&one.url_env), one.secret_env.as_ref()]);
    names
        .flatten()
        .map(|name| (name.clone(), session.var(name).is_some()))
        .collect()
}

/// Reads the free bytes off the last line of `df -Pk` (POSIX): device, size, used, available.
fn free(text: &str) -> Option<u64> {
    let line = text.lines().last()?;
    let number: u64 = line.split_whitespace().rev().nth(2)?.parse().ok()?;
    number.checked_mul(1024)
}

/// Reads the configuration, if there is one.
fn config(session: &mut Session<'_>) -> Option<Result<ConfigFile, String>> {
    use std::io::Read;
    let path = session.maestro_dir().join("maestro.yaml");
    let file = match session.world.files.open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(error.to_string())),
    };
    let mut text = String::new();
    if let Err(error) = file.take(LARGEST_CONFIG).read_to_string(&mut text) {
        return Some(Err(error.to_string()));
    }
    let asked = Asked {
        what: "configuration",
        may_fetch: true,
        may_keep: true,
    };
    let shown = session.shown(&path);
    let read = configured::whole(session, &text, &shown, asked);
    Some(match read {
        Ok((config, _)) => Ok(config),
        Err(error) => Err(error.error.to_string()),
    })
}

/// Asks GitHub everything, each question once.
fn ask(session: &Session<'_>, args: &DoctorArgs, facts: &mut Facts) -> Result<(), CommandError> {
    let found = session.github(
        args.github.repository.as_deref(),
        None,
        args.github.deadline,
    )?;
    let Some((github, whose)) = found else {
        return Ok(());
    };
    let server = session.var("GITHUB_SERVER_URL");
    let server = server.unwrap_or_else(|| "https://github.com".to_owned());
    let server = server.trim_end_matches('/');
    let repository = github.repository.clone();
    facts.page = Some(format!("{server}/{repository}"));
    let organisation = format!("{server}/organizations/{}/settings", repository.owner);
    facts.organisation_page = Some(organisation);
    let entered = enter_installation(&github, &whose);
    if let Err(error) = entered {
        for question in Question::ALL {
            facts.told.insert(question, silent(&error));
        }
        return Ok(());
    }
    facts.scopes = scopes(&github);
    let mut branch = "main".to_owned();
    // The repository comes first: it names the branch that others are about.
    for question in Question::ALL {
        let call = question.call(&repository, &branch, &facts.state_branch);
        let told = match github.call(&call) {
            Ok(value) => {
                let default = value.get("default_branch").and_then(|name| name.as_str());
                if let (Question::Repository, Some(name)) = (question, default) {
                    name.clone_into(&mut branch);
                }
                Told::Said(value)
            }
            Err(error) => silent(&error),
        };
        facts.told.insert(question, told);
    }
    Ok(())
}

fn silent(error: &ForgeError) -> Told {
    Told::Silent {
        words: error.to_string(),
        hint: error.hint(),
    }
}

/// Returns the scopes of a classic token, which GitHub names in a header of every answer.
fn scopes(github: &GitHub<'_>) -> Option<Vec<String>> {
    let asked = github.exchange(&account::rate_limit().request, &mut |response| {
        let header = response.header("x-oauth-scopes");
        Ok(header.map(|text| text.split(',').map(|one| one.trim().to_owned()).collect()))
    });
    asked.ok().flatten()
}

/// What was checked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.doctor/v1"))]
pub(crate) struct DoctorDocument {
    /// `maestro.doctor/v1`
    schema: &'static str,
    /// Checks that failed.
    fails: u64,
    checks: Vec<CheckRow>,
}

/// A check.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CheckRow {
    /// Stable.
    id: &'static str,
    /// `ok`, `warn` (less than it could be), `fail` (something will fail), `unknown` (nobody could say).
    level: &'static str,
    message: String,
    /// What to do about it.
    fix: Option<String>,
    /// The page of the setting.
    url: Option<String>,
}

impl DoctorDocument {
    fn new(lines: Vec<Line>) -> Self {
        let fails = lines
            .iter()
            .filter(|line| line.verdict.level == Level::Fail);
        Self {
            schema: "maestro.doctor/v1",
            fails: fails.count() as u64,
            checks: lines
                .into_iter()
                .map(|line| CheckRow {
                    id: line.id,
                    level: line.verdict.level.name(),
                    message: line.verdict.words,
                    fix: line.verdict.fix,
                    url: line.url,
                })
                .collect(),
        }
    }
}

impl Report for DoctorDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let rows = self.checks.iter().map(|row| {
            let tone = match row.level {
                "ok" => Tone::Good,
                "fail" => Tone::Bad,
                _ => Tone::Warn,
            };
            vec![
                Cell::toned(row.level, tone),
                Cell::plain(row.id),
                Cell::plain(row.message.clone()),
            ]
        });
        page.table(
            ["", "Check", "What"].map(Column::left).to_vec(),
            rows.collect(),
        );
        let to_do = self.checks.iter().filter(|row| row.fix.is_some());
        for (number, row) in to_do.enumerate() {
            if number == 0 {
                page.heading("What to do");
            }
            let fix = row.fix.clone().unwrap_or_default();
            let url = row.url.as_ref().map(|url| format!(" ({url})"));
            page.line(vec![
                Inline::Code(row.id.to_owned()),
                Inline::Plain(format!(": {fix}{}", url.unwrap_or_default())),
            ]);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.checks.iter().filter(|row| row.level == "fail");
        rows.map(|row| Finding {
            code: format!("doctor/{}", row.id),
            severity: Severity::Error,
            message: row.message.clone(),
            location: None,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::free;

    #[test]
    fn free_room_is_read_as_posix_lays_it_out() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 40 60 40% /\n";
        assert_eq!(free(text), Some(60 * 1024));
        assert_eq!(free("df: no"), None);
    }
}
