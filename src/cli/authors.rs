//! Whose changes are those of bots and of agents: what flags and the configuration say, for every command that tells them apart.

use super::session::Session;
use crate::delivery::authors::Authors;
use crate::error::{CommandError, ErrorKind};

impl Session<'_> {
    /// Returns the accounts and trailers of the configuration, and those of flags on top.
    pub(crate) fn authors(
        &self,
        bots: &[String],
        agents: &[String],
    ) -> Result<Authors, CommandError> {
        let (delivery, team) = (&self.config.delivery, &self.config.agents);
        for (key, list) in [
            ("delivery.bots", &delivery.bots),
            ("agents.authors", &team.authors),
            ("agents.trailers", &team.trailers),
        ] {
            // What begins with nothing is every line.
            if list.iter().any(|text| text.trim().is_empty()) {
                let message = format!("`{key}` has an entry that is empty");
                return Err(CommandError::message(ErrorKind::BadConfig, message)
                    .hint("remove it, or write a login or the beginning of a trailer"));
            }
        }
        Ok(Authors {
            bots: [&delivery.bots, bots].concat(),
            agents: [&team.authors, agents].concat(),
            trailers: team.trailers.clone(),
        })
    }
}
