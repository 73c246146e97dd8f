//! What a change adds: components of the head that the base has not, by bills of materials, by lock files, or by both.

use std::collections::{HashMap, HashSet};

use super::sbom::Component;
use super::{Given, Supplied};

/// A component that was not there, or was there in another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) component: Component,
    /// The versions that it had; none for what is new altogether.
    pub(crate) was: Vec<String>,
}

type Key = (String, String);

/// Where the packages of two sides can be compared.
type Sides<'s> = (Vec<&'s Component>, Vec<&'s Component>);

impl Given {
    fn listed(&self) -> impl Iterator<Item = &Component> {
        self.bills
            .iter()
            .flat_map(|bill| &bill.components)
            .filter(|one| one.is_dependency())
    }

    /// Whether bills were given and all of them are empty.
    fn is_listed_empty(&self) -> bool {
        !self.bills.is_empty() && self.bills.iter().all(|bill| bill.components.is_empty())
    }
}

impl Supplied {
    /// Returns what comes along with the head: components of bills, or packages of lock files where there is no bill.
    pub(crate) fn components(&self) -> Result<Vec<Component>, String> {
        if self.head.bills.is_empty() {
            if self.are_locks_known {
                return Ok(self.head.locked.clone());
            }
            return Err("no SBOM of the head was given".into());
        }
        if self.head.is_listed_empty() {
            return Err("the SBOM of the head names no component".into());
        }
        let index = Index::of(&self.head);
        Ok(self.head.listed().map(|one| index.enrich(one)).collect())
    }

    /// Returns what the head has and the base has not, or what is missing to tell.
    pub(crate) fn news(&self) -> Result<Vec<News>, String> {
        let index = Index::of(&self.head);
        let mut news = Vec::new();
        let mut seen: HashSet<(Key, String)> = HashSet::new();
        for (head, base) in self.sides()? {
            let mut former: HashMap<Key, Vec<&str>> = HashMap::new();
            for component in base {
                let versions = former.entry(component.package.key()).or_default();
                versions.push(component.package.version_key());
            }
            for component in head {
                let key = component.package.key();
                let version = component.package.version_key();
                let was = former.get(&key);
                if was.is_some_and(|was| was.contains(&version)) {
                    continue;
                }
                if seen.insert((key, version.to_owned())) {
                    let was = was
                        .into_iter()
                        .flatten()
                        .map(|version| (*version).to_owned());
                    news.push(News {
                        component: index.enrich(component),
                        was: was.collect(),
                    });
                }
            }
        }
        crate::order::sort_by(&mut news, |one, other| {
            one.component.package.cmp(&other.component.package)
        });
        Ok(news)
    }

    fn sides(&self) -> Result<Vec<Sides<'_>>, String> {
        let mut sides: Vec<Sides<'_>> = Vec::new();
        let (has_head, has_base) = (!self.head.bills.is_empty(), !self.base.bills.is_empty());
        if has_head && self.head.is_listed_empty() {
            return Err("the SBOM of the head names no component".into());
        }
        if has_head && has_base {
            sides.push((self.head.listed().collect(), self.base.listed().collect()));
        }
        if self.are_locks_known {
            sides.push((
                self.head.locked.iter().collect(),
                self.base.locked.iter().collect(),
            ));
        }
        if sides.is_empty() {
            let missing = if has_head { "base" } else { "head" };
            return Err(format!(
                "no SBOM of the {missing} was given, and no lock files were read: what is new cannot be told"
            ));
        }
        Ok(sides)
    }
}

/// What is said of each package of the head, for those who lack it.
struct Index<'s> {
    licensed: HashMap<(String, String), &'s Component>,
    locked: HashMap<(String, String), &'s Component>,
}

impl<'s> Index<'s> {
    fn of(head: &'s Given) -> Self {
        let mut index = Self {
            licensed: HashMap::new(),
            locked: HashMap::new(),
        };
        for component in &head.locked {
            index.locked.insert(name_and_version(component), component);
        }
        for component in head.listed().chain(&head.locked) {
            if !component.licences.is_empty() {
                let key = name_and_version(component);
                index.licensed.entry(key).or_insert(component);
            }
        }
        index
    }

    /// Returns a component with what other documents about the head say of the same.
    fn enrich(&self, component: &Component) -> Component {
        let mut own = component.clone();
        let key = name_and_version(component);
        let same = |other: &&&Component| other.package.is(&component.package);
        if own.licences.is_empty()
            && let Some(other) = self.licensed.get(&key).filter(same)
        {
            own.licences.clone_from(&other.licences);
            own.purl = own.purl.take().or_else(|| other.purl.clone());
        }
        if own.source.is_none()
            && let Some(locked) = self.locked.get(&key).filter(same)
        {
            own.source.clone_from(&locked.source);
            own.is_pinned = locked.is_pinned;
        }
        own
    }
}

fn name_and_version(component: &Component) -> (String, String) {
    let package = &component.package;
    (package.key().1, package.version_key().to_owned())
}
