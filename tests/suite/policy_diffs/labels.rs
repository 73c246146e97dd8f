//! The labelled changes: what each does to the files of `main`, and which entries name which paths.

use super::cases::Case;

/// What fills in labelled changes.
type Fill = fn(&mut Vec<Case>);

pub(super) const ALL: [Fill; 9] = [
    protected,
    protected_spellings,
    executed,
    manifests,
    kinds,
    sizes,
    forms,
    own_files,
    ordinary,
];

fn protected(cases: &mut Vec<Case>) {
    for path in [
        "deploy/prod.yaml",
        "CODEOWNERS",
        "keys/release.pub",
        "docs/legal.md",
    ] {
        let new = |what: &str| Case::new(format!("{path} {what}"));
        let upper = path.to_uppercase();
        let other = if upper == path {
            path.to_lowercase()
        } else {
            upper
        };
        cases.extend([
            new("changes")
                .put("100644", path, "other\n")
                .names("protected", &[path]),
            new("goes away").gone(path).names("protected", &[path]),
            new("is moved out")
                .moved(path, "lib/moved")
                .names("protected", &[path]),
            new("is moved out and changed")
                .moved(path, "lib/moved")
                .put("100644", "lib/moved", "z\n")
                .names("protected", &[path]),
            new("is written in another case")
                .moved(path, &other)
                .names("protected", &[path, &other]),
            new("comes in another case")
                .file(&other)
                .names("protected", &[&other])
                .names("form", &[]),
            new("becomes a program")
                .put("100755", path, "x\n")
                .names("protected", &[path])
                .names("modes", &[path]),
            new("becomes a link")
                .link(path, "README.md")
                .names("protected", &[path])
                .names("modes", &[]),
            new("becomes a submodule")
                .submodule(path, '1')
                .names("protected", &[path])
                .names("modes", &[path]),
            new("is swapped with another")
                .moved(path, "tmp")
                .moved("README.md", path)
                .names("protected", &[path]),
        ]);
    }
}

fn protected_spellings(cases: &mut Vec<Case>) {
    for path in [
        "deploy/new.yaml",
        "deploy/a/b/c",
        "Deploy/x",
        "DEPLOY/x",
        "dePloy/X",
        "codeowners",
        "CodeOwners",
        "keys/k",
        "KEYS/k",
        "docs/LEGAL.md",
        "Docs/legal.md",
    ] {
        cases.push(
            Case::new(format!("{path} comes"))
                .file(path)
                .names("protected", &[path]),
        );
    }
    for path in [
        "deploy /x",
        "deploy./x",
        "deploy\u{200b}/x",
        "deploy\\x",
        "x\\..\\deploy\\y",
        "CODEOWNERS.",
        "CODEOWNERS ",
        "\u{212a}eys/k",
        "CODEOWNER\u{17f}",
        "ke\u{2060}ys/k",
        "docs/legal.md::$DATA",
    ] {
        let mut case = Case::new(format!("{path:?} comes"))
            .file(path)
            .names("protected", &[path]);
        if !["\u{212a}eys/k", "CODEOWNER\u{17f}"].contains(&path) {
            case = case.names("form", &[path]);
        }
        cases.push(case);
    }
    cases.extend([
        Case::new("a folder is moved out")
            .moved("deploy", "lib/deploy")
            .names("protected", &["deploy/prod.yaml"]),
        Case::new("a folder is moved in")
            .moved("docs/guide.md", "deploy/guide.md")
            .names("protected", &["deploy/guide.md"]),
        Case::new("a folder is replaced by a link")
            .gone("deploy")
            .link("deploy", "src")
            .names("protected", &["deploy", "deploy/prod.yaml"]),
        Case::new("a folder is replaced by a submodule")
            .gone("keys")
            .submodule("keys", '2')
            .names("protected", &["keys", "keys/release.pub"])
            .names("modes", &["keys"]),
        Case::new("a folder is replaced by a file")
            .gone("deploy")
            .file("deploy")
            .names("protected", &["deploy", "deploy/prod.yaml"]),
        Case::new("a folder in another case is a link")
            .link("Deploy", "src")
            .names("protected", &["Deploy"]),
        Case::new("a link below a protected folder")
            .link("deploy/a", "../src")
            .names("protected", &["deploy/a"]),
        Case::new("a link leads to a protected file")
            .link("src/a", "../CODEOWNERS")
            .names("protected", &["src/a"]),
        Case::new("a link leads into a protected folder")
            .link("src/a", "../deploy")
            .names("protected", &["src/a"]),
        Case::new("a link leads there in another case")
            .link("src/a", "../DEPLOY/prod.yaml")
            .names("protected", &["src/a"]),
    ]);
}

/// What is executed.
const EXECUTED: [&str; 76] = [
    ".github/workflows/x.yml",
    ".github/workflows/ci.yml",
    ".GitHub/Workflows/x.yml",
    "sub/.github/workflows/x.yml",
    "a/b/.github/actions/c/index.js",
    ".github/actions/a/action.yml",
    "action.yml",
    "tools/action.yaml",
    ".gitlab-ci.yml",
    ".gitlab/ci/a.yml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    "ci/Jenkinsfile",
    ".travis.yml",
    ".buildkite/pipeline.yml",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    ".cirrus.yml",
    ".drone.yml",
    ".woodpecker/a.yml",
    ".husky/pre-commit",
    ".githooks/pre-push",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    "build.rs",
    "crates/a/build.rs",
    "BUILD.RS",
    ".cargo/config.toml",
    "rust-toolchain.toml",
    "conftest.py",
    "tests/unit/conftest.py",
    "setup.py",
    "pkg/setup.cfg",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    "site/x.pth",
    "sitecustomize.py",
    ".npmrc",
    ".yarnrc.yml",
    ".yarn/releases/yarn.cjs",
    ".pnpmfile.cjs",
    "vite.config.ts",
    "web/jest.config.js",
    ".eslintrc.cjs",
    "Makefile",
    "sub/GNUmakefile",
    "rules.mk",
    "justfile",
    "Taskfile.yml",
    "CMakeLists.txt",
    "cmake/x.cmake",
    "meson.build",
    "build.gradle",
    "app/build.gradle.kts",
    "settings.gradle",
    "gradlew",
    "gradle/wrapper/gradle-wrapper.properties",
    ".mvn/jvm.config",
    "mvnw",
    "Rakefile",
    "Gemfile",
    "a.gemspec",
    "Dockerfile",
    "docker/Dockerfile.dev",
    "compose.yaml",
    "docker-compose.override.yml",
    ".devcontainer/devcontainer.json",
    ".vscode/tasks.json",
    ".envrc",
    "flake.nix",
    "BUILD.bazel",
    "tools/defs.bzl",
    "app.csproj",
    "Directory.Build.props",
];

fn executed(cases: &mut Vec<Case>) {
    for path in EXECUTED {
        cases.push(
            Case::new(format!("{path} is executed"))
                .file(path)
                .names("ci", &[path]),
        );
    }
}

fn manifests(cases: &mut Vec<Case>) {
    let json = |scripts: &str, rest: &str| {
        format!(
            "{{\"name\": \"a\", \"version\": \"1.0.1\", \"scripts\": {{{scripts}}}, \"dependencies\": {{\"x\": \"1\"}}{rest}}}\n"
        )
    };
    let manifest = |name: &str, path: &str, text: &str, counts: bool| {
        let case = Case::new(format!("{path}: {name}")).put("100644", path, text);
        if counts {
            case.names("ci", &[path])
        } else {
            case
        }
    };
    cases.extend([
        manifest("only its version", "package.json", &json("\"test\": \"node t.js\"", ""), false),
        manifest("a script changes", "package.json", &json("\"test\": \"curl x\"", ""), true),
        manifest("a script comes", "package.json", &json("\"test\": \"node t.js\", \"postinstall\": \"x\"", ""), true),
        manifest("scripts go", "package.json", &json("", ""), true),
        manifest("a package manager comes", "package.json", &json("\"test\": \"node t.js\"", ", \"packageManager\": \"x@1\""), true),
        manifest("it is broken", "package.json", "{", true),
        manifest("a new one without scripts", "web/package.json", "{\"name\": \"w\"}\n", false),
        manifest("a new one with scripts", "web/package.json", "{\"scripts\": {\"prepare\": \"x\"}}\n", true),
        manifest("in another case", "web/Package.JSON", "{\"scripts\": {\"prepare\": \"x\"}}\n", true),
        manifest("a dependency", "pyproject.toml", "[project]\nname = \"a\"\ndependencies = [\"x\"]\n[build-system]\nrequires = [\"hatchling\"]\n", false),
        manifest("a build system", "pyproject.toml", "[project]\nname = \"a\"\n[build-system]\nrequires = [\"evil\"]\n", true),
        manifest("a version", "Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.1\"\n", false),
        manifest("a build script", "Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\nbuild = \"x.rs\"\n", true),
        Case::new("a build script goes").gone("build.rs").names("ci", &["build.rs"]),
        Case::new("a build script is moved").moved("build.rs", "src/gone.rs").names("ci", &["build.rs"]),
        Case::new("a build script is moved in").moved("src/main.rs", "crates/b/build.rs").names("ci", &["crates/b/build.rs"]),
        Case::new("a workflow is renamed").moved(".github/workflows/ci.yml", ".github/workflows/x.yml").names("ci", &[".github/workflows/ci.yml", ".github/workflows/x.yml"]),
        Case::new("workflows are moved away").moved(".github", "github").names("ci", &[".github/workflows/ci.yml"]),
        Case::new("workflows are a link").gone(".github/workflows").link(".github/workflows", "../flows").names("ci", &[".github/workflows", ".github/workflows/ci.yml"]),
        Case::new("a link is a hook").link(".husky/pre-push", "../scripts/run.sh").names("ci", &[".husky/pre-push"]),
        Case::new("a link leads to a workflow").link("flow", ".github/workflows/ci.yml").names("ci", &["flow"]),
        Case::new("a submodule holds workflows").submodule(".github", '3').names("ci", &[".github", ".github/workflows/ci.yml"]).names("modes", &[".github"]),
    ]);
}

fn kinds(cases: &mut Vec<Case>) {
    for (target, leads_out) in [
        ("/etc/passwd", true),
        ("../../x", true),
        ("../..", true),
        ("..", true),
        ("C:\\x", true),
        ("\\\\host\\x", true),
        ("../src/../../x", true),
        ("l", true),
        ("~/x", false),
        ("../README.md", false),
        ("b", false),
        ("./b/c", false),
        ("../nowhere", false),
    ] {
        let case = Case::new(format!("a link to {target}")).link("lib/l", target);
        cases.push(if leads_out {
            case.names("modes", &["lib/l"])
        } else {
            case
        });
    }
    cases.extend([
        Case::new("a submodule comes")
            .submodule("vendor/x", '1')
            .names("modes", &["vendor/x"]),
        Case::new("a file becomes a submodule")
            .submodule("docs/guide.md", '1')
            .names("modes", &["docs/guide.md"]),
        Case::new("a program comes")
            .put("100755", "tool", "#!/bin/sh\n")
            .names("modes", &["tool"]),
        Case::new("a file becomes a program")
            .put("100755", "README.md", "Read me.\n")
            .names("modes", &["README.md"]),
        Case::new("a program where it may be").put("100755", "scripts/run.sh", "echo\n"),
        Case::new("a program beside where it may be")
            .put("100755", "Scripts/run.sh", "echo\n")
            .names("modes", &["Scripts/run.sh"])
            .names("form", &[]),
        Case::new("a file becomes a link").link("docs/guide.md", "other"),
        Case::new("a binary file comes")
            .put("100644", "a.dat", "a\0b")
            .names("binary", &["a.dat"]),
        Case::new("a binary file under the name of a text")
            .put("100644", "a.txt", "a\0b")
            .names("binary", &["a.txt"]),
        Case::new("a text becomes binary")
            .put("100644", "README.md", "\0")
            .names("binary", &["README.md"]),
        Case::new("a binary file that is allowed").put("100644", "web/b.png", "\0b"),
        Case::new("a binary file that is allowed in another case")
            .put("100644", "web/b.PNG", "\0b")
            .names("binary", &["web/b.PNG"]),
        Case::new("attributes hide no binary file")
            .put("100644", ".gitattributes", "* diff\n")
            .put("100644", "a.dat", "\0")
            .names("binary", &["a.dat"]),
    ]);
}

fn sizes(cases: &mut Vec<Case>) {
    let files = |count: usize, prefix: &str| {
        (0..count).fold(
            Case::new(format!("{count} files in {prefix}")),
            |case, n| case.file(format!("{prefix}/{n}.txt")),
        )
    };
    let lines = |count: usize| "x\n".repeat(count);
    let text = |name: &str, path: &str, count: usize| {
        Case::new(format!("{name}: {count} lines")).put("100644", path, lines(count))
    };
    let size = |case: Case| case.names("size", &["(change)"]);
    cases.extend([
        files(300, "many"),
        size(files(301, "many")),
        size(files(601, "many")),
        files(400, "vendor"),
        text("a long file", "src/long.txt", 1000),
        size(text("a longer file", "src/long.txt", 1001)),
        size(text("far too long a file", "src/long.txt", 2001)),
        text("a lock file", "Cargo.lock", 5000),
        text("a new lock file", "web/package-lock.json", 5000),
        text("another lock file", "uv.lock", 5000),
        text("a snapshot", "tests/__snapshots__/a.snap", 5000),
        text("minified", "web/a.min.js", 5000),
        size(text("a lock file's namesake", "src/Cargo.lock.rs", 5000)),
        size(text("attributes hide no line", "src/long.txt", 1500).put(
            "100644",
            ".gitattributes",
            "* -diff\n",
        )),
        size(
            text("attributes that call it generated", "src/long.txt", 1500).put(
                "100644",
                ".gitattributes",
                "* linguist-generated binary\n",
            ),
        ),
    ]);
}

/// What every machine takes in alike.
const PLAIN: [&str; 16] = [
    "src/ü.rs",
    "src/日本語.rs",
    "src/with space.rs",
    "src/quote\".rs",
    "src/tab'.rs",
    "docs/$(id).md",
    "docs/`x`.md",
    "docs/a;b.md",
    "docs/--help",
    "-rf",
    "a..b",
    "...a",
    ".gitignore",
    "src/.hidden",
    "src/émoji-🦀.rs",
    "src/e\u{301}.rs",
];

fn forms(cases: &mut Vec<Case>) {
    for path in PLAIN {
        cases.push(Case::new(format!("{path:?} is plain")).file(path));
    }
    for path in [
        "src/a\nb.rs",
        "src/a\tb.rs",
        "src/a\u{1b}[2J.rs",
        "src/a\u{202e}b.rs",
        "src/a\u{200b}.rs",
        "src/a\\b.rs",
        "src/a.",
        "src/a ",
        "src/\u{feff}a",
        "src/a\rb",
        "nul::$DATA",
    ] {
        cases.push(
            Case::new(format!("{path:?} is odd"))
                .file(path)
                .names("form", &[path]),
        );
    }
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for bytes in [&b"src/gr\xfcn.rs"[..], b"\xff", b"docs/\xc3\x28.md"] {
        cases.push(
            Case::new(format!("{} is no UTF-8", lossy(bytes)))
                .put("100644", bytes, "x\n")
                .names("form", &[&lossy(bytes)]),
        );
    }
    for (bytes, entry) in [
        (&b"deploy/\xff.yaml"[..], "protected"),
        (b".github/workflows/\xfe.yml", "ci"),
        (b"dist/\xff", "denied"),
    ] {
        cases.push(
            Case::new(format!("{} is no UTF-8", lossy(bytes)))
                .put("100644", bytes, "x\n")
                .names("form", &[&lossy(bytes)])
                .names(entry, &[&lossy(bytes)]),
        );
    }
    cases.extend([
        Case::new("two names that differ by case")
            .file("src/New.rs")
            .file("src/new.rs")
            .names("form", &["src/new.rs"]),
        Case::new("a name gets another case").moved("docs/guide.md", "docs/Guide.md"),
        Case::new("a denied file")
            .file("a/.env")
            .names("denied", &["a/.env"]),
        Case::new("a denied file in another case")
            .file("a/.Env")
            .names("denied", &["a/.Env"]),
        Case::new("a denied folder")
            .file("dist/a.js")
            .names("denied", &["dist/a.js"]),
        Case::new("a denied folder as a link")
            .link("dist", "src")
            .names("denied", &["dist"]),
        Case::new("an excepted file").file("fixtures/.env"),
        Case::new("a denied file's namesake")
            .file("a/.env.example")
            .file("src/dist/a"),
    ]);
}

fn own_files(cases: &mut Vec<Case>) {
    for path in [
        ".maestro/policy.yaml",
        ".maestro/maestro.yaml",
        ".maestro/ci_budget.json",
        ".maestro/quarantine.json",
        ".Maestro/policy.yaml",
        ".maestro/changes/notes.txt",
        ".maestro/changes/a.yaml",
        ".maestro/a/changes/b.yaml",
    ] {
        cases.push(
            Case::new(format!("{path} is maestro's own"))
                .file(path)
                .names("maestro-files", &[path]),
        );
    }
    let record = "schema: maestro.change/v1\nkind: fixed\nsummary: It is mended.\n";
    cases.extend([
        Case::new("a record of a change").put("100644", ".maestro/changes/mended.yaml", record),
        Case::new("a record that may be run")
            .put("100755", ".maestro/changes/mended.yaml", record)
            .names("maestro-files", &[".maestro/changes/mended.yaml"])
            .names("modes", &[".maestro/changes/mended.yaml"]),
        Case::new("a record with another word")
            .put(
                "100644",
                ".maestro/changes/mended.yaml",
                format!("{record}enforce: []\n"),
            )
            .names("maestro-files", &[".maestro/changes/mended.yaml"]),
        Case::new("maestro's folder as a link")
            .link(".maestro", "src")
            .names("maestro-files", &[".maestro"]),
    ]);
}

fn ordinary(cases: &mut Vec<Case>) {
    for path in [
        "src/lib.rs",
        "src/main.rs",
        "README.md",
        "docs/guide.md",
        "tests/a.rs",
        "scripts/run.sh",
        "src/deploy.rs",
        "src/keys.rs",
        "docs/legal.md.bak",
        "docs/notes/legal.md",
        "lib/CODEOWNERS",
        "deployment/a.yaml",
        "src/build/mod.rs",
        "src/makefile.rs",
        "docs/dockerfile.md.txt",
        "src/conftest.rs",
        "src/github/workflows.rs",
        "github/workflows/a.yml",
        "src/setup.rs",
        "web/index.html",
        "src/config.ts",
        "go.mod",
        "requirements.txt",
        "src/x.py",
        "Cargo.lock",
    ] {
        cases.push(Case::new(format!("{path} is ordinary")).file(path));
    }
    cases.extend([
        Case::new("a file goes").gone("docs/guide.md"),
        Case::new("a file is moved").moved("src/main.rs", "src/bin/main.rs"),
        Case::new("a folder is moved").moved("src", "lib"),
        Case::new("a dozen files")
            .file("src/a.rs")
            .file("src/b.rs")
            .file("src/c.rs")
            .gone("tests/a.rs")
            .moved("docs/guide.md", "docs/b.md"),
    ]);
}
