//! Actions: composite ones of a folder, those of GitHub that the runner does by itself, and those that set up what this machine has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::expressions::text;
use super::job::{Frame, Machine};
use super::step::Done;
use super::workflow::Action;
use crate::harness::package;

/// Actions that put something on a machine which this one has already, or has not: then a later step says so.
const SET_UP: &[&str] = &[
    "actions/setup-node",
    "actions/setup-python",
    "actions/setup-go",
    "actions/setup-java",
    "actions/setup-dotnet",
    "pnpm/action-setup",
    "astral-sh/setup-uv",
    "oven-sh/setup-bun",
    "dtolnay/rust-toolchain",
    "taiki-e/install-action",
    "swatinem/rust-cache",
    "actions/cache",
];

impl Machine<'_, '_> {
    pub(super) fn uses(
        &mut self,
        action: &str,
        given: &BTreeMap<String, String>,
        env: BTreeMap<String, String>,
    ) -> Result<Done, String> {
        if action.starts_with("./") {
            let folder = self.place(action);
            return self.composite(&folder, given, env);
        }
        let (name, version) = action
            .split_once('@')
            .unwrap_or_else(|| panic!("`uses: {action}` names no version"));
        assert!(!version.is_empty(), "`uses: {action}` names no version");
        if let Some(folder) = self.folder_of(name) {
            return self.composite(&folder, given, env);
        }
        let stand_in = self.runner.stand_ins.iter_mut();
        let mut stand_in = stand_in.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((_, stand_in)) = stand_in.next() {
            let outputs = stand_in(given);
            self.ran.noted.push(format!("{name} was stood in for"));
            return Ok((outputs, None));
        }
        match name.to_ascii_lowercase().as_str() {
            "actions/checkout" => self.checkout(given),
            "actions/upload-artifact" => self.upload(given),
            "actions/download-artifact" => self.download(given),
            known if SET_UP.contains(&known) => {
                self.ran
                    .noted
                    .push(format!("{known}: as it is on this machine"));
                Ok((BTreeMap::new(), None))
            }
            _ => panic!("the mini runner knows no action `{action}`"),
        }
    }

    /// Where the files of an action are; those of maestro are this package's.
    fn folder_of(&self, name: &str) -> Option<PathBuf> {
        let named = self.runner.actions.iter().rev();
        let mut named = named.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((_, folder)) = named.next() {
            return Some(folder.clone());
        }
        let mut parts = name.splitn(3, '/').skip(1);
        if parts.next() != Some("maestro") {
            return None;
        }
        Some(package().join(parts.next().unwrap_or_default()))
    }

    fn composite(
        &mut self,
        folder: &Path,
        given: &BTreeMap<String, String>,
        env: BTreeMap<String, String>,
    ) -> Result<Done, String> {
        let file = ["action.yml", "action.yaml"].map(|name| folder.join(name));
        let file = file.iter().find(|file| file.is_file()).ok_or_else(|| {
            format!(
                "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{}'. Did you forget to run actions/checkout before running your local action?",
                folder.display()
            )
        })?;
        let action = Action::read(&fs::read_to_string(file).unwrap());
        for name in given.keys() {
            let is_known = |(known, ..): &(String, _, _)| known.eq_ignore_ascii_case(name);
            assert!(
                action.inputs.iter().any(is_known),
                "{} has no input `{name}`",
                file.display()
            );
        }
        let mut frame = Frame {
            env,
            action: Some(folder.to_path_buf()),
            inputs: Some(Value::Object(Map::new())),
            ..Frame::default()
        };
        let mut inputs = Map::new();
        let scope = self.scope(&frame);
        for (name, default, is_required) in &action.inputs {
            let found = given
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            assert!(
                found.is_some() || !is_required,
                "{} needs the input `{name}`",
                file.display()
            );
            let value = match (found, default) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(default)) => text(default, &scope)?,
                (None, None) => String::new(),
            };
            inputs.insert(name.clone(), Value::from(value));
        }
        frame.inputs = Some(Value::Object(inputs));
        self.steps(&action.steps, &mut frame);
        let scope = self.scope(&frame);
        let mut outputs = BTreeMap::new();
        for (name, value) in &action.outputs {
            outputs.insert(name.clone(), text(value, &scope)?);
        }
        let trouble = frame
            .is_failed
            .then(|| "a step of the action failed".to_owned());
        Ok((outputs, trouble))
    }
}
