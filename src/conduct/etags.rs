//! Answers kept beside their `ETag`: asking again costs nothing of the rate limit when nothing changed.
//!
//! They lie in the git directory, one file an answer, and may be deleted at any time. Whose token asked is part of the name, so that
//! nobody reads what another one may see.

use std::io::Read;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::forge::request::{Request, Response};
use crate::json;
use crate::ports::Files;
use crate::ports::forge::{Credential, Server};
use crate::sha::Sha;

/// Larger answers are not kept.
const LARGEST: usize = 4 * 1024 * 1024;

/// When there are so many, all go.
const MOST: usize = 500;

#[derive(Serialize, Deserialize)]
struct Kept {
    schema: String,
    etag: String,
    link: Option<String>,
    body: String,
}

const SCHEMA: &str = "maestro.etag/v1";

/// An answer that is known, and the name under which the server knows it.
pub(crate) struct Known {
    pub(super) etag: String,
    pub(super) response: Response,
}

/// Answers on the disk.
pub(crate) struct Etags<'w> {
    files: &'w dyn Files,
    folder: PathBuf,
}

impl<'w> Etags<'w> {
    pub(crate) fn new(files: &'w dyn Files, folder: PathBuf) -> Self {
        Self { files, folder }
    }

    fn path(&self, server: &Server, request: &Request) -> PathBuf {
        let who = match &server.credential {
            Credential::Token(token) => token.expose(),
            Credential::App { key, .. } => key.expose(),
        };
        let mut name = Vec::new();
        for part in [
            &server.api,
            &Sha::of(who.as_bytes()).to_string(),
            &request.target(),
        ] {
            name.extend_from_slice(&(part.len() as u64).to_be_bytes());
            name.extend_from_slice(part.as_bytes());
        }
        self.folder.join(format!("{}.json", Sha::of(&name)))
    }

    /// Returns what is known of an answer; what cannot be read is not known.
    pub(super) fn known(&self, server: &Server, request: &Request) -> Option<Known> {
        let file = self.files.open(&self.path(server, request)).ok()?;
        let mut bytes = Vec::new();
        file.take(2 * LARGEST as u64).read_to_end(&mut bytes).ok()?;
        let kept: Kept = json::read(&bytes).ok()?;
        let link = kept.link.map(|link| ("link".to_owned(), link));
        (kept.schema == SCHEMA).then(|| Known {
            etag: kept.etag,
            response: Response {
                status: 200,
                headers: link.into_iter().collect(),
                body: kept.body.into_bytes(),
            },
        })
    }

    /// Keeps an answer. It is a convenience: what cannot be written is not kept.
    pub(super) fn keep(&self, server: &Server, request: &Request, response: &Response) {
        let (Some(etag), 200) = (response.header("etag"), response.status) else {
            return;
        };
        let Ok(body) = std::str::from_utf8(&response.body) else {
            return;
        };
        if body.len() > LARGEST {
            return;
        }
        if self
            .files
            .names(&self.folder)
            .map_or(0, |names| names.len())
            >= MOST
        {
            let _kept_too_long = self.files.remove_folder(&self.folder);
        }
        let kept = Kept {
            schema: SCHEMA.to_owned(),
            etag: etag.to_owned(),
            link: response.header("link").map(str::to_owned),
            body: body.to_owned(),
        };
        let path = self.path(server, request);
        let _not_kept = self
            .files
            .write_atomic(&path, &mut |out| Ok(serde_json::to_writer(out, &kept)?));
    }
}
