//! `maestro provenance keygen`: a pair of keys.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::write;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Inline, Page, Report};
use crate::provenance::keys::KeyKind;

/// Make a pair of keys that statements are signed with
///
/// Writes a private key (PKCS#8 in PEM form, for its owner's eyes only) and beside it the public one, under the same name and `.pub`. Nothing is
/// ever overwritten. `openssl genpkey` makes the same: `-algorithm ED25519`, or `-algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  A key for a repository's secrets, and the half that everybody may have
    $ maestro provenance keygen --out ci.pem

  An Ed25519 key
    $ maestro provenance keygen --algorithm ed25519 --out ed25519.pem")]
pub(crate) struct KeygenArgs {
    /// The file of the private key, which must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// How the key signs
    #[arg(long, value_name = "NAME", default_value = "p256")]
    algorithm: Algorithm,

    /// Make no key
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    /// ECDSA over P-256 with SHA-256, as Sigstore's tools make them
    P256,
    Ed25519,
}

impl Algorithm {
    fn kind(self) -> KeyKind {
        match self {
            Self::P256 => KeyKind::P256,
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &KeygenArgs) -> CommandResult {
    let files = session.world.files.as_ref();
    let mut public = args.out.clone().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    for path in [&args.out, &public] {
        if files.kind(&session.base.join(path)).is_ok() {
            let message = format!("`{}` exists already", path.display());
            return Err(CommandError::message(ErrorKind::CannotWrite, message)
                .hint("a key is never overwritten; name another file"));
        }
    }
    let kind = args.algorithm.kind();
    let failed = CommandError::internal;
    let pem = session.world.signing.make(kind).map_err(failed)?;
    let key = session.world.signing.open(pem.as_bytes());
    let half = key.map_err(failed)?.public();
    if !args.dry_run {
        let path = session.base.join(&args.out);
        files
            .write_private(&path, pem.as_bytes())
            .map_err(|error| CommandError::writing(&args.out, error))?;
        write(session, &public, half.to_pem().as_bytes())?;
    }
    session.render(&KeygenDocument {
        schema: "maestro.provenance-keygen/v1",
        dry_run: args.dry_run,
        algorithm: kind.name(),
        private_key: session.shown(&session.base.join(&args.out)),
        public_key: session.shown(&session.base.join(&public)),
        hint: (!args.dry_run).then(|| half.hint()),
    })?;
    if args.dry_run {
        session.ui.status("dry run: no key was made");
    }
    Ok(ExitCode::Success)
}

/// A pair of keys.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance-keygen/v1"))]
pub(crate) struct KeygenDocument {
    /// `maestro.provenance-keygen/v1`
    schema: &'static str,
    dry_run: bool,
    /// `Ed25519` or `ECDSA P-256`.
    algorithm: &'static str,
    /// The file with the private key.
    private_key: String,
    /// The file with the public key.
    public_key: String,
    /// What signatures call the key: base64 of the SHA-256 of its public half in DER.
    hint: Option<String>,
}

impl Report for KeygenDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let code = |text: &str| Inline::Code(text.to_owned());
        let plain = |text: &str| Inline::Plain(text.to_owned());
        let words = format!("{}: the private key is ", self.algorithm);
        page.line(vec![
            plain(&words),
            code(&self.private_key),
            plain(", the public one "),
            code(&self.public_key),
            plain("."),
        ]);
        page
    }
}
