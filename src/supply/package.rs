//! Which package something is about, whatever a tool calls it: package URLs (purl-spec, ECMA-427) and the words of scanners.

use percent_encoding::percent_decode_str;

/// A package: its kind as package URLs have it, its name as its registry has it, and its version.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Package {
    /// `npm`, `pypi`, `cargo`…; empty where nobody says.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What tools call a kind of package, and what package URLs call it.
const KINDS: &[(&str, &str)] = &[
    ("alpine", "apk"),
    ("bundler", "gem"),
    ("cargo", "cargo"),
    ("composer", "composer"),
    ("conan", "conan"),
    ("crates.io", "cargo"),
    ("debian", "deb"),
    ("dotnet", "nuget"),
    ("gemspec", "gem"),
    ("go", "golang"),
    ("go-module", "golang"),
    ("gobinary", "golang"),
    ("gomod", "golang"),
    ("gradle", "maven"),
    ("hackage", "hackage"),
    ("hex", "hex"),
    ("jar", "maven"),
    ("java-archive", "maven"),
    ("maven", "maven"),
    ("node-pkg", "npm"),
    ("npm", "npm"),
    ("nuget", "nuget"),
    ("packagist", "composer"),
    ("php-composer", "composer"),
    ("pip", "pypi"),
    ("pipenv", "pypi"),
    ("pnpm", "npm"),
    ("poetry", "pypi"),
    ("pom", "maven"),
    ("pub", "pub"),
    ("pypi", "pypi"),
    ("python", "pypi"),
    ("python-pkg", "pypi"),
    ("rubygems", "gem"),
    ("rust-binary", "cargo"),
    ("rust-crate", "cargo"),
    ("rustbinary", "cargo"),
    ("swift", "swift"),
    ("ubuntu", "deb"),
    ("uv", "pypi"),
    ("yarn", "npm"),
];

/// Returns what package URLs call a kind of package that a tool has its own word for.
pub(crate) fn kind_of(word: &str) -> String {
    // `Debian:12`, `Alpine:v3.18`.
    let word = word.split(':').next().unwrap_or_default().to_lowercase();
    match KINDS.binary_search_by_key(&word.as_str(), |(known, _)| known) {
        Ok(found) => KINDS[found].1.to_owned(),
        Err(_) => word,
    }
}

impl Package {
    pub(crate) fn new(kind: &str, name: &str, version: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Reads `pkg:type/namespace/name@version?qualifiers#subpath`.
    pub(crate) fn parse(purl: &str) -> Option<Self> {
        let rest = purl
            .trim()
            .get(..4)
            .filter(|start| start.eq_ignore_ascii_case("pkg:"))?;
        let rest = purl.trim()[rest.len()..].trim_start_matches('/');
        let rest = rest.split('#').next()?.split('?').next()?;
        let (kind, path) = rest.split_once('/')?;
        // A scope of npm begins with the sign as well, though it should be encoded.
        let (path, version) = match path.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, version),
            _ => (path, ""),
        };
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect();
        let (last, namespace) = parts.split_last()?;
        let kind = kind.to_lowercase();
        let name = match kind.as_str() {
            // Their namespace is the distribution, which no name has.
            "deb" | "apk" | "rpm" | "alpm" => last.clone(),
            "maven" if !namespace.is_empty() => format!("{}:{last}", namespace.join(".")),
            _ => parts.join("/"),
        };
        Some(Self {
            kind,
            name,
            version: decode(version),
        })
    }

    /// Returns the same for every spelling of a package, without its version.
    pub(crate) fn key(&self) -> (String, String) {
        let name = match self.kind.as_str() {
            // PEP 503.
            "pypi" => {
                let parts = self
                    .name
                    .split(['-', '_', '.'])
                    .filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join("-").to_lowercase()
            }
            "nuget" | "composer" | "github" | "bitbucket" | "hex" => self.name.to_lowercase(),
            _ => self.name.clone(),
        };
        (self.kind.clone(), name)
    }

    /// Returns the same for every spelling of a version.
    pub(crate) fn version_key(&self) -> &str {
        match self.version.strip_prefix('v') {
            Some(bare) if bare.starts_with(|c: char| c.is_ascii_digit()) => bare,
            _ => &self.version,
        }
    }

    /// Whether both may be the same: what one does not say is no difference.
    pub(crate) fn is(&self, other: &Self) -> bool {
        // Most differ here already.
        let same_version = self.version_key() == other.version_key()
            || self.version.is_empty()
            || other.version.is_empty();
        if !same_version {
            return false;
        }
        let (mine, theirs) = (self.key(), other.key());
        let same_kind = mine.0 == theirs.0 || mine.0.is_empty() || theirs.0.is_empty();
        same_kind && mine.1 == theirs.1
    }

    /// Returns `name@version`.
    pub(crate) fn shown(&self) -> String {
        if self.version.is_empty() {
            self.name.clone()
        } else {
            format!("{}@{}", self.name, self.version)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(purl: &str) -> Option<String> {
        Package::parse(purl).map(|package| format!("{} {}", package.kind, package.shown()))
    }

    #[test]
    fn package_urls_are_read() {
        for (purl, wanted) in [
            (
                "pkg:npm/%40angular/animation@12.3.1",
                "npm @angular/animation@12.3.1",
            ),
            (
                "pkg:npm/@angular/animation@12.3.1",
                "npm @angular/animation@12.3.1",
            ),
            ("pkg:npm/@angular/animation", "npm @angular/animation"),
            (
                "pkg:maven/org.apache.commons/io@1.3.4?type=jar#x",
                "maven org.apache.commons:io@1.3.4",
            ),
            (
                "pkg:deb/debian/curl@7.50.3-1?arch=i386",
                "deb curl@7.50.3-1",
            ),
            ("PKG://Cargo/serde@1.0.0%2Bx", "cargo serde@1.0.0+x"),
            (
                "pkg:golang/google.golang.org/genproto@abc#googleapis",
                "golang google.golang.org/genproto@abc",
            ),
        ] {
            assert_eq!(shown(purl).as_deref(), Some(wanted), "{purl}");
        }
        for purl in ["", "pkg:", "pkg:npm", "pkg:npm/", "npm/a@1", "pk€"] {
            assert_eq!(shown(purl), None, "{purl}");
        }
    }

    #[test]
    fn spellings_are_one_package() {
        let one = Package::new("pypi", "Zope.Interface", "1.0");
        assert!(one.is(&Package::new("", "zope-interface", "")));
        assert!(one.is(&Package::new("pypi", "zope_interface", "1.0")));
        assert!(!one.is(&Package::new("pypi", "zope_interface", "1.1")));
        assert!(
            Package::new("golang", "a/b", "v1.2.3").is(&Package::new("golang", "a/b", "1.2.3"))
        );
        assert!(!Package::new("npm", "a", "1").is(&Package::new("cargo", "a", "1")));
    }

    #[test]
    fn words_of_tools_are_in_order() {
        assert!(KINDS.is_sorted());
        assert_eq!(kind_of("PyPI"), "pypi");
        assert_eq!(kind_of("Debian:12"), "deb");
        assert_eq!(kind_of("crates.io"), "cargo");
        assert_eq!(kind_of("whatever"), "whatever");
    }
}
