//! A GitHub that remembers, on this machine: what was written is there when it is read.
//!
//! Its answers have the shapes of GitHub's own description (`templates.json`, made from it), and with `MAESTRO_EXCHANGES=FOLDER` each
//! exchange is written down for `.ci/interop forge`, where Prism holds it to that description. Links lead to api.github.com, as an
//! enterprise server's behind a proxy may: whoever follows them leaves this machine.
#![allow(dead_code, reason = "each test crate uses a part of it")]
#![allow(
    clippy::disallowed_methods,
    reason = "it is a server of its own: it listens, waits, and writes down what it heard"
)]

mod git;
pub(crate) mod http;
mod objects;
mod routes;
mod scopes;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub(crate) use http::{Answer, Asked};
pub(crate) use objects::template;

/// What goes wrong with an exchange.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This instead of an answer; nothing is done.
    Instead(Answer),
    /// It is done, and then this comes.
    After(Answer),
    /// It is done, and the connection is cut before an answer.
    Reset,
    /// It is done, and half of the answer comes.
    Torn,
    /// It is done, and the answer comes whole but is cut inside.
    CutJson,
    /// Nothing comes for so long (seconds).
    Slow(u64),
}

type Faults = Box<dyn FnMut(&Asked) -> Option<Fault> + Send>;

/// What it remembers.
pub(crate) struct Store {
    /// Tokens, and whose they are: a number and a name.
    pub(crate) tokens: BTreeMap<String, (u64, String)>,
    /// What a token may do to what, as `permissions:` of a workflow say it; a token without an entry may do everything.
    pub(crate) scopes: BTreeMap<String, BTreeMap<String, String>>,
    /// Lists by their path below the repository, as `/pulls`, oldest first.
    pub(crate) lists: BTreeMap<String, Vec<Value>>,
    /// Single things by their path.
    pub(crate) things: BTreeMap<String, Value>,
    /// Archives by the number of their artifact.
    pub(crate) archives: BTreeMap<u64, Vec<u8>>,
    pub(crate) next: u64,
    /// A bare repository behind what is asked about git objects.
    pub(crate) git: Option<std::path::PathBuf>,
    /// What a read-only token may not.
    pub(crate) is_read_only: bool,
    faults: Option<Faults>,
    /// Every request, as `GET /repos/o/n/pulls`.
    pub(crate) asked: Vec<String>,
}

/// A server that ends with its value.
pub(crate) struct Fake {
    pub(crate) port: u16,
    store: Arc<Mutex<Store>>,
    is_over: Arc<AtomicBool>,
    listening: Option<std::thread::JoinHandle<()>>,
}

/// The token that is accepted.
pub(crate) const TOKEN: &str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";

/// The account behind it.
pub(crate) const ME: u64 = 41_898_282;

/// What comes before the paths of an enterprise server.
pub(crate) const ENTERPRISE: &str = "/api/v3";

impl Fake {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let store = Arc::new(Mutex::new(Store {
            tokens: BTreeMap::from([(TOKEN.to_owned(), (ME, "github-actions[bot]".to_owned()))]),
            scopes: BTreeMap::new(),
            lists: BTreeMap::new(),
            things: BTreeMap::new(),
            archives: BTreeMap::new(),
            next: 1000,
            git: None,
            is_read_only: false,
            faults: None,
            asked: Vec::new(),
        }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (shared, over) = (Arc::clone(&store), Arc::clone(&is_over));
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let store = Arc::clone(&shared);
                std::thread::spawn(move || http::serve(&stream, port, &store));
            }
        });
        Self {
            port,
            store,
            is_over,
            listening: Some(listening),
        }
    }

    /// Returns the address of its API.
    pub(crate) fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the address under which it is an enterprise server.
    pub(crate) fn enterprise(&self) -> String {
        format!("http://127.0.0.1:{}{ENTERPRISE}", self.port)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets things go wrong from now on.
    pub(crate) fn faults(&self, faults: impl FnMut(&Asked) -> Option<Fault> + Send + 'static) {
        self.store().faults = Some(Box::new(faults));
    }

    /// Lets the next requests go wrong, so many of them.
    pub(crate) fn faults_for(&self, times: usize, fault: Fault) {
        let left = AtomicUsize::new(times);
        self.faults(move |_| {
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            before.ok().map(|_| fault.clone())
        });
    }

    pub(crate) fn mend(&self) {
        self.store().faults = None;
    }

    /// Adds something to a list, with the fields that matter.
    pub(crate) fn add(&self, list: &str, kind: &str, fields: Value) -> u64 {
        self.store().add(list, kind, fields)
    }

    /// Returns what was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.store().asked)
    }

    /// Returns requests that changed something since the last time.
    pub(crate) fn writes(&self) -> Vec<String> {
        let mut asked = self.asked();
        asked.retain(|line| !line.starts_with("GET "));
        asked
    }

    /// Adds a comment of somebody.
    pub(crate) fn comment(&self, number: u64, author: u64, body: &str) -> u64 {
        let user = objects::user(
            author,
            if author == ME {
                "github-actions[bot]"
            } else {
                "somebody"
            },
        );
        self.add(
            &format!("/issues/{number}/comments"),
            "issue-comment",
            json!({ "user": user, "body": body }),
        )
    }

    /// Returns the texts of the comments on an issue.
    pub(crate) fn comments(&self, number: u64) -> Vec<String> {
        let store = self.store();
        let comments = store.lists.get(&format!("/issues/{number}/comments"));
        let texts = comments
            .into_iter()
            .flatten()
            .map(|comment| comment["body"].as_str().unwrap_or_default().to_owned());
        texts.collect()
    }

    /// Adds an artifact of a run.
    pub(crate) fn artifact(&self, name: &str, run: u64, created_at: &str, archive: Vec<u8>) -> u64 {
        let digest = objects::digest(&archive);
        let size = archive.len();
        let id = self.add(
            "/actions/artifacts",
            "artifact",
            json!({
                "name": name, "size_in_bytes": size, "expired": false, "created_at": created_at,
                "workflow_run": { "id": run, "repository_id": 1, "head_repository_id": 1, "head_branch": "main", "head_sha": "c" },
                "digest": format!("sha256:{digest}"),
            }),
        );
        self.store().archives.insert(id, archive);
        id
    }

    /// Adds a run that ended, with its attempts: when each began, and the jobs that it did with their conclusions.
    pub(crate) fn ended(&self, id: u64, fields: &Value, attempts: &[(&str, &[(&str, &str)])]) {
        let ours = json!({ "id": 1, "full_name": "o/n" });
        for (number, (begun, jobs)) in (1_u64..).zip(attempts) {
            let mut run = template("workflow-run");
            let own = json!({
                "id": id, "run_attempt": number, "run_started_at": begun, "created_at": attempts[0].0, "status": "completed", "event": "push",
                "head_branch": "main", "repository": ours, "head_repository": ours, "path": ".github/workflows/ci.yml",
            });
            objects::merge(&mut run, own);
            objects::merge(&mut run, fields.clone());
            let place = format!("/actions/runs/{id}/attempts/{number}");
            for (name, conclusion) in *jobs {
                let job = json!({ "run_id": id, "run_attempt": number, "name": name, "status": "completed", "conclusion": conclusion });
                self.add(&format!("{place}/jobs"), "job", job);
            }
            let mut store = self.store();
            if number == attempts.len() as u64 {
                let runs = store.lists.entry("/actions/runs".into()).or_default();
                runs.push(run.clone());
            }
            store.things.insert(place, run);
        }
    }

    /// Adds a run of a workflow.
    pub(crate) fn run(&self, id: u64, attempt: u32, fields: Value) {
        let mut run = template("workflow-run");
        let ours = json!({ "id": 1, "full_name": "o/n" });
        objects::merge(
            &mut run,
            json!({
                "id": id, "run_attempt": attempt, "status": "completed", "event": "push", "head_branch": "main", "repository": ours,
                "head_repository": ours,
            }),
        );
        objects::merge(&mut run, fields);
        self.store()
            .things
            .insert(format!("/actions/runs/{id}"), run);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        // From then on nobody listens there.
        let _ended = self.listening.take().map(std::thread::JoinHandle::join);
    }
}

impl Store {
    pub(crate) fn add(&mut self, list: &str, kind: &str, fields: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        let mut thing = template(kind);
        objects::merge(&mut thing, json!({ "id": id }));
        if thing.get("number").is_some() {
            objects::merge(&mut thing, json!({ "number": id }));
        }
        objects::merge(&mut thing, fields);
        self.lists.entry(list.to_owned()).or_default().push(thing);
        id
    }
}
