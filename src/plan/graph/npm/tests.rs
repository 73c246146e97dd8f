//! What packages and edges are read from manifests.

use super::{catalogs_differ, root_change};
use crate::plan::graph::tests::{dependents, projects, read};

#[test]
fn a_pnpm_workspace_has_the_packages_that_its_globs_name() {
    let files = [
        ("package.json", "{\"name\": \"root\"}"),
        (
            "pnpm-workspace.yaml",
            "packages:\n  - 'packages/*'\n  - examples/**/__tests__/**\n  - examples/**\n  - '!examples/old/**'\n",
        ),
        ("packages/a/package.json", r#"{"name": "a"}"#),
        ("examples/old2/__tests__/package.json", r#"{"name": "t"}"#),
        ("packages/a/fixtures/x/package.json", r#"{"name": "x"}"#),
        (
            "packages/b/package.json",
            r#"{"name": "b", "peerDependencies": {"a": "workspace:*"}}"#,
        ),
        (
            "examples/deep/one/package.json",
            r#"{"name": "e", "devDependencies": {"b": "^1"}}"#,
        ),
        (
            "examples/two/package.json",
            r#"{"name": "e", "dependencies": {"alias": "npm:b@1"}}"#,
        ),
        (
            "examples/old/package.json",
            r#"{"name": "o", "dependencies": {"a": "link:../../packages/a"}}"#,
        ),
        ("packages/b/node_modules/z/package.json", r#"{"name": "z"}"#),
    ];
    let graph = read(&files);
    let expected = [
        "npm:.",
        "npm:examples/deep/one",
        "npm:examples/old",
        "npm:examples/old2/__tests__",
        "npm:examples/two",
        "npm:packages/a",
        "npm:packages/b",
    ];
    assert_eq!(projects(&graph), expected);
    assert_eq!(
        dependents(&graph, "npm:packages/a"),
        ["npm:examples/old", "npm:packages/b"]
    );
    assert_eq!(
        dependents(&graph, "npm:packages/b"),
        ["npm:examples/deep/one", "npm:examples/two"]
    );
}

#[test]
fn npm_and_yarn_name_their_workspaces_in_the_manifest() {
    for workspaces in [
        r#"["./libs/*", "app"]"#,
        r#"{"packages": ["libs/*", "app"]}"#,
    ] {
        let root = format!(r#"{{"workspaces": {workspaces}}}"#);
        let files = [
            ("package.json", root.as_str()),
            ("libs/a/package.json", r#"{"name": "@s/a"}"#),
            (
                "app/package.json",
                r#"{"name": "app", "dependencies": {"@s/a": "*"}}"#,
            ),
        ];
        let graph = read(&files);
        assert_eq!(projects(&graph), ["npm:.", "npm:app", "npm:libs/a"]);
        assert_eq!(dependents(&graph, "npm:libs/a"), ["npm:app"]);
    }
}

#[test]
fn who_depends_on_a_name_that_two_have_depends_on_both() {
    let files = [
        ("package.json", r#"{"workspaces": ["p/*"]}"#),
        ("p/a/package.json", r#"{"name": "same"}"#),
        ("p/b/package.json", r#"{"name": "same"}"#),
        (
            "p/c/package.json",
            r#"{"name": "c", "dependencies": {"same": "*"}}"#,
        ),
    ];
    let graph = read(&files);
    assert_eq!(dependents(&graph, "npm:p/a"), ["npm:p/c"]);
    assert_eq!(dependents(&graph, "npm:p/b"), ["npm:p/c"]);
}

#[test]
fn a_path_into_a_package_is_a_dependency_on_it() {
    let files = [
        ("api/package.json", r#"{"name": "api"}"#),
        (
            "app/package.json",
            r#"{"name": "app", "dependencies": {"api": "../api/dist"}}"#,
        ),
    ];
    assert_eq!(dependents(&read(&files), "npm:api"), ["npm:app"]);
}

#[test]
fn a_roots_words_change_nothing_and_its_tools_everything() {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let old = read(r#"{"version": "1", "scripts": {"a": "b"}}"#);
    assert!(root_change(&old, &read(r#"{"version": "2", "scripts": {"a": "b"}}"#)).is_empty());
    let keys = root_change(
        &old,
        &read(r#"{"version": "1", "devDependencies": {"t": "1"}}"#),
    );
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        ["devDependencies", "scripts"]
    );
}

const ROOT: (&str, &str) = (
    "package.json",
    r#"{"name": "root", "workspaces": ["packages/*"]}"#,
);

/// Returns who depends on a package of a workspace where one package says something of another.
fn reached(root: (&str, &str), needs: &str, target: (&str, &str)) -> Vec<String> {
    let site = format!(r#"{{"name": "site", "dependencies": {needs}}}"#);
    let files = [root, ("packages/site/package.json", &site), target];
    let graph = read(&files);
    let dir = target.0.trim_end_matches("/package.json");
    let id = format!("npm:{dir}");
    dependents(&graph, &id)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

const APP: (&str, &str) = ("packages/app/package.json", r#"{"name": "@s/app"}"#);
const VENDOR: (&str, &str) = ("vendor/lp/package.json", r#"{"name": "lp"}"#);

#[test]
fn a_root_inside_a_workspace_stays_a_member() {
    for inner in [r#"["plugins/*"]"#, "[]", r#"{"nohoist": []}"#] {
        let app = format!(r#"{{"name": "@s/app", "workspaces": {inner}}}"#);
        let app = ("packages/app/package.json", app.as_str());
        assert_eq!(
            reached(ROOT, r#"{"@s/app": "*"}"#, app),
            ["npm:packages/site"]
        );
    }
    let files = [
        ROOT,
        (
            "packages/app/package.json",
            r#"{"name": "app", "workspaces": ["plugins/*"]}"#,
        ),
        (
            "packages/app/plugins/p/package.json",
            r#"{"name": "p", "dependencies": {"app": "*"}}"#,
        ),
        (
            "packages/site/package.json",
            r#"{"name": "site", "dependencies": {"app": "*"}}"#,
        ),
    ];
    let graph = read(&files);
    assert_eq!(
        dependents(&graph, "npm:packages/app"),
        ["npm:packages/app/plugins/p", "npm:packages/site"]
    );
    let app = graph.get("npm:packages/app").unwrap();
    assert!(app.is_of("") && app.is_of("packages/app"));
}

#[test]
fn extended_globs_name_members() {
    for glob in [
        "packages/!(old)",
        "packages/@(app|site)",
        "+(packages)/?(x)*",
    ] {
        let root = format!(r#"{{"workspaces": ["{glob}"]}}"#);
        assert_eq!(
            reached(("package.json", &root), r#"{"@s/app": "*"}"#, APP),
            ["npm:packages/site"],
            "{glob}"
        );
    }
}

#[test]
fn ranges_lead_to_members_in_every_form() {
    for needs in [
        r#"{"x": "npm:@s/app"}"#,
        r#"{"x": "npm:@s/app@1"}"#,
        r#"{"x": "workspace:../app"}"#,
        r#"{"x": "workspace:packages/app"}"#,
        r#"{"x": "workspace:@s/app@*"}"#,
        r#"{"@s/app": "npm:latest"}"#,
        r#"{"@s/app": "catalog:"}"#,
    ] {
        assert_eq!(reached(ROOT, needs, APP), ["npm:packages/site"], "{needs}");
    }
}

#[test]
fn overrides_to_a_path_are_every_members() {
    let pnpm = r#"{"name": "root", "workspaces": ["packages/*"], "pnpm": {"overrides": {"a>lp@1": "link:./vendor/lp"}}}"#;
    let yarn = r#"{"workspaces": ["packages/*"], "resolutions": {"**/lp": "portal:./vendor/lp"}}"#;
    let npm = r#"{"workspaces": ["packages/*"], "overrides": {"a": {"lp": "file:vendor/lp"}}}"#;
    for root in [pnpm, yarn, npm] {
        assert_eq!(
            reached(("package.json", root), "{}", VENDOR),
            ["npm:.", "npm:packages/site"],
            "{root}"
        );
    }
    let alias = r#"{"workspaces": ["packages/*"], "overrides": {"x": "npm:@s/app@1"}}"#;
    let root = ("package.json", alias);
    assert_eq!(reached(root, r#"{"x": "1"}"#, APP), ["npm:packages/site"]);
    assert!(reached(root, r#"{"y": "1"}"#, APP).is_empty());
}

#[test]
fn catalogs_lead_where_their_ranges_lead() {
    let bun = r#"{"workspaces": {"packages": ["packages/*"], "catalog": {"x": "npm:@s/app@1", "lp": "link:./vendor/lp"}, "catalogs": {"t": {"y": "npm:@s/app"}}}}"#;
    let root = ("package.json", bun);
    for needs in [r#"{"x": "catalog:"}"#, r#"{"y": "catalog:t"}"#] {
        assert_eq!(reached(root, needs, APP), ["npm:packages/site"], "{needs}");
    }
    let needs = r#"{"lp": "catalog:default"}"#;
    assert_eq!(reached(root, needs, VENDOR), ["npm:packages/site"]);
}

#[test]
fn pnpm_says_the_same_in_its_own_file() {
    let yaml = "packages: packages/*\ncatalog:\n  x: npm:@s/app@1\noverrides:\n  lp: link:./vendor/lp\n1: 2\n";
    let files = [
        ("package.json", r#"{"name": "root"}"#),
        ("pnpm-workspace.yaml", yaml),
        APP,
        VENDOR,
        (
            "packages/site/package.json",
            r#"{"name": "site", "dependencies": {"x": "catalog:"}}"#,
        ),
    ];
    let graph = read(&files);
    assert_eq!(
        dependents(&graph, "npm:packages/app"),
        ["npm:packages/site"]
    );
    assert_eq!(
        dependents(&graph, "npm:vendor/lp"),
        ["npm:.", "npm:packages/app", "npm:packages/site"]
    );
}

#[test]
fn what_a_path_leads_to_is_a_package_wherever_it_lies() {
    let files = [
        ROOT,
        APP,
        (
            "packages/site/package.json",
            r#"{"name": "site", "dependencies": {"x": "file:../../lib/x"}}"#,
        ),
        (
            "lib/x/package.json",
            r#"{"name": "x", "dependencies": {"@s/app": "file:../../packages/app"}}"#,
        ),
    ];
    let graph = read(&files);
    assert_eq!(dependents(&graph, "npm:lib/x"), ["npm:packages/site"]);
    assert_eq!(dependents(&graph, "npm:packages/app"), ["npm:lib/x"]);
}

#[test]
fn catalogs_and_settings_of_workspaces_are_told_apart() {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let old = read(r#"{"workspaces": {"packages": ["a"], "catalog": {"x": "1"}}}"#);
    let catalog = read(r#"{"workspaces": {"packages": ["b"], "catalog": {"x": "2"}}}"#);
    assert!(root_change(&old, &catalog).is_empty() && catalogs_differ(&old, &catalog));
    let settings = read(r#"{"workspaces": {"nohoist": ["x"], "catalog": {"x": "1"}}}"#);
    assert!(!root_change(&old, &settings).is_empty() && !catalogs_differ(&old, &settings));
}

#[test]
fn a_manifest_that_only_says_how_files_are_read_is_no_package() {
    let files = [
        ("a/package.json", r#"{"type": "module"}"#),
        (
            "b/package.json",
            r#"{"type": "module", "dependencies": {"x": "1"}}"#,
        ),
        ("c/package.json", r#"{"name": "c"}"#),
    ];
    assert_eq!(projects(&read(&files)), ["npm:b", "npm:c"]);
}
