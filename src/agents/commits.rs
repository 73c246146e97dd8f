//! Commits of a run, as git has them: whose they are and what they say. What maestro did not write is none.

use super::trailers::{self, EMAIL, NAME, Trailers};

/// A run has no more commits.
pub(crate) const MOST: usize = 1000;

/// No commit of a run is larger, in bytes.
const LARGEST: usize = 64 * 1024;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) message: String,
    pub(crate) trailers: Trailers,
}

/// Reads a commit of a run, or says why it is none.
pub(crate) fn read(bytes: &[u8], run: &str) -> Result<Commit, String> {
    if bytes.len() > LARGEST {
        return Err("it is larger than any".into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8 text")?;
    let (head, message) = text.split_once("\n\n").ok_or("it has no message")?;
    let (mut tree, mut parents) = (None, Vec::new());
    let mut people = 0;
    for line in head.lines() {
        let (name, value) = line.split_once(' ').ok_or("its head is none")?;
        match name {
            "tree" if tree.is_none() => tree = Some(value.to_owned()),
            "parent" => parents.push(value.to_owned()),
            "author" | "committer" => {
                if !value.starts_with(&format!("{NAME} <{EMAIL}> ")) {
                    return Err(format!("its {name} is not {NAME} <{EMAIL}>"));
                }
                people += 1;
            }
            // Signatures, encodings, tags that were merged: a run writes none.
            _ => return Err("its head has what maestro does not write".into()),
        }
    }
    if people != 2 {
        return Err("it does not name one author and one committer".into());
    }
    let trailers = trailers::read(message).map_err(|error| error.to_string())?;
    if trailers.run != run {
        return Err(format!("it is of the run `{}`", trailers.run));
    }
    Ok(Commit {
        tree: tree.ok_or("it has no tree")?,
        parents,
        message: message.to_owned(),
        trailers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "tree aa\nparent bb\nauthor maestro <maestro@localhost> 1767603600 +0000\ncommitter maestro <maestro@localhost> 1767603600 +0000\n\nCheck\n\nMaestro-Run: r1\n";

    #[test]
    fn a_commit_of_the_run_is_read() {
        let commit = read(GOOD.as_bytes(), "r1").unwrap();
        assert_eq!(
            (commit.tree.as_str(), commit.parents),
            ("aa", vec!["bb".to_owned()])
        );
        assert_eq!(commit.trailers.run, "r1");
    }

    #[test]
    fn what_maestro_did_not_write_is_none() {
        for (from, to, words) in [
            ("author maestro <", "author Eve <", "its author"),
            (
                "committer maestro <maestro@localhost>",
                "committer maestro <m@evil.example>",
                "its committer",
            ),
            (
                "\ncommitter maestro <maestro@localhost> 1767603600 +0000",
                "",
                "one author and one committer",
            ),
            (
                "parent bb\n",
                "parent bb\nencoding UTF-7\n",
                "does not write",
            ),
            ("parent bb\n", "parent bb\ngpgsig x\n", "does not write"),
            ("tree aa\n", "tree aa\ntree cc\n", "does not write"),
            ("tree aa\n", "", "no tree"),
            ("Maestro-Run: r1", "Maestro-Run: r2", "of the run `r2`"),
            ("Maestro-Run: r1", "words", "names no run"),
            ("\n\nCheck\n\nMaestro-Run: r1\n", "", "no message"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            let why = read(text.as_bytes(), "r1").unwrap_err();
            assert!(why.contains(words), "{to}: {why}");
        }
        assert!(read(b"\xff", "r1").is_err());
        assert!(read(&vec![b'x'; LARGEST + 1], "r1").is_err());
    }
}
