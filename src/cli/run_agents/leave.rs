//! Leaves what can be published: the bundle of a run.

use std::collections::BTreeMap;
use std::path::Path;

use super::place::Place;
use super::wire::{DoneRow, RunDocument};
use crate::agents::board::{Body, Entry};
use crate::agents::bundle::{
    BOARD, Bundle, BundleBase, BundleHead, BundleIssue, BundleTask, BundleTests, BundleText, PACK,
    REF, RunOutcome, SCHEMA, TaskState, digest,
};
use crate::agents::proofs::proofs;
use crate::cli::session::Session;
use crate::conduct::agents::team::Team;
use crate::error::{CommandError, ErrorKind};
use crate::money::Usd;

/// Writes the bundle into a folder, which must not be there.
pub(super) fn bundle(
    session: &Session<'_>,
    folder: &Path,
    place: &Place,
    team: &Team<'_>,
    document: &RunDocument,
    cap: Usd,
) -> Result<(), CommandError> {
    let files = session.world.files.as_ref();
    let failed = |error| CommandError::writing(folder, error);
    let (Some(commit), Some(tree)) = (document.commit(), document.tree()) else {
        return Ok(());
    };
    if commit == place.head.base {
        // Nothing changed: there is nothing to publish.
        return Ok(());
    }
    if files.kind(folder).is_ok() {
        let message = format!("`{}` is there already", folder.display());
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("name a folder that is not there"));
    }
    files.create_folder(folder).map_err(failed)?;
    let pack = folder.join(PACK);
    let made = team
        .trees
        .bundle(&team.store, &place.head.base, commit, REF, &pack);
    made.map_err(crate::state::StateError::from)?;
    let entries: Vec<Entry> = team.shared().board.newest().cloned().collect();
    let board = crate::json::pretty_bytes(&entries).map_err(CommandError::internal)?;
    files
        .write_atomic(&folder.join(BOARD), &mut |out| out.write_all(&board))
        .map_err(failed)?;
    let mut digests = BTreeMap::new();
    let packed = super::place::read_bytes(session, &pack, 1 << 30)?;
    digests.insert(PACK.to_owned(), digest(&packed));
    digests.insert(BOARD.to_owned(), digest(&board));
    let mut index = index(place, team, document, cap, (commit, tree), digests);
    for (name, text) in proofs(&index, &place.head) {
        let path = folder.join(&name);
        if let Some(folder) = path.parent() {
            files.create_folder(folder).map_err(failed)?;
        }
        files
            .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
            .map_err(failed)?;
        index.files.insert(name, digest(text.as_bytes()));
    }
    let text = index
        .write()
        .map_err(|error| CommandError::internal(anyhow::anyhow!("{error}")))?;
    files
        .write_atomic(&folder.join(crate::agents::bundle::INDEX), &mut |out| {
            out.write_all(&text)
        })
        .map_err(failed)
}

fn index(
    place: &Place,
    team: &Team<'_>,
    document: &RunDocument,
    cap: Usd,
    (commit, tree): (&str, &str),
    files: BTreeMap<String, String>,
) -> Bundle {
    let issue = &place.head.issue;
    let text = |name: &str| issue[name].as_str().map(str::to_owned);
    let shared = team.shared();
    let tests = shared.board.newest().find_map(|entry| match &entry.body {
        Body::Tests {
            ran,
            passed,
            failed,
            excused,
            ..
        } => Some(BundleTests {
            ran: *ran,
            passed: *passed,
            failed: failed.len() as u64,
            excused: excused.clone(),
        }),
        _ => None,
    });
    let record = shared.board.newest().find_map(|entry| match &entry.body {
        Body::Summary { change_record, .. } => change_record.clone(),
        _ => None,
    });
    drop(shared);
    let (title, mut body) = document.request().unwrap_or_else(|| {
        (
            text("title").unwrap_or_default(),
            "What follows is not complete.".to_owned(),
        )
    });
    if !document.advice().is_empty() {
        body.push_str("\n\nFound, and left for whoever reviews this:\n\n");
        for sentence in document.advice() {
            body.push_str(&format!("- {sentence}\n"));
        }
    }
    Bundle {
        schema: SCHEMA.to_owned(),
        run: place.head.run.clone(),
        outcome: if document.is_complete() {
            RunOutcome::Complete
        } else {
            RunOutcome::Partial
        },
        issue: BundleIssue {
            number: issue["number"].as_u64(),
            title: text("title").unwrap_or_default(),
            url: text("url"),
            author: text("author"),
            association: text("author_association"),
        },
        base: BundleBase {
            commit: place.head.base.clone(),
            branch: place
                .head
                .branch
                .clone()
                .unwrap_or_else(|| "main".to_owned()),
        },
        head: BundleHead {
            commit: commit.to_owned(),
            tree: tree.to_owned(),
        },
        tasks: document.rows().map(task).collect(),
        spent_usd: document.spent(),
        cap_usd: cap,
        tests,
        pull_request: BundleText { title, body },
        change_record: record,
        unfinished: document.unfinished().to_vec(),
        files,
    }
}

fn task(row: &DoneRow) -> BundleTask {
    BundleTask {
        id: row.id.clone(),
        role: row.role.clone(),
        title: row.title.clone(),
        state: match row.state {
            "done" => TaskState::Done,
            "failed" => TaskState::Failed,
            _ => TaskState::Skipped,
        },
        why: row.why.clone(),
        attempts: u32::try_from(row.tries).unwrap_or(u32::MAX),
        models: row.models.clone(),
        cost_usd: row.usd.parse().unwrap_or_default(),
    }
}
