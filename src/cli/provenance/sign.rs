//! `maestro provenance sign`: statements in envelopes, with the signature of a key.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{bad_input, document, is_no_key, meant, write};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};
use crate::ports::signing::{SigningKey, SigningProblem};
use crate::provenance::assembly::STATEMENT_ENDING;
use crate::provenance::statement::Statement;
use crate::provenance::{bundle, dsse};
use crate::sha::Sha;

/// Where a key is when no file is named.
const VARIABLE: &str = "MAESTRO_SIGNING_KEY";

/// Sign statements with a key
///
/// Puts each in-toto statement into a DSSE envelope, and that into a Sigstore bundle v0.3 (`NAME.sigstore.json`), or leaves it alone
/// (`NAME.dsse.json`). The key is PKCS#8 in PEM form, Ed25519 or P-256; it comes from a file or from the variable MAESTRO_SIGNING_KEY, and is never an
/// argument, because arguments are seen by every process of the machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Every statement of a folder
    $ maestro provenance sign provenance --key signing.pem

  One of them, as a bare envelope
    $ maestro provenance sign provenance/index.statement.json --key signing.pem --form dsse")]
pub(crate) struct SignArgs {
    /// Statements, and folders that hold some
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// The file of the private key [default: the key in MAESTRO_SIGNING_KEY]
    // A key begins with hyphens; refused as an unknown option, it would be printed.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    key: Option<PathBuf>,

    /// What to write
    #[arg(long, value_name = "FORM", default_value = "bundle")]
    form: SignedForm,

    /// The folder to write into [default: beside each statement]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Sign, and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SignedForm {
    /// A Sigstore bundle v0.3
    Bundle,
    /// A DSSE envelope
    Dsse,
}

pub(super) fn run(session: &mut Session<'_>, args: &SignArgs) -> CommandResult {
    let key = key(session, args.key.as_deref())?;
    let public = key.public();
    let hint = public.hint();
    let mut rows = Vec::new();
    for path in meant(session, &args.paths, &[STATEMENT_ENDING])? {
        let bytes = document(session, &path)?;
        let statement = Statement::read(&bytes).map_err(|problem| {
            bad_input(&path, &problem).hint("only in-toto statements are signed")
        })?;
        let signature = key.sign(&dsse::pae(dsse::IN_TOTO, &bytes));
        let signature = signature.map_err(|problem| unusable("the key", problem))?;
        let envelope = dsse::write(&bytes, &hint, &signature);
        let text = match args.form {
            SignedForm::Bundle => bundle::write(&envelope, &hint),
            SignedForm::Dsse => envelope.to_string(),
        };
        let file = signed_file(args, &path);
        if !args.dry_run {
            write(session, &file, text.as_bytes())?;
        }
        rows.push(SignedRow {
            statement: session.shown(&session.base.join(&path)),
            file: session.shown(&session.base.join(&file)),
            predicate_type: statement.predicate_type,
            sha256: Sha::of(&bytes).to_string(),
        });
    }
    let document = SignDocument {
        schema: "maestro.provenance-sign/v1",
        dry_run: args.dry_run,
        algorithm: public.kind().name(),
        key: hint,
        public_key: public.to_pem(),
        signed: rows,
    };
    session.render(&document)?;
    if args.dry_run {
        session.ui.status("dry run: nothing was written");
    }
    Ok(ExitCode::Success)
}

/// Returns the file of what is signed.
fn signed_file(args: &SignArgs, statement: &Path) -> PathBuf {
    let name = statement.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(STATEMENT_ENDING);
    let stem = stem.or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    let ending = match args.form {
        SignedForm::Bundle => "sigstore.json",
        SignedForm::Dsse => "dsse.json",
    };
    let name = format!("{stem}.{ending}");
    match &args.out {
        Some(folder) => folder.join(name),
        None => statement.with_file_name(name),
    }
}

/// Opens the key. Nothing of it ever reaches a message.
fn key(
    session: &mut Session<'_>,
    path: Option<&Path>,
) -> Result<Box<dyn SigningKey>, CommandError> {
    let Some(path) = path else {
        let Some(text) = session.var(VARIABLE) else {
            let message = format!("there is no key: neither `--key` nor {VARIABLE} is given");
            return Err(CommandError::message(ErrorKind::Usage, message)
                .hint("`maestro provenance keygen --out signing.pem` makes one"));
        };
        let opened = session.world.signing.open(text.as_bytes());
        return opened.map_err(|problem| unusable(VARIABLE, problem));
    };
    is_no_key(path)?;
    let bytes = document(session, path)?;
    let opened = session.world.signing.open(&bytes);
    let opened = opened.map_err(|problem| unusable(&format!("`{}`", path.display()), problem))?;
    if session.world.files.is_shared(&session.base.join(path)) {
        let warning = format!(
            "others than its owner may read `{}`: chmod 600 keeps it private",
            path.display()
        );
        session.ui.warn(&warning);
    }
    Ok(opened)
}

impl Reported for SigningProblem {
    fn reported(self, of: &str) -> CommandError {
        unusable(of, self)
    }
}

fn unusable(what: &str, problem: SigningProblem) -> CommandError {
    let kind = match problem {
        SigningProblem::Encrypted | SigningProblem::OldForm | SigningProblem::OtherKind => {
            ErrorKind::Unsupported
        }
        SigningProblem::NotPem | SigningProblem::Public => ErrorKind::BadInput,
        SigningProblem::NoRandomness => ErrorKind::Internal,
    };
    let hint = match problem {
        SigningProblem::Encrypted => "`openssl pkcs8 -in KEY -out PLAIN` takes the password off",
        SigningProblem::OldForm => {
            "`openssl pkcs8 -topk8 -nocrypt -in KEY -out PKCS8` writes it in the form that is read"
        }
        SigningProblem::Public => "signing takes the private key; `verify` takes this one",
        SigningProblem::NotPem | SigningProblem::OtherKind => {
            "`maestro provenance keygen --out signing.pem` makes one that fits"
        }
        SigningProblem::NoRandomness => {
            "the system's source of them is not ready: run the command again"
        }
    };
    CommandError::message(kind, format!("{what} cannot sign: {problem}")).hint(hint)
}

/// What was signed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance-sign/v1"))]
pub(crate) struct SignDocument {
    /// `maestro.provenance-sign/v1`
    schema: &'static str,
    dry_run: bool,
    /// `Ed25519` or `ECDSA P-256`.
    algorithm: &'static str,
    /// What signatures call the key: base64 of the SHA-256 of its public half in DER.
    key: String,
    /// The public half, in PEM form.
    public_key: String,
    signed: Vec<SignedRow>,
}

/// A statement that was signed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SignedRow {
    statement: String,
    /// What was written.
    file: String,
    predicate_type: String,
    /// Of the statement.
    sha256: String,
}

impl Report for SignDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let count = times(self.signed.len() as u64, "statement");
        page.heading(format!("{count} signed with an {} key", self.algorithm));
        let head = vec![Column::left("File"), Column::left("Predicate")];
        let row = |row: &SignedRow| {
            vec![
                Cell::code(row.file.clone()),
                Cell::code(row.predicate_type.clone()),
            ]
        };
        page.table(head, self.signed.iter().map(row).collect());
        page
    }
}
