//! What is needed from git: where a repository lies, its objects, its refs, and its remotes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Fill;

/// Returns the name of a remote without credentials, which an address may hold.
pub(crate) fn shown(remote: &str) -> String {
    match remote.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("http") => {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        _ => remote.to_owned(),
    }
}

/// Where a repository keeps its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// The top of the work tree; none in a bare repository.
    pub(crate) top: Option<PathBuf>,
    /// The git directory that all work trees of the repository share.
    pub(crate) common_dir: PathBuf,
}

/// The commit and branch that are checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Full object id; none on an unborn branch.
    pub(crate) commit: Option<String>,
    /// Short branch name; none on a detached head.
    pub(crate) branch: Option<String>,
}

/// Why git gave no answer. Its words have no credentials in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// The folder lies in no repository.
    #[error("no git repository at `{}`", .0.display())]
    NoRepository(PathBuf),
    /// There is no git program.
    #[error("the program `git` was not found")]
    NoProgram,
    /// There is no remote of that name.
    #[error("there is no remote `{0}`")]
    NoRemote(String),
    /// What lies at the remote's address is no repository.
    #[error("the remote `{remote}` is no repository: {words}")]
    NotARepository {
        /// Its name.
        remote: String,
        /// Git's words.
        words: String,
    },
    /// The remote did not answer.
    #[error("the remote `{remote}` does not answer: {words}")]
    Unreachable {
        /// Its name.
        remote: String,
        /// Git's words.
        words: String,
    },
    /// The remote's refs moved while they were read.
    #[error("the remote `{remote}` moves too fast: {words}")]
    Moving {
        /// Its name.
        remote: String,
        /// Git's words.
        words: String,
    },
    /// The remote wants other credentials, or more rights.
    #[error("the remote `{remote}` denies access: {words}")]
    Denied {
        /// Its name.
        remote: String,
        /// Git's words.
        words: String,
    },
    /// The remote has no ref of that name.
    #[error("the remote `{remote}` has no `{name}`")]
    NoSuchRef {
        /// Its name.
        remote: String,
        /// The ref.
        name: String,
    },
    /// The disk is full.
    #[error("git cannot write: {0}")]
    CannotWrite(String),
    /// What reads or writes an object failed.
    #[error("cannot read or write an object")]
    Io(#[from] io::Error),
    /// Git refused; its own words.
    #[error("git refused: {0}")]
    Refused(String),
}

/// A repository of maestro's own, bare, inside a user's git directory: its refs, objects, locks and shallow commits are
/// nobody else's business. Credentials and all other settings about remotes are those of the user's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// Where it lies.
    pub(crate) git_dir: PathBuf,
    /// A folder of the user's repository; addresses that are relative paths are meant from its top.
    pub(crate) home: PathBuf,
}

/// A ref and the object that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ref {
    /// Full name, from `refs/`.
    pub(crate) name: String,
    /// Full object id.
    pub(crate) object: String,
}

/// What a ref of the remote must be for an update to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Anything.
    Anything,
    /// Nothing: the update makes it.
    Nothing,
    /// This object.
    Object(String),
}

/// One change that a push asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// Full name at the remote.
    pub(crate) name: String,
    /// The new object; none deletes the ref.
    pub(crate) new: Option<String>,
    /// What it must be now.
    pub(crate) expect: Expect,
}

/// What became of one change of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefVerdict {
    /// It is done, or was so already.
    Done,
    /// The ref is not what was expected: somebody was faster.
    Stale,
    /// The remote refuses; its words.
    Refused(String),
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// Path from the top of the tree.
    pub(crate) path: String,
    /// Object id.
    pub(crate) object: String,
    /// Whether it is a regular file; no link, no submodule.
    pub(crate) is_file: bool,
}

/// A commit to write.
#[derive(Debug, Clone)]
pub(crate) struct NewCommit {
    /// Object id of its tree.
    pub(crate) tree: String,
    /// Object ids of its parents.
    pub(crate) parents: Vec<String>,
    /// Its message.
    pub(crate) message: String,
    /// Its time.
    pub(crate) at: Timestamp,
}

/// What takes a blob: its place in what was asked for, its size and its bytes; nothing when it is missing.
pub(crate) type TakeBlob<'a> =
    &'a mut dyn FnMut(usize, Option<(u64, &mut dyn Read)>) -> io::Result<()>;

/// The repository.
pub(crate) trait Git: Send + Sync {
    /// Finds the repository that holds a folder.
    fn checkout(&self, folder: &Path) -> Result<Checkout, GitError>;
    /// Returns what is checked out.
    fn head(&self, folder: &Path) -> Result<Head, GitError>;
    /// Whether a tracked file of the work tree differs from what is checked out.
    fn has_changes(&self, folder: &Path) -> Result<bool, GitError>;

    /// Makes a store, unless it is there; it has the object format of the repository that it belongs to.
    fn prepare(&self, store: &Store) -> Result<(), GitError>;
    /// Returns the refs of a store below a prefix, in order of name.
    fn refs(&self, store: &Store, prefix: &str) -> Result<Vec<Ref>, GitError>;
    /// Sets or, without an object, deletes refs of a store, all or none. No other process may do so meanwhile.
    fn set_refs(&self, store: &Store, refs: &[(String, Option<String>)]) -> Result<(), GitError>;
    /// Returns the files below a folder of a tree, or all; none when there is no such folder.
    fn files_of(&self, store: &Store, tree: &str, below: &str) -> Result<Vec<TreeEntry>, GitError>;
    /// Hands out blobs, by object id or `commit:path`, in order.
    fn read_blobs(
        &self,
        store: &Store,
        objects: &[String],
        take: TakeBlob<'_>,
    ) -> Result<(), GitError>;
    /// Stores a blob and returns its id.
    fn write_blob(&self, store: &Store, fill: Fill<'_>) -> Result<String, GitError>;
    /// Stores a tree: another one, or none, with files set to blobs or, without one, taken out.
    fn write_tree(
        &self,
        store: &Store,
        base: Option<&str>,
        changes: &[(String, Option<String>)],
    ) -> Result<String, GitError>;
    /// Stores a commit and returns its id; it is signed where git's configuration asks for that.
    fn write_commit(&self, store: &Store, commit: &NewCommit) -> Result<String, GitError>;
    /// Stores a commit of one file, without parents, and returns its id.
    fn write_file_commit(
        &self,
        store: &Store,
        path: &str,
        bytes: &[u8],
        message: &str,
        at: Timestamp,
    ) -> Result<String, GitError>;
    /// Returns a commit and those before it, newest first, at most so many.
    fn history(&self, store: &Store, tip: &str, most: usize) -> Result<Vec<String>, GitError>;
    /// Lets a store see the objects of the repository whose git directory is given, which knows nothing of it.
    fn borrow(&self, store: &Store, common_dir: &Path) -> Result<(), GitError>;
    /// Takes the objects of a pack into a store, each looked at (`fsck`), and all that they name must be there; a pack has so many bytes at most.
    fn take_pack(&self, store: &Store, pack: &[u8], most: u64) -> Result<(), GitError>;
    /// Returns the sizes of the objects that a commit has and another one has not.
    fn new_sizes(&self, store: &Store, head: &str, base: &str) -> Result<Vec<u64>, GitError>;
    /// Packs what has become many small files.
    fn tidy(&self, store: &Store);

    /// Fetches the tips of a remote's refs into those of a store; refs below a pattern that are gone there are deleted here.
    /// No other process may change the store's refs meanwhile.
    fn fetch(&self, store: &Store, remote: &str, refspecs: &[String]) -> Result<(), GitError>;
    /// Fetches one ref with everything that came before.
    fn fetch_past(&self, store: &Store, remote: &str, refspec: &str) -> Result<(), GitError>;
    /// Asks a remote for changes of its refs: all or none, or each judged on its own.
    fn push(
        &self,
        store: &Store,
        remote: &str,
        updates: &[RefUpdate],
        all_or_none: bool,
    ) -> Result<Vec<RefVerdict>, GitError>;
    /// Returns the address of a remote without credentials; none when there is no such remote.
    fn remote_address(&self, folder: &Path, remote: &str) -> Result<Option<String>, GitError>;
    /// Whether a repository has a remote of that name.
    fn has_remote(&self, folder: &Path, remote: &str) -> Result<bool, GitError>;
}
