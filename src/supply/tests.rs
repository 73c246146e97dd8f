//! All readers over other people's files (`MAESTRO_CORPUS`), and over broken ones.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the corpus and what a skipped test says lie outside"
)]

use std::path::{Path, PathBuf};

use super::*;

/// Files of ours that readers are broken on.
const OWN: &[&str] = &[
    "syft.cyclonedx.json",
    "syft.spdx.json",
    "syft.spdx",
    "syft.json",
    "cargo-audit.json",
    "npm-audit.json",
    "npm-audit-failed.json",
    "pip-audit.json",
    "bandit.sarif",
    "ruff.sarif",
];

fn corpus(folder: &str) -> Option<PathBuf> {
    let found = std::env::var_os("MAESTRO_CORPUS").map(|corpus| PathBuf::from(corpus).join(folder));
    if found.is_none() {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort_unstable();
    files
}

/// Reads bytes as everything there is.
fn read_all(bytes: &[u8]) -> usize {
    let mut supplied = Supplied::default();
    let mut read = 0;
    read += usize::from(supplied.add_sbom(Side::Head, bytes).is_ok());
    read += usize::from(
        supplied
            .add_vulnerabilities(Side::Head, "report", bytes)
            .is_ok(),
    );
    read += usize::from(supplied.add_sarif(Side::Head, bytes, None).is_ok());
    read += usize::from(supplied.add_vex("vex", bytes).is_ok());
    drop(supplied.components());
    drop(vulns::merge(&supplied.head.scans));
    read
}

fn is_reference_bill(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What their authors call valid, and complete examples.
    let is_json = path.extension().is_some_and(|end| end == "json");
    name.starts_with("valid-")
        || is_json
            && path
                .components()
                .any(|part| part.as_os_str() == "bom-examples")
}

#[test]
fn every_valid_bill_of_the_corpus_is_read() {
    let Some(folder) = corpus("sbom") else { return };
    let mut bills = 0;
    let mut broken = 0;
    for path in files_below(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        let read = sbom::read(&bytes);
        if is_reference_bill(&path) {
            let bill = read.unwrap_or_else(|fault| panic!("{}: {fault:?}", path.display()));
            assert!(bill.form.starts_with("CycloneDX 1."));
            bills += 1;
        } else {
            broken += usize::from(read.is_err());
        }
        read_all(&bytes);
    }
    assert!(
        bills >= 100 && broken >= 3,
        "{bills} read, {broken} refused"
    );
}

#[test]
fn reports_of_grype_itself_are_read() {
    let Some(folder) = corpus("vulns/grype") else {
        return;
    };
    let mut found = 0;
    let goldens = files_below(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "golden"));
    for path in goldens {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        // Images lie beside the reports.
        if !text.trim_start().starts_with('{') {
            continue;
        }
        let scan = vulns::read("golden", &bytes)
            .unwrap_or_else(|fault| panic!("{}: {fault:?}", path.display()));
        let matches = text.matches("\"vulnerability\":").count();
        assert_eq!(scan.found.len(), matches, "{}", path.display());
        found += scan.found.len();
    }
    assert!(found > 0);
}

/// A generator of numbers that are the same every time (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        usize::try_from(number >> 33).unwrap_or_default() % limit.max(1)
    }
}

/// Changes, removes, doubles or puts in some bytes.
fn mutant(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"{", b"}", b"[", b"]", b"\"", b",", b"null", b"-1e999", b"\\ud800", b"\xff", b"{}", b"[[",
        b"\"\"", b"true",
    ];
    let mut mutant = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(mutant.len());
        let end = (at + numbers.below(40)).min(mutant.len());
        match numbers.below(6) {
            0 => mutant.truncate(at),
            1 => drop(mutant.drain(at..end)),
            2 => {
                let part = mutant[at..end].to_vec();
                mutant.splice(at..at, part);
            }
            3 if at < mutant.len() => mutant[at] ^= 1 << numbers.below(8),
            _ => {
                let word = WORDS[numbers.below(WORDS.len())];
                mutant.splice(at..end.min(at + word.len()), word.iter().copied());
            }
        }
    }
    mutant
}

#[test]
fn ten_thousand_broken_files_are_no_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/supply");
    let mut files: Vec<Vec<u8>> = OWN
        .iter()
        .map(|name| std::fs::read(folder.join(name)).unwrap())
        .collect();
    if let Some(corpus) = corpus("sbom") {
        let small = files_below(&corpus)
            .into_iter()
            .map(|path| std::fs::read(path).unwrap());
        files.extend(small.filter(|bytes| bytes.len() < 8 * 1024 && !bytes.is_empty()));
    }
    files.retain(|bytes| bytes.len() < 32 * 1024);
    let mut numbers = Numbers(0x006d_6165_7374_726f);
    let mut read = 0;
    for number in 0..10_000 {
        let mutant = mutant(&files[number % files.len()], &mut numbers);
        read += usize::from(read_all(&mutant) > 0);
    }
    // Most are no reports any more, and some still are.
    assert!((500..9_500).contains(&read), "{read} of 10000 were read");
}

/// Prints what is in bills, for `tests/interop/sbom.sh`: a path a line in; path, components and licences out. Without the variable there
/// is nothing to do.
#[test]
fn counts_for_files() {
    let Some(list) = std::env::var_os("MAESTRO_SBOMS").map(PathBuf::from) else {
        return;
    };
    let mut answer = String::new();
    for path in std::fs::read_to_string(&list).unwrap().lines() {
        let line = match sbom::read(&std::fs::read(path).unwrap()) {
            Ok(bill) => {
                let all = || bill.root.iter().chain(&bill.components);
                let licences: usize = all().map(|one| one.licences.len()).sum();
                format!("{path}\t{}\t{licences}\n", all().count())
            }
            Err(fault) => format!("{path}\trefused\t{fault}\n"),
        };
        answer.push_str(&line);
    }
    std::fs::write(list.with_extension("counts"), answer).unwrap();
}

/// Rates vectors, for `tests/interop/cvss.sh`: one a line in, its score out. Without the variable there is nothing to do.
#[test]
fn scores_for_a_file() {
    let Some(list) = std::env::var_os("MAESTRO_VECTORS").map(PathBuf::from) else {
        return;
    };
    let mut answer = String::new();
    for vector in std::fs::read_to_string(&list).unwrap().lines() {
        let score = cvss::rate(vector)
            .map_or_else(|| "none".to_owned(), |(score, _)| format!("{score:.1}"));
        answer.push_str(&score);
        answer.push('\n');
    }
    std::fs::write(list.with_extension("scores"), answer).unwrap();
}
