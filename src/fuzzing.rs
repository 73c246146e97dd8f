//! Every reader of bytes that somebody else wrote, by name: what the fuzzer feeds, and what a test feeds a little of each time.
//!
//! A reader that is new has a row here; its seed is a small document that it takes, so that mutations get past the first check.

use std::io::Cursor;

use crate::agents;
use crate::budget;
use crate::change;
use crate::change::Tree;
use crate::config;
use crate::delivery;
use crate::flakes;
use crate::forge;
use crate::gate;
use crate::inert;
use crate::junit;
use crate::llm;
use crate::plan;
use crate::plan::graph::components::Components;
use crate::plan::sources::{Blobs, Sources};
use crate::policy;
use crate::prompts;
use crate::provenance;
use crate::redact;
use crate::sha;
use crate::state;
use crate::supply;

/// A reader.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// A document of its form, for what is made of it.
    pub(crate) seed: &'static str,
    pub(crate) read: fn(&[u8]),
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

macro_rules! readers {
    ($($name:literal, $seed:expr, $read:expr;)*) => {
        /// All of them.
        pub(crate) const READERS: &[Reader] = &[$(Reader { name: $name, seed: $seed, read: $read }),*];
    };
}

readers! {
    "agents-answer", "```json\n{\"tasks\": []}\n```", |bytes| { let _ = agents::answers::object(&text(bytes)); };
    "agents-bundle", r#"{"schema": "maestro.agent_bundle/v1"}"#, |bytes| { let _ = agents::bundle::Bundle::read(bytes); };
    "agents-commit", "tree 0123456789012345678901234567890123456789\nauthor maestro <m@l> 1 +0000\n\nWords\n", |bytes| { let _ = agents::commits::read(bytes, "run"); };
    "agents-edits", "a.txt\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", |bytes| { let _ = agents::edits::parse(&text(bytes), &|_| true); };
    "agents-issue", "---\ntitle: A\n---\nWords <!-- x --> <b>y</b>\n", |bytes| { let _ = agents::intake::file::read(bytes, "issue.md"); };
    "agents-trailers", "Words\n\nMaestro-Run: a\n", |bytes| { let _ = agents::trailers::read(&text(bytes)); };
    "budget-caps", r#"{"schema": "maestro.ci_budget/v1"}"#, |bytes| { let _ = budget::caps::Caps::read(bytes); };
    "budget-claude", "{\"type\": \"result\", \"total_cost_usd\": 0.1, \"usage\": {\"input_tokens\": 1}}\n", |bytes| { let _ = budget::foreign::claude(&text(bytes)); };
    "budget-codex", "{\"type\": \"turn.completed\", \"usage\": {\"input_tokens\": 1}}\n", |bytes| { let _ = budget::foreign::codex(&text(bytes)); };
    "budget-gh-aw", "{\"timestamp\": \"2026-01-01T00:00:00Z\", \"model\": \"m\", \"input_tokens\": 1}\n", |bytes| { let _ = budget::foreign::gh_aw(&text(bytes)); };
    "change-log", "\u{1}0123456789012345678901234567890123456789 1\0:100644 100644 0123456789012345678901234567890123456789 1123456789012345678901234567890123456789 M\0a\0", |bytes| { let _ = change::log::read(&mut Cursor::new(bytes), &mut |_| true); };
    "change-raw", ":100644 100644 0123456789012345678901234567890123456789 1123456789012345678901234567890123456789 M\0a\0", |bytes| { let _ = change::parse_raw(bytes); };
    "change-tree", "100644 blob 0123456789012345678901234567890123456789\ta/b\0", |bytes| { let _ = Tree::parse(bytes.to_vec()); };
    "codeowners", "* @a\n/src/**/x.rs @b # c\n", |bytes| { let _ = flakes::codeowners::CodeOwners::read(&text(bytes)); };
    "config", "schema: maestro.config/v1\njobs: { a: { paths: ['**'], run: x } }\n", |bytes| { let _ = config::read::<config::ConfigFile>(&text(bytes), "maestro.yaml"); };
    "coverage", "SF:a.rs\nDA:1,1\nend_of_record\n", |bytes| { let _ = supply::coverage::read(bytes); };
    "delivery-git-log", "\u{1}0123456789012345678901234567890123456789\0", |bytes| { let _ = delivery::git_log::read(&mut Cursor::new(bytes), &mut |_| ()); };
    "delivery-tags", "v1.0.0\0", |bytes| { let _ = delivery::git_log::tags(&text(bytes)); };
    "event", r#"{"schema":"maestro.event/v1","kind":"plan","id":"0","at":"2026-01-01T00:00:00Z","payload":{}}"#, |bytes| { let _ = state::v1::parse(&text(bytes)); };
    "gate-needs", r#"{"plan": {"result": "success", "outputs": {"matrix": "{}"}}}"#, |bytes| { let _ = gate::needs::read(&text(bytes)); };
    "inert", "# a <b> @c `d` [e](f)\n/g\n", |bytes| {
        let text = text(bytes);
        let _ = (inert::code(&text, true), inert::prose(&text), inert::html(&text), inert::without_commands(text));
    };
    "jsonc", "{ // a\n \"b\": [1, 2,], /* c */ }", |bytes| { let _ = plan::jsonc::read(&text(bytes)); };
    "junit", "<testsuite name=\"s\"><testcase name=\"a\"><failure message=\"m\">t</failure></testcase></testsuite>", |bytes| {
        let mut handed_out = 0;
        let form = junit::form(&bytes[..bytes.len().min(4096)]);
        if let Ok(read) = junit::read(form, bytes, "", &mut |_, _, _| handed_out += 1) {
            assert_eq!(read.counts.cases, handed_out);
        }
    };
    "licence", "MIT OR (Apache-2.0 AND BSD-3-Clause WITH x)", |bytes| { let _ = supply::licence::Entry::parse(&text(bytes)); };
    "lock-bun", "{ \"lockfileVersion\": 1, \"packages\": { \"a\": [\"a@1.0.0\", \"\", {}, \"\"] } }", |bytes| { let _ = plan::locks::bun::read(&text(bytes)); };
    "lock-cargo", "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n", |bytes| { let _ = plan::locks::cargo::read(&text(bytes)); };
    "lock-npm", r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}}, "node_modules/a": {"version": "1.0.0"}}}"#, |bytes| { let _ = plan::locks::npm::read(&text(bytes)); };
    "lock-pnpm", "lockfileVersion: '9.0'\nimporters:\n  .: { dependencies: { a: { specifier: 1, version: 1.0.0 } } }\npackages:\n  a@1.0.0: {}\n", |bytes| { let _ = plan::locks::pnpm::read(&text(bytes)); };
    "lock-uv", "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\n", |bytes| { let _ = plan::locks::uv::read(&text(bytes)); };
    "lock-yarn", "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n", |bytes| { let _ = plan::locks::yarn::read(&text(bytes), &[]); };
    "manifests", "[workspace]\nmembers = [\"a/*\"]\n", manifests;
    "model-cassette", "{\"schema\": \"maestro.cassette/v1\"}\n", |bytes| { let _ = llm::cassette::Cassette::read(&text(bytes)); };
    "model-chat", r#"{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}"#, |bytes| model(llm::protocols::Protocol::Chat, bytes);
    "model-messages", r#"{"content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}"#, |bytes| model(llm::protocols::Protocol::Messages, bytes);
    "model-responses", r#"{"output": [{"type": "message", "content": [{"type": "output_text", "text": "a"}]}], "status": "completed"}"#, |bytes| model(llm::protocols::Protocol::Responses, bytes);
    "neutral", "{\"test\": \"a\", \"outcome\": \"passed\", \"run\": \"1\"}\n", |bytes| { let _ = flakes::neutral::read(bytes, &str::to_owned); };
    "package-url", "pkg:npm/%40a/b@1.0.0?c=d#e", |bytes| { let _ = supply::package::Package::parse(&text(bytes)); };
    "policy", "schema: maestro.policy/v1\nrules: []\n", |bytes| { let _ = policy::file::read(&text(bytes), "policy.yaml"); };
    "policy-baseline", r#"{"schema": "maestro.baseline/v1", "findings": []}"#, |bytes| { let _ = policy::baseline::Baseline::read(bytes); };
    "policy-task", r#"{"schema": "maestro.agent_task/v1"}"#, |bytes| { let _ = policy::task::Task::read(bytes); };
    "prices-genai", r#"[{"id": "a", "models": []}]"#, |bytes| { let _ = llm::prices::import::genai_prices(&text(bytes)); };
    "prices-litellm", r#"{"m": {"litellm_provider": "p", "input_cost_per_token": 1e-6}}"#, |bytes| { let _ = llm::prices::import::litellm(&text(bytes)); };
    "prompts", "schema: maestro.prompt/v1\nname: a\nversion: 1\n", |bytes| {
        let _ = prompts::set::Set::read(vec![prompts::set::Source { name: "a.yaml".to_owned(), text: text(bytes) }]);
    };
    "proof-key", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n", |bytes| { let _ = provenance::keys::PublicKey::from_pem(bytes); };
    "proof-statement", r#"{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a", "digest": {"sha256": "00"}}], "predicateType": "p", "predicate": {}}"#, |bytes| { let _ = provenance::statement::Statement::read(bytes); };
    "proof-strict", r#"{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"sig": "AA=="}]}"#, |bytes| {
        let Ok(value) = provenance::strict::read(bytes) else { return };
        let _ = (provenance::dsse::Envelope::read(&value).map(|envelope| envelope.signed()), provenance::bundle::Bundle::read(&value));
        let _ = (provenance::index::files(&value), provenance::index::statements(&value), provenance::index::trouble(&value));
    };
    "quarantine", r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "t", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#, |bytes| { let _ = flakes::quarantine::Quarantine::read(bytes); };
    "redact", "password = \"hunter2hunter2\" ghp_0123456789abcdefghijklmnopqrstuvwxyz", |bytes| {
        let redactor = redact::Redactor::new(&[("MY_TOKEN".to_owned(), "0123456789abcdef".to_owned())]);
        let _ = (redactor.message(&text(bytes)), redactor.name(&text(bytes)), redact::detect::Detector::new().line(bytes));
    };
    "remote", "git@github.com:a/b.git", |bytes| { let _ = forge::repository::of_remote(&text(bytes)); };
    "repositories", "a/b\n", |bytes| { let _ = delivery::repositories::read(bytes); };
    "sarif", r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a"}}, "results": [{"message": {"text": "b"}}]}]}"#, |bytes| { let _ = supply::sarif::read(bytes, Some("/a")); };
    "sbom", r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"name": "a", "version": "1", "purl": "pkg:npm/a@1"}]}"#, |bytes| { let _ = supply::sbom::read(bytes); };
    "server-events", "event: a\ndata: {}\n\n", |bytes| {
        let (one, other) = bytes.split_at(bytes.len() / 2);
        let mut reader = llm::sse::Reader::default();
        let _ = (reader.push(one), reader.push(other));
    };
    "sha", "0123456789012345678901234567890123456789012345678901234567890123", |bytes| { let _ = sha::Sha::parse(&text(bytes)); };
    "trusted", r#"{"schema": "maestro.trusted/v1"}"#, |bytes| { let _ = flakes::trusted::Trusted::read(&text(bytes)); };
    "vex", r#"{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability": {"name": "a"}, "status": "fixed"}]}"#, |bytes| { let _ = supply::vex::read("v.json", bytes); };
    "vulnerabilities", r#"{"matches": [{"vulnerability": {"id": "a", "severity": "High"}, "artifact": {"name": "b", "version": "1"}}]}"#, |bytes| { let _ = supply::vulns::read("v.json", bytes); };
    "webhook", r#"{"pull_request": {"number": 1, "base": {"ref": "a", "sha": "b"}, "head": {"ref": "c", "sha": "d"}}}"#, |bytes| { let _ = forge::webhook::Payload::read(bytes); };
}

/// An answer in one piece, and as a stream that is cut in two.
fn model(protocol: llm::protocols::Protocol, bytes: &[u8]) {
    let _ = protocol.whole(bytes);
    let mut stream = protocol.stream();
    let (one, other) = bytes.split_at(bytes.len() / 2);
    if stream.push(one).is_ok() && stream.push(other).is_ok() {
        let _ = stream.finish();
    }
}

/// The same bytes as each file that graphs are read from.
fn manifests(bytes: &[u8]) {
    const NAMES: &[&str] = &[
        "Cargo.toml",
        "a/Cargo.toml",
        "package.json",
        "pnpm-workspace.yaml",
        "lerna.json",
        "pyproject.toml",
        "go.mod",
        "go.work",
        "Dockerfile",
        "docker-compose.yml",
    ];
    let rows: Vec<u8> = NAMES
        .iter()
        .flat_map(|name| {
            format!("100644 blob 0123456789012345678901234567890123456789\t{name}\0").into_bytes()
        })
        .collect();
    let tree = Tree::parse(rows);
    let mut blobs = Blobs::default();
    blobs.insert(
        "0123456789012345678901234567890123456789".into(),
        Some(bytes.into()),
    );
    let sources = Sources {
        tree: &tree,
        blobs: &blobs,
    };
    let _ = plan::graph::read(sources, &Components::new());
}

/// Returns the seed of a reader.
#[cfg(fuzzing)]
pub fn seed(name: &str) -> Option<&'static str> {
    find(name).map(|reader| reader.seed)
}

/// Feeds the reader of a name.
#[cfg(fuzzing)]
pub fn feed(name: &str, bytes: &[u8]) {
    if let Some(reader) = find(name) {
        (reader.read)(bytes);
    }
}

#[cfg(fuzzing)]
fn find(name: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.name == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::READERS;

    /// What has broken readers of other people's.
    fn unkind(seed: &[u8]) -> Vec<Vec<u8>> {
        let deep = |open: &str| open.repeat(20_000).into_bytes();
        let mut marked = b"\xef\xbb\xbf".to_vec();
        marked.extend_from_slice(seed);
        vec![
            Vec::new(),
            b"\0".to_vec(),
            b"\xff\xfe\0\0".to_vec(),
            b"\n".repeat(10_000),
            deep("["),
            deep("{\"a\":"),
            deep("<a>"),
            deep("- "),
            deep("("),
            b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: &e [*d, *d]\nf: [*e, *e]\n".to_vec(),
            b"9".repeat(5_000),
            b"{\"schema\": 1e999999}".to_vec(),
            "\u{202e}é\u{0}\u{feff}".repeat(1_000).into_bytes(),
            marked,
            seed.repeat(200),
        ]
    }

    #[test]
    fn names_are_in_order_and_there_once() {
        assert!(READERS.is_sorted_by(|one, other| one.name < other.name));
    }

    #[test]
    fn no_reader_breaks_on_what_has_broken_others() {
        for reader in READERS {
            for bytes in unkind(reader.seed.as_bytes()) {
                (reader.read)(&bytes);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_reader_breaks_on_a_document_that_was_spoilt(
            cut in any::<Index>(), at in any::<Index>(), put in proptest::collection::vec(any::<u8>(), 0..8), twice in any::<bool>()
        ) {
            for reader in READERS {
                let mut bytes = reader.seed.as_bytes().to_vec();
                let place = at.index(bytes.len());
                let end = (place + put.len()).min(bytes.len());
                bytes.splice(place..end, put.iter().copied());
                if twice {
                    bytes.extend_from_slice(reader.seed.as_bytes());
                } else {
                    bytes.truncate(cut.index(bytes.len() + 1));
                }
                (reader.read)(&bytes);
            }
        }
    }
}
