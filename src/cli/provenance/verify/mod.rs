//! `maestro provenance verify`: whether signed documents are to be believed.

mod wire;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::{bad_input, digest, document, fact, is_no_key, meant};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::ports::FileKind;
use crate::provenance::chain;
use crate::provenance::codes;
use crate::provenance::content::statements_are_there;
use crate::provenance::facts::index_type;
use crate::provenance::index::{self, Named};
use crate::provenance::judge::{Asked, Form, Judgement, OnDisk, Standing, judge};
use crate::provenance::keys::{KeyProblem, PublicKey};
use crate::provenance::{predicates, strict};
use crate::sha::Sha;

use wire::Row;
pub(crate) use wire::VerifyDocument;

/// How the names of signed documents end.
const SIGNED: [&str; 2] = [".sigstore.json", ".dsse.json"];

/// Of a file that is signed itself, more is not read.
const LONGEST_SIGNED: u64 = 256 * 1024 * 1024;

/// Check who signed statements, and that they say what is expected
///
/// Takes Sigstore bundles and DSSE envelopes (several, one a line, as well), and public keys that come from elsewhere. The signature is checked over the
/// very bytes that are then read. Without more it is checked that the statement is good news (tests passed, policy passed); --artifact, --files and the
/// other options ask for more. Exits 14 when something is wrong, and 15 when nobody here can tell (certificates, transparency logs, no key); only 0 is
/// "verified".
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  An artifact that one is about to use
    $ maestro provenance verify provenance/slsa-provenance.sigstore.json --key signing.pem.pub --artifact dist/app --predicate-type slsa-provenance

  All that was said about a run, and every file that it names
    $ maestro provenance verify provenance --key signing.pem.pub --files .")]
pub(crate) struct VerifyArgs {
    /// Signed documents, and folders that hold some
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// A public key in PEM form; one of them must have signed (can be repeated)
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    key: Vec<PathBuf>,

    /// A file that the statement must be about (can be repeated)
    #[arg(long, value_name = "FILE")]
    artifact: Vec<PathBuf>,

    /// Compare every file that the statement names with the one in this folder
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,

    /// The predicate that it must have: a URI, or slsa-provenance, test-result, vulns, svr, vsa, sbom-reference, index
    #[arg(long, value_name = "TYPE")]
    predicate_type: Option<String>,

    /// The policy that it must have been judged by
    #[arg(long, value_name = "FILE", conflicts_with = "policy_sha256")]
    policy: Option<PathBuf>,

    /// The same by its digest
    #[arg(long, value_name = "HEX")]
    policy_sha256: Option<String>,

    /// The commit that it must be about
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,

    /// The builder that it must name
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,

    /// The resource that it must be about
    #[arg(long, value_name = "URI")]
    resource_uri: Option<String>,

    /// A property that it must name, as MAESTRO_POLICY_PASSED (can be repeated)
    #[arg(long, value_name = "NAME")]
    property: Vec<String>,

    /// Whether bad news is refused: passed, or any
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "passed",
        hide_possible_values = true
    )]
    result: Wanted,

    /// Follow the links to earlier runs: each must be among these files or in the state
    #[arg(long)]
    chain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    Passed,
    Any,
}

/// A document with what was found out about it.
struct Judged {
    path: PathBuf,
    judgement: Judgement,
}

pub(super) fn run(session: &mut Session<'_>, args: &VerifyArgs) -> CommandResult {
    let keys = args.key.iter().map(|path| public_key(session, path));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let artifacts = args.artifact.iter().map(|path| fact(session, path));
    let artifacts = artifacts.collect::<Result<Vec<_>, _>>()?;
    let policy = match &args.policy {
        Some(path) => Some(fact(session, path)?.sha.to_string()),
        None => args.policy_sha256.clone(),
    };
    let content = content(session, args)?;
    let here: &Session<'_> = session;
    let on_disk = |name: &str| match &args.files {
        Some(folder) => on_disk(here, folder, name),
        None => OnDisk::Missing(String::new()),
    };
    let asked = Asked {
        keys: &keys,
        predicate_type: args.predicate_type.as_deref().map(predicates::meant),
        artifacts: &artifacts,
        content: content.as_deref(),
        on_disk: args.files.is_some().then_some(&on_disk),
        policy,
        commit: args.commit.clone(),
        builder: args.builder_id.clone(),
        resource: args.resource_uri.clone(),
        properties: &args.property,
        takes_bad_news: args.result == Wanted::Any,
    };
    let mut judged = Vec::new();
    for path in meant(here, &args.paths, &SIGNED)? {
        let bytes = document(here, &path)?;
        let values = values(&bytes).map_err(|problem| {
            bad_input(&path, &problem).hint(
                "give the file as it was signed: a copy that was printed or edited is another one",
            )
        })?;
        for value in values {
            let Some(form) = Form::of(&value) else {
                let message = "it is neither a Sigstore bundle nor a DSSE envelope nor a statement";
                return Err(bad_input(&path, &message)
                    .hint("`maestro provenance sign` writes what can be verified"));
            };
            let judgement = judge(form, &value, &asked);
            let path = path.clone();
            judged.push(Judged { path, judgement });
        }
    }
    statements(here, args, &mut judged);
    if args.chain {
        links(here, &mut judged)?;
    }
    let rows = judged.iter().map(|judged| {
        let shown = session.shown(&session.base.join(&judged.path));
        Row::new(shown, &judged.judgement)
    });
    let document = VerifyDocument::new(rows.collect());
    session.render(&document)?;
    answer(&judged)
}

/// Says how many are not verified.
fn answer(judged: &[Judged]) -> CommandResult {
    let standings = judged.iter().map(|judged| judged.judgement.standing());
    let standings: Vec<Standing> = standings.collect();
    let count = |wanted| {
        standings
            .iter()
            .filter(|standing| **standing == wanted)
            .count()
    };
    let all = times(standings.len() as u64, "document");
    let failed = count(Standing::Failed);
    let (kind, message) = if failed > 0 {
        let message = format!("{failed} of {all} failed");
        (ErrorKind::Verification, message)
    } else if count(Standing::Verified) < standings.len() || standings.is_empty() {
        let unknown = count(Standing::Unsupported);
        let message = format!("{unknown} of {all} cannot be judged here: that is not verified");
        (ErrorKind::Unsupported, message)
    } else {
        return Ok(ExitCode::Success);
    };
    Err(CommandError::message(kind, message)
        .hint("`maestro explain provenance/CODE` says what a reason means"))
}

/// Reads one value, or one a line.
fn values(bytes: &[u8]) -> Result<Vec<Value>, strict::NotStrict> {
    let problem = match strict::read(bytes) {
        Ok(value) => return Ok(vec![value]),
        Err(problem) => problem,
    };
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines: Vec<_> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.len() < 2 {
        return Err(problem);
    }
    let values: Result<Vec<Value>, _> = lines.into_iter().map(strict::read).collect();
    values.map_err(|_| problem)
}

impl Reported for KeyProblem {
    fn reported(self, of: &str) -> CommandError {
        let kind = match self {
            Self::OtherKind | Self::Certificate => ErrorKind::Unsupported,
            Self::NotPem | Self::Private => ErrorKind::BadInput,
        };
        let message = format!("`{of}` checks no signature: {self}");
        CommandError::message(kind, message).hint(match self {
            Self::Private => "`openssl pkey -in KEY -pubout` writes the public half",
            _ => "give a public key in PEM form, Ed25519 or P-256",
        })
    }
}

fn public_key(session: &Session<'_>, path: &Path) -> Result<PublicKey, CommandError> {
    is_no_key(path)?;
    let key = PublicKey::from_pem(&document(session, path)?);
    key.map_err(|problem| problem.reported(&path.display().to_string()))
}

/// Reads the one artifact, in case that it is what is signed; a longer one can only be compared.
fn content(session: &Session<'_>, args: &VerifyArgs) -> Result<Option<Vec<u8>>, CommandError> {
    let [path] = &args.artifact[..] else {
        return Ok(None);
    };
    let failed = |error| CommandError::reading(path, error);
    let file = session.world.files.open(&session.base.join(path));
    let mut bytes = Vec::new();
    file.map_err(failed)?
        .take(LONGEST_SIGNED + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= LONGEST_SIGNED))
}

/// Looks for a file by the name that a document has for it. The name may be anything: it leads nowhere but into the folder.
fn on_disk(session: &Session<'_>, folder: &Path, name: &str) -> OnDisk {
    let path = Path::new(name);
    let mut parts = path.components();
    let is_below = !name.is_empty()
        && !name.contains(['\\', '\0'])
        && parts.all(|part| matches!(part, Component::Normal(_)));
    if !is_below {
        return OnDisk::Missing("lies outside the folder that was given".to_owned());
    }
    let files = session.world.files.as_ref();
    let path = session.base.join(folder).join(path);
    match files.kind(&path) {
        Ok(FileKind::File) => match digest(files, &path) {
            Ok((sha, _)) => OnDisk::Is(sha),
            Err(error) => OnDisk::Missing(format!("cannot be read: {error}")),
        },
        Ok(_) => OnDisk::Missing("is no file".to_owned()),
        Err(_) => OnDisk::Missing("is not there".to_owned()),
    }
}

/// Looks for the statements that indexes refer to: among those that were verified in this call, or beside the index.
fn statements(session: &Session<'_>, args: &VerifyArgs, judged: &mut [Judged]) {
    let signed: Vec<String> = judged
        .iter()
        .filter_map(|judged| judged.judgement.sha)
        .map(|sha| sha.to_string())
        .collect();
    for Judged { path, judgement } in judged {
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let is_there = |named: &Named| {
            if signed.contains(&named.sha256)
                && let Some(sha) = Sha::parse(&named.sha256)
            {
                return OnDisk::Is(sha);
            }
            match on_disk(session, &folder, &named.path) {
                // Who has the index alone can verify the index.
                OnDisk::Missing(_) if args.files.is_none() => {
                    Sha::parse(&named.sha256).map_or(OnDisk::Missing(String::new()), OnDisk::Is)
                }
                OnDisk::Missing(why) => OnDisk::Missing(format!(
                    "is neither among what was verified nor beside the index: it {why}"
                )),
                is @ OnDisk::Is(_) => is,
            }
        };
        statements_are_there(judgement, &is_there);
    }
}

/// Follows the links of indexes.
fn links(session: &Session<'_>, judged: &mut [Judged]) -> Result<(), CommandError> {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if session.checkout.is_ok() || session.named_dir.is_some() {
        for link in session.state()?.provenance_links()? {
            known.insert(link.this.sha.to_string(), link.previous);
        }
    }
    let index = |judgement: &Judgement| {
        let statement = judgement.statement.as_ref()?;
        let is_index = statement.predicate_type == index_type();
        let sha = judgement.sha.filter(|_| is_index)?.to_string();
        let previous = index::previous(&statement.predicate).into_iter();
        Some((sha, previous.map(str::to_owned).collect::<Vec<_>>()))
    };
    known.extend(judged.iter().filter_map(|judged| index(&judged.judgement)));
    for Judged { judgement, .. } in judged {
        let Some((sha, _)) = index(judgement) else {
            continue;
        };
        for missing in chain::missing(&known, &[sha]) {
            let message = format!(
                "the run with index {} links to {}, which is not known",
                missing.named_by, missing.sha256
            );
            judgement.because(codes::MISSING_LINK, message);
        }
    }
    Ok(())
}
