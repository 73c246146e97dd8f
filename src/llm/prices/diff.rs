//! What changed between two tables of prices, as both hold at one time.
//!
//! Tables of different sources name models differently, so that a model of one is looked up in the other as a call of it would be.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rates::Rates;
use super::{Model, Provider, Table};
use crate::money::Usd;

/// A rate that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) provider: String,
    pub(crate) model: String,
    /// What is paid for, in the table's words.
    pub(crate) what: &'static str,
    /// In requests with more input than this.
    pub(crate) above: u64,
    /// A token's price, or a request's.
    pub(crate) old: Option<Usd>,
    pub(crate) new: Option<Usd>,
}

/// Models by provider and name.
pub(crate) type Names = Vec<(String, String)>;

/// What changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) changes: Vec<Change>,
    /// Models that only the new table has a price for.
    pub(crate) added: Names,
    /// Models that only the old table has a price for.
    pub(crate) removed: Names,
    /// Models whose prices are the same.
    pub(crate) same: u64,
}

/// Compares two tables.
pub(crate) fn compare(old: &Table, new: &Table, at: Timestamp) -> Difference {
    let mut difference = Difference::default();
    for provider in &old.providers {
        for model in &provider.models {
            let key = || (provider.id.clone(), model.id.clone());
            let Some(other) = find(new, provider, model) else {
                difference.removed.push(key());
                continue;
            };
            let changes = changes(provider, model, other, at);
            difference.same += u64::from(changes.is_empty());
            difference.changes.extend(changes);
        }
        if let Some(other) = new.provider(&provider.id)
            && other.web_search != provider.web_search
        {
            difference.changes.push(Change {
                provider: provider.id.clone(),
                model: "*".to_owned(),
                what: "web_search",
                above: 0,
                old: provider.web_search,
                new: other.web_search,
            });
        }
    }
    for provider in &new.providers {
        let missing = provider
            .models
            .iter()
            .filter(|model| find(old, provider, model).is_none());
        let missing = missing.map(|model| (provider.id.clone(), model.id.clone()));
        difference.added.extend(missing);
    }
    difference
}

/// Returns what a table calls a model of another one.
fn find<'t>(table: &'t Table, provider: &Provider, model: &Model) -> Option<&'t Model> {
    let same = table.provider(&provider.id)?;
    let by_id = same.models.iter().find(|other| other.id == model.id);
    by_id.or_else(|| {
        let names = std::iter::once(model.id.as_str()).chain(model.rule.names());
        let mut found = names.filter_map(|name| table.model(&provider.id, name).ok());
        found.next().map(|(_, model)| model)
    })
}

fn changes(provider: &Provider, old: &Model, new: &Model, at: Timestamp) -> Vec<Change> {
    let (before, after) = (old.rates(at), new.rates(at));
    let mut starts: BTreeSet<u64> = before.starts();
    starts.extend(after.starts());
    starts.insert(0);
    let change = |what, above, old_price, new_price| Change {
        provider: provider.id.clone(),
        model: old.id.clone(),
        what,
        above,
        old: old_price,
        new: new_price,
    };
    let mut changes = Vec::new();
    for (kind, what) in Rates::KEYS.into_iter().enumerate() {
        for above in &starts {
            let of = |rates: &Rates| rates.of(kind, above.saturating_add(1));
            let (old_price, new_price) = (of(before), of(after));
            if old_price != new_price {
                changes.push(change(what, *above, old_price, new_price));
            }
        }
    }
    if before.request != after.request {
        changes.push(change("requests_kcount", 0, before.request, after.request));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(models: &str) -> Table {
        let text = format!(
            r#"{{"schema": "maestro.prices/v1", "source": "s", "date": "d", "currency": "USD", "providers": [{{"id": "p", "models": [{models}]}}]}}"#
        );
        Table::read(&text).unwrap()
    }

    #[test]
    fn a_table_is_like_itself() {
        let table = Table::built_in().unwrap();
        let difference = compare(&table, &table, Timestamp::UNIX_EPOCH);
        assert_eq!(
            (difference.changes, difference.added, difference.removed),
            (vec![], vec![], vec![])
        );
        assert!(difference.same > 200);
    }

    #[test]
    fn what_changed_is_named_with_both_prices() {
        let old = table(
            r#"{"id": "a", "match": {"starts_with": "a-"}, "prices": {"input_mtok": 1, "output_mtok": 5}},
               {"id": "gone", "match": {"equals": "gone"}, "prices": {"input_mtok": 1}}"#,
        );
        let new = table(
            r#"{"id": "a-1", "match": {"starts_with": "a-"}, "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 200000, "price": 2}]}, "output_mtok": 4}},
               {"id": "b", "match": {"equals": "b"}, "prices": {"input_mtok": 1}}"#,
        );
        let difference = compare(&old, &new, Timestamp::UNIX_EPOCH);
        let usd = |pico| Some(Usd::from_pico(pico));
        let change = |what, above, old, new| Change {
            provider: "p".into(),
            model: "a".into(),
            what,
            above,
            old,
            new,
        };
        assert_eq!(
            difference.changes,
            [
                change("input_mtok", 200_000, usd(1_000_000), usd(2_000_000)),
                change("output_mtok", 0, usd(5_000_000), usd(4_000_000)),
                change("output_mtok", 200_000, usd(5_000_000), usd(4_000_000)),
            ]
        );
        assert_eq!(difference.removed, [("p".to_owned(), "gone".to_owned())]);
        assert_eq!(difference.added, [("p".to_owned(), "b".to_owned())]);
    }
}
