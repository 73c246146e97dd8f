//! What every command has at hand: the world, the terminal, the settings, and where repository and state lie.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::configured::{self, Floor};
use super::extends::Asked;
use super::globals::GlobalArgs;
use super::reading::Readers;
use super::settings::{Settings, settings};
use super::trouble::no_repository;
use crate::config::{ConfigFile, Origin};
use crate::error::{CommandError, ErrorKind};
use crate::output::{self, Looks, Report, github};
use crate::ports::{Checkout, GitError, World};
use crate::state::{Remote, Shared, StateError, StateFolder};
use crate::ui::Ui;

pub(crate) struct Session<'w> {
    pub(crate) world: &'w World,
    pub(crate) ui: &'w mut Ui,
    pub(crate) globals: GlobalArgs,
    pub(crate) settings: Settings,
    pub(crate) config: ConfigFile,
    /// The text of the configuration file, and what stands below it.
    pub(crate) config_text: String,
    pub(crate) floor: Option<Floor>,
    /// The configuration file that was read.
    pub(crate) config_path: Option<PathBuf>,
    /// The folder that relative paths are meant from.
    pub(crate) base: PathBuf,
    /// The `.maestro` folder, when it was named.
    pub(crate) named_dir: Option<PathBuf>,
    /// The repository, or why there is none.
    pub(crate) checkout: Result<Checkout, GitError>,
    pub(super) readers: Readers<'w>,
}

impl<'w> Session<'w> {
    /// Builds a session for commands that need neither repository nor configuration.
    pub(crate) fn bare(
        ui: &'w mut Ui,
        world: &'w World,
        globals: GlobalArgs,
    ) -> Result<Self, CommandError> {
        let base = base_folder(world, &globals)?;
        let settings = settings(world, &globals, None)?;
        let none = Err(GitError::NoRepository(base.clone()));
        let mut session = Self {
            world,
            ui,
            globals,
            settings,
            config: ConfigFile::default(),
            config_text: String::new(),
            floor: None,
            config_path: None,
            base,
            named_dir: None,
            checkout: none,
            readers: Readers::default(),
        };
        session.configure_ui();
        Ok(session)
    }

    /// Builds a session with the repository, for commands that go before its configuration.
    pub(crate) fn located(
        ui: &'w mut Ui,
        world: &'w World,
        globals: GlobalArgs,
    ) -> Result<Self, CommandError> {
        let mut session = Self::bare(ui, world, globals)?;
        session.checkout = world.git.checkout(&session.base);
        let dir = session.globals.dir.clone();
        let dir = dir.or_else(|| world.environment.var("MAESTRO_DIR").map(PathBuf::from));
        session.named_dir = dir.map(|dir| session.base.join(dir));
        Ok(session)
    }

    /// Builds a session with the repository's configuration.
    pub(crate) fn configured(
        ui: &'w mut Ui,
        world: &'w World,
        globals: GlobalArgs,
    ) -> Result<Self, CommandError> {
        Self::with_config(ui, world, globals, false)
    }

    /// The same for commands that run beside a pull request's code, without credentials, and must not lose what they have: where the configuration that
    /// the repository's own extends cannot be had, they go on without it.
    pub(crate) fn forgiving(
        ui: &'w mut Ui,
        world: &'w World,
        globals: GlobalArgs,
    ) -> Result<Self, CommandError> {
        Self::with_config(ui, world, globals, true)
    }

    fn with_config(
        ui: &'w mut Ui,
        world: &'w World,
        globals: GlobalArgs,
        forgives: bool,
    ) -> Result<Self, CommandError> {
        let mut session = Self::located(ui, world, globals)?;
        let forgives = forgives || session.is_disabled();
        session.load_config(forgives)?;
        session.settings = settings(
            world,
            &session.globals,
            session
                .config_path
                .as_deref()
                .map(|path| (&session.config, path)),
        )?;
        session.configure_ui();
        Ok(session)
    }

    /// Lends a session for another place: that place's configuration, the flags and the time of this one, and no network.
    pub(crate) fn elsewhere(
        &mut self,
        base: PathBuf,
        checkout: Option<Checkout>,
    ) -> Result<Session<'_>, CommandError> {
        let now = self.now();
        let mut other = Session {
            world: self.world,
            ui: &mut *self.ui,
            globals: self.globals.clone(),
            settings: settings(self.world, &self.globals, None)?,
            config: ConfigFile::default(),
            config_text: String::new(),
            floor: None,
            config_path: None,
            // A folder that is no repository is a state by itself.
            named_dir: checkout.is_none().then(|| base.clone()),
            checkout: checkout.ok_or_else(|| GitError::NoRepository(base.clone())),
            readers: Readers::default(),
            base,
        };
        other.settings.offline.value = true;
        other.load_config(true)?;
        let file = other.config_path.as_deref();
        other.settings = settings(
            other.world,
            &other.globals,
            file.map(|path| (&other.config, path)),
        )?;
        other.settings.offline.value = true;
        other.settings.now.value = Some(now);
        Ok(other)
    }

    fn configure_ui(&mut self) {
        let verbosity = self.globals.verbosity();
        self.ui.configure(
            self.world.environment.as_ref(),
            self.settings.color.value,
            self.settings.log_format.value,
            verbosity,
        );
        self.ui.stand(None, self.settings.now.value);
    }

    /// Returns the `.maestro` folder.
    pub(crate) fn maestro_dir(&self) -> PathBuf {
        match (&self.named_dir, &self.checkout) {
            (Some(dir), _) => dir.clone(),
            (None, Ok(Checkout { top: Some(top), .. })) => top.join(".maestro"),
            (None, _) => self.base.join(".maestro"),
        }
    }

    fn load_config(&mut self, forgives: bool) -> Result<(), CommandError> {
        let path = self.maestro_dir().join("maestro.yaml");
        let files = self.world.files.as_ref();
        let mut file = match files.open(&path) {
            Ok(file) => file,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(CommandError::reading(&path, error)),
        };
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(
            &mut std::io::Read::take(&mut file, LARGEST_CONFIG),
            &mut bytes,
        )
        .map_err(|error| CommandError::reading(&path, error))?;
        let shown = self.shown(&path);
        let bad = |message: String| CommandError::message(ErrorKind::BadConfig, message);
        let text = String::from_utf8(bytes)
            .map_err(|_| bad(format!("`{shown}` is not UTF-8 text")).hint("save it as UTF-8"))?;
        let asked = Asked {
            what: "configuration",
            may_fetch: true,
            may_keep: true,
        };
        match configured::whole(self, &text, &shown, asked) {
            Ok((config, floor)) => (self.config, self.floor) = (config, floor),
            Err(error) if forgives && error.kind != ErrorKind::BadConfig => {
                let words = format!(
                    "`{shown}` counts alone, and secrets are taken out whatever it says: {:#}",
                    error.error
                );
                self.ui.warn(&words);
                self.config = configured::parse_config(&text, &shown)?;
                self.config.state.redact = Some(true);
            }
            Err(error) => return Err(error),
        }
        self.config_text = text;
        self.config_path = Some(path);
        Ok(())
    }

    /// Returns a path as people best know it: relative to where they are, when it lies below.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let cwd = self.world.environment.current_dir().ok();
        let short = cwd.as_deref().and_then(|cwd| path.strip_prefix(cwd).ok());
        short.unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Returns the state of this repository, or of the named folder where there is no repository.
    pub(crate) fn state(&self) -> Result<StateFolder<'w>, CommandError> {
        match (&self.checkout, &self.named_dir) {
            (Ok(checkout), _) => Ok(self.state_of(checkout)),
            (Err(_), Some(dir)) => Ok(self.state_in(dir.clone())),
            (Err(error), None) => Err(no_repository(error)),
        }
    }

    /// Returns the state of a repository, with what was fetched of other machines'.
    pub(crate) fn state_of(&self, checkout: &Checkout) -> StateFolder<'w> {
        let state = self.state_in(checkout.common_dir.join("maestro"));
        let shared = self.shared(checkout, state.root());
        state.with_shared(shared)
    }

    /// Returns the state that lies in a folder.
    pub(crate) fn state_in(&self, root: PathBuf) -> StateFolder<'w> {
        StateFolder::new(self.world.files.as_ref(), self.world.clock.as_ref(), root)
    }

    /// Returns the remote that the sources come from. The configuration has no say in it: a pull request brings its own, and could name a
    /// repository that says what it likes.
    pub(crate) fn source_remote(&self) -> String {
        match self.settings.remote.origin {
            Origin::File(_) | Origin::Default => "origin".to_owned(),
            Origin::Flag(_) | Origin::Environment(_) => self.settings.remote.value.clone(),
        }
    }

    fn shared(&self, checkout: &Checkout, root: &Path) -> Shared<'w> {
        let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        Shared::new(self.world.git.as_ref(), root, home.clone())
    }

    /// Returns the state that a remote shares; the network is about to be used.
    pub(crate) fn remote(
        &self,
        name: Option<&str>,
        deadline: u64,
    ) -> Result<Remote<'w>, CommandError> {
        let checkout = self.checkout.as_ref().map_err(no_repository)?;
        if self.settings.offline.value {
            let message = "`--offline` forbids asking a remote";
            return Err(CommandError::message(ErrorKind::Unavailable, message)
                .hint("run it without --offline; what is stored here is kept"));
        }
        let name = name.filter(|name| !name.is_empty());
        let name = name.map_or_else(|| self.settings.remote.value.clone(), str::to_owned);
        let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let found = self.world.git.has_remote(home, &name);
        if !found.map_err(StateError::from)? {
            let shown = crate::ports::git::shown(&name);
            return Err(StateError::from(GitError::NoRemote(shown)).into());
        }
        let state = self.state()?;
        Ok(Remote::new(
            &state,
            self.shared(checkout, state.root()),
            name,
            self.settings.state_branch.value.clone(),
            Duration::from_secs(deadline),
            self.now(),
        ))
    }

    /// Whether the repository has a remote of the name that is set.
    pub(crate) fn has_remote(&self) -> Result<bool, CommandError> {
        let name = &self.settings.remote.value;
        let Ok(checkout) = &self.checkout else {
            return Ok(false);
        };
        let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let found = self.world.git.has_remote(home, name);
        found.map_err(|error| StateError::from(error).into())
    }

    /// Returns the present time, or the one that `--now` fixes.
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.now.value.unwrap_or_else(|| {
            // Whole microseconds: enough to keep runs in order, and every platform has them.
            let now = self.world.clock.now();
            Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
        })
    }

    /// Returns a variable as text.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.world
            .environment
            .var(name)
            .map(|value| value.to_string_lossy().into_owned())
    }

    /// Whether somebody switched everything off that blocks or skips.
    pub(crate) fn is_disabled(&self) -> bool {
        let value = self.var("MAESTRO_DISABLE");
        value.is_some_and(|value| value != "0" && value != "false")
    }

    /// Writes a report everywhere it is wanted: standard output, files, and what GitHub Actions reads.
    pub(crate) fn render(&mut self, report: &dyn Report) -> Result<(), CommandError> {
        let format = self.settings.format.value;
        let looks = Looks {
            color: self.ui.out_color(),
        };
        output::write(report, format, looks, self.ui.out()).map_err(CommandError::internal)?;
        self.render_around(report)
    }

    /// Writes a report everywhere but to a standard stream.
    fn render_around(&mut self, report: &dyn Report) -> Result<(), CommandError> {
        self.render_files(report)?;
        if self
            .var("GITHUB_ACTIONS")
            .is_some_and(|value| value == "true")
        {
            self.render_for_actions(report)?;
        }
        Ok(())
    }

    /// The same for a command that runs another one: standard output is that one's, so that what people read goes to standard error.
    pub(crate) fn render_beside(&mut self, report: &dyn Report) -> Result<(), CommandError> {
        if self.settings.format.value != output::Format::Human {
            return self.render(report);
        }
        if self.globals.verbosity() >= 0 {
            output::write(report, output::Format::Human, Looks::FILE, self.ui.err())
                .map_err(CommandError::internal)?;
        }
        self.render_around(report)
    }

    /// Writes the files that `--report` names.
    pub(crate) fn render_files(&mut self, report: &dyn Report) -> Result<(), CommandError> {
        for target in &self.globals.report {
            let path = self.base.join(&target.path);
            self.world
                .files
                .write_atomic(&path, &mut |out| {
                    output::write(report, target.format, Looks::FILE, out)
                })
                .map_err(|error| CommandError::writing(&path, error))?;
        }
        Ok(())
    }

    fn render_for_actions(&mut self, report: &dyn Report) -> Result<(), CommandError> {
        let files = self.world.files.as_ref();
        let append = |path: PathBuf, bytes: &[u8]| {
            files
                .append(&path, bytes)
                .map_err(|error| CommandError::writing(&path, error))
        };
        if let Some(path) = self.var("GITHUB_STEP_SUMMARY") {
            let mut page = Vec::new();
            output::write(report, output::Format::Markdown, Looks::FILE, &mut page)
                .map_err(CommandError::internal)?;
            page.push(b'\n');
            if page.len() > github::SUMMARY_LIMIT {
                page = b"The summary is larger than GitHub shows; see the report.\n".to_vec();
            }
            append(PathBuf::from(path), &page)?;
        }
        if let Some(path) = self.var("GITHUB_OUTPUT") {
            let lines: String = report
                .outputs()
                .iter()
                .map(|(name, value)| github::output(name, value))
                .collect();
            append(PathBuf::from(path), lines.as_bytes())?;
        }
        if self.settings.format.value != output::Format::Github {
            github::write_findings(&report.findings(), self.ui.err())
                .map_err(CommandError::internal)?;
        }
        Ok(())
    }
}

/// A configuration file larger than this was not written by a person.
pub(super) const LARGEST_CONFIG: u64 = 256 * 1024;

/// The working folder was deleted.
pub(super) fn no_folder(error: std::io::Error) -> CommandError {
    CommandError::new(ErrorKind::NotFound, error)
        .hint("the working folder is gone; change to another")
}

fn base_folder(world: &World, globals: &GlobalArgs) -> Result<PathBuf, CommandError> {
    let cwd = world.environment.current_dir().map_err(no_folder)?;
    let named = globals
        .repo
        .clone()
        .or_else(|| world.environment.var("MAESTRO_REPO").map(PathBuf::from));
    let Some(named) = named else { return Ok(cwd) };
    let folder = cwd.join(&named);
    match world.files.kind(&folder) {
        Ok(crate::ports::FileKind::Folder) => Ok(folder),
        Ok(_) => Err(CommandError::message(
            ErrorKind::NotFound,
            format!("`{}` is not a folder", named.display()),
        )
        .hint("-C takes the folder to work in")),
        Err(error) => Err(CommandError::reading(&named, error)),
    }
}
