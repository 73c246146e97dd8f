//! A register: one document under one ref of a remote, changed by compare-and-swap.
//!
//! For what must be agreed on before it happens, such as who may spend how much. Events cannot do that: two machines that add
//! to a set never learn of each other in time.

use super::disk::StateError;
use super::patience::Setback;
use super::remote::{Remote, expect};
use super::shared::register_ref;
use crate::ports::GitError;
use crate::ports::git::{RefUpdate, RefVerdict};

/// What becomes of the document.
#[derive(Debug)]
pub(crate) enum Turn<T> {
    /// It is replaced; the answer counts once the remote has it.
    Write(Vec<u8>, T),
    /// It stays as it is.
    Leave(T),
}

/// What looks at the newest document, or at nothing, and says what becomes of it.
pub(crate) type TakeTurn<'t, T> = &'t mut dyn FnMut(Option<&[u8]>) -> Result<Turn<T>, StateError>;

/// A document under a ref.
pub(crate) struct Register<'r, 'w> {
    pub(crate) remote: &'r Remote<'w>,
    /// Full name of the ref at the remote.
    pub(crate) name: &'r str,
    /// The file that holds the document.
    pub(crate) file: &'r str,
}

impl Register<'_, '_> {
    /// Changes the document. `turn` sees the newest one, or nothing, and is asked again whenever somebody else was faster;
    /// what it answered in vain has no effect.
    ///
    /// A change that is confirmed has happened exactly once. After an error it may have happened: the answer of the remote
    /// may have been lost, so a document must tell its writers apart.
    pub(crate) fn update<T>(&self, turn: TakeTurn<'_, T>) -> Result<T, StateError> {
        self.remote.prepare()?;
        let mut patience = self.remote.patience();
        loop {
            let old = self.remote.fetch_ref(
                self.name,
                &register_ref(&self.remote.name, self.name),
                &mut patience,
            )?;
            let document = match &old {
                Some(commit) => self.read(commit)?,
                None => None,
            };
            let (bytes, answer) = match turn(document.as_deref())? {
                Turn::Write(bytes, answer) => (bytes, answer),
                Turn::Leave(answer) => return Ok(answer),
            };
            let message = "Update\n\n[skip ci]\n";
            let new = self.remote.git.write_file_commit(
                &self.remote.store,
                self.file,
                &bytes,
                message,
                self.remote.now,
            )?;
            if old.as_deref() == Some(&new) {
                return Ok(answer);
            }
            let update = RefUpdate {
                name: self.name.to_owned(),
                new: Some(new),
                expect: expect(old.as_deref()),
            };
            if self.remote.update(&[update], &mut patience)? == [RefVerdict::Done] {
                return Ok(answer);
            }
            if !patience.wait(Setback::Race) {
                return Err(StateError::Contended {
                    remote: self.remote.name(),
                    name: self.name.to_owned(),
                    tries: patience.tries,
                });
            }
        }
    }

    fn read(&self, commit: &str) -> Result<Option<Vec<u8>>, GitError> {
        let mut document = None;
        let wanted = [format!("{commit}:{}", self.file)];
        self.remote
            .git
            .read_blobs(&self.remote.store, &wanted, &mut |_, blob| {
                if let Some((_, blob)) = blob {
                    let mut bytes = Vec::new();
                    blob.read_to_end(&mut bytes)?;
                    document = Some(bytes);
                }
                Ok(())
            })?;
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::ports::World;
    use crate::state::{Shared, StateFolder};

    const WRITERS: u64 = 8;
    const UPDATES: u64 = 4;

    #[expect(clippy::disallowed_methods, reason = "a real git makes the remote")]
    fn git(folder: &Path, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(args).current_dir(folder);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env_remove("GIT_DIR");
        let done = command.output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn with_register<T>(folder: &Path, take: &mut dyn FnMut(&Register<'_, '_>) -> T) -> T {
        let world = World::real();
        let root = folder.join(".git").join("maestro");
        let state = StateFolder::new(world.files.as_ref(), world.clock.as_ref(), root.clone());
        let shared = Shared::new(world.git.as_ref(), &root, folder.to_path_buf());
        let deadline = Duration::from_mins(2);
        let (name, branch) = ("origin".to_owned(), "unused".to_owned());
        let remote = Remote::new(
            &state,
            shared,
            name,
            branch,
            deadline,
            Timestamp::UNIX_EPOCH,
        );
        take(&Register {
            remote: &remote,
            name: "refs/maestro/budget",
            file: "budget.json",
        })
    }

    fn lines(bytes: Option<&[u8]>) -> Vec<String> {
        let text = String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Every writer takes slices of one budget at once: none is given twice, and the budget is never overdrawn.
    #[test]
    fn writers_at_once_never_overdraw_and_lose_nothing() {
        const SLICES: usize = 27;
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
        let granted: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let clone = folder.path().join(format!("clone{writer}"));
                    scope.spawn(move || {
                        std::fs::create_dir(&clone).unwrap();
                        git(&clone, &["init", "--quiet"]);
                        git(&clone, &["remote", "add", "origin", "../remote.git"]);
                        let mut granted = Vec::new();
                        for update in 0..UPDATES {
                            let name = format!("{writer}-{update}");
                            let is_granted = with_register(&clone, &mut |register| {
                                register
                                    .update(&mut |old| {
                                        let mut taken = lines(old);
                                        if taken.len() >= SLICES {
                                            return Ok(Turn::Leave(false));
                                        }
                                        taken.push(name.clone());
                                        Ok(Turn::Write(taken.join("\n").into_bytes(), true))
                                    })
                                    .unwrap()
                            });
                            if is_granted {
                                granted.push(name);
                            }
                        }
                        granted
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        let clone = folder.path().join("clone0");
        let mut stored = with_register(&clone, &mut |register| {
            register
                .update(&mut |old| Ok(Turn::Leave(lines(old))))
                .unwrap()
        });
        let mut granted = granted;
        granted.sort();
        stored.sort();
        assert_eq!(stored, granted);
        assert_eq!(stored.len(), SLICES);
    }
}
