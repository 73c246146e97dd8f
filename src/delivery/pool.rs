//! Rows of many repositories. Each is linked by itself, so that a deployment of one never ships a commit of another and equal numbers stay two rows;
//! then what was counted is put together: a median of all is one of all rows, and never one of medians.

use jiff::Timestamp;

use super::account::{Account, accounts};
use super::ask::{Ask, Source};
use super::metrics::{self, Metric, lead_time};
use super::splits::{self, By};
use super::table::{Kind, Ref, Rows};

/// What is said where repositories take deployments from different sources.
pub(crate) const SEVERAL: &str = "several";

/// A repository and its rows.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// As `owner/name`, or how else it was named; empty where only one is meant.
    pub(crate) name: String,
    pub(crate) rows: Rows,
}

/// Repositories, in the order in which they were named.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) list: Vec<Repository>,
}

/// What one repository says.
#[derive(Debug)]
pub(crate) struct Each {
    /// What its deployments were taken from; none where there are none.
    pub(crate) source: Option<Source>,
    /// Values and counts; evidence and what was left out are those of the pool.
    pub(crate) metrics: Vec<Metric>,
}

/// What a pool says.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) accounts: Vec<Account>,
    /// In the order of the pool.
    pub(crate) each: Vec<Each>,
}

impl Pool {
    /// Returns a pool of one repository, which needs no name.
    pub(crate) fn of(rows: Rows) -> Self {
        let name = String::new();
        Self {
            list: vec![Repository { name, rows }],
        }
    }

    /// Returns the name of a row's repository, where there is more than one.
    pub(crate) fn name(&self, row: Ref) -> Option<&str> {
        let found = self.list.get(row.repository as usize)?;
        (!found.name.is_empty()).then_some(found.name.as_str())
    }

    /// Returns what people know a row by, within its repository.
    pub(crate) fn id(&self, row: Ref) -> String {
        let found = self.list.get(row.repository as usize);
        found.map_or(String::new(), |found| found.rows.id(row))
    }

    /// Returns where a row can be looked at; empty where nobody said.
    pub(crate) fn url(&self, row: Ref) -> &str {
        let found = self.list.get(row.repository as usize);
        found.map_or("", |found| found.rows.url(row))
    }

    /// Returns the earliest time that a change or deployment tells of.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.list.iter().filter_map(|one| one.rows.earliest()).min()
    }

    /// Returns how many rows there are of a kind.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.list.iter().map(|one| one.rows.count(kind)).sum()
    }

    /// Returns how many readings there are of rows of which there is a later one.
    pub(crate) fn repeated(&self) -> usize {
        self.list.iter().map(|one| one.rows.repeated).sum()
    }
}

/// Works out what every repository says, and what all of them say together.
pub(crate) fn measure(pool: &Pool, ask: &Ask<'_>) -> Measured {
    let none = Rows::default();
    let rows: Vec<&Rows> = match pool.list.as_slice() {
        [] => vec![&none],
        list => list.iter().map(|one| &one.rows).collect(),
    };
    let mut whole: Option<Measured> = None;
    for (number, rows) in (0_u32..).zip(rows) {
        let (each, own) = one(rows, ask, number);
        match &mut whole {
            None => whole = Some(own),
            Some(whole) => whole.add(own),
        }
        if let Some(whole) = &mut whole
            && !pool.list.is_empty()
        {
            whole.each.push(each);
        }
    }
    let mut whole = whole.unwrap_or(Measured {
        metrics: Vec::new(),
        accounts: Vec::new(),
        each: Vec::new(),
    });
    if pool.list.len() > 1 {
        for metric in &mut whole.metrics {
            metric.value = metrics::value(metric.id, &metric.evidence, ask);
            let had = metric.business.is_some();
            metric.business = lead_time::business(&metric.evidence, ask).filter(|_| had);
        }
    }
    whole
}

/// Says what one repository's rows come to, with rows that know which repository they are of.
fn one(rows: &Rows, ask: &Ask<'_>, number: u32) -> (Each, Measured) {
    metrics::of(rows, ask, &mut |history, mut metrics| {
        let accounts = accounts(history, &metrics);
        let values = metrics.iter().map(Metric::without_rows).collect();
        for metric in &mut metrics {
            metric.each_row(&mut |row| row.repository = number);
        }
        let each = Each {
            source: history
                .shipped
                .source
                .filter(|_| !history.shipped.list.is_empty()),
            metrics: values,
        };
        let own = Measured {
            metrics,
            accounts,
            each: Vec::new(),
        };
        (each, own)
    })
}

impl Measured {
    /// Adds another repository's rows and counts; values are worked out anew afterwards.
    fn add(&mut self, other: Self) {
        for (metric, more) in self.metrics.iter_mut().zip(other.metrics) {
            metric.evidence.extend(more.evidence);
            metric.left_out.extend(more.left_out);
            metric.rows += more.rows;
            metric.counted += more.counted;
        }
        for (account, more) in self.accounts.iter_mut().zip(other.accounts) {
            account.rows += more.rows;
            account.counted += more.counted;
            account.context += more.context;
            account.unexplained += more.unexplained;
            for (reason, rows) in more.left_out {
                *account.left_out.entry(reason).or_default() += rows;
            }
        }
    }

    /// Says what deployments were taken from: `several` where repositories differ, nothing where there are none.
    pub(crate) fn source(&self) -> Option<&'static str> {
        let mut found = self.each.iter().filter_map(|each| each.source);
        let first = found.next()?;
        let is_one = found.all(|source| source == first);
        Some(if is_one { first.word() } else { SEVERAL })
    }
}

/// Works out the metrics of each part of a pool, the largest first.
pub(crate) fn parts(pool: &Pool, ask: &Ask<'_>, by: By) -> Vec<(String, Vec<Metric>)> {
    let names = splits::names(pool.list.iter().map(|one| &one.rows), by);
    let parts = names.into_iter().map(|name| {
        let metrics = measure(pool, &splits::narrowed(ask, by, &name)).metrics;
        (name, metrics)
    });
    parts.collect()
}
