//! Bake files as people write them.

use serde_json::json;

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn targets_of_hcl_are_read() {
    let text = r#"
        # what is built
        group "default" { targets = ["app", "base"] }
        target "app" {
          context = "${ROOT}/app"
          dockerfile = "../Dockerfile"
          target = notequal("", X) ? "a" : "b"
          contexts = { base = "target:base", src = "../lib", any = join("/", ["a"]) }
          args = { A = join(",", ["x"]), B = "${ROOT}", C = "c" }
          tags = ["${NONE}/app:latest", f("x")]
        }
        variable "ROOT" { default = "${UP}ces" }
        variable "NONE" {}
        UP = "servi"
        function "f" { params = [x] result = "${x}y" }
        target "base" {}
    "#;
    let targets = Bake::hcl(text).targets();
    assert_eq!(targets.keys().collect::<Vec<_>>(), ["app", "base"]);
    let app = &targets["app"];
    assert_eq!(app.context.as_deref(), Some("services/app"));
    assert_eq!(app.dockerfile.as_deref(), Some("../Dockerfile"));
    assert_eq!(app.stage.as_deref(), Some("\0"));
    let contexts = [("any", "\0"), ("base", "target:base"), ("src", "../lib")];
    assert_eq!(app.contexts, map(&contexts));
    assert_eq!(app.args, map(&[("A", "\0"), ("B", "\0"), ("C", "c")]));
    assert_eq!(app.tags, ["\0/app:latest", "\0"]);
    assert_eq!(targets["base"], Target::default());
}

#[test]
fn targets_inherit_the_last_that_is_said() {
    let text = r#"
        variable "V" { default = "b" }
        target "a" { context = "a" dockerfile = "Build.a" args = { X = "1", Y = "1" } }
        target "b" { inherits = ["c"] args = { X = "2" } tags = ["t"] }
        target "c" { context = "c" }
        target "one" { inherits = ["a", V] args = { Z = "3" } }
        target "two" { inherits = [f("x")] context = "two" }
        target "three" { inherits = ["three"] }
        target "four" { inherits = f("x") }
    "#;
    let text = text
        .replace("\" dockerfile", "\"\ndockerfile")
        .replace("\" args", "\"\nargs");
    let text = text
        .replace("] args", "]\nargs")
        .replace("} tags", "}\ntags");
    let text = text.replace("] context", "]\ncontext");
    let targets = Bake::hcl(&text).targets();
    let one = &targets["one"];
    assert_eq!(one.context.as_deref(), Some("c"));
    assert_eq!(one.dockerfile.as_deref(), Some("Build.a"));
    assert_eq!(one.args, map(&[("X", "2"), ("Y", "1"), ("Z", "3")]));
    assert_eq!(one.tags, ["t"]);
    let two = &targets["two"];
    assert_eq!(two.context.as_deref(), Some("two"));
    assert_eq!(two.dockerfile.as_deref(), Some("\0"));
    assert_eq!(targets["three"].context.as_deref(), Some("\0"));
    assert_eq!(targets["four"].context.as_deref(), Some("\0"));
}

#[test]
fn a_matrix_goes_before_variables() {
    let text = r#"
        variable "s" { default = "web" }
        target "t" {
          name = "t-${s}"
          matrix = { s = ["api", "web"] }
          context = "apps/${s}"
        }
        target "u" { inherits = ["t-api"] }
    "#;
    let targets = Bake::hcl(text).targets();
    assert_eq!(targets["t"].context.as_deref(), Some("apps/\0"));
    assert_eq!(targets["t"].alias.as_deref(), Some("t-\0"));
    assert_eq!(targets["u"].context.as_deref(), Some("apps/\0"));
}

#[test]
fn what_is_said_twice_is_put_together() {
    let text = "target \"t\" {\n context = \"a\"\n args = { A = \"1\" }\n}\ntarget \"t\" {\n tags = [\"x\"]\n args = { B = \"2\" }\n}\n";
    let first = Bake::hcl(text);
    let t = &first.targets()["t"];
    assert_eq!(t.context.as_deref(), Some("a"));
    assert_eq!(t.args, map(&[("A", "1"), ("B", "2")]));
    let json = json!({
        "variable": {"V": {"default": "b"}},
        "target": {"t": [{"context": "${V}"}, {"tags": ["y"]}]},
    });
    let both = first.over(Bake::json(&json)).targets();
    assert_eq!(both["t"].context.as_deref(), Some("b"));
    assert_eq!(both["t"].tags, ["x", "y"]);
    assert_eq!(both["t"].args, map(&[("A", "1"), ("B", "2")]));
}

#[test]
fn variables_that_double_end() {
    let mut text = "variable \"V0\" { default = \"xxxxxxxx\" }\n".to_owned();
    for number in 1..80 {
        let last = number - 1;
        text.push_str(&format!(
            "variable \"V{number}\" {{ default = \"${{V{last}}}${{V{last}}}\" }}\n"
        ));
    }
    text.push_str("target \"t\" { context = V79 }\n");
    assert!(
        Bake::hcl(&text).targets()["t"]
            .context
            .as_deref()
            .unwrap()
            .contains(UNKNOWN)
    );
}

#[test]
fn templates_know_names_and_plain_strings() {
    let lookup = |name: &str| (name == "D").then(|| "d".to_owned());
    for (text, expected) in [
        ("${D}${\"b\"}-${ D }", "db-d"),
        ("$${D}$x%", "${D}$x%"),
        ("a/${N}/b", "a/\0/b"),
        ("a/${f(\"}\")}/b", "a/\0"),
        ("%{ if true }a%{ endif }", "\0"),
        ("${D", "d"),
    ] {
        assert_eq!(template(text, &lookup), expected, "{text}");
    }
}
