//! What is a secret is found, and what only looks like one is not.
use super::*;

fn rules(line: &str) -> Vec<&'static str> {
    let found = Detector::new().line(line.as_bytes());
    found.iter().map(|secret| secret.rule).collect()
}

/// Puts a secret together at run time, so that no scanner takes this file for a leak.
fn made(prefix: &str, alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 7_usize;
    let mut text = prefix.to_owned();
    for _ in 0..length {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        text.push(letters[(state >> 8) % letters.len()]);
    }
    text
}

const ANY: &str = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhIkLoPqRsTuVwXyZ";
const HEX: &str = "0123456789abcdef";

#[test]
fn every_expression_compiles_and_every_line_has_its_needs() {
    let detector = Detector::new();
    for shape in &detector.shapes {
        compile(shape);
        assert!(
            shape.needs.split(' ').all(|need| !need.is_empty()),
            "{}",
            shape.name
        );
    }
    let mut names: Vec<_> = detector.shapes.iter().map(|shape| shape.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), detector.shapes.len());
}

#[test]
fn tokens_are_found_where_they_stand() {
    for (rule, token) in [
        ("github-token", made("ghp_", ANY, 36)),
        (
            "github-pat",
            format!("{}{}", made("github_pat_", ANY, 22), made("_", ANY, 59)),
        ),
        ("gitlab-token", made("glpat-", ANY, 20)),
        (
            "aws-key-id",
            made("AKIA", "ABCDEFGH2JKLMN3PQR4TUV5XYZ6", 16),
        ),
        ("google-key", made("AIzaSy", ANY, 33)),
        ("stripe-key", made("sk_live_", ANY, 24)),
        (
            "anthropic-key",
            format!("{}AA", made("sk-ant-api03-", ANY, 93)),
        ),
        (
            "openai-key",
            format!("{}{}", made("sk-proj-", ANY, 58), made("T3BlbkFJ", ANY, 58)),
        ),
        ("npm-token", made("npm_", ANY, 36)),
        ("pypi-token", made("pypi-AgEIcHlwaS5vcmc", ANY, 60)),
        ("databricks-token", made("dapi", HEX, 32)),
        ("sentry-token", made("sntryu_", HEX, 64)),
        ("azure-secret", format!("\"{}\"", made("bP88Q~", ANY, 34))),
    ] {
        let line = format!("let key = {token};");
        assert_eq!(rules(&line), [rule], "{line}");
        let found = Detector::new().line(line.as_bytes());
        let bare = token.trim_matches('"');
        assert_eq!(&line[found[0].start..found[0].end], bare, "{line}");
    }
}

#[test]
fn the_beginning_of_a_private_key_is_enough() {
    for line in [
        "-----BEGIN RSA PRIVATE KEY-----",
        "key: \"-----BEGIN PRIVATE KEY-----\\nMIIE\"",
    ] {
        assert_eq!(rules(line), ["private-key"], "{line}");
    }
    assert_eq!(rules("-----BEGIN PUBLIC KEY-----"), Vec::<&str>::new());
}

#[test]
fn words_around_a_value_make_it_a_secret() {
    let password = format!("{}{}", "d2LkV7", "8zLx9qT4");
    for (rule, line) in [
        (
            "curl-user",
            format!("curl -u ada:{password} https://ci.acme.dev"),
        ),
        (
            "curl-user",
            format!("curl --user \"{password}:\" https://ci.acme.dev"),
        ),
        (
            "http-header",
            format!("curl -H \"Authorization: Bearer {password}{password}\""),
        ),
        (
            "http-header-key",
            format!("X-Api-Key: {password}{password}"),
        ),
        (
            "url-password",
            format!("postgres://ada:{password}@db.acme.dev/x"),
        ),
        (
            "npmrc-token",
            format!("//npm.acme.dev/:_authToken={password}{password}"),
        ),
        ("named-secret", format!("  db_password: \"{password}\"")),
        (
            "named-secret",
            format!("'client-secret' => '{password}{password}',"),
        ),
    ] {
        assert_eq!(rules(&line), [rule], "{line}");
    }
}

#[test]
fn what_says_that_it_is_none_is_left_alone() {
    for line in [
        "curl -u user:password https://ci.acme.dev",
        "curl -u \"${NAME}:${PASSWORD}\"",
        "curl -u \"$1:$2\" https://ci.acme.dev",
        "curl -H 'Authorization: Bearer $TOKEN'",
        "Authorization: Basic ...",
        "headers, { authorization: options.request.headers.authorization.replace(/ .*$/, \"\") }",
        "https://git:secret-token1@example.com/pkg.git",
        "postgres://user:password@localhost/db",
        "password = \"correct horse battery staple\"",
        "api_key = \"your_api_key_123\"",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "secret = \"79a3edd0-2092-40a2-a04d-dcb46d5ca9ed\"",
        "s.AcceptanceTimeoutSeconds",
        "public_key_token = \"b77a5c561934e089\"",
    ] {
        assert_eq!(rules(line), Vec::<&str>::new(), "{line}");
    }
}

#[test]
fn a_long_line_is_looked_at_where_it_may_matter() {
    let token = made("ghp_", ANY, 36);
    let noise = "x".repeat(20_000);
    let line = format!("{noise} {token} {noise} {token}");
    let found = Detector::new().line(line.as_bytes());
    assert_eq!(found.len(), 2);
    assert_eq!(&line[found[1].start..found[1].end], token);
}

#[test]
fn bytes_that_are_no_text_are_no_trouble() {
    let mut line = b"\xff\xfe token = \"".to_vec();
    line.extend_from_slice(made("ghp_", ANY, 36).as_bytes());
    line.push(0xff);
    assert_eq!(Detector::new().line(&line).len(), 1);
}
