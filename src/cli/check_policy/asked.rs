//! Who wants the change, and who approved it: from the event, the environment and, where it matters, GitHub.

use crate::budget::sums::{Sums, Wanted};
use crate::cli::budget::wallet;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::forge::api::pulls::{self, Review};
use crate::forge::webhook::{Payload, PullRequest};
use crate::policy::subject::{Asked, Spent};
use crate::policy::task::Task;
use crate::policy::tighten::Policy;

/// How long GitHub is asked who approved.
const SECONDS: u64 = 60;

/// More reviews than this nobody reads.
const MOST_REVIEWS: usize = 3_000;

/// How a reviewer stands to the repository whose approval counts: those who may write to it.
const WRITERS: [&str; 3] = ["OWNER", "MEMBER", "COLLABORATOR"];

/// What started the run, as far as rules ask.
pub(super) struct Told {
    pub(super) asked: Asked,
    /// The author's last commit, whose approvals count.
    pub(super) head: Option<String>,
    /// Whether the event does not say who asks.
    is_unknown: bool,
    /// Whether GitHub was asked already.
    was_asked: bool,
}

/// Returns the pull request that the run is about.
pub(in crate::cli) fn number(session: &Session<'_>) -> Option<u64> {
    of_event(session).asked.number
}

/// Reads it from the event and the environment; on a person's machine from what is checked out.
pub(super) fn told(session: &Session<'_>) -> Told {
    let mut told = of_event(session);
    if session.var("GITHUB_EVENT_NAME").is_none()
        && told.asked.head_branch.is_none()
        && let Ok(checkout) = &session.checkout
    {
        let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let head = session.world.git.head(folder).ok();
        told.asked.head_branch = head.and_then(|head| head.branch);
    }
    told
}

fn of_event(session: &Session<'_>) -> Told {
    let payload = payload(session);
    let pull = payload
        .as_ref()
        .and_then(|payload| payload.pull_request.as_ref());
    let event = session.var("GITHUB_EVENT_NAME");
    // Who reviews or comments starts a run, and has pushed nothing.
    let is_push = event
        .as_deref()
        .is_none_or(|name| matches!(name, "push" | "pull_request" | "pull_request_target"));
    let mut asked = Asked {
        actor: session.var("GITHUB_ACTOR").filter(|_| is_push),
        triggering_actor: session.var("GITHUB_TRIGGERING_ACTOR"),
        ..Asked::default()
    };
    let mut head = None;
    let mut is_unknown = false;
    if let Some(pull) = pull {
        of_pull(pull, &mut asked);
        head = Some(pull.head.sha.clone());
    } else if event.as_deref() == Some("merge_group") {
        if let Some(payload) = &payload {
            of_queue(payload, &mut asked);
        }
        is_unknown = true;
    } else if event.is_some() {
        // Nobody asked: somebody pushed.
        asked.author = session.var("GITHUB_ACTOR");
        asked.is_bot = asked
            .author
            .as_deref()
            .is_some_and(|login| login.ends_with("[bot]"));
        asked.head_branch = session.var("GITHUB_REF_NAME");
    }
    Told {
        asked,
        head,
        is_unknown,
        was_asked: false,
    }
}

impl Told {
    /// Takes what a task says instead.
    pub(super) fn of_task(&mut self, task: &Task) {
        self.asked = Asked {
            number: self.asked.number,
            ..task.asked()
        };
        self.is_unknown = false;
    }

    /// Whether GitHub has to be asked who wants the change.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// Who is not known may be an agent, and a stranger.
    pub(super) fn fear_the_worst(&mut self) {
        if self.asked.author.is_none() {
            self.asked.is_agent = true;
            self.asked.is_fork = true;
        }
    }
}

fn of_pull(pull: &PullRequest, asked: &mut Asked) {
    asked.number = Some(pull.number);
    asked.title = Some(pull.title.clone());
    asked.head_branch = Some(pull.head.branch.clone());
    asked.base_branch = Some(pull.base.branch.clone());
    asked.association.clone_from(&pull.author_association);
    asked.labels = pull.labels.iter().map(|label| label.name.clone()).collect();
    if let Some(user) = &pull.user {
        asked.author = Some(user.login.clone());
        asked.is_bot = user.kind == "Bot";
    }
    // A fork that is gone is a fork.
    let ids = (
        pull.head.repo.as_ref().map(|repo| repo.id),
        pull.base.repo.as_ref().map(|repo| repo.id),
    );
    asked.is_fork = !matches!(ids, (Some(head), Some(base)) if head == base);
}

/// A merge queue tries pull requests that are known by its branch only: `gh-readonly-queue/main/pr-7-…`.
fn of_queue(payload: &Payload, asked: &mut Asked) {
    let Some(group) = &payload.merge_group else {
        return;
    };
    let tail = group.head_ref.rsplit_once("/pr-").map(|(_, tail)| tail);
    asked.number = tail.and_then(|tail| tail.split('-').next()?.parse().ok());
    let base = group
        .base_ref
        .strip_prefix("refs/heads/")
        .unwrap_or(&group.base_ref);
    asked.base_branch = Some(base.to_owned());
}

/// Fills in what a policy says of those who ask.
pub(super) fn complete(asked: &mut Asked, policy: &Policy) {
    asked.is_agent |= policy.is_agent(asked.author.as_deref(), asked.head_branch.as_deref());
    if let Some(author) = &asked.author {
        asked.teams = policy.teams_of(author);
    }
}

/// What GitHub adds: a queue's pull request, and who approved the head.
pub(super) fn ask_github(session: &mut Session<'_>, told: &mut Told) {
    let Some(number) = told.asked.number.filter(|_| !told.was_asked) else {
        return;
    };
    told.was_asked = true;
    let found = match session.github(None, None, SECONDS) {
        Ok(Some((github, _)))
            if github.server.borrow().is_some() && !session.settings.offline.value =>
        {
            github
        }
        Ok(_) => {
            session.ui.hint("GitHub was not asked who approved the change: there is no token, no repository or no network");
            return;
        }
        Err(error) => {
            session.ui.warn(&format!(
                "GitHub was not asked who approved the change: {:#}",
                error.error
            ));
            return;
        }
    };
    let repository = found.repository.clone();
    if told.head.is_none() {
        match found.call(&pulls::get(&repository, number)) {
            Ok(pull) => {
                told.head = Some(pull.head.sha);
                let asked = &mut told.asked;
                asked.title = Some(pull.title);
                asked.head_branch = Some(pull.head.branch);
                asked.labels = pull.labels.into_iter().map(|label| label.name).collect();
                let ids = (
                    pull.head.repo.map(|repo| repo.id),
                    pull.base.repo.map(|repo| repo.id),
                );
                asked.is_fork = !matches!(ids, (Some(head), Some(base)) if head == base);
                if let Some(user) = pull.user {
                    asked.is_bot = user.kind == "Bot";
                    asked.author = Some(user.login);
                }
            }
            Err(error) => {
                session
                    .ui
                    .warn(&format!("pull request {number} could not be read: {error}"));
                return;
            }
        }
    }
    let listed = found.list(
        &pulls::reviews(&repository, number),
        MOST_REVIEWS,
        &mut |_| true,
    );
    match listed.whole("list the reviews") {
        Ok(reviews) => {
            if let Some(head) = &told.head {
                told.asked.approvals = approvals(&reviews, head);
            }
        }
        Err(error) => session
            .ui
            .warn(&format!("nobody knows who approved the change: {error}")),
    }
}

/// Returns the persons whose last word is an approval of this head, and who may write to the repository.
fn approvals(reviews: &[Review], head: &str) -> Vec<String> {
    let mut last: Vec<(&str, bool)> = Vec::new();
    for review in reviews {
        let Some(user) = review.user.as_ref().filter(|user| user.kind == "User") else {
            continue;
        };
        let says = match review.state.as_str() {
            "APPROVED" => {
                let is_of_head = review.commit_id.as_deref() == Some(head);
                is_of_head
                    && review
                        .author_association
                        .as_deref()
                        .is_some_and(|how| WRITERS.contains(&how))
            }
            "CHANGES_REQUESTED" | "DISMISSED" => false,
            // A comment takes nothing back.
            _ => continue,
        };
        last.retain(|(login, _)| *login != user.login);
        last.push((&user.login, says));
    }
    last.retain(|(_, says)| *says);
    last.into_iter()
        .map(|(login, _)| login.to_owned())
        .collect()
}

/// Returns what the pull request did cost so far, where that is known.
pub(in crate::cli) fn spent(
    session: &mut Session<'_>,
    number: Option<u64>,
    commit: Option<&str>,
) -> Option<Spent> {
    let number = number?;
    let state = session.state().ok()?;
    let (accounts, damage) = wallet::accounts(session, &state).ok()?;
    if !damage.is_empty() {
        session.ui.warn("lines of the state cannot be used, and may be money: nobody knows what the change did cost");
        return None;
    }
    let caps = match wallet::caps(session, commit) {
        Ok(caps) => caps,
        Err(error) => {
            session
                .ui
                .warn(&format!("the caps are not known: {:#}", error.error));
            return None;
        }
    };
    let wanted = Wanted {
        month: None,
        pull_request: Some(number),
    };
    let sums = Sums::new(&accounts, &wanted, session.now());
    Some(Spent {
        usd: sums.all.settled.saturating_add(sums.all.unknown),
        cap: caps.pull_request,
        unpriced: sums.all.unpriced,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(login: &str, kind: &str, state: &str, commit: &str, how: &str) -> Review {
        let text = format!(
            r#"{{"id":1,"user":{{"id":1,"login":"{login}","type":"{kind}"}},"state":"{state}","submitted_at":null,"commit_id":"{commit}","author_association":"{how}"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn only_the_last_word_of_persons_who_may_write_about_this_head_counts() {
        let of =
            |login: &str, state: &str, commit: &str| review(login, "User", state, commit, "MEMBER");
        let reviews = [
            of("ada", "APPROVED", "head"),
            of("bob", "APPROVED", "older"),
            of("eve", "APPROVED", "head"),
            of("eve", "CHANGES_REQUESTED", "head"),
            of("kim", "CHANGES_REQUESTED", "head"),
            of("kim", "APPROVED", "head"),
            of("kim", "COMMENTED", "head"),
            of("lee", "APPROVED", "head"),
            of("lee", "DISMISSED", "head"),
            review("x[bot]", "Bot", "APPROVED", "head", "MEMBER"),
            review("stranger", "User", "APPROVED", "head", "CONTRIBUTOR"),
        ];
        assert_eq!(approvals(&reviews, "head"), ["ada", "kim"]);
    }
}
