//! What a role is told: its prompt, rendered for a turn, and what must come back.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::steps::Abandon;
use super::team::Team;
use crate::llm::reply::Part;
use crate::llm::request::Message;
use crate::llm::router::Tier;
use crate::prompts::file::{SpeakerWord, VariableFile};

/// A prompt, ready to be sent.
pub(super) struct Brief {
    pub(super) system: Option<String>,
    pub(super) messages: Vec<Message>,
    /// What the answer must look like.
    pub(super) schema: Value,
    /// How strong a model the role wants.
    pub(super) tier: Tier,
    pub(super) max_tokens: u64,
}

/// Answers are no longer where a prompt does not say.
const MOST_TOKENS: u32 = 8192;

/// Gives the values of variables.
pub(super) type Fill<'f> =
    &'f dyn Fn(&BTreeMap<String, VariableFile>) -> Result<Map<String, Value>, Abandon>;

impl Team<'_> {
    /// Renders a prompt; the error says why it cannot be used.
    pub(super) fn brief(
        &self,
        prompt: &str,
        fill: Fill<'_>,
    ) -> Result<Result<Brief, String>, Abandon> {
        let Ok(loaded) = self.library.load(prompt) else {
            return Ok(Err(format!(
                "there is no prompt `{prompt}` that can be used"
            )));
        };
        let values = fill(&loaded.file.variables)?;
        let rendered = match loaded.prepared.render(values) {
            Ok(rendered) => rendered,
            Err(problem) => {
                let why = format!(
                    "the prompt `{prompt}` cannot be rendered: {}",
                    problem.words
                );
                return Ok(Err(why));
            }
        };
        let model = &loaded.file.model;
        let mut brief = Brief {
            system: None,
            messages: Vec::new(),
            schema: loaded
                .file
                .output
                .clone()
                .unwrap_or_else(|| json!({"type": "object"})),
            tier: Tier::named(model.tier.name()).unwrap_or(Tier::Medium),
            max_tokens: u64::from(model.max_output_tokens.unwrap_or(MOST_TOKENS)),
        };
        for message in rendered {
            match message.role {
                SpeakerWord::System => {
                    let system = brief.system.get_or_insert_default();
                    if !system.is_empty() {
                        system.push_str("\n\n");
                    }
                    system.push_str(&message.content);
                }
                SpeakerWord::User => brief.messages.push(Message::ask(message.content)),
                SpeakerWord::Assistant => brief.messages.push(Message {
                    is_from_model: true,
                    parts: vec![Part::Text(message.content)],
                }),
            }
        }
        Ok(Ok(brief))
    }
}

impl Brief {
    /// Returns all of it as one text.
    pub(super) fn text(&self) -> String {
        let mut text = self.system.clone().unwrap_or_default();
        for part in self.messages.iter().flat_map(|message| &message.parts) {
            if let Part::Text(said) = part {
                text.push_str("\n\n");
                text.push_str(said);
            }
        }
        text
    }
}
