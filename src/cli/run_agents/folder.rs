//! The folder that a run left, read as data that nobody vouches for.

use std::io::Read;
use std::path::Path;

use crate::agents::bundle::{Bundle, INDEX, LARGEST_FILE, LARGEST_INDEX, NoBundle, PACK};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, ErrorKind};
use crate::ports::FileKind;

/// All files of a bundle together are no larger.
const LARGEST_BUNDLE: u64 = 2 * LARGEST_FILE;

/// A bundle, and the pack in it.
pub(super) struct Taken {
    pub(super) bundle: Bundle,
    pub(super) pack: Vec<u8>,
}

impl Reported for NoBundle {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}"))
            .hint("it is not what a run left: take the run's own artifact again (`maestro util schema agent-bundle` says what an index has)")
    }
}

/// Reads the folder: the index first, then every file that it names, and no other is there.
pub(super) fn read(session: &Session<'_>, folder: &Path) -> Result<Taken, CommandError> {
    let files = session.world.files.as_ref();
    let folder = session.base.join(folder);
    let bad = |error: NoBundle| error.reported(&folder.display().to_string());
    let bytes_of = |name: &str, most: u64| -> Result<Vec<u8>, CommandError> {
        let path = folder.join(name);
        let failed = |error| CommandError::reading(&path, error);
        // Whoever opens a pipe waits for it.
        if files.kind(&path).map_err(failed)? != FileKind::File {
            return Err(bad(NoBundle::File {
                name: name.to_owned(),
                what: "it is no file",
            }));
        }
        let file = files.open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > most {
            return Err(bad(NoBundle::File {
                name: name.to_owned(),
                what: "it is larger than any",
            }));
        }
        Ok(bytes)
    };
    if let Some(link) = files.links(&folder).first() {
        return Err(bad(NoBundle::File {
            name: shown(&folder, link),
            what: "it is a link",
        }));
    }
    let bundle = Bundle::read(&bytes_of(INDEX, LARGEST_INDEX)?).map_err(bad)?;
    for path in files.walk(&folder, &|_| false) {
        let path = path.map_err(|(path, error)| CommandError::reading(&path, error))?;
        let name = shown(&folder, &path);
        if name != INDEX && !bundle.files.contains_key(&name) {
            return Err(bad(NoBundle::File {
                name,
                what: "the index does not name it",
            }));
        }
    }
    let mut pack = Vec::new();
    let mut room = LARGEST_BUNDLE;
    for name in bundle.files.keys() {
        let bytes = bytes_of(name, LARGEST_FILE.min(room))?;
        room -= bytes.len() as u64;
        bundle.check_file(name, &bytes).map_err(bad)?;
        crate::agents::proofs::check(&bundle, name, &bytes).map_err(bad)?;
        if name == PACK {
            pack = bundle.pack(&bytes).map_err(bad)?.to_vec();
        }
    }
    Ok(Taken { bundle, pack })
}

fn shown(folder: &Path, path: &Path) -> String {
    let short = path.strip_prefix(folder).unwrap_or(path);
    short.to_string_lossy().replace('\\', "/")
}
