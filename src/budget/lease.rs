//! Leases: money that is lent to a job that cannot ask anybody, and given back by the one that publishes what it did.
//!
//! The register at the remote knows what is lent; the file that a job has only repeats it. What nobody settles by its end is spent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::accounts::Accounts;
use super::caps::Caps;
use super::ledger::{Account, Alert, Ledger, Refusal};
use super::spend::month;
use crate::json;
use crate::money::Usd;
use crate::sha::Sha;

/// What the schema of the register must be.
const REGISTER: &str = "maestro.budget-register/v1";

/// What the schema of a job's file must be.
pub(crate) const FILE: &str = "maestro.lease/v1";

/// Leases that ended so long ago leave the register, once they are in the state.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 62);

/// What became of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// A job may spend it.
    Taken,
    /// Nobody settled it in time: all of it counts as spent.
    Expired,
    /// What was not spent is given back.
    Settled,
}

/// Money that is lent to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    #[serde(rename = "lease")]
    pub(crate) id: String,
    pub(crate) stage: Stage,
    pub(crate) pull_request: u64,
    pub(crate) usd: Usd,
    pub(crate) taken: Timestamp,
    pub(crate) expires: Timestamp,
    /// Who took it.
    pub(crate) run: String,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settled: Option<Timestamp>,
    /// What was spent of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spent_usd: Option<Usd>,
}

impl Lease {
    /// When it became what it is.
    pub(crate) fn since(&self) -> Timestamp {
        match self.stage {
            Stage::Taken => self.taken,
            Stage::Expired => self.expires,
            Stage::Settled => self.settled.unwrap_or(self.expires),
        }
    }

    /// Returns all that it stands for at a time: what was spent, or all of it.
    pub(crate) fn charge(&self) -> Usd {
        match self.stage {
            Stage::Settled => self.spent_usd.unwrap_or(self.usd),
            Stage::Taken | Stage::Expired => self.usd,
        }
    }
}

/// Why a lease cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LeaseProblem {
    #[error("{0}")]
    Json(String),
    #[error("its schema is `{found}`, and this version reads `{wanted}`")]
    Schema { found: String, wanted: &'static str },
    #[error("it was altered: its digest is another one")]
    Altered,
    #[error("it is of the repository `{found}`, and this is `{own}`")]
    OtherRepository { found: String, own: String },
    #[error("it was taken for attempt {attempt} of run `{run}`, which this is not")]
    OtherRun { run: String, attempt: u32 },
    #[error("the register does not have it")]
    Unknown,
    #[error("the register has other figures for it")]
    Differs,
    #[error("it was settled at {at}; ${spent} of it was spent")]
    Settled { at: Timestamp, spent: Usd },
    #[error("it ended at {at}, and all of it, ${usd}, counts as spent")]
    Expired { at: Timestamp, usd: Usd },
}

/// What a job has of its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.lease/v1"))]
pub(crate) struct LeaseFile {
    /// `maestro.lease/v1`
    pub(crate) schema: String,
    #[serde(rename = "lease")]
    pub(crate) id: String,
    /// As owner/name, or a digest of the remote's address.
    pub(crate) repository: String,
    pub(crate) pull_request: u64,
    /// A decimal in US dollars.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) usd: Usd,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) taken: Timestamp,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) expires: Timestamp,
    pub(crate) run: String,
    pub(crate) attempt: u32,
    /// The job that took it.
    pub(crate) job: String,
    /// Caps of the base branch, for those who cannot ask it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) per_call: Option<Usd>,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) per_task: Option<Usd>,
    pub(crate) alerts: Vec<u8>,
    /// SHA-256 of all of the above.
    pub(crate) sha256: String,
}

impl LeaseFile {
    pub(crate) fn new(lease: &Lease, repository: String, caps: &Caps) -> Self {
        let file = Self {
            schema: FILE.to_owned(),
            id: lease.id.clone(),
            repository,
            pull_request: lease.pull_request,
            usd: lease.usd,
            taken: lease.taken,
            expires: lease.expires,
            run: lease.run.clone(),
            attempt: lease.attempt,
            job: lease.job.clone(),
            per_call: caps.call,
            per_task: caps.task,
            alerts: caps.alerts.clone(),
            sha256: String::new(),
        };
        let sha256 = file.digest();
        Self { sha256, ..file }
    }

    fn digest(&self) -> String {
        let plain = Self {
            sha256: String::new(),
            ..self.clone()
        };
        // A value of these types always has a text.
        Sha::of(&json::bytes(&plain).unwrap_or_default()).to_string()
    }

    /// Reads a job's file, which anybody may have written.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, LeaseProblem> {
        let json = |error: serde_json::Error| LeaseProblem::Json(error.to_string());
        let value: Value = json::read(bytes).map_err(json)?;
        let schema = value["schema"].as_str().unwrap_or_default();
        if schema != FILE {
            return Err(LeaseProblem::Schema {
                found: schema.chars().take(80).collect(),
                wanted: FILE,
            });
        }
        let file: Self = serde_json::from_value(value).map_err(json)?;
        if file.digest() == file.sha256 {
            Ok(file)
        } else {
            Err(LeaseProblem::Altered)
        }
    }

    /// Whether it is of this repository.
    pub(crate) fn is_of(&self, repository: &str) -> Result<(), LeaseProblem> {
        if self.repository.eq_ignore_ascii_case(repository) {
            return Ok(());
        }
        Err(LeaseProblem::OtherRepository {
            found: self.repository.chars().take(200).collect(),
            own: repository.to_owned(),
        })
    }

    /// Returns the caps that hold for who spends it.
    pub(crate) fn caps(&self) -> Caps {
        Caps {
            call: self.per_call,
            task: self.per_task,
            pull_request: self.usd,
            month: None,
            alerts: self.alerts.clone(),
        }
    }
}

/// What is lent, at the remote. A newer version's fields survive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Register {
    schema: String,
    #[serde(default)]
    pub(crate) leases: BTreeMap<String, Lease>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            schema: REGISTER.to_owned(),
            leases: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }
}

impl Register {
    pub(crate) fn read(bytes: Option<&[u8]>) -> Result<Self, LeaseProblem> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        let json = |error: serde_json::Error| LeaseProblem::Json(error.to_string());
        let value: Value = json::read(bytes).map_err(json)?;
        let schema = value["schema"].as_str().unwrap_or_default();
        if schema != REGISTER {
            return Err(LeaseProblem::Schema {
                found: schema.chars().take(80).collect(),
                wanted: REGISTER,
            });
        }
        serde_json::from_value(value).map_err(json)
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, LeaseProblem> {
        let bytes = json::pretty_bytes(self);
        let mut bytes = bytes.map_err(|error| LeaseProblem::Json(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Marks what nobody settled in time; returns what is so since now.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<Lease> {
        let mut expired = Vec::new();
        for lease in self.leases.values_mut() {
            if lease.stage == Stage::Taken && now >= lease.expires {
                lease.stage = Stage::Expired;
                expired.push(lease.clone());
            }
        }
        expired
    }

    /// Lends, when it fits under the caps of the pull request and of the month. `known` is what the state has. Returns the shares of caps
    /// that are spent or lent by now and were not before.
    pub(crate) fn lend(
        &mut self,
        lease: Lease,
        known: &Accounts,
        caps: &Caps,
        now: Timestamp,
    ) -> Result<Vec<Alert>, Refusal> {
        let mut accounts = known.clone();
        for lease in self.leases.values() {
            accounts.add_lease(lease.clone());
        }
        let (mut subject, mut in_month) = (Usd::ZERO, Usd::ZERO);
        let this_month = month(now);
        for paid in accounts.elsewhere() {
            if paid.pull_request == Some(lease.pull_request) {
                subject = subject.saturating_add(paid.usd);
            }
            if month(paid.at) == this_month {
                in_month = in_month.saturating_add(paid.usd);
            }
        }
        let mut ledger = Ledger::new(None, caps.alerts.clone());
        ledger.open(Account::PullRequest, Some(caps.pull_request), subject);
        ledger.open(Account::Month, caps.month, in_month);
        let both = [Account::PullRequest, Account::Month];
        ledger.reserve(&lease.id, &both, lease.usd)?;
        let settled = ledger.settle(&lease.id, lease.usd).unwrap_or_default();
        let long_ago = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.leases.retain(|id, old| {
            let is_over = old.stage != Stage::Taken && old.expires < long_ago;
            !(is_over
                && known
                    .lease(id)
                    .is_some_and(|known| known.stage == old.stage))
        });
        self.leases.insert(lease.id.clone(), lease);
        Ok(settled.alerts)
    }

    /// Whether a job's file is what was lent, and still is.
    pub(crate) fn find(&self, file: &LeaseFile, now: Timestamp) -> Result<&Lease, LeaseProblem> {
        let lease = self.leases.get(&file.id).ok_or(LeaseProblem::Unknown)?;
        let is_same = lease.usd == file.usd
            && lease.pull_request == file.pull_request
            && lease.expires == file.expires
            && lease.taken == file.taken;
        if !is_same {
            return Err(LeaseProblem::Differs);
        }
        match lease.stage {
            Stage::Settled => Err(LeaseProblem::Settled {
                at: lease.settled.unwrap_or(lease.expires),
                spent: lease.charge(),
            }),
            Stage::Taken if now < lease.expires => Ok(lease),
            Stage::Taken | Stage::Expired => Err(LeaseProblem::Expired {
                at: lease.expires,
                usd: lease.usd,
            }),
        }
    }

    /// Gives back what was not spent.
    pub(crate) fn settle(
        &mut self,
        file: &LeaseFile,
        spent: Usd,
        now: Timestamp,
    ) -> Result<Lease, LeaseProblem> {
        self.find(file, now)?;
        let lease = self.leases.get_mut(&file.id).ok_or(LeaseProblem::Unknown)?;
        lease.stage = Stage::Settled;
        lease.settled = Some(now);
        lease.spent_usd = Some(spent);
        Ok(lease.clone())
    }
}

#[cfg(test)]
pub(crate) mod tests;
