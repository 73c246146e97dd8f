//! What happened to one test since a day, for deciding whether it is well.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::history::{History, executions};

impl History {
    /// Returns a test's executions since the beginning of a day (UTC), and how many of them failed.
    pub(crate) fn since(&self, test: u32, since: Date) -> (u64, u64) {
        let mut sum = (0, 0);
        for run in &self.runs {
            if run.at.to_zoned(TimeZone::UTC).date() < since {
                continue;
            }
            let Some(place) = self.lists.place(&run.list, test) else {
                continue;
            };
            if run.is_absent(place) {
                continue;
            }
            let differs = run
                .differs
                .binary_search_by_key(&place, |(differs, _)| *differs);
            let sequence = match differs {
                Ok(at) => self.sequences.text(run.differs[at].1),
                Err(_) => self.expected(&run.list, place),
            };
            let (runs, failures) = executions(sequence);
            sum = (sum.0 + runs, sum.1 + failures);
        }
        sum
    }
}
