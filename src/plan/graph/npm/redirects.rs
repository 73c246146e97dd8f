//! What a workspace's root says of names: overrides and resolutions, which lead them elsewhere, and catalogs, which hold ranges.
//!
//! docs.npmjs.com, "package.json: overrides"; yarnpkg.com, "Manifest: resolutions"; pnpm.io, "Settings: overrides" and "Catalogs";
//! bun.sh, "Catalogs".

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::broken::path_in;
use crate::config;
use crate::plan::sources::Sources;

/// Overrides lie in each other so deep and no deeper.
const DEEPEST: usize = 16;

/// What a root says of names.
#[derive(Debug, Default)]
pub(super) struct Redirects {
    /// The name that is led elsewhere, and to what.
    pub(super) overrides: Vec<(String, String)>,
    /// The range of a name, by the catalog's own name; `default` is the one without.
    catalogs: BTreeMap<(String, String), String>,
}

/// Reads a YAML file.
pub(super) fn yaml(sources: Sources<'_>, path: &str) -> Result<serde_yaml::Value, String> {
    let text = sources
        .text(path)
        .ok_or("it is no UTF-8 text, or its object is missing")?;
    config::read_foreign(text)
}

impl Redirects {
    /// Reads what the manifest in a folder says, and the file that pnpm reads beside it.
    pub(super) fn read(sources: Sources<'_>, dir: &str) -> Self {
        let mut redirects = Self::default();
        if let Some(Ok(manifest)) = sources.json(&path_in(dir, "package.json")) {
            let pnpm = manifest.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
            let lists = [manifest.get("overrides"), manifest.get("resolutions"), pnpm];
            for list in lists.into_iter().flatten() {
                redirects.add_overrides("", list, 0);
            }
            redirects.add_catalogs(&manifest);
            if let Some(workspaces) = manifest.get("workspaces") {
                redirects.add_catalogs(workspaces);
            }
        }
        let path = path_in(dir, "pnpm-workspace.yaml");
        if sources.has(&path)
            && let Ok(document) = yaml(sources, &path)
            && let Ok(document) = serde_json::to_value(&document)
        {
            if let Some(list) = document.get("overrides") {
                redirects.add_overrides("", list, 0);
            }
            redirects.add_catalogs(&document);
        }
        redirects
    }

    /// npm's overrides may lie in those of the package that needs the name; `.` is the package itself.
    fn add_overrides(&mut self, around: &str, list: &Value, depth: usize) {
        if depth == DEEPEST {
            return;
        }
        for (key, value) in list.as_object().into_iter().flatten() {
            let name = if key == "." { around } else { name_of(key) };
            match value {
                Value::String(range) => self.overrides.push((name.to_owned(), range.clone())),
                value => self.add_overrides(name, value, depth + 1),
            }
        }
    }

    fn add_catalogs(&mut self, document: &Value) {
        let mut add = |catalog: &str, list: &Value| {
            for (name, range) in list.as_object().into_iter().flatten() {
                if let Some(range) = range.as_str() {
                    let key = (catalog.to_owned(), name.clone());
                    self.catalogs.insert(key, range.to_owned());
                }
            }
        };
        if let Some(list) = document.get("catalog") {
            add("default", list);
        }
        let named = document.get("catalogs").and_then(Value::as_object);
        for (catalog, list) in named.into_iter().flatten() {
            add(catalog, list);
        }
    }

    /// Returns the range that a catalog holds for a name; `range` is what follows `catalog:`.
    pub(super) fn in_catalog(&self, range: &str, name: &str) -> Option<&str> {
        let catalog = match range.trim() {
            "" => "default",
            catalog => catalog,
        };
        let key = (catalog.to_owned(), name.to_owned());
        self.catalogs.get(&key).map(String::as_str)
    }
}

/// Returns the name that an override is about: `a@1>b@2` is about `b`, and so are `a/b`, `**/b` and `b@npm:^1`.
fn name_of(key: &str) -> &str {
    let key = key.rsplit('>').next().unwrap_or(key).trim();
    let end = key.char_indices().skip(1).find(|(at, c)| {
        // A scope begins with the sign too.
        *c == '@' && !key[..*at].ends_with('/')
    });
    let key = end.map_or(key, |(end, _)| &key[..end]);
    let Some((before, last)) = key.rsplit_once('/') else {
        return key;
    };
    let scope = before.rsplit('/').next().unwrap_or(before);
    if scope.starts_with('@') {
        &key[key.len() - scope.len() - 1 - last.len()..]
    } else {
        last
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn the_last_name_is_what_an_override_is_about() {
        for (key, name) in [
            ("b", "b"),
            ("b@^1", "b"),
            ("@s/b", "@s/b"),
            ("@s/b@2", "@s/b"),
            ("a@1>b@2", "b"),
            ("a>@s/b", "@s/b"),
            ("**/b", "b"),
            ("a/@s/b", "@s/b"),
            ("@s/a/b", "b"),
            ("@s/a/@t/b", "@t/b"),
            ("b@npm:^1.0.0", "b"),
            ("", ""),
        ] {
            assert_eq!(name_of(key), name, "{key}");
        }
    }
}
