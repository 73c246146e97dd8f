//! Somebody else's program as the engine: behind a gateway of its own, shut in, with the role's prompt on its standard input.

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use jiff::Timestamp;

use super::oracle::Payer;
use super::runner::Cell;
use crate::conduct::agents::crew::{Agent, Came, Errand, Ran};
use crate::conduct::agents::steps::Abandon;
use crate::conduct::gateway::money::{Money, Spender};
use crate::conduct::gateway::{Counter, Gateway, Setup, Upstream};
use crate::conduct::purse::{Opening, Purse};
use crate::gateway::child;
use crate::llm::prices::Table;
use crate::money::Usd;
use crate::ports::forge::Secret;
use crate::ports::relay::{Desk, Relay, RelayProblem, Serving};
use crate::ports::sandbox::Network;
use crate::ports::{Clock, Files};

/// What programs are called with, and what pays for them.
pub(super) struct Program<'p> {
    pub(super) cell: &'p Cell<'p>,
    pub(super) relay: &'p dyn Relay,
    pub(super) files: &'p dyn Files,
    pub(super) clock: &'p dyn Clock,
    /// Its words; `{prompt_file}` and `{model}` stand for what they say.
    pub(super) words: &'p [String],
    pub(super) opening: Opening,
    pub(super) table: Table,
    pub(super) anthropic: Upstream,
    pub(super) openai: Upstream,
    /// The models of the tiers.
    pub(super) models: [String; 3],
    pub(super) payer: &'p Payer<'p>,
    pub(super) now: Option<Timestamp>,
}

/// Bodies are no longer than providers take.
const LONGEST_REQUEST: usize = 32 * 1024 * 1024;
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// How long calls may take that are under way when the program has ended.
const GRACE: Duration = Duration::from_secs(10);

/// No answer that a program leaves is longer.
const LONGEST: u64 = 4 * 1024 * 1024;

impl Agent for Program<'_> {
    fn work(&self, errand: &Errand<'_>) -> Result<Came, Abandon> {
        let (left, is_own_cap) = self.payer.remaining(errand.role, errand.task);
        let gateway = self.gateway(errand, left)?;
        let until = Arc::new(AtomicBool::new(false));
        let serving = Serving {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            idle: None,
            until: Some(Arc::clone(&until)),
            longest_request: LONGEST_REQUEST,
            longest_answer: LONGEST_ANSWER,
            grace: GRACE,
        };
        let desk: Arc<dyn Desk> = Arc::new(Counter(Arc::clone(&gateway.0)));
        let (send, receive) = channel();
        let ran = std::thread::scope(|scope| {
            let served = scope.spawn(|| {
                let mut ready = |port: u16| {
                    // Whoever waits for it is there until it comes.
                    let _heard = send.send(port);
                    Ok(None)
                };
                let done = self.relay.serve(&serving, desk, &mut ready);
                drop(send);
                done.map(drop)
            });
            let ran = match receive.recv() {
                Ok(port) => self.run(errand, port, &gateway.1),
                Err(_) => Ok(None),
            };
            until.store(true, Ordering::SeqCst);
            match served.join() {
                Ok(Ok(())) => ran,
                Ok(Err(problem)) => Err(relay_trouble(problem)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let Some((ran, answer)) = ran else {
            let error = std::io::Error::other("it said no port");
            return Err(Abandon::trouble("the gateway did not begin", error));
        };
        let swept = gateway.0.money().purse().sweep(self.files, true);
        swept.map_err(|problem| Abandon::trouble("the purse cannot be used", problem))?;
        let count = gateway.0.tally().get();
        let usd = count.settled_usd.saturating_add(count.unknown_usd);
        self.payer.charge(errand.role, errand.task, usd);
        Ok(Came {
            ran,
            usd,
            models: count
                .models
                .keys()
                .map(|(_, model)| model.clone())
                .collect(),
            is_out_of_money: count.refused > 0,
            is_at_task_cap: is_own_cap,
            answer,
        })
    }
}

fn relay_trouble(problem: RelayProblem) -> Abandon {
    let (RelayProblem::Listen(error)
    | RelayProblem::Start(error)
    | RelayProblem::Ready(error)
    | RelayProblem::Other(error)) = problem;
    Abandon::trouble("the gateway did not work", error)
}

impl Program<'_> {
    /// Opens a gateway for a turn; the second is the token that it knows its program by.
    fn gateway(
        &self,
        errand: &Errand<'_>,
        left: Option<Usd>,
    ) -> Result<(Arc<Gateway>, String), Abandon> {
        let purse = Purse::open(self.files, self.clock, self.opening.clone());
        let purse =
            purse.map_err(|problem| Abandon::trouble("the purse cannot be used", problem))?;
        let token = self.relay.token();
        let token =
            token.map_err(|error| Abandon::trouble("there are no random numbers", error))?;
        let spender = Spender {
            role: Some(errand.role.to_owned()),
            task: Some(errand.task.to_owned()),
        };
        let money = Money::new(
            purse,
            self.table.clone(),
            (self.clock.shared(), self.now),
            spender,
            left,
        );
        let gateway = Gateway::new(Setup {
            token: Secret::new(&token),
            anthropic: self.anthropic.clone(),
            openai: self.openai.clone(),
            money,
            tape: None,
        });
        Ok((gateway, token))
    }

    /// Runs the program; returns what came of it and the answer that it left.
    fn run(
        &self,
        errand: &Errand<'_>,
        port: u16,
        token: &str,
    ) -> Result<Option<(Ran, Option<String>)>, Abandon> {
        // In folders that it cannot replace: what it left in them last time, links too, is gone.
        let told = self.cell.root.join("told").join(errand.task);
        let answers = self.cell.root.join("answers").join(errand.task);
        let (prompt, answer) = (told.join("prompt.md"), answers.join("answer.json"));
        let failed = |error| Abandon::trouble("a folder for a program cannot be made", error);
        for folder in [&told, &answers] {
            self.files.remove_folder(folder).map_err(failed)?;
            self.files.create_folder(folder).map_err(failed)?;
        }
        let text = errand.prompt.as_bytes();
        let written = self
            .files
            .write_atomic(&prompt, &mut |out| out.write_all(text));
        written.map_err(failed)?;
        let model = &self.models[errand.tier as usize];
        let words = self.words.iter().map(|word| {
            word.replace("{prompt_file}", &prompt.to_string_lossy())
                .replace("{model}", model)
        });
        let words: Vec<String> = words.collect();
        let mut given: Vec<(String, String)> = child::addresses(port, token)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        for (name, value) in [
            ("MAESTRO_ANSWER", answer.to_string_lossy().into_owned()),
            ("MAESTRO_MODEL", model.clone()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
            ("DISABLE_TELEMETRY", "1".to_owned()),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ] {
            given.push((name.to_owned(), value));
        }
        let network = Network::Gateway(port);
        let mut confined =
            self.cell
                .confined(errand.task, errand.folder, &words, network, &given)?;
        confined.stdin.push_str(errand.prompt);
        confined.readable.push(told);
        confined.writable.push(answers.clone());
        let ran = self.cell.run(&confined)?;
        Ok(Some((ran, self.left(&answers, &answer))))
    }

    /// Returns the answer, where it is a file: a link leads to what the program may not read, and a pipe never ends.
    fn left(&self, folder: &Path, answer: &Path) -> Option<String> {
        let there = self.files.walk(folder, &|_| true);
        if !there.iter().flatten().any(|path| path == answer) {
            return None;
        }
        let file = self.files.open(answer).ok()?;
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        self.cell.redactor.name(&text).or(Some(text))
    }
}

/// Nobody: a recording has what the program did.
pub(super) struct Played;

impl Agent for Played {
    fn work(&self, _: &Errand<'_>) -> Result<Came, Abandon> {
        Err(Abandon::NotRecorded("agent".to_owned()))
    }
}
