//! XML reports of other forms than JUnit: how their readers are chosen and called. Markup, recovery and bounds are
//! those of the JUnit reader.

use quick_xml::events::BytesStart;

use super::attributes;
use super::notes::Notes;
use super::out::Out;
use super::{boost, ctest, nunit2, nunit3, trx, xunit};

/// What becomes of the text inside an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Ignore,
    /// It belongs to the message of the case.
    Message,
    /// It is handed over at the end of the element.
    Keep,
}

/// The reader of one form; elements are told apart by the [`hash`] of their names.
pub(super) trait Xml {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text;

    /// Takes the end of an element, with its text where that was to be kept.
    fn end(&mut self, element: u32, kept: &str, out: &mut Out<'_>, notes: &mut Notes);

    /// Hands out what had to wait for the end.
    fn finish(&mut self, _out: &mut Out<'_>, _notes: &mut Notes) {}
}

/// A start tag.
pub(super) struct Tag<'a, 'b> {
    pub(super) tag: &'a BytesStart<'b>,
    pub(super) offset: u64,
}

impl Tag<'_, '_> {
    /// Returns the values of some attributes, empty where they are missing, with one look over the tag.
    pub(super) fn values<const N: usize>(
        &self,
        wanted: [&str; N],
        notes: &mut Notes,
    ) -> [String; N] {
        let mut found = [const { String::new() }; N];
        self.each(&wanted, &mut found, notes);
        found
    }

    fn each(&self, wanted: &[&str], found: &mut [String], notes: &mut Notes) {
        attributes::each(self.tag, self.offset, notes, |name, value, notes| {
            for (wanted, found) in wanted.iter().zip(&mut *found) {
                if wanted.as_bytes() == name && found.is_empty() {
                    attributes::value_into(found, value, self.offset, notes);
                }
            }
        });
    }
}

/// Returns the reader for a root element, when it is one of a form that is known.
pub(super) fn foreign(
    root: u32,
    site: Option<String>,
    tag: &Tag<'_, '_>,
    notes: &mut Notes,
) -> Option<(&'static str, Box<dyn Xml>)> {
    const TRX: u32 = hash(b"TestRun");
    const NUNIT_2: u32 = hash(b"test-results");
    const NUNIT_3: u32 = hash(b"test-run");
    const SUITE: u32 = hash(b"test-suite");
    const ASSEMBLIES: u32 = hash(b"assemblies");
    const ASSEMBLY: u32 = hash(b"assembly");
    const TEST_LOG: u32 = hash(b"TestLog");
    const TESTING: u32 = hash(b"Testing");
    let reader: (&'static str, Box<dyn Xml>) = match root {
        // CppUnit's root has the same name and no namespace.
        TRX if tag.values(["xmlns"], notes)[0].contains("VisualStudio/TeamTest") => {
            ("trx", Box::new(trx::Trx::default()))
        }
        NUNIT_2 => ("nunit2", Box::new(nunit2::Nunit2::default())),
        NUNIT_3 => ("nunit3", Box::new(nunit3::Nunit3::default())),
        // Some programs write what stands inside a run, and no more.
        SUITE if !tag.values(["fullname"], notes)[0].is_empty() => {
            ("nunit3", Box::new(nunit3::Nunit3::default()))
        }
        ASSEMBLIES => ("xunit", Box::new(xunit::Xunit::default())),
        // Manifests of other programs have this root too.
        ASSEMBLY
            if tag
                .values(["test-framework", "run-date"], notes)
                .iter()
                .any(|value| !value.is_empty()) =>
        {
            ("xunit", Box::new(xunit::Xunit::default()))
        }
        TEST_LOG => ("boost", Box::new(boost::Boost::default())),
        TESTING => ("ctest", Box::new(ctest::Ctest::new(site?))),
        _ => return None,
    };
    Some(reader)
}

/// Returns the last part of a path of either kind of system.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// FNV-1a: names are short, and a collision only closes one element too early.
pub(super) const fn hash(name: &[u8]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}
