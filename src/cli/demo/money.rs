//! The fifth part of the demo: an agent's calls are paid for before they are made, up to the cap of their pull request.
//!
//! Nobody is asked: the requests and the answers to them are written down here, and everything that is said of money is worked out from them.

use super::Demo;
use crate::error::CommandError;

/// Where it happens: the clone of the part before, whose flaky test the agent mends.
const CLONE: &str = "../gate";

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
    pub(super) fn spend_up_to_a_cap(&mut self) -> Result<(), CommandError> {
        if self.flaky_test()?.is_none() {
            return Ok(());
        }
        self.say(&format!(
            "\nAn agent mends the flaky test, and its pull request may cost ${CAP} (the answers are written down: no model is asked):"
        ));
        self.shows(&["-C", CLONE, "budget", "set", "--per-pr", CAP], 0)?;
        self.commit_in("gate", "Cap what a pull request may cost")?;
        for call in &CALLS {
            self.pay_for(call)?;
        }
        self.say("\nThe bill:");
        self.shows(
            &[
                "-C", CLONE, "budget", "status", "--base", "main", "--pr", "7",
            ],
            0,
        )?;
        Ok(())
    }

    fn pay_for(&mut self, call: &Call) -> Result<(), CommandError> {
        let request = format!("../money/{}.json", call.name);
        let message = serde_json::json!({"role": "user", "content": call.words});
        self.leave(
            &request,
            &serde_json::json!({"model": call.model, "max_tokens": call.max_tokens, "messages": [message]}),
        )?;
        let reserve = [
            "-C",
            CLONE,
            "budget",
            "reserve",
            "--base",
            "main",
            "--pr",
            "7",
            "--role",
            call.role,
            "--provider",
            "anthropic",
            "--model",
            call.model,
            "--body",
            &request,
        ];
        let Some((input, output)) = call.used else {
            return self.shows(&reserve, 11).map(drop);
        };
        let ticket = self.shows(&reserve, 0)?;
        let answer = format!("../money/{}.answer.json", call.name);
        let usage = serde_json::json!({"input_tokens": input, "output_tokens": output});
        self.leave(
            &answer,
            &serde_json::json!({"type": "message", "model": call.model, "stop_reason": "end_turn", "usage": usage}),
        )?;
        let settle = [
            "-C",
            CLONE,
            "budget",
            "settle",
            "--base",
            "main",
            "--reservation",
            ticket.trim(),
            "--body",
            &answer,
        ];
        self.shows(&settle, 0).map(drop)
    }

    /// Writes a document; the path is from the repository.
    pub(super) fn leave(
        &self,
        path: &str,
        document: &serde_json::Value,
    ) -> Result<(), CommandError> {
        self.leave_text(path, &format!("{document}\n"))
    }

    pub(super) fn leave_text(&self, path: &str, text: &str) -> Result<(), CommandError> {
        let path = self.repository.join(path);
        let files = self.session.world.files.as_ref();
        if let Some(folder) = path.parent() {
            files
                .create_folder(folder)
                .map_err(|error| CommandError::writing(folder, error))?;
        }
        files
            .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
            .map_err(|error| CommandError::writing(&path, error))
    }
}
