//! Errors of the rooms about agents, and of what runs them.

use std::io;

use super::Said;
use crate::agents::bundle::NoBundle;
use crate::agents::edits::What;
use crate::agents::graph::TaskNo;
use crate::agents::intake::file::NoIssue;
use crate::agents::intake::gate::Refusal;
use crate::agents::record::Broken;
use crate::agents::roster::RosterProblem;
use crate::agents::step::Turn;
use crate::agents::trailers::NoTrailers;
use crate::cli::trouble::Reported as _;
use crate::conduct::agents::drive::DriveProblem;
use crate::conduct::agents::recording::Altered;
use crate::conduct::agents::run::RunProblem;
use crate::conduct::agents::steps::Abandon;
use crate::config::YamlError;
use crate::ports::sandbox::SandboxProblem;
use crate::provenance::strict;

fn text(words: &str) -> String {
    words.to_owned()
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

pub(super) fn say(said: &mut Said) {
    intake(said);
    edits(said);
    runs(said);
}

fn intake(said: &mut Said) {
    let json = strict::read(b"{\"a\": 1, \"a\": 2}").unwrap_err();
    said.inside([strict::read(b"{").unwrap_err()]);
    said.reported([
        NoBundle::Json(json),
        NoBundle::Shape(text("missing field `head`")),
        NoBundle::Schema(text("maestro.agent-bundle/v9")),
        NoBundle::Odd {
            place: text("commits"),
            what: "it is empty",
        },
        NoBundle::File {
            name: text("plan.json"),
            what: "it is no file",
        },
        NoBundle::Pack("it is too large"),
    ]);
    said.reported([
        NoIssue::TooLarge,
        NoIssue::NotText(128),
        NoIssue::Endless,
        NoIssue::Front(Box::new(YamlError {
            message: text("unknown key `titel`"),
            excerpt: None,
            hint: None,
            place: None,
        })),
        NoIssue::NoTitle,
    ]);
    said.reported([Refusal {
        rule: "author-is-a-stranger",
        message: text("`eve` is nobody here"),
        hint: text("name them with `--trust eve`"),
    }]);
    said.reported([
        RosterProblem::Unknown(text("poet")),
        RosterProblem::Name(text("The Poet")),
        RosterProblem::Key {
            role: text("tester"),
            key: "after",
            what: text("names `docs`, which is no role"),
        },
        RosterProblem::Cycle(text("a, b, a")),
    ]);
    said.inside([
        NoTrailers::NoRun,
        NoTrailers::Twice("Maestro-Run"),
        NoTrailers::Odd("Maestro-Cost"),
    ]);
}

/// What a model is told of edits that cannot be made.
fn edits(said: &mut Said) {
    said.inside([
        What::NoEdits,
        What::OnlyCommands(text("rm a.txt")),
        What::NoName,
        What::NoDivider,
        What::NoEnd,
        What::TwoDividers,
        What::EmptyHunk,
        What::Stray(text("hello")),
        What::Lacks("*** End Patch"),
        What::FenceInFile,
        What::OpenFile,
        What::Form(text("it is no JSON")),
    ]);
}

fn runs(said: &mut Said) {
    let turn = Turn {
        task: TaskNo(0),
        number: 1,
        round: 0,
        climb: 0,
    };
    said.inside([
        Broken::Form,
        Broken::Sum,
        Broken::Json(text("unknown variant `sing`")),
    ]);
    said.reported([Altered {
        line: 7,
        step: Some(text("mend")),
        broken: Broken::Sum,
    }]);
    for one in [
        DriveProblem::Journal(full()),
        DriveProblem::Runtime(full()),
        DriveProblem::Past(turn),
    ] {
        said.ends(one, |one| RunProblem::from(one).reported(""));
    }
    for one in [
        Abandon::Stopped,
        Abandon::Journal(full()),
        Abandon::Diverged {
            step: text("mend/1/model/1"),
            what: text("the request is another one"),
        },
        Abandon::NotRecorded(text("mend/1/model/2")),
        Abandon::Trouble {
            what: text("the tests cannot be run"),
            source: Box::new(full()),
        },
    ] {
        said.ends(one, |one| RunProblem::from(one).reported(""));
    }
    said.reported([RunProblem::Other {
        turn,
        what: text("it passed then"),
    }]);
    said.reported([
        SandboxProblem::Unsupported(text("Landlock")),
        SandboxProblem::Shows {
            shown: "/srv/a".into(),
            hidden: "/srv/a/.ssh".into(),
        },
        SandboxProblem::NotStarted {
            program: text("cargo"),
            why: text("no such file"),
        },
        SandboxProblem::Broken(full()),
    ]);
}
