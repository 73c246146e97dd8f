//! Names without what is made anew in each run: addresses, random ids and temporary folders. A test keeps its history although its name
//! does not stay the same.
//!
//! An address (`<Point object at 0x7f3a2c10>`) never means the same twice and always goes. A UUID, a digest or a temporary folder may
//! as well be a parameter that somebody chose: it goes where no other test of the run would get the same name.

use std::collections::HashMap;

use super::results::Results;

/// Stands for what differs.
pub(crate) const BLANK: char = '…';

/// Shorter words of hexadecimal digits behind `0x` are numbers that somebody wrote.
const ADDRESS: usize = 6;

/// Shorter words of hexadecimal digits are none of a random id: an `ObjectId` has 24.
const ID: usize = 24;

/// No digest is longer; what is longer is data.
const LONGEST_ID: usize = 128;

/// Folders in which systems and test tools make temporary ones.
const TEMPORARY: &[&str] = &["/tmp/", "/var/folders/", "/private/tmp/", "\\Temp\\"];

/// Returns a name without addresses; nothing where it has none.
pub(crate) fn without_addresses(name: &str) -> Option<String> {
    masked(name, &|rest, is_first| {
        let length = address(rest).filter(|_| is_first)?;
        Some((2, length))
    })
}

/// Returns a name without addresses, ids and temporary folders; nothing where it has none.
fn without_ids(name: &str) -> Option<String> {
    masked(name, &|rest, is_first| {
        if let Some(folder) = TEMPORARY.iter().find(|folder| rest.starts_with(**folder)) {
            let end = rest.find(|c| " \"'`)]}>,;".contains(c));
            let end = end.unwrap_or(rest.len());
            // What the folder was made for is called the same each time.
            let last = rest[folder.len()..end].rfind(['/', '\\']);
            return Some((folder.len(), last.map_or(end, |last| folder.len() + last)));
        }
        let length = is_first.then(|| address(rest).map(|length| (2, length)));
        let id = || is_first.then(|| uuid(rest).or_else(|| id(rest)));
        length
            .flatten()
            .or_else(|| id().flatten().map(|length| (0, length)))
    })
}

/// Says of the beginning of a text how much of it stays and where ends what goes; it is told whether a word begins there.
type Find<'f> = &'f dyn Fn(&str, bool) -> Option<(usize, usize)>;

/// Puts [`BLANK`] in place of what is found.
fn masked(name: &str, find: Find<'_>) -> Option<String> {
    let mut new = String::new();
    let (mut copied, mut at) = (0, 0);
    let mut before = ' ';
    while let Some(next) = name[at..].chars().next() {
        let begins = matches!(next, '/' | '\\') || next.is_ascii_hexdigit();
        let is_first = !before.is_alphanumeric();
        let found = begins
            .then(|| find(&name[at..], is_first))
            .flatten()
            .filter(|(stays, end)| !matches!(&name[at + stays..at + end], "" | "…"));
        match found {
            Some((stays, end)) => {
                new.push_str(&name[copied..at + stays]);
                new.push(BLANK);
                at += end;
                copied = at;
                before = BLANK;
            }
            None => {
                at += next.len_utf8();
                before = next;
            }
        }
    }
    (copied > 0).then(|| new + &name[copied..])
}

/// Returns how long a word of hexadecimal digits is that a text begins with; nothing when letters go on behind it.
fn hexadecimal(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    let goes_on = rest
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || c == '_');
    (!goes_on).then_some(text.len() - rest.len())
}

fn address(text: &str) -> Option<usize> {
    let digits = hexadecimal(text.strip_prefix("0x")?)?;
    (ADDRESS..=16).contains(&digits).then_some(digits + 2)
}

fn id(text: &str) -> Option<usize> {
    let length = hexadecimal(text).filter(|length| (ID..=LONGEST_ID).contains(length))?;
    let word = &text.as_bytes()[..length];
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)).then_some(length)
}

/// `8-4-4-4-12` hexadecimal digits (RFC 9562, section 4).
fn uuid(text: &str) -> Option<usize> {
    let word = text.get(..36)?.as_bytes();
    let fits = word.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let goes_on = text[36..].starts_with(|c: char| c.is_alphanumeric());
    (fits && !goes_on).then_some(36)
}

impl Results {
    /// Gives the tests of a whole run the names that they have in every run.
    pub(crate) fn with_stable_names(self) -> Self {
        let this = self.rewrite_names(&without_addresses);
        if this.is_clean(&without_ids) {
            return this;
        }
        let mut times: HashMap<(String, String), u32> = HashMap::new();
        for test in this.tests() {
            let (suite, name) = (without_ids(test.suite), without_ids(test.name));
            if suite.is_some() || name.is_some() {
                let stable = |new: Option<String>, old: &str| new.unwrap_or_else(|| old.to_owned());
                let key = (stable(suite, test.suite), stable(name, test.name));
                *times.entry(key).or_default() += 1;
            }
        }
        this.rewritten(&|suite, name| {
            let key = (
                without_ids(suite).unwrap_or_else(|| suite.to_owned()),
                without_ids(name).unwrap_or_else(|| name.to_owned()),
            );
            (times.get(&key) == Some(&1)).then_some(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::junit::{Case, Outcome};

    #[test]
    fn addresses_ids_and_temporary_folders_are_found() {
        let check = |name: &str, stable: &str| {
            assert_eq!(without_ids(name).as_deref().unwrap_or(name), stable);
        };
        check(
            "test_x[<P object at 0x7f3a2c10aa>]",
            "test_x[<P object at 0x…>]",
        );
        check(
            "creates 3f2504e0-4f89-41d3-9a0c-0305e82c3301 twice",
            "creates … twice",
        );
        check("test[507f1f77bcf86cd799439011]", "test[…]");
        check("reads /tmp/tmp1ab2/x/in.txt", "reads /tmp/…/in.txt");
        check(
            "reads C:\\Users\\a\\AppData\\Local\\Temp\\t1\\in.txt now",
            "reads C:\\Users\\a\\AppData\\Local\\Temp\\…\\in.txt now",
        );
        for same in [
            "mask[0x1f]",
            "adds 0xdeadbeefg",
            "test[2020-01-01T00:00:00]",
            "deadbeefdeadbeefdeadbeef",
            "123456789012345678901234",
            "x3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "/tmp/",
            "a::b::c",
        ] {
            check(same, same);
        }
        assert_eq!(
            without_addresses("507f1f77bcf86cd799439011 0x7f3a2c10aa").as_deref(),
            Some("507f1f77bcf86cd799439011 0x…")
        );
    }

    fn names(tests: &[&str]) -> Vec<String> {
        let mut results = Results::default();
        for (serial, name) in (1..).zip(tests) {
            let mut case = Case::default();
            (*name).clone_into(&mut case.name);
            case.attempts = vec![Outcome::Passed];
            results.case(&["s".to_owned()], serial, &case, "");
        }
        let stable = results.with_stable_names();
        let order = stable.order();
        order
            .iter()
            .map(|at| {
                let test = stable.at(*at);
                format!("{} {}", test.name, test.sequence)
            })
            .collect()
    }

    #[test]
    fn an_id_goes_where_it_tells_nothing_apart() {
        assert_eq!(
            names(&["a[507f1f77bcf86cd799439011]", "b"]),
            ["a[…] p", "b p"]
        );
        // Two parameters that somebody chose.
        let chosen = ["a[507f1f77bcf86cd799439011]", "a[507f1f77bcf86cd799439012]"];
        assert_eq!(names(&chosen), chosen.map(|name| format!("{name} p")));
        // Nobody chooses addresses.
        assert_eq!(
            names(&["a[<X at 0x7f3a2c10aa>]", "a[<X at 0x7f3a2c10bb>]"]),
            ["a[<X at 0x…>] p*2"]
        );
    }

    proptest! {
        #[test]
        fn a_stable_name_stays(name in "([0-9a-f]{0,40}|0x[0-9a-f]{1,20}|/tmp/|[-/ \\\\_x…é]){0,8}") {
            let once = without_ids(&name).unwrap_or(name);
            prop_assert_eq!(without_ids(&once), None);
        }
    }
}
