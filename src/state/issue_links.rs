//! Links: which clusters of tests are known, and which issues are theirs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::disk::{StateError, StateFolder};
use super::v1::{self, ISSUE_LINK};
use crate::flakes::escalation::Link;
use crate::sha::Sha;

impl StateFolder<'_> {
    /// Returns what is known of every cluster: of several events of one, the newest counts, wherever it is stored.
    pub(crate) fn issue_links(&self) -> Result<Vec<Link>, StateError> {
        let mut newest: BTreeMap<String, ((Timestamp, Sha), Link)> = BTreeMap::new();
        self.read(&|kind, _| kind == ISSUE_LINK, &mut |event| {
            let link = v1::decode_issue_link(event)?;
            let at = (event.at, event.id);
            let is_older = |(before, _): &((Timestamp, Sha), Link)| *before >= at;
            if !newest.get(&link.cluster).is_some_and(is_older) {
                newest.insert(link.cluster.clone(), (at, link));
            }
            Ok(())
        })?;
        Ok(newest.into_values().map(|(_, link)| link).collect())
    }

    /// Stores what is known of clusters.
    pub(crate) fn save_issue_links(&self, links: &[Link], at: Timestamp) -> Result<(), StateError> {
        if links.is_empty() {
            return Ok(());
        }
        let events = links.iter().map(|link| v1::encode_issue_link(link, at));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        self.save(&events).map(drop)
    }
}
