//! Reads the repositories of a list, and the files that they extend.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

use super::source::Source;
use crate::cli::dora::listed::{List, is_repository};
use crate::cli::session::Session;
use crate::config::extends::Extends;
use crate::delivery::repositories::Listed;
use crate::error::CommandError;
use crate::flakes::quarantine::{self, Quarantine};
use crate::fleet::Member;
use crate::fleet::side::{Side, config_extends, of_config, of_policy, policy_extends};
use crate::fleet::standing::{Against, Standing, newest_of_fleet};
use crate::fleet::used;
use crate::forge::repository::{RepoName, of_remote};
use crate::policy::file::PATH as POLICY;

const CONFIG: &str = ".maestro/maestro.yaml";

/// A repository of the list, and what became of it.
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) read: Result<Read, Unread>,
}

/// What was read.
pub(super) struct Read {
    pub(super) commit: String,
    pub(super) has_config: bool,
    pub(super) member: Member,
    pub(super) config: Option<Compared>,
    pub(super) policy: Option<Compared>,
}

/// What a pin was compared with.
pub(super) struct Compared {
    pub(super) standing: Standing,
    pub(super) newest: Option<String>,
    pub(super) against: Option<Against>,
}

/// Why a repository could not be read.
pub(super) struct Unread {
    pub(super) is_missing: bool,
    pub(super) words: String,
}

/// Reads every repository that a list names.
pub(super) fn gather(session: &mut Session<'_>, file: &Path) -> Result<Vec<Found>, CommandError> {
    let List { listed, folder } = List::open(session, file)?;
    let mut fleet = Fleet {
        session,
        sources: Vec::new(),
        by_name: BTreeMap::new(),
        behind: BTreeMap::new(),
        texts: BTreeMap::new(),
    };
    let opened: Vec<_> = listed.iter().map(|one| fleet.open(one, &folder)).collect();
    let mut found = Vec::new();
    for (one, (name, opened)) in listed.into_iter().zip(opened) {
        let read = opened.and_then(|source| {
            let texts = fleet.texts(source);
            let texts = texts.map_err(|words| Unread {
                is_missing: false,
                words,
            })?;
            Ok((source, texts))
        });
        found.push((one, name, read));
    }
    // Pins are known of all before any is compared.
    let pins: Vec<(usize, Extends)> = found
        .iter()
        .filter_map(|(_, _, read)| read.as_ref().ok())
        .flat_map(|(source, texts)| {
            let pins = texts
                .config_extends()
                .into_iter()
                .chain(texts.policy_extends());
            pins.map(|extends| (*source, extends)).collect::<Vec<_>>()
        })
        .collect();
    let found = found.into_iter().map(|(one, name, read)| Found {
        line: one.line,
        name,
        path: one.path,
        read: read.map(|(source, texts)| fleet.judge(source, &texts, &pins)),
    });
    Ok(found.collect())
}

/// The texts of a repository.
struct Texts {
    config: Option<String>,
    policy: Option<String>,
    quarantine: Option<Vec<u8>>,
    workflows: Vec<Vec<u8>>,
}

impl Texts {
    fn config_extends(&self) -> Option<Extends> {
        config_extends(self.config.as_deref()?)
    }

    fn policy_extends(&self) -> Option<Extends> {
        policy_extends(self.policy.as_deref()?)
    }
}

/// The list, as it is read.
struct Fleet<'s, 'w> {
    session: &'s Session<'w>,
    sources: Vec<Source<'w>>,
    /// Sources by the names of their repositories, in small letters; why there is none.
    by_name: BTreeMap<String, Result<usize, String>>,
    behind: BTreeMap<(usize, String), Option<u64>>,
    texts: BTreeMap<(usize, String), Result<String, String>>,
}

impl Fleet<'_, '_> {
    /// Opens a repository: a clone where there is one, GitHub where a line is a name alone.
    fn open(&mut self, one: &Listed, folder: &Path) -> (String, Result<usize, Unread>) {
        let world = self.session.world;
        let path = folder.join(&one.path);
        let mut name = one.name.clone();
        let source = if world.files.kind(&path).is_ok() {
            let checkout = if is_repository(world.files.as_ref(), &path) {
                world.git.checkout(&path).map_err(|error| error.to_string())
            } else {
                Err("it is no repository".to_owned())
            };
            checkout.and_then(|checkout| {
                let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
                let remote = &self.session.settings.remote.value;
                let address = world.git.remote_address(home, remote);
                let of_address = address
                    .ok()
                    .flatten()
                    .and_then(|address| of_remote(&address));
                name = name.take().or(of_address.map(|(_, name)| name));
                Source::of_clone(self.session, &checkout)
            })
        } else if let Some(repository) = RepoName::parse(&one.path).filter(|_| name.is_none()) {
            name = Some(repository.clone());
            Source::of_github(self.session, &repository)
        } else {
            let unread = Unread {
                is_missing: true,
                words: "there is no such folder".to_owned(),
            };
            let name = name.map_or_else(|| one.path.clone(), |name| name.to_string());
            return (name, Err(unread));
        };
        let key = name.as_ref().map(|name| name.to_string().to_lowercase());
        let source = source.map(|source| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        if let (Some(key), Ok(source)) = (key, &source) {
            self.by_name.insert(key, Ok(*source));
        }
        let name = name.map_or_else(|| one.path.clone(), |name| name.to_string());
        let source = source.map_err(|words| Unread {
            is_missing: false,
            words,
        });
        (name, source)
    }

    fn texts(&mut self, source: usize) -> Result<Texts, String> {
        let Some(source) = self.sources.get_mut(source) else {
            return Err("it was not opened".to_owned());
        };
        let tip = source.tip.clone();
        let text = |bytes: Option<Vec<u8>>| {
            bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Texts {
            config: text(source.file(&tip, CONFIG)?),
            policy: text(source.file(&tip, POLICY)?),
            quarantine: source.file(&tip, quarantine::PATH)?,
            workflows: source.workflows()?,
        })
    }

    /// Returns the source of what somebody extends.
    fn source_of(&mut self, extends: &Extends, member: usize) -> Result<usize, String> {
        let Some(name) = &extends.repository else {
            return Ok(member);
        };
        let key = name.to_lowercase();
        if let Some(known) = self.by_name.get(&key) {
            return known.clone();
        }
        let opened = match RepoName::parse(name) {
            Some(name) => Source::of_github(self.session, &name),
            None => Err(format!("`{name}` is no repository")),
        };
        let opened = opened.map(|source| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        self.by_name.insert(key, opened.clone());
        opened
    }

    fn file(&mut self, source: usize, at: &str, path: &str) -> Result<String, String> {
        let key = (source, format!("{at}:{path}"));
        if let Some(known) = self.texts.get(&key) {
            return known.clone();
        }
        let read = match self.sources.get_mut(source) {
            Some(source) => source.file(at, path),
            None => Ok(None),
        };
        let text = match read {
            Ok(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(None) => Err(format!("there is no `{path}` at {at}")),
            Err(words) => Err(words),
        };
        self.texts.insert(key, text.clone());
        text
    }

    /// Reads what somebody extends: from its own repository, else from an object that the member has.
    fn base(&mut self, extends: &Extends, member: usize) -> Result<String, String> {
        let unread = |words: String| format!("what it extends could not be read: {words}");
        let from = self.source_of(extends, member);
        let of_base = from.and_then(|source| self.file(source, &extends.commit, &extends.path));
        of_base.or_else(|words| {
            let here = self.file(member, &extends.commit, &extends.path);
            here.map_err(|_| unread(words))
        })
    }

    /// Compares a pin with the newest commit of its repository, else with the newest pin of the fleet.
    fn compare(
        &mut self,
        extends: &Extends,
        member: usize,
        text: &Result<String, String>,
        pins: &[(usize, Extends)],
    ) -> Compared {
        let pin = &extends.commit;
        let Ok(source) = self.source_of(extends, member) else {
            return self.among(extends, pins);
        };
        let tip = self.sources.get(source).map(|source| source.tip.clone());
        let Some(tip) = tip else {
            return self.among(extends, pins);
        };
        let key = (source, pin.clone());
        let behind = match self.behind.get(&key) {
            Some(known) => *known,
            None => {
                let counted = self.sources.get_mut(source).and_then(|s| s.behind(pin));
                self.behind.insert(key, counted);
                counted
            }
        };
        let newest = self.file(source, &tip, &extends.path);
        let is_same = match (&newest, text) {
            (Ok(newest), Ok(text)) => Some(newest == text),
            _ => None,
        };
        Compared {
            standing: Standing::of(*pin == tip, behind, is_same),
            newest: Some(tip),
            against: Some(Against::Branch),
        }
    }

    fn among(&mut self, extends: &Extends, pins: &[(usize, Extends)]) -> Compared {
        let is_same_file = |one: &Extends| {
            let names = (&one.repository, &extends.repository);
            let is_same =
                matches!(names, (Some(one), Some(other)) if one.eq_ignore_ascii_case(other));
            is_same && one.path == extends.path
        };
        let same = pins.iter().filter(|(_, one)| is_same_file(one));
        let same: Vec<(usize, String)> = same.map(|(at, one)| (*at, one.commit.clone())).collect();
        let dated: Vec<(String, Option<i64>)> = same
            .into_iter()
            .map(|(at, pin)| {
                let source = self.sources.get_mut(at);
                let time = source.and_then(|source| source.time(&pin));
                (pin, time)
            })
            .collect();
        let newest = newest_of_fleet(&dated);
        let standing = match &newest {
            Some(newest) => Standing::of(*newest == extends.commit, None, None),
            None => Standing::Unknown,
        };
        Compared {
            standing,
            against: newest.is_some().then_some(Against::Fleet),
            newest,
        }
    }

    fn judge(&mut self, source: usize, texts: &Texts, pins: &[(usize, Extends)]) -> Read {
        let mut member = Member::default();
        let mut config = None;
        let mut policy = None;
        if let Some(text) = &texts.config {
            let extends = texts.config_extends();
            let base = extends.as_ref().map(|extends| self.base(extends, source));
            if let (Some(extends), Some(base)) = (&extends, &base) {
                config = Some(self.compare(extends, source, base, pins));
            }
            let (side, said) = of_config(text, base.as_ref().map(of_text));
            member.config = side;
            (member.requires, member.enforce) = (said.requires, said.enforce);
        }
        if let Some(text) = &texts.policy {
            let extends = texts.policy_extends();
            let base = extends.as_ref().map(|extends| self.base(extends, source));
            if let (Some(extends), Some(base)) = (&extends, &base) {
                policy = Some(self.compare(extends, source, base, pins));
            }
            let side: Side = of_policy(text, base.as_ref().map(of_text));
            member.policy = side;
        }
        let today = self.session.now().to_zoned(TimeZone::UTC).date();
        member.quarantine = texts.quarantine.as_ref().map(|bytes| {
            let read = Quarantine::read(bytes).map_err(|error| error.to_string())?;
            let overdue = read.tests.iter().filter(|entry| entry.is_overdue(today));
            Ok((read.tests.len(), overdue.count()))
        });
        for workflow in &texts.workflows {
            for one in used::find(&String::from_utf8_lossy(workflow)) {
                if !member.used.contains(&one) {
                    member.used.push(one);
                }
            }
        }
        let tip = self.sources.get(source).map(|source| source.tip.clone());
        Read {
            commit: tip.unwrap_or_default(),
            has_config: texts.config.is_some(),
            member,
            config,
            policy,
        }
    }
}

fn of_text(text: &Result<String, String>) -> Result<&str, &str> {
    text.as_ref().map(String::as_str).map_err(String::as_str)
}
