//! Who is affected when some are: everyone who depends on them, in any of the graphs, and by which way.

use std::collections::{BTreeMap, VecDeque};

use super::graph::Graph;

/// Why a project is affected by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cause {
    /// Stable.
    pub(crate) code: &'static str,
    /// The changed path that it comes from, if it is one.
    pub(crate) path: Option<String>,
    /// For people.
    pub(crate) detail: String,
}

/// How a change reaches a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// By itself.
    Cause(Cause),
    /// It depends on an affected one.
    Through(String),
}

/// Affected projects, each with the first step of a shortest way to a cause.
pub(crate) type Affected = BTreeMap<String, Way>;

/// Returns the seeds and all that depend on them in one of the graphs.
pub(crate) fn close(seeds: &BTreeMap<String, Cause>, graphs: &[&Graph]) -> Affected {
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for graph in graphs {
        for (from, on) in graph.edges() {
            dependents.entry(on).or_default().push(from);
        }
    }
    for list in dependents.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    let own = seeds
        .iter()
        .map(|(id, cause)| (id.clone(), Way::Cause(cause.clone())));
    let mut affected: Affected = crate::order::map(own);
    // In order of ids, so that of several shortest ways it is always the same one.
    let mut open: VecDeque<&str> = seeds.keys().map(String::as_str).collect();
    while let Some(id) = open.pop_front() {
        for dependent in dependents.get(id).map(Vec::as_slice).unwrap_or_default() {
            if !affected.contains_key(*dependent) {
                affected.insert((*dependent).to_owned(), Way::Through(id.to_owned()));
                open.push_back(dependent);
            }
        }
    }
    affected
}

/// Returns the way from a cause to a project: the cause, and the projects from the one that it is about to the one asked for.
pub(crate) fn way<'a>(affected: &'a Affected, id: &'a str) -> Option<(&'a Cause, Vec<&'a str>)> {
    let mut projects = vec![id];
    let mut at = id;
    loop {
        match affected.get(at)? {
            Way::Cause(cause) => {
                projects.reverse();
                return Some((cause, projects));
            }
            Way::Through(next) => {
                projects.push(next);
                at = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::graph::{Kind, Project};

    fn graph(edges: &[(u8, u8)]) -> Graph {
        let mut graph = Graph::default();
        for dir in 0..8_u8 {
            graph.add(Project::new(Kind::Npm, dir.to_string(), ""));
        }
        for (from, on) in edges {
            graph.depend(&format!("npm:{from}"), &format!("npm:{on}"));
        }
        graph
    }

    fn seeds(ids: &[u8]) -> BTreeMap<String, Cause> {
        let cause = Cause {
            code: "changed-file",
            path: Some("x".into()),
            detail: String::new(),
        };
        ids.iter()
            .map(|id| (format!("npm:{id}"), cause.clone()))
            .collect()
    }

    #[test]
    fn the_way_is_a_shortest_one() {
        let graph = graph(&[(1, 0), (2, 1), (3, 2), (3, 1)]);
        let affected = close(&seeds(&[0]), &[&graph]);
        assert_eq!(
            way(&affected, "npm:3").unwrap().1,
            ["npm:0", "npm:1", "npm:3"]
        );
        assert_eq!(affected.len(), 4);
    }

    #[test]
    fn an_edge_of_either_graph_counts() {
        let (old, new) = (graph(&[(1, 0)]), graph(&[(2, 1)]));
        let affected = close(&seeds(&[0]), &[&old, &new]);
        assert_eq!(
            affected.keys().collect::<Vec<_>>(),
            ["npm:0", "npm:1", "npm:2"]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn more_seeds_and_more_edges_never_affect_less(
            edges in proptest::collection::vec((0..8_u8, 0..8_u8), 0..16),
            more in proptest::collection::vec((0..8_u8, 0..8_u8), 0..4),
            some in proptest::collection::vec(0..8_u8, 0..4),
            others in proptest::collection::vec(0..8_u8, 0..4),
        ) {
            let small = close(&seeds(&some), &[&graph(&edges)]);
            let all: Vec<u8> = some.iter().chain(&others).copied().collect();
            let large = close(&seeds(&all), &[&graph(&edges), &graph(&more)]);
            prop_assert!(small.keys().all(|id| large.contains_key(id)));
            for id in large.keys() {
                let (_, projects) = way(&large, id).unwrap();
                for step in projects.windows(2) {
                    let number = |id: &str| id[4..].parse::<u8>().unwrap();
                    let edge = (number(step[1]), number(step[0]));
                    prop_assert!(edges.contains(&edge) || more.contains(&edge));
                }
            }
        }
    }
}
