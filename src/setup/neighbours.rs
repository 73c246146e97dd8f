//! Files of other tools that a person should know of: what they are to maestro, and what to do.

use super::{Proposal, Seen, is_workflow};
use crate::plan::sources::{file_name, folder_of};

/// Says what was found beside the projects.
pub(super) fn notice(seen: Seen<'_>, proposal: &mut Proposal) {
    mobile(seen, proposal);
    let mut workflows = 0_u32;
    for (path, _) in seen.sources.tree.iter() {
        if is_workflow(path) {
            workflows += 1;
            workflow(seen, path, proposal);
        }
        if let Some((code, words)) = known(path) {
            proposal.notice(code, path, words);
        }
    }
    if workflows > 0 {
        let words = "what is there stays as it is: maestro runs beside it until you take it out";
        proposal.notice("workflows", ".github/workflows", words);
    }
}

fn known(path: &str) -> Option<(&'static str, &'static str)> {
    Some(match path {
        "CODEOWNERS" | ".github/CODEOWNERS" | "docs/CODEOWNERS" => {
            ("codeowners", "owners of flaky tests are read from it")
        }
        "nx.json" => (
            "nx",
            "`maestro init --from nx` takes over its targets and shared inputs",
        ),
        "turbo.json" | "turbo.jsonc" => (
            "turbo",
            "`maestro init --from turbo` takes over its tasks and global dependencies",
        ),
        _ => return None,
    })
}

fn workflow(seen: Seen<'_>, path: &str, proposal: &mut Proposal) {
    let text = seen.sources.text(path).unwrap_or_default();
    if text.contains("dorny/paths-filter@") {
        proposal.notice(
            "paths-filter",
            path,
            "it chooses jobs by dorny/paths-filter; `maestro init --from paths-filter` takes its filters over",
        );
    }
    if text.contains("pull_request_target") {
        proposal.notice(
            "pull-request-target",
            path,
            "it runs on `pull_request_target`, with the rights of the base branch: let it run no code of a pull request",
        );
    }
}

/// The tool for testing mobile apps that has the same name keeps `config.yaml` and flows, often in `.maestro` as well.
fn mobile(seen: Seen<'_>, proposal: &mut Proposal) {
    let mut files = seen.sources.tree.iter().map(|(path, _)| path);
    let found = files.find(|path| {
        let is_ours = matches!(
            file_name(path),
            "maestro.yaml" | "policy.yaml" | "maestro.yml" | "policy.yml"
        );
        folder_of(path) == ".maestro" && !is_ours && seen.sources.text(path).is_some_and(is_flow)
    });
    if let Some(path) = found {
        proposal.notice(MOBILE, path, MOBILE_WORDS);
    }
}

/// The notice that the folder is another tool's as well.
const MOBILE: &str = "mobile-maestro";

const MOBILE_WORDS: &str = "the folder `.maestro` belongs to the mobile test tool of the same name too. Both can live there: ours are maestro.yaml, \
    policy.yaml, ci_budget.json and init.json, and nothing of it is changed. Where its flows are found by the folder (`maestro test .maestro`), take another \
    folder for ours: `maestro init --dir .ci-maestro`, and MAESTRO_DIR in the workflows";

/// Whether a YAML file is a flow or the workspace's configuration of that tool: keys at the margin.
fn is_flow(text: &str) -> bool {
    let mut lines = text.lines();
    lines.any(|line| line.starts_with("appId:") || line.starts_with("flows:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
        look(files, |seen| {
            let mut proposal = Proposal::default();
            notice(seen, &mut proposal);
            proposal.notices.iter().map(|one| one.code).collect()
        })
    }

    #[test]
    fn the_mobile_tool_is_noticed_by_its_keys() {
        assert_eq!(
            codes(&[(".maestro/config.yaml", "flows:\n  - a\n")]),
            [MOBILE]
        );
        assert_eq!(
            codes(&[(".maestro/login.yaml", "appId: com.x\n---\n")]),
            [MOBILE]
        );
        assert!(codes(&[(".maestro/maestro.yaml", "jobs: {}\n")]).is_empty());
        assert!(codes(&[("app/config.yaml", "flows: []\n")]).is_empty());
    }

    #[test]
    fn other_planners_are_named_with_what_takes_them_over() {
        let workflow = "jobs: {a: {steps: [{uses: dorny/paths-filter@v3}]}}";
        let seen = codes(&[
            (".github/workflows/ci.yml", workflow),
            ("CODEOWNERS", "* @a"),
            ("nx.json", "{}"),
            ("turbo.json", "{}"),
        ]);
        let wanted = ["paths-filter", "codeowners", "nx", "turbo", "workflows"];
        assert_eq!(seen, wanted);
    }
}
