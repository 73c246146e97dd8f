//! Components: what the configuration declares where no manifest says it.

use std::collections::BTreeMap;

use super::patterns::{BadGlob, Patterns};
use super::{Graph, Kind, Project, Scope};

/// A component, as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Component {
    pub(crate) paths: Patterns,
    /// Components by name, other projects by id.
    pub(crate) depends_on: Vec<String>,
}

/// The components of a configuration, by name.
pub(crate) type Components = BTreeMap<String, Component>;

impl Component {
    pub(crate) fn new(paths: &[String], depends_on: &[String]) -> Result<Self, BadGlob> {
        Ok(Self {
            paths: Patterns::new(paths)?,
            depends_on: depends_on.to_vec(),
        })
    }
}

/// Adds the components and their edges; manifests are read before.
pub(super) fn read(components: &Components, graph: &mut Graph) {
    for (name, component) in components {
        let mut project = Project::new(Kind::Component, "", name);
        project.scope = Scope::Nothing;
        project.patterns = Some(component.paths.clone());
        graph.add(project);
    }
    for (name, component) in components {
        let from = format!("component:{name}");
        for on in &component.depends_on {
            let on = if on.contains(':') {
                on.clone()
            } else {
                format!("component:{on}")
            };
            graph.depend(&from, &on);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::graph::tests::dependents;

    #[test]
    fn a_component_depends_on_components_and_projects() {
        let component = |on: &[&str]| {
            let on: Vec<String> = on.iter().map(|on| (*on).to_owned()).collect();
            Component::new(&["x/**".to_owned()], &on).unwrap()
        };
        let components = [("a", component(&[])), ("b", component(&["a", "npm:web"]))];
        let components = components
            .into_iter()
            .map(|(name, one)| (name.to_owned(), one))
            .collect();
        let mut graph = Graph::default();
        graph.add(Project::new(Kind::Npm, "web", "web"));
        read(&components, &mut graph);
        assert_eq!(dependents(&graph, "component:a"), ["component:b"]);
        assert_eq!(dependents(&graph, "npm:web"), ["component:b"]);
    }
}
