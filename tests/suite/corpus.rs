//! Real files by other people, through `MAESTRO_CORPUS`: no refusal, and the counts that a strict parser has.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::harness::{Maestro, corpus, files_below};

/// Counts `<testcase>` start tags by a plain pass; nothing when the file is not JUnit.
fn plain_count(bytes: &[u8]) -> Option<u64> {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut cases = 0;
    let mut root = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                let name = tag.local_name().as_ref().to_vec();
                if name == b"testcase" {
                    cases += 1;
                }
                root.get_or_insert(name);
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let is_junit = root
        .is_some_and(|root| root == b"testsuites" || root == b"testsuite" || root == b"testcase");
    is_junit.then_some(cases)
}

#[test]
fn every_junit_file_of_the_corpus_is_read_and_counted() {
    let Some(folder) = corpus("junit") else {
        return;
    };
    let maestro = Maestro::in_folder();
    let mut files = 0;
    for path in files_below(&folder) {
        let Some(cases) = plain_count(&std::fs::read(&path).unwrap()) else {
            continue;
        };
        let document = maestro.json(&["flakes", "ingest", "--dry-run", path.to_str().unwrap()]);
        assert_eq!(document["totals"]["cases"], cases, "{}", path.display());
        files += 1;
    }
    assert!(files >= 200, "only {files} files were found");
}
