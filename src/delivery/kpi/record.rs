//! What `dora kpi` found, as the event `kpi` has it. The payload is frozen: a field never changes its meaning and never goes; new ones may come.

use serde::{Deserialize, Serialize};

use crate::money::Usd;

/// A table of indicators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KpiRecord {
    /// The time that it is compared with: from then on, inclusive.
    pub(crate) baseline_since: String,
    /// Until then, exclusive.
    pub(crate) baseline_until: String,
    pub(crate) indicators: Vec<KpiIndicator>,
    /// As `owner/name`; none where no forge is meant.
    #[serde(default)]
    pub(crate) repository: Option<String>,
    pub(crate) since: String,
    pub(crate) until: String,
}

/// An indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KpiIndicator {
    /// Its value in the time before.
    #[serde(default)]
    pub(crate) baseline: Option<f64>,
    /// The ends of the 95 % interval.
    #[serde(default)]
    pub(crate) high: Option<f64>,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) low: Option<f64>,
    pub(crate) n: u64,
    /// As somebody would write it, `>=0.95`, in the unit of the value; none where none is set.
    #[serde(default)]
    pub(crate) target: Option<String>,
    /// `seconds`, `share` (0 to 1), `usd` or `per_week`.
    pub(crate) unit: String,
    /// Of money: the value, exactly.
    #[serde(default)]
    pub(crate) usd: Option<Usd>,
    /// None where there is too little to say.
    #[serde(default)]
    pub(crate) value: Option<f64>,
    /// `met`, `missed` or `not enough data`; none where no target is set.
    #[serde(default)]
    pub(crate) verdict: Option<String>,
}
