//! Go: modules and workspaces.

use std::collections::BTreeSet;

use super::{at, name, roots, selectors, within};
use crate::plan::graph::Kind;
use crate::setup::{Job, Proposal, Seen, Tool};

pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    let roots = roots(seen, Kind::Go);
    let is_only = roots.len() == 1;
    for root in &roots {
        let is_workspace = seen.sources.has(&at(root, "go.work"));
        let has_tool = seen
            .sources
            .text(&at(root, "go.mod"))
            .is_some_and(|text| text.contains("tool gotest.tools/gotestsum"));
        let mut job = Job {
            name: name("go", root, is_only),
            projects: selectors(seen, Kind::Go, root, is_only),
            tools: BTreeSet::from([Tool::Go]),
            ..Job::default()
        };
        let command = if is_workspace {
            // `./...` stays within one module; this names the packages of each.
            "go list -f '{{.Dir}}/...' -m | xargs go test"
        } else if has_tool {
            job.junit = Some(at(root, "gotestsum.xml"));
            "go tool gotestsum --junitfile gotestsum.xml ./..."
        } else {
            "go test ./..."
        };
        job.run = Some(within(root, command));
        if job.junit.is_none() {
            job.comments = vec![format!(
                "For test reports: `go get -tool gotest.tools/gotestsum`; then run: {}, junit: {}",
                within(root, "go tool gotestsum --junitfile gotestsum.xml ./..."),
                at(root, "gotestsum.xml")
            )];
        }
        proposal.found.push(format!(
            "Go in `{}`",
            if root.is_empty() { "." } else { root }
        ));
        proposal.add(job);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::jobs;

    #[test]
    fn a_module_is_tested_whole() {
        assert_eq!(jobs(&[("go.mod", "module x")]), ["go: go test ./... -> -"]);
    }

    #[test]
    fn gotestsum_is_used_where_it_is_a_tool_of_the_module() {
        let module = "module x\n\ntool gotest.tools/gotestsum\n";
        let wanted = "go: go tool gotestsum --junitfile gotestsum.xml ./... -> gotestsum.xml";
        assert_eq!(jobs(&[("go.mod", module)]), [wanted]);
    }

    #[test]
    fn a_workspace_tests_every_module() {
        let files = [
            ("go.work", "go 1.24\nuse (\n\t./a\n\t./b\n)\n"),
            ("a/go.mod", "module a"),
            ("b/go.mod", "module b"),
        ];
        let wanted = "go: go list -f '{{.Dir}}/...' -m | xargs go test -> -";
        assert_eq!(jobs(&files), [wanted]);
    }
}
