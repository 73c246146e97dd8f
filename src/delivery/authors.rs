//! Whether a person, a bot or an agent wrote a change. GitHub's word counts first, then names that end with `[bot]`, then lists.

use super::rows::Author;

/// Accounts of programs that write code, as they call themselves at GitHub or in commits.
const AGENTS: [&str; 10] = [
    "chatgpt-codex-connector[bot]",
    "claude[bot]",
    "copilot",
    "copilot-swe-agent[bot]",
    "cursor[bot]",
    "cursoragent",
    "devin-ai-integration[bot]",
    "google-labs-jules[bot]",
    "maestro",
    "openhands-agent",
];

/// Trailers of commits that agents wrote or helped with, in lower case.
const TRAILERS: [&str; 6] = [
    "co-authored-by: claude",
    "co-authored-by: copilot",
    "co-authored-by: cursor",
    "co-authored-by: codex",
    "co-authored-by: devin",
    "maestro-run: ",
];

/// What a repository says itself about accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authors {
    pub(crate) bots: Vec<String>,
    pub(crate) agents: Vec<String>,
    /// How lines begin that say that an agent was at work, beside the known ones.
    pub(crate) trailers: Vec<String>,
}

impl Authors {
    /// Says what an account is. `kind` is GitHub's `user.type`, empty where git alone tells of it.
    pub(crate) fn of(
        &self,
        name: &str,
        kind: &str,
        messages: &mut dyn Iterator<Item = &str>,
    ) -> Author {
        let is = |list: &[String]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
        let is_known_agent = AGENTS.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&self.agents) || is_known_agent {
            return Author::Agent;
        }
        for message in messages {
            if self.has_trailer(message) {
                return Author::Agent;
            }
        }
        if kind == "Bot" || name.ends_with("[bot]") || is(&self.bots) {
            return Author::Bot;
        }
        Author::Human
    }

    /// Whether the last paragraph of a message, where trailers stand, says that an agent was at work.
    fn has_trailer(&self, message: &str) -> bool {
        let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let own = self.trailers.iter().map(String::as_str);
        let known = TRAILERS.into_iter().chain(own);
        last.lines().any(|line| {
            let line = line.trim_start();
            known.clone().any(|trailer| begins(line, trailer))
        })
    }
}

/// Whether a line begins with a trailer, whatever the case.
fn begins(line: &str, trailer: &str) -> bool {
    let start = line.get(..trailer.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(trailer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, kind: &str, message: &str, wanted: Author) {
        let authors = Authors {
            bots: vec!["acme-release".into()],
            agents: vec!["acme-coder".into()],
            trailers: vec!["Assisted-By: acme".into()],
        };
        let found = authors.of(name, kind, &mut [message].into_iter());
        assert_eq!(found, wanted, "{name} {kind} {message}");
    }

    #[test]
    fn githubs_word_the_suffix_and_the_lists_tell_bots_and_agents() {
        check("octocat", "User", "", Author::Human);
        check("anything", "Bot", "", Author::Bot);
        check("dependabot[bot]", "", "", Author::Bot);
        check("acme-release", "User", "", Author::Bot);
        check("copilot-swe-agent[bot]", "Bot", "", Author::Agent);
        check("Acme-Coder", "User", "", Author::Agent);
        // Words that only look like bots.
        for name in ["robotics", "bots", "abbott", "bot-lover"] {
            check(name, "User", "", Author::Human);
        }
    }

    #[test]
    fn a_trailer_tells_an_agent_and_a_quotation_does_not() {
        check(
            "o",
            "User",
            "x\n\nCo-Authored-By: Claude <a@b>",
            Author::Agent,
        );
        check(
            "o",
            "User",
            "x\n\nMaestro-Run: 7\nMaestro-Task: t\n",
            Author::Agent,
        );
        check("o", "User", "x\n\nassisted-by: ACME 2\n", Author::Agent);
        check("o", "User", "Assisted-By: acme\n\nnot here", Author::Human);
        check(
            "o",
            "User",
            "x\n\nCo-authored-by: Claudia R.\n\nSigned-off-by: o",
            Author::Human,
        );
        check("o", "User", "Co-authored-by: Ann", Author::Human);
    }
}
