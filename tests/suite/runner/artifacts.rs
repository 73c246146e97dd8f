//! `actions/upload-artifact` and `actions/download-artifact`: files of a run, as an archive at GitHub.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::job::Machine;
use super::run::NOW;
use super::step::Done;
use crate::harness::files_below;

/// Files of each artifact, by name.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    pub(super) files: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

const UPLOAD: [&str; 7] = [
    "name",
    "path",
    "if-no-files-found",
    "retention-days",
    "compression-level",
    "overwrite",
    "include-hidden-files",
];

const DOWNLOAD: [&str; 4] = ["name", "path", "pattern", "merge-multiple"];

fn checked(given: &BTreeMap<String, String>, known: &[&str], action: &str) {
    for name in given.keys() {
        assert!(
            known.contains(&name.as_str()),
            "the mini runner's {action} knows no `{name}`"
        );
    }
}

fn is_hidden(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
}

impl Machine<'_, '_> {
    pub(super) fn upload(&mut self, given: &BTreeMap<String, String>) -> Result<Done, String> {
        checked(given, &UPLOAD, "upload-artifact");
        let get = |name: &str| given.get(name).map_or("", String::as_str);
        let name = if get("name").is_empty() {
            "artifact"
        } else {
            get("name")
        };
        let found = self.chosen(get("path"), get("include-hidden-files") == "true");
        if found.is_empty() {
            let words = format!(
                "No files were found with the provided path: {}.",
                get("path")
            );
            return match get("if-no-files-found") {
                "error" => Err(words),
                "ignore" => Ok((BTreeMap::new(), None)),
                _ => {
                    self.ran.annotations.push(("warning".to_owned(), words));
                    Ok((BTreeMap::new(), None))
                }
            };
        }
        let bad = |c: char| "\":<>|*?\r\n\\/".contains(c);
        if name.contains(bad) {
            return Err(format!("The artifact name is not valid: {name}."));
        }
        if self.run.artifacts.files.contains_key(name) && get("overwrite") != "true" {
            return Err(
                "(409) Conflict: an artifact with this name already exists on the workflow run"
                    .to_owned(),
            );
        }
        let archive = zipped(&found);
        let digest = Sha256::digest(&archive);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let event = self.runner.event.as_ref().unwrap();
        let head = &event.payload["pull_request"]["head"];
        let of = json!({
            "id": self.run.id, "repository_id": 1, "head_repository_id": if event.is_fork { 2 } else { 1 },
            "head_branch": head["ref"].as_str().unwrap_or(event.branch()), "head_sha": head["sha"].as_str().unwrap_or(&event.commit),
        });
        let fields = json!({
            "name": name, "size_in_bytes": archive.len(), "expired": false, "created_at": NOW, "updated_at": NOW, "workflow_run": of,
            "digest": format!("sha256:{digest}"),
        });
        let number = self
            .runner
            .github
            .add("/actions/artifacts", "artifact", fields);
        self.runner.github.store().archives.insert(number, archive);
        self.run.artifacts.files.insert(name.to_owned(), found);
        let url = format!(
            "{}/o/n/actions/runs/{}/artifacts/{number}",
            self.runner.github.api(),
            self.run.id
        );
        let outputs = [
            ("artifact-id", number.to_string()),
            ("artifact-digest", digest),
            ("artifact-url", url),
        ];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
        Ok((BTreeMap::from(outputs), None))
    }

    /// Files of a list of paths, named below what they have in common.
    fn chosen(&self, paths: &str, with_hidden: bool) -> BTreeMap<String, Vec<u8>> {
        let mut roots: Vec<PathBuf> = Vec::new();
        let mut files: Vec<PathBuf> = Vec::new();
        for line in paths.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(!line.starts_with('!'), "exclusion in a path of an artifact");
            let is_glob = line.contains(['*', '?', '[']);
            let fixed = line.split(['*', '?', '[']).next().unwrap();
            let fixed = if is_glob {
                fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
            } else {
                line
            };
            let root = self.place(fixed);
            if root.is_file() {
                files.push(root.clone());
                roots.push(root.parent().unwrap().to_path_buf());
                continue;
            }
            if !root.is_dir() {
                continue;
            }
            let glob = globset::GlobBuilder::new(self.place(line).to_str().unwrap())
                .literal_separator(true)
                .build()
                .unwrap()
                .compile_matcher();
            let below = files_below(&root).into_iter();
            files.extend(below.filter(|path| {
                let is_shown = with_hidden || !is_hidden(path.strip_prefix(&root).unwrap());
                is_shown && (!is_glob || glob.is_match(path))
            }));
            roots.push(root);
        }
        let common = roots.into_iter().reduce(|common, root| {
            let both = common.components().zip(root.components());
            both.take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        });
        let common = common.unwrap_or_default();
        let named = files.into_iter().map(|path| {
            let name = path.strip_prefix(&common).unwrap();
            (name.to_str().unwrap().to_owned(), fs::read(&path).unwrap())
        });
        named.collect()
    }

    pub(super) fn download(&mut self, given: &BTreeMap<String, String>) -> Result<Done, String> {
        checked(given, &DOWNLOAD, "download-artifact");
        let get = |name: &str| given.get(name).map_or("", String::as_str);
        let folder = self.place(get("path"));
        let all = &self.run.artifacts.files;
        if get("name").is_empty() {
            let pattern = match get("pattern") {
                "" => "*",
                pattern => pattern,
            };
            let pattern = globset::Glob::new(pattern).unwrap().compile_matcher();
            for (name, files) in all.iter().filter(|(name, _)| pattern.is_match(name)) {
                let into = match get("merge-multiple") {
                    "true" => folder.clone(),
                    _ => folder.join(name),
                };
                unpack(&into, files);
            }
        } else {
            let missing = "Unable to download artifact(s): Artifact not found for name: ";
            let files = all.get(get("name"));
            unpack(
                &folder,
                files.ok_or_else(|| format!("{missing}{}", get("name")))?,
            );
        }
        let path = folder.display().to_string();
        let outputs = BTreeMap::from([("download-path".to_owned(), path)]);
        Ok((outputs, None))
    }
}

fn unpack(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn zipped(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
