//! The files by which steps talk to their runner, commands in what they print, and files of a workspace.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::harness::files_below;

/// Reads `GITHUB_OUTPUT` or `GITHUB_ENV`: `name=value`, or `name<<END`, lines, `END`.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                found.push((line[..equals].to_owned(), line[equals + 1..].to_owned()));
            }
            (_, Some(heredoc)) => {
                let (name, end) = (&line[..heredoc], &line[heredoc + 2..]);
                if name.is_empty() || end.is_empty() {
                    return Err(format!("Invalid format '{line}'"));
                }
                let mut value = Vec::new();
                loop {
                    match lines.next() {
                        None => {
                            return Err(format!(
                                "Invalid value. Matching delimiter not found '{end}'"
                            ));
                        }
                        Some(line) if line == end => break,
                        Some(line) => value.push(line),
                    }
                }
                found.push((name.to_owned(), value.join("\n")));
            }
            _ => return Err(format!("Invalid format '{line}'")),
        }
    }
    Ok(found)
}

/// What a line of a log tells the runner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Mask(String),
    /// The level and the text.
    Annotation(String, String),
    /// From here on commands are text, until this comes.
    Stop(String),
}

/// Reads `::command properties::text`.
pub(crate) fn said(line: &str) -> Option<Said> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, text) = rest.split_once("::")?;
    let text = text
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%");
    let command = head.split_once(' ').map_or(head, |(command, _)| command);
    match command {
        "add-mask" => Some(Said::Mask(text)),
        "stop-commands" => Some(Said::Stop(text)),
        "error" | "warning" | "notice" => Some(Said::Annotation(command.to_owned(), text)),
        "set-output" | "save-state" | "set-env" | "add-path" => {
            panic!("`::{command}::` is no command any more")
        }
        _ => None,
    }
}

/// `hashFiles`: the digest of the digests of files, empty where there are none.
pub(crate) fn hash(folder: &Path, patterns: &[String]) -> String {
    let mut chosen = globset::GlobSetBuilder::new();
    let mut out = globset::GlobSetBuilder::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.lines()) {
        let (set, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (&mut out, pattern),
            None => (&mut chosen, pattern),
        };
        let mut glob = globset::GlobBuilder::new(pattern);
        set.add(glob.literal_separator(true).build().unwrap());
    }
    let (chosen, out) = (chosen.build().unwrap(), out.build().unwrap());
    let mut whole = Sha256::new();
    let mut is_empty = true;
    for path in files_below(folder) {
        let name = path.strip_prefix(folder).unwrap();
        if name.starts_with(".git") || !chosen.is_match(name) || out.is_match(name) {
            continue;
        }
        is_empty = false;
        whole.update(Sha256::digest(std::fs::read(&path).unwrap()));
    }
    if is_empty {
        return String::new();
    }
    let digest = whole.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
