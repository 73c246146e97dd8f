//! Graphs of earlier plans: most changes touch no manifest, and then nothing needs to be read again.

use std::collections::HashSet;

use crate::json;
use crate::plan::graph::Graph;
use crate::plan::links::Links;
use crate::plan::sources::Asked;
use crate::sha::Sha;

/// Another way of reading graphs is another version; so is another version of maestro.
pub(crate) const VERSION: &str = concat!("maestro graphs 5 ", env!("CARGO_PKG_VERSION"));

/// Of more graphs, those that were used longest ago go.
const MOST: usize = 48;

/// What is kept, one graph a line, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    text: String,
    new: Vec<(String, String)>,
}

impl Kept {
    /// Takes over what an earlier plan kept; what is no such text is nothing.
    pub(crate) fn parse(text: String) -> Self {
        let is_ours = text.lines().next() == Some(VERSION);
        Self {
            text: if is_ours { text } else { String::new() },
            new: Vec::new(),
        }
    }

    /// Returns the graphs of a digest of what they were read from, each with what else was asked.
    pub(crate) fn find(&self, key: &Sha) -> Vec<(Asked, Graph, Links)> {
        let key = key.to_string();
        let lines = self.text.lines().skip(1);
        let lines = lines.filter_map(|line| line.strip_prefix(&key)?.strip_prefix('\t'));
        lines
            .filter_map(|line| json::read(line.split_once('\t')?.1).ok())
            .collect()
    }

    /// Adds a graph that was read.
    pub(crate) fn add(&mut self, key: Sha, asked: &Asked, graph: &Graph, links: &Links) {
        // A replay reads more of them than anybody will want again.
        if self.new.len() < MOST
            && let Ok(json) = json::text(&(asked, graph, links))
        {
            let asked = Sha::of(format!("{asked:?}").as_bytes());
            self.new.push((format!("{key}\t{asked}"), json));
        }
    }

    pub(crate) fn is_new(&self) -> bool {
        !self.new.is_empty()
    }

    /// Returns the text that [`Self::parse`] reads.
    pub(crate) fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let new = self.new.iter().map(|(key, json)| format!("{key}\t{json}"));
        let old = self.text.lines().skip(1).map(str::to_owned);
        let mut seen = HashSet::new();
        for line in new.chain(old) {
            let key: Vec<&str> = line.splitn(3, '\t').take(2).collect();
            let key = key.join("\t");
            if lines.len() < MOST && seen.insert(key) {
                lines.push(line);
            }
        }
        format!("{VERSION}\n{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::graph::tests::read;

    #[test]
    fn a_graph_reads_back_as_it_was_kept() {
        let files = [
            ("Cargo.toml", "[workspace]\nmembers=['a']"),
            ("a/Cargo.toml", "[package]\nname='a'"),
            ("compose.yml", "services:\n  s:\n    build: a\n"),
            ("a/Dockerfile", "FROM x\nCOPY src/*.rs .\n"),
        ];
        let graph = read(&files);
        let key = Sha::of(b"x");
        let mut kept = Kept::default();
        let asked = Asked::from([("a/x.lock".to_owned(), false)]);
        kept.add(key, &asked, &graph, &Links::default());
        let other = Asked::from([("a/x.lock".to_owned(), true)]);
        kept.add(key, &other, &graph, &Links::default());
        let text = kept.text();
        let read = Kept::parse(text.clone()).find(&key);
        assert_eq!((read.len(), &read[0].0, &read[0].1), (2, &asked, &graph));
        assert_eq!(Kept::parse(text.clone()).text(), text);
        assert!(Kept::parse(text).find(&Sha::of(b"y")).is_empty());
        assert!(Kept::parse("other".into()).find(&key).is_empty());
    }
}
