//! Why something is not verified: codes that `maestro explain` knows.

/// A code and what it means.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    /// Whether it says that nothing can be said, and not that something is wrong.
    pub(crate) is_unsupported: bool,
    pub(crate) meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $unsupported:literal, $meaning:literal;)+) => {
        $(pub(crate) const $constant: &Code = &Code {
            name: $name, is_unsupported: $unsupported, meaning: $meaning,
        };)+

        /// Every code.
        pub(crate) const CODES: &[&Code] = &[$($constant),+];
    };
}

codes! {
    BAD_SIGNATURE = "bad-signature", false, "None of the keys that were given made a signature over these bytes. The document was changed, or somebody else signed it, or the key is another one. A `keyid` or `hint` inside it is never asked.";
    CERTIFICATE = "certificate", true, "It was signed with a certificate of Sigstore's (keyless). Whose it is, and that it held at the time, can be told only with a trusted root, a transparency log and timestamps; maestro looks at none of them. Verify it with `gh attestation verify` or cosign.";
    COMMIT = "commit", false, "It is about another commit than the one that was asked for, or names none.";
    BUILDER = "builder", false, "It names another builder than the one that was asked for, or names none.";
    FILE_DIFFERS = "file-differs", false, "A file on disk has another SHA-256 than the document says: it was changed, or it is of another build.";
    FILE_MISSING = "file-missing", false, "A file that the document names is not there, or cannot be read, or lies outside the folder that was given.";
    LOG_ENTRY = "log-entry", false, "An entry of a transparency log in the bundle is about another signature: it was taken from another bundle, or the signature was changed. Whether the log ever had an entry is not looked at.";
    MALFORMED = "malformed", false, "It claims a form that it does not have: a part is missing, is no base64, or stands there twice.";
    MISSING_LINK = "missing-link", false, "A run refers to an earlier one whose index is neither among the files that were given nor in the state. `maestro state pull` fetches what others published; what is not there either was removed.";
    NO_KEY = "no-key", true, "It is signed with a key, and none was given. A key inside the document would prove nothing, so that it has to come from somewhere else: `--key FILE`.";
    NOT_COMPARABLE = "not-comparable", true, "Files were to be compared, and a subject has no name to find its file by, or no SHA-256 to compare it with.";
    NOT_A_SUBJECT = "not-a-subject", false, "A file that was asked for is none that the document is about. Files are found by their SHA-256 only; a name proves nothing.";
    NOT_SIGNED = "not-signed", false, "It is a bare statement: anybody can write one. `maestro provenance sign` signs it.";
    PAYLOAD_TYPE = "payload-type", true, "The signature holds, and what is signed is no in-toto statement, so that nothing can be said about its content.";
    POLICY = "policy", false, "It was judged by another policy than the one that was asked for, or names none.";
    PREDICATE_TYPE = "predicate-type", false, "It is a statement of another kind than the one that was asked for.";
    PROPERTY = "property", false, "A property that was asked for is none of those that it names.";
    RESOURCE = "resource", false, "It is about another resource than the one that was asked for.";
    RESULT = "result", false, "The document is genuine, and what it says is bad news: tests failed, a policy blocked, a verification failed. `--result any` takes it all the same.";
    STATEMENT_DIFFERS = "statement-differs", false, "A statement that an index refers to is missing, or has another SHA-256.";
    VERSION = "version", true, "It is a bundle of a version that is not known here.";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn each_code_is_there_once() {
        let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }
}
