//! What a `Cargo.toml` says about who needs whom (The Cargo Book, "The Manifest Format" and "Workspaces").

use std::collections::BTreeSet;

use toml::{Table, Value};

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The key that it stands under.
    pub(crate) key: String,
    /// The package that it names.
    pub(crate) package: String,
    /// Where it lies, from the manifest's folder.
    pub(crate) path: Option<String>,
    /// Whether the workspace's root says the rest.
    pub(crate) from_workspace: bool,
}

/// A `Cargo.toml`, as far as plans need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The package's name; none in a virtual manifest.
    pub(crate) package: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Files that it names: targets, build script, readme, licence; from its folder.
    pub(crate) files: Vec<String>,
    /// Keys of `[workspace.package]` that it takes over.
    pub(crate) inherits: BTreeSet<String>,
    pub(crate) inherits_lints: bool,
    /// The root that it names itself.
    pub(crate) named_root: Option<String>,
    pub(crate) workspace: Option<Workspace>,
    /// `[patch]` and `[replace]` by path: the package's name, and its folder.
    pub(crate) patches: Vec<(String, String)>,
}

/// A `[workspace]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

const DEPENDENCY_TABLES: &[&str] = &[
    "dependencies",
    "dev-dependencies",
    "dev_dependencies",
    "build-dependencies",
    "build_dependencies",
];

impl Manifest {
    pub(crate) fn read(table: &Table) -> Self {
        let package = table.get("package").or_else(|| table.get("project"));
        let package = package.and_then(Value::as_table);
        let mut manifest = Self {
            package: package.map(|package| text(package, "name").unwrap_or_default()),
            ..Self::default()
        };
        if let Some(package) = package {
            for key in ["build", "readme", "license-file"] {
                manifest.files.extend(text(package, key));
            }
            manifest.named_root = text(package, "workspace");
            for (key, value) in package {
                if is_inherited(value) {
                    manifest.inherits.insert(key.clone());
                }
            }
        }
        manifest.inherits_lints = table.get("lints").is_some_and(is_inherited);
        manifest.read_targets(table);
        manifest.read_dependencies(table);
        if let Some(targets) = table.get("target").and_then(Value::as_table) {
            for target in targets.values().filter_map(Value::as_table) {
                manifest.read_dependencies(target);
            }
        }
        manifest.read_patches(table);
        let workspace = table.get("workspace").and_then(Value::as_table);
        manifest.workspace = workspace.map(|workspace| Workspace {
            members: texts(workspace, "members"),
            exclude: texts(workspace, "exclude"),
            dependencies: dependencies(workspace, "dependencies"),
        });
        manifest
    }

    fn read_targets(&mut self, table: &Table) {
        let lib = table.get("lib").and_then(Value::as_table);
        let lists = ["bin", "example", "test", "bench"];
        let lists = lists.iter().filter_map(|kind| table.get(*kind)?.as_array());
        let targets = lists.flatten().filter_map(Value::as_table).chain(lib);
        self.files
            .extend(targets.filter_map(|target| text(target, "path")));
    }

    fn read_dependencies(&mut self, table: &Table) {
        for name in DEPENDENCY_TABLES {
            self.dependencies.extend(dependencies(table, name));
        }
    }

    fn read_patches(&mut self, table: &Table) {
        let patches = table.get("patch").and_then(Value::as_table);
        let registries = patches.into_iter().flat_map(|patches| patches.keys());
        for registry in registries {
            let of_one = patches.map(|patches| dependencies(patches, registry));
            self.add_patches(of_one.unwrap_or_default());
        }
        // `[replace]` has `"name:version"` for keys.
        let mut replaced = dependencies(table, "replace");
        for dependency in &mut replaced {
            if let Some((name, _)) = dependency.key.split_once(':') {
                dependency.package = name.to_owned();
            }
        }
        self.add_patches(replaced);
    }

    fn add_patches(&mut self, dependencies: Vec<Dependency>) {
        let with_path = dependencies.into_iter();
        self.patches
            .extend(with_path.filter_map(|patch| Some((patch.package, patch.path?))));
    }
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

fn texts(table: &Table, key: &str) -> Vec<String> {
    let list = table.get(key).and_then(Value::as_array);
    let values = list.into_iter().flatten().filter_map(Value::as_str);
    values.map(str::to_owned).collect()
}

/// Whether a value is `{ workspace = true }`.
fn is_inherited(value: &Value) -> bool {
    let workspace = value.as_table().and_then(|table| table.get("workspace"));
    workspace.and_then(Value::as_bool) == Some(true)
}

fn dependencies(table: &Table, name: &str) -> Vec<Dependency> {
    let entries = table.get(name).and_then(Value::as_table);
    let entries = entries.into_iter().flatten();
    entries
        .map(|(key, value)| {
            let table = value.as_table();
            let package = table.and_then(|table| text(table, "package"));
            Dependency {
                package: package.unwrap_or_else(|| key.clone()),
                key: key.clone(),
                path: table.and_then(|table| text(table, "path")),
                from_workspace: is_inherited(value),
            }
        })
        .collect()
}

/// What a change of a workspace root's manifest reaches, beside the root's own package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RootChange {
    /// Keys of `[workspace.dependencies]` that are other ones now.
    pub(crate) dependencies: BTreeSet<String>,
    /// Keys of `[workspace.package]`.
    pub(crate) package: BTreeSet<String>,
    pub(crate) lints: bool,
    /// Keys that every member builds with.
    pub(crate) everyone: BTreeSet<String>,
    /// Whether it says anything else than before; then the root's own package, if there is one, is affected.
    pub(crate) own: bool,
}

/// Compares two versions of a workspace root's manifest by what they say.
pub(crate) fn root_change(old: &Table, new: &Table) -> RootChange {
    let mut change = RootChange {
        own: old != new,
        ..RootChange::default()
    };
    for key in different(Some(old), Some(new)) {
        match key.as_str() {
            "workspace" => workspace_change(old, new, &mut change),
            // Cargo reads these at the root only, for everyone below it.
            "patch" | "replace" | "profile" | "cargo-features" => {
                change.everyone.insert(key);
            }
            _ => {}
        }
    }
    if resolver(old) != resolver(new) {
        change.everyone.insert("workspace.resolver".to_owned());
    }
    change
}

/// Returns which resolver a workspace has; where it does not say, the root package's edition decides (The Cargo Book, "Resolver versions").
fn resolver(table: &Table) -> String {
    let (workspace, package) = (sub(table, "workspace"), sub(table, "package"));
    let mut said = [workspace, package].into_iter().flatten();
    if let Some(said) = said.find_map(|table| text(table, "resolver")) {
        return said;
    }
    let edition = package.and_then(|package| {
        text(package, "edition").or_else(|| text(sub_of(workspace, "package")?, "edition"))
    });
    match edition.as_deref() {
        None | Some("2015" | "2018") => "1".to_owned(),
        Some("2021") => "2".to_owned(),
        Some(later) => later.to_owned(),
    }
}

fn workspace_change(old: &Table, new: &Table, change: &mut RootChange) {
    let (old, new) = (sub(old, "workspace"), sub(new, "workspace"));
    for key in different(old, new) {
        let part = |table| sub_of(table, &key);
        match key.as_str() {
            "dependencies" => change.dependencies.extend(different(part(old), part(new))),
            "package" => change.package.extend(different(part(old), part(new))),
            "lints" => change.lints = true,
            // Members come and go in the graph, and nothing is built otherwise because of this list.
            "members" | "exclude" | "default-members" => {}
            _ => {
                change.everyone.insert(format!("workspace.{key}"));
            }
        }
    }
}

fn sub<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    table.get(key)?.as_table()
}

fn sub_of<'t>(table: Option<&'t Table>, key: &str) -> Option<&'t Table> {
    sub(table?, key)
}

/// Returns the keys whose values differ.
fn different(old: Option<&Table>, new: Option<&Table>) -> BTreeSet<String> {
    let keys = old.into_iter().chain(new).flat_map(Table::keys);
    let value =
        |table: Option<&'_ Table>, key: &str| table.and_then(|table| table.get(key)).cloned();
    let keys = keys.filter(|key| value(old, key) != value(new, key));
    keys.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        Manifest::read(&text.parse().unwrap())
    }

    #[test]
    fn the_edition_of_the_root_decides_on_the_resolver_of_all() {
        let change = |old: &str, new: &str| {
            root_change(&old.parse().unwrap(), &new.parse().unwrap()).everyone
        };
        let root = |edition: &str, more: &str| {
            format!("[workspace]\n{more}\n[package]\nname = 'r'\nedition = '{edition}'\n")
        };
        let everyone = BTreeSet::from(["workspace.resolver".to_owned()]);
        assert_eq!(change(&root("2018", ""), &root("2021", "")), everyone);
        assert!(change(&root("2015", ""), &root("2018", "")).is_empty());
        let said = "resolver = '2'";
        assert!(change(&root("2018", said), &root("2021", said)).is_empty());
    }

    #[test]
    fn dependencies_of_every_table_are_read() {
        let manifest = read(
            r#"
            package = { name = "a", version.workspace = true, build = "gen.rs" }
            lints.workspace = true
            [dependencies]
            b = { path = "../b" }
            renamed = { package = "c", path = "../c" }
            d = "1"
            e.workspace = true
            [dev-dependencies]
            f = { path = "../f" }
            [build-dependencies]
            g = { path = "../g" }
            [target.'cfg(unix)'.dependencies]
            h = { path = "../h" }
            [target.x86_64-pc-windows-msvc.dev-dependencies]
            i = { path = "../i", artifact = "bin" }
            [[bin]]
            name = "x"
            path = "../x.rs"
            "#,
        );
        let shown: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|one| {
                format!(
                    "{} {} {}",
                    one.package,
                    one.path.as_deref().unwrap_or("-"),
                    one.from_workspace
                )
            })
            .collect();
        let expected = [
            "b ../b false",
            "d - false",
            "e - true",
            "c ../c false",
            "f ../f false",
            "g ../g false",
            "h ../h false",
            "i ../i false",
        ];
        assert_eq!(shown, expected);
        assert_eq!(manifest.files, ["gen.rs", "../x.rs"]);
        assert!(manifest.inherits_lints && manifest.inherits.contains("version"));
    }

    #[test]
    fn patches_are_read_by_name_and_place() {
        let manifest = read(
            r#"
            [patch.crates-io]
            a = { path = "vendor/a" }
            b2 = { package = "b", path = "vendor/b" }
            c = { git = "https://example.com/c" }
            [patch."https://example.com/d"]
            d = { path = "vendor/d" }
            [replace]
            "e:1.0.0" = { path = "vendor/e" }
            "#,
        );
        let expected = [
            ("a", "vendor/a"),
            ("b", "vendor/b"),
            ("d", "vendor/d"),
            ("e", "vendor/e"),
        ];
        let expected = expected.map(|(name, path)| (name.to_owned(), path.to_owned()));
        assert_eq!(manifest.patches, expected);
    }

    #[track_caller]
    fn check(old: &str, new: &str, expected: &RootChange) {
        let read = |text: &str| text.parse::<Table>().unwrap();
        assert_eq!(&root_change(&read(old), &read(new)), expected);
        assert_eq!(&root_change(&read(new), &read(old)), expected);
    }

    #[test]
    fn a_roots_change_reaches_those_that_it_is_about() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        check(
            "[workspace.dependencies]\na = '1'\nb = '1'",
            "[workspace.dependencies]\na = '2'\nb = '1'\n# c",
            &RootChange {
                dependencies: names(&["a"]),
                own: true,
                ..RootChange::default()
            },
        );
        check(
            "[workspace.package]\nversion = '1'",
            "[workspace.package]\nversion = '2'\n[workspace.lints.rust]\nx = 'deny'",
            &RootChange {
                package: names(&["version"]),
                lints: true,
                own: true,
                ..RootChange::default()
            },
        );
        check(
            "[workspace]\nmembers = ['a']",
            "[workspace]\nmembers = ['a', 'b']",
            &RootChange {
                own: true,
                ..RootChange::default()
            },
        );
        check(
            "[workspace]\nresolver = '2'",
            "[workspace]\nresolver = '3'\n[profile.dev]\ndebug = 1",
            &RootChange {
                everyone: names(&["profile", "workspace.resolver"]),
                own: true,
                ..RootChange::default()
            },
        );
        check(
            "[package]\nname = 'a'",
            "[package]\nname = 'b'\n[features]\nx = []",
            &RootChange {
                own: true,
                ..RootChange::default()
            },
        );
    }
}
