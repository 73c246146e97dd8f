//! An agent's calls are paid for before they are made, up to the cap of their pull request.
//!
//! Nobody is asked: the requests and the answers to them are written down here, and everything that is said of money is worked out from them.

use super::Demo;
use super::children::command_line;
use crate::error::CommandError;

/// Where it happens.
pub(super) const CLONE: &str = "purse";

/// What a pull request may cost there.
const CAP: &str = "0.12";

/// A call that is made, or is not.
struct Call {
    name: &'static str,
    role: &'static str,
    model: &'static str,
    max_tokens: u32,
    words: &'static str,
    /// What the answer says that was used, as input and output tokens; none for a call that the cap refuses.
    used: Option<(u32, u32)>,
}

const CALLS: [Call; 3] = [
    Call {
        name: "mend",
        role: "implementer",
        model: "claude-sonnet-4-5",
        max_tokens: 6100,
        words: "Mend the test that fails now and then: the jitter is wider than the bound.",
        used: Some((2300, 6030)),
    },
    Call {
        name: "review",
        role: "reviewer",
        model: "claude-sonnet-4-5",
        max_tokens: 1000,
        words: "Review the change.",
        used: None,
    },
    Call {
        name: "review-with-less",
        role: "reviewer",
        model: "claude-haiku-4-5",
        max_tokens: 1000,
        words: "Review the change.",
        used: Some((2100, 640)),
    },
];

impl Demo<'_, '_> {
    /// Caps a pull request at some cents, and shows a call that is paid for, the alert, the refusal, the cheaper call and the bill.
    pub(super) fn budget(&mut self) -> Result<(), CommandError> {
        self.clone_to("repository", CLONE)?;
        let set = ["-C", CLONE, "budget", "set", "--per-pr", CAP];
        self.show(&set, 0, &[" A pull request "])?;
        self.commit_in(CLONE, "Cap what a pull request may cost")?;
        for call in &CALLS {
            self.pay_for(call)?;
        }
        let status = [
            "-C", CLONE, "budget", "status", "--base", "main", "--pr", "7",
        ];
        let words = ["pull request 7", "% of $", " implementer ", " reviewer "];
        self.show(&status, 0, &words).map(drop)
    }

    fn pay_for(&mut self, call: &Call) -> Result<(), CommandError> {
        let request = format!("../money/{}.json", call.name);
        let message = serde_json::json!({"role": "user", "content": call.words});
        self.leave(
            &request["../".len()..],
            &serde_json::json!({"model": call.model, "max_tokens": call.max_tokens, "messages": [message]}),
        )?;
        #[rustfmt::skip]
        let reserve = [
            "-C", CLONE, "budget", "reserve", "--base", "main", "--pr", "7", "--role", call.role,
            "--provider", "anthropic", "--model", call.model, "--body", &request,
        ];
        let Some((input, output)) = call.used else {
            return self.show(&reserve, 11, &["error: "]).map(drop);
        };
        let shown = format!("ticket=$({})", command_line("maestro", &reserve));
        let done = self.show_as(&shown, &reserve, 0, &[])?;
        let ticket = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        let answer = format!("../money/{}.answer.json", call.name);
        let usage = serde_json::json!({"input_tokens": input, "output_tokens": output});
        self.leave(
            &answer["../".len()..],
            &serde_json::json!({"type": "message", "model": call.model, "stop_reason": "end_turn", "usage": usage}),
        )?;
        #[rustfmt::skip]
        let settle = [
            "-C", CLONE, "budget", "settle", "--base", "main", "--reservation", &ticket, "--body", &answer,
        ];
        let shown = command_line("maestro", &settle).replace(&ticket, "$ticket");
        self.show_as(&shown, &settle, 0, &["Spent ", "% of what"])
            .map(drop)
    }
}
