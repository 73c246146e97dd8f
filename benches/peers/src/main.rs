//! Counts the cases of a JUnit file with a library of others: `peers quick-junit|quick-xml FILE`.
//!
//! Prints `cases failed skipped`. See `benches/ingest.sh`.

use std::{env, error::Error, fs::File, io::BufReader};

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use quick_xml::{Reader, events::Event};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [program, path] = arguments.as_slice() else {
        return Err("usage: peers quick-junit|quick-xml FILE".into());
    };
    let input = BufReader::with_capacity(1 << 16, File::open(path)?);
    let [cases, failed, skipped] = match program.as_str() {
        "quick-junit" => whole_model(input)?,
        "quick-xml" => bare_events(input)?,
        other => return Err(format!("no program `{other}`").into()),
    };
    println!("{cases} {failed} {skipped}");
    Ok(())
}

/// The whole report as values, then counted.
fn whole_model(input: BufReader<File>) -> Result<[u64; 3], Box<dyn Error>> {
    let report = Report::deserialize(input)?;
    let mut counts = [0; 3];
    for case in report.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        counts[0] += 1;
        match &case.status {
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => counts[1] += 1,
            TestCaseStatus::Skipped { .. } => counts[2] += 1,
            _ => {}
        }
    }
    Ok(counts)
}

/// A pass over the events that looks at nothing but element names: the floor for this parser.
fn bare_events(input: BufReader<File>) -> Result<[u64; 3], Box<dyn Error>> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut counts = [0; 3];
    loop {
        match reader.read_event_into(&mut buffer)? {
            Event::Start(element) | Event::Empty(element) => match element.name().as_ref() {
                b"testcase" => counts[0] += 1,
                b"failure" => counts[1] += 1,
                b"skipped" => counts[2] += 1,
                _ => {}
            },
            Event::Eof => return Ok(counts),
            _ => {}
        }
        buffer.clear();
    }
}
