//! `instructions`: files that tell coding agents what to do, and what CI and git run by themselves.
//!
//! What an agent writes there, the next one obeys. Names are those of the programs' documentation (Claude Code, Codex and others' AGENTS.md, Cursor, Copilot,
//! Gemini CLI, Windsurf, Cline, Aider, MCP).

use super::{About, Outgoing, Place, Weight};
use crate::policy::paths::folded;

pub(super) const ABOUT: About = About {
    name: "instructions",
    what: "a file that the next agent obeys, or that runs by itself",
    fix: "leave it out of the change; where the issue is about it, a person lets it through: --allow instructions",
    may_be_allowed: true,
};

/// Names of files, wherever they lie, in small letters.
const NAMES: [&str; 14] = [
    ".aider.conf.yml",
    ".clinerules",
    ".cursorrules",
    ".goosehints",
    ".mcp.json",
    ".roorules",
    ".windsurfrules",
    "agent.md",
    "agents.md",
    "agents.override.md",
    "claude.local.md",
    "claude.md",
    "copilot-instructions.md",
    "gemini.md",
];

/// Folders, wherever they lie.
const FOLDERS: [&str; 14] = [
    ".agents",
    ".claude",
    ".clinerules",
    ".codex",
    ".continue",
    ".cursor",
    ".gemini",
    ".github/agents",
    ".github/chatmodes",
    ".github/instructions",
    ".github/prompts",
    ".junie",
    ".roo",
    ".windsurf",
];

/// Folders of what CI and git run; the policy's rule `ci-code` knows more, and decides.
const RUN: [&str; 5] = [
    ".github/actions",
    ".github/workflows",
    ".githooks",
    ".husky",
    ".vscode",
];

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    for file in outgoing.files {
        let path = format!("/{}", folded(&file.path));
        let name = path.rsplit('/').next().unwrap_or_default();
        let lies_in = |folder: &&'static str| path.contains(&format!("/{folder}/"));
        let place = || Place::File {
            path: file.path.clone(),
            line: None,
        };
        if NAMES.contains(&name) || FOLDERS.iter().any(lies_in) {
            let observed = "agents read it as instructions".to_owned();
            found(Weight::Block, place(), observed);
        } else if RUN.iter().any(lies_in) {
            found(Weight::Warn, place(), "it runs by itself".to_owned());
        }
    }
}
