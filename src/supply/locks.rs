//! Packages in lock files: their names and versions, where they come from, and whether their bytes are held to a digest. How packages need
//! each other is read by `plan::locks`, whose readers are used.

use serde_json::Value;
use toml::Table;

use super::NotRead;
use super::package::Package;
use super::sbom::{Component, Stated};
use crate::json;
use crate::plan::locks::{LockGraph, NotALock, bun, cargo, npm, pnpm, uv, yarn};

/// What a package comes from when the lock file leaves that to the package manager's settings.
const DEFAULT: &str = "default";

/// Names of lock files and their kind of package.
const NAMES: &[(&str, &str)] = &[
    ("Cargo.lock", "cargo"),
    ("bun.lock", "npm"),
    ("go.mod", "golang"),
    ("npm-shrinkwrap.json", "npm"),
    ("package-lock.json", "npm"),
    ("pnpm-lock.yaml", "npm"),
    ("poetry.lock", "pypi"),
    ("uv.lock", "pypi"),
    ("yarn.lock", "npm"),
];

fn name_of(path: &str) -> Option<(&'static str, &'static str)> {
    let name = path.rsplit('/').next().unwrap_or_default();
    NAMES.iter().copied().find(|(known, _)| *known == name)
}

pub(super) fn is_one(path: &str) -> bool {
    name_of(path).is_some()
}

/// Reads the packages of a lock file that come from elsewhere; nothing for what is no lock file that is read.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Option<Vec<Component>>, NotRead> {
    let Some((name, kind)) = name_of(path) else {
        return Ok(None);
    };
    let text = super::text(bytes)?;
    let read = match name {
        "Cargo.lock" => cargo::read(&text).map(|graph| all(&graph, kind, cargo_package)),
        "package-lock.json" | "npm-shrinkwrap.json" => {
            npm::read(&text).map(|graph| all(&graph, kind, npm_package))
        }
        "pnpm-lock.yaml" => pnpm::read(&text).map(|graph| all(&graph, kind, pnpm_package)),
        "bun.lock" => bun::read(&text).map(|graph| all(&graph, kind, bun_package)),
        "uv.lock" => uv::read(&text).map(|graph| all(&graph, kind, uv_package)),
        "yarn.lock" => yarn::read(&text, &[]).map(|graph| all(&graph, kind, yarn_package)),
        "poetry.lock" => poetry(&text),
        _ => Ok(go(&text)),
    };
    let mut packages = read.map_err(|NotALock(message)| NotRead::new(message))?;
    crate::order::sort_by(&mut packages, |one, other| one.package.cmp(&other.package));
    packages.dedup_by(|one, other| one.package == other.package);
    Ok(Some(packages))
}

/// A package as a lock file has it: name, version, where it comes from, whether its bytes are held to a digest, its licence.
#[derive(Default)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    is_pinned: bool,
    licence: Option<String>,
}

impl Locked {
    fn component(self, kind: &str) -> Component {
        let licences = self.licence.into_iter().map(|text| Stated {
            text,
            is_concluded: false,
        });
        Component {
            package: Package::new(kind, &self.name, &self.version),
            licences: licences.collect(),
            role: "library".into(),
            source: self.source,
            is_pinned: Some(self.is_pinned),
            ..Component::default()
        }
    }
}

/// Reads all packages from outside by key, name and content.
fn all(
    graph: &LockGraph,
    kind: &str,
    read: fn(&str, &str, &str) -> Option<Locked>,
) -> Vec<Component> {
    let packages = graph
        .outside()
        .filter_map(|(key, name, content)| read(key, name, content));
    packages.map(|package| package.component(kind)).collect()
}

/// `name version (source)`; the content begins with the checksum.
fn cargo_package(key: &str, name: &str, content: &str) -> Option<Locked> {
    let rest = key.strip_prefix(name)?.trim_start();
    let (version, source) = rest.split_once(" (")?;
    let source = source.trim_end_matches(')');
    let has_checksum = content.lines().next().is_some_and(|line| !line.is_empty());
    // A commit of git is a digest.
    let is_commit = source.starts_with("git+") && source.contains('#');
    Some(Locked {
        name: name.to_owned(),
        version: version.to_owned(),
        source: Some(source.to_owned()),
        is_pinned: has_checksum || is_commit,
        licence: None,
    })
}

fn npm_package(_: &str, name: &str, content: &str) -> Option<Locked> {
    let package: Value = json::read(content).ok()?;
    if package.get("link").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let text = |key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let source = text("resolved");
    let is_commit = source
        .as_deref()
        .is_some_and(|source| source.starts_with("git") && source.contains('#'));
    Some(Locked {
        // An alias has the real name beside it.
        name: text("name").unwrap_or_else(|| name.to_owned()),
        version: text("version").unwrap_or_default(),
        is_pinned: text("integrity").is_some() || is_commit,
        source: source.or_else(|| Some(DEFAULT.into())),
        licence: text("license"),
    })
}

/// `name@1.0.0(peer@2.0.0)`, `/name@1.0.0`, `/name/1.0.0_peer`; of two sections that have a package, one says where it comes from.
fn pnpm_package(key: &str, _: &str, content: &str) -> Option<Locked> {
    let plain = key.split('(').next()?.trim_start_matches('/');
    let scope = if plain.starts_with('@') {
        plain.find('/')? + 1
    } else {
        0
    };
    let end = scope + plain[scope..].find(['@', '/'])?;
    let (name, version) = (&plain[..end], &plain[end + 1..]);
    // Before version 6 of the form a slash stands before the version, and what it needs behind it.
    let version = match plain.as_bytes()[end] {
        b'/' => version.split('_').next()?,
        _ => version,
    };
    let after = |word: &str| {
        let (_, rest) = content.split_once(word)?;
        let value = rest
            .split(['\n', ',', '}'])
            .next()?
            .trim()
            .trim_matches(['\'', '"']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let source = after("tarball:").or_else(|| after("repo:"));
    let source = source.or_else(|| version.contains("://").then(|| version.to_owned()));
    Some(Locked {
        name: name.to_owned(),
        version: version.to_owned(),
        // What a snapshot is stands with the package of its key.
        is_pinned: !content.contains("resolution:")
            || content.contains("integrity:")
            || content.contains("commit:"),
        source: source.or_else(|| Some(DEFAULT.into())),
        licence: None,
    })
}

/// `["name@1.0.0", "registry", {…}, "sha512-…"]`
fn bun_package(_: &str, _: &str, content: &str) -> Option<Locked> {
    let package: Value = json::read(content).ok()?;
    let fields = package.as_array()?;
    let text = |at: usize| fields.get(at).and_then(Value::as_str).unwrap_or_default();
    let whole = text(0);
    let scope = usize::from(whole.starts_with('@'));
    let (name, version) = whole[scope..].split_once('@')?;
    let name = &whole[..scope + name.len()];
    if version.starts_with("workspace:") || version.starts_with("link:") {
        return None;
    }
    let is_registry = version.starts_with(|c: char| c.is_ascii_digit());
    let source = match (is_registry, text(1)) {
        (false, _) => version,
        (true, "") => DEFAULT,
        (true, registry) => registry,
    };
    let last = fields.last().and_then(Value::as_str).unwrap_or_default();
    Some(Locked {
        name: name.to_owned(),
        version: version.to_owned(),
        source: Some(source.to_owned()),
        is_pinned: last.starts_with("sha") || (!is_registry && version.contains('#')),
        licence: None,
    })
}

fn uv_package(_: &str, name: &str, content: &str) -> Option<Locked> {
    let package: Value = json::read(content).ok()?;
    let source = package.get("source").and_then(Value::as_object);
    let source = source.and_then(|source| source.values().next()?.as_str());
    let hash = |value: &Value| value.get("hash").is_some();
    let wheels = package.get("wheels").and_then(Value::as_array);
    let has_hash = package.get("sdist").is_some_and(hash)
        || wheels.is_some_and(|wheels| !wheels.is_empty() && wheels.iter().all(hash));
    Some(Locked {
        name: name.to_owned(),
        version: package
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        is_pinned: has_hash || source.is_some_and(|source| source.contains('#')),
        source: source.map(str::to_owned),
        licence: None,
    })
}

fn yarn_package(key: &str, name: &str, content: &str) -> Option<Locked> {
    let field = |word: &str| {
        content.lines().find_map(|line| {
            let rest = line.trim().strip_prefix(word)?;
            let value = rest.strip_prefix([' ', ':'])?.trim().trim_matches('"');
            Some(value.to_owned())
        })
    };
    let resolution = field("resolution");
    // `name@npm:1.0.0`, and `alias@npm:name@^1.0.0` in version 1.
    let real = match (&resolution, key.split_once("@npm:")) {
        (Some(resolution), _) => resolution
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '@')
            .map(|(at, _)| resolution[..at].to_owned()),
        (None, Some((_, target))) => target
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '@')
            .map(|(at, _)| target[..at].to_owned()),
        _ => None,
    };
    let resolved = field("resolved");
    let is_local = resolution
        .as_deref()
        .is_some_and(|one| one.contains("@workspace:") || one.contains("@link:"));
    if is_local {
        return None;
    }
    let is_plain = resolution
        .as_deref()
        .is_none_or(|one| one.contains("@npm:"));
    Some(Locked {
        name: real.unwrap_or_else(|| name.to_owned()),
        version: field("version")?,
        is_pinned: field("integrity").is_some()
            || field("checksum").is_some()
            || resolved.as_deref().is_some_and(|url| url.contains('#')),
        source: match (resolved, resolution) {
            (Some(url), _) => Some(url),
            (None, Some(resolution)) if !is_plain => Some(resolution),
            _ => Some(DEFAULT.into()),
        },
        licence: None,
    })
}

/// `poetry.lock` (python-poetry.org; the file says how it was made): `[[package]]`.
fn poetry(text: &str) -> Result<Vec<Component>, NotALock> {
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| NotALock(error.message().to_owned()))?;
    let Some(packages) = table.get("package").and_then(toml::Value::as_array) else {
        return Err(NotALock("it has no `package`".into()));
    };
    // Before version 2 of the form, digests stand at the end.
    let apart = table
        .get("metadata")
        .and_then(|metadata| metadata.get("files"));
    let mut components = Vec::new();
    for package in packages {
        let text = |key: &str| {
            package
                .get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
        };
        let source = package.get("source");
        let source_text = |key: &str| {
            source
                .and_then(|source| source.get(key))
                .and_then(toml::Value::as_str)
        };
        if source_text("type") == Some("directory") {
            continue;
        }
        let files = package.get("files").or_else(|| apart?.get(text("name")));
        let has_files = files
            .and_then(toml::Value::as_array)
            .is_some_and(|files| !files.is_empty());
        let locked = Locked {
            name: text("name").to_owned(),
            version: text("version").to_owned(),
            source: Some(source_text("url").unwrap_or(DEFAULT).to_owned()),
            is_pinned: has_files || source_text("resolved_reference").is_some(),
            licence: None,
        };
        components.push(locked.component("pypi"));
    }
    Ok(components)
}

/// `go.mod` (go.dev/ref/mod): what `require` names; `go.sum`, which holds every module to a digest, is written with it.
fn go(text: &str) -> Vec<Component> {
    let mut components = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let line = match line.strip_prefix("require") {
            Some(rest) if rest.trim() == "(" => {
                in_block = true;
                continue;
            }
            Some(rest) if rest.starts_with([' ', '\t']) => rest.trim(),
            _ if !in_block => continue,
            _ if line == ")" => {
                in_block = false;
                continue;
            }
            _ => line,
        };
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let locked = Locked {
                name: name.trim_matches('"').to_owned(),
                version: version.to_owned(),
                source: Some(DEFAULT.into()),
                is_pinned: true,
                licence: None,
            };
            components.push(locked.component("golang"));
        }
    }
    components
}

#[cfg(test)]
mod tests;
