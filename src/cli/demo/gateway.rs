//! An agent that asks until it is told no, behind the gateway. The provider is a server of the demo's own.

use serde_json::json;

use super::Demo;
use super::money::CLONE;
use crate::error::CommandError;

/// The agent: it knows an address and a token, and neither the provider's key nor the cap.
const AGENT: &str = "\
# Asks a model until it is told no
while \"${MAESTRO:-maestro}\" budget call --provider anthropic --base-url \"$ANTHROPIC_BASE_URL\" --api-flavor messages --model claude-haiku-4-5 \\
    --prompt-file ../agent/question.txt --max-tokens 1000 --key-env ANTHROPIC_API_KEY --unpriced --attempts 1; do :; done
";

/// What the provider wants to see, and the agent never does.
const KEY: &str = "the-key-of-the-provider";

impl Demo<'_, '_> {
    pub(super) fn gateway(&mut self) -> Result<(), CommandError> {
        self.leave_text("agent/agent.sh", AGENT)?;
        let question = "Why does the test of the second try fail now and then?\n";
        self.leave_text("agent/question.txt", question)?;
        let answer = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
            "content": [{"type": "text", "text": "The jitter is wider than the bound."}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 900, "output_tokens": 400},
        });
        #[rustfmt::skip]
        let args = [
            "-C", CLONE, "gateway", "--base", "main", "--max-usd", "0.012", "--", "sh", "../agent/agent.sh",
        ];
        self.variables = vec![("ANTHROPIC_API_KEY", KEY.to_owned())];
        let words = [
            "wider than",
            "warning: …. Asking",
            "Stopped by",
            "at most $",
        ];
        let answer = (answer.to_string().into_bytes(), "ANTHROPIC_BASE_URL");
        let heard = self.show_beside(&args, answer, 11, &words);
        self.variables.clear();
        let heard = heard?;
        let with_key = heard.iter().filter(|(headers, _)| {
            headers
                .get("x-api-key")
                .is_some_and(|key| key.as_bytes() == KEY.as_bytes())
        });
        let (all, with_key) = (heard.len(), with_key.count());
        self.tell(&format!(
            "The provider heard {all} requests, {with_key} with its key, which the agent does not have."
        ));
        Ok(())
    }
}
