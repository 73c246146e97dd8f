//! Bills, as the ledger has them.

use crate::budget::spend::{Paid, Status};
use crate::llm::usage::Usage;
use crate::telemetry::gather::Spent;
use crate::telemetry::spans::{Call, Tokens};

/// Returns a call that somebody paid for.
pub(crate) fn spent(paid: &Paid) -> Spent {
    let spend = &paid.spend;
    let status = match spend.status {
        Status::Settled => "settled",
        Status::Unknown => "unknown",
        Status::Unpriced => "unpriced",
    };
    let id = match (&spend.purse, spend.call) {
        (Some(purse), Some(call)) => format!("{purse}/{call}"),
        _ => spend.request_id.clone().unwrap_or_default(),
    };
    Spent {
        role: spend.role.clone().unwrap_or_default(),
        change: spend.pull_request,
        call: Call {
            id,
            provider: spend.provider.clone(),
            model: spend.model.clone(),
            started: paid.at,
            ended: paid.at,
            status: status.into(),
            usd: spend.usd,
            tokens: spend.usage.as_ref().map(tokens),
        },
    }
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        // A sum that cannot be counted is as good as all there can be.
        input: usage.input_tokens().unwrap_or(u64::MAX),
        cache_read: usage.cache_read_tokens,
        cache_write: usage
            .cache_write_5m_tokens
            .saturating_add(usage.cache_write_1h_tokens),
        output: usage
            .output_tokens
            .saturating_add(usage.output_audio_tokens),
        reasoning: usage.reasoning_tokens,
    }
}
