//! Models: what is said to them and what they answer, what a call used, and what that costs.

pub(crate) mod cassette;
pub(crate) mod endpoint;
pub(crate) mod priced;
pub(crate) mod prices;
pub(crate) mod protocols;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod router;
pub(crate) mod sse;
pub(crate) mod usage;
pub(crate) mod worst;
