//! Images of whole repositories.

use proptest::prelude::*;

use crate::plan::graph::owners::Owners;
use crate::plan::graph::tests::{dependents, projects, read};

#[track_caller]
fn check(files: &[(&str, &str)], path: &str, expected: &[&str]) {
    let graph = read(files);
    let mut found: Vec<_> = Owners::new(&graph)
        .of(path)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{path}");
}

#[test]
fn a_services_image_is_made_from_its_context() {
    let files = [
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n  web:\n    build: {context: ., dockerfile: web/Dockerfile, target: prod}\n  db: {image: postgres}\n",
        ),
        ("api/Dockerfile", "FROM rust\nCOPY . .\n"),
        ("api/.dockerignore", "target\n*.md\n"),
        (
            "web/Dockerfile",
            "FROM node AS prod\nCOPY package.json web ./\nFROM prod AS dev\nCOPY dev .\n",
        ),
    ];
    assert_eq!(projects(&read(&files)), ["docker:.#api", "docker:.#web"]);
    check(&files, "api/src/main.rs", &["docker:.#api"]);
    check(&files, "api/README.md", &[]);
    check(&files, "api/target/x", &[]);
    check(&files, "api/.dockerignore", &["docker:.#api"]);
    check(&files, "web/x.js", &["docker:.#web"]);
    check(&files, "package.json", &["docker:.#web"]);
    check(&files, "dev/x", &[]);
    check(&files, "compose.yaml", &["docker:.#api", "docker:.#web"]);
}

#[test]
fn bake_targets_build_on_each_other() {
    let files = [
        (
            "docker/docker-bake.hcl",
            "target \"app\" {\ncontext = \"../app\"\ncontexts = { base = \"target:base\" }\n}\ntarget \"base\" {\ncontext = \"..\"\ndockerfile = \"docker/base.Dockerfile\"\n}\n",
        ),
        (
            "docker/base.Dockerfile",
            "FROM debian\nCOPY scripts/*.sh /\n",
        ),
        ("app/Dockerfile", "FROM base\nCOPY src src\n"),
    ];
    assert_eq!(
        projects(&read(&files)),
        ["docker:docker#app", "docker:docker#base"]
    );
    assert_eq!(
        dependents(&read(&files), "docker:docker#base"),
        ["docker:docker#app"]
    );
    check(&files, "scripts/a.sh", &["docker:docker#base"]);
    check(&files, "app/src/x", &["docker:docker#app"]);
    check(&files, "app/other", &[]);
}

#[test]
fn a_dockerfile_alone_is_built_where_its_files_are() {
    let files = [
        ("deploy/Dockerfile", "FROM x\nCOPY crates crates\n"),
        ("crates/a.rs", ""),
        ("tool/Dockerfile", "FROM x\nCOPY . .\n"),
    ];
    check(&files, "crates/a.rs", &["docker:deploy"]);
    check(&files, "tool/x", &["docker:tool"]);
}

#[test]
fn a_dockerfile_may_be_spelled_in_small_letters() {
    let files = [
        (
            "compose.yaml",
            "services:\n  a:\n    build: a\n  b:\n    build: {context: b, dockerfile: Buildfile}\n",
        ),
        ("a/dockerfile", "FROM x\nCOPY src .\n"),
        ("b/Buildfile", "FROM x\nCOPY src .\n"),
        ("b/dockerfile", "FROM x\nCOPY other .\n"),
    ];
    check(&files, "a/src/x", &["docker:.#a"]);
    check(&files, "a/other/x", &[]);
    check(&files, "a/dockerfile", &["docker:.#a"]);
    check(&files, "b/src/x", &["docker:.#b"]);
}

#[test]
fn an_image_that_another_is_from_is_its_dependency() {
    let files = [
        (
            "docker-compose.yml",
            "services:\n  base:\n    image: acme/base:dev\n    build: base\n  app:\n    build: app\n",
        ),
        ("base/Dockerfile", "FROM debian\n"),
        ("app/Dockerfile", "FROM acme/base\n"),
    ];
    assert_eq!(dependents(&read(&files), "docker:.#base"), ["docker:.#app"]);
}

#[test]
fn what_is_not_known_may_be_anything() {
    let files = [("compose.yml", "services:\n  a:\n    build: ${WHERE}\n")];
    check(&files, "some/file", &["docker:.#a"]);
}

#[test]
fn services_have_what_is_merged_into_them() {
    let files = [
        (
            "compose.yaml",
            "x-b: &b\n  build: ./api\nx-c: &c\n  <<: *b\nx-d: &d\n  context: ./web\n  args: &a {APP: x}\n\
            services:\n  api:\n    <<: *c\n  list:\n    <<: [{image: x}, *b]\n  web:\n    build:\n      <<: *d\n      args: {<<: *a}\n",
        ),
        ("api/Dockerfile", "FROM x\nCOPY . .\n"),
        ("web/Dockerfile", "FROM x\nARG APP\nCOPY $APP .\n"),
    ];
    check(&files, "api/x", &["docker:.#api", "docker:.#list"]);
    check(&files, "web/x/y", &["docker:.#web"]);
    check(&files, "web/y", &[]);
}

#[test]
fn services_have_what_they_extend() {
    let files = [
        (
            "compose.yaml",
            "services:\n  base:\n    build: ./api\n  api:\n    extends: base\n  web:\n    extends: {service: web, file: d/compose.web.yml}\n  \
            loop:\n    extends: loop\n  far:\n    extends: {service: x, file: other.yml}\n",
        ),
        (
            "d/compose.web.yml",
            "services:\n  web:\n    build: {context: w, args: [APP=a]}\n",
        ),
        ("api/Dockerfile", "FROM x\nCOPY . .\n"),
        ("d/w/Dockerfile", "FROM x\nARG APP\nCOPY $APP .\n"),
    ];
    let open = ["docker:.#far", "docker:.#loop"];
    check(
        &files,
        "api/x",
        &["docker:.#api", "docker:.#base", open[0], open[1]],
    );
    check(
        &files,
        "d/w/a/x",
        &[open[0], open[1], "docker:.#web", "docker:d#web"],
    );
    check(&files, "d/w/b/x", &open);
}

#[test]
fn files_of_a_folder_say_together_how_a_service_is_built() {
    let files = [
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n  b:\n    image: acme/b\n",
        ),
        (
            "compose.dev.yaml",
            "services:\n  api:\n    build: {dockerfile: Dockerfile.dev}\n  b:\n    build: b\n",
        ),
        ("api/Dockerfile", "FROM x\nCOPY src .\n"),
        ("api/.dockerignore", "dev\n"),
        ("api/Dockerfile.dev", "FROM acme/b\nCOPY dev .\n"),
        ("api/Dockerfile.dev.dockerignore", "src\n"),
        ("b/Dockerfile", "FROM x\n"),
    ];
    check(&files, "api/src/x", &["docker:.#api"]);
    check(&files, "api/dev/x", &["docker:.#api"]);
    check(&files, "api/x", &[]);
    assert_eq!(dependents(&read(&files), "docker:.#b"), ["docker:.#api"]);
}

#[test]
fn files_that_go_together_in_too_many_ways_leave_open_where_it_is_built() {
    let made = |count: usize| {
        let mut files = vec![(
            "compose.yaml".to_owned(),
            "services:\n  a:\n    build: {args: [X=1]}\n".to_owned(),
        )];
        for at in 0..count {
            let build = format!("{{context: c{at}, dockerfile: D{at}}}");
            files.push((
                format!("compose.{at}.yaml"),
                format!("services:\n  a:\n    build: {build}\n"),
            ));
            for other in 0..count {
                files.push((format!("c{at}/D{other}"), "FROM x\nCOPY src .\n".to_owned()));
            }
            files.push((
                format!("c{at}/Dockerfile"),
                "FROM x\nCOPY src .\n".to_owned(),
            ));
        }
        files
    };
    // Each of so many contexts with each of as many files, and with the usual one.
    for (count, expected) in [(7, &[] as &[&str]), (8, &["docker:.#a"])] {
        let files = made(count);
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        check(&files, "elsewhere/x", expected);
    }
}

#[test]
fn arguments_are_those_of_each_image() {
    let files = [
        (
            "compose.yaml",
            "services:\n  api:\n    build:\n      context: .\n      args: {APP: api}\n  web:\n    build:\n      context: .\n      args:\n        - APP=web\n  \
            any:\n    build:\n      context: .\n      args: [APP]\n  env:\n    build:\n      context: .\n      args: {APP: \"${X:-web}\"}\n",
        ),
        (
            "docker-bake.hcl",
            "target \"bake\" {\n args = { APP = \"api\" }\n}\n",
        ),
        ("Dockerfile", "FROM x\nARG APP=web\nCOPY apps/$APP /a\n"),
        ("one/Dockerfile", "FROM x\nARG APP=web\nCOPY apps/$APP /a\n"),
    ];
    let any = ["docker:.#any", "docker:.#env"];
    check(
        &files,
        "apps/api/x",
        &[any[0], "docker:.#api", "docker:.#bake", any[1]],
    );
    check(&files, "apps/web/x", &[any[0], any[1], "docker:.#web"]);
    check(&files, "apps/x", &any);
    check(&files, "one/apps/api/x", &["docker:one"]);
}

#[test]
fn env_files_say_where_services_are_built() {
    let compose = "services:\n  api:\n    build: ${CTX:-web}\n  far:\n    build: apps/$FAR\n";
    let files = [
        ("compose.yaml", compose),
        (".env", "# none\nA='x'\nexport CTX=\"ap${B:-i}\" # note\n"),
        ("api/Dockerfile", "FROM x\nCOPY . .\n"),
        ("web/Dockerfile", "FROM x\nCOPY . .\n"),
    ];
    check(&files, "api/x", &["docker:.#api"]);
    check(&files, "web/x", &["docker:web"]);
    check(&files, "apps/one/x", &["docker:.#far"]);
    check(&files, ".env", &["docker:.#api", "docker:.#far"]);
    let files = [
        ("compose.yaml", compose),
        ("web/Dockerfile", "FROM x\nCOPY . .\n"),
    ];
    check(&files, "web/x", &["docker:.#api"]);
    // Who calls compose from the top may have the top's variables.
    let files = [("d/compose.yaml", compose), (".env", "CTX=api\n")];
    check(&files, "d/api/x", &["docker:d#api"]);
}

#[test]
fn triggers_take_from_the_context_of_the_image_that_is_built_on_them() {
    let files = [
        (
            "compose.yaml",
            "services:\n  base:\n    image: acme/base\n    build: base\n  app:\n    image: acme/app\n    build: app\n  top:\n    build: top\n",
        ),
        ("base/Dockerfile", "FROM node\nONBUILD COPY src /app\n"),
        ("app/Dockerfile", "FROM docker.io/acme/base:1\n"),
        ("top/Dockerfile", "FROM acme/app\n"),
    ];
    check(&files, "app/src/x", &["docker:.#app"]);
    check(&files, "app/x", &[]);
    check(&files, "base/src/x", &[]);
    check(&files, "top/src/x", &[]);
}

#[test]
fn inline_dockerfiles_are_read() {
    let files = [
        (
            "docker-bake.hcl",
            "target \"api\" {\n dockerfile-inline = <<EOT\nFROM acme/c\nCOPY api /a\nEOT\n}\n",
        ),
        (
            "compose.yaml",
            "services:\n  c:\n    image: acme/c\n    build:\n      dockerfile_inline: |\n        FROM x\n        ENV D=d\n        COPY c$$D /\n",
        ),
        ("Dockerfile", "FROM x\nCOPY other /a\n"),
    ];
    check(&files, "api/x", &["docker:.#api"]);
    check(&files, "other/x", &["docker:."]);
    check(&files, "cd/x", &["docker:.#c"]);
    assert_eq!(dependents(&read(&files), "docker:.#c"), ["docker:.#api"]);
}

#[test]
fn unknown_contexts_may_be_anywhere() {
    let files = [
        (
            "docker-bake.hcl",
            "variable \"D\" { default = \"li\" }\ntarget \"a\" {\n contexts = { src = join(\"/\", [\"a\"]) }\n}\n\
            target \"b\" {\n contexts = { src = \"${D}${\"b\"}\" }\n}\ntarget \"c\" {\n contexts = { src = \"x/${f(1)}\" }\n}\n\
            target \"d\" {\n contexts = { src = \"https://x/y\" }\n}\n",
        ),
        ("Dockerfile", "FROM x\nCOPY --from=src . /a\n"),
    ];
    check(&files, "some/file", &["docker:.#a"]);
    check(&files, "lib/file", &["docker:.#a", "docker:.#b"]);
    check(&files, "x/file", &["docker:.#a", "docker:.#c"]);
}

#[test]
fn bake_files_of_a_folder_go_over_each_other() {
    let files = [
        (
            "docker-bake.hcl",
            "target \"t\" {\n context = \"web\"\n dockerfile = \"D.x\"\n}\n",
        ),
        (
            "docker-bake.override.hcl",
            "target \"t\" {\n context = \"api\"\n}\n",
        ),
        (
            "docker-bake.prod.hcl",
            "target \"t\" {\n context = \"prod\"\n}\n",
        ),
        ("api/D.x", "FROM x\nCOPY . .\n"),
        ("prod/D.x", "FROM x\nCOPY . .\n"),
    ];
    check(&files, "api/x", &["docker:.#t"]);
    check(&files, "prod/x", &["docker:.#t"]);
    check(&files, "web/x", &[]);
    check(&files, "docker-bake.override.hcl", &["docker:.#t"]);
}

#[test]
fn a_bake_file_says_where_targets_of_others_are_built_and_touches_no_more() {
    let files = [
        (
            "docker-bake.hcl",
            "variable \"WHERE\" {\n default = \"web\"\n}\nvariable \"OTHER\" {\n default = \"lib\"\n}\n\
            target \"t\" {\n context = WHERE\n}\ntarget \"u\" {\n context = OTHER\n}\n",
        ),
        (
            "docker-bake.override.hcl",
            "variable \"WHERE\" {\n default = \"api\"\n}\nvariable \"OTHER\" {\n}\n",
        ),
        (
            "docker-bake.prod.hcl",
            "target \"v\" {\n context = \"prod\"\n}\n",
        ),
        ("api/Dockerfile", "FROM x\nCOPY . .\n"),
        ("web/Dockerfile", "FROM x\nCOPY . .\n"),
        ("lib/Dockerfile", "FROM x\nCOPY . .\n"),
        ("prod/Dockerfile", "FROM x\nCOPY . .\n"),
    ];
    check(&files, "api/x", &["docker:.#t"]);
    // The Dockerfile that no target names is one by itself.
    check(&files, "web/x", &["docker:web"]);
    check(&files, "lib/x", &["docker:.#u"]);
    check(&files, "docker-bake.prod.hcl", &["docker:.#v"]);
}

#[test]
fn a_dockerfile_of_any_name_may_be_from_its_siblings() {
    let files = [
        (
            "docker-bake.hcl",
            "target \"base\" {\n tags = [\"acme/base\"]\n context = \"base\"\n}\ntarget \"app\" {\n context = \"app\"\n dockerfile = \"Build.app\"\n}\n\
            target \"m\" {\n name = \"m-${x}\"\n matrix = { x = [\"1\"] }\n context = \"base\"\n}\ntarget \"n\" {\n context = \"n\"\n contexts = { z = \"target:m-1\" }\n}\n",
        ),
        ("base/Dockerfile", "FROM x\n"),
        ("n/Dockerfile", "FROM z\n"),
    ];
    // The file's name says nothing, so its text is not at hand.
    let tree = read(&files);
    assert_eq!(dependents(&tree, "docker:.#base"), ["docker:.#app"]);
    assert_eq!(dependents(&tree, "docker:.#m"), ["docker:.#n"]);
    check(&files, "app/x", &["docker:.#app"]);
}

#[test]
fn ignored_files_are_those_that_docker_ignores() {
    let files = [
        ("Dockerfile", "FROM x\nCOPY . .\n"),
        (".dockerignore", "{src,b}\n.\n/out/\n*.[ch]\n"),
        ("d/Dockerfile", "FROM x\nCOPY . .\n"),
        ("d/.dockerignore", ".\n../x\n"),
    ];
    check(&files, "src/x", &["docker:."]);
    check(&files, "out/x", &[]);
    check(&files, "a.c", &[]);
    check(&files, "d/x", &["docker:.", "docker:d"]);
}

#[test]
fn sources_above_the_context_are_in_it() {
    let files = [
        ("compose.yaml", "services:\n  api:\n    build: ./api\n"),
        (
            "api/Dockerfile",
            "FROM x\nCOPY ../src /src\nCOPY {a,b} c[1-3] /\n",
        ),
    ];
    check(&files, "api/src/x", &["docker:.#api"]);
    check(&files, "api/{a,b}", &["docker:.#api"]);
    check(&files, "api/c2", &["docker:.#api"]);
    check(&files, "src/x", &[]);
    check(&files, "api/a", &[]);
}

#[test]
fn names_with_variables_may_be_those_of_other_images() {
    let files = [
        (
            "compose.yaml",
            "services:\n  base:\n    image: ${REGISTRY}/base:1\n    build: base\n  app:\n    build: app\n  other:\n    build: other\n",
        ),
        ("base/Dockerfile", "FROM x\n"),
        ("app/Dockerfile", "ARG REG=acme\nFROM ${REG}/base:2\n"),
        ("other/Dockerfile", "ARG REG=acme\nFROM ${REG}/else\n"),
    ];
    assert_eq!(dependents(&read(&files), "docker:.#base"), ["docker:.#app"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_ends(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "FROM", "COPY", "ONBUILD", "RUN", "ARG", "ENV", "--mount=", "--from=", "<<E", "E", " ", " ", "\n", "\n", "\\", "\"", "'",
                "$", "$$", "${", "}", "{", "[", "]", "(", ")", ":-", "=", "a", "b", "\u{e9}", "/", "..", "*", "#", "`", "%{", ",",
                "target \"a\" ", "variable \"b\" ", "services:\n", "  a:\n", "    build: ", "    extends: a\n", "    <<: ", "&b ", "*b",
            ]),
            0..60,
        )
    ) {
        let text = words.concat();
        let compose = format!("services:\n  a:\n    build: {text}");
        let bake = format!("target \"a\" {{\n context = {text}");
        let _whatever = read(&[
            ("Dockerfile", &text),
            (".dockerignore", &text),
            (".env", &text),
            ("compose.yaml", &compose),
            ("d/compose.yaml", &text),
            ("docker-bake.hcl", &bake),
            ("d/docker-bake.hcl", &text),
        ]);
    }
}
