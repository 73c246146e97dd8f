//! The disk.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use walkdir::WalkDir;

use crate::order;
use crate::ports::log_file::LogFile;
use crate::ports::{FileKind, Files, Fill, Lock, TEMPORARY};

pub(super) struct Disk;

/// The operating system drops the lock when the file is closed, also when the process is killed.
struct HeldLock {
    _file: File,
}

impl Lock for HeldLock {}

impl Files for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let file = File::open(path)?;
        // Opening a folder succeeds on Unix and fails only at the first read, with a message that names nothing.
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(file))
    }

    fn stdin(&self) -> Box<dyn Read + Send> {
        Box::new(io::stdin())
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let kind = fs::metadata(path)?.file_type();
        Ok(if kind.is_dir() {
            FileKind::Folder
        } else if kind.is_file() {
            FileKind::File
        } else {
            FileKind::Other
        })
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        Timestamp::try_from(fs::metadata(path)?.modified()?).map_err(io::Error::other)
    }

    fn walk(
        &self,
        folder: &Path,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Vec<Result<PathBuf, (PathBuf, io::Error)>> {
        let mut found = Vec::new();
        let entries = WalkDir::new(folder)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                entry.depth() == 0 || !entry.file_type().is_dir() || !skip(entry.path())
            });
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.push(Ok(entry.into_path())),
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_path_buf();
                    found.push(Err((path, error.into())));
                }
            }
        }
        found
    }

    fn links(&self, folder: &Path) -> Vec<PathBuf> {
        // The folder itself may be a link: whoever named it knows.
        let entries = WalkDir::new(folder)
            .min_depth(1)
            .sort_by_file_name()
            .into_iter();
        let links = entries
            .flatten()
            .filter(|entry| entry.file_type().is_symlink());
        links.map(walkdir::DirEntry::into_path).collect()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        order::sort(&mut names);
        Ok(names)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        create_durably(path)
    }

    fn write_atomic(&self, path: &Path, fill: Fill<'_>) -> io::Result<()> {
        // A device or pipe (`/dev/null`, `>(...)`) is written to, never replaced; a link is followed.
        let target;
        let mut path = path;
        if let Ok(existing) = fs::metadata(path) {
            if !existing.is_file() && !existing.is_dir() {
                let mut device = BufWriter::new(OpenOptions::new().write(true).open(path)?);
                fill(&mut device)?;
                return device.flush();
            }
            target = fs::canonicalize(path)?;
            path = &target;
        }
        let folder = parent(path);
        create_durably(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        // Not the private mode of temporary files: what is written is read by other users of the machine,
        // and the process's own mask decides.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(folder)?;
        let mut writer = BufWriter::with_capacity(256 * 1024, temporary);
        fill(&mut writer)?;
        let temporary = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    }

    fn log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        super::log_file::open(path)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(bytes)
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    #[cfg(unix)]
    fn is_shared(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        let found = fs::metadata(path);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0)
    }

    #[cfg(not(unix))]
    fn is_shared(&self, _path: &Path) -> bool {
        false
    }

    fn clear_way(&self, top: &Path, path: &Path) -> io::Result<()> {
        let mut place = top.to_path_buf();
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            let found = match fs::symlink_metadata(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                found => found?,
            };
            match (found.is_dir(), parts.peek().is_none()) {
                (true, true) => fs::remove_dir_all(&place)?,
                (true, false) => {}
                (false, true) if found.is_file() => {}
                (false, _) => fs::remove_file(&place)?,
            }
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        remove_whole(path)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        create_durably(parent(path))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(HeldLock { _file: file }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn temporary_folder(&self, prefix: &str) -> io::Result<PathBuf> {
        Ok(tempfile::Builder::new().prefix(prefix).tempdir()?.keep())
    }

    fn shared(&self) -> Arc<dyn Files> {
        Arc::new(Self)
    }
}

/// Removes a folder and all that is in it, also folders in which nobody may write, as module caches and bad programs leave them; fine when there is none.
pub(super) fn remove_whole(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        #[cfg(unix)]
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path);
            fs::remove_dir_all(path)
        }
        done => done,
    }
}

/// Lets the owner of folders read and change them, as far as it can be done; links are not followed.
#[cfg(unix)]
fn open_up(top: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mut folders = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let _what_is_somebody_elses =
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        folders.extend(entries.filter(is_folder).map(|entry| entry.path()));
    }
}

/// Makes a folder and those above it, and flushes the entry of each new one.
pub(super) fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    for folder in missing.into_iter().rev() {
        if !folder.as_os_str().is_empty() {
            sync_folder(parent(folder))?;
        }
    }
    Ok(())
}

pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A rename is only durable once the folder is on disk too. Windows cannot open a folder as a file, and need not.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_goes_that_nobody_may_write_in() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("top/shut/deep")).unwrap();
        fs::write(at("top/shut/deep/file"), "x").unwrap();
        for path in ["top/shut/deep", "top/shut"] {
            fs::set_permissions(at(path), fs::Permissions::from_mode(0o000)).unwrap();
        }
        Disk.remove_folder(&at("top")).unwrap();
        Disk.remove_folder(&at("top")).unwrap();
        assert!(!at("top").exists());
    }

    #[test]
    fn a_way_is_made_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("top/kept")).unwrap();
        fs::create_dir_all(at("outside")).unwrap();
        fs::write(at("outside/file"), "theirs").unwrap();
        fs::write(at("top/kept/file"), "old").unwrap();
        symlink(at("outside"), at("top/folder")).unwrap();
        symlink(at("outside/file"), at("top/link")).unwrap();
        fs::create_dir_all(at("top/a/folder/with/more")).unwrap();
        for path in ["folder/new", "link", "a/folder", "kept/file", "none/of/it"] {
            let way = Path::new(path);
            Disk.clear_way(&at("top"), way).unwrap();
            let place = at("top").join(way);
            Disk.write_atomic(&place, &mut |out| out.write_all(b"new"))
                .unwrap();
            assert_eq!(fs::read(&place).unwrap(), b"new", "{path}");
        }
        assert_eq!(fs::read(at("outside/file")).unwrap(), b"theirs");
        assert!(!at("outside/new").exists());
    }
}
