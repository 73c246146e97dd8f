//! What COPY and `.dockerignore` take for globs, said as [`super::super::patterns`] says them.
//!
//! A source may come to match more than it does for Docker, what is kept out never.

use super::words::UNKNOWN;

/// Returns a source of COPY as a glob from the context's top; `""` for all of it.
///
/// Only stars and question marks are left: a class of signs becomes a question mark, and what only the build knows the folder around it.
pub(super) fn source(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let known = text.split(UNKNOWN).next().unwrap_or_default();
    let is_known = known.len() == text.len();
    let mut rest = known.split('/').peekable();
    while let Some(part) = rest.next() {
        if !is_known && rest.peek().is_none() {
            break;
        }
        match part {
            "" | "." => {}
            // There is nothing above a context.
            ".." => {
                parts.pop();
            }
            part => match wider(part) {
                Some(part) => parts.push(part),
                None => break,
            },
        }
    }
    parts.join("/")
}

/// Returns a glob that matches at least as much; nothing where a class does not end.
fn wider(part: &str) -> Option<String> {
    let mut out = String::new();
    let mut signs = part.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '[' => {
                signs.next_if_eq(&'^');
                let mut is_first = true;
                loop {
                    match signs.next()? {
                        '\\' => {
                            signs.next()?;
                        }
                        ']' if !is_first => break,
                        _ => {}
                    }
                    is_first = false;
                }
                out.push('?');
            }
            '\\' => match signs.next() {
                Some(sign) if is_plain(sign) => out.push(sign),
                _ => out.push('?'),
            },
            '*' | '?' => out.push(sign),
            sign => out.push(if is_plain(sign) { sign } else { '?' }),
        }
    }
    Some(out)
}

fn is_plain(sign: char) -> bool {
    !matches!(sign, '*' | '?' | '[' | '{' | '}' | '\\')
}

/// Returns a glob that is meant from a folder, from the top.
pub(super) fn under(folder: &str, glob: &str) -> String {
    let folder: String = folder
        .chars()
        .map(|sign| if is_plain(sign) { sign } else { '?' })
        .collect();
    let whole = match (folder.is_empty(), glob.is_empty()) {
        (true, true) => ".".to_owned(),
        (true, false) => glob.to_owned(),
        (false, true) => folder,
        (false, false) => format!("{folder}/{glob}"),
    };
    match whole.strip_prefix('!') {
        Some(rest) => format!("?{rest}"),
        None => whole,
    }
}

/// Returns what `.dockerignore` keeps out of a context, as patterns that take away; nothing where it has exceptions.
pub(super) fn ignored(text: &str, context: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.iter().any(|line| line.starts_with('!')) {
        return Vec::new();
    }
    let globs = lines.into_iter().filter_map(kept_out);
    globs
        .map(|glob| format!("!{}", under(context, &glob)))
        .collect()
}

/// Returns a line of `.dockerignore` as a glob; nothing when it matches nothing, or may mean something else for Docker: braces are
/// signs as others there, two stars beside something else stand for folders, and some signs are those of a regular expression.
fn kept_out(line: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in line.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // One that begins above the context matches nothing.
                if parts.pop().is_none() && !line.starts_with('/') {
                    return None;
                }
            }
            part => parts.push(part),
        }
    }
    let is_sure = parts.iter().all(|part| means_the_same(part));
    (is_sure && !parts.is_empty()).then(|| parts.join("/"))
}

fn means_the_same(part: &str) -> bool {
    if part.contains("**") {
        return part == "**";
    }
    let mut rest = part;
    while let Some(at) = rest.find(['[', ']', '\\', '{', '}', '(', ')', '+', '|', '^', '$']) {
        let class = rest[at..].strip_prefix('[');
        let Some((class, after)) = class.and_then(|class| class.split_once(']')) else {
            return false;
        };
        if !is_simple_class(class) {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether a class is of letters, digits and ranges of them.
fn is_simple_class(class: &str) -> bool {
    let signs: Vec<char> = class.chars().collect();
    let mut rest = &signs[..];
    loop {
        rest = match rest {
            [from, '-', to, rest @ ..]
                if from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric() && from <= to =>
            {
                rest
            }
            [one, rest @ ..] if one.is_ascii_alphanumeric() || *one == '_' => rest,
            rest => return rest.is_empty() && !signs.is_empty(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_never_leave_their_context() {
        for (text, expected) in [
            ("../src", "src"),
            ("/../../a/./b/", "a/b"),
            ("a/../../b", "b"),
            ("./", ""),
            ("..", ""),
            ("x/*.t?t", "x/*.t?t"),
            ("a[0-9]b/[^]]x", "a?b/?x"),
            ("[^^]a/[^a^]b/[a^]", "?a/?b/?"),
            (r"[\]]a/[^\]b]c", "?a/?c"),
            ("{a,b}", "?a,b?"),
            (r"a\*b\c", "a?bc"),
            ("a/b[c/d", "a"),
            ("apps/x\0/y", "apps"),
            ("\0", ""),
        ] {
            assert_eq!(source(text), expected, "{text}");
        }
    }

    #[test]
    fn folders_are_no_globs() {
        assert_eq!(under("app/[id]", "*"), "app/?id]/*");
        assert_eq!(under("", ""), ".");
        assert_eq!(under("", "!x"), "?x");
        assert_eq!(under("a", ""), "a");
    }

    #[test]
    fn what_may_mean_something_else_keeps_nothing_out() {
        let text = "# no\n/a/\n./b/../c\n *.py[cod] \n**/x\n[!a]\n[^a]\n{a,b}\na**b\n../up\n.\n/\na+b*\nx\\y\n[b-a]\n(z)\n";
        assert_eq!(
            ignored(text, "d"),
            ["!d/a", "!d/c", "!d/*.py[cod]", "!d/**/x"]
        );
        assert_eq!(ignored("a\n! b\n", ""), Vec::<String>::new());
        assert_eq!(ignored("a\n", ""), ["!a"]);
    }
}
