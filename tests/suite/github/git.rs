//! Git objects and refs by way of the API, of a real bare repository.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::http::{Answer, Asked};
use super::objects::{merge, template};
use super::routes::invalid;

/// What `git update-ref` calls nothing.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// Answers what is about git objects; nothing when it is not, or there is no such thing.
pub(super) fn answer(repository: &Path, asked: &Asked, rest: &str) -> Option<Answer> {
    let git = Git(repository);
    let body = asked.body.clone().unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match (asked.method.as_str(), rest) {
        ("GET", _) => read(&git, asked, rest),
        ("POST", "/git/blobs") => {
            let bytes = BASE64_STANDARD.decode(text("content")).ok()?;
            let sha = git.feed(&["hash-object", "-w", "--stdin"], &bytes)?;
            Some(Answer::json(
                201,
                &json!({ "sha": sha, "url": "https://example.invalid/" }),
            ))
        }
        ("POST", "/git/trees") => {
            let tree = git.tree(body["base_tree"].as_str(), body["tree"].as_array()?)?;
            let mut made = template("git-tree");
            merge(&mut made, json!({ "sha": tree }));
            Some(Answer::json(201, &made))
        }
        ("POST", "/git/commits") => {
            let (tree, message) = (text("tree"), text("message"));
            let mut args = vec!["commit-tree", &tree, "-m", &message];
            for parent in body["parents"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                args.extend(["-p", parent]);
            }
            let sha = git.run(&args)?;
            Some(Answer::json(201, &git.commit(&sha)?))
        }
        ("POST", "/git/refs") => {
            let (name, sha) = (text("ref"), text("sha"));
            if git.run(&["update-ref", &name, &sha, NOTHING]).is_none() {
                return Some(invalid("Reference already exists"));
            }
            Some(Answer::json(201, &reference(&name, &sha)))
        }
        ("PATCH", _) => {
            let name = format!("refs/{}", rest.strip_prefix("/git/refs/")?);
            let sha = text("sha");
            let old = git.run(&["rev-parse", "--verify", "--quiet", &name])?;
            let is_forward = git
                .run(&["merge-base", "--is-ancestor", &old, &sha])
                .is_some();
            if !is_forward && body["force"] != true
                || git.run(&["update-ref", &name, &sha, &old]).is_none()
            {
                return Some(invalid("Update is not a fast forward"));
            }
            Some(Answer::json(200, &reference(&name, &sha)))
        }
        _ => None,
    }
}

/// Answers what is read.
fn read(git: &Git<'_>, asked: &Asked, rest: &str) -> Option<Answer> {
    if let Some(name) = rest.strip_prefix("/git/ref/") {
        let found = git.run(&["rev-parse", "--verify", "--quiet", &format!("refs/{name}")]);
        let reference = |sha: String| reference(&format!("refs/{name}"), &sha);
        return Some(found.map_or_else(missing, |sha| Answer::json(200, &reference(sha))));
    }
    if let Some(path) = rest.strip_prefix("/contents/") {
        let at = asked.query.get("ref").map_or("HEAD", String::as_str);
        return Some(git.file(path, at).unwrap_or_else(missing));
    }
    if let Some(prefix) = rest.strip_prefix("/git/matching-refs/") {
        return Some(Answer::json(200, &git.refs(prefix)));
    }
    if let Some(ends) = rest.strip_prefix("/compare/") {
        let (base, head) = ends.split_once("...")?;
        let found = git.run(&["merge-base", base, head]);
        return Some(found.map_or_else(missing, |sha| {
            let mut compared = template("compare");
            merge(
                &mut compared,
                json!({ "merge_base_commit": { "sha": sha } }),
            );
            Answer::json(200, &compared)
        }));
    }
    let sha = rest.strip_prefix("/git/commits/")?;
    Some(Answer::json(200, &git.commit(sha)?))
}

fn missing() -> Answer {
    Answer::json(404, &template("basic-error"))
}

fn reference(name: &str, sha: &str) -> Value {
    let mut found = template("git-ref");
    merge(&mut found, json!({ "ref": name, "object": { "sha": sha } }));
    found
}

pub(super) struct Git<'p>(pub(super) &'p Path);

impl Git<'_> {
    fn run(&self, args: &[&str]) -> Option<String> {
        self.feed(args, &[])
    }

    fn feed(&self, args: &[&str], input: &[u8]) -> Option<String> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.0)
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "GitHub")
                .env(format!("GIT_{role}_EMAIL"), "noreply@github.com");
        }
        // A file of its own: two may write trees at once.
        command.env(
            "GIT_INDEX_FILE",
            self.0
                .join(format!("index-{:?}", std::thread::current().id())),
        );
        #[expect(
            clippy::zombie_processes,
            reason = "it is waited for; where it cannot be fed, the test fails"
        )]
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take()?.write_all(input).ok()?;
        let done = child.wait_with_output().unwrap();
        done.status
            .success()
            .then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    fn commit(&self, sha: &str) -> Option<Value> {
        let tree = self.run(&["rev-parse", &format!("{sha}^{{tree}}")])?;
        let mut found = template("git-commit");
        let message = self.run(&["log", "-1", "--format=%B", sha])?;
        let parents = self.run(&["log", "-1", "--format=%P", sha])?;
        let parent = |sha: &str| json!({ "sha": sha, "url": "https://example.invalid/", "html_url": "https://example.invalid/" });
        let parents: Vec<Value> = parents.split_whitespace().map(parent).collect();
        merge(
            &mut found,
            json!({ "sha": sha, "tree": { "sha": tree }, "message": message, "parents": parents }),
        );
        Some(found)
    }

    /// A file of a commit, as the API hands it out.
    fn file(&self, path: &str, at: &str) -> Option<Answer> {
        let sha = self.run(&["rev-parse", "--verify", "--quiet", &format!("{at}:{path}")])?;
        let text = self.run(&["cat-file", "blob", &sha])? + "\n";
        let mut found = template("content-file");
        let content = BASE64_STANDARD.encode(&text);
        merge(
            &mut found,
            json!({ "path": path, "sha": sha, "size": text.len(), "content": content, "encoding": "base64" }),
        );
        Some(Answer::json(200, &found))
    }

    /// Returns the refs whose names begin so.
    fn refs(&self, prefix: &str) -> Value {
        let all = self.run(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let wanted = format!("refs/{prefix}");
        let all = all.unwrap_or_default();
        let found = all.lines().filter(|line| line.starts_with(&wanted));
        let found = found.filter_map(|line| line.split_once(' '));
        found.map(|(name, sha)| reference(name, sha)).collect()
    }

    /// Returns the tip of a branch.
    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        self.run(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("refs/heads/{branch}"),
        ])
    }

    fn tree(&self, base: Option<&str>, entries: &[Value]) -> Option<String> {
        match base {
            Some(base) => self.run(&["read-tree", base])?,
            None => self.run(&["read-tree", "--empty"])?,
        };
        for entry in entries {
            let path = entry["path"].as_str()?;
            match entry["sha"].as_str() {
                Some(blob) => {
                    let mode = entry["mode"].as_str()?;
                    let entry = format!("{mode},{blob},{path}");
                    self.run(&["update-index", "--add", "--cacheinfo", &entry])?
                }
                None => {
                    // A bare repository takes files out this way only.
                    let gone = format!("0 {NOTHING}\t{path}\n");
                    self.feed(&["update-index", "--index-info"], gone.as_bytes())?
                }
            };
        }
        self.run(&["write-tree"])
    }
}
