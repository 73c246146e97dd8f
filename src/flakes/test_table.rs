//! Tests by number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Suites by number, names end to end: a million tests take their names and sixteen bytes each.
#[derive(Debug, Default)]
pub(crate) struct TestTable {
    names: String,
    rows: Vec<(u32, usize, u32)>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl TestTable {
    fn name(names: &str, row: (u32, usize, u32)) -> &str {
        &names[row.1..row.1 + row.2 as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns suite and name of a test.
    pub(crate) fn get(&self, test: u32) -> (u32, &str) {
        let row = self.rows[test as usize];
        (row.0, Self::name(&self.names, row))
    }

    /// Returns the number of a test that is known.
    pub(crate) fn find(&self, suite: u32, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one((suite, name));
        let found = self.table.find(hash, |&at| self.get(at) == (suite, name));
        found.copied()
    }

    /// Returns the number of a test, a new one when it was not known.
    pub(crate) fn number(&mut self, suite: u32, name: &str) -> u32 {
        if let Some(at) = self.find(suite, name) {
            return at;
        }
        let hash = self.hasher.hash_one((suite, name));
        let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        self.rows.push((suite, self.names.len(), length));
        self.names.push_str(name);
        let (rows, names, hasher) = (&self.rows, &self.names, &self.hasher);
        self.table.insert_unique(hash, at, |&at| {
            let row = rows[at as usize];
            hasher.hash_one((row.0, Self::name(names, row)))
        });
        at
    }
}
