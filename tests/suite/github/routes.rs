//! What is asked, and what is answered.

use serde_json::{Value, json};

use super::http::{Answer, Asked};
use super::objects::{digest, merge, template, user};
use super::{ENTERPRISE, Store};

/// The repository that it has.
const REPOSITORY: &str = "/repos/o/n";

/// Lists in an object, by the end of their path, with the field that holds them.
const WRAPPED: &[(&str, &str)] = &[
    ("/actions/runs", "workflow_runs"),
    ("/actions/artifacts", "artifacts"),
    ("/artifacts", "artifacts"),
    ("/jobs", "jobs"),
    ("/check-runs", "check_runs"),
];

/// Lists that GitHub hands out newest first.
const NEWEST_FIRST: &[&str] = &[
    "/actions/runs",
    "/actions/artifacts",
    "/deployments",
    "/pulls",
    "/releases",
    "/commits",
];

pub(super) fn answer(store: &mut Store, port: u16, asked: &Asked) -> Answer {
    let basic = |status: u16, message: &str| {
        let mut error = template("basic-error");
        merge(
            &mut error,
            json!({ "message": message, "status": status.to_string() }),
        );
        Answer::json(status, &error)
    };
    if asked.path.starts_with("/storage/") {
        // Somebody else's server: it must not be shown the token.
        return match (
            asked.headers.get("authorization"),
            storage(store, &asked.path),
        ) {
            (None, Some(archive)) => Answer {
                status: 200,
                headers: vec![("content-type".into(), "application/zip".into())],
                body: archive,
            },
            (Some(_), _) => Answer::json(400, &json!({ "message": "the token leaked" })),
            (None, None) => Answer::json(404, &json!({})),
        };
    }
    let token = asked
        .headers
        .get("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let is_app = token.split('.').count() == 3;
    let Some((id, login)) = store
        .tokens
        .get(token)
        .cloned()
        .or(is_app.then(|| (0, "app".into())))
    else {
        return basic(401, "Bad credentials");
    };
    if asked.method != "GET" && store.is_read_only && !is_app {
        return basic(403, "Resource not accessible by integration").with(
            "x-accepted-github-permissions",
            "issues=write; pull_requests=write",
        );
    }
    if let Some(done) = account(store, asked, id, &login) {
        return done;
    }
    let Some(rest) = asked.path.strip_prefix(REPOSITORY) else {
        return basic(404, "Not Found");
    };
    let rest = rest.to_owned();
    if let Some(scopes) = store.scopes.get(token)
        && let Some(needed) = super::scopes::missing(scopes, &asked.method, &rest)
    {
        return basic(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", needed);
    }
    if let Some(repository) = &store.git
        && let Some(answer) = super::git::answer(repository, asked, &rest)
    {
        return answer;
    }
    let done = match asked.method.as_str() {
        "GET" => get(store, port, asked, &rest),
        "DELETE" => delete(store, &rest),
        _ => write(store, asked, &rest, id, &login),
    };
    done.unwrap_or_else(|| basic(404, "Not Found"))
}

fn storage(store: &Store, path: &str) -> Option<Vec<u8>> {
    store
        .archives
        .get(&path.strip_prefix("/storage/")?.parse().ok()?)
        .cloned()
}

/// What is no repository's.
fn account(store: &mut Store, asked: &Asked, id: u64, login: &str) -> Option<Answer> {
    let path = asked.path.as_str();
    let mut found = match (asked.method.as_str(), path) {
        ("GET", "/user") => {
            let mut me = template("public-user");
            merge(&mut me, json!({ "id": id, "login": login }));
            return Some(Answer::json(200, &me));
        }
        ("GET", "/rate_limit") => template("rate-limit-overview"),
        ("GET", "/app") => template("integration"),
        ("GET", "/repos/o/n/installation") => template("installation"),
        ("POST", _) if path.starts_with("/app/installations/") => {
            let mut token = template("installation-token");
            let made = format!("ghs_installation{}", store.next);
            store
                .tokens
                .insert(made.clone(), (ME_AS_APP, "maestro[bot]".into()));
            merge(
                &mut token,
                json!({ "token": made, "expires_at": "2026-01-05T10:00:00Z" }),
            );
            return Some(Answer::json(201, &token));
        }
        ("GET", _) if path.starts_with("/orgs/") => template("team-membership"),
        ("GET", _) => {
            let name = path.strip_prefix("/users/")?;
            let known = store.tokens.values().find(|(_, login)| login == name);
            let id = known.map_or(ME_AS_APP, |(id, _)| *id);
            let mut found = template("public-user");
            merge(&mut found, json!({ "id": id, "login": name }));
            found
        }
        _ => return None,
    };
    if path == "/app" {
        merge(&mut found, json!({ "slug": "maestro" }));
    }
    Some(Answer::json(200, &found))
}

/// The account of an app's installation.
pub(super) const ME_AS_APP: u64 = 77;

fn get(store: &Store, port: u16, asked: &Asked, rest: &str) -> Option<Answer> {
    if let Some(id) = rest
        .strip_prefix("/actions/artifacts/")
        .and_then(|rest| rest.strip_suffix("/zip"))
    {
        let id: u64 = id.parse().ok()?;
        store.archives.get(&id)?;
        return Some(Answer::default()).map(|answer| {
            Answer {
                status: 302,
                ..answer
            }
            .with("location", format!("http://localhost:{port}/storage/{id}"))
        });
    }
    if let Some(thing) = store.things.get(rest) {
        return Some(conditional(asked, Answer::json(200, thing)));
    }
    // Who may not administer the repository may not ask.
    if rest == "/actions/permissions/workflow" {
        let mut error = template("basic-error");
        let message = json!({ "message": "Resource not accessible by integration" });
        merge(&mut error, message);
        return Some(Answer::json(403, &error));
    }
    // A thing of a list, by its number or name.
    if let Some((list, name)) = rest.rsplit_once('/')
        && let Some(thing) = store
            .lists
            .get(list)
            .into_iter()
            .flatten()
            .find(|thing| is_named(thing, name))
    {
        return Some(conditional(asked, Answer::json(200, thing)));
    }
    if let Some(comment) = rest.strip_prefix("/issues/comments/") {
        let found = store
            .lists
            .iter()
            .filter(|(list, _)| list.ends_with("/comments"))
            .flat_map(|(_, comments)| comments);
        return found
            .into_iter()
            .find(|thing| is_named(thing, comment))
            .map(|thing| Answer::json(200, thing));
    }
    let number = rest.strip_prefix("/issues/");
    if number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit())) {
        let mut error = template("basic-error");
        merge(
            &mut error,
            json!({ "message": "This issue was deleted", "status": "410" }),
        );
        return Some(Answer::json(410, &error));
    }
    single(rest)
        .map(|kind| Answer::json(200, &template(kind)))
        .or_else(|| Some(list(store, asked, rest)))
}

/// Things that are always there.
fn single(rest: &str) -> Option<&'static str> {
    let ends = |begin: &str| rest.starts_with(begin);
    Some(match rest {
        "" => "repository",
        _ if ends("/compare/") => "compare",
        _ if ends("/contents/") => "content-file",
        _ if ends("/git/ref/") => "git-ref",
        _ if ends("/git/blobs/") => "blob",
        _ if ends("/git/trees/") => "git-tree",
        _ if ends("/git/commits/") => "git-commit",
        _ if rest.ends_with("/status") => "combined-status",
        _ if ends("/commits/") && rest.matches('/').count() == 2 => "commit",
        _ => return None,
    })
}

fn is_named(thing: &Value, name: &str) -> bool {
    ["number", "id"].iter().any(|field| {
        thing[field]
            .as_u64()
            .is_some_and(|number| number.to_string() == name)
    })
}

fn list(store: &Store, asked: &Asked, rest: &str) -> Answer {
    let mut items: Vec<Value> = store.lists.get(rest).cloned().unwrap_or_default();
    if let Some(run) = rest
        .strip_prefix("/actions/runs/")
        .and_then(|rest| rest.strip_suffix("/artifacts"))
        .filter(|_| items.is_empty())
    {
        items = store
            .lists
            .get("/actions/artifacts")
            .cloned()
            .unwrap_or_default();
        let run: u64 = run.parse().unwrap();
        items.retain(|item| item["workflow_run"]["id"] == run);
    }
    let has = |name: &str| asked.query.get(name).map(String::as_str);
    if let Some(label) = has("labels") {
        items.retain(|item| {
            item["labels"]
                .as_array()
                .is_some_and(|labels| labels.iter().any(|found| found["name"] == label))
        });
    }
    if let Some(since) = has("since") {
        items.retain(|item| item["updated_at"].as_str().is_none_or(|at| at >= since));
    }
    if let Some(state) = has("state").filter(|state| *state != "all") {
        items.retain(|item| item["state"] == state);
    }
    if let Some(status) = has("status") {
        items.retain(|item| item["status"] == status);
    }
    if let Some((from, to)) = has("created").and_then(|created| created.split_once("..")) {
        items.retain(|item| (from..=to).contains(&item["created_at"].as_str().unwrap()));
    }
    if let Some((_, branch)) = has("head").and_then(|head| head.split_once(':')) {
        items.retain(|item| item["head"]["ref"] == branch);
    }
    if NEWEST_FIRST.contains(&rest) {
        items.reverse();
    }
    let total = items.len();
    let number =
        |name: &str, otherwise: usize| has(name).map_or(otherwise, |text| text.parse().unwrap());
    let (size, page) = (number("per_page", 30).min(100), number("page", 1));
    let items: Vec<Value> = items
        .into_iter()
        .skip((page - 1) * size)
        .take(size)
        .collect();
    let wrapped = WRAPPED.iter().find(|(end, _)| rest.ends_with(end));
    let body = match wrapped {
        Some((_, field)) => json!({ "total_count": total, *field: items }),
        None => json!(items),
    };
    let mut answer = Answer::json(200, &body);
    if page * size < total {
        let prefix = if asked.target.starts_with(ENTERPRISE) {
            ENTERPRISE
        } else {
            ""
        };
        let link = format!(
            "<https://api.github.com{prefix}/repositories/1{rest}?per_page={size}&page={}>; rel=\"next\"",
            page + 1
        );
        answer = answer.with("link", link);
    }
    conditional(asked, answer)
}

/// An answer that the client has already is none.
fn conditional(asked: &Asked, answer: Answer) -> Answer {
    let etag = format!("\"{}\"", digest(&answer.body));
    if asked.headers.get("if-none-match") == Some(&etag) {
        return Answer {
            status: 304,
            ..Answer::default()
        }
        .with("etag", etag);
    }
    answer.with("etag", etag)
}

fn delete(store: &mut Store, rest: &str) -> Option<Answer> {
    let gone = Answer {
        status: 204,
        ..Answer::default()
    };
    if rest.starts_with("/git/refs/") {
        return Some(gone);
    }
    let id = rest.strip_prefix("/issues/comments/")?;
    let mut found = false;
    for comments in store.lists.values_mut() {
        comments.retain(|comment| {
            let is_it = is_named(comment, id);
            found |= is_it;
            !is_it
        });
    }
    found.then_some(gone)
}

fn write(store: &mut Store, asked: &Asked, rest: &str, id: u64, login: &str) -> Option<Answer> {
    let body = asked.body.clone().unwrap_or_default();
    if asked.method == "PATCH" && !rest.starts_with("/git/") {
        return change(store, rest, body);
    }
    let text = body["body"].as_str().unwrap_or_default();
    if text.encode_utf16().count() > 65_536 {
        return Some(invalid("body is too long (maximum is 65536 characters)"));
    }
    if rest.ends_with("/labels") {
        return Some(Answer::json(200, &labels(&body)));
    }
    let has_pull = |pull: &Value| pull["head"]["ref"] == body["head"] && pull["state"] == "open";
    if rest == "/pulls"
        && store
            .lists
            .get(rest)
            .is_some_and(|pulls| pulls.iter().any(has_pull))
    {
        return Some(invalid("A pull request already exists for o:x."));
    }
    let me = user(id, login);
    let (kind, mut fields) = match rest {
        "/issues" => (
            "issue",
            json!({ "title": body["title"], "labels": labels(&body), "state": "open" }),
        ),
        "/pulls" => (
            "pull-request",
            json!({
                "title": body["title"], "state": "open", "draft": body["draft"], "head": { "ref": body["head"] },
                "base": { "ref": body["base"] },
            }),
        ),
        "/check-runs" => {
            let fields = json!({ "name": body["name"], "head_sha": body["head_sha"], "status": "completed", "conclusion": body["conclusion"] });
            ("check-run", fields)
        }
        _ if rest.ends_with("/comments") => ("issue-comment", json!({})),
        _ => return git(asked, rest, &body),
    };
    let branch = body["head"].as_str().unwrap_or_default();
    if let (Some(repository), "/pulls") = (&store.git, rest)
        && let Some(tip) = super::git::Git(repository).tip(branch)
    {
        merge(&mut fields, json!({ "head": { "sha": tip } }));
    }
    if kind != "check-run" {
        merge(&mut fields, json!({ "body": body["body"], "user": me }));
    }
    let number = store.add(rest, kind, fields);
    let made = store
        .lists
        .get(rest)?
        .iter()
        .find(|thing| is_named(thing, &number.to_string()))?;
    Some(Answer::json(201, made))
}

fn change(store: &mut Store, rest: &str, body: Value) -> Option<Answer> {
    let (list, name) = rest.rsplit_once('/')?;
    let is_it =
        |known: &str| known == list || (list == "/issues/comments" && known.ends_with("/comments"));
    let lists = store.lists.iter_mut().filter(|(known, _)| is_it(known));
    let thing = lists
        .flat_map(|(_, things)| things)
        .find(|thing| is_named(thing, name))?;
    merge(thing, body);
    if list != "/pulls" {
        return Some(Answer::json(200, thing));
    }
    // One pull request has more fields than those of a list.
    let mut whole = template("pull-request");
    merge(&mut whole, thing.clone());
    Some(Answer::json(200, &whole))
}

pub(super) fn invalid(message: &str) -> Answer {
    let mut error = template("validation-error");
    let details = json!([{ "code": "custom", "message": message }]);
    merge(
        &mut error,
        json!({ "message": "Validation Failed", "errors": details }),
    );
    Answer::json(422, &error)
}

fn labels(body: &Value) -> Value {
    body["labels"]
        .as_array()
        .into_iter()
        .flatten()
        .map(label)
        .collect()
}

fn label(name: &Value) -> Value {
    let mut label = template("label");
    merge(&mut label, json!({ "name": name }));
    label
}

/// Git objects are not kept: what is asked of them is shown elsewhere, with a real git.
fn git(asked: &Asked, rest: &str, body: &Value) -> Option<Answer> {
    let (status, kind) = match (asked.method.as_str(), rest) {
        ("POST", "/git/refs") => (201, "git-ref"),
        ("POST", "/git/blobs") => (201, "short-blob"),
        ("POST", "/git/trees") => (201, "git-tree"),
        ("POST", "/git/commits") => (201, "git-commit"),
        ("PATCH", _) if rest.starts_with("/git/refs/") => (200, "git-ref"),
        ("PUT", _) if rest.starts_with("/contents/") => (201, "file-commit"),
        _ => return None,
    };
    let mut made = template(kind);
    if kind == "git-ref" && body["sha"].is_string() {
        merge(&mut made, json!({ "object": { "sha": body["sha"] } }));
    }
    Some(Answer::json(status, &made))
}
