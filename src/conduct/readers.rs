//! Looks for the Rust sources that read a changed file from outside their package; each blob is looked at once, ever.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::planner::{Planned, Planner};
use crate::change::Tree;
use crate::plan::assess::Reading;
use crate::plan::graph::Kind;
use crate::plan::graph::owners::Owners;
use crate::plan::readings::{From, Mention, Package, mentions, module_files, readings};
use crate::plan::sources::{extension, file_name};
use crate::ports::GitError;

/// What blobs mention, by object id.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    known: HashMap<Arc<str>, Vec<Mention>>,
    /// Whether there is more than what was loaded.
    pub(crate) is_new: bool,
}

/// The version of the file; another one is another way of looking.
const HEAD: &str = "maestro rust mentions 6";

/// Of more blobs than this, the oldest knowledge is not kept.
const MOST: usize = 200_000;

impl Mentions {
    /// Reads what an earlier plan found; what is no such file is nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Self::default();
        }
        let mut known = HashMap::new();
        for line in lines.take(MOST) {
            let mut fields = line.split('\t');
            let Some(object) = fields.next() else {
                continue;
            };
            let mentions: Option<Vec<Mention>> = fields.map(mention).collect();
            if let Some(mentions) = mentions {
                known.insert(Arc::from(object), mentions);
            }
        }
        Self {
            known,
            is_new: false,
        }
    }

    /// Returns the text that [`Self::parse`] reads.
    pub(crate) fn text(&self) -> String {
        let sorted: BTreeMap<&Arc<str>, &Vec<Mention>> = crate::order::map(self.known.iter());
        let mut text = format!("{HEAD}\n");
        for (object, mentions) in sorted {
            text.push_str(object);
            for mention in mentions {
                text.push('\t');
                text.push(letter(mention.from));
                text.push_str(&mention.literal);
            }
            text.push('\n');
        }
        text
    }
}

const LETTERS: &[(char, From)] = &[
    ('f', From::File),
    ('m', From::Manifest),
    ('e', From::Either),
    ('a', From::Above),
    ('s', From::Module),
    ('*', From::Anywhere),
];

fn letter(from: From) -> char {
    LETTERS
        .iter()
        .find(|(_, known)| *known == from)
        .map_or('*', |(letter, _)| *letter)
}

fn mention(field: &str) -> Option<Mention> {
    let first = field.chars().next()?;
    let (_, from) = LETTERS.iter().find(|(letter, _)| *letter == first)?;
    Some(Mention {
        from: *from,
        literal: field[1..].to_owned(),
    })
}

/// No package takes more sources from elsewhere.
const MOST_FOLLOWED: usize = 5_000;

/// The sources of one package.
type SourcesOf<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

impl Planner<'_> {
    /// Returns what packages read of the changed files, for packages that nothing else affects.
    ///
    /// A source that is not here may read anything: its path comes back as the error inside.
    pub(super) fn readings(
        &mut self,
        planned: &Planned,
    ) -> Result<Result<Vec<Reading>, String>, GitError> {
        let graph = Arc::clone(&planned.after.graph);
        let owners = Owners::new(&graph);
        let affected = &planned.assessment.affected;
        let is_open = |id: &str| !affected.contains_key(id);
        let any = graph
            .projects()
            .any(|(id, project)| project.kind == Kind::Cargo && is_open(id));
        if !any {
            return Ok(Ok(Vec::new()));
        }
        let mut sources = SourcesOf::new();
        for (path, entry) in planned
            .after
            .tree
            .iter()
            .filter(|(path, _)| extension(path) == Some("rs"))
        {
            for id in owners.cargo(path).into_iter().filter(|id| is_open(id)) {
                sources.entry(id).or_default().push((path, entry.object));
            }
        }
        let all = sources.values().flatten().map(|(_, object)| *object);
        self.look(all.collect())?;
        let unread = sources.values().flatten();
        let mut unread = unread.filter(|(_, object)| !self.mentions.known.contains_key(*object));
        if let Some((path, _)) = unread.next() {
            return Ok(Err((*path).to_owned()));
        }
        let changed = planned.before.iter().flat_map(|before| &before.changes);
        let changed: BTreeSet<&str> = changed.map(|change| change.path.as_str()).collect();
        let changed: Vec<&str> = changed.into_iter().collect();
        let mut found = Vec::new();
        for (id, files) in &sources {
            let Some(project) = graph.get(id) else {
                continue;
            };
            let package = Package {
                id,
                dir: &project.dir,
            };
            let mut by_name = false;
            for (path, object) in files {
                let mentions = self
                    .mentions
                    .known
                    .get(*object)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                by_name |= mentions
                    .iter()
                    .any(|mention| mention.from == From::Anywhere);
                found.extend(readings(package, path, mentions, &changed));
            }
            if by_name {
                self.by_name(package, files, &changed, &mut found)?;
            }
        }
        for (id, project) in graph
            .projects()
            .filter(|(id, project)| project.kind == Kind::Cargo && is_open(id))
        {
            let package = Package {
                id,
                dir: &project.dir,
            };
            let own = found.iter().filter(|reading| reading.project == *id);
            let targets = own.map(|reading| reading.target.clone());
            let open: BTreeSet<String> = targets.chain(project.reads.iter().cloned()).collect();
            let more = self.follow(package, open, &planned.after.tree, &changed)?;
            found.extend(more);
        }
        crate::order::sort(&mut found);
        found.dedup();
        Ok(Ok(found))
    }

    /// Follows sources that a package takes from elsewhere: their modules, and what those read.
    fn follow(
        &mut self,
        package: Package<'_>,
        open: BTreeSet<String>,
        tree: &Tree,
        changed: &[&str],
    ) -> Result<Vec<Reading>, GitError> {
        let mut found = Vec::new();
        let is_source = |path: &String| extension(path) == Some("rs") && tree.file(path).is_some();
        let mut open: Vec<String> = open.into_iter().filter(is_source).collect();
        let mut seen: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(path) = open.pop() {
            let Some(object) = tree.file(&path) else {
                continue;
            };
            self.look(BTreeSet::from([object]))?;
            let mentions = self.mentions.known.get(object);
            let mentions = mentions.map(Vec::as_slice).unwrap_or_default();
            let mut targets = readings(package, &path, mentions, changed);
            for mention in mentions.iter().filter(|one| one.from == From::Module) {
                let files = module_files(&path, &mention.literal).into_iter();
                targets.extend(files.map(|target| Reading {
                    project: package.id.to_owned(),
                    target,
                    from: path.clone(),
                }));
            }
            for reading in targets {
                let is_new = seen.len() < MOST_FOLLOWED && !seen.contains(&reading.target);
                if is_new && is_source(&reading.target) {
                    seen.insert(reading.target.clone());
                    open.push(reading.target.clone());
                }
                found.push(reading);
            }
        }
        Ok(found)
    }

    /// Looks into blobs that nobody looked into yet.
    fn look(&mut self, objects: BTreeSet<&str>) -> Result<(), GitError> {
        let new = objects
            .into_iter()
            .filter(|object| !self.mentions.known.contains_key(*object));
        let new: Vec<&str> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = new.iter().map(|object| (*object).to_owned()).collect();
        self.prefetch(&names)?;
        let known = &mut self.mentions.known;
        self.objects.read(&names, &mut |place, object| {
            if let Some(object) = object {
                let text = String::from_utf8_lossy(&object.bytes);
                known.insert(new[place].into(), mentions(&text));
            }
        })?;
        self.mentions.is_new = true;
        Ok(())
    }

    /// A macro builds a path: every changed file whose name stands in the package's sources may be the one.
    fn by_name(
        &mut self,
        package: Package<'_>,
        files: &[(&str, &str)],
        changed: &[&str],
        found: &mut Vec<Reading>,
    ) -> Result<(), GitError> {
        let names: Vec<String> = files
            .iter()
            .map(|(_, object)| (*object).to_owned())
            .collect();
        self.objects.read(&names, &mut |place, object| {
            let Some(object) = object else { return };
            for path in changed {
                // At the end of a literal; a comment that names a file reads nothing.
                let name = format!("{}\"", file_name(path));
                if memchr::memmem::find(&object.bytes, name.as_bytes()).is_some() {
                    found.push(Reading {
                        project: package.id.to_owned(),
                        target: (*path).to_owned(),
                        from: files[place].0.to_owned(),
                    });
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_reads_back_as_written() {
        let mention = |from, literal: &str| Mention {
            from,
            literal: literal.to_owned(),
        };
        let all = vec![
            mention(From::File, "../a b"),
            mention(From::Above, "x"),
            mention(From::Anywhere, ""),
        ];
        let known = [(Arc::from("1"), all), (Arc::from("2"), Vec::new())];
        let mentions = Mentions {
            known: known.into(),
            is_new: true,
        };
        let read = Mentions::parse(&mentions.text());
        assert_eq!(read.known, mentions.known);
        assert!(Mentions::parse("other\n1\tfx").known.is_empty());
    }
}
