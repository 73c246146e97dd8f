//! Builds whose projects maestro does not read: a job to fill in for each, which stands in the configuration as a comment. Nothing of it runs
//! before somebody has looked at it.

use super::{at, is_for_show, roots, within};
use crate::plan::graph::Kind;
use crate::plan::sources::{extension, file_name, folder_of, is_within};
use crate::setup::{Job, Proposal, Seen};

/// More folders of one kind than this are not listed.
const MOST: usize = 3;

/// So many Go files outside of every module are no example or helper.
const LEAST_GO: usize = 10;

/// A kind of build: what it is called, how it is known, and what usually tests it.
struct Build {
    word: &'static str,
    name: &'static str,
    /// Names of files; `*.x` is any name that ends so.
    marks: &'static [&'static str],
    run: &'static str,
    junit: Option<&'static str>,
}

const fn build(
    word: &'static str,
    name: &'static str,
    marks: &'static [&'static str],
    run: &'static str,
    junit: Option<&'static str>,
) -> Build {
    Build {
        word,
        name,
        marks,
        run,
        junit,
    }
}

/// Where each tool leaves its JUnit reports is its own default, or what its options say.
const BUILDS: [Build; 15] = [
    build(
        "Gradle",
        "gradle",
        &[
            "settings.gradle",
            "settings.gradle.kts",
            "build.gradle",
            "build.gradle.kts",
        ],
        "./gradlew test --continue",
        Some("**/build/test-results/**/*.xml"),
    ),
    build(
        "Maven",
        "maven",
        &["pom.xml"],
        "mvn --batch-mode --fail-at-end verify",
        Some("**/target/surefire-reports/TEST-*.xml"),
    ),
    build(
        ".NET",
        "dotnet",
        &["*.sln", "*.slnx"],
        "dotnet test --logger trx --results-directory TestResults",
        Some("TestResults/*.trx"),
    ),
    build(
        "Ruby",
        "ruby",
        &["Gemfile"],
        "bundle install && bundle exec rake",
        None,
    ),
    build(
        "PHP",
        "php",
        &["composer.json"],
        "composer install --no-interaction && vendor/bin/phpunit --log-junit junit.xml",
        Some("junit.xml"),
    ),
    build(
        "Elixir",
        "elixir",
        &["mix.exs"],
        "mix deps.get && mix test",
        None,
    ),
    build(
        "Swift",
        "swift",
        &["Package.swift"],
        "swift test --parallel --xunit-output xunit.xml",
        Some("xunit.xml"),
    ),
    build(
        "Flutter or Dart",
        "dart",
        &["pubspec.yaml"],
        "flutter pub get && flutter test",
        None,
    ),
    build(
        "sbt",
        "sbt",
        &["build.sbt"],
        "sbt test",
        Some("**/target/test-reports/*.xml"),
    ),
    build(
        "Bazel",
        "bazel",
        &["MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel"],
        "bazel test --keep_going //...",
        Some("bazel-testlogs/**/test.xml"),
    ),
    build(
        "CMake",
        "cmake",
        &["CMakeLists.txt"],
        "cmake -B build && cmake --build build && ctest --test-dir build --output-junit junit.xml",
        Some("build/junit.xml"),
    ),
    build(
        "Meson",
        "meson",
        &["meson.build"],
        "meson setup build && meson test -C build",
        Some("build/meson-logs/testlog.junit.xml"),
    ),
    build(
        "Autotools",
        "autotools",
        &["configure.ac"],
        "autoreconf --install && ./configure && make check",
        None,
    ),
    build("Zig", "zig", &["build.zig"], "zig build test", None),
    build(
        "Deno",
        "deno",
        &["deno.json", "deno.jsonc"],
        "deno test --junit-path=junit.xml",
        Some("junit.xml"),
    ),
];

/// Adds what is left to people.
pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    for build in &BUILDS {
        for mark in found(seen, build) {
            sketch(seen, build, &mark, proposal);
        }
    }
    go_without_module(seen, proposal);
    if proposal.jobs.is_empty() && proposal.sketches.is_empty() {
        make(seen, proposal);
    }
}

/// Returns the files that show a kind of build: those at the top, else those one folder deeper.
fn found(seen: Seen<'_>, build: &Build) -> Vec<String> {
    let is_mark = |path: &&str| {
        let name = file_name(path);
        build.marks.iter().any(|mark| match mark.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == *mark,
        })
    };
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    let near = paths.filter(|path| path.matches('/').count() < 2 && !is_for_show(path));
    let marks: Vec<&str> = near.filter(is_mark).collect();
    if let Some(top) = marks.iter().find(|path| !path.contains('/')) {
        return vec![(*top).to_owned()];
    }
    let mut folders: Vec<&str> = Vec::new();
    let mut chosen = Vec::new();
    for path in marks {
        let folder = folder_of(path);
        // Parts of an app in JavaScript, pages about the code, and what CI is made of.
        let is_part = matches!(
            folder,
            "android" | "ios" | "macos" | "docs" | "doc" | "website"
        ) || folder.starts_with('.');
        if !is_part && !folders.contains(&folder) && chosen.len() < MOST {
            folders.push(folder);
            chosen.push(path.to_owned());
        }
    }
    chosen
}

fn sketch(seen: Seen<'_>, build: &Build, mark: &str, proposal: &mut Proposal) {
    let root = folder_of(mark);
    let command = command(seen, build, root);
    let words = format!(
        "{}: maestro reads no projects of it. A job to fill in stands in maestro.yaml as a comment",
        build.word
    );
    proposal.notice(NOT_KNOWN, mark, words);
    proposal.sketches.push(Job {
        name: super::name(build.name, root, false),
        paths: vec![at(root, "**")],
        run: Some(within(root, &command)),
        junit: build.junit.map(|path| at(root, path)),
        comments: vec![format!(
            "{}: look at `run`, and narrow the paths.",
            build.word
        )],
        ..Job::default()
    });
}

/// The notice of a build that is left to people.
const NOT_KNOWN: &str = "not-known";

/// Returns what usually tests such a build, after what lies there.
fn command(seen: Seen<'_>, build: &Build, root: &str) -> String {
    let has = |name: &str| seen.sources.has(&at(root, name));
    let has_folder = |name: &str| seen.sources.tree.has_folder(&at(root, name));
    match build.name {
        "gradle" if !has("gradlew") => build.run.replace("./gradlew", "gradle"),
        "maven" if has("mvnw") => build.run.replace("mvn ", "./mvnw "),
        "ruby" if has(".rspec") || has_folder("spec") => {
            "bundle install && bundle exec rspec".to_owned()
        }
        "ruby" if has_folder("test") => "bundle install && bundle exec rake test".to_owned(),
        "dart" if !has_folder("lib") || !has_folder("test") => {
            "dart pub get && dart test".to_owned()
        }
        "bazel" if has(".bazelrc") => build.run.to_owned(),
        _ => build.run.to_owned(),
    }
}

/// Go that no `go.mod` covers, as where `vendor.mod` stands in its place: `go test` would find nothing of it.
fn go_without_module(seen: Seen<'_>, proposal: &mut Proposal) {
    let modules = roots(seen, Kind::Go);
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    let outside: Vec<&str> = paths
        .filter(|path| extension(path) == Some("go") && !is_for_show(path))
        .filter(|path| !modules.iter().any(|root| is_within(path, root)))
        .collect();
    if outside.len() >= LEAST_GO {
        let words = format!(
            "{} Go files lie in no module (`go.mod`): no job was written for them",
            outside.len()
        );
        proposal.notice("go-without-module", folder_of(outside[0]), words);
    }
}

/// A Makefile with a target for tests, where nothing else is known.
fn make(seen: Seen<'_>, proposal: &mut Proposal) {
    for name in ["Makefile", "GNUmakefile", "makefile"] {
        let text = seen.sources.text(name).unwrap_or_default();
        let has = |target: &str| {
            let begins = |line: &str| {
                line.strip_prefix(target)
                    .is_some_and(|rest| rest.trim_start().starts_with(':'))
            };
            text.lines().any(begins)
        };
        let Some(target) = ["test", "check", "tests"]
            .into_iter()
            .find(|target| has(target))
        else {
            continue;
        };
        let words = format!(
            "`make {target}` may test it: a job to fill in stands in maestro.yaml as a comment"
        );
        proposal.notice(NOT_KNOWN, name, words);
        proposal.sketches.push(Job {
            name: "test".to_owned(),
            paths: vec!["**".to_owned()],
            run: Some(format!("make {target}")),
            comments: vec!["Make: look at `run`, and narrow the paths.".to_owned()],
            ..Job::default()
        });
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    /// Returns `name: run -> junit` of each job that is left to people, and the notices.
    fn sketches(files: &[(&str, &str)]) -> (Vec<String>, Vec<&'static str>) {
        look(files, |seen| {
            let mut proposal = Proposal::default();
            super::super::propose(seen, &mut proposal);
            assert!(proposal.jobs.is_empty(), "{:?}", proposal.jobs);
            let sketches = proposal.sketches.iter().map(|job| {
                let (run, junit) = (job.run.as_deref(), job.junit.as_deref());
                format!(
                    "{}: {} -> {}",
                    job.name,
                    run.unwrap_or("-"),
                    junit.unwrap_or("-")
                )
            });
            let codes = proposal.notices.iter().map(|one| one.code).collect();
            (sketches.collect(), codes)
        })
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], wanted: &[&str]) {
        assert_eq!(sketches(files).0, wanted);
    }

    #[test]
    fn builds_that_are_not_read_are_left_to_people_with_what_usually_tests_them() {
        check(
            &[
                ("settings.gradle.kts", ""),
                ("build.gradle.kts", ""),
                ("gradlew", ""),
            ],
            &["gradle: ./gradlew test --continue -> **/build/test-results/**/*.xml"],
        );
        check(
            &[("build.gradle", "")],
            &["gradle: gradle test --continue -> **/build/test-results/**/*.xml"],
        );
        check(
            &[
                ("api/pom.xml", ""),
                ("api/mvnw", ""),
                ("api/core/pom.xml", ""),
            ],
            &[
                "maven-api: cd api && ./mvnw --batch-mode --fail-at-end verify -> api/**/target/surefire-reports/TEST-*.xml",
            ],
        );
        check(
            &[("App.sln", ""), ("src/App/App.csproj", "")],
            &[
                "dotnet: dotnet test --logger trx --results-directory TestResults -> TestResults/*.trx",
            ],
        );
        check(
            &[("Gemfile", ""), ("spec/a_spec.rb", "")],
            &["ruby: bundle install && bundle exec rspec -> -"],
        );
        check(
            &[("Gemfile", ""), ("test/test_a.rb", "")],
            &["ruby: bundle install && bundle exec rake test -> -"],
        );
    }

    #[test]
    fn parts_of_apps_and_examples_are_no_builds_of_their_own() {
        check(
            &[
                ("android/build.gradle", ""),
                ("ios/Package.swift", ""),
                ("examples/pom.xml", ""),
                ("a/b/c/pom.xml", ""),
                (".ci/Gemfile", ""),
            ],
            &[],
        );
    }

    #[test]
    fn a_makefile_speaks_where_nothing_else_does() {
        check(
            &[("Makefile", "all:\n\ncheck : all\n\t./t\n")],
            &["test: make check -> -"],
        );
        check(&[("Makefile", "testing = 1\nall:\n")], &[]);
        check(
            &[("Makefile", "test:\n"), ("mix.exs", "")],
            &["elixir: mix deps.get && mix test -> -"],
        );
    }

    #[test]
    fn it_is_said_that_no_job_was_written() {
        let (_, codes) = sketches(&[("pom.xml", "")]);
        assert_eq!(codes, [NOT_KNOWN, "no-job"]);
    }

    #[test]
    fn go_without_a_module_is_named() {
        let names: Vec<String> = (0..12).map(|number| format!("cli/a{number}.go")).collect();
        let mut files: Vec<(&str, &str)> = names
            .iter()
            .map(|name| (name.as_str(), "package cli"))
            .collect();
        files.push(("vendor.mod", "module x"));
        let (_, codes) = sketches(&files);
        assert_eq!(codes, ["go-without-module", "no-job"]);
        files.push(("go.mod", "module x"));
        let codes = look(&files, |seen| {
            let mut proposal = Proposal::default();
            super::super::propose(seen, &mut proposal);
            proposal.notices.len()
        });
        assert_eq!(codes, 0);
    }
}
