//! What observability tools are told: traces, metrics and logs over OTLP, metrics as Prometheus reads them, dashboards, and alert rules.
//!
//! Pure: times and identities come in as arguments, texts go out as strings. A name is emitted only if it stands in `semconv` or in
//! `instruments`: keys and instruments cannot be made anywhere else. Prompts and answers of models have no place in any of these values.

pub(crate) mod attributes;
pub(crate) mod clean;
pub(crate) mod delta;
pub(crate) mod gather;
pub(crate) mod ids;
pub(crate) mod instruments;
pub(crate) mod known;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod otlp;
pub(crate) mod prometheus;
pub(crate) mod semconv;
pub(crate) mod spans;

// The binary has what these make, packed: `examples/observability/`.
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod published;
#[cfg(test)]
pub(crate) mod sample;
